//! The MCP face of a companion: tools, resources, prompts, and the wiring of a project folder.
//!
//! It holds no keys and no state of a room; it asks a [`pairwave_api::Companion`]. What other people
//! wrote passes through here on its way to an agent: cleaned, and marked with whose words it is.
//!
//! Every answer says all of it twice, as JSON and as text, because hosts show their model only one of
//! the two: Claude Code the JSON of an answer, but the text of a refusal. So the mark, the notice and
//! the next step stand in both, and neither part may be thinned out in favour of the other.

mod bounded;
mod clean;
mod connection;
mod envelope;
mod event_view;
mod handover;
mod instructions;
mod ledger_view;
mod prompts;
mod request_view;
mod resources;
mod server;
#[cfg(test)]
mod tests;
mod tools;
pub mod wiring;

pub use clean::visible;
pub use server::{Binding, ServeError, serve_stdio};
pub use wiring::{Change, WireError, wire};
