//! The companion process: drives the core and executes its effects

pub mod answers;
pub mod caller;
pub mod clock;
pub mod config;
pub mod control;
pub mod door;
pub mod driver;
mod handoffs;
pub mod home;
pub mod live;
pub mod lock;
pub mod logging;
mod markdown;
pub mod net;
mod notebook;
mod olm;
mod pace;
pub mod process;
mod quarantine;
mod recall;
pub mod refusals;
pub mod resolve;
pub mod store;
mod transcript;
pub mod view;
