//! The thread that writes the spool.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use fjall::{OwnedWriteBatch, PersistMode};
use pairwave_wire::hello::BlindedTag;
use pairwave_wire::limits;
use pairwave_wire::mailbox::{LetterId, RelayRefusal};
use tokio::sync::mpsc;

use super::tables::{self, Entry, Tables};
use super::{Done, Shared};

/// Orders that become one batch.
const TOGETHER: usize = 64;
/// Letters that one sweep removes.
const SWEPT: usize = 1024;
/// How long after a failure it is tried again.
const RETRY: Duration = Duration::from_secs(1);

pub enum Order {
    Deposit { at: BlindedTag, letter: Vec<u8>, done: Done<()> },
    Discard { letters: Vec<(BlindedTag, LetterId)>, done: Done<u64> },
    Sweep { done: Done<u64> },
    Probe { done: Done<()> },
}

pub struct Writer {
    shared: Arc<Shared>,
    next: u64,
    /// When it was last tried to open the database again.
    tried: Option<Instant>,
}

impl Writer {
    /// Runs until nobody is left who could order anything.
    pub fn start(shared: Arc<Shared>, mut orders: mpsc::Receiver<Order>, next: u64) -> io::Result<()> {
        let mut writer = Self { shared, next, tried: None };
        let work = move || {
            while let Some(first) = orders.blocking_recv() {
                let mut round = vec![first];
                while round.len() < TOGETHER
                    && let Ok(order) = orders.try_recv()
                {
                    round.push(order);
                }
                writer.write(round);
            }
        };
        thread::Builder::new().name("spool".into()).spawn(work).map(drop)
    }

    /// Writes what was ordered, in one batch, then answers.
    fn write(&mut self, orders: Vec<Order>) {
        self.reopen_if_closed();
        let outcome = self.try_write(orders);
        let was_broken = self.shared.broken.swap(outcome.is_err(), Ordering::Relaxed);
        if let Err(error) = outcome {
            if !was_broken {
                tracing::error!(%error, "the spool cannot be written; check the free space of the disk");
            }
            // Whether a failed batch was written shows only when the database is opened again.
            self.shared.tables.write().unwrap_or_else(PoisonError::into_inner).take();
        }
    }

    fn reopen_if_closed(&mut self) {
        let mut state = self.shared.tables.write().unwrap_or_else(PoisonError::into_inner);
        if state.is_some() || self.tried.is_some_and(|tried| tried.elapsed() < RETRY) {
            return;
        }
        self.tried = Some(Instant::now());
        match Tables::open(&self.shared.path) {
            Ok((tables, count)) => {
                *state = Some(tables);
                self.next = self.next.max(count.next);
                self.shared.bytes.store(count.bytes, Ordering::Relaxed);
                self.shared.letters.store(count.letters, Ordering::Relaxed);
            }
            Err(error) => tracing::debug!(%error, "the spool cannot be opened again"),
        }
    }

    fn try_write(&mut self, orders: Vec<Order>) -> fjall::Result<()> {
        let state = self.shared.tables.read().unwrap_or_else(PoisonError::into_inner);
        // All are answered by being dropped.
        let Some(tables) = state.as_ref() else { return Err(fjall::Error::Poisoned) };
        let mut round = Round::new(&self.shared, tables, self.next);
        for order in orders {
            round.add(order)?;
        }
        self.next = round.next;
        round.commit()
    }
}

/// An answer that waits for the sync.
type Answer = Box<dyn FnOnce()>;

/// What becomes one batch.
struct Round<'s> {
    shared: &'s Shared,
    tables: &'s Tables,
    batch: OwnedWriteBatch,
    next: u64,
    now: u64,
    bytes: u64,
    letters: u64,
    /// What is under the tags that this batch touches.
    tags: HashMap<BlindedTag, u64>,
    /// Letters that this batch removes.
    gone: HashSet<(BlindedTag, LetterId)>,
    answers: Vec<Answer>,
}

impl<'s> Round<'s> {
    fn new(shared: &'s Shared, tables: &'s Tables, next: u64) -> Self {
        Self {
            shared,
            tables,
            batch: tables.db.batch().durability(Some(PersistMode::SyncAll)),
            next,
            now: (shared.clock)(),
            bytes: shared.bytes.load(Ordering::Relaxed),
            letters: shared.letters.load(Ordering::Relaxed),
            tags: HashMap::new(),
            gone: HashSet::new(),
            answers: Vec::new(),
        }
    }

    fn add(&mut self, order: Order) -> fjall::Result<()> {
        match order {
            Order::Deposit { at, letter, done } => {
                let outcome = self.deposit(at, letter)?;
                self.answer(done, outcome);
            }
            Order::Discard { letters, done } => {
                let before = self.letters;
                letters.iter().try_for_each(|(at, id)| self.remove(at, id))?;
                self.answer(done, Ok(before - self.letters));
            }
            Order::Sweep { done } => {
                let before = self.letters;
                self.sweep()?;
                self.answer(done, Ok(before - self.letters));
            }
            Order::Probe { done } => {
                self.batch.insert(&self.tables.meta, *b"probe", []);
                self.answer(done, Ok(()));
            }
        }
        Ok(())
    }

    fn deposit(&mut self, at: BlindedTag, letter: Vec<u8>) -> fjall::Result<Result<(), RelayRefusal>> {
        let (size, under) = (letter.len() as u64, self.under(&at)?);
        if under + size > self.shared.quotas.per_tag {
            return Ok(Err(RelayRefusal::MailboxFull));
        }
        if self.bytes + size > self.shared.quotas.total {
            return Ok(Err(RelayRefusal::RelayFull));
        }
        let mut id = LetterId([0; 16]);
        getrandom::fill(&mut id.0).map_err(|error| fjall::Error::Io(io::Error::other(error)))?;
        let entry = Entry { number: self.next, arrival: self.now, size: letter.len() as u32 };
        self.next += 1;
        self.batch.insert(&self.tables.letters, tables::letter_key(&at, entry.number, &id), letter);
        self.batch.insert(&self.tables.ids, tables::id_key(&at, &id), entry.encode());
        let age = tables::age_key(entry.arrival, entry.number);
        self.batch.insert(&self.tables.ages, age, tables::id_key(&at, &id));
        self.put_under(at, under + size);
        self.bytes += size;
        self.letters += 1;
        Ok(Ok(()))
    }

    /// A letter that is not there, or not under this tag, is no mistake.
    fn remove(&mut self, at: &BlindedTag, id: &LetterId) -> fjall::Result<()> {
        let Some(entry) = self.tables.entry(at, id)? else { return Ok(()) };
        if !self.gone.insert((*at, *id)) {
            return Ok(());
        }
        self.batch.remove(&self.tables.letters, tables::letter_key(at, entry.number, id));
        self.batch.remove(&self.tables.ids, tables::id_key(at, id));
        self.batch.remove(&self.tables.ages, tables::age_key(entry.arrival, entry.number));
        let (size, under) = (u64::from(entry.size), self.under(at)?);
        self.put_under(*at, under.saturating_sub(size));
        self.bytes = self.bytes.saturating_sub(size);
        self.letters = self.letters.saturating_sub(1);
        Ok(())
    }

    fn sweep(&mut self) -> fjall::Result<()> {
        for guard in self.tables.ages.iter().take(SWEPT) {
            let (key, value) = guard.into_inner()?;
            let Some((arrival, _, at, id)) = tables::aged(&key, &value) else { continue };
            if arrival + limits::LETTER_SECONDS > self.now {
                break;
            }
            self.remove(&at, &id)?;
        }
        Ok(())
    }

    fn under(&self, at: &BlindedTag) -> fjall::Result<u64> {
        self.tags.get(at).map_or_else(|| self.tables.bytes_at(at), |bytes| Ok(*bytes))
    }

    fn put_under(&mut self, at: BlindedTag, bytes: u64) {
        self.tags.insert(at, bytes);
    }

    fn answer<T: 'static>(&mut self, done: Done<T>, outcome: Result<T, RelayRefusal>) {
        // Whoever asked may have left.
        self.answers.push(Box::new(move || drop(done.send(outcome))));
    }

    fn commit(mut self) -> fjall::Result<()> {
        for (at, bytes) in &self.tags {
            match bytes {
                0 => self.batch.remove(&self.tables.tags, at.0),
                bytes => self.batch.insert(&self.tables.tags, at.0, bytes.to_be_bytes()),
            }
        }
        if !self.batch.is_empty() {
            self.batch.commit()?;
        }
        self.shared.bytes.store(self.bytes, Ordering::Relaxed);
        self.shared.letters.store(self.letters, Ordering::Relaxed);
        self.answers.into_iter().for_each(|answer| answer());
        Ok(())
    }
}
