//! The one writer of the store, on a thread of its own.
//!
//! It takes all that is queued, makes it durable with one sync, and then tells how far it has got:
//! the more there is to write, the less each write costs.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::{io, thread};

use pairwave_core::id::MemberId;
use tokio::sync::mpsc::UnboundedSender;

use super::Store;
use super::worker::Worker;
use super::write::{Told, Write};

/// A handle on the committer; cheap to clone. The thread ends with its last handle, after what was queued.
#[derive(Clone)]
pub struct Committer {
    writes: Sender<Write>,
    load: Arc<AtomicUsize>,
}

/// Tells the free bytes of the disk under a path.
pub(crate) type FreeSpace = Box<dyn Fn(&Path) -> io::Result<u64> + Send>;

impl Committer {
    /// `me` is whose events count for the marker. `told` must be read.
    pub fn start(store: &Store, me: MemberId, told: UnboundedSender<Told>) -> io::Result<Self> {
        Self::start_on(store, me, told, Box::new(free_space))
    }

    pub(crate) fn start_on(
        store: &Store,
        me: MemberId,
        told: UnboundedSender<Told>,
        free: FreeSpace,
    ) -> io::Result<Self> {
        let (writes, queue) = mpsc::channel();
        let load = Arc::new(AtomicUsize::new(0));
        let worker = Worker::new(store.0.clone(), me, told, free);
        let counter = load.clone();
        thread::Builder::new().name("committer".into()).spawn(move || worker.run(&queue, &counter))?;
        Ok(Self { writes, load })
    }

    /// Queues a write. Never blocks; see [`Committer::load`].
    pub fn write(&self, write: Write) {
        self.load.fetch_add(write.size(), Ordering::Relaxed);
        // Without a thread there is nobody left to tell: the process is ending.
        let _ = self.writes.send(write);
    }

    /// Bytes that are queued. Whoever can make others wait should, before it is many.
    pub fn load(&self) -> usize {
        self.load.load(Ordering::Relaxed)
    }
}

fn free_space(path: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(path)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use pairwave_core::effect::Slot;
    use pairwave_core::log::Log;
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
    use tokio::sync::oneshot;

    use super::super::samples::{ME, Sample, record, room};
    use super::super::{Bindings, Refused, StoreError};
    use super::*;

    struct Running {
        sample: Sample,
        store: Store,
        committer: Committer,
        told: UnboundedReceiver<Told>,
        full: Arc<AtomicBool>,
    }

    fn start(sample: Sample) -> Running {
        let store = sample.open();
        let (tell, told) = unbounded_channel();
        let full = Arc::new(AtomicBool::new(false));
        let disk = full.clone();
        let free: FreeSpace = Box::new(move |_| Ok(if disk.load(Ordering::SeqCst) { 0 } else { u64::MAX }));
        let committer = Committer::start_on(&store, ME, tell, free).unwrap();
        Running { sample, store, committer, told, full }
    }

    impl Running {
        fn append(&self, number: u64, in_room: u8, arrival: u64) {
            self.committer.write(Write::Append { number, room: room(in_room), records: vec![record(arrival)] });
        }

        fn save(&self, number: u64, slot: Slot, value: Option<&[u8]>) {
            let value = value.map(<[u8]>::to_vec);
            self.committer.write(Write::Save { number, room: room(1), slot, value });
        }

        fn told(&mut self) -> Told {
            self.told.blocking_recv().unwrap()
        }

        fn settled(&mut self) -> (u64, Option<Refused>) {
            match self.told() {
                Told::Settled { through, refused } => (through, refused),
                told => panic!("{told:?}"),
            }
        }

        fn settle_through(&mut self, number: u64) {
            loop {
                let (through, refused) = self.settled();
                assert!(refused.is_none(), "{refused:?}");
                if through == number {
                    break;
                }
            }
        }

        fn slots(&self) -> Vec<(Slot, Vec<u8>)> {
            self.store.kept(&room(1), &ME).unwrap().slots
        }

        /// Ends as a process does that is killed: without a word, after the last sync.
        fn ended(self) -> Sample {
            drop(self.committer);
            let mut told = self.told;
            while told.blocking_recv().is_some() {}
            drop(self.store);
            self.sample
        }

        fn restart(self) -> Running {
            start(self.ended())
        }
    }

    #[test]
    fn what_was_settled_is_there_after_a_restart() {
        let mut running = start(Sample::new());
        running.append(1, 1, 1);
        running.save(2, Slot::Keys, Some(b"keys"));
        running.append(3, 1, 2);
        running.append(4, 2, 1);
        running.settle_through(4);
        let running = running.restart();
        let reader = running.store.reader();
        assert_eq!(running.store.rooms(), [room(1), room(2)]);
        assert_eq!(reader.get(&room(1), &record(2).position.id).unwrap(), Some(record(2)));
        assert_eq!(reader.arrivals(&room(1), 0, 10).unwrap().len(), 2);
        assert_eq!(reader.arrivals(&room(2), 0, 10).unwrap().len(), 1);
        assert_eq!(running.slots(), [(Slot::Keys, b"keys".to_vec())]);
        assert_eq!(running.store.kept(&room(1), &ME).unwrap().own_seq, record(2).seq);
    }

    #[test]
    fn many_writes_take_few_commits() {
        let mut running = start(Sample::new());
        for number in 1..=500 {
            running.append(number, 1, number);
        }
        let mut commits = 0;
        while running.settled().0 < 500 {
            commits += 1;
        }
        assert!(commits < 250, "{commits} commits for 500 writes");
        assert_eq!(running.store.reader().arrivals(&room(1), 0, 1000).unwrap().len(), 500);
    }

    #[test]
    fn a_full_disk_refuses_and_later_takes_again() {
        let mut running = start(Sample::new());
        running.full.store(true, Ordering::SeqCst);
        running.append(1, 1, 1);
        let refused = running.settled().1.unwrap();
        assert_eq!((refused.first, refused.appends), (1, vec![(room(1), 1)]));
        assert!(refused.why.contains("disk is full"));
        running.full.store(false, Ordering::SeqCst);
        running.append(2, 1, 2);
        assert_eq!(running.settled().1.unwrap().appends, [(room(1), 2)], "it stands on what is not there");
        running.committer.write(Write::Reopen { room: room(1) });
        assert!(matches!(running.told(), Told::Reopened { room: reopened, .. } if reopened == room(1)));
        running.append(3, 1, 1);
        running.settle_through(3);
        assert_eq!(running.store.reader().arrivals(&room(1), 0, 10).unwrap().len(), 1);
    }

    #[test]
    fn a_save_that_failed_goes_with_the_next_commit() {
        let mut running = start(Sample::new());
        running.save(1, Slot::Keys, Some(b"old"));
        running.settle_through(1);
        running.full.store(true, Ordering::SeqCst);
        running.save(2, Slot::Keys, Some(b"new"));
        running.save(3, Slot::Reading, Some(b"read"));
        while running.settled().0 < 3 {}
        assert_eq!(running.slots(), [(Slot::Keys, b"old".to_vec())]);
        running.full.store(false, Ordering::SeqCst);
        running.append(4, 2, 1);
        running.settle_through(4);
        assert_eq!(running.slots(), [(Slot::Keys, b"new".to_vec()), (Slot::Reading, b"read".to_vec())]);
    }

    #[test]
    fn what_could_not_be_saved_yet_is_handed_back() {
        let mut running = start(Sample::new());
        running.full.store(true, Ordering::SeqCst);
        running.save(1, Slot::Keys, Some(b"new"));
        assert!(running.settled().1.unwrap().appends.is_empty());
        running.append(2, 1, 1);
        running.settled();
        running.committer.write(Write::Reopen { room: room(1) });
        let Told::Reopened { unsaved, .. } = running.told() else { panic!() };
        assert_eq!(unsaved, [(Slot::Keys, Some(b"new".to_vec()))]);
    }

    #[test]
    fn a_closed_database_is_opened_again_by_the_next_commit() {
        let mut running = start(Sample::new());
        running.append(1, 1, 1);
        running.settle_through(1);
        running.store.0.close();
        assert!(running.store.reader().get(&room(1), &record(1).position.id).is_err());
        running.append(2, 1, 2);
        running.settle_through(2);
        assert_eq!(running.store.reader().arrivals(&room(1), 0, 10).unwrap().len(), 2);
    }

    #[test]
    fn a_stop_leaves_little_to_read_again() {
        let mut running = start(Sample::new());
        for number in 1..=300 {
            running.append(number, 1, number);
        }
        running.settle_through(300);
        let sample = running.ended();
        assert_eq!(super::super::journal::size(&sample.path()), 0);
        let mut running = start(sample);
        let reader = running.store.reader();
        assert_eq!(reader.arrivals(&room(1), 0, 1000).unwrap().len(), 300);
        running.append(301, 1, 301);
        running.settle_through(301);
        super::super::journal::fold(&running.store.0).unwrap();
        assert_eq!(reader.get(&room(1), &record(7).position.id).unwrap(), Some(record(7)));
        running.append(302, 1, 302);
        running.settle_through(302);
        drop(reader);
        let running = running.restart();
        assert_eq!(running.store.reader().arrivals(&room(1), 0, 1000).unwrap().len(), 302);
    }

    #[test]
    fn a_forgotten_room_leaves_nothing() {
        let mut running = start(Sample::new());
        running.append(1, 1, 1);
        running.append(2, 2, 1);
        running.save(3, Slot::State, Some(b"state"));
        running.committer.write(Write::Forget { number: 4, room: room(1) });
        running.append(5, 1, 7);
        running.settle_through(5);
        let running = running.restart();
        assert_eq!(running.store.reader().arrivals(&room(1), 0, 10).unwrap(), [(7, record(7).position.id)]);
        assert_eq!(running.store.reader().arrivals(&room(2), 0, 10).unwrap().len(), 1);
        assert!(running.slots().is_empty());
        let state = running.store.0.tables();
        assert_eq!(state.as_ref().unwrap().log.len().unwrap(), 2);
        assert!(state.as_ref().unwrap().meta.prefix([b'g']).next().is_none());
    }

    #[test]
    fn a_folder_keeps_its_room() {
        let running = start(Sample::new());
        let folder = running.sample.folder("project/src");
        let bindings = Bindings::load(&running.store, running.committer.clone()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let project = folder.parent().unwrap();
        runtime.block_on(bindings.bind(project, room(1))).unwrap();
        assert_eq!(bindings.bound(&folder), Some((project.into(), room(1))));
        assert_eq!(bindings.folder_of(&room(1)).as_deref(), Some(project));
        assert_eq!(bindings.bound(project.parent().unwrap()), None);
        drop(bindings);
        let running = running.restart();
        let bindings = Bindings::load(&running.store, running.committer.clone()).unwrap();
        assert_eq!(bindings.bound(&folder), Some((project.into(), room(1))));
        runtime.block_on(bindings.unbind(project)).unwrap();
        assert_eq!(bindings.bound(&folder), None);
    }

    #[test]
    fn a_binding_that_cannot_be_written_is_not_made() {
        let running = start(Sample::new());
        running.full.store(true, Ordering::SeqCst);
        let (done, mut written) = oneshot::channel();
        running.committer.write(Write::Bind { folder: "/somewhere".into(), room: Some(room(1)), done });
        assert!(loop {
            if let Ok(result) = written.try_recv() {
                break result.is_err();
            }
            thread::yield_now();
        });
    }

    #[test]
    fn another_key_does_not_open_the_store() {
        let mut sample = start(Sample::new()).ended();
        sample.key = 9;
        assert!(matches!(sample.try_open(), Err(StoreError::WrongKey)));
    }

    #[test]
    fn a_start_killed_while_it_made_the_store_is_made_good() {
        let sample = Sample::new();
        std::fs::write(sample.path().join("0.jnl"), [0; 64]).unwrap();
        std::fs::create_dir(sample.path().join("keyspaces")).unwrap();
        sample.open();
    }
}
