//! One connection of a face.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{AbortHandle, Aborted, BoxFuture, abortable};
use futures::stream::{BoxStream, FuturesUnordered};
use futures::{FutureExt, Stream, StreamExt};
use pairwave_api::control::{
    FrameError, FromCompanion, FromFace, Greeting, Said, Welcome, Wish, decode, encode, read_frame, write_frame,
};
use pairwave_api::{Code, Failure, Hello, Notice, Request, VERSION};
use serde::{Deserialize, Serialize};
use tokio::io::BufReader;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;
use tokio::time::timeout;

use super::{Reply, Service};

/// Requests in flight on one connection.
const IN_FLIGHT: usize = 256;

const HELLO_WITHIN: Duration = Duration::from_secs(5);

/// Somebody who does not read for this long is not there any more.
const WRITE_WITHIN: Duration = Duration::from_secs(30);

/// Serves one connection until it ends or the companion does.
pub(super) async fn run<S: Service>(
    stream: UnixStream,
    pid: Option<u32>,
    service: Arc<S>,
    mut stopped: watch::Receiver<bool>,
) {
    let (reader, mut writer) = stream.into_split();
    let mut frames = frames(reader).boxed();
    let hello = match timeout(HELLO_WITHIN, frames.next()).await {
        Ok(Some(Ok(frame))) => decode::<Hello>(&frame).map_err(not_understood),
        Ok(Some(Err(error @ (FrameError::TooLong { .. } | FrameError::Malformed(_))))) => Err(not_understood(error)),
        _ => return,
    };
    let version = hello.as_ref().map(|hello| hello.version.clone()).unwrap_or_default();
    let greeted = match hello {
        Ok(hello) => service.greet(hello, pid).await,
        Err(failure) => Err(failure),
    };
    match greeted {
        Err(failure) => drop(say(&mut writer, &Greeting::Failure(failure)).await),
        Ok(caller) => {
            let welcome = Welcome { version: VERSION.to_owned(), pid: std::process::id() };
            if say(&mut writer, &Greeting::Welcome(welcome)).await.is_ok() {
                Talk::new(&*service, &caller, version, writer).run(frames, &mut stopped).await;
            }
            service.farewell(caller).await;
        }
    }
}

type Answered = (u64, Result<Result<Reply, Failure>, Aborted>);

struct Talk<'a, S: Service> {
    service: &'a S,
    caller: &'a S::Caller,
    version: String,
    writer: OwnedWriteHalf,
    calls: FuturesUnordered<BoxFuture<'a, Answered>>,
    under_way: HashMap<u64, AbortHandle>,
    notices: BoxStream<'static, Notice>,
}

impl<'a, S: Service> Talk<'a, S> {
    fn new(service: &'a S, caller: &'a S::Caller, version: String, writer: OwnedWriteHalf) -> Self {
        let (calls, under_way) = (FuturesUnordered::new(), HashMap::new());
        Self { service, caller, version, writer, calls, under_way, notices: futures::stream::pending().boxed() }
    }

    async fn run(
        mut self,
        mut frames: BoxStream<'static, Result<Vec<u8>, FrameError>>,
        stopped: &mut watch::Receiver<bool>,
    ) {
        loop {
            let goes_on = tokio::select! {
                frame = frames.next() => match frame {
                    Some(Ok(frame)) => self.hear(&frame).await,
                    Some(Err(error @ FrameError::TooLong { .. })) => self.hang_up(not_understood(error)).await,
                    _ => Err(()),
                },
                Some(answered) = self.calls.next() => self.answer(answered).await,
                Some(notice) = self.notices.next() => self.tell(None, Said::Notice(notice)).await,
                () = ended(stopped) => self.hang_up(ending()).await,
            };
            if goes_on.is_err() {
                return;
            }
        }
    }

    async fn hear(&mut self, frame: &[u8]) -> Result<(), ()> {
        #[derive(Deserialize)]
        struct Id {
            id: u64,
        }
        match (decode::<FromFace>(frame), decode::<Id>(frame)) {
            (Ok(FromFace { id, what }), _) => self.heed(id, what).await,
            (Err(error), Ok(Id { id })) => self.tell(Some(id), Said::Failure(not_understood(error))).await,
            (Err(error), Err(_)) => self.hang_up(not_understood(error)).await,
        }
    }

    async fn heed(&mut self, id: u64, what: Wish) -> Result<(), ()> {
        match what {
            Wish::Request(request) => match self.admit(id, &request) {
                Ok(()) => {
                    let (call, handle) = abortable(self.service.call(self.caller, *request));
                    self.under_way.insert(id, handle);
                    self.calls.push(call.map(move |result| (id, result)).boxed());
                    Ok(())
                }
                Err(failure) => self.tell(Some(id), Said::Failure(failure)).await,
            },
            Wish::Subscribe(on) => {
                let none = || futures::stream::pending().boxed();
                self.notices = if on { self.service.notices(self.caller).fuse().boxed() } else { none() };
                self.tell(Some(id), Said::Answer(serde_json::Value::Object(Default::default()))).await
            }
            Wish::Cancel(_) => {
                self.under_way.remove(&id).inspect(AbortHandle::abort);
                Ok(())
            }
        }
    }

    fn admit(&self, id: u64, request: &Request) -> Result<(), Failure> {
        if self.version != VERSION && !matches!(request, Request::Down(_)) {
            return Err(other_version(&self.version));
        }
        if self.under_way.contains_key(&id) {
            return Err(usage("id_in_use", format!("Another request of id {id} is under way")));
        }
        if self.under_way.len() >= IN_FLIGHT {
            return Err(usage("busy", format!("{IN_FLIGHT} requests are under way on this connection")));
        }
        Ok(())
    }

    async fn answer(&mut self, (id, result): Answered) -> Result<(), ()> {
        let Ok(result) = result else { return Ok(()) };
        self.under_way.remove(&id);
        match result {
            Ok(Reply { value, written }) => {
                self.tell(Some(id), Said::Answer(value)).await?;
                if let Some(written) = written {
                    written.await;
                }
                Ok(())
            }
            Err(failure) => self.tell(Some(id), Said::Failure(failure)).await,
        }
    }

    async fn tell(&mut self, id: Option<u64>, what: Said) -> Result<(), ()> {
        match say(&mut self.writer, &FromCompanion { id, what }).await {
            Err(error @ (FrameError::TooLong { .. } | FrameError::Malformed(_))) if id.is_some() => {
                let failure = usage("answer_too_long", format!("The answer cannot be given: {error}"));
                say(&mut self.writer, &FromCompanion { id, what: Said::Failure(failure) }).await.map_err(drop)
            }
            result => result.map_err(drop),
        }
    }

    async fn hang_up(&mut self, failure: Failure) -> Result<(), ()> {
        self.tell(None, Said::Failure(failure)).await?;
        Err(())
    }
}

/// The frames of a connection, as a stream that loses nothing when its `next` is dropped.
fn frames(reader: OwnedReadHalf) -> impl Stream<Item = Result<Vec<u8>, FrameError>> {
    futures::stream::unfold(BufReader::new(reader), |mut reader| async move {
        let frame = read_frame(&mut reader).await.transpose()?;
        Some((frame, reader))
    })
}

async fn ended(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

async fn say<T: Serialize>(writer: &mut OwnedWriteHalf, what: &T) -> Result<(), FrameError> {
    let frame = encode(what)?;
    let written = timeout(WRITE_WITHIN, write_frame(writer, &frame)).await;
    written.unwrap_or_else(|_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()))
}

fn not_understood(error: FrameError) -> Failure {
    usage("not_understood", format!("The companion does not understand the request: {error}"))
}

fn usage(rule: &str, message: String) -> Failure {
    Failure::new(Code::Usage, rule, message, "See `pairwave help` for what can be asked.")
}

fn other_version(theirs: &str) -> Failure {
    Failure::new(
        Code::Failed,
        "version_mismatch",
        format!("This companion is version {VERSION}, the program that asks is version {theirs}"),
        "Run `pairwave down`, then the command again, so that both are of one version.",
    )
}

fn ending() -> Failure {
    Failure::new(Code::CompanionUnreachable, "companion_ended", "The companion was ended", "Ask again to start it.")
}
