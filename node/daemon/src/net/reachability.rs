//! What is known of how others can reach us, in words.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

use crate::net::mapping::Router;
use crate::net::{Ports, Reachability, address};

/// Everything that was found out.
pub struct Findings<'a> {
    /// How relays see us.
    pub seen: Vec<(PeerId, &'a Multiaddr)>,
    /// UDP ports that QUIC leaves from over IPv4.
    pub own_ports: BTreeSet<u16>,
    /// Whether somebody has reached us from outside, or the router lets them in.
    pub is_open: bool,
    /// Whether somebody tried, and nobody could.
    pub is_refuted: bool,
    pub router: &'a Router,
}

impl Findings<'_> {
    pub fn verdict(&self) -> Reachability {
        match (self.is_open, self.is_refuted) {
            (true, _) => Reachability::Public,
            (false, true) => Reachability::Private,
            (false, false) => Reachability::Unknown,
        }
    }

    /// One sentence about the NAT; `is_ours` knows this machine's addresses.
    pub fn nat(&self, is_ours: impl Fn(&IpAddr) -> bool) -> Option<String> {
        let kind = self.kind(is_ours);
        if kind == Some(Kind::Absent) {
            return kind.map(|kind| kind.words().to_owned());
        }
        let said: Vec<String> =
            kind.map(|kind| kind.words().to_owned()).into_iter().chain(self.router.words()).collect();
        (!said.is_empty()).then(|| said.join(" "))
    }

    /// What becomes of our ports on the way out.
    pub fn ports(&self, is_ours: impl Fn(&IpAddr) -> bool) -> Ports {
        match self.kind(is_ours) {
            Some(Kind::Absent | Kind::Keeps | Kind::KeptOnce) => Ports::Kept,
            Some(Kind::Changes | Kind::ChangedOnce) => Ports::Changed,
            Some(Kind::Unclear) | None => Ports::Unknown,
        }
    }

    fn kind(&self, is_ours: impl Fn(&IpAddr) -> bool) -> Option<Kind> {
        let quic = self.seen.iter().filter_map(|(relay, at)| Some((*relay, address::ip(at)?, udp(at)?)));
        let v4: Vec<_> = quic.filter(|(_, ip, _)| ip.is_ipv4()).collect();
        if is_ours(&v4.first()?.1) {
            return Some(Kind::Absent);
        }
        // Ports are compared between relays: one that is asked twice sees the same.
        let by_relay: BTreeMap<PeerId, u16> = v4.iter().map(|(relay, _, port)| (*relay, *port)).collect();
        let ports: BTreeSet<u16> = by_relay.values().copied().collect();
        Some(match (by_relay.len(), ports.len()) {
            (1, _) if self.own_ports.is_empty() => Kind::Unclear,
            (1, _) if ports.is_subset(&self.own_ports) => Kind::KeptOnce,
            (1, _) => Kind::ChangedOnce,
            (_, 1) => Kind::Keeps,
            _ => Kind::Changes,
        })
    }
}

/// What kind of NAT we are behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Absent,
    /// There is one, and no more is known.
    Unclear,
    /// One port for all relays.
    Keeps,
    /// Our own port, as far as one relay can tell.
    KeptOnce,
    /// A port for each relay.
    Changes,
    /// Another port than our own. It need not be another one for everybody.
    ChangedOnce,
}

impl Kind {
    fn words(self) -> &'static str {
        match self {
            Self::Absent => "There is no NAT between this machine and its relays.",
            Self::Unclear => "Your router translates addresses; what kind it is shows with a second relay.",
            Self::Keeps => "Your router keeps one port for all destinations: direct paths can be found.",
            Self::KeptOnce => {
                "Your router keeps the port of this machine, as far as one relay can tell: direct paths can be found."
            }
            Self::Changes => {
                "Your router gives every destination another port: direct paths are possible only to those who can be \
                 reached from outside."
            }
            Self::ChangedOnce => {
                "Your router gives this machine another port, and perhaps every destination another one: then direct \
                 paths are possible only to those who can be reached from outside. A second relay would show it."
            }
        }
    }
}

/// Which UDP port an address names.
pub fn udp(address: &Multiaddr) -> Option<u16> {
    address.iter().find_map(|part| if let Protocol::Udp(port) = part { Some(port) } else { None })
}

/// Whether an address of this machine may be reachable from everywhere.
pub fn is_global(address: &Multiaddr) -> bool {
    match address::ip(address) {
        // 100.64.0.0/10 is what providers put behind their own NAT (RFC 6598).
        Some(IpAddr::V4(ip)) if ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64 => false,
        Some(ip) => !address::is_private(&ip) && !address::is_relayed(address),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::mapping::Word;

    /// The sentence, and what becomes of ports, for a machine that listens on these.
    fn found(seen: &[(PeerId, &str)], own: &[u16], router: &Router) -> (Option<String>, Ports) {
        let parsed: Vec<(PeerId, Multiaddr)> =
            seen.iter().map(|(relay, text)| (*relay, format!("{text}/quic-v1").parse().unwrap())).collect();
        let seen = parsed.iter().map(|(relay, address)| (*relay, address)).collect();
        let own_ports = own.iter().copied().collect();
        let findings = Findings { seen, own_ports, is_open: false, is_refuted: false, router };
        let is_ours = |ip: &IpAddr| *ip == "192.0.2.1".parse::<IpAddr>().unwrap();
        (findings.nat(is_ours), findings.ports(is_ours))
    }

    #[test]
    fn relays_tell_what_kind_of_nat_it_is() {
        let (one, other) = (PeerId::random(), PeerId::random());
        let a = "/ip4/203.0.113.9/udp/1";
        let b = "/ip4/203.0.113.9/udp/2";
        let plain = Router::default();
        assert_eq!(found(&[], &[1], &plain), (None, Ports::Unknown));
        let says = |seen: &[(PeerId, &str)], own: &[u16], what: &str, ports| {
            let (nat, got) = found(seen, own, &plain);
            assert!(nat.as_ref().is_some_and(|nat| nat.contains(what)) && got == ports, "{nat:?} {got:?}");
        };
        says(&[(one, a)], &[], "shows with a second relay", Ports::Unknown);
        says(&[(one, a), (one, a)], &[], "shows with a second relay", Ports::Unknown);
        says(&[(one, a)], &[1], "as far as one relay can tell", Ports::Kept);
        says(&[(one, b)], &[1], "perhaps every destination", Ports::Changed);
        says(&[(one, a), (other, a)], &[7], "one port for all", Ports::Kept);
        says(&[(one, a), (other, b)], &[1], "every destination another port", Ports::Changed);
        says(&[(one, "/ip4/192.0.2.1/udp/1")], &[1], "no NAT", Ports::Kept);
        let inner = Router { upnp: Word::Inner, ..Router::default() };
        assert!(found(&[(one, a)], &[], &inner).0.unwrap().ends_with("behind another NAT."));
        assert!(found(&[], &[], &inner).0.unwrap().ends_with("behind another NAT."), "no relay needs to see that");
    }

    #[test]
    fn nobody_having_tried_is_not_the_same_as_nobody_having_succeeded() {
        let verdict = |is_open, is_refuted| {
            let (seen, own_ports) = (Vec::new(), BTreeSet::new());
            Findings { seen, own_ports, is_open, is_refuted, router: &Router::default() }.verdict()
        };
        assert_eq!(verdict(false, false), Reachability::Unknown);
        assert_eq!(verdict(false, true), Reachability::Private);
        assert_eq!(verdict(true, true), Reachability::Public);
    }

    #[test]
    fn only_some_addresses_are_worth_probing() {
        let global = |text: &str| is_global(&text.parse().unwrap());
        assert!(global("/ip6/2001:db8::1/udp/1/quic-v1") && global("/ip4/203.0.113.9/tcp/1"));
        assert!(
            !global("/ip4/192.168.1.2/tcp/1")
                && !global("/ip6/fd00::1/tcp/1")
                && !global("/ip4/100.64.0.1/tcp/1")
                && !global("/dns4/a.example/tcp/1")
        );
    }
}
