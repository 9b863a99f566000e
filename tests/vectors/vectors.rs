//! Byte-exact examples of the protocol for other implementations, one file per subject beside this
//! one; what is in them is made here again and must be the same.
//!
//! Bytes are lower-case hexadecimal. After a change of the protocol that is meant,
//! `UPDATE_VECTORS=1 cargo test -p pairwave-core --test vectors` writes the files anew.

mod consent;
mod events;
mod git;
mod handshakes;
mod knock_letters;
mod letters;

use std::path::Path;

use data_encoding::HEXLOWER;
use pairwave_core::answer::Answer;
use pairwave_core::id::{EventId, MemberId, RoomId};
use pairwave_core::invite::{Invite, derive_knock_key};
use pairwave_core::key::{EpochKey, Identity, InviteSecret};
use pairwave_core::link;
use pairwave_core::sas::{Exchange, SasMessage, Step};
use pairwave_core::time::Timestamp;
use pairwave_wire::hello::{BlindedTag, InviteLabel, KnockHello, LinkChoice, LinkHello};
use pairwave_wire::{TransportId, cbor};
use serde_json::{Value, json};

/// Compares with the file, or writes it.
fn check(name: &str, vectors: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors").join(name);
    let made = serde_json::to_string_pretty(vectors).unwrap() + "\n";
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap();
    assert!(kept == made, "{name} has changed: the protocol is another one now. If it is meant, see vectors.rs.");
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    HEXLOWER.encode(bytes.as_ref())
}

fn unhex(text: &str) -> Vec<u8> {
    HEXLOWER.decode(text.as_bytes()).unwrap()
}

/// Bytes that count up from `first`, so that a mix-up shows.
fn counting<const N: usize>(first: u8) -> [u8; N] {
    std::array::from_fn(|at| first.wrapping_add(at as u8))
}

fn transport(first: u8) -> TransportId {
    TransportId::new(counting::<38>(first)).unwrap()
}

#[test]
fn deterministic_cbor() {
    let values = [
        json!(0),
        json!(23),
        json!(24),
        json!(256),
        json!(65_536),
        json!(u64::MAX),
        json!(-1),
        json!(-257),
        json!(""),
        json!("ä"),
        json!([]),
        json!([1, [2]]),
        json!({"b": 1, "a": 2, "aa": 3}),
        json!({"": null, "x": true}),
    ];
    let accepted: Vec<_> = values.iter().map(|v| json!({"value": v, "bytes": hex(cbor::encode(v).unwrap())})).collect();
    let refused = [
        ("an integer in more bytes than it needs", "1805"),
        ("a length in more bytes than it needs", "780161"),
        ("indefinite length", "9f01ff"),
        ("keys out of order", "a262616101616202"),
        ("a key twice", "a2616202616202"),
        ("something after the value", "0100"),
        ("a floating-point number", "f93c00"),
        ("a tag", "c06161"),
        ("cut off", "8201"),
        ("nested too deeply", "8181818181818181818181818181818181818101"),
    ];
    let refused: Vec<_> = refused
        .iter()
        .map(|(why, bytes)| {
            assert!(cbor::decode::<ciborium::Value>(&unhex(bytes), 64).is_err(), "{why}");
            json!({"why": why, "bytes": bytes})
        })
        .collect();
    check("cbor.json", &json!({"accepted": accepted, "refused": refused}));
}

#[test]
fn first_frames() {
    let link = LinkHello { version: 1, tags: vec![BlindedTag(counting(0)), BlindedTag(counting(32))] };
    let choice = |tag| LinkChoice { version: 1, tag };
    let knock = KnockHello { version: 1, label: InviteLabel(counting(0)), noise: counting::<48>(16).to_vec() };
    let choices = [Some(0), Some(15), None].map(|tag| json!({"tag": tag, "bytes": hex(choice(tag).encode())}));
    check(
        "hello.json",
        &json!({
            "link_hello": {
                "version": 1,
                "tags": link.tags.iter().map(|tag| hex(tag.0)).collect::<Vec<_>>(),
                "bytes": hex(link.encode()),
            },
            "link_choice": choices,
            "knock_hello": {
                "version": 1,
                "label": hex(knock.label.0),
                "noise": hex(&knock.noise),
                "bytes": hex(knock.encode()),
            },
        }),
    );
}

#[test]
fn blinded_tags() {
    let vectors = [(1, 50, 100), (1, 100, 50), (2, 50, 100)].map(|(key, initiator, responder)| {
        let (key, initiator, responder) = (counting(key), transport(initiator), transport(responder));
        json!({
            "epoch_key": hex(key),
            "initiator": hex(initiator.as_bytes()),
            "responder": hex(responder.as_bytes()),
            "tag": hex(link::tag(&EpochKey::new(key), &initiator, &responder).0),
        })
    });
    check("tags.json", &json!(vectors));
}

#[test]
fn knock_keys() {
    let vectors = [(0, 0), (1, 200)].map(|(secret, label)| {
        let (secret, label) = (counting(secret), counting(label));
        let key = derive_knock_key(&InviteSecret::new(secret), &InviteLabel(label));
        json!({"secret": hex(secret), "label": hex(label), "key": hex(key.expose())})
    });
    check("knock_key.json", &json!(vectors));
}

#[test]
fn invites() {
    let invite = Invite {
        room: RoomId(counting(1)),
        label: InviteLabel(counting(2)),
        secret: InviteSecret::new(counting(3)),
        inviter: MemberId(counting(4)),
        transport: transport(5),
        addresses: vec!["/ip4/192.168.1.7/udp/4011/quic-v1".into(), "/ip4/192.168.1.7/tcp/4011".into()],
        expires_at: Timestamp(1_800_000_000_000),
        uses: 3,
        relays: vec![
            "/ip4/203.0.113.7/udp/4011/quic-v1/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN#prt-abc".into(),
        ],
    };
    let text = invite.to_string();
    let end = text.len() - 1;
    let changed = if text[40..].starts_with('a') { 'b' } else { 'a' };
    let refused = [
        "pairwave".to_owned(),
        text.replace("pairwave1", "pairwave2"),
        text[..end].to_owned(),
        format!("{}!{}", &text[..40], &text[41..]),
        format!("{}{changed}{}", &text[..40], &text[41..]),
    ];
    let refused: Vec<_> = refused
        .iter()
        .map(|text| json!({"text": text, "error": text.parse::<Invite>().unwrap_err().to_string()}))
        .collect();
    let accepted =
        [text.clone(), text.to_uppercase(), format!("pairwave join '{}\n{}' --name bob", &text[..76], &text[76..])];
    assert!(accepted.iter().all(|text| text.parse() == Ok(invite.clone())));
    check(
        "invite.json",
        &json!({
            "room": hex(invite.room.0),
            "label": hex(invite.label.0),
            "secret": hex(invite.secret.expose()),
            "inviter": hex(invite.inviter.0),
            "transport": hex(invite.transport.as_bytes()),
            "addresses": invite.addresses,
            "expires_at": invite.expires_at.0,
            "uses": invite.uses,
            "relays": invite.relays,
            "text": text,
            "accepted": accepted,
            "refused": refused,
        }),
    );
}

#[test]
fn answers() {
    let answer = Answer {
        label: InviteLabel(counting(2)),
        transport: transport(5),
        addresses: vec!["/ip4/203.0.113.9/udp/4011/quic-v1".into()],
    };
    let text = answer.to_string();
    let end = text.len() - 1;
    let refused = ["pairanswer".to_owned(), text.replace("answer1", "answer2"), text[..end].to_owned()];
    let refused: Vec<_> = refused
        .iter()
        .map(|text| json!({"text": text, "error": text.parse::<Answer>().unwrap_err().to_string()}))
        .collect();
    let accepted = [text.clone(), text.to_uppercase(), format!("pairwave answer '{}\n{}'", &text[..76], &text[76..])];
    assert!(accepted.iter().all(|text| text.parse() == Ok(answer.clone())));
    check(
        "answer.json",
        &json!({
            "label": hex(answer.label.0),
            "transport": hex(answer.transport.as_bytes()),
            "addresses": answer.addresses,
            "text": text,
            "accepted": accepted,
            "refused": refused,
        }),
    );
}

#[test]
fn short_authentication_strings() {
    let vectors = [(1, 2, 3), (4, 5, 6)].map(|(room, one, other)| {
        let room = RoomId(counting(room));
        let (alice, bob) = (Identity::from_secret(&counting(one)).member(), Identity::from_secret(&counting(other)).member());
        let (mine, theirs) = (counting::<32>(one + 100), counting::<32>(other + 100));
        let (mut at_alice, from_alice) = Exchange::start(room, alice, bob, mine, Timestamp(0));
        let (mut at_bob, from_bob) = Exchange::start(room, bob, alice, theirs, Timestamp(0));
        assert_eq!(at_alice.receive(&from_bob), Ok(Step::Reveal(SasMessage::Reveal(mine))));
        assert_eq!(at_bob.receive(&from_alice), Ok(Step::Reveal(SasMessage::Reveal(theirs))));
        assert_eq!(at_alice.receive(&SasMessage::Reveal(theirs)), Ok(Step::Ready));
        assert_eq!(at_bob.receive(&SasMessage::Reveal(mine)), Ok(Step::Ready));
        let commitment = |message: SasMessage| match message {
            SasMessage::Commit(commitment) => hex(commitment),
            other => panic!("{other:?}"),
        };
        let say = |exchange: &Exchange| exchange.say().unwrap().0;
        json!({
            "room": hex(room.0),
            "alice": {"member": hex(alice.0), "nonce": hex(mine), "commitment": commitment(from_alice), "says": say(&at_alice)},
            "bob": {"member": hex(bob.0), "nonce": hex(theirs), "commitment": commitment(from_bob), "says": say(&at_bob)},
        })
    });
    let messages = [SasMessage::Commit(counting(0)), SasMessage::Reveal(counting(0))];
    let messages = messages.map(|message| hex(cbor::encode(&message).unwrap()));
    check("sas.json", &json!({"exchanges": vectors, "commit_and_reveal_of_00_01_to_1f": messages}));
}
