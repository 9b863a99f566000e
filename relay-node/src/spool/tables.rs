//! The layout of the spool.
//!
//! | keyspace | key | value |
//! |---|---|---|
//! | `letters` | tag, number, letter id | the letter |
//! | `ids` | tag, letter id | number, arrival, size |
//! | `ages` | arrival, number | tag, letter id |
//! | `tags` | tag | bytes that wait under it |
//! | `meta` | `probe` | – |
//!
//! Letters are numbered as they come, arrivals are seconds since 1970; all numbers are big-endian.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashSet};
use std::path::Path;

use fjall::{Database, Keyspace, KeyspaceCreateOptions, KvSeparationOptions};
use pairwave_wire::hello::BlindedTag;
use pairwave_wire::limits;
use pairwave_wire::mailbox::{LetterId, Waiting};

use super::Found;

/// Memory for what is not yet in a table, per keyspace.
const LETTERS_BUFFER: u64 = 8 << 20;
const INDEX_BUFFER: u64 = 1 << 20;
const CACHE: u64 = 16 << 20;
/// What an answer needs beside its letters, and each letter beside itself.
const AROUND: usize = 1024;
const AROUND_EACH: usize = 128;

/// An open database.
pub struct Tables {
    pub db: Database,
    pub letters: Keyspace,
    pub ids: Keyspace,
    pub ages: Keyspace,
    pub tags: Keyspace,
    pub meta: Keyspace,
}

/// What is there when it is opened.
#[derive(Debug, Default)]
pub struct Count {
    pub bytes: u64,
    pub letters: u64,
    /// The number of the next letter.
    pub next: u64,
}

/// What is kept of a letter beside itself.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    pub number: u64,
    pub arrival: u64,
    pub size: u32,
}

impl Tables {
    pub fn open(path: &Path) -> fjall::Result<(Self, Count)> {
        let db = Database::builder(path).cache_size(CACHE).open()?;
        let index = || KeyspaceCreateOptions::default().max_memtable_size(INDEX_BUFFER);
        let letters = || {
            let options = KeyspaceCreateOptions::default().max_memtable_size(LETTERS_BUFFER);
            options.with_kv_separation(Some(KvSeparationOptions::default()))
        };
        let tables = Self {
            letters: db.keyspace("letters", letters)?,
            ids: db.keyspace("ids", index)?,
            ages: db.keyspace("ages", index)?,
            tags: db.keyspace("tags", index)?,
            meta: db.keyspace("meta", index)?,
            db,
        };
        let count = tables.count()?;
        Ok((tables, count))
    }

    fn count(&self) -> fjall::Result<Count> {
        let mut count = Count::default();
        for guard in self.ids.iter() {
            let Some(entry) = Entry::decode(&guard.value()?) else { continue };
            count.bytes += u64::from(entry.size);
            count.letters += 1;
            count.next = count.next.max(entry.number + 1);
        }
        Ok(count)
    }

    pub fn entry(&self, at: &BlindedTag, id: &LetterId) -> fjall::Result<Option<Entry>> {
        Ok(self.ids.get(id_key(at, id))?.and_then(|value| Entry::decode(&value)))
    }

    pub fn bytes_at(&self, at: &BlindedTag) -> fjall::Result<u64> {
        let value = self.tags.get(at.0)?;
        Ok(value.and_then(|value| value[..].try_into().ok()).map_or(0, u64::from_be_bytes))
    }

    /// The oldest letters under any of these tags, as many as one message holds.
    pub fn collect(&self, at: Vec<BlindedTag>, besides: &HashSet<LetterId>) -> fjall::Result<Found> {
        let tags: BTreeSet<BlindedTag> = at.into_iter().collect();
        let mut mailboxes: Vec<_> = tags.iter().map(|tag| self.letters.prefix(tag.0)).collect();
        let mut heads = BinaryHeap::new();
        for (index, mailbox) in mailboxes.iter_mut().enumerate() {
            heads.extend(next_of(mailbox, besides)?.map(|(number, key)| Reverse((number, index, key))));
        }
        let (mut found, mut left) = (Vec::new(), limits::RELAY_MESSAGE - AROUND);
        while let Some(Reverse((_, index, key))) = heads.pop() {
            // One that was discarded a moment ago is passed over.
            if let Some(letter) = self.letters.get(&key)? {
                let Some(rest) = left.checked_sub(letter.len() + AROUND_EACH) else { return Ok((found, true)) };
                left = rest;
                found.extend(waiting(&key, letter.to_vec()));
            }
            heads.extend(next_of(&mut mailboxes[index], besides)?.map(|(number, key)| Reverse((number, index, key))));
        }
        Ok((found, false))
    }
}

impl Entry {
    pub fn encode(&self) -> Vec<u8> {
        [&self.number.to_be_bytes()[..], &self.arrival.to_be_bytes(), &self.size.to_be_bytes()].concat()
    }

    fn decode(value: &[u8]) -> Option<Self> {
        let (number, rest) = value.split_first_chunk()?;
        let (arrival, size) = rest.split_first_chunk()?;
        let [number, arrival] = [number, arrival].map(|bytes| u64::from_be_bytes(*bytes));
        Some(Self { number, arrival, size: u32::from_be_bytes(size.try_into().ok()?) })
    }
}

pub fn letter_key(at: &BlindedTag, number: u64, id: &LetterId) -> Vec<u8> {
    [&at.0[..], &number.to_be_bytes(), &id.0].concat()
}

pub fn id_key(at: &BlindedTag, id: &LetterId) -> Vec<u8> {
    [&at.0[..], &id.0].concat()
}

pub fn age_key(arrival: u64, number: u64) -> Vec<u8> {
    [arrival.to_be_bytes(), number.to_be_bytes()].concat()
}

/// What an entry of `ages` names, with its arrival and number.
pub fn aged(key: &[u8], value: &[u8]) -> Option<(u64, u64, BlindedTag, LetterId)> {
    let (arrival, number) = key.split_first_chunk()?;
    let (at, id) = value.split_first_chunk()?;
    let number = u64::from_be_bytes(number.try_into().ok()?);
    Some((u64::from_be_bytes(*arrival), number, BlindedTag(*at), LetterId(id.try_into().ok()?)))
}

/// The next letter of a mailbox that is wanted: its number and its key.
fn next_of(mailbox: &mut fjall::Iter, besides: &HashSet<LetterId>) -> fjall::Result<Option<(u64, Vec<u8>)>> {
    for guard in mailbox {
        let key = guard.key()?.to_vec();
        if let Some((number, _, id)) = parts(&key)
            && !besides.contains(&id)
        {
            return Ok(Some((number, key)));
        }
    }
    Ok(None)
}

fn waiting(key: &[u8], letter: Vec<u8>) -> Option<Waiting> {
    parts(key).map(|(_, at, id)| Waiting { id, at, letter: letter.into() })
}

fn parts(key: &[u8]) -> Option<(u64, BlindedTag, LetterId)> {
    let (at, rest) = key.split_first_chunk()?;
    let (number, id) = rest.split_first_chunk()?;
    Some((u64::from_be_bytes(*number), BlindedTag(*at), LetterId(id.try_into().ok()?)))
}
