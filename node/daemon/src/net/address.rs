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
/// `None` when it cannot be dialled: link-local addresses lack the interface, circuits need a relay.
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
    let leads_somewhere = ip(&address).is_some_and(|ip| !ip.is_unspecified() && !is_link_local(&ip));
    (leads_somewhere && (is_quic(&address) || is_tcp(&address))).then_some(address)
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

/// Exactly `/ip…/udp/…/quic-v1`.
pub fn is_quic(address: &Multiaddr) -> bool {
    let mut parts = address.iter().skip(1);
    matches!((parts.next(), parts.next(), parts.next()), (Some(Protocol::Udp(_)), Some(Protocol::QuicV1), None))
}

/// Exactly `/ip…/tcp/…`.
pub fn is_tcp(address: &Multiaddr) -> bool {
    let mut parts = address.iter().skip(1);
    matches!((parts.next(), parts.next()), (Some(Protocol::Tcp(_)), None))
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

fn is_private(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_link_local() || ip.is_loopback(),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_loopback(),
    }
}

/// Where somebody comes from, as far as limits are concerned. Whoever has one IPv6 address has
/// the /64 around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin(Option<IpAddr>);

impl Origin {
    pub fn of(address: &Multiaddr) -> Self {
        Self(ip(address).map(|ip| match ip {
            IpAddr::V4(ip) => IpAddr::V4(ip),
            IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64)),
        }))
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
            "/ip4/10.0.0.1/tcp/1/ws",
            "/dns4/example.org/tcp/1",
            "10.0.0.1:1",
            "",
        ];
        for text in bad {
            assert_eq!(dialable(text, None), None, "{text}");
        }
        assert_eq!(dialable(&format!("/ip4/10.0.0.1/tcp/1/{}", "x".repeat(limits::ADDRESS)), None), None);
        assert!(dialable("/ip4/10.0.0.1/tcp/1", None).is_some());
        assert!(dialable("/ip6/2001:db8::1/udp/1/quic-v1", None).is_some());
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
