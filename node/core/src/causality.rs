//! What an author can have known when it spoke: the ancestors of its event.

use std::collections::BTreeSet;

use crate::id::{EventId, MemberId, RoomId};
use crate::log::{Log, LogError, Record};

/// Author → highest seq among an event's ancestors and itself, sorted by author.
pub type Clock = Vec<(MemberId, u64)>;

/// Joins the clocks of an event's parents and adds the event.
pub fn join<'a>(parents: impl Iterator<Item = &'a Clock>, author: MemberId, seq: u64) -> Clock {
    let mut clock = Clock::new();
    for (member, seq) in parents.flatten().copied().chain([(author, seq)]) {
        match clock.binary_search_by_key(&member, |(of, _)| *of) {
            Ok(at) => clock[at].1 = clock[at].1.max(seq),
            Err(at) => clock.insert(at, (member, seq)),
        }
    }
    clock
}

/// The seq up to which `author` is in the clock, 0 if not at all.
pub fn seq_of(clock: &Clock, author: &MemberId) -> u64 {
    clock.binary_search_by_key(author, |(of, _)| *of).map_or(0, |at| clock[at].1)
}

/// Is the event `(author, seq, id)` among the ancestors of `of`, or that event itself? The clock
/// says so, unless the author has several events of one seq: then the graph is walked.
pub fn is_ancestor(
    log: &dyn Log,
    room: &RoomId,
    (author, seq, id): (&MemberId, u64, EventId),
    of: &Record,
) -> Result<bool, LogError> {
    if seq_of(&of.clock, author) < seq {
        return Ok(false);
    }
    let same_seq = log.chain(room, author, seq, 2)?;
    let forked = same_seq.iter().filter(|(other, _)| *other == seq).count() > 1;
    if !forked {
        return Ok(true);
    }
    walk(log, room, (author, seq, id), of)
}

fn walk(
    log: &dyn Log,
    room: &RoomId,
    (author, seq, id): (&MemberId, u64, EventId),
    of: &Record,
) -> Result<bool, LogError> {
    let mut seen = BTreeSet::new();
    let mut next = vec![of.clone()];
    while let Some(record) = next.pop() {
        if record.position.id == id {
            return Ok(true);
        }
        let parents = record.event().map(|event| event.parents).unwrap_or_default();
        for parent in parents.into_iter().filter(|parent| seen.insert(*parent)) {
            if let Some(parent) = log.get(room, &parent)?
                && seq_of(&parent.clock, author) >= seq
            {
                next.push(parent);
            }
        }
    }
    Ok(false)
}
