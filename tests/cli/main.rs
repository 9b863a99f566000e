//! The command line as a user types it: what needs the real binary, but no other person.

mod answers;
mod deploy;
mod relay;
mod run;
mod usage;
