//! What others may reach us at. Addresses come and go in bursts, so a change is told when the
//! burst is over.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use libp2p::Multiaddr;
use pairwave_wire::limits;

use crate::net::address;
use crate::net::interfaces::Interfaces;

/// How long a burst may last.
const BURST: Duration = Duration::from_millis(50);
/// Most addresses from further away that are told.
const BEYOND: usize = 10;

/// What has changed, to tell.
#[derive(Debug, PartialEq, Eq)]
pub struct Change {
    /// For others, the best first.
    pub addresses: Vec<Multiaddr>,
    /// Of these, what the local network may be shown.
    pub shown: BTreeSet<Multiaddr>,
    /// This machine has gained or lost an address, or an interface went down or came up again, which
    /// others need not notice. The first time does not count.
    pub moved: bool,
}

/// The addresses that our listeners have, and those that lead to us from further away.
#[derive(Debug, Default)]
pub struct Listening {
    all: BTreeSet<Multiaddr>,
    /// Confirmed or mapped by others, and circuits; the best first.
    beyond: Vec<Multiaddr>,
    told: Option<Vec<Multiaddr>>,
    /// Of these, our own.
    local: Vec<Multiaddr>,
    /// Link-local addresses, which are told to nobody. Each interface that is up has one; an IPv4 address
    /// stays where the cable is out, and tells nothing when it is back.
    up: BTreeSet<IpAddr>,
    settles: Option<Instant>,
}

impl Listening {
    pub fn added(&mut self, address: Multiaddr, now: Instant) {
        self.all.insert(address);
        self.settles.get_or_insert(now + BURST);
    }

    pub fn removed(&mut self, address: &Multiaddr, now: Instant) {
        self.all.remove(address);
        self.settles.get_or_insert(now + BURST);
    }

    /// Replaces the addresses that lead to us from further away.
    pub fn set_beyond(&mut self, beyond: Vec<Multiaddr>, now: Instant) {
        if self.beyond != beyond {
            self.beyond = beyond;
            self.settles.get_or_insert(now + BURST);
        }
    }

    /// When to poll again.
    pub fn due(&self) -> Option<Instant> {
        self.settles
    }

    pub fn is_ours(&self, address: &Multiaddr) -> bool {
        self.all.contains(address)
    }

    pub fn addresses(&self) -> &[Multiaddr] {
        self.told.as_deref().unwrap_or_default()
    }

    /// The change, when a burst is over and made a difference to others or to the ways out of here.
    pub fn poll(&mut self, interfaces: &Interfaces, now: Instant) -> Option<Change> {
        self.settles.take_if(|settles| *settles <= now)?;
        let shown: BTreeSet<Multiaddr> = self.all.iter().filter(|all| is_used(all, interfaces)).cloned().collect();
        let mut local: Vec<Multiaddr> =
            shown.iter().chain(self.all.iter().filter(|all| is_loopback(all))).cloned().collect();
        local.sort_by_key(worth);
        let beyond = self.beyond.iter().filter(|beyond| !local.contains(beyond)).take(BEYOND);
        let beyond: Vec<Multiaddr> = beyond.cloned().collect();
        local.truncate(limits::ADDRESSES - beyond.len());
        let first = self.told.is_none();
        let up = self.all.iter().filter_map(address::ip).filter(|ip| address::is_link_local(ip) && interfaces.uses(ip));
        let up: BTreeSet<IpAddr> = up.collect();
        let moved = !first && (self.local != local || self.up != up);
        // Loopback stays last.
        let near = local.partition_point(|address| !is_loopback(address));
        let addresses = [&local[..near], &beyond, &local[near..]].concat();
        self.local = local;
        self.up = up;
        if !moved && self.told.as_ref() == Some(&addresses) {
            return None;
        }
        self.told = Some(addresses.clone());
        Some(Change { addresses, shown, moved })
    }
}

fn is_used(address: &Multiaddr, interfaces: &Interfaces) -> bool {
    address::ip(address).is_some_and(|ip| interfaces.uses(&ip) && !address::is_link_local(&ip))
}

fn is_loopback(address: &Multiaddr) -> bool {
    address::ip(address).is_some_and(|ip| ip.is_loopback())
}

/// Smaller is better. Loopback serves companions on the same machine only, so it comes last.
fn worth(address: &Multiaddr) -> (bool, bool, bool) {
    let is_v6 = matches!(address::ip(address), Some(IpAddr::V6(_)));
    (is_loopback(address), is_v6, !address::is_quic(address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::interfaces::Interface;

    fn interfaces() -> Interfaces {
        let interface = |name: &str, ip: &str| Interface { name: name.into(), ip: ip.parse().unwrap(), prefix: 16 };
        let mut interfaces = Interfaces::new(Vec::new());
        interfaces.choose(vec![
            interface("wlan0", "192.168.1.20"),
            interface("wlan0", "2001:db8::20"),
            interface("wlan0", "fe80::20"),
            interface("docker0", "172.17.0.1"),
        ]);
        interfaces
    }

    fn parsed(text: &str) -> Multiaddr {
        text.parse().unwrap()
    }

    const ALL: [&str; 6] = [
        "/ip4/127.0.0.1/tcp/1",
        "/ip4/172.17.0.1/tcp/1",
        "/ip6/fe80::20/tcp/1",
        "/ip6/2001:db8::20/udp/1/quic-v1",
        "/ip4/192.168.1.20/tcp/1",
        "/ip4/192.168.1.20/udp/1/quic-v1",
    ];

    #[test]
    fn a_burst_is_told_once_with_the_best_first() {
        let mut listening = Listening::default();
        let start = Instant::now();
        for text in ALL {
            listening.added(parsed(text), start);
        }
        assert_eq!(listening.poll(&interfaces(), start), None);
        let change = listening.poll(&interfaces(), start + BURST).unwrap();
        let texts: Vec<String> = change.addresses.iter().map(Multiaddr::to_string).collect();
        assert_eq!(texts, [ALL[5], ALL[4], ALL[3], ALL[0]]);
        assert!(!change.moved && !change.shown.contains(&parsed(ALL[0])) && change.shown.len() == 3);
        assert_eq!(listening.due(), None);
    }

    #[test]
    fn what_others_do_not_notice_is_no_change() {
        let mut listening = Listening::default();
        let start = Instant::now();
        listening.added(parsed(ALL[4]), start);
        assert!(!listening.poll(&interfaces(), start + BURST).unwrap().moved);
        listening.added(parsed(ALL[1]), start);
        assert_eq!(listening.poll(&interfaces(), start + BURST), None);
        listening.removed(&parsed(ALL[4]), start);
        let change = listening.poll(&interfaces(), start + BURST).unwrap();
        assert!(change.moved && change.addresses.is_empty());
    }

    #[test]
    fn an_interface_that_goes_and_comes_is_a_move_although_its_address_stays() {
        let mut listening = Listening::default();
        let start = Instant::now();
        for text in ALL {
            listening.added(parsed(text), start);
        }
        let before = listening.poll(&interfaces(), start + BURST).unwrap();
        listening.removed(&parsed(ALL[2]), start);
        let down = listening.poll(&interfaces(), start + BURST).unwrap();
        assert!(down.moved && down.addresses == before.addresses);
        listening.added(parsed(ALL[2]), start);
        assert!(listening.poll(&interfaces(), start + BURST).unwrap().moved);
        listening.added(parsed("/ip6/fe80::99/tcp/1"), start);
        assert_eq!(listening.poll(&interfaces(), start + BURST), None, "a container was started");
    }

    #[test]
    fn a_circuit_comes_after_our_own_addresses_and_is_no_move() {
        let circuit = parsed(&format!("{}/p2p/{}/p2p-circuit", ALL[5], libp2p::PeerId::random()));
        let mut listening = Listening::default();
        let start = Instant::now();
        for text in ALL {
            listening.added(parsed(text), start);
        }
        listening.poll(&interfaces(), start + BURST).unwrap();
        listening.set_beyond(vec![circuit.clone(), parsed(ALL[5])], start);
        let change = listening.poll(&interfaces(), start + BURST).unwrap();
        assert_eq!(change.addresses[3..], [circuit, parsed(ALL[0])]);
        assert!(!change.moved);
        listening.set_beyond(Vec::new(), start);
        assert!(!listening.poll(&interfaces(), start + BURST).unwrap().moved);
    }
}
