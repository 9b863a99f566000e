//! What the committer's thread does: one round after the other, each a batch with one sync.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use pairwave_core::effect::Slot;
use pairwave_core::id::{MemberId, RoomId};
use tokio::sync::mpsc::UnboundedSender;
use tracing::{error, info, warn};

use super::committer::FreeSpace;
use super::round::{self, CommitError, Committed};
use super::write::{Refused, Told, Write, WriteError};
use super::{Shared, journal, marker};

/// Most bytes that one commit takes.
const ROUND: usize = 8 << 20;
/// Free space that writing leaves to the database for its own work, which fails worse than a write.
const RESERVE: u64 = 8 << 20;
/// Bytes in the journal that are worth to be folded when nothing else is to do, and at the end.
const LONG_JOURNAL: u64 = 4 << 20;
const JOURNAL: u64 = 64 << 10;
/// How long nothing must have been written for that.
const QUIET: Duration = Duration::from_secs(2);
/// How long a database that could not be opened again is left alone.
const PATIENCE: Duration = Duration::from_secs(1);

pub(super) struct Worker {
    shared: Arc<Shared>,
    me: MemberId,
    free: FreeSpace,
    told: UnboundedSender<Told>,
    /// Rooms of which an append was refused. What they append now stands on what is not there.
    closed: BTreeSet<RoomId>,
    /// Saves and forgets that failed; they go with the next commit.
    carried: Vec<Write>,
    /// Rooms to reopen as soon as the database is open.
    reopening: Vec<RoomId>,
    stopped: bool,
    /// About how many bytes the next start would have to read again.
    journal: u64,
}

impl Worker {
    pub fn new(shared: Arc<Shared>, me: MemberId, told: UnboundedSender<Told>, free: FreeSpace) -> Self {
        Self {
            shared,
            me,
            free,
            told,
            closed: BTreeSet::new(),
            carried: Vec::new(),
            reopening: Vec::new(),
            stopped: false,
            journal: 0,
        }
    }

    /// Works until it is told to stop or nobody is left to queue. What is done is taken off `load`.
    pub fn run(mut self, queue: &Receiver<Write>, load: &AtomicUsize) {
        if let Err(error) = round::clear_leftovers(&self.shared) {
            warn!(%error, "what forgotten rooms have left stays for now");
        }
        self.journal = self.shared.tables().as_ref().map_or(0, |tables| tables.journal);
        while !self.stopped
            && let Some(writes) = self.next(queue)
        {
            if writes.is_empty() {
                self.fold_journal(LONG_JOURNAL);
            }
            let size: usize = writes.iter().map(Write::size).sum();
            self.settle(writes);
            load.fetch_sub(size, Ordering::Relaxed);
        }
        self.fold_journal(JOURNAL);
    }

    /// All that is queued, up to a bound; nothing when it is time to look after the database itself.
    fn next(&self, queue: &Receiver<Write>) -> Option<Vec<Write>> {
        let first = match self.idle() {
            None => queue.recv().ok()?,
            Some(idle) => match queue.recv_timeout(idle) {
                Ok(write) => write,
                Err(RecvTimeoutError::Timeout) => return Some(Vec::new()),
                Err(RecvTimeoutError::Disconnected) => return None,
            },
        };
        let mut bytes = first.size();
        let mut writes = vec![first];
        while bytes < ROUND
            && let Ok(write) = queue.try_recv()
        {
            bytes += write.size();
            writes.push(write);
        }
        Some(writes)
    }

    /// How long to wait for writes before there is something else to do.
    fn idle(&self) -> Option<Duration> {
        if self.reopening.is_empty() { (self.journal >= LONG_JOURNAL).then_some(QUIET) } else { Some(PATIENCE) }
    }

    fn settle(&mut self, writes: Vec<Write>) {
        let through = writes.iter().filter_map(Write::number).max();
        let mut refused = self.refuse_closed(&writes);
        let result = self.commit(&writes);
        if let Err(why) = &result {
            self.refuse_all(&writes, why, &mut refused);
        }
        if let Some(through) = through {
            let _ = self.told.send(Told::Settled { through, refused });
        }
        if let Ok(committed) = &result {
            self.mark(committed);
        }
        let (orders, numbered): (Vec<_>, Vec<_>) = writes.into_iter().partition(|write| write.number().is_none());
        if result.is_err() {
            self.carry(numbered);
        }
        orders.into_iter().for_each(|order| self.follow(order, &result));
        self.reopen_rooms();
    }

    fn follow(&mut self, order: Write, result: &Result<Committed, String>) {
        match order {
            Write::Bind { done, .. } => {
                let _ = done.send(result.as_ref().map(drop).map_err(|why| WriteError { why: why.clone() }));
            }
            Write::Reopen { room } => self.reopening.push(room),
            Write::Stop => self.stopped = true,
            Write::Append { .. } | Write::Save { .. } | Write::Chunk { .. } | Write::Forget { .. } => {}
        }
    }

    /// Refuses what was appended to closed rooms before their owner knew.
    fn refuse_closed(&self, writes: &[Write]) -> Option<Refused> {
        let appended = writes.iter().filter_map(Write::room_appended);
        let appends: Vec<_> = appended.filter(|(room, _)| self.closed.contains(room)).collect();
        let first = appends.iter().map(|(_, number)| *number).min()?;
        Some(Refused { first, entire: false, appends, why: "an earlier event of the room could not be written".into() })
    }

    fn refuse_all(&mut self, writes: &[Write], why: &str, refused: &mut Option<Refused>) {
        let Some(first) = writes.iter().filter_map(Write::number).min() else { return };
        let appends: Vec<_> = writes.iter().filter_map(Write::room_appended).collect();
        self.closed.extend(appends.iter().map(|(room, _)| *room));
        *refused = Some(Refused { first, entire: true, appends, why: why.to_owned() });
    }

    fn commit(&mut self, writes: &[Write]) -> Result<Committed, String> {
        let queued = writes.iter().filter(|write| !self.stands_on_nothing(write));
        let parts: Vec<_> = self.carried.iter().chain(queued).filter_map(Write::part).collect();
        if parts.is_empty() {
            return Ok(Committed::default());
        }
        let bytes = self.carried.iter().chain(writes).map(Write::size).sum::<usize>() as u64;
        self.check_space(bytes)?;
        let committed = match round::commit(&self.shared, self.me, &parts) {
            // Nothing was written, so it is no second attempt.
            Err(CommitError::Closed) => {
                self.reopen()?;
                round::commit(&self.shared, self.me, &parts)
            }
            result => result,
        };
        self.journal += bytes;
        committed.inspect(|_| self.carried.clear()).map_err(|error| {
            error!(%error, "the store could not be written");
            if !matches!(error, CommitError::Seal(_)) {
                // What became of the batch shows when the journal is read again; until then nothing
                // may be built on it. If this fails, the next commit or the next second tries again.
                let _ = self.reopen();
            }
            error.to_string()
        })
    }

    fn stands_on_nothing(&self, write: &Write) -> bool {
        matches!(
            write,
            Write::Append { room, .. } | Write::Save { room, .. } | Write::Chunk { room, .. } if self.closed.contains(room)
        )
    }

    fn check_space(&self, bytes: u64) -> Result<(), String> {
        let free = (self.free)(&self.shared.path).map_err(|error| error.to_string())?;
        let needed = RESERVE + 2 * bytes;
        if free >= needed {
            return Ok(());
        }
        warn!(free, needed, "the disk is full");
        Err(format!("the disk is full ({} KiB free, {} KiB needed)", free >> 10, needed >> 10))
    }

    /// Empties the journal if it is at least this long.
    fn fold_journal(&mut self, at: u64) {
        if self.journal < at || !self.shared.is_open() {
            return;
        }
        // Also after a failure: it is tried again when as much has been written again.
        self.journal = 0;
        if let Err(why) = journal::fold(&self.shared) {
            warn!(why, "the journal of the store stays long");
        }
    }

    fn reopen(&self) -> Result<(), String> {
        match self.shared.reopen() {
            Ok(()) => {
                info!("the store was opened again");
                Ok(())
            }
            Err(error) => {
                error!(%error, "the store could not be opened again");
                Err(error.to_string())
            }
        }
    }

    /// Keeps what must not be lost of a failed commit. A room that is closed is read again as it is
    /// stored, so what was to be saved of it goes with what was to be appended.
    fn carry(&mut self, writes: Vec<Write>) {
        for write in writes {
            match &write {
                Write::Save { room, .. } if self.closed.contains(room) => continue,
                Write::Save { room, slot, .. } => self.drop_carried(|r, s| (r, s) == (room, slot)),
                Write::Forget { room, .. } => self.drop_carried(|r, _| r == room),
                _ => continue,
            }
            self.carried.push(write);
        }
    }

    fn drop_carried(&mut self, which: impl Fn(&RoomId, &Slot) -> bool) {
        self.carried.retain(|old| !matches!(old, Write::Save { room, slot, .. } if which(room, slot)));
    }

    fn mark(&self, committed: &Committed) {
        let markers = &self.shared.options.markers;
        committed.forgotten.iter().for_each(|room| marker::remove(markers, room));
        for (room, seq) in &committed.own {
            if let Err(error) = marker::write(markers, room, &self.me, *seq) {
                warn!(%error, "the marker of a room could not be written");
            }
        }
        if !committed.forgotten.is_empty()
            && let Err(error) = round::clear_leftovers(&self.shared)
        {
            warn!(%error, "what a forgotten room has left stays until the next start");
        }
    }

    fn reopen_rooms(&mut self) {
        if self.reopening.is_empty() || (!self.shared.is_open() && self.reopen().is_err()) {
            return;
        }
        for room in self.reopening.drain(..) {
            self.closed.remove(&room);
            let unsaved = self.carried.iter().filter_map(|write| match write {
                Write::Save { room: of, slot, value, .. } if *of == room => Some((*slot, value.clone())),
                _ => None,
            });
            let _ = self.told.send(Told::Reopened { room, unsaved: unsaved.collect() });
        }
    }
}
