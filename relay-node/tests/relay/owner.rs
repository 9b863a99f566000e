//! What the owner of a relay sees, and how it ends.

use std::net::SocketAddr;

use pairwave_wire::hello::BlindedTag;
use pairwave_wire::limits;
use pairwave_wire::mailbox::{MailboxAnswer, MailboxRequest, RelayRefusal};
use relay_node::{Relay, RelayError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{Client, post};
use crate::world::{self, World};

async fn get(at: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(at).await.expect("a connection");
    let request = format!("GET {path} HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_count_and_name_nobody() {
    let world = World::with(|options| options.metrics = Some("127.0.0.1:0".parse().unwrap())).await;
    let (relay, at) = (world.address("/quic-v1/"), world.relay.metrics().expect("it serves figures"));
    let (alice, bob) = (Client::new(), Client::new());
    bob.reserve(&relay).await.expect("a reservation");
    alice.call(&relay, &bob).await.expect("a circuit");
    let mut mailbox = alice.mailbox(&relay).await;
    let deposit = MailboxRequest::Deposit { at: BlindedTag([1; 32]), letter: vec![0; limits::LETTERS[0]].into() };
    assert_eq!(post(&mut mailbox, &deposit).await, MailboxAnswer::Stored);
    let wrong = MailboxRequest::Present { token: "guess".into() };
    post(&mut mailbox, &wrong).await;

    let figures = get(at, "/metrics").await;
    for line in [
        "pairwave_relay_reservations 1",
        "pairwave_relay_circuits 1",
        "pairwave_relay_circuits_opened_total 1",
        "pairwave_relay_letters_stored_total 1",
        "pairwave_relay_spool_bytes 1024",
        "pairwave_relay_refusals_total{reason=\"unknown_token\"} 1",
    ] {
        assert!(figures.lines().any(|found| found == line), "{line} in {figures}");
    }
    assert!(get(at, "/healthz").await.starts_with("HTTP/1.1 200"));
    let page = get(at, "/").await;
    assert!(page.contains("default-src 'none'") && !page.contains("<script"), "{page}");
    for who in [alice.peer, bob.peer] {
        assert!(!figures.contains(&who.to_string()) && !page.contains(&who.to_string()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_told_with_a_next_step() {
    let other = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let folder = tempfile::tempdir().expect("a folder");
    let mut options = world::options(&folder);
    options.listen = vec![format!("/ip4/127.0.0.1/tcp/{}", other.local_addr().expect("a port").port())];
    let error = Relay::spawn(options.clone()).await.expect_err("it is taken");
    assert!(matches!(error, RelayError::Taken { .. }) && error.to_string().contains("--listen"), "{error}");
    let other = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
    options.listen = vec![format!("/ip4/127.0.0.1/udp/{}/quic-v1", other.local_addr().expect("a port").port())];
    let error = Relay::spawn(options.clone()).await.expect_err("it is taken");
    assert!(matches!(error, RelayError::Taken { .. }), "{error:?}");
    options.listen = vec!["/ip4/127.0.0.1/tcp/0/tls/ws".into()];
    let error = Relay::spawn(options).await.expect_err("it needs a certificate");
    assert!(error.to_string().contains("--certificate"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_owner_names_is_what_others_are_told() {
    let named = "/dns4/relay.example/udp/4011/quic-v1";
    let world = World::with(|options| options.external = vec![named.into()]).await;
    assert_eq!(world.relay.listening(), [format!("{named}/p2p/{}", world.relay.peer_id())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_stops_lets_circuits_end_and_takes_nothing_new() {
    let world = World::with(|options| options.metrics = Some("127.0.0.1:0".parse().unwrap())).await;
    let (relay, figures) = (world.address("/quic-v1/"), world.relay.metrics().expect("it serves figures"));
    let (alice, mut bob, carol) = (Client::new(), Client::new(), Client::new());
    bob.reserve(&relay).await.expect("a reservation");
    alice.call(&relay, &bob).await.expect("a circuit");
    carol.dial(&relay).await.expect("a connection");
    let mut mailbox = carol.mailbox(&relay).await;
    let collect = MailboxRequest::Collect { at: vec![BlindedTag([1; 32])], besides: Vec::new() };
    assert!(matches!(post(&mut mailbox, &collect).await, MailboxAnswer::Letters { .. }));

    let stopping = tokio::spawn(world.relay.stop());
    let refused = MailboxAnswer::Refused(RelayRefusal::Stopping);
    while post(&mut mailbox, &collect).await != refused {
        tokio::task::yield_now().await;
    }
    let health = get(figures, "/healthz").await;
    assert!(health.starts_with("HTTP/1.1 503") && health.contains("stopping"), "{health}");
    alice.call(&relay, &bob).await.expect_err("no new circuit");
    let mut to_bob = alice.talk(&bob).await;
    futures::AsyncWriteExt::write_all(&mut to_bob, b"bye").await.expect("the open one goes on");
    futures::AsyncWriteExt::flush(&mut to_bob).await.expect("the open one goes on");
    let mut heard = [0; 3];
    futures::AsyncReadExt::read_exact(&mut bob.accept().await, &mut heard).await.expect("the open one goes on");
    alice.hang_up(bob.peer).await;
    stopping.await.expect("it stops");
}
