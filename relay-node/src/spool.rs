//! The letters that wait, on disk.
//!
//! One thread writes: whatever has come in meanwhile becomes one batch with one sync, and nothing
//! is answered before it. If a batch fails, say because the disk is full, the database is closed
//! and opened again by a later one; until then everybody is told that the relay cannot store.

mod tables;
#[cfg(test)]
mod tests;
mod writer;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use pairwave_wire::hello::BlindedTag;
use pairwave_wire::mailbox::{LetterId, RelayRefusal, Waiting};
use tokio::sync::{mpsc, oneshot};

use crate::error::RelayError;
use tables::Tables;
use writer::{Order, Writer};

/// Seconds since 1970, from the system or from a test.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Orders that may wait for the writer; each holds at most one letter.
const BACKLOG: usize = 64;

/// How much may wait, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Quotas {
    pub per_tag: u64,
    pub total: u64,
}

/// Strangers leave letters as long as no more than one of so many parts of the spool is taken, by whomever:
/// the rest is for holders.
const OF_STRANGERS: u64 = 2;

/// The spool, shared by all who use it.
#[derive(Clone)]
pub struct Spool {
    shared: Arc<Shared>,
    orders: mpsc::Sender<Order>,
}

/// Letters found for somebody, and whether others wait.
pub type Found = (Vec<Waiting>, bool);

struct Shared {
    path: PathBuf,
    quotas: Quotas,
    clock: Clock,
    tables: RwLock<Option<Tables>>,
    /// Of all letters that wait.
    bytes: AtomicU64,
    letters: AtomicU64,
    broken: AtomicBool,
}

impl Spool {
    /// Opens the spool in a folder, which is made if there is none.
    pub fn open(path: &Path, quotas: Quotas, clock: Clock) -> Result<Self, RelayError> {
        let failed = |why: fjall::Error| RelayError::Spool { path: path.into(), why: why.to_string() };
        let (tables, count) = Tables::open(path).map_err(failed)?;
        let shared = Arc::new(Shared {
            path: path.into(),
            quotas,
            clock,
            tables: RwLock::new(Some(tables)),
            bytes: AtomicU64::new(count.bytes),
            letters: AtomicU64::new(count.letters),
            broken: AtomicBool::new(false),
        });
        let (orders, inbox) = mpsc::channel(BACKLOG);
        Writer::start(Arc::clone(&shared), inbox, count.next).map_err(|why| failed(why.into()))?;
        Ok(Self { shared, orders })
    }

    /// Whether a stranger may leave so many bytes more.
    pub fn has_room_for_stranger(&self, bytes: usize) -> bool {
        self.waiting().0 + bytes as u64 <= self.shared.quotas.total / OF_STRANGERS
    }

    /// Keeps a letter. It is durable when this returns.
    pub async fn deposit(&self, at: BlindedTag, letter: Vec<u8>) -> Result<(), RelayRefusal> {
        self.order(|done| Order::Deposit { at, letter, done }).await
    }

    /// Removes letters, and says how many of them were there.
    pub async fn discard(&self, letters: Vec<(BlindedTag, LetterId)>) -> Result<u64, RelayRefusal> {
        self.order(|done| Order::Discard { letters, done }).await
    }

    /// Removes letters that have waited too long, and says how many.
    pub async fn sweep(&self) -> Result<u64, RelayRefusal> {
        self.order(|done| Order::Sweep { done }).await
    }

    /// Whether it can be written.
    pub async fn is_sound(&self) -> bool {
        self.order(|done| Order::Probe { done }).await.is_ok()
    }

    /// As many letters as one message holds, oldest first.
    pub async fn collect(&self, at: Vec<BlindedTag>, besides: Vec<LetterId>) -> Result<Found, RelayRefusal> {
        let shared = Arc::clone(&self.shared);
        let reading = tokio::task::spawn_blocking(move || shared.collect(at, &besides.into_iter().collect()));
        reading.await.unwrap_or(Err(RelayRefusal::Broken))
    }

    /// Bytes and letters that wait.
    pub fn waiting(&self) -> (u64, u64) {
        (self.shared.bytes.load(Ordering::Relaxed), self.shared.letters.load(Ordering::Relaxed))
    }

    async fn order<T>(&self, order: impl FnOnce(Done<T>) -> Order) -> Result<T, RelayRefusal> {
        let (done, outcome) = oneshot::channel();
        self.orders.send(order(done)).await.map_err(|_| RelayRefusal::Broken)?;
        outcome.await.unwrap_or(Err(RelayRefusal::Broken))
    }
}

type Done<T> = oneshot::Sender<Result<T, RelayRefusal>>;

impl Shared {
    fn collect(&self, at: Vec<BlindedTag>, besides: &HashSet<LetterId>) -> Result<Found, RelayRefusal> {
        let state = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        let tables = state.as_ref().ok_or(RelayRefusal::Broken)?;
        tables.collect(at, besides).map_err(|error| {
            tracing::error!(%error, "letters cannot be read");
            RelayRefusal::Broken
        })
    }
}

/// The clock of this machine.
pub fn system_clock() -> Clock {
    Arc::new(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}
