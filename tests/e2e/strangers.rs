//! Whoever is on the wifi without an invite sees nothing and costs next to nothing.

use std::net::SocketAddr;

use pairwave_core::invite::Invite;
use pairwave_core::key::InviteSecret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

use crate::lab::Lab;
use crate::patience::until;
use crate::person::Person;
use crate::story::{agree, open, two};

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_on_the_wifi_sees_nothing() {
    let lab = Lab::new().await;
    let (alice, bob) = two(&lab).await;
    let mallory = lab.person("mallory").await;
    open(&mallory).await;
    // Companions of strangers see each other's transport by mDNS, and nothing comes of it.
    let hers = mallory.ask(&["status"]).await;
    assert_eq!(hers["rooms"].as_array().expect("rooms").len(), 1);
    assert_eq!(hers["rooms"][0]["members"].as_array().expect("members").len(), 1);
    alice.ask(&["send", "between us"]).await;
    bob.reads("between us").await;
    agree(&[&alice, &bob]).await;

    let theirs = alice.room().await;
    let room = theirs["room"].as_str().expect("an id");
    let everything = format!("{}{}", mallory.ask(&["status"]).await, mallory.log());
    assert!(!everything.contains(room) && !everything.contains("between us"), "{everything}");
    for member in ["alice", "bob"] {
        assert!(!everything.contains(&format!("\"{member}\"")), "{everything}");
    }
    assert_eq!(alice.room().await["members"].as_array().expect("members").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_at_the_ports_costs_nothing() {
    let lab = Lab::new().await;
    let (alice, bob) = two(&lab).await;
    let mallory = lab.person("mallory").await;
    let (tcp, udp) = ports(&alice).await;
    let before = resident(&alice);
    let attack = async move |_| {
        for round in 0..200_u32 {
            throw_tcp(tcp, round).await;
            throw_udp(udp, round).await;
        }
    };
    let attack = mallory.machine.spawn(attack).expect("the attack starts");
    for number in 0..10 {
        alice.ask(&["send", &format!("undisturbed {number}")]).await;
    }
    attack.await.expect("the attack ends");
    bob.reads("undisturbed 9").await;
    agree(&[&alice, &bob]).await;
    let grown = resident(&alice).saturating_sub(before);
    assert!(grown < 32 * 1024, "grew by {grown} KiB");
    for line in alice.log().lines() {
        assert!(!line.contains(" ERROR ") && !line.contains("panicked"), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_invite_opens_nothing() {
    let lab = Lab::new().await;
    let (alice, mallory) = (lab.person("alice").await, lab.person("mallory").await);
    let genuine = open(&alice).await;
    let mut forged: Invite = genuine.parse().expect("an invite");
    forged.secret = InviteSecret::new([7; 16]);
    let joined = mallory.ask(&["join", &forged.to_string(), "--name", "mallory", "--no-wire"]).await;
    assert_eq!(joined["state"], "waiting", "the door says nothing to who cannot prove the secret: {joined}");
    assert!(joined["title"].is_null(), "{joined}");
    assert_eq!(alice.room().await["members"].as_array().expect("members").len(), 1);

    // The genuine one is neither used up nor locked.
    let bob = lab.person("bob").await;
    let joined = bob.ask(&["join", &genuine, "--name", "bob", "--no-wire"]).await;
    assert_eq!(joined["state"], "admitted", "{joined}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_whose_key_changed_is_refused_and_shown() {
    let lab = Lab::new().await;
    let (alice, bob) = two(&lab).await;
    let mallory = lab.person("mallory").await;
    open(&mallory).await;
    mallory.down().await;
    bob.down().await;
    // Everything of bob's but his identity: the room key, the address, the transport key.
    std::fs::copy(mallory.home.join("identity.key"), bob.home.join("identity.key")).expect("copied");
    bob.run(&["up"]).await;
    until("alice sees that somebody tried", async || {
        let shown = alice.run(&["doctor"]).await.out;
        (shown.contains("key") && shown.contains("\"ok\":false")).then_some(())
    })
    .await;
    assert_eq!(alice.sees(&bob).await.expect("a member")["online"], false);
    alice.ask(&["send", "not for mallory"]).await;
    assert!(!bob.run(&["read", "--limit", "500"]).await.out.contains("not for mallory"));
}

/// Where alice can be reached from the wifi, TCP and UDP.
async fn ports(person: &Person) -> (SocketAddr, SocketAddr) {
    let ip = person.machine.ip().expect("an address");
    let status = person.ask(&["status"]).await;
    let listening = status["network"]["listening"].as_array().expect("addresses");
    let port = |transport: &str| {
        let found = listening.iter().filter_map(|address| address.as_str()).find_map(|address| {
            let rest = address.strip_prefix(&format!("/ip4/{ip}/{transport}/"))?;
            rest.split('/').next()?.parse().ok()
        });
        SocketAddr::from((ip, found.unwrap_or_else(|| panic!("a {transport} port in {listening:?}"))))
    };
    (port("tcp"), port("udp"))
}

/// Connects, says something senseless or nothing, and waits for the answer or the end.
async fn throw_tcp(address: SocketAddr, round: u32) {
    let Ok(mut stream) = TcpStream::connect(address).await else { return };
    let _ = stream.write_all(&noise(round)).await;
    if round.is_multiple_of(10) {
        let mut answer = [0; 64];
        let _ = tokio::time::timeout(std::time::Duration::from_millis(20), stream.read(&mut answer)).await;
    }
}

async fn throw_udp(address: SocketAddr, round: u32) {
    let Ok(socket) = UdpSocket::bind("0.0.0.0:0").await else { return };
    let _ = socket.send_to(&noise(round), address).await;
}

/// Bytes that follow from the round alone.
fn noise(round: u32) -> Vec<u8> {
    let length = (round as usize * 37) % 1200;
    let mut state = u64::from(round) + 1;
    let mut byte = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    (0..length).map(|_| byte()).collect()
}

/// Resident memory of the companion in KiB.
fn resident(person: &Person) -> u64 {
    let pid = person.pid().expect("a companion");
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("its status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    line.split_whitespace().next().and_then(|kib| kib.parse().ok()).expect("a number")
}
