//! The task that carries one stream: frames in, frames out, and one end.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use futures::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use libp2p::swarm::Stream;
use pairwave_core::input::{LinkId, Protocol};
use pairwave_wire::TransportId;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};

use super::reading::Reading;
use super::writing::Writing;
use crate::net::outlet::Outlet;
use crate::net::paths::Heard;
use crate::net::{NetEvent, Patience};

/// How long the end of a stream may take when the other side ended it.
const FAREWELL: Duration = Duration::from_secs(1);

/// What a stream's task tells the behaviour.
#[derive(Debug)]
pub enum Report {
    /// Its first frame got an answer.
    Proved(LinkId),
    /// `Closed` has been told.
    Ended(LinkId),
}

/// How a stream is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    No,
    /// After what is queued.
    Flush,
    /// At once: its connection is gone.
    Now,
}

/// One stream that is up.
pub struct Pump {
    pub link: LinkId,
    /// Who opened it; `None`: we did.
    pub accepted: Option<(TransportId, Protocol)>,
    pub stream: Stream,
    pub frames: mpsc::UnboundedReceiver<Vec<u8>>,
    /// Bytes in `frames`.
    pub backlog: Arc<AtomicUsize>,
    pub ending: watch::Receiver<Ending>,
    pub heard: Heard,
    pub outlet: Outlet,
    pub reports: mpsc::UnboundedSender<Report>,
    pub patience: Patience,
    /// Its connection is a circuit with small limits.
    pub small: bool,
}

/// Why it is over.
#[derive(Debug, PartialEq, Eq)]
enum Over {
    /// We ended it, and everything was written.
    Flushed,
    /// The other side ended it, or broke a rule.
    Theirs,
    /// There is nothing to wait for.
    Lost,
}

impl Pump {
    /// Carries the stream to its end, and tells of it.
    pub async fn run(self) {
        let Self { link, accepted, stream, frames, backlog, mut ending, heard, outlet, reports, patience, small } =
            self;
        let (mut source, mut sink) = stream.split();
        let (answered, answer) = oneshot::channel();
        let mut reading = Reading::new(link, accepted, heard, answer, outlet.clone(), reports.clone(), patience);
        reading.is_small(small);
        let writing = Writing { link, frames, backlog, outlet: outlet.clone(), answered: Some(answered) };
        let over = talk(&mut reading, &mut source, writing, &mut sink, &mut ending, patience.linger).await;
        if reading.is_told() {
            let mut outlet = outlet;
            // Nobody is left to tell when the whole network stops.
            let _ = outlet.emit(NetEvent::Closed { link }).await;
        }
        match over {
            Over::Flushed => tokio::select! {
                () = drain(&mut source) => {}
                () = sleep(patience.linger) => {}
                _ = ending.wait_for(|ending| *ending == Ending::Now) => {}
            },
            Over::Theirs => drop(timeout(FAREWELL, sink.close()).await),
            Over::Lost => {}
        }
        let _ = reports.send(Report::Ended(link));
    }
}

async fn talk(
    reading: &mut Reading,
    source: &mut (impl AsyncRead + Unpin),
    writing: Writing,
    sink: &mut (impl futures::AsyncWrite + Unpin),
    ending: &mut watch::Receiver<Ending>,
    linger: Duration,
) -> Over {
    let link = reading.link();
    let mut writing = std::pin::pin!(writing.run(sink));
    let written = |result: std::io::Result<()>| if result.is_ok() { Over::Flushed } else { Over::Lost };
    tokio::select! {
        stopped = reading.run(source) => {
            tracing::debug!(?link, reason = %stopped, "a stream ends");
            return Over::Theirs;
        }
        result = &mut writing => return written(result),
        _ = ending.wait_for(|ending| *ending != Ending::No) => {}
    }
    tokio::select! {
        result = &mut writing => written(result),
        () = sleep(linger) => Over::Lost,
        _ = ending.wait_for(|ending| *ending == Ending::Now) => Over::Lost,
    }
}

/// Reads to the end and forgets it. The other side ends its half when it has everything, and a
/// connection closed before that would take the last frames with it.
async fn drain(source: &mut (impl AsyncRead + Unpin)) {
    let mut ignored = [0; 4096];
    while source.read(&mut ignored).await.is_ok_and(|read| read > 0) {}
}
