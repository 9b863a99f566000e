//! How fast guests may ask for something: token buckets per peer and per address.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use libp2p::PeerId;

/// Guests that are remembered, of either kind.
const REMEMBERED: usize = 16_384;
/// As much more is for those who hold a token.
const HOLDER: f64 = 4.0;
/// What one companion may ask of mailbox and lookup, and as many may share an address.
const REQUESTS: Allowance = Allowance { at_once: 4096.0, a_second: 50.0, sharing: 8.0 };
const BYTES: Allowance = Allowance { at_once: 64.0 * MIB, a_second: MIB, sharing: 8.0 };
const MIB: f64 = 1024.0 * 1024.0;

/// What a peer may take at once, how fast that comes back, and how many peers may share an address.
#[derive(Debug, Clone, Copy)]
pub struct Allowance {
    pub at_once: f64,
    pub a_second: f64,
    pub sharing: f64,
}

/// One kind of thing that is taken.
#[derive(Debug, Default)]
pub struct Buckets {
    peers: HashMap<PeerId, Level>,
    addresses: HashMap<IpAddr, Level>,
}

/// Requests to mailbox and lookup, and the bytes that they leave.
#[derive(Debug, Default)]
pub struct Rates {
    requests: Buckets,
    bytes: Buckets,
}

/// What is left, as a part of the whole: 0 to 1.
#[derive(Debug, Clone, Copy)]
struct Level {
    left: f64,
    at: Instant,
}

impl Allowance {
    /// For who holds a token, or does not.
    pub fn of(self, holds: bool) -> Self {
        let times = if holds { HOLDER } else { 1.0 };
        Self { at_once: self.at_once * times, a_second: self.a_second * times, ..self }
    }

    fn of_address(self) -> Self {
        Self { at_once: self.at_once * self.sharing, a_second: self.a_second * self.sharing, ..self }
    }
}

impl Rates {
    /// Takes one request that leaves so many bytes; `false` if that is too much.
    pub fn take(&mut self, peer: PeerId, ip: Option<IpAddr>, holds: bool, bytes: usize, now: Instant) -> bool {
        self.requests.take(peer, ip, 1.0, REQUESTS.of(holds), now)
            && self.bytes.take(peer, ip, bytes as f64, BYTES.of(holds), now)
    }
}

impl Buckets {
    /// Takes so much; `false` if it is not there. Guests that come through a proxy on this machine have
    /// no address of their own.
    pub fn take(&mut self, peer: PeerId, ip: Option<IpAddr>, amount: f64, allowance: Allowance, now: Instant) -> bool {
        let ip = ip.filter(|ip| !ip.is_loopback());
        take(&mut self.peers, peer, amount, allowance, now)
            && ip.is_none_or(|ip| take(&mut self.addresses, network(ip), amount, allowance.of_address(), now))
    }
}

fn take<K: Eq + Hash + Copy>(
    levels: &mut HashMap<K, Level>,
    key: K,
    amount: f64,
    allowance: Allowance,
    now: Instant,
) -> bool {
    if levels.len() >= REMEMBERED && !levels.contains_key(&key) {
        forget(levels, allowance, now);
    }
    let level = levels.entry(key).or_insert(Level { left: 1.0, at: now });
    let seconds = now.saturating_duration_since(level.at).as_secs_f64();
    let left = (level.left + seconds * allowance.a_second / allowance.at_once).min(1.0);
    let after = left - amount / allowance.at_once;
    // Fractions of one that were lost on the way count for nothing.
    let is_there = after > -0.5 / allowance.at_once;
    *level = Level { left: if is_there { after.max(0.0) } else { left }, at: now };
    is_there
}

/// Forgets those whose bucket is full again, and if that is not enough, who has not come for longest.
fn forget<K: Eq + Hash + Copy>(levels: &mut HashMap<K, Level>, allowance: Allowance, now: Instant) {
    let full_again = Duration::from_secs_f64(allowance.at_once / allowance.a_second);
    levels.retain(|_, level| now.saturating_duration_since(level.at) < full_again);
    if levels.len() >= REMEMBERED {
        let oldest = levels.iter().min_by_key(|(_, level)| level.at).map(|(key, _)| *key);
        oldest.map(|oldest| levels.remove(&oldest));
    }
}

/// An IPv6 customer has a /64 at least.
pub fn network(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from(u128::from(ip) & !u128::from(u64::MAX))),
        ip => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(rates: &mut Rates, peer: PeerId, ip: &str, holds: bool, bytes: usize, now: Instant) -> usize {
        let ip = Some(ip.parse().unwrap());
        (0..100_000).take_while(|_| rates.take(peer, ip, holds, bytes, now)).count()
    }

    #[test]
    fn a_guest_may_ask_a_lot_at_once_but_not_go_on_so() {
        let (mut rates, now, peer) = (Rates::default(), Instant::now(), PeerId::random());
        assert_eq!(taken(&mut rates, peer, "10.0.0.1", false, 0, now), REQUESTS.at_once as usize);
        let later = now + Duration::from_secs(1);
        assert_eq!(taken(&mut rates, peer, "10.0.0.1", false, 0, later), REQUESTS.a_second as usize);
    }

    #[test]
    fn bytes_count_too_and_a_token_gives_more() {
        let (mut rates, now) = (Rates::default(), Instant::now());
        let size = 256 * 1024;
        let stranger = taken(&mut rates, PeerId::random(), "10.0.0.1", false, size, now);
        let holder = taken(&mut rates, PeerId::random(), "10.0.0.2", true, size, now);
        assert_eq!((stranger, holder), (256, 1024));
    }

    #[test]
    fn an_address_is_shared_by_all_its_peers() {
        let (mut rates, now) = (Rates::default(), Instant::now());
        let mut of_ten = |ip: &dyn Fn(u16) -> String| -> Vec<usize> {
            (0..10).map(|number| taken(&mut rates, PeerId::random(), &ip(number), false, 1 << 18, now)).collect()
        };
        let in_one_home = of_ten(&|number| format!("2001:db8::{number:x}"));
        assert_eq!((&in_one_home[..8], &in_one_home[8..]), (&[256; 8][..], &[0; 2][..]));
        let behind_a_proxy = of_ten(&|_| "127.0.0.1".into());
        assert_eq!(behind_a_proxy, [256; 10], "a proxy on this machine stands for many");
    }

    #[test]
    fn guests_are_forgotten() {
        let (mut rates, now) = (Rates::default(), Instant::now());
        for _ in 0..REMEMBERED + 10 {
            rates.take(PeerId::random(), None, false, 0, now);
        }
        assert_eq!(rates.requests.peers.len(), REMEMBERED);
        rates.take(PeerId::random(), None, false, 0, now + Duration::from_secs(3600));
        assert_eq!(rates.requests.peers.len(), 1);
    }
}
