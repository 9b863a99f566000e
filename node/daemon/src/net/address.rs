//! What an address says: whose it is, whether it can be dialled, which way it leads.

use std::net::{IpAddr, Ipv6Addr};

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};
use pairwave_wire::{TransportId, limits};

use crate::net::Path;

pub fn transport_id(peer: &PeerId) -> TransportId {
    TransportId::new(peer.to_bytes()).expect("a PeerId is a multihash of 38 to 44 bytes")
}

/// `None` for bytes that are no PeerId.
pub fn peer_id(id: &TransportId) -> Option<PeerId> {
    PeerId::from_bytes(id.as_bytes()).ok()
}

/// Reads an address that somebody told us. A peer at its end must be `peer`, and is taken off.
/// `None` when it cannot be dialled: link-local addresses lack the interface, and a circuit needs to
/// know whom it leads to.
pub fn dialable(text: &str, peer: Option<&PeerId>) -> Option<Multiaddr> {
    if text.len() > limits::ADDRESS {
        return None;
    }
    let mut address: Multiaddr = text.parse().ok()?;
    if let Some(Protocol::P2p(at)) = address.iter().last() {
        if peer.is_some_and(|peer| *peer != at) {
            return None;
        }
        address.pop();
    }
    let Some((relay, at)) = circuit(&address) else { return is_direct(&address).then_some(address) };
    (peer.is_some_and(|peer| *peer != relay) && is_direct(&at)).then_some(address)
}

/// Whether it leads over QUIC, TCP or WebSocket to a host.
pub fn is_direct(address: &Multiaddr) -> bool {
    let has_host = match ip(address) {
        Some(ip) => !ip.is_unspecified() && !is_link_local(&ip),
        None => is_named(address),
    };
    has_host && (is_quic(address) || is_tcp(address))
}

/// The relay of a circuit and where that is: exactly `…/p2p/RELAY/p2p-circuit`.
pub fn circuit(address: &Multiaddr) -> Option<(PeerId, Multiaddr)> {
    let mut at = address.clone();
    let (Some(Protocol::P2pCircuit), Some(Protocol::P2p(relay))) = (at.pop(), at.pop()) else { return None };
    Some((relay, at))
}

/// The circuit through a relay that is there.
pub fn circuit_through(relay: PeerId, at: Multiaddr) -> Multiaddr {
    at.with(Protocol::P2p(relay)).with(Protocol::P2pCircuit)
}

/// Without the peer that may stand at its end.
pub fn without_peer(mut address: Multiaddr) -> Multiaddr {
    if let Some(Protocol::P2p(_)) = address.iter().last() {
        address.pop();
    }
    address
}

pub fn ip(address: &Multiaddr) -> Option<IpAddr> {
    match address.iter().next()? {
        Protocol::Ip4(ip) => Some(IpAddr::V4(ip)),
        Protocol::Ip6(ip) => Some(IpAddr::V6(ip)),
        _ => None,
    }
}

/// Whether it stands for every IPv6 address of this machine.
pub fn is_any_v6(address: &Multiaddr) -> bool {
    ip(address).is_some_and(|ip| ip.is_ipv6() && ip.is_unspecified())
}

/// Only `/ip…`.
pub fn host(address: &Multiaddr) -> Multiaddr {
    address.iter().take(1).collect()
}

/// Whether it begins with a name that is to be resolved. A name goes into requests to a proxy as it
/// is, so it has nothing in it but what names are made of.
pub fn is_named(address: &Multiaddr) -> bool {
    let Some(Protocol::Dns(name) | Protocol::Dns4(name) | Protocol::Dns6(name)) = address.iter().next() else {
        return false;
    };
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=253).contains(&name.len()) && name.bytes().all(fits)
}

/// Exactly `/ip…/udp/…/quic-v1`, or with a name in place of the IP.
pub fn is_quic(address: &Multiaddr) -> bool {
    let mut parts = address.iter().skip(1);
    matches!((parts.next(), parts.next(), parts.next()), (Some(Protocol::Udp(_)), Some(Protocol::QuicV1), None))
}

/// `/ip…/tcp/…`, or with a name in place of the IP, or with WebSocket on top.
pub fn is_tcp(address: &Multiaddr) -> bool {
    let mut parts = address.iter().skip(1);
    if !matches!(parts.next(), Some(Protocol::Tcp(_))) {
        return false;
    }
    matches!(
        (parts.next(), parts.next(), parts.next()),
        (None | Some(Protocol::Ws(_) | Protocol::Wss(_)), None, None)
            | (Some(Protocol::Tls), Some(Protocol::Ws(_)), None)
    )
}

/// Exactly `/ip…/tcp/…`, or with a name in place of the IP.
pub fn is_plain_tcp(address: &Multiaddr) -> bool {
    is_tcp(address) && address.iter().count() == 2
}

pub fn is_relayed(address: &Multiaddr) -> bool {
    address.iter().any(|part| part == Protocol::P2pCircuit)
}

/// Which way a connection with this remote address takes.
pub fn path(address: &Multiaddr) -> Path {
    match ip(address) {
        _ if is_relayed(address) => Path::Relayed,
        Some(ip) if is_private(&ip) => Path::Lan,
        _ => Path::Direct,
    }
}

pub fn is_link_local(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(_) => false,
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

pub fn is_private(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_link_local() || ip.is_loopback(),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_loopback(),
    }
}

/// Where somebody comes from, as far as limits are concerned. Whoever has one IPv6 address has
/// the /64 around it. Of whoever comes by a circuit only the peer is
/// known, and its relay limits how often it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin {
    Network(IpAddr),
    Circuit(PeerId),
    Unknown,
}

impl Origin {
    pub fn of(address: &Multiaddr) -> Self {
        let network = |ip| match ip {
            IpAddr::V4(ip) => IpAddr::V4(ip),
            IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64)),
        };
        match (ip(address), address.iter().next()) {
            (Some(ip), _) => Self::Network(network(ip)),
            (None, Some(Protocol::P2p(peer))) => Self::Circuit(peer),
            (None, _) => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Multiaddr {
        text.parse().unwrap()
    }

    #[test]
    fn what_cannot_be_dialled_is_dropped() {
        let bad = [
            "/ip6/fe80::1/tcp/1",
            "/ip4/0.0.0.0/tcp/1",
            "/ip4/10.0.0.1/udp/1",
            "/ip4/10.0.0.1/tcp/1/http",
            "/ip4/10.0.0.1/tcp/1/tls",
            "/dns4/example.org",
            "/dnsaddr/example.org/tcp/1",
            "/dns4/a.example\r\nHost: b/tcp/1",
            "/dns4/a b/tcp/1",
            "10.0.0.1:1",
            "",
        ];
        for text in bad {
            assert_eq!(dialable(text, None), None, "{text}");
        }
        assert_eq!(dialable(&format!("/ip4/10.0.0.1/tcp/1/{}", "x".repeat(limits::ADDRESS)), None), None);
        assert!(dialable("/ip4/10.0.0.1/tcp/1", None).is_some());
        assert!(dialable("/ip6/2001:db8::1/udp/1/quic-v1", None).is_some());
        for text in ["/ip4/10.0.0.1/tcp/1/ws", "/dns4/example.org/tcp/443/tls/ws", "/dns/example.org/tcp/443/wss"] {
            assert_eq!(dialable(text, None), Some(parsed(text)));
        }
    }

    #[test]
    fn a_circuit_leads_through_one_relay_to_a_peer_that_is_known() {
        let (bob, relay) = (PeerId::random(), PeerId::random());
        let circuit = format!("/ip4/10.0.0.1/udp/1/quic-v1/p2p/{relay}/p2p-circuit");
        assert_eq!(dialable(&circuit, Some(&bob)), Some(parsed(&circuit)));
        assert_eq!(dialable(&format!("{circuit}/p2p/{bob}"), Some(&bob)), Some(parsed(&circuit)));
        assert_eq!(super::circuit(&parsed(&circuit)), Some((relay, parsed("/ip4/10.0.0.1/udp/1/quic-v1"))));
        let bad = [
            dialable(&circuit, None),
            dialable(&circuit, Some(&relay)),
            dialable(&format!("{circuit}/p2p/{relay}"), Some(&bob)),
            dialable(&format!("/p2p/{relay}/p2p-circuit"), Some(&bob)),
            dialable("/ip4/10.0.0.1/udp/1/quic-v1/p2p-circuit", Some(&bob)),
            dialable(&format!("/ip6/fe80::1/tcp/1/p2p/{relay}/p2p-circuit"), Some(&bob)),
            dialable(&format!("{circuit}/p2p/{bob}/p2p-circuit"), Some(&bob)),
        ];
        assert!(bad.iter().all(Option::is_none), "{bad:?}");
    }

    #[test]
    fn a_peer_at_the_end_must_be_the_one_that_is_meant() {
        let (alice, mallory) = (PeerId::random(), PeerId::random());
        let address = format!("/ip4/10.0.0.1/tcp/1/p2p/{alice}");
        assert_eq!(dialable(&address, Some(&alice)), Some(parsed("/ip4/10.0.0.1/tcp/1")));
        assert_eq!(dialable(&address, Some(&mallory)), None);
        assert_eq!(dialable(&address, None), Some(parsed("/ip4/10.0.0.1/tcp/1")));
    }

    #[test]
    fn private_addresses_are_the_lan() {
        for text in ["/ip4/192.168.1.2/tcp/1", "/ip4/127.0.0.1/tcp/1", "/ip6/fd00::1/udp/1/quic-v1"] {
            assert_eq!(path(&parsed(text)), Path::Lan, "{text}");
        }
        assert_eq!(path(&parsed("/ip4/93.184.216.34/tcp/1")), Path::Direct);
        let circuit = format!("/p2p/{}/p2p-circuit", PeerId::random());
        assert_eq!(path(&parsed(&circuit)), Path::Relayed);
    }

    #[test]
    fn an_ipv6_network_is_one_origin() {
        let of = |text: &str| Origin::of(&parsed(text));
        assert_eq!(of("/ip6/2001:db8::1/tcp/1"), of("/ip6/2001:db8::2/udp/2/quic-v1"));
        assert_ne!(of("/ip6/2001:db8:0:1::1/tcp/1"), of("/ip6/2001:db8::1/tcp/1"));
        assert_ne!(of("/ip4/10.0.0.1/tcp/1"), of("/ip4/10.0.0.2/tcp/1"));
    }

    #[test]
    fn transport_ids_and_peer_ids_are_the_same_bytes() {
        let peer = PeerId::random();
        assert_eq!(peer_id(&transport_id(&peer)), Some(peer));
        assert_eq!(peer_id(&TransportId::new([1, 2, 3]).unwrap()), None);
    }
}
