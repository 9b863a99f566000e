//! A relay: circuits, a blind mailbox and a blind lookup for companions that cannot reach each other.
//!
//! It holds nothing that could open a message: what passes through a circuit is encrypted end to
//! end, letters and records arrive sealed, under tags that only members of a room can compute.

mod addresses;
mod behaviour;
mod certificate;
mod circuits;
mod crowd;
mod desk;
mod error;
mod figures;
mod identity;
mod lookup;
mod options;
mod outward;
mod page;
mod port;
pub mod process;
mod rates;
mod relay;
mod services;
mod spool;
mod standing;
pub mod tokens;
mod transport;

pub use certificate::CertificateFiles;
pub use error::RelayError;
pub use options::{CircuitLimits, LISTEN, Limits, Options};
pub use relay::Relay;
