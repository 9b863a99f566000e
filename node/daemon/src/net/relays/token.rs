//! How far our token has come with one relay.

use std::time::{Duration, Instant};

/// What a circuit of a stranger may carry by libp2p's defaults, in bytes.
pub const STRANGERS_CIRCUIT: u64 = 128 * 1024;
/// A relay that treats us as a stranger this long after it welcomed us has forgotten our token.
pub const FORGOTTEN: Duration = Duration::from_secs(600);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// There is none.
    None,
    Unshown,
    Shown,
    /// The relay knows us since then: connections from now on have its members' limits.
    Welcome(Instant),
    /// It does not count, and why.
    Refused(String),
}

impl Token {
    pub fn new(token: Option<&str>) -> Self {
        if token.is_some() { Self::Unshown } else { Self::None }
    }

    pub fn is_being_shown(&self) -> bool {
        matches!(self, Self::Unshown | Self::Shown)
    }

    /// The last connection is gone, and the relay may have been restarted: it remembers nobody then.
    /// The connections that we end ourselves, once it has welcomed us, are none of those that are lost; so
    /// each loss has the token shown once.
    pub fn lose(&mut self) {
        if *self != Self::None {
            *self = Self::Unshown;
        }
    }

    /// Whether a reservation with such circuits tells that the relay has forgotten us. It tells nothing
    /// soon after the welcome: some relays give no more to those they know.
    pub fn is_forgotten(&self, circuit: Option<u64>, now: Instant) -> bool {
        let is_strangers = circuit.is_some_and(|bytes| bytes > 0 && bytes <= STRANGERS_CIRCUIT);
        is_strangers && matches!(self, Self::Welcome(since) if *since + FORGOTTEN <= now)
    }

    pub fn refusal(&self) -> Option<&str> {
        if let Self::Refused(why) = self { Some(why) } else { None }
    }
}
