//! What is known of how others can reach us, in words.

use std::collections::BTreeMap;
use std::net::IpAddr;

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

use crate::net::mapping::Router;
use crate::net::{Reachability, address};

/// Everything that was found out.
pub struct Findings<'a> {
    /// How relays see us.
    pub seen: Vec<(PeerId, &'a Multiaddr)>,
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
        let quic: Vec<(PeerId, IpAddr, u16)> = self
            .seen
            .iter()
            .filter_map(|(relay, address)| Some((*relay, address::ip(address)?, udp(address)?)))
            .collect();
        let v4: Vec<_> = quic.iter().filter(|(_, ip, _)| ip.is_ipv4()).collect();
        if v4.first().is_some_and(|(_, ip, _)| is_ours(ip)) {
            return Some("There is no NAT between this machine and its relays.".into());
        }
        let kind = (!v4.is_empty()).then(|| kind(&v4));
        let said: Vec<String> = kind.into_iter().chain(self.router.words()).collect();
        (!said.is_empty()).then(|| said.join(" "))
    }
}

/// Ports are compared between relays: one that is asked twice sees the same.
fn kind(seen: &[&(PeerId, IpAddr, u16)]) -> String {
    let ports: BTreeMap<PeerId, u16> = seen.iter().map(|(relay, _, port)| (*relay, *port)).collect();
    let mut ports = ports.into_values();
    let first = ports.next();
    let mut others = ports.peekable();
    if others.peek().is_none() {
        return "Your router translates addresses; what kind it is shows with a second relay.".into();
    }
    if others.all(|port| Some(port) == first) {
        "Your router keeps one port for all destinations: direct paths can be found.".into()
    } else {
        "Your router gives every destination another port: direct paths are possible only to those who can be reached \
         from outside."
            .into()
    }
}

fn udp(address: &Multiaddr) -> Option<u16> {
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

    fn nat(seen: &[(PeerId, &str)], router: &Router) -> Option<String> {
        let parsed: Vec<(PeerId, Multiaddr)> =
            seen.iter().map(|(relay, text)| (*relay, format!("{text}/quic-v1").parse().unwrap())).collect();
        let seen = parsed.iter().map(|(relay, address)| (*relay, address)).collect();
        let findings = Findings { seen, is_open: false, is_refuted: false, router };
        findings.nat(|ip| *ip == "192.0.2.1".parse::<IpAddr>().unwrap())
    }

    #[test]
    fn two_relays_tell_what_kind_of_nat_it_is() {
        let (one, other) = (PeerId::random(), PeerId::random());
        let a = "/ip4/203.0.113.9/udp/1";
        let b = "/ip4/203.0.113.9/udp/2";
        assert_eq!(nat(&[], &Router::default()), None);
        let says = |seen: &[(PeerId, &str)], what: &str| assert!(nat(seen, &Router::default()).unwrap().contains(what));
        says(&[(one, a)], "second relay");
        says(&[(one, a), (one, a)], "second relay");
        says(&[(one, a), (other, a)], "one port for all");
        says(&[(one, a), (other, b)], "another port");
        says(&[(one, "/ip4/192.0.2.1/udp/1")], "no NAT");
        let inner = Router { upnp: Word::Inner, ..Router::default() };
        assert!(nat(&[(one, a)], &inner).unwrap().ends_with("behind another NAT."));
        assert!(nat(&[], &inner).unwrap().ends_with("behind another NAT."), "no relay needs to see that");
    }

    #[test]
    fn nobody_having_tried_is_not_the_same_as_nobody_having_succeeded() {
        let verdict = |is_open, is_refuted| {
            Findings { seen: Vec::new(), is_open, is_refuted, router: &Router::default() }.verdict()
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
