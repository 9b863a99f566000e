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
    address.iter().find_map(|part| ip_of(&part))
}

/// Where a call to the address leads, if it is nothing but an IP address, a port and perhaps a
/// peer: of longer ones, transports differ in which part they take.
pub fn direct(address: &Multiaddr) -> Option<IpAddr> {
    let mut parts = address.iter();
    let ip = ip_of(&parts.next()?)?;
    let is_sound = match parts.next()? {
        Protocol::Tcp(_) => true,
        Protocol::Udp(_) => parts.next() == Some(Protocol::QuicV1),
        _ => false,
    };
    let ends = matches!(parts.next(), None | Some(Protocol::P2p(_))) && parts.next().is_none();
    (is_sound && ends).then_some(ip)
}

/// Whether the address is one of the open Internet.
pub fn is_global(ip: IpAddr) -> bool {
    reach_of(ip) == Reach::Anywhere && !is_special(ip)
}

fn ip_of(part: &Protocol<'_>) -> Option<IpAddr> {
    match *part {
        Protocol::Ip4(ip) => Some(ip.into()),
        Protocol::Ip6(ip) => Some(ip.to_ipv4_mapped().map_or(IpAddr::V6(ip), IpAddr::V4)),
        _ => None,
    }
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

/// Ranges that are set aside, or lead on to an IPv4 address that may be anyone's. They may be told
/// all the same: laboratories use some of them as their Internet.
fn is_special(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => match ip.octets() {
            [0 | 240.., ..] | [192, 0, 0, _] => true,
            [198, second, ..] => second & 0xfe == 18,
            _ => false,
        },
        IpAddr::V6(ip) => match ip.segments() {
            // IPv4-compatible, NAT64, 6to4 and site-local.
            [0, 0, 0, 0, 0, 0, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] | [0x2002, ..] => true,
            [first, ..] => first & 0xffc0 == 0xfec0,
        },
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
    fn what_is_set_aside_is_not_of_the_open_internet() {
        let is_global = |text: &str| is_global(text.parse().unwrap());
        for aside in ["0.1.2.3", "192.0.0.8", "198.18.0.1", "198.19.255.1", "240.0.0.1", "255.255.255.255"] {
            assert!(!is_global(aside), "{aside}");
        }
        for aside in ["64:ff9b::808:808", "2002:a00:1::1", "fec0::1", "fe80::1", "fd00::1", "::1", "::a00:1"] {
            assert!(!is_global(aside), "{aside}");
        }
        for open in ["8.8.8.8", "192.0.1.1", "198.17.0.1", "198.20.0.1", "223.1.1.1", "2600::1"] {
            assert!(is_global(open), "{open}");
        }
        assert_eq!(told(&["/ip4/198.18.0.1/tcp/1"]), ["/ip4/198.18.0.1/tcp/1"]);
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
