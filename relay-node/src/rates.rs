//! How much each guest may ask for.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use libp2p::PeerId;

/// Guests that are remembered, of either kind.
const REMEMBERED: usize = 16_384;
/// What one companion may ask for at once, and how fast that comes back.
const REQUESTS: f64 = 4096.0;
const REQUESTS_A_SECOND: f64 = 50.0;
const BYTES: f64 = 64.0 * 1024.0 * 1024.0;
const BYTES_A_SECOND: f64 = 1024.0 * 1024.0;
/// As many companions may share an address.
const SHARING: f64 = 8.0;
/// As much more is for those who hold a token.
const HOLDER: f64 = 4.0;

/// Token buckets per peer and per address.
#[derive(Debug, Default)]
pub struct Rates {
    peers: HashMap<PeerId, Bucket>,
    addresses: HashMap<IpAddr, Bucket>,
}

/// What is left to a guest, as parts of what it may have at most.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    requests: f64,
    bytes: f64,
    at: Instant,
}

impl Rates {
    /// Takes one request that leaves so many bytes; `false` if that is too much. Guests that come
    /// through a proxy on this machine have no address of their own.
    pub fn take(&mut self, peer: PeerId, ip: Option<IpAddr>, holds: bool, bytes: usize, now: Instant) -> bool {
        let times = if holds { HOLDER } else { 1.0 };
        let by_peer = bucket(&mut self.peers, peer, now);
        if !by_peer.has(bytes, times) {
            return false;
        }
        if let Some(ip) = ip.filter(|ip| !ip.is_loopback()) {
            let by_address = bucket(&mut self.addresses, network(ip), now);
            if !by_address.has(bytes, times * SHARING) {
                return false;
            }
            by_address.take(bytes, times * SHARING);
        }
        bucket(&mut self.peers, peer, now).take(bytes, times);
        true
    }
}

impl Bucket {
    fn new(now: Instant) -> Self {
        Self { requests: 1.0, bytes: 1.0, at: now }
    }

    fn refill(&mut self, now: Instant) {
        let seconds = now.saturating_duration_since(self.at).as_secs_f64();
        self.requests = (self.requests + seconds * REQUESTS_A_SECOND / REQUESTS).min(1.0);
        self.bytes = (self.bytes + seconds * BYTES_A_SECOND / BYTES).min(1.0);
        self.at = now;
    }

    fn has(&self, bytes: usize, times: f64) -> bool {
        self.requests * times >= 1.0 / REQUESTS && self.bytes * times >= bytes as f64 / BYTES
    }

    fn take(&mut self, bytes: usize, times: f64) {
        self.requests -= 1.0 / (REQUESTS * times);
        self.bytes -= bytes as f64 / (BYTES * times);
    }
}

/// An IPv6 customer has a /64 at least.
fn network(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from(u128::from(ip) & !u128::from(u64::MAX))),
        ip => ip,
    }
}

fn bucket<K: Eq + Hash + Copy>(buckets: &mut HashMap<K, Bucket>, key: K, now: Instant) -> &mut Bucket {
    if buckets.len() >= REMEMBERED && !buckets.contains_key(&key) {
        forget(buckets, now);
    }
    let bucket = buckets.entry(key).or_insert_with(|| Bucket::new(now));
    bucket.refill(now);
    bucket
}

/// Forgets those whose bucket is full again, and if that is not enough, who has not come for longest.
fn forget<K: Eq + Hash + Copy>(buckets: &mut HashMap<K, Bucket>, now: Instant) {
    let full_again = Duration::from_secs_f64((REQUESTS / REQUESTS_A_SECOND).max(BYTES / BYTES_A_SECOND));
    buckets.retain(|_, bucket| now.saturating_duration_since(bucket.at) < full_again);
    if buckets.len() >= REMEMBERED {
        let oldest = buckets.iter().min_by_key(|(_, bucket)| bucket.at).map(|(key, _)| *key);
        oldest.map(|oldest| buckets.remove(&oldest));
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
        assert_eq!(taken(&mut rates, peer, "10.0.0.1", false, 0, now), REQUESTS as usize);
        let later = now + Duration::from_secs(1);
        assert_eq!(taken(&mut rates, peer, "10.0.0.1", false, 0, later), REQUESTS_A_SECOND as usize);
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
        let of_one: Vec<usize> = (0..10)
            .map(|number: u16| {
                taken(&mut rates, PeerId::random(), &format!("2001:db8::{number:x}"), false, 1 << 18, now)
            })
            .collect();
        assert_eq!(of_one[..8], [256; 8]);
        assert_eq!(of_one[8..], [0; 2]);
        let at_home: Vec<usize> =
            (0..10).map(|_| taken(&mut rates, PeerId::random(), "127.0.0.1", false, 1 << 18, now)).collect();
        assert_eq!(at_home, [256; 10], "a proxy on this machine stands for many");
    }

    #[test]
    fn guests_are_forgotten() {
        let (mut rates, now) = (Rates::default(), Instant::now());
        for _ in 0..REMEMBERED + 10 {
            rates.take(PeerId::random(), None, false, 0, now);
        }
        assert_eq!(rates.peers.len(), REMEMBERED);
        rates.take(PeerId::random(), None, false, 0, now + Duration::from_secs(3600));
        assert_eq!(rates.peers.len(), 1);
    }
}
