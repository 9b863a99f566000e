//! One cell of the table: who sits where, and what stands between them.

use std::fmt;

use crate::lending::{self, Language};
use crate::site::{SITES, Site};
use crate::theory::{self, Reach};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relays {
    None,
    One,
    /// Two, of which the one in use is killed.
    Two,
}

/// What is unusual about a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Twist {
    None,
    /// Both are on one wifi.
    SameRouter,
    /// Both are on one wifi that keeps its machines apart.
    Isolated,
    /// No packet of more than 1280 bytes gets through.
    SmallPackets,
    /// Both routers answer what they did not ask for, which closes the hole that is being punched.
    Chatty,
    /// Whoever invites listens on a port that every network lets out.
    ListensOn443,
    /// Whoever joins sits behind a portal that is still closed, and opens while they wait.
    CaptivePortal,
    /// Whoever joins sits in a network whose only way out is an HTTP proxy.
    OnlyAProxy,
    /// The router of whoever invites lends ports in this language.
    Lends(Language),
}

/// The first opens the room, the second joins it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    pub first: Site,
    pub second: Site,
    pub relays: Relays,
    pub twist: Twist,
}

impl Relays {
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::One => "one",
            Self::Two => "two",
        }
    }

    pub fn number(self) -> usize {
        match self {
            Self::None => 0,
            Self::One => 1,
            Self::Two => 2,
        }
    }
}

impl Plan {
    pub fn new(first: Site, second: Site, relays: Relays) -> Self {
        Self { first, second, relays, twist: Twist::None }
    }

    pub fn with(self, twist: Twist) -> Self {
        Self { twist, ..self }
    }

    pub fn expected(self) -> Reach {
        match self.twist {
            Twist::None | Twist::SmallPackets | Twist::CaptivePortal => {
                theory::reach(self.first, self.second, self.relays)
            }
            Twist::SameRouter | Twist::ListensOn443 | Twist::Lends(_) => Reach::Dialled,
            Twist::Isolated | Twist::Chatty | Twist::OnlyAProxy => Reach::Relayed,
        }
    }

    /// A program that it takes and that is not installed here.
    pub fn misses(self) -> Option<&'static str> {
        matches!(self.twist, Twist::Lends(_)).then_some(lending::PROGRAM).filter(|program| !is_installed(program))
    }

    /// Can only the joiner be dialled, so that the inviter needs a line from them?
    pub fn needs_an_answer(self) -> bool {
        let (first, second) = (self.first.facts(), self.second.facts());
        self.relays == Relays::None && theory::dials(first, second) && !theory::dials(second, first)
    }
}

impl Twist {
    /// Nothing where nothing is unusual.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::SameRouter => "same-wifi",
            Self::Isolated => "isolated-wifi",
            Self::SmallPackets => "mtu-1280",
            Self::Chatty => "chatty-routers",
            Self::ListensOn443 => "listens-on-443",
            Self::CaptivePortal => "captive-portal",
            Self::OnlyAProxy => "only-a-proxy",
            Self::Lends(Language::Pcp) => "ports-by-pcp",
            Self::Lends(Language::Upnp) => "ports-by-upnp",
        }
    }

    pub fn about(self) -> &'static str {
        match self {
            Self::None => "",
            Self::SameRouter => "both are on one wifi",
            Self::Isolated => "both are on one wifi that keeps its machines apart",
            Self::SmallPackets => "no packet of more than 1280 bytes gets through",
            Self::Chatty => "both routers answer what they did not ask for, which closes a hole that is being punched",
            Self::ListensOn443 => "whoever invites listens on a port that every network lets out",
            Self::CaptivePortal => {
                "HTTP of whoever joins is answered by a portal and all else is dropped; it opens once `join` has waited in \
                 vain and `doctor` has said why: **met** counts from then"
            }
            Self::OnlyAProxy => {
                "the only way out for whoever joins is an HTTP proxy that connects to 443 (HTTPS_PROXY)"
            }
            Self::Lends(Language::Pcp) => {
                "the router of whoever invites lends its ports by PCP and NAT-PMP (miniupnpd)"
            }
            Self::Lends(Language::Upnp) => "the router of whoever invites lends its ports by UPnP (miniupnpd)",
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.first, self.second, self.relays.name())?;
        if self.twist == Twist::None { Ok(()) } else { write!(f, "/{}", self.twist.name()) }
    }
}

/// What the pairs of sites leave out.
pub fn unusual() -> Vec<Plan> {
    let homes = |relays| Plan::new(Site::Home, Site::Home, relays);
    vec![
        homes(Relays::None).with(Twist::SameRouter),
        homes(Relays::One).with(Twist::Isolated),
        homes(Relays::One).with(Twist::SmallPackets),
        homes(Relays::One).with(Twist::Chatty),
        Plan::new(Site::Public, Site::Corporate, Relays::None).with(Twist::ListensOn443),
        homes(Relays::One).with(Twist::CaptivePortal),
        homes(Relays::One).with(Twist::OnlyAProxy),
        homes(Relays::None).with(Twist::Lends(Language::Pcp)),
        homes(Relays::None).with(Twist::Lends(Language::Upnp)),
    ]
}

/// Every pair with every number of relays. Who invites makes a difference only where nobody helps.
pub fn all() -> Vec<Plan> {
    let mut plans = Vec::new();
    for relays in [Relays::None, Relays::One, Relays::Two] {
        for (at, first) in SITES.into_iter().enumerate() {
            for second in SITES.into_iter().skip(at) {
                plans.push(Plan::new(first, second, relays));
                let turned = Plan::new(second, first, relays);
                if relays == Relays::None && first != second && turned.expected() != Reach::Apart {
                    plans.push(turned);
                }
            }
        }
    }
    plans
}

fn is_installed(program: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| folder.join(program).is_file())
}
