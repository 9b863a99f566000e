//! One connection to a companion, with many requests in flight.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use serde_json::Value;
use tokio::io::BufReader;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::timeout;

use crate::control::{self, FrameError, FromCompanion, FromFace, Greeting, Said, Welcome, Wish, decode, encode};
use crate::{Code, Failure, Hello, Home, Notices, Request};

/// The rule of the failure that says that there is no companion to talk to.
pub const NOT_RUNNING: &str = "companion_not_running";

/// A companion that is alive greets at once; one that does not is stopped or starved.
const GREETING_WITHIN: Duration = Duration::from_secs(10);

/// Requests in flight on one connection; further ones wait here.
const IN_FLIGHT: usize = 128;

type Reader = BufReader<OwnedReadHalf>;
type Answer = Result<Value, Failure>;

/// The connection ended before the answer came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Lost;

pub(crate) struct Connection {
    welcome: Welcome,
    waiting: Arc<Mutex<Waiting>>,
    outgoing: mpsc::UnboundedSender<Vec<u8>>,
    in_flight: Semaphore,
}

/// Who waits for which answer.
#[derive(Default)]
struct Waiting {
    last: u64,
    closed: bool,
    answers: HashMap<u64, oneshot::Sender<Answer>>,
}

impl Connection {
    pub async fn open(home: &Home, hello: &Hello) -> Result<Self, Failure> {
        let (mut reader, writer, welcome) = greet(home, hello).await?;
        let waiting = Arc::new(Mutex::new(Waiting::default()));
        let (outgoing, frames) = mpsc::unbounded_channel();
        tokio::spawn(write(writer, frames));
        let answers = waiting.clone();
        tokio::spawn(async move {
            let farewell = hand_out(&mut reader, &answers).await;
            close(&answers, farewell);
        });
        Ok(Self { welcome, waiting, outgoing, in_flight: Semaphore::new(IN_FLIGHT) })
    }

    pub fn welcome(&self) -> &Welcome {
        &self.welcome
    }

    pub fn is_open(&self) -> bool {
        !locked(&self.waiting).closed
    }

    /// Asks one thing. Dropping the future tells the companion that nobody waits any more.
    pub async fn ask(&self, request: Request) -> Result<Answer, Lost> {
        let _permit = self.in_flight.acquire().await;
        let (id, answer) = self.expect_answer().ok_or(Lost)?;
        let mut asked = Asked { connection: self, id, answered: false };
        match frame(&FromFace { id, what: Wish::Request(Box::new(request)) }) {
            Ok(frame) => drop(self.outgoing.send(frame)),
            Err(failure) => return Ok(Err(failure)),
        }
        let result = answer.await;
        asked.answered = true;
        result.map_err(|_| Lost)
    }

    fn expect_answer(&self) -> Option<(u64, oneshot::Receiver<Answer>)> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = locked(&self.waiting);
        if waiting.closed {
            return None;
        }
        waiting.last += 1;
        let id = waiting.last;
        waiting.answers.insert(id, sender);
        Some((id, receiver))
    }
}

/// A request under way; cancels it when nobody waits for it any more.
struct Asked<'a> {
    connection: &'a Connection,
    id: u64,
    answered: bool,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        if self.answered {
            return;
        }
        locked(&self.connection.waiting).answers.remove(&self.id);
        if let Ok(frame) = frame(&FromFace { id: self.id, what: Wish::Cancel(true) }) {
            let _ = self.connection.outgoing.send(frame);
        }
    }
}

/// Everything that happens from now on, over a connection of its own.
pub(crate) async fn subscribe(home: &Home, hello: &Hello) -> Result<Notices, Failure> {
    let (mut reader, mut writer, _) = greet(home, hello).await?;
    let subscribe = frame(&FromFace { id: 1, what: Wish::Subscribe(true) })?;
    control::write_frame(&mut writer, &subscribe).await.map_err(broken)?;
    match said(&mut reader).await.map_err(broken)? {
        Some(FromCompanion { what: Said::Failure(failure), .. }) => return Err(failure),
        Some(_) => {}
        None => return Err(broken(io::Error::from(io::ErrorKind::UnexpectedEof))),
    }
    let stream = futures::stream::unfold((reader, writer), |(mut reader, writer)| async move {
        let said = said(&mut reader).await.ok()??;
        Some((said, (reader, writer)))
    });
    let notices = stream.filter_map(|said| async move {
        match said.what {
            Said::Notice(notice) => Some(notice),
            Said::Answer(_) | Said::Failure(_) => None,
        }
    });
    Ok(Box::pin(notices))
}

async fn greet(home: &Home, hello: &Hello) -> Result<(Reader, OwnedWriteHalf, Welcome), Failure> {
    let stream = connect(home).await?;
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    let greeting = async {
        control::write_frame(&mut writer, &encode(hello)?).await?;
        let frame = control::read_frame(&mut reader).await?;
        decode(&frame.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?)
    };
    match timeout(GREETING_WITHIN, greeting).await {
        Err(_) => Err(silent()),
        Ok(Err(FrameError::Io(error))) => Err(not_running(error)),
        Ok(Err(error)) => Err(broken(error)),
        Ok(Ok(Greeting::Failure(failure))) => Err(failure),
        Ok(Ok(Greeting::Welcome(welcome))) => Ok((reader, writer, welcome)),
    }
}

async fn connect(home: &Home) -> Result<UnixStream, Failure> {
    let path = control::socket_path(home).map_err(not_running)?;
    let stream = UnixStream::connect(path).await.map_err(not_running)?;
    let theirs = stream.peer_cred().map_err(not_running)?.uid();
    let ours = rustix::process::geteuid().as_raw();
    if theirs != ours {
        return Err(Failure::new(
            Code::CompanionUnreachable,
            "companion_of_another_user",
            format!("The companion of {} runs as user {theirs}, this program as user {ours}", home.path().display()),
            "Run the command as that user, or name a home of your own with `--home`.",
        ));
    }
    Ok(stream)
}

async fn write(mut writer: OwnedWriteHalf, mut frames: mpsc::UnboundedReceiver<Vec<u8>>) {
    while let Some(frame) = frames.recv().await {
        if control::write_frame(&mut writer, &frame).await.is_err() {
            return;
        }
    }
}

/// Hands out answers until the connection ends; says what the companion ended it with.
async fn hand_out(reader: &mut Reader, waiting: &Mutex<Waiting>) -> Option<Failure> {
    loop {
        let FromCompanion { id, what } = said(reader).await.ok()??;
        let sender = id.and_then(|id| locked(waiting).answers.remove(&id));
        match (what, sender) {
            (Said::Answer(value), Some(sender)) => drop(sender.send(Ok(value))),
            (Said::Failure(failure), Some(sender)) => drop(sender.send(Err(failure))),
            (Said::Failure(failure), None) if id.is_none() => return Some(failure),
            _ => {}
        }
    }
}

fn close(waiting: &Mutex<Waiting>, farewell: Option<Failure>) {
    let answers = {
        let mut waiting = locked(waiting);
        waiting.closed = true;
        std::mem::take(&mut waiting.answers)
    };
    if let Some(failure) = farewell {
        for sender in answers.into_values() {
            let _ = sender.send(Err(failure.clone()));
        }
    }
}

async fn said(reader: &mut Reader) -> Result<Option<FromCompanion>, FrameError> {
    control::read_frame(reader).await?.map(|frame| decode(&frame)).transpose()
}

fn frame(what: &FromFace) -> Result<Vec<u8>, Failure> {
    let frame = encode(what).map_err(broken)?;
    if frame.len() > control::FRAME_MAX {
        return Err(Failure::new(
            Code::Usage,
            "too_long",
            format!("The request has {} bytes, at most {} are allowed", frame.len(), control::FRAME_MAX),
            "Say it in less, or in several parts.",
        ));
    }
    Ok(frame)
}

/// A task that panicked with the lock held leaves the table as it was between two statements.
fn locked(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

fn not_running(error: io::Error) -> Failure {
    use io::ErrorKind::{BrokenPipe, ConnectionRefused, ConnectionReset, NotADirectory, NotFound, UnexpectedEof};
    if matches!(
        error.kind(),
        ConnectionRefused | ConnectionReset | BrokenPipe | NotADirectory | NotFound | UnexpectedEof
    ) {
        let message = "No companion is running for this home";
        return Failure::new(Code::CompanionUnreachable, NOT_RUNNING, message, "Start it with `pairwave up`.");
    }
    Failure::new(
        Code::CompanionUnreachable,
        "socket_unusable",
        format!("The companion's control socket cannot be used: {error}"),
        "Run `pairwave doctor`.",
    )
}

fn silent() -> Failure {
    Failure::new(
        Code::CompanionUnreachable,
        "companion_silent",
        format!("The companion did not answer within {} s", GREETING_WITHIN.as_secs()),
        "Run `pairwave down`, then the command again.",
    )
}

fn broken(error: impl std::fmt::Display) -> Failure {
    Failure::new(
        Code::CompanionUnreachable,
        "connection_broken",
        format!("The companion's control socket says something that this program does not understand: {error}"),
        "Run `pairwave down`, then the command again, so that both are of one version.",
    )
}
