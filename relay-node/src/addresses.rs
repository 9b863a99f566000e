//! Under which addresses others reach a relay: reservations and what it prints list them.

use std::net::{IpAddr, Ipv6Addr};

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

use crate::error::RelayError;

/// Most addresses that are told: a reservation has to fit into one message.
const MOST: usize = 16;

/// How far an address carries, the furthest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    /// Names count as such: whoever writes one knows what it is for.
    Anywhere,
    Private,
    ThisMachine,
    Nowhere,
}

pub fn parse(text: &str) -> Result<Multiaddr, RelayError> {
    text.parse()
        .map_err(|error: libp2p::multiaddr::Error| RelayError::Address { address: text.into(), why: error.to_string() })
}

/// Those of the addresses listened at that carry furthest, so that nobody is told of 10.0.0.1
/// where there is a public one, and a laboratory without public ones works all the same.
pub fn to_tell(listening: &[Multiaddr]) -> Vec<Multiaddr> {
    let Some(best) = listening.iter().map(reach).min().filter(|best| *best != Reach::Nowhere) else {
        return Vec::new();
    };
    listening.iter().filter(|address| reach(address) == best).take(MOST).cloned().collect()
}

/// With the relay's peer id at its end, as it is named in a room.
pub fn full(address: &Multiaddr, peer: PeerId) -> String {
    match address.iter().last() {
        Some(Protocol::P2p(_)) => address.to_string(),
        _ => address.clone().with(Protocol::P2p(peer)).to_string(),
    }
}

pub fn needs_certificate(address: &Multiaddr) -> bool {
    address.iter().any(|part| matches!(part, Protocol::Tls | Protocol::Wss(_)))
}

pub fn ip(address: &Multiaddr) -> Option<IpAddr> {
    address.iter().find_map(|part| match part {
        Protocol::Ip4(ip) => Some(ip.into()),
        Protocol::Ip6(ip) => Some(ip.to_ipv4_mapped().map_or(IpAddr::V6(ip), IpAddr::V4)),
        _ => None,
    })
}

/// Whether the address is one of the open Internet.
pub fn is_global(ip: IpAddr) -> bool {
    reach_of(ip) == Reach::Anywhere
}

fn reach(address: &Multiaddr) -> Reach {
    ip(address).map_or(Reach::Anywhere, reach_of)
}

fn reach_of(ip: IpAddr) -> Reach {
    let is_none = ip.is_unspecified() || ip.is_multicast();
    match ip {
        _ if is_none => Reach::Nowhere,
        _ if ip.is_loopback() => Reach::ThisMachine,
        IpAddr::V4(ip) if ip.is_link_local() || ip.is_broadcast() => Reach::Nowhere,
        // Carriers share 100.64.0.0/10 among their customers (RFC 6598).
        IpAddr::V4(ip) if ip.is_private() || (ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64) => Reach::Private,
        IpAddr::V6(ip) if is_link_local(ip) => Reach::Nowhere,
        IpAddr::V6(ip) if ip.segments()[0] & 0xfe00 == 0xfc00 => Reach::Private,
        _ => Reach::Anywhere,
    }
}

fn is_link_local(ip: Ipv6Addr) -> bool {
    ip.segments()[0] & 0xffc0 == 0xfe80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(addresses: &[&str]) -> Vec<String> {
        let addresses: Vec<Multiaddr> = addresses.iter().map(|text| text.parse().unwrap()).collect();
        to_tell(&addresses).iter().map(Multiaddr::to_string).collect()
    }

    #[test]
    fn the_furthest_reaching_addresses_are_told() {
        let (public, private, own) = ("/ip4/8.8.8.8/tcp/1", "/ip4/10.0.0.1/tcp/1", "/ip4/127.0.0.1/tcp/1");
        assert_eq!(told(&[own, private, public]), [public]);
        assert_eq!(told(&[own, private]), [private]);
        assert_eq!(told(&[own]), [own]);
        assert_eq!(told(&["/ip6/fe80::1/tcp/1", "/ip6/fd00::1/tcp/1"]), ["/ip6/fd00::1/tcp/1"]);
        assert!(told(&["/ip4/169.254.1.1/tcp/1"]).is_empty());
    }

    #[test]
    fn the_peer_id_is_added_once() {
        let peer = PeerId::random();
        let address: Multiaddr = "/ip4/8.8.8.8/tcp/1".parse().unwrap();
        let once = full(&address, peer);
        assert_eq!(once, format!("/ip4/8.8.8.8/tcp/1/p2p/{peer}"));
        assert_eq!(full(&once.parse().unwrap(), peer), once);
    }
}
