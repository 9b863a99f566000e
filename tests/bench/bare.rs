//! What libp2p's QUIC carries at best: one stream on one connection, its default settings, and nothing around it.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Instant;

use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::core::muxing::{StreamMuxerBox, StreamMuxerExt};
use libp2p::core::transport::{Boxed, DialOpts, ListenerId, PortUse, TransportEvent};
use libp2p::core::{Endpoint, Transport};
use libp2p::identity::Keypair;
use libp2p::{Multiaddr, PeerId, quic};

use crate::bulk::{BYTES, PIECE};

type Quic = Boxed<(PeerId, StreamMuxerBox)>;

/// From the first byte that is written until the last one is read.
pub async fn seconds() -> f64 {
    let (mut listening, address) = listen().await;
    let mut dialling = quic();
    let options = DialOpts { role: Endpoint::Dialer, port_use: PortUse::New };
    let dial = dialling.dial(address, options).expect("a QUIC address");
    let (dialled, accepted) = tokio::join!(dial, accept(&mut listening));
    let ((_, mut here), mut there) = (dialled.expect("a connection"), accepted);
    let mut sink = poll_fn(|cx| here.poll_outbound_unpin(cx)).await.expect("a stream");
    let began = Instant::now();
    let sends = tokio::spawn(async move {
        let piece = vec![7; PIECE];
        for _ in 0..BYTES.div_ceil(PIECE) {
            sink.write_all(&piece).await.expect("it is taken");
        }
        sink.close().await.expect("it ends");
    });
    let mut source = poll_fn(|cx| there.poll_inbound_unpin(cx)).await.expect("a stream");
    let (mut piece, mut left) = (vec![0; PIECE], BYTES);
    while left > 0 {
        let read = source.read(&mut piece).await.expect("bytes");
        assert!(read > 0, "the stream ends early");
        left = left.saturating_sub(read);
    }
    let taken = began.elapsed().as_secs_f64();
    drop(source);
    // Whether the rest still gets through makes no difference.
    sends.abort();
    taken
}

async fn listen() -> (Quic, Multiaddr) {
    let mut listening = quic();
    let anywhere = "/ip4/127.0.0.1/udp/0/quic-v1".parse().expect("an address");
    listening.listen_on(ListenerId::next(), anywhere).expect("a port");
    loop {
        if let TransportEvent::NewAddress { listen_addr, .. } = next(&mut listening).await {
            return (listening, listen_addr);
        }
    }
}

async fn accept(listening: &mut Quic) -> StreamMuxerBox {
    loop {
        if let TransportEvent::Incoming { upgrade, .. } = next(listening).await {
            return upgrade.await.expect("a connection").1;
        }
    }
}

async fn next(transport: &mut Quic) -> TransportEvent<<Quic as Transport>::ListenerUpgrade, std::io::Error> {
    poll_fn(|cx| Pin::new(&mut *transport).poll(cx)).await
}

fn quic() -> Quic {
    let config = quic::Config::new(&Keypair::generate_ed25519());
    quic::tokio::Transport::new(config).map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer))).boxed()
}
