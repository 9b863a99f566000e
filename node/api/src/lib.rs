//! What a face (agent, page, command line) may ask of a companion and see: plain data, one trait,
//! and the client of the control socket. No core types, no keys.

#![deny(missing_docs)]

pub mod agent;
mod artifacts;
mod brain;
mod client;
mod companion;
mod consent;
pub mod control;
mod failure;
mod git;
pub mod home;
mod memory;
mod network;
mod request;
mod spawn;
mod view;
pub mod words;

pub use agent::{agent_marker, host_session};
pub use artifacts::*;
pub use brain::*;
pub use client::{Client, NOT_RUNNING};
pub use companion::{Companion, CompanionExt, Dashboard, Notices};
pub use consent::*;
pub use failure::{Code, Failure};
pub use git::*;
pub use home::Home;
pub use memory::*;
pub use network::*;
pub use request::*;
pub use view::*;

/// The version of this program; a companion serves its own version alone.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
