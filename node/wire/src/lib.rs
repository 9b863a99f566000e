//! What two strangers must agree on before they share a secret: protocol names, limits, the
//! deterministic codec, the frames of a stream and the few messages that cross in clear.
//!
//! Nothing here holds a key, knows what an event says, or performs IO.

pub mod cbor;
pub mod frame;
pub mod hello;
pub mod limits;
pub mod lookup;
pub mod mailbox;
pub mod parcel;
pub mod protocol;
mod transport;

pub use transport::{TransportId, TransportIdError};
