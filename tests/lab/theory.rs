//! What must come of a pair of sites, judged by what their routers do and by nothing that a companion does.

use crate::plan::Relays;
use crate::site::{Facts, Mapping, Site};

/// The best that a pair can come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// One can be dialled by the other.
    Dialled,
    /// Nobody can be dialled, but both can open their routers for each other.
    Punched,
    Relayed,
    /// There is no way at all.
    Apart,
}

impl Reach {
    pub fn is_direct(self) -> bool {
        matches!(self, Self::Dialled | Self::Punched)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Dialled => "direct",
            Self::Punched => "direct (punched)",
            Self::Relayed => "relayed",
            Self::Apart => "apart",
        }
    }
}

pub fn reach(one: Site, other: Site, relays: Relays) -> Reach {
    let (one, other) = (one.facts(), other.facts());
    if dials(one, other) || dials(other, one) {
        Reach::Dialled
    } else if relays == Relays::None {
        // Nobody is there to tell each of them what the other's router looks like from outside.
        Reach::Apart
    } else if punches(one, other) {
        Reach::Punched
    } else {
        Reach::Relayed
    }
}

/// Can the first dial the second? A companion listens on ports that nobody chose.
pub fn dials(from: Facts, to: Facts) -> bool {
    to.open && share_a_family(from, to) && (from.udp || from.tcp)
}

/// Both know their port in advance, and what one of them lets out, the other lets out too.
fn punches(one: Facts, other: Facts) -> bool {
    let known = |facts: Facts| facts.mapping != Mapping::Each;
    let transport = (one.udp && other.udp) || (one.tcp && other.tcp);
    known(one) && known(other) && transport && share_a_family(one, other)
}

fn share_a_family(one: Facts, other: Facts) -> bool {
    (one.v4 && other.v4) || (one.v6 && other.v6)
}
