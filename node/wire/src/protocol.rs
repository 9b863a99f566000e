//! Names that appear on the network.

/// The link of one room between two members.
pub const ROOM: &str = "/pairwave/room/1";
/// Joining: a newcomer with an invite knocks.
pub const KNOCK: &str = "/pairwave/knock/1";
/// Letters that wait at a relay.
pub const MAILBOX: &str = "/pairwave/mailbox/1";
/// Addresses that members publish at a relay.
pub const LOOKUP: &str = "/pairwave/lookup/1";
/// The version that both ends of a link bind into their handshake.
pub const VERSION: u16 = 1;

/// What identify tells a peer about this software, for example `pairwave/0.1.0`.
pub fn agent_version() -> String {
    format!("pairwave/{}", env!("CARGO_PKG_VERSION"))
}
