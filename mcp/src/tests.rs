//! The server as a host meets it, with a companion in memory.

mod answers;
mod calls;
mod consent;
pub(crate) mod fake;
mod schema_check;
mod serving;
mod session;
mod skill;
mod waiting;
