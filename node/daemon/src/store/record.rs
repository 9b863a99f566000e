//! How a record is written before it is sealed. Its event id is part of its key.
//!
//! `version u8 ‖ depth u64 ‖ author 32 ‖ seq u64 ‖ arrival u64 ‖ n u16 ‖ n × (member 32 ‖ seq u64) ‖
//! signed event`, numbers big-endian.

use pairwave_core::id::{EventId, MemberId};
use pairwave_core::log::{Position, Record};

const VERSION: u8 = 1;

pub(super) fn encode(record: &Record) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(59 + 40 * record.clock.len() + record.signed.len());
    bytes.push(VERSION);
    bytes.extend_from_slice(&record.position.depth.to_be_bytes());
    bytes.extend_from_slice(&record.author.0);
    bytes.extend_from_slice(&record.seq.to_be_bytes());
    bytes.extend_from_slice(&record.arrival.to_be_bytes());
    let entries = u16::try_from(record.clock.len()).unwrap_or(u16::MAX);
    bytes.extend_from_slice(&entries.to_be_bytes());
    for (member, seq) in record.clock.iter().take(entries.into()) {
        bytes.extend_from_slice(&member.0);
        bytes.extend_from_slice(&seq.to_be_bytes());
    }
    bytes.extend_from_slice(&record.signed);
    bytes
}

/// `None`: not a record of a version that we know.
pub(super) fn decode(id: EventId, mut bytes: &[u8]) -> Option<Record> {
    let [VERSION] = take(&mut bytes)? else { return None };
    let depth = u64::from_be_bytes(take(&mut bytes)?);
    let author = MemberId(take(&mut bytes)?);
    let seq = u64::from_be_bytes(take(&mut bytes)?);
    let arrival = u64::from_be_bytes(take(&mut bytes)?);
    let entries = u16::from_be_bytes(take(&mut bytes)?);
    let mut clock = Vec::with_capacity(entries.into());
    for _ in 0..entries {
        clock.push((MemberId(take(&mut bytes)?), u64::from_be_bytes(take(&mut bytes)?)));
    }
    Some(Record { position: Position { depth, id }, author, seq, arrival, clock, signed: bytes.to_vec() })
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_as_it_was() {
        let record = Record {
            position: Position { depth: 7, id: EventId([1; 32]) },
            author: MemberId([2; 32]),
            seq: 3,
            arrival: 9,
            clock: vec![(MemberId([2; 32]), 3), (MemberId([4; 32]), 5)],
            signed: vec![8; 300],
        };
        let bytes = encode(&record);
        assert_eq!(decode(record.position.id, &bytes), Some(record));
        assert_eq!(decode(EventId([1; 32]), &bytes[..80]), None);
        assert_eq!(decode(EventId([1; 32]), &[&[9], &bytes[1..]].concat()), None);
    }
}
