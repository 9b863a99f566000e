//! One stream: requests in, answers out.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use libp2p::swarm::Stream;
use pairwave_wire::mailbox::RelayRefusal;
use pairwave_wire::parcel;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::Seat;
use crate::desk::{Desk, Guest, Reply, Service};

/// How long a stream may lie idle, and how long a request and its answer may take.
const IDLE: Duration = Duration::from_secs(15 * 60);
const REQUEST: Duration = Duration::from_secs(60);
/// Bytes that are read at a time, and how long they may take.
const PIECE: usize = 16 * 1024;
const ARRIVAL: Duration = Duration::from_secs(10);
/// How long the last bytes may take.
const FAREWELL: Duration = Duration::from_secs(5);

pub async fn serve(mut stream: Stream, service: Service, guest: Guest, desk: Arc<Desk>, seat: Seat) {
    while let Ok(true) = exchange(&mut stream, service, guest, &desk, &seat).await {}
    let _ = timeout(FAREWELL, stream.close()).await;
}

/// Answers one request, and says whether another may follow.
async fn exchange(stream: &mut Stream, service: Service, guest: Guest, desk: &Desk, seat: &Seat) -> io::Result<bool> {
    let mut header = [0; parcel::HEADER];
    timeout(IDLE, stream.read_exact(&mut header)).await??;
    let Ok(length) = parcel::length(header) else {
        return timeout(REQUEST, write(stream, desk.refuse(service, RelayRefusal::Malformed))).await?;
    };
    timeout(REQUEST, answer(stream, length, service, guest, desk, seat)).await?
}

async fn answer(
    stream: &mut Stream,
    length: usize,
    service: Service,
    guest: Guest,
    desk: &Desk,
    seat: &Seat,
) -> io::Result<bool> {
    // The whole of it, in the order of asking: shares that fill up in pieces could wait for each other.
    let share = take(&seat.in_hand, length).await?;
    let (request, in_hand) = read(stream, length, &desk.in_hand).await?;
    let reply = desk.answer(service, guest, &request).await;
    drop((request, in_hand, share));
    let _share = take(&seat.in_hand, reply.bytes.len()).await?;
    let _in_hand = take(&desk.in_hand, reply.bytes.len()).await?;
    write(stream, reply).await
}

/// Reads a request. What all guests have in hand together is taken only as it arrives: who announces
/// much and sends nothing keeps nobody waiting.
async fn read<'a>(
    stream: &mut (impl AsyncRead + Unpin),
    length: usize,
    in_hand: &'a Semaphore,
) -> io::Result<(Vec<u8>, SemaphorePermit<'a>)> {
    let (mut request, mut taken) = (Vec::new(), take(in_hand, 0).await?);
    while request.len() < length {
        let (start, piece) = (request.len(), PIECE.min(length - request.len()));
        taken.merge(take(in_hand, piece).await?);
        request.reserve_exact(piece);
        request.resize(start + piece, 0);
        timeout(ARRIVAL, stream.read_exact(&mut request[start..])).await??;
    }
    Ok((request, taken))
}

async fn take(in_hand: &Semaphore, bytes: usize) -> io::Result<SemaphorePermit<'_>> {
    in_hand.acquire_many(bytes as u32).await.map_err(io::Error::other)
}

async fn write(stream: &mut Stream, reply: Reply) -> io::Result<bool> {
    let parcel = parcel::encode(&reply.bytes).map_err(io::Error::other)?;
    stream.write_all(&parcel).await?;
    stream.flush().await?;
    Ok(reply.goes_on)
}

#[cfg(test)]
mod tests {
    use futures::stream::{self, StreamExt, TryStreamExt};
    use pairwave_wire::limits;

    use super::*;

    /// A stream on which nothing follows these bytes.
    fn stalled(bytes: usize) -> impl AsyncRead + Unpin {
        stream::iter([Ok::<_, io::Error>(vec![7; bytes])]).chain(stream::pending()).into_async_read()
    }

    #[tokio::test(start_paused = true)]
    async fn who_sends_nothing_holds_little_and_not_for_long() {
        let in_hand = Semaphore::new(limits::RELAY_MESSAGE);
        let mut silent: Vec<_> = (0..4).map(|_| stalled(0)).collect();
        let silent = silent.iter_mut().map(|stream| read(stream, limits::RELAY_MESSAGE, &in_hand));
        let silent = futures::future::join_all(silent);
        let mut honest = stalled(limits::RELAY_MESSAGE / 2);
        let honest = read(&mut honest, limits::RELAY_MESSAGE / 2, &in_hand);
        let started = tokio::time::Instant::now();
        let after = async {
            let (request, taken) = honest.await.expect("a request");
            assert_eq!(taken.num_permits(), request.len());
            assert!(started.elapsed() < ARRIVAL);
        };
        let (silent, ()) = futures::join!(silent, after);
        assert!(silent.iter().all(Result::is_err));
        assert_eq!((started.elapsed(), in_hand.available_permits()), (ARRIVAL, limits::RELAY_MESSAGE));
    }
}
