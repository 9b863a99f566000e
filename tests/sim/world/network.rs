//! The network: who reaches whom, streams that delay, break and end, and who sees whom.

use std::time::Duration;

use pairwave_core::input::{Input, LinkId, Protocol};
use pairwave_wire::TransportId;
use rand_core::Rng;

use super::{At, World, pair, transport};
use crate::fault::Fault;

impl World {
    pub(super) fn dial(&mut self, at: At, peer: Option<TransportId>, addresses: &[String]) {
        let by_name = peer.as_ref().and_then(|peer| self.machine_of(peer));
        let reachable = by_name.filter(|other| addresses.contains(&self.address(*other)));
        let reachable = reachable.filter(|other| !self.network.out_of_reach.contains(other));
        let reachable = reachable.filter(|other| self.is_awake(*other) && !self.is_mute(at, *other));
        match reachable.filter(|other| *other != at && self.hears(at, *other)) {
            Some(other) => {
                if self.network.connections.insert(pair(at, other)) {
                    self.network.believed.retain(|(one, two)| pair(*one, *two) != pair(at, other));
                    self.tell(at, 2, Input::Connected { peer: transport(other), address: self.address(other) });
                    self.tell(other, 2, Input::Connected { peer: transport(at), address: self.address(at) });
                }
            }
            None => {
                if let Some(peer) = peer {
                    self.later(at, 3000, Input::Disconnected { peer });
                }
            }
        }
    }

    pub(super) fn open(&mut self, at: At, link: LinkId, peer: &TransportId, protocol: Protocol) {
        let other = self.machine_of(peer).filter(|other| self.network.connections.contains(&pair(at, *other)));
        let Some(other) = other else { return self.later(at, 1, Input::Closed { link }) };
        self.machines[other].accepted += 2;
        let theirs = LinkId(self.machines[other].accepted + 1);
        self.network.streams.insert((at, link), (other, theirs));
        self.network.streams.insert((other, theirs), (at, link));
        self.begin(at, other, theirs, Input::Accepted { link: theirs, peer: transport(at), protocol });
        self.begin(at, at, link, Input::Opened { link });
    }

    /// A stream of `from` begins at this end; no frame comes before.
    fn begin(&mut self, from: At, at: At, link: LinkId, input: Input) {
        let delay = 1 + if self.network.jumbled { self.delay() } else { 0 };
        self.network.arrivals.insert((at, link), self.now + Duration::from_millis(delay));
        self.pass(from, at, delay, input);
        if self.network.small {
            self.pass(from, at, delay, Input::Small { link });
        }
    }

    /// Tells of something, once or, on a jumbled network, twice, at some time.
    pub(super) fn tell(&mut self, at: At, delay: u64, input: Input) {
        let late = if self.network.jumbled { self.delay() } else { 0 };
        if self.network.jumbled {
            let again = late + self.delay();
            self.later(at, delay + again, input.clone());
        }
        self.later(at, delay + late, input);
    }

    fn delay(&mut self) -> u64 {
        self.rng.next_u64() % self.network.max_delay_ms.max(1)
    }

    pub(super) fn send(&mut self, at: At, link: LinkId, bytes: Vec<u8>) {
        let Some((mut other, mut theirs)) = self.network.streams.get(&(at, link)).copied() else {
            return self.send_into_nothing(at, link);
        };
        if self.machines[at].disk.has(Fault::Misdelivers) {
            let elsewhere = self.network.streams.keys().find(|(end, _)| *end != at && *end != other);
            (other, theirs) = elsewhere.copied().unwrap_or((other, theirs));
        }
        if self.network.break_one_in > 0 && self.rng.next_u64().is_multiple_of(self.network.break_one_in) {
            self.close(at, link);
            return self.later(at, 0, Input::Closed { link });
        }
        self.network.frames += 1;
        let delay = 2 + self.delay();
        let earliest = self.network.arrivals.get(&(other, theirs)).copied().unwrap_or_default();
        let arrival = earliest.max(self.now + Duration::from_millis(delay));
        self.network.arrivals.insert((other, theirs), arrival);
        let delay = u64::try_from(arrival.since(self.now).as_millis()).expect("short");
        if self.network.double_one_in > 0 && self.rng.next_u64().is_multiple_of(self.network.double_one_in) {
            self.pass(at, other, delay, Input::Frame { link: theirs, bytes: bytes.clone() });
        }
        self.pass(at, other, delay, Input::Frame { link: theirs, bytes });
        self.later(at, 1, Input::Sent { link });
    }

    /// Ends a stream after what was sent on it.
    pub(super) fn close(&mut self, at: At, link: LinkId) {
        self.network.dangling.remove(&(at, link));
        let Some((other, theirs)) = self.network.streams.remove(&(at, link)) else { return };
        self.network.streams.remove(&(other, theirs));
        if self.network.mute.contains(&(at, other)) {
            self.network.dangling.insert((other, theirs), at);
            return self.pass(at, other, 1, Input::Closed { link: theirs });
        }
        let last = self.network.arrivals.remove(&(other, theirs)).unwrap_or(self.now);
        let delay = u64::try_from(last.since(self.now).as_millis()).expect("short") + 1;
        self.tell(other, delay, Input::Closed { link: theirs });
    }

    pub(super) fn disconnect_all(&mut self, at: At) {
        for other in 0..self.machines.len() {
            self.disconnect(at, other);
        }
    }

    pub(super) fn disconnect(&mut self, a: At, b: At) {
        self.disbelieve(a, b);
        self.disbelieve(b, a);
        self.hang_up(a, b);
    }

    /// Ends what there is between two.
    pub(super) fn hang_up(&mut self, a: At, b: At) {
        if !self.network.connections.remove(&pair(a, b)) {
            return;
        }
        for end in self.streams_between(a, b) {
            self.network.streams.remove(&end);
            self.tell(end.0, 1, Input::Closed { link: end.1 });
        }
        self.later(a, 2, Input::Disconnected { peer: transport(b) });
        self.later(b, 2, Input::Disconnected { peer: transport(a) });
    }

    pub(super) fn streams_between(&self, a: At, b: At) -> Vec<(At, LinkId)> {
        let between = |((x, _), (y, _)): &(&(At, LinkId), &(At, LinkId))| pair(*x, *y) == pair(a, b);
        self.network.streams.iter().filter(between).map(|(end, _)| *end).collect()
    }

    /// Where a machine is now.
    pub(super) fn address(&self, at: At) -> String {
        format!("/ip4/10.{}.0.{at}/tcp/4000", self.network.moves.get(&at).unwrap_or(&0))
    }

    /// Machines go to other networks, all at once: their connections end, and their addresses are others.
    pub fn move_away(&mut self, machines: &[At]) {
        for at in machines {
            self.disconnect_all(*at);
            *self.network.moves.entry(*at).or_default() += 1;
        }
        for at in machines {
            let addresses = vec![self.address(*at)];
            self.feed(*at, Input::Listening { addresses });
            self.feed(*at, Input::NetworkChanged);
            self.announce(*at);
        }
    }

    pub fn announce_all(&mut self) {
        for at in 0..self.machines.len() {
            self.announce(at);
        }
    }

    /// mDNS: everybody who hears this machine sees it, and it sees them.
    pub(super) fn announce(&mut self, at: At) {
        if self.network.without_mdns {
            return;
        }
        for other in (0..self.machines.len()).filter(|other| *other != at) {
            let apart = [at, other].iter().any(|end| self.network.out_of_reach.contains(end));
            if !apart && self.hears(at, other) && self.is_awake(at) && self.is_awake(other) && !self.is_mute(at, other)
            {
                self.tell(other, 5, Input::Found { peer: transport(at), addresses: vec![self.address(at)] });
                self.tell(at, 5, Input::Found { peer: transport(other), addresses: vec![self.address(other)] });
            }
        }
    }

    pub(super) fn hears(&self, a: At, b: At) -> bool {
        self.network.groups.get(&a) == self.network.groups.get(&b)
    }
}
