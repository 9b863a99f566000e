//! The log as the core reads it, out of the store.

use std::ops::Bound;
use std::sync::Arc;

use pairwave_core::id::{ChunkId, EventId, MemberId, RoomId};
use pairwave_core::log::{Log, LogError, Position, Record};
use pairwave_core::seal::{self, Place};

use super::tables::{self, Tables};
use super::{Shared, record};

/// A handle on the stored events; cheap to clone. It sees an event once it is durable.
#[derive(Clone)]
pub struct Reader(pub(super) Arc<Shared>);

impl Reader {
    /// The rooms of which anything is kept.
    pub fn rooms(&self) -> Vec<RoomId> {
        let rooms = self.0.tables().as_ref().map(|tables| tables.rooms.keys().copied().collect::<Vec<_>>());
        rooms.unwrap_or_default().into_iter().filter(|room| self.keeps(room)).collect()
    }

    /// Is anything kept of this room? While the store cannot say, it is.
    pub fn keeps(&self, room: &RoomId) -> bool {
        let keeps = self.read(room, false, |tables, number| {
            let mut keys = [&tables.log, &tables.slots].into_iter().filter_map(|keyspace| {
                keyspace.range(tables::from(number, first(number))).next().map(fjall::Guard::key)
            });
            keys.next().transpose().map(|key| key.is_some()).map_err(failed)
        });
        keeps.unwrap_or(true)
    }

    /// Reads in one room; `none` is the answer for a room that is not stored.
    fn read<T>(
        &self,
        room: &RoomId,
        none: T,
        read: impl FnOnce(&Tables, u32) -> Result<T, LogError>,
    ) -> Result<T, LogError> {
        let state = self.0.tables();
        let tables = state.as_ref().ok_or_else(|| LogError("the store is being opened again".into()))?;
        tables.rooms.get(room).map_or(Ok(none), |number| read(tables, *number))
    }
}

impl Log for Reader {
    fn get(&self, room: &RoomId, id: &EventId) -> Result<Option<Record>, LogError> {
        self.read(room, None, |tables, number| {
            let Some(arrival) = tables.ids.get(tables::id_key(number, id)).map_err(failed)? else { return Ok(None) };
            let arrival = u64::from_be_bytes(arrival[..].try_into().map_err(|_| damaged())?);
            let sealed = tables.log.get(tables::log_key(number, arrival, id)).map_err(failed)?.ok_or_else(damaged)?;
            let bytes = seal::open(&self.0.key, Place::Record(*room, *id), &sealed)
                .map_err(|error| LogError(error.to_string()))?;
            record::decode(*id, &bytes).ok_or_else(damaged).map(Some)
        })
    }

    fn ascending(&self, room: &RoomId, after: Option<Position>, limit: usize) -> Result<Vec<Position>, LogError> {
        self.read(room, Vec::new(), |tables, number| {
            let start = after.map_or_else(|| first(number), |after| Bound::Excluded(tables::order_key(number, &after)));
            collect(tables.order.range(tables::from(number, start)).take(limit), position)
        })
    }

    fn descending(&self, room: &RoomId, before: Option<Position>, limit: usize) -> Result<Vec<Position>, LogError> {
        self.read(room, Vec::new(), |tables, number| {
            let end = before.map_or_else(|| tables::after(number), |before| tables::order_key(number, &before));
            let range = (first(number), Bound::Excluded(end));
            collect(tables.order.range(range).rev().take(limit), position)
        })
    }

    fn chain(
        &self,
        room: &RoomId,
        author: &MemberId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<(u64, EventId)>, LogError> {
        self.read(room, Vec::new(), |tables, number| {
            let start = Bound::Included(tables::chain_key(number, author, from, &[]));
            let end = Bound::Included(tables::chain_key(number, author, u64::MAX, &[0xff; 32]));
            collect(tables.chain.range((start, end)).take(limit), |key| {
                let (seq, id) = key.get(36..)?.split_first_chunk()?;
                Some((u64::from_be_bytes(*seq), EventId(id.try_into().ok()?)))
            })
        })
    }

    fn arrivals(&self, room: &RoomId, after: u64, limit: usize) -> Result<Vec<(u64, EventId)>, LogError> {
        self.read(room, Vec::new(), |tables, number| {
            let Some(next) = after.checked_add(1) else { return Ok(Vec::new()) };
            let start = [&number.to_be_bytes()[..], &next.to_be_bytes()].concat();
            collect(tables.log.range(tables::from(number, Bound::Included(start))).take(limit), |key| {
                let (arrival, id) = key.get(4..)?.split_first_chunk()?;
                Some((u64::from_be_bytes(*arrival), EventId(id.try_into().ok()?)))
            })
        })
    }

    fn chunk(&self, room: &RoomId, id: &ChunkId) -> Result<Option<Vec<u8>>, LogError> {
        self.read(room, None, |tables, number| {
            let sealed = tables.chunks.get(tables::chunk_key(number, id)).map_err(failed)?;
            let opened = sealed.map(|sealed| seal::open(&self.0.key, Place::Chunk(*room, *id), &sealed));
            opened.transpose().map_err(|error| LogError(error.to_string()))
        })
    }

    fn has_chunk(&self, room: &RoomId, id: &ChunkId) -> Result<bool, LogError> {
        self.read(room, false, |tables, number| {
            tables.chunks.contains_key(tables::chunk_key(number, id)).map_err(failed)
        })
    }
}

fn first(room: u32) -> Bound<Vec<u8>> {
    Bound::Included(room.to_be_bytes().to_vec())
}

fn position(key: &[u8]) -> Option<Position> {
    let (depth, id) = key.get(4..)?.split_first_chunk()?;
    Some(Position { depth: u64::from_be_bytes(*depth), id: EventId(id.try_into().ok()?) })
}

fn collect<T>(
    entries: impl Iterator<Item = fjall::Guard>,
    read: impl Fn(&[u8]) -> Option<T>,
) -> Result<Vec<T>, LogError> {
    entries.map(|entry| read(&entry.key().map_err(failed)?).ok_or_else(damaged)).collect()
}

#[expect(clippy::needless_pass_by_value, reason = "it stands behind map_err")]
fn failed(error: fjall::Error) -> LogError {
    LogError(error.to_string())
}

fn damaged() -> LogError {
    LogError("an entry of the store is damaged".into())
}

#[cfg(test)]
mod tests {
    use super::super::round::{Part, commit};
    use super::super::samples::{ME, Sample, record, room};
    use super::*;

    fn reader(arrivals: std::ops::RangeInclusive<u64>) -> (Sample, Reader) {
        let sample = Sample::new();
        let store = sample.open();
        let records: Vec<_> = arrivals.map(record).collect();
        commit(&store.0, ME, &[Part::Append(room(1), &records), Part::Append(room(2), &records[..1])]).unwrap();
        (sample, store.reader())
    }

    #[test]
    fn events_come_in_order_and_in_pages() {
        let (_sample, reader) = reader(1..=9);
        let all = reader.ascending(&room(1), None, 100).unwrap();
        assert_eq!(all, (1..=9).map(|n| record(n).position).collect::<Vec<_>>());
        assert_eq!(reader.ascending(&room(1), Some(all[2]), 3).unwrap(), all[3..6]);
        let back: Vec<_> = all.iter().rev().copied().collect();
        assert_eq!(reader.descending(&room(1), None, 100).unwrap(), back);
        assert_eq!(reader.descending(&room(1), Some(all[2]), 100).unwrap(), [all[1], all[0]]);
        assert!(reader.ascending(&room(3), None, 10).unwrap().is_empty());
    }

    #[test]
    fn a_chain_starts_where_it_is_asked_for() {
        let (_sample, reader) = reader(1..=9);
        let chain = reader.chain(&room(1), &ME, 105, 2).unwrap();
        assert_eq!(chain, [5, 6].map(|n| (record(n).seq, record(n).position.id)));
        assert!(reader.chain(&room(1), &MemberId([6; 32]), 0, 2).unwrap().is_empty());
    }

    #[test]
    fn arrivals_come_after_a_cursor() {
        let (_sample, reader) = reader(1..=9);
        assert_eq!(reader.arrivals(&room(1), 7, 10).unwrap(), [8, 9].map(|n| (n, record(n).position.id)));
        assert_eq!(reader.arrivals(&room(2), 0, 10).unwrap().len(), 1);
        assert!(reader.arrivals(&room(1), u64::MAX, 10).unwrap().is_empty());
    }

    #[test]
    fn a_record_moved_to_another_room_does_not_open() {
        let (_sample, reader) = reader(1..=2);
        let id = record(2).position.id;
        let state = reader.0.tables();
        let tables = state.as_ref().unwrap();
        let (one, two) = (tables.rooms[&room(1)], tables.rooms[&room(2)]);
        let sealed = tables.log.get(tables::log_key(one, 2, &id)).unwrap().unwrap();
        assert!(!sealed.windows(16).any(|window| window == [7; 16]), "the signed bytes do not show");
        tables.log.insert(tables::log_key(two, 2, &id), sealed).unwrap();
        tables.ids.insert(tables::id_key(two, &id), 2_u64.to_be_bytes()).unwrap();
        drop(state);
        assert!(reader.get(&room(2), &id).is_err());
        assert_eq!(reader.get(&room(1), &id).unwrap(), Some(record(2)));
    }

    #[test]
    fn a_chunk_is_sealed_for_its_room_and_goes_when_it_is_dropped() {
        let sample = Sample::new();
        let store = sample.open();
        let (id, bytes) = (ChunkId([5; 32]), vec![7; 100]);
        let kept = Part::Chunk(room(1), &id, Some(&bytes));
        commit(&store.0, ME, &[kept, Part::Append(room(2), &[record(1)])]).unwrap();
        let reader = store.reader();
        assert_eq!(reader.chunk(&room(1), &id), Ok(Some(bytes)));
        assert_eq!((reader.has_chunk(&room(1), &id), reader.has_chunk(&room(2), &id)), (Ok(true), Ok(false)));
        let state = reader.0.tables();
        let tables = state.as_ref().unwrap();
        let (one, two) = (tables.rooms[&room(1)], tables.rooms[&room(2)]);
        let sealed = tables.chunks.get(tables::chunk_key(one, &id)).unwrap().unwrap();
        assert!(!sealed.windows(16).any(|window| window == [7; 16]));
        tables.chunks.insert(tables::chunk_key(two, &id), sealed).unwrap();
        drop(state);
        assert!(reader.chunk(&room(2), &id).is_err());
        commit(&store.0, ME, &[Part::Chunk(room(1), &id, None)]).unwrap();
        assert_eq!(reader.chunk(&room(1), &id), Ok(None));
    }
}
