//! A relay, met by plain libp2p clients on this machine.

mod circuits;
mod client;
mod streams;
mod world;
