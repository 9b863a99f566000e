//! One request and its answer.

use std::io;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{AsyncReadExt, AsyncWriteExt, FutureExt};
use libp2p::PeerId;
use libp2p::swarm::Stream;
use pairwave_wire::parcel;
use tokio::time::timeout;

use super::{Asker, Counter};

/// How long a relay may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

pub type Exchange = BoxFuture<'static, Exchanged>;

/// What came of a request.
pub struct Exchanged {
    pub relay: PeerId,
    pub counter: Counter,
    pub asker: Asker,
    pub request: Vec<u8>,
    pub answer: io::Result<(Vec<u8>, Stream)>,
    /// The stream had carried requests before.
    pub kept: bool,
}

pub fn exchange(
    relay: PeerId,
    counter: Counter,
    asker: Asker,
    request: Vec<u8>,
    mut stream: Stream,
    kept: bool,
) -> Exchange {
    async move {
        let answer = timeout(PATIENCE, talk(&mut stream, &request)).await;
        let answer = answer.map_err(|_| io::Error::from(io::ErrorKind::TimedOut)).flatten();
        Exchanged { relay, counter, asker, request, answer: answer.map(|bytes| (bytes, stream)), kept }
    }
    .boxed()
}

async fn talk(stream: &mut Stream, request: &[u8]) -> io::Result<Vec<u8>> {
    let parcel = parcel::encode(request).map_err(io::Error::other)?;
    stream.write_all(&parcel).await?;
    stream.flush().await?;
    let mut header = [0; parcel::HEADER];
    stream.read_exact(&mut header).await?;
    let mut answer = vec![0; parcel::length(header).map_err(io::Error::other)?];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}
