//! A relay, met by plain libp2p clients on this machine.

mod attack;
mod circuits;
mod client;
mod crowds;
mod letters;
mod owner;
mod streams;
mod tokens;
mod world;
