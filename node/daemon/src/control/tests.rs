//! The client and the server over a real socket.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures::{FutureExt, StreamExt};
use pairwave_api::control::{
    FRAME_MAX, FromCompanion, FromFace, Greeting, Said, Welcome, Wish, decode, encode, read_frame, socket_path,
    write_frame,
};
use pairwave_api::{Client, Code, Companion, Down, Face, Home, Inbox, Read, Rooms, Wait, Whoami};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Notify, broadcast, oneshot};

use super::*;

/// Answers `Rooms` with a count, `Read` when `release` says so, `Wait` never, and counts what
/// happened to them.
struct Fake {
    asked: AtomicUsize,
    cancelled: AtomicUsize,
    written: Arc<AtomicUsize>,
    farewells: AtomicUsize,
    changed: Notify,
    release: Notify,
    notices: broadcast::Sender<Notice>,
}

impl Fake {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            asked: AtomicUsize::new(0),
            cancelled: AtomicUsize::new(0),
            written: Arc::default(),
            farewells: AtomicUsize::new(0),
            changed: Notify::new(),
            release: Notify::new(),
            notices: broadcast::channel(8).0,
        })
    }

    async fn until(&self, done: impl Fn(&Self) -> bool) {
        loop {
            let changed = self.changed.notified();
            if done(self) {
                return;
            }
            changed.await;
        }
    }

    fn count(&self, counter: &AtomicUsize) -> usize {
        let count = counter.fetch_add(1, Ordering::SeqCst);
        self.changed.notify_waiters();
        count
    }
}

struct Cancelled<'a>(&'a Fake);

impl Drop for Cancelled<'_> {
    fn drop(&mut self) {
        self.0.count(&self.0.cancelled);
    }
}

impl Service for Fake {
    type Caller = Hello;

    fn greet(&self, hello: Hello, pid: Option<u32>) -> BoxFuture<'_, Result<Hello, Failure>> {
        assert_eq!(pid, Some(std::process::id()));
        std::future::ready(Ok(hello)).boxed()
    }

    fn call<'a>(&'a self, caller: &'a Hello, request: Request) -> BoxFuture<'a, Result<Reply, Failure>> {
        async move {
            let count = self.count(&self.asked);
            match request {
                Request::Wait(_) => {
                    let _cancelled = Cancelled(self);
                    std::future::pending().await
                }
                Request::Read(_) => {
                    self.release.notified().await;
                    Ok(Value::from("released").into())
                }
                Request::Inbox(_) => {
                    let written = self.written.clone();
                    let written = async move {
                        written.fetch_add(1, Ordering::SeqCst);
                    }
                    .boxed();
                    Ok(Reply { value: Value::from("given"), written: Some(written) })
                }
                Request::Whoami(_) => Ok(Value::from(caller.session.clone()).into()),
                _ => Ok(Value::from(count).into()),
            }
        }
        .boxed()
    }

    fn notices(&self, _: &Hello) -> BoxStream<'static, Notice> {
        let receiver = self.notices.subscribe();
        futures::stream::unfold(receiver, |mut receiver| async { Some((receiver.recv().await.ok()?, receiver)) })
            .boxed()
    }

    fn farewell(&self, _: Hello) -> BoxFuture<'_, ()> {
        self.count(&self.farewells);
        std::future::ready(()).boxed()
    }
}

struct Served {
    fake: Arc<Fake>,
    home: Home,
    stop: Option<oneshot::Sender<()>>,
    task: tokio::task::JoinHandle<()>,
    _folder: tempfile::TempDir,
}

impl Served {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path());
        std::fs::create_dir_all(home.run()).unwrap();
        let fake = Fake::new();
        let (task, stop) = Self::start(&home, &fake);
        Self { fake, home, stop: Some(stop), task, _folder: folder }
    }

    fn start(home: &Home, fake: &Arc<Fake>) -> (tokio::task::JoinHandle<()>, oneshot::Sender<()>) {
        let listener = Listener::bind(home).unwrap();
        let (stop, stopped) = oneshot::channel();
        (tokio::spawn(serve(listener, fake.clone(), stopped.map(drop))), stop)
    }

    async fn client(&self) -> Client {
        Client::connect(&self.home, hello()).await.unwrap()
    }

    async fn stop(&mut self) {
        drop(self.stop.take());
        (&mut self.task).await.unwrap();
    }

    async fn raw(&self) -> UnixStream {
        UnixStream::connect(socket_path(&self.home).unwrap()).await.unwrap()
    }
}

fn hello() -> Hello {
    Hello { session: Some("s1".into()), ..Hello::new(Face::Cli) }
}

fn wait() -> Request {
    Wait { timeout_s: 600, ..Wait::default() }.into()
}

async fn next_text(stream: &mut UnixStream) -> Option<String> {
    read_frame(stream).await.unwrap().map(|frame| String::from_utf8(frame).unwrap())
}

#[tokio::test]
async fn many_requests_are_answered_in_any_order() {
    let served = Served::new();
    let client = served.client().await;
    let slow = client.call(Read::default().into());
    let quick = async {
        served.fake.until(|fake| fake.asked.load(Ordering::SeqCst) == 1).await;
        for _ in 0..50 {
            client.call(Rooms {}.into()).await.unwrap();
        }
        served.fake.release.notify_one();
    };
    let (slow, ()) = tokio::join!(slow, quick);
    assert_eq!(slow.unwrap(), "released");
    assert_eq!(client.call(Whoami::default().into()).await.unwrap(), "s1");
}

#[tokio::test]
async fn a_request_that_nobody_waits_for_is_cancelled() {
    let served = Served::new();
    let client = served.client().await;
    let asked = served.fake.until(|fake| fake.asked.load(Ordering::SeqCst) == 1);
    tokio::select! { _ = client.call(wait()) => unreachable!(), () = asked => {} }
    served.fake.until(|fake| fake.cancelled.load(Ordering::SeqCst) == 1).await;
    assert!(client.call(Rooms {}.into()).await.is_ok());
}

#[tokio::test]
async fn requests_end_with_their_connection() {
    let served = Served::new();
    let client = served.client().await;
    let asked = served.fake.until(|fake| fake.asked.load(Ordering::SeqCst) == 1);
    tokio::select! { _ = client.call(wait()) => unreachable!(), () = asked => {} }
    drop(client);
    served.fake.until(|fake| fake.cancelled.load(Ordering::SeqCst) == 1).await;
    served.fake.until(|fake| fake.farewells.load(Ordering::SeqCst) == 1).await;
}

#[tokio::test]
async fn what_was_not_written_does_not_count_as_shown() {
    let served = Served::new();
    let mut gone = served.raw().await;
    write_frame(&mut gone, &encode(&hello()).unwrap()).await.unwrap();
    next_text(&mut gone).await.unwrap();
    rustix::net::shutdown(&gone, rustix::net::Shutdown::Read).unwrap();
    let inbox = FromFace { id: 1, what: Wish::Request(Box::new(Inbox::default().into())) };
    write_frame(&mut gone, &encode(&inbox).unwrap()).await.unwrap();
    served.fake.until(|fake| fake.farewells.load(Ordering::SeqCst) == 1).await;
    assert_eq!(served.fake.asked.load(Ordering::SeqCst), 1);
    assert_eq!(served.fake.written.load(Ordering::SeqCst), 0);
    let client = served.client().await;
    client.call(Inbox::default().into()).await.unwrap();
    client.call(Rooms {}.into()).await.unwrap();
    assert_eq!(served.fake.written.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_client_connects_again() {
    let mut served = Served::new();
    let client = served.client().await;
    client.call(Rooms {}.into()).await.unwrap();
    served.stop().await;
    assert_eq!(client.call(Rooms {}.into()).await.unwrap_err().code, Code::CompanionUnreachable);
    let (_task, _stop) = Served::start(&served.home, &served.fake);
    assert!(client.call(Rooms {}.into()).await.is_ok());
}

/// A companion that is killed while it answers the first request, and answers the second.
async fn dies_once(home: Home) -> Vec<FromFace> {
    let listener = UnixListener::bind(home.socket()).unwrap();
    let mut asked = Vec::new();
    for answers in [false, true] {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_frame(&mut stream).await.unwrap().unwrap();
        let welcome = Welcome { version: pairwave_api::VERSION.into(), pid: 1 };
        write_frame(&mut stream, &encode(&Greeting::Welcome(welcome)).unwrap()).await.unwrap();
        let ask: FromFace = decode(&read_frame(&mut stream).await.unwrap().unwrap()).unwrap();
        if answers {
            let answer = FromCompanion { id: Some(ask.id), what: Said::Answer(Value::from("second")) };
            write_frame(&mut stream, &encode(&answer).unwrap()).await.unwrap();
        }
        asked.push(ask);
    }
    asked
}

async fn ask_who_dies_once(request: Request) -> (Result<Value, Failure>, tokio::task::JoinHandle<Vec<FromFace>>) {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::new(folder.path());
    std::fs::create_dir_all(home.run()).unwrap();
    let mut companion = Box::pin(dies_once(home.clone()));
    assert!(futures::poll!(&mut companion).is_pending());
    let companion = tokio::spawn(companion);
    let client = Client::connect(&home, hello()).await.unwrap();
    (client.call(request).await, companion)
}

#[tokio::test]
async fn what_does_no_harm_twice_is_asked_again_under_the_same_key() {
    let say = pairwave_api::Send { kind: "chat".into(), text: "hi".into(), ..Default::default() };
    let (answer, companion) = ask_who_dies_once(say.into()).await;
    assert_eq!(answer.unwrap(), "second");
    let asked = companion.await.unwrap();
    assert_eq!(asked[0].what, asked[1].what);
    assert!(
        matches!(&asked[0].what, Wish::Request(request) if matches!(&**request, Request::Send(send) if send.key.is_some()))
    );
}

#[tokio::test]
async fn what_may_do_harm_twice_is_asked_once() {
    let remove = pairwave_api::Remove { member: "bob".into(), ..Default::default() };
    let (answer, companion) = ask_who_dies_once(remove.into()).await;
    assert_eq!(answer.unwrap_err().rule, "connection_lost");
    companion.abort();
}

#[tokio::test]
async fn who_waits_is_told_that_the_companion_ends() {
    let mut served = Served::new();
    let client = served.client().await;
    let fake = served.fake.clone();
    let stop = async {
        fake.until(|fake| fake.asked.load(Ordering::SeqCst) == 1).await;
        served.stop().await;
    };
    let (answer, ()) = tokio::join!(client.call(wait()), stop);
    assert_eq!(answer.unwrap_err().rule, "companion_ended");
}

#[tokio::test]
async fn notices_come_as_they_happen_and_end_with_the_companion() {
    let mut served = Served::new();
    let client = served.client().await;
    let mut notices = client.notices().await.unwrap();
    let joined = |room: &str| Notice::Joined { room: room.into() };
    served.fake.notices.send(joined("a")).unwrap();
    served.fake.notices.send(joined("b")).unwrap();
    assert_eq!(notices.next().await, Some(joined("a")));
    assert_eq!(notices.next().await, Some(joined("b")));
    served.stop().await;
    assert_eq!(notices.next().await, None);
}

#[tokio::test]
async fn another_version_gets_nothing_but_the_end() {
    let served = Served::new();
    let mut old = served.raw().await;
    write_frame(&mut old, &encode(&Hello { version: "0.0.1".into(), ..hello() }).unwrap()).await.unwrap();
    assert!(next_text(&mut old).await.unwrap().contains("welcome"));
    for (request, expected) in [(Request::from(Rooms {}), "version_mismatch"), (Down {}.into(), r#""answer":0"#)] {
        let ask = FromFace { id: 1, what: Wish::Request(Box::new(request)) };
        write_frame(&mut old, &encode(&ask).unwrap()).await.unwrap();
        assert!(next_text(&mut old).await.unwrap().contains(expected));
    }
}

#[tokio::test]
async fn garbage_is_answered_and_hurts_nobody_else() {
    let served = Served::new();
    for (garbage, goes_on) in [(&b"not json"[..], false), (br#"{"id":3,"request":{"ask":"fly"}}"#, true), (b"", false)]
    {
        let mut stream = served.raw().await;
        write_frame(&mut stream, &encode(&hello()).unwrap()).await.unwrap();
        next_text(&mut stream).await.unwrap();
        write_frame(&mut stream, garbage).await.unwrap();
        assert!(next_text(&mut stream).await.unwrap().contains("not_understood"));
        if !goes_on {
            assert_eq!(next_text(&mut stream).await, None);
        }
    }
    assert!(served.client().await.call(Rooms {}.into()).await.is_ok());
}

#[tokio::test]
async fn a_hello_that_is_none_is_answered() {
    let served = Served::new();
    let mut stream = served.raw().await;
    write_frame(&mut stream, br#"{"version":"0.1.0","face":"cat"}"#).await.unwrap();
    assert!(next_text(&mut stream).await.unwrap().contains("failure"));
    assert_eq!(next_text(&mut stream).await, None);
}

#[tokio::test]
async fn an_oversized_frame_is_refused_on_both_sides() {
    use tokio::io::AsyncWriteExt;
    let served = Served::new();
    let client = served.client().await;
    let big = pairwave_api::Send { kind: "chat".into(), text: "x".repeat(FRAME_MAX), ..Default::default() };
    let failure = client.call(big.into()).await.unwrap_err();
    assert_eq!((failure.code, &failure.rule[..]), (Code::Usage, "too_long"));
    let mut stream = served.raw().await;
    write_frame(&mut stream, &encode(&hello()).unwrap()).await.unwrap();
    next_text(&mut stream).await.unwrap();
    stream.write_all(&u32::MAX.to_be_bytes()).await.unwrap();
    assert!(next_text(&mut stream).await.unwrap().contains("not_understood"));
    assert_eq!(next_text(&mut stream).await, None);
}
