//! Whole handshakes, frame by frame. Every secret that went in is named, the Noise ephemerals too.

use pairwave_core::key::KnockKey;
use pairwave_core::knock::{Answer, Heard, Knocker, Porter, Verdict, Welcome};
use pairwave_core::link::{Acceptor, Greeting, Opener, Step};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use super::*;

/// A generator for one end, and the ephemeral key (X25519, RFC 7748) that its handshake will draw
/// after `before` other bytes.
pub fn ephemeral(seed: u8, before: usize) -> (ChaCha20Rng, [u8; 32]) {
    let mut ahead = ChaCha20Rng::from_seed(counting(seed));
    ahead.fill_bytes(&mut vec![0; before]);
    let mut inner = [0; 32];
    ahead.fill_bytes(&mut inner);
    let mut key = [0; 32];
    ChaCha20Rng::from_seed(inner).fill_bytes(&mut key);
    (ChaCha20Rng::from_seed(counting(seed)), key)
}

#[test]
fn a_link() {
    let (room, epoch, key) = (RoomId(counting(1)), EventId(counting(2)), EpochKey::new(counting(3)));
    let (alice, bob) = (Identity::from_secret(&counting(4)), Identity::from_secret(&counting(5)));
    let (at_alice, at_bob) = (transport(50), transport(100));
    // Fifteen random tags of 32 bytes fill the first frame.
    let (mut alices, alices_key) = ephemeral(6, 15 * 32);
    let (mut bobs, bobs_key) = ephemeral(7, 0);
    let send = |step: Step| match step {
        Step::Send(frame) => frame,
        other => panic!("{other:?}"),
    };
    let (mut opener, hello) = Opener::new(room, &at_alice, &at_bob, [(epoch, &key)], &mut alices);
    let greeting = Acceptor::greet(&at_bob, &at_alice, &hello, [(room, epoch, &key)], &mut bobs).unwrap();
    let Greeting::Common { mut acceptor, frame: choice } = greeting else { panic!() };
    let first = send(opener.receive(&alice, &choice).unwrap());
    let second = send(acceptor.receive(&bob, &first).unwrap());
    let alices_proof = send(opener.receive(&alice, &second).unwrap());
    acceptor.receive(&bob, &alices_proof).unwrap();
    let bobs_proof = acceptor.admit(&bob).unwrap();
    opener.receive(&alice, &bobs_proof).unwrap();
    let (admitted, mut established) = opener.admit().unwrap();
    assert!(matches!(acceptor.receive(&bob, &admitted), Ok(Step::Established(_))));
    let message = established.channel.seal(b"hello").unwrap();
    check(
        "link.json",
        &json!({
            "epoch_key": hex(key.expose()),
            "opener": {"identity": hex(counting::<32>(4)), "transport": hex(at_alice.as_bytes()), "ephemeral": hex(alices_key)},
            "acceptor": {"identity": hex(counting::<32>(5)), "transport": hex(at_bob.as_bytes()), "ephemeral": hex(bobs_key)},
            "frames": [
                {"from": "opener", "what": "link hello", "bytes": hex(hello)},
                {"from": "acceptor", "what": "link choice", "bytes": hex(choice)},
                {"from": "opener", "what": "noise message 1", "bytes": hex(first)},
                {"from": "acceptor", "what": "noise message 2", "bytes": hex(second)},
                {"from": "opener", "what": "proof", "bytes": hex(alices_proof)},
                {"from": "acceptor", "what": "proof", "bytes": hex(bobs_proof)},
                {"from": "opener", "what": "admitted", "bytes": hex(admitted)},
                {"from": "opener", "what": "the message 'hello'", "bytes": hex(&message[0])},
            ],
        }),
    );
}

#[test]
fn a_knock() {
    let (room, label, key) = (RoomId(counting(1)), InviteLabel(counting(2)), KnockKey::new(counting(3)));
    let (alice, bob) = (Identity::from_secret(&counting(4)), Identity::from_secret(&counting(5)));
    let (at_alice, at_bob) = (transport(50), transport(100));
    let (mut alices, alices_key) = ephemeral(6, 0);
    let (mut bobs, bobs_key) = ephemeral(7, 0);
    let (mut knocker, hello) = Knocker::new(room, label, &key, &at_bob, &at_alice, "bob", &mut bobs).unwrap();
    let mut porter = Porter::greet(at_alice.clone(), at_bob.clone(), &hello).unwrap();
    let second = porter.unlock(&key, &mut alices).unwrap();
    let Answer::Send(knock) = knocker.receive(&bob, &second).unwrap() else { panic!() };
    assert!(matches!(porter.receive(&alice, &knock), Ok(Heard::Knock(_))));
    let welcome = Welcome {
        room,
        epoch: EventId(counting(8)),
        key: EpochKey::new(counting(9)),
        admission: EventId(counting(10)),
    };
    let answer = porter.welcome(&alice, welcome.clone()).unwrap();
    let Answer::Said { from, verdict } = knocker.receive(&bob, &answer).unwrap() else { panic!() };
    assert_eq!((from, verdict), (alice.member(), Verdict::Welcome(welcome.clone())));
    check(
        "knock.json",
        &json!({
            "label": hex(label.0),
            "knock_key": hex(key.expose()),
            "knocker": {"identity": hex(counting::<32>(5)), "transport": hex(at_bob.as_bytes()), "ephemeral": hex(bobs_key), "name": "bob"},
            "porter": {"identity": hex(counting::<32>(4)), "transport": hex(at_alice.as_bytes()), "ephemeral": hex(alices_key)},
            "welcome": {"room": hex(room.0), "epoch": hex(welcome.epoch.0), "key": hex(welcome.key.expose()), "admission": hex(welcome.admission.0)},
            "frames": [
                {"from": "knocker", "what": "knock hello", "bytes": hex(hello)},
                {"from": "porter", "what": "noise message 2", "bytes": hex(second)},
                {"from": "knocker", "what": "knock", "bytes": hex(knock)},
                {"from": "porter", "what": "welcome", "bytes": hex(answer)},
            ],
        }),
    );
}
