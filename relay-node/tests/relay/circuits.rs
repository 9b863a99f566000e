//! Reservations and circuits.

use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::identity::Keypair;
use libp2p::swarm::Stream;
use libp2p::websocket::tls;
use relay_node::{CertificateFiles, CircuitLimits};

use crate::client::Client;
use crate::world::World;

/// What may be on its way when a circuit ends.
pub const BUFFERED: u64 = 64 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn two_strangers_meet_over_every_transport() {
    let world = World::new().await;
    for part in ["/quic-v1/", "/tcp/", "/ws/"] {
        let relay = world.address(part);
        let (alice, mut bob) = (Client::new(), Client::new());
        let reserved = bob.reserve(&relay).await.expect("a reservation");
        assert_eq!(reserved.bytes, Some(CircuitLimits::STRANGERS.bytes));
        assert_eq!(reserved.seconds, Some(CircuitLimits::STRANGERS.duration));
        alice.call(&relay, &bob).await.expect("a circuit");
        let mut to_bob = alice.talk(&bob).await;
        to_bob.write_all(b"hello").await.unwrap();
        to_bob.flush().await.unwrap();
        let mut from_alice = bob.accept().await;
        let mut heard = [0; 5];
        from_alice.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"hello", "{part}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_with_a_certificate_looks_like_a_web_server() {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".into()]).expect("a certificate");
    let world = World::with(|options| {
        let folder = options.data.parent().expect("a folder");
        let files = CertificateFiles { certificate: folder.join("chain.pem"), key: folder.join("key.pem") };
        std::fs::write(&files.certificate, made.cert.pem()).expect("a file");
        std::fs::write(&files.key, made.key_pair.serialize_pem()).expect("a file");
        options.certificate = Some(files);
        options.listen = vec!["/ip4/127.0.0.1/tcp/0/tls/ws".into()];
    })
    .await;
    let relay = world.address("/tls/ws/");
    let certificate = tls::Certificate::new(made.cert.der().to_vec());
    let trusting = || Client::trusting(Keypair::generate_ed25519(), Some(certificate.clone()));
    let (alice, bob) = (trusting(), trusting());
    bob.reserve(&relay).await.expect("a reservation");
    alice.call(&relay, &bob).await.expect("a circuit");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_circuit_carries_little() {
    let world = World::new().await;
    let relay = world.address("/quic-v1/");
    let (alice, mut bob) = (Client::new(), Client::new());
    bob.reserve(&relay).await.expect("a reservation");
    alice.call(&relay, &bob).await.expect("a circuit");
    let to_bob = alice.talk(&bob).await;
    let carried = carry(to_bob, &mut bob, CircuitLimits::STRANGERS.bytes * 2).await;
    assert!(carried < CircuitLimits::STRANGERS.bytes + BUFFERED, "{carried}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_without_a_reservation_is_reached() {
    let world = World::new().await;
    let relay = world.address("/quic-v1/");
    let (alice, bob) = (Client::new(), Client::new());
    bob.dial(&relay).await.expect("a connection");
    let refused = alice.call(&relay, &bob).await.expect_err("no circuit");
    assert!(refused.contains("NoReservation"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_may_open_few_circuits() {
    let world = World::with(|options| options.limits.strangers.circuits = 3).await;
    let relay = world.address("/quic-v1/");
    let bob = Client::new();
    bob.reserve(&relay).await.expect("a reservation");
    let callers: Vec<Client> = (0..4).map(|_| Client::new()).collect();
    for caller in &callers[..3] {
        caller.call(&relay, &bob).await.expect("a circuit");
    }
    let refused = callers[3].call(&relay, &bob).await.expect_err("no fourth circuit");
    assert!(refused.contains("ResourceLimitExceeded"), "{refused}");
    callers[0].hang_up(bob.peer).await;
    // The relay hears of the end of a circuit a moment after its ends do.
    while callers[3].call(&relay, &bob).await.is_err() {
        tokio::task::yield_now().await;
    }
}

/// Writes as much into the stream, and says how much of it arrived.
pub async fn carry(mut from: Stream, to: &mut Client, bytes: u64) -> u64 {
    let writing = tokio::spawn(async move {
        let piece = [7; 16 * 1024];
        for _ in 0..bytes / piece.len() as u64 {
            if from.write_all(&piece).await.is_err() {
                return;
            }
        }
        let _ = from.close().await;
    });
    let mut arriving = to.accept().await;
    let (mut arrived, mut piece) = (0, vec![0; 64 * 1024]);
    while let Ok(read) = arriving.read(&mut piece).await
        && read > 0
    {
        arrived += read as u64;
    }
    writing.await.expect("it wrote");
    arrived
}
