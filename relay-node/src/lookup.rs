//! Where members say they are: sealed records under tags, in memory only.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::{Duration, Instant};

use libp2p::PeerId;
use pairwave_wire::hello::BlindedTag;
use pairwave_wire::limits;
use pairwave_wire::mailbox::RelayRefusal;

/// How long a record is kept.
const KEPT: Duration = Duration::from_secs(limits::RECORD_SECONDS);
/// Records of all companions together, and their bytes.
const RECORDS: usize = 200_000;
const BYTES: usize = 128 << 20;
/// Records of one companion: one per room and epoch that it still knows.
const PER_PEER: usize = 256;

/// All records.
#[derive(Debug, Default)]
pub struct Lookup {
    /// Of each tag, the oldest first.
    tags: HashMap<BlindedTag, VecDeque<Record>>,
    per_peer: HashMap<PeerId, usize>,
    /// One entry of each record, in the order they expire.
    due: BTreeSet<(Instant, BlindedTag, PeerId)>,
    records: usize,
    bytes: usize,
}

#[derive(Debug)]
struct Record {
    peer: PeerId,
    sealed: Vec<u8>,
    until: Instant,
}

impl Lookup {
    /// Replaces what this companion published under the tag.
    pub fn publish(&mut self, at: BlindedTag, peer: PeerId, sealed: Vec<u8>, now: Instant) -> Result<(), RelayRefusal> {
        self.expire(now);
        self.remove(&at, |record| record.peer == peer);
        if self.per_peer.get(&peer).is_some_and(|records| *records >= PER_PEER) {
            return Err(RelayRefusal::TooMuch);
        }
        if self.records >= RECORDS || self.bytes + sealed.len() > BYTES {
            return Err(RelayRefusal::RelayFull);
        }
        if self.tags.get(&at).is_some_and(|records| records.len() >= limits::RECORDS) {
            let mut is_first = true;
            self.remove(&at, |_| std::mem::take(&mut is_first));
        }
        let until = now + KEPT;
        self.records += 1;
        self.bytes += sealed.len();
        *self.per_peer.entry(peer).or_default() += 1;
        self.tags.entry(at).or_default().push_back(Record { peer, sealed, until });
        self.due.insert((until, at, peer));
        Ok(())
    }

    /// What is there under these tags, newest first, as much as one message holds.
    pub fn find(&mut self, at: &[BlindedTag], now: Instant) -> Vec<(BlindedTag, Vec<u8>)> {
        self.expire(now);
        let mut left = limits::RELAY_MESSAGE - AROUND;
        let mut found = Vec::new();
        let mut tags: Vec<&BlindedTag> = at.iter().collect();
        tags.sort();
        tags.dedup();
        for tag in tags {
            for record in self.tags.get(tag).into_iter().flatten().rev() {
                let Some(rest) = left.checked_sub(record.sealed.len() + AROUND_EACH) else { return found };
                left = rest;
                found.push((*tag, record.sealed.clone()));
            }
        }
        found
    }

    pub fn len(&self) -> usize {
        self.records
    }

    fn expire(&mut self, now: Instant) {
        while let Some((until, at, peer)) = self.due.first().copied()
            && until <= now
        {
            self.remove(&at, |record| record.peer == peer);
        }
    }

    fn remove(&mut self, at: &BlindedTag, mut which: impl FnMut(&Record) -> bool) {
        let Some(records) = self.tags.get_mut(at) else { return };
        let Some(index) = records.iter().position(&mut which) else { return };
        let record = records.remove(index).expect("it was found there");
        if records.is_empty() {
            self.tags.remove(at);
        }
        self.due.remove(&(record.until, *at, record.peer));
        self.records -= 1;
        self.bytes -= record.sealed.len();
        if let Some(count) = self.per_peer.get_mut(&record.peer) {
            *count -= 1;
            if *count == 0 {
                self.per_peer.remove(&record.peer);
            }
        }
    }
}

/// What an answer needs beside its records, and each record beside itself.
const AROUND: usize = 1024;
const AROUND_EACH: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: BlindedTag = BlindedTag([1; 32]);

    fn firsts(lookup: &mut Lookup, now: Instant) -> Vec<u8> {
        lookup.find(&[ROOM, BlindedTag([2; 32])], now).iter().map(|(_, sealed)| sealed[0]).collect()
    }

    #[test]
    fn a_companion_has_one_record_under_a_tag_and_a_tag_has_few() {
        let (mut lookup, now) = (Lookup::default(), Instant::now());
        let peers: Vec<PeerId> = (0..5).map(|_| PeerId::random()).collect();
        for (first, peer) in peers.iter().enumerate() {
            lookup.publish(ROOM, *peer, vec![first as u8], now).unwrap();
        }
        assert_eq!(firsts(&mut lookup, now), [4, 3, 2, 1]);
        lookup.publish(ROOM, peers[2], vec![7], now).unwrap();
        assert_eq!(firsts(&mut lookup, now), [7, 4, 3, 1]);
        assert_eq!((lookup.len(), lookup.per_peer.len()), (4, 4));
    }

    #[test]
    fn a_record_lives_two_hours_from_its_last_publishing() {
        let (mut lookup, start) = (Lookup::default(), Instant::now());
        let peer = PeerId::random();
        lookup.publish(ROOM, peer, vec![1], start).unwrap();
        lookup.publish(ROOM, peer, vec![2], start + KEPT / 2).unwrap();
        assert_eq!(firsts(&mut lookup, start + KEPT), [2]);
        assert_eq!(firsts(&mut lookup, start + KEPT + KEPT / 2), [0; 0]);
        assert_eq!((lookup.len(), lookup.bytes, lookup.tags.len(), lookup.due.len()), (0, 0, 0, 0));
    }

    #[test]
    fn publishing_again_and_pushing_out_leave_nothing_behind() {
        let (mut lookup, start) = (Lookup::default(), Instant::now());
        let peers: Vec<PeerId> = (0..=limits::RECORDS).map(|_| PeerId::random()).collect();
        for round in 0..100 {
            for peer in &peers {
                lookup.publish(ROOM, *peer, vec![1], start + Duration::from_secs(round)).unwrap();
            }
        }
        assert_eq!((lookup.len(), lookup.due.len()), (limits::RECORDS, limits::RECORDS));
    }

    #[test]
    fn one_companion_cannot_fill_it() {
        let (mut lookup, now) = (Lookup::default(), Instant::now());
        let mallory = PeerId::random();
        let publish = |lookup: &mut Lookup, number: usize, peer| {
            let mut tag = [0; 32];
            tag[..8].copy_from_slice(&number.to_be_bytes());
            lookup.publish(BlindedTag(tag), peer, vec![0], now)
        };
        for number in 0..PER_PEER {
            publish(&mut lookup, number, mallory).unwrap();
        }
        assert_eq!(publish(&mut lookup, PER_PEER, mallory), Err(RelayRefusal::TooMuch));
        assert_eq!(publish(&mut lookup, PER_PEER, PeerId::random()), Ok(()));
    }

    #[test]
    fn an_answer_fits_into_one_message() {
        let (mut lookup, now) = (Lookup::default(), Instant::now());
        let tags: Vec<BlindedTag> = (0..limits::MAILBOXES as u8).map(|n| BlindedTag([n; 32])).collect();
        for tag in &tags {
            for _ in 0..limits::RECORDS {
                lookup.publish(*tag, PeerId::random(), vec![0; limits::RECORD], now).unwrap();
            }
        }
        let found = lookup.find(&tags, now).into_iter().map(|(tag, sealed)| (tag, sealed.into())).collect();
        let answer = pairwave_wire::lookup::LookupAnswer::Found(found).encode();
        assert!(answer.len() <= limits::RELAY_MESSAGE && answer.len() > limits::RELAY_MESSAGE - 2 * limits::RECORD);
    }
}
