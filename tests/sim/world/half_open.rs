//! Links of which the two sides do not think the same: one whose bytes go one way only, and one that
//! only one side believes in.

use pairwave_core::input::{Input, LinkId};

use super::{At, World, pair, transport};

/// What does not get through, and to whom.
pub struct Stuck {
    to: At,
    input: Input,
}

impl World {
    /// From now on nothing of what `from` sends reaches `to`, and neither side is told.
    pub fn mute(&mut self, from: At, to: At) {
        self.network.mute.insert((from, to));
    }

    /// Everybody reaches everybody again. What got stuck comes late, as long as somebody waits for it.
    pub fn unmute(&mut self) {
        self.network.mute.clear();
        for Stuck { to, input } in std::mem::take(&mut self.network.stuck) {
            self.later(to, 1, input);
        }
    }

    /// The connection of these two is gone, and `at` is not told.
    pub fn forget_connection(&mut self, gone: At, at: At) {
        if !self.network.connections.remove(&pair(gone, at)) {
            return;
        }
        for (end, link) in self.streams_between(gone, at) {
            self.network.streams.remove(&(end, link));
            if end == at {
                self.network.dangling.insert((end, link), gone);
            } else {
                self.later(end, 1, Input::Closed { link });
            }
        }
        self.network.believed.insert((at, gone));
        self.later(gone, 2, Input::Disconnected { peer: transport(at) });
    }

    /// The power fails, and nobody is told.
    pub fn vanish(&mut self, at: At) {
        for other in (0..self.machines.len()).filter(|other| *other != at) {
            self.forget_connection(at, other);
        }
        self.power_off(at);
    }

    /// A companion closes its connection to one that does not answer, which hears of it if it can.
    pub(super) fn drop_connection(&mut self, at: At, other: At) {
        self.disbelieve(at, other);
        if self.network.mute.contains(&(at, other)) {
            self.forget_connection(at, other);
        } else {
            self.hang_up(at, other);
        }
    }

    /// Nothing is left of what this machine believed of others, nor of what was on its way to it.
    pub(super) fn forget_beliefs(&mut self, at: At) {
        self.network.dangling.retain(|(end, _), _| *end != at);
        self.network.believed.retain(|(end, _)| *end != at);
        self.network.stuck.retain(|stuck| stuck.to != at);
    }

    /// Brings it there, or keeps it where bytes go one way only.
    pub(super) fn pass(&mut self, from: At, to: At, delay: u64, input: Input) {
        if self.network.mute.contains(&(from, to)) {
            self.network.stuck.push(Stuck { to, input });
        } else {
            self.later(to, delay, input);
        }
    }

    /// Sends on a stream that is gone at the other side: it is taken, and never arrives.
    pub(super) fn send_into_nothing(&mut self, at: At, link: LinkId) {
        if self.network.dangling.contains_key(&(at, link)) {
            self.later(at, 1, Input::Sent { link });
        }
    }

    /// One side gives up what it believed of the other.
    pub(super) fn disbelieve(&mut self, at: At, other: At) {
        let mine = |(end, _): &&(At, LinkId), with: &At| end == &at && *with == other;
        let ends = self.network.dangling.iter().filter(|(end, with)| mine(end, with));
        for (end, link) in ends.map(|(end, _)| *end).collect::<Vec<_>>() {
            self.network.dangling.remove(&(end, link));
            self.tell(end, 1, Input::Closed { link });
        }
        if self.network.believed.remove(&(at, other)) {
            self.later(at, 2, Input::Disconnected { peer: transport(other) });
        }
    }

    pub(super) fn is_mute(&self, a: At, b: At) -> bool {
        self.network.mute.contains(&(a, b)) || self.network.mute.contains(&(b, a))
    }
}
