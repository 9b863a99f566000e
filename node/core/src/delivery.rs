//! How far what was said here has got: queued, sent, stored, delivered, shown, for each member apart.

use std::collections::BTreeMap;

use pairwave_wire::cbor;
use serde::{Deserialize, Serialize};

use crate::id::{EventId, MemberId};
use crate::message::Tip;
use crate::ranges::Ranges;
use crate::time::Timestamp;

/// How far an own event has got at one member. Ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Delivery {
    /// Durable here.
    Queued,
    /// Written to a link.
    Sent,
    /// Waits for the member at a relay's mailbox.
    Stored,
    /// Durable on the other machine, by its own word.
    Delivered,
    /// Given to an agent or a human there, by its companion's word.
    Shown,
}

/// What each member of one room is known to have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deliveries {
    members: BTreeMap<MemberId, Progress>,
}

/// What one member is known to have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Progress {
    /// Author → highest seq that is durable there.
    have: BTreeMap<MemberId, u64>,
    /// Which of our events were shown there, by seq.
    shown: Ranges,
    /// Up to which seq our events wait in letters, or did.
    #[serde(default)]
    stored: u64,
    /// The identity key of the ratchet that those letters are for.
    #[serde(default)]
    reader: Option<[u8; 32]>,
    /// The epoch that the last link to the member began in: both hold the same key of it.
    #[serde(default)]
    epoch: Option<EventId>,
    /// When a link to the member was last up.
    last_seen: Option<Timestamp>,
    /// Our highest seq that was written to a link. A restart begins anew, with the link.
    #[serde(skip)]
    sent: u64,
}

impl Deliveries {
    /// Reads what [`Self::encode`] wrote; starts anew from anything else, for links tell it again.
    pub fn decode(bytes: &[u8]) -> Self {
        cbor::decode(bytes, usize::MAX).unwrap_or_default()
    }

    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(self).expect("integers and bytes always encode")
    }

    /// The member told what is durable there. Only of authors that the room knows: else whoever makes
    /// up others fills our memory.
    pub fn have(&mut self, member: MemberId, tips: impl IntoIterator<Item = Tip>) {
        let progress = self.members.entry(member).or_default();
        for tip in tips {
            let seq = progress.have.entry(tip.author).or_default();
            *seq = tip.seq.max(*seq);
        }
    }

    /// Forgets everybody whom the room does not know.
    pub fn retain(&mut self, knows: impl Fn(&MemberId) -> bool) {
        self.members.retain(|member, _| knows(member));
        for progress in self.members.values_mut() {
            progress.have.retain(|author, _| knows(author));
        }
    }

    /// Our event was written to a link to the member.
    pub fn sent(&mut self, member: MemberId, seq: u64) {
        let progress = self.members.entry(member).or_default();
        progress.sent = progress.sent.max(seq);
    }

    /// Our events up to this seq wait for the member at a mailbox.
    pub fn stored(&mut self, member: MemberId, seq: u64) {
        let progress = self.members.entry(member).or_default();
        progress.stored = progress.stored.max(seq);
    }

    /// The member opens letters with this key. What was written for another one it cannot read.
    pub fn reads_with(&mut self, member: MemberId, identity: &[u8; 32]) {
        let progress = self.members.entry(member).or_default();
        if progress.reader.as_ref() != Some(identity) {
            progress.stored = 0;
            progress.reader = Some(*identity);
        }
    }

    /// Up to which seq of `author`, which is us, the member has our events or finds them at a mailbox.
    pub fn at_hand(&self, member: &MemberId, author: &MemberId) -> u64 {
        self.members.get(member).map_or(0, |progress| progress.has(author).max(progress.stored))
    }

    /// The member told which of our events were shown there. Says whether that is news.
    pub fn shown(&mut self, member: MemberId, shown: &Ranges) -> bool {
        self.members.entry(member).or_default().shown.merge(shown)
    }

    /// A link to the member began in this epoch.
    pub fn linked(&mut self, member: MemberId, epoch: EventId) {
        self.members.entry(member).or_default().epoch = Some(epoch);
    }

    pub fn common_epoch(&self, member: &MemberId) -> Option<EventId> {
        self.members.get(member)?.epoch
    }

    pub fn seen(&mut self, member: MemberId, now: Timestamp) {
        self.members.entry(member).or_default().last_seen = Some(now);
    }

    pub fn last_seen(&self, member: &MemberId) -> Option<Timestamp> {
        self.members.get(member)?.last_seen
    }

    /// How far the event of `author` with this seq has got at `member`.
    pub fn of(&self, member: &MemberId, author: &MemberId, seq: u64) -> Delivery {
        let Some(progress) = self.members.get(member) else { return Delivery::Queued };
        if progress.shown.contains(seq) {
            Delivery::Shown
        } else if progress.has(author) >= seq {
            Delivery::Delivered
        } else if progress.stored >= seq {
            Delivery::Stored
        } else if progress.sent >= seq {
            Delivery::Sent
        } else {
            Delivery::Queued
        }
    }

    /// How many of the events in `known` the member has not got.
    pub fn pending(&self, member: &MemberId, known: impl Iterator<Item = (MemberId, u64)>) -> u64 {
        let progress = self.members.get(member);
        known.map(|(author, seq)| seq.saturating_sub(progress.map_or(0, |progress| progress.has(&author)))).sum()
    }

    /// How many events of `author`, which is us, wait for the member at a mailbox.
    pub fn waiting(&self, member: &MemberId, author: &MemberId) -> u64 {
        self.members.get(member).map_or(0, |progress| progress.stored.saturating_sub(progress.has(author)))
    }

    /// Does the member have everything of `author` up to `seq`?
    pub fn has(&self, member: &MemberId, author: &MemberId, seq: u64) -> bool {
        self.members.get(member).is_some_and(|progress| progress.has(author) >= seq)
    }
}

impl Progress {
    fn has(&self, author: &MemberId) -> u64 {
        self.have.get(author).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: MemberId = MemberId([1; 32]);
    const BOB: MemberId = MemberId([2; 32]);

    #[test]
    fn an_event_goes_from_queued_to_shown() {
        let mut deliveries = Deliveries::default();
        assert_eq!(deliveries.of(&BOB, &ALICE, 3), Delivery::Queued);
        deliveries.sent(BOB, 3);
        assert_eq!(deliveries.of(&BOB, &ALICE, 3), Delivery::Sent);
        deliveries.have(BOB, [Tip { author: ALICE, seq: 3, id: EventId([0; 32]) }]);
        assert_eq!(deliveries.of(&BOB, &ALICE, 3), Delivery::Delivered);
        let mut shown = Ranges::default();
        shown.insert(3);
        assert!(deliveries.shown(BOB, &shown));
        assert_eq!(deliveries.of(&BOB, &ALICE, 3), Delivery::Shown);
        assert_eq!(deliveries.of(&BOB, &ALICE, 4), Delivery::Queued);
    }

    #[test]
    fn what_waits_at_a_mailbox_is_counted_until_it_has_arrived() {
        let mut deliveries = Deliveries::default();
        assert_eq!(deliveries.waiting(&BOB, &ALICE), 0);
        deliveries.have(BOB, [Tip { author: ALICE, seq: 2, id: EventId([0; 32]) }]);
        deliveries.stored(BOB, 5);
        assert_eq!(deliveries.waiting(&BOB, &ALICE), 3);
        deliveries.have(BOB, [Tip { author: ALICE, seq: 6, id: EventId([0; 32]) }]);
        assert_eq!(deliveries.waiting(&BOB, &ALICE), 0);
    }

    #[test]
    fn whom_the_room_does_not_know_is_forgotten() {
        let mut deliveries = Deliveries::default();
        let tip = |author| Tip { author, seq: 2, id: EventId([0; 32]) };
        for member in [BOB, MemberId([8; 32])] {
            deliveries.have(member, [tip(ALICE), tip(MemberId([9; 32]))]);
        }
        deliveries.retain(|member| [ALICE, BOB].contains(member));
        let mut kept = Deliveries::default();
        kept.have(BOB, [tip(ALICE)]);
        assert_eq!(deliveries, kept);
    }

    #[test]
    fn what_was_told_survives_a_restart_and_what_was_only_sent_does_not() {
        let mut deliveries = Deliveries::default();
        deliveries.have(BOB, [Tip { author: ALICE, seq: 2, id: EventId([0; 32]) }]);
        deliveries.sent(BOB, 3);
        let restarted = Deliveries::decode(&deliveries.encode());
        assert_eq!(restarted.of(&BOB, &ALICE, 2), Delivery::Delivered);
        assert_eq!(restarted.of(&BOB, &ALICE, 3), Delivery::Queued);
        assert_eq!(restarted.pending(&BOB, [(ALICE, 5)].into_iter()), 3);
    }
}
