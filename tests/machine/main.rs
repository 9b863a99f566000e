//! The binary on this machine as it is, in no namespace: files, sockets, other users.

mod files;
mod home;
mod neighbours;
