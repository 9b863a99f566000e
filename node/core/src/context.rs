//! What every sub-machine is handed for the length of one input.

use pairwave_wire::TransportId;
use rand_chacha::ChaCha20Rng;

use crate::input::ConnectedRelay;
use crate::key::Identity;
use crate::log::Log;
use crate::node::Limits;
use crate::outbox::Outbox;
use crate::time::Timestamp;

/// The surroundings of one input.
pub struct Context<'a> {
    pub identity: &'a Identity,
    pub transport: &'a TransportId,
    /// Where this companion may be reached.
    pub addresses: &'a [String],
    /// The relays that can be asked, nearest first.
    pub relays: &'a [ConnectedRelay],
    pub limits: &'a Limits,
    pub log: &'a dyn Log,
    pub rng: &'a mut ChaCha20Rng,
    pub outbox: &'a mut Outbox,
    pub now: Timestamp,
}
