use std::sync::atomic::{AtomicBool, Ordering};

use pairwave_core::command::Speaker;
use pairwave_core::event::Origin;
use pairwave_core::id::SessionId;
use pairwave_core::key::{Identity, StorageKey};
use pairwave_core::talk::{Kind, Message};
use pairwave_wire::TransportId;

use super::*;
use crate::store::Options;

const BY: Speaker = Speaker { session: SessionId([1; 16]), origin: Origin::Human };

/// A network in which nothing happens.
struct Silence;

impl Network for Silence {
    fn carry_out(&self, _: Effect) {}

    async fn next(&mut self) -> Option<Input> {
        std::future::pending().await
    }
}

/// One companion's driver on a folder that outlives it.
struct Running {
    folder: tempfile::TempDir,
    handle: DriverHandle,
    task: tokio::task::JoinHandle<()>,
    full: Arc<AtomicBool>,
    committer: Committer,
}

fn open_store(folder: &std::path::Path) -> Store {
    let path = folder.join("store");
    std::fs::create_dir_all(&path).unwrap();
    let options = Options { cache: 1 << 20, markers: folder.join("rooms") };
    Store::open(&path, StorageKey::new([1; 32]), options).unwrap()
}

impl Running {
    fn start(folder: tempfile::TempDir) -> Self {
        let store = open_store(folder.path());
        let full = Arc::new(AtomicBool::new(false));
        let disk = full.clone();
        let free = Box::new(move |_: &std::path::Path| Ok(if disk.load(Ordering::SeqCst) { 0 } else { u64::MAX }));
        let identity = Identity::from_secret(&[7; 32]);
        let (tell, told) = mpsc::unbounded_channel();
        let committer = Committer::start_on(&store, identity.member(), tell, free).unwrap();
        let clock = Arc::new(Clock::start());
        let transport = TransportId::new([1; 38]).unwrap();
        let seed = [clock.now().0 as u8; 32];
        let node = Node::new(identity, transport, Default::default(), seed, store.reader(), clock.now());
        let driver = Driver { node, store, committer: committer.clone(), told, network: Silence, clock };
        let (handle, run) = driver.start();
        Self { folder, handle, task: tokio::spawn(run), full, committer }
    }

    async fn restart(self) -> Self {
        Self::start(self.stop().await)
    }

    async fn stop(self) -> tempfile::TempDir {
        self.handle.stop().await;
        self.task.await.unwrap();
        self.folder
    }

    async fn create(&self) -> Result<Outcome, Refusal> {
        self.handle.command(Command::Create { by: BY, title: "t".into(), name: "alice".into() }).await
    }

    async fn send(&self, room: RoomId, text: &str) -> Result<Outcome, Refusal> {
        let message = Message::new(Kind::Chat, text);
        self.handle.command(Command::Send { room, by: BY, message }).await
    }

    async fn count(&self, room: RoomId) -> Option<u64> {
        self.handle.query(move |node| node.room(&room).map(|room| room.count())).await
    }
}

fn created(outcome: Result<Outcome, Refusal>) -> RoomId {
    match outcome.unwrap() {
        Outcome::Created { room } => room,
        outcome => panic!("{outcome:?}"),
    }
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_restart() {
    let running = Running::start(tempfile::tempdir().unwrap());
    let room = created(running.create().await);
    for text in ["one", "two"] {
        running.send(room, text).await.unwrap();
    }
    let events = running.count(room).await;
    assert!(events >= Some(3));
    let running = running.restart().await;
    assert_eq!(running.count(room).await, events);
    running.send(room, "three").await.unwrap();
    assert_eq!(running.count(room).await, events.map(|events| events + 1));
}

#[tokio::test]
async fn on_a_full_disk_nothing_is_acknowledged_and_later_all_goes_on() {
    let running = Running::start(tempfile::tempdir().unwrap());
    let room = created(running.create().await);
    let events = running.count(room).await;
    let mut notices = running.handle.notices();
    running.full.store(true, Ordering::SeqCst);
    assert!(matches!(running.send(room, "lost").await, Err(Refusal::StoreFailed { .. })));
    assert!(matches!(running.create().await, Err(Refusal::StoreFailed { .. })));
    running.full.store(false, Ordering::SeqCst);
    while !matches!(notices.recv().await.unwrap(), Notice::Reopening { room: closed, .. } if closed == room) {}
    while running.count(room).await.is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(running.count(room).await, events);
    running.send(room, "kept").await.unwrap();
    let running = running.restart().await;
    assert_eq!(running.count(room).await, events.map(|events| events + 1));
    assert_eq!(running.handle.query(|node| node.rooms().count()).await, 1);
}

/// The keys of a room are kept; 0 is the number of nothing that the driver waits for.
fn keys(room: RoomId, value: Vec<u8>) -> Write {
    Write::Save { number: 0, room, slot: Slot::Keys, value: Some(value) }
}

#[tokio::test]
async fn a_room_that_cannot_be_read_is_tried_again() {
    let running = Running::start(tempfile::tempdir().unwrap());
    let room = created(running.create().await);
    let (events, me) = (running.count(room).await, running.handle.query(|node| node.me()).await);
    let folder = running.stop().await;
    let store = open_store(folder.path());
    let kept = store.kept(&room, &me).unwrap().slots.into_iter().find(|(slot, _)| *slot == Slot::Keys).unwrap().1;
    let (tell, mut told) = mpsc::unbounded_channel();
    let committer = Committer::start(&store, me, tell).unwrap();
    committer.write(keys(room, vec![0xff]));
    assert!(matches!(told.recv().await, Some(Told::Settled { refused: None, .. })));
    drop(committer);
    while told.recv().await.is_some() {}
    drop(store);

    tokio::time::pause();
    let running = Running::start(folder);
    assert_eq!(running.count(room).await, None);
    running.committer.write(keys(room, kept));
    while running.count(room).await.is_none() {
        tokio::task::yield_now().await;
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    assert_eq!(running.count(room).await, events);
    running.send(room, "on it goes").await.unwrap();
}

#[tokio::test]
async fn many_at_once_are_each_acknowledged() {
    let running = Running::start(tempfile::tempdir().unwrap());
    let room = created(running.create().await);
    let before = running.count(room).await.unwrap();
    let sends = (0..200).map(|n| {
        let handle = running.handle.clone();
        let message = Message::new(Kind::Chat, format!("m{n}"));
        async move { handle.command(Command::Send { room, by: BY, message }).await }
    });
    for outcome in futures::future::join_all(sends).await {
        assert!(matches!(outcome, Ok(Outcome::Said { .. })), "{outcome:?}");
    }
    let running = running.restart().await;
    assert_eq!(running.count(room).await, Some(before + 200));
}

#[tokio::test]
async fn a_stopped_driver_refuses_and_keeps_silent() {
    let running = Running::start(tempfile::tempdir().unwrap());
    running.handle.stop().await;
    running.task.await.unwrap();
    let handle = running.handle;
    let create = Command::Create { by: BY, title: "t".into(), name: "alice".into() };
    assert!(matches!(handle.command(create).await, Err(Refusal::StoreFailed { .. })));
    let query = handle.query(|node| node.me());
    assert!(futures::FutureExt::now_or_never(query).is_none());
}
