//! A home that was restored from an older copy takes its later events back before it writes: else it
//! would say two things in one place.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::id::MemberId;
use crate::time::Timestamp;

/// How long a member is waited for that told of more of ours than is here, is there, and brings none of it.
/// Its word alone must not keep anybody from writing for ever.
const PATIENCE: Duration = Duration::from_secs(10 * 60);
/// How long one is waited for that told the same and went away.
const ABSENCE: Duration = Duration::from_secs(60 * 60);

/// What is known elsewhere of our own events.
#[derive(Debug, Default)]
pub(crate) struct Recovery {
    /// Our seq as far as the marker outside of the store knows it.
    marker: u64,
    /// What members told since the start.
    told: BTreeMap<MemberId, Told>,
}

#[derive(Debug)]
struct Told {
    own_seq: u64,
    /// How many of ours were here when the waiting began.
    began_at: Option<u64>,
    /// Since when it is more than is here, or since when nothing of it came.
    since: Timestamp,
    /// How long of that they were there, up to when they came last, and when that was.
    there: Duration,
    came: Option<Timestamp>,
}

impl Recovery {
    pub fn new(marker: u64) -> Self {
        Self { marker, told: BTreeMap::new() }
    }

    /// Does the marker know of more than is `here`?
    pub fn is_behind(&self, here: u64) -> bool {
        self.marker > here
    }

    /// A member told up to which seq it has our events; `here` they go so far.
    pub fn told(&mut self, member: MemberId, own_seq: u64, here: u64, now: Timestamp) {
        let new = || Told { own_seq: 0, began_at: None, since: now, there: Duration::ZERO, came: None };
        let told = self.told.entry(member).or_insert_with(new);
        told.came.get_or_insert(now);
        // Who takes back what it told, and tells it once more, is not waited for anew.
        if own_seq > here && told.own_seq <= here && told.began_at != Some(here) {
            told.began_at = Some(here);
            told.begin(now);
        }
        told.own_seq = own_seq;
    }

    /// A member is away.
    pub fn left(&mut self, member: &MemberId, now: Timestamp) {
        if let Some(told) = self.told.get_mut(member) {
            told.there = told.there(now);
            told.came = None;
        }
    }

    /// Some of our own events came back.
    pub fn came_back(&mut self, now: Timestamp) {
        self.told.values_mut().for_each(|told| told.begin(now));
    }

    /// How many of our events are missing here that one of the `others` brings, or may bring for all
    /// that we know.
    pub fn missing(&self, here: u64, others: impl Iterator<Item = MemberId>, now: Timestamp) -> u64 {
        let (mut own_seq, mut hope) = (self.marker, false);
        for other in others {
            match self.told.get(&other) {
                None => hope = true,
                Some(told) if told.own_seq > here && told.is_worth_waiting_for(now) => {
                    (own_seq, hope) = (own_seq.max(told.own_seq), true);
                }
                Some(_) => (),
            }
        }
        if hope { own_seq.saturating_sub(here) } else { 0 }
    }
}

impl Told {
    /// The waiting begins now.
    fn begin(&mut self, now: Timestamp) {
        self.since = now;
        self.there = Duration::ZERO;
        self.came = self.came.map(|_| now);
    }

    fn there(&self, now: Timestamp) -> Duration {
        self.there + self.came.map_or(Duration::ZERO, |came| now.since(came))
    }

    fn is_worth_waiting_for(&self, now: Timestamp) -> bool {
        self.there(now) < PATIENCE && now.since(self.since) < ABSENCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{ALICE, MALLORY};

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    fn missing(recovery: &Recovery, here: u64, now: Timestamp) -> u64 {
        recovery.missing(here, [ALICE, MALLORY].into_iter(), now)
    }

    #[test]
    fn what_the_marker_or_a_member_knows_is_waited_for() {
        let mut recovery = Recovery::new(7);
        assert_eq!((missing(&recovery, 2, NOW), missing(&recovery, 7, NOW)), (5, 0));
        recovery.told(MALLORY, 2, 2, NOW);
        assert_eq!(missing(&recovery, 2, NOW), 5, "alice may have it");
        recovery.told(ALICE, 7, 2, NOW);
        assert_eq!(missing(&recovery, 2, NOW), 5, "alice has it");
        assert_eq!(missing(&recovery, 7, NOW), 0);
        recovery.told(ALICE, 2, 2, NOW);
        assert_eq!(missing(&recovery, 2, NOW), 0, "nobody has it");
    }

    #[test]
    fn who_claims_to_have_more_and_brings_nothing_is_not_waited_for_without_end() {
        let mut recovery = Recovery::new(2);
        recovery.told(ALICE, 2, 2, NOW);
        recovery.told(MALLORY, u64::MAX, 2, NOW);
        assert_eq!(missing(&recovery, 2, NOW), u64::MAX - 2);
        recovery.told(MALLORY, u64::MAX - 1, 2, NOW + PATIENCE / 2);
        assert_eq!(missing(&recovery, 2, NOW + PATIENCE), 0);
        assert_eq!(recovery.missing(2, [ALICE].into_iter(), NOW), 0, "mallory is no member any more");
    }

    #[test]
    fn who_tells_and_goes_away_is_waited_for_longer_but_not_without_end() {
        let mut recovery = Recovery::new(2);
        recovery.told(ALICE, 2, 2, NOW);
        recovery.told(MALLORY, 9, 2, NOW);
        let gone = NOW + PATIENCE / 2;
        recovery.left(&MALLORY, gone);
        let back = gone + 3 * PATIENCE;
        assert_eq!(missing(&recovery, 2, back), 7);
        recovery.told(MALLORY, 9, 2, back);
        assert_eq!(missing(&recovery, 2, back + PATIENCE / 4), 7);
        assert_eq!(missing(&recovery, 2, back + PATIENCE / 2), 0, "mallory had its time");
        recovery.came_back(back);
        recovery.left(&MALLORY, back);
        assert_eq!((missing(&recovery, 2, back + PATIENCE), missing(&recovery, 2, back + ABSENCE)), (7, 0));
    }

    #[test]
    fn who_takes_it_back_and_tells_it_once_more_gains_no_time() {
        let mut recovery = Recovery::new(2);
        recovery.told(ALICE, 2, 2, NOW);
        recovery.told(MALLORY, 9, 2, NOW);
        recovery.told(MALLORY, 2, 2, NOW + PATIENCE / 2);
        recovery.told(MALLORY, 9, 2, NOW + PATIENCE / 2);
        assert_eq!(missing(&recovery, 2, NOW + PATIENCE), 0);
        recovery.told(ALICE, 5, 2, NOW + 9 * PATIENCE);
        assert_eq!(missing(&recovery, 2, NOW + 9 * PATIENCE), 3, "alice learnt of it later");
    }

    #[test]
    fn who_brings_it_slowly_is_waited_for() {
        let mut recovery = Recovery::new(9);
        recovery.told(ALICE, 9, 2, NOW);
        recovery.told(MALLORY, 0, 2, NOW);
        recovery.came_back(NOW + PATIENCE / 2);
        assert_eq!(missing(&recovery, 5, NOW + PATIENCE), 4);
        assert_eq!(missing(&recovery, 5, NOW + PATIENCE + PATIENCE / 2), 0);
    }
}
