//! The room as a sans-IO state machine.
//!
//! A room is a set of signed events that form a hash-DAG; what the room knows is a deterministic
//! fold over them. [`Node`](node::Node) holds all rooms of one identity and performs no IO: time,
//! bytes and randomness come in as arguments, effects go out as values.

pub mod actions;
pub mod answer;
pub mod armor;
pub mod artifacts;
pub mod blobs;
mod bounds;
pub mod brain;
mod causality;
pub mod charter;
pub mod command;
mod commands;
mod comparing;
pub mod connectivity;
pub mod consenting;
mod context;
pub mod delivery;
pub mod effect;
pub mod epochs;
pub mod event;
pub mod floor;
mod fold;
pub mod gate;
mod handshakes;
pub mod hops;
pub mod id;
pub mod input;
pub mod invite;
pub mod joining;
pub mod key;
pub mod knock;
pub mod knock_letter;
pub mod ledger;
pub mod letter;
pub mod letters;
pub mod link;
mod links;
mod live;
pub mod log;
pub mod mailbox;
pub mod mark;
pub mod members;
mod membership;
pub mod message;
pub mod node;
pub mod noise;
pub mod notice;
mod outbox;
pub mod overrides;
mod padded;
mod pairing;
pub mod peers;
pub mod ranges;
pub mod reading;
pub mod relays;
pub mod room;
#[cfg(test)]
mod sample;
pub mod sas;
pub mod seal;
pub mod seat;
pub mod sessions;
mod shares;
mod signals;
pub mod state;
pub mod sync;
pub mod talk;
mod tending;
mod texts;
pub mod time;
pub mod vector;
pub mod verification;
mod waiting;
mod whereabouts;
