//! One stream: requests in, answers out.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::swarm::Stream;
use pairwave_wire::mailbox::RelayRefusal;
use pairwave_wire::parcel;
use tokio::time::timeout;

use super::Seat;
use crate::desk::{Desk, Guest, Reply, Service};

/// How long a stream may lie idle, and how long a request and its answer may take.
const IDLE: Duration = Duration::from_secs(60);
const REQUEST: Duration = Duration::from_secs(60);
/// How long the last bytes may take.
const FAREWELL: Duration = Duration::from_secs(5);

pub async fn serve(mut stream: Stream, service: Service, guest: Guest, desk: Arc<Desk>, _seat: Seat) {
    while let Ok(true) = exchange(&mut stream, service, guest, &desk).await {}
    let _ = timeout(FAREWELL, stream.close()).await;
}

/// Answers one request, and says whether another may follow.
async fn exchange(stream: &mut Stream, service: Service, guest: Guest, desk: &Desk) -> io::Result<bool> {
    let mut header = [0; parcel::HEADER];
    timeout(IDLE, stream.read_exact(&mut header)).await??;
    timeout(REQUEST, answer(stream, header, service, guest, desk)).await?
}

async fn answer(
    stream: &mut Stream,
    header: [u8; parcel::HEADER],
    service: Service,
    guest: Guest,
    desk: &Desk,
) -> io::Result<bool> {
    let Ok(length) = parcel::length(header) else {
        return write(stream, desk.refuse(service, RelayRefusal::Malformed)).await;
    };
    // All guests together never have more than this much in our memory.
    let in_hand = desk.in_hand.acquire_many(length as u32).await.map_err(io::Error::other)?;
    let mut request = vec![0; length];
    stream.read_exact(&mut request).await?;
    let reply = desk.answer(service, guest, &request).await;
    drop((request, in_hand));
    let _in_hand = desk.in_hand.acquire_many(reply.bytes.len() as u32).await.map_err(io::Error::other)?;
    write(stream, reply).await
}

async fn write(stream: &mut Stream, reply: Reply) -> io::Result<bool> {
    let parcel = parcel::encode(&reply.bytes).map_err(io::Error::other)?;
    stream.write_all(&parcel).await?;
    stream.flush().await?;
    Ok(reply.goes_on)
}
