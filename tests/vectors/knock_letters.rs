//! Knock letters and the replies to them: the tags that they wait under, what is signed, and what a
//! relay keeps.

use pairwave_core::id::{EventId, RoomId};
use pairwave_core::key::{EpochKey, Identity, KnockKey};
use pairwave_core::knock::Refused;
use pairwave_core::knock_letter::{self, Draft, Entrance, Knocked, Newcomer, Outfit, Reply, Verdict};
use pairwave_core::letters::LetterKeys;
use pairwave_wire::hello::InviteLabel;
use serde_bytes::ByteBuf;
use serde_json::{Value, json};

use super::handshakes::ephemeral;
use super::{check, counting, hex, transport};

const DAY: u64 = 20_000;

#[test]
fn knock_letters() {
    let (key, room, label) = (KnockKey::new(counting(1)), RoomId(counting(2)), InviteLabel(counting(3)));
    let entrance = Entrance { key: &key, room: &room, label: &label };
    let bob = Identity::from_secret(&counting(4));
    let newcomer = Newcomer {
        member: bob.member(),
        name: "bob".into(),
        transport: transport(5),
        letters: LetterKeys { identity: counting(6), fallback: counting(7) },
    };
    let (mut bobs, bobs_key) = ephemeral(8, 0);
    let draft = Draft::new(&bob, &entrance, &newcomer, &mut bobs);
    let (at, letter) = draft.letter(&entrance, DAY, &mut bobs);
    let knocked = Knocked::open(&entrance, &at, &letter).unwrap();
    assert_eq!(knocked.newcomer, newcomer);
    check(
        "knock_letter.json",
        &json!({
            "knock_key": hex(key.expose()),
            "room": hex(room.0),
            "label": hex(label.0),
            "newcomer": {
                "secret": hex(counting::<32>(4)),
                "member": hex(bob.member().0),
                "name": "bob",
                "transport": hex(newcomer.transport.as_bytes()),
                "letters": {"identity": hex(counting::<32>(6)), "fallback": hex(counting::<32>(7))},
            },
            "ephemeral": hex(bobs_key),
            "day": DAY,
            "tag": hex(at.0),
            "nonce": hex(&letter[..24]),
            "letter": hex(&letter),
            "reply_tag": hex(draft.reply_tag(&key, DAY).0),
            "replies": replies(&entrance, &draft, &knocked),
        }),
    );
}

fn replies(entrance: &Entrance<'_>, draft: &Draft, knocked: &Knocked) -> Vec<Value> {
    let alice = Identity::from_secret(&counting(10));
    let outfit = Outfit {
        admission: EventId(counting(11)),
        keys: vec![(EventId(counting(12)), EpochKey::new(counting(13)))],
        events: vec![ByteBuf::from(counting::<16>(14)), ByteBuf::from(counting::<8>(15))],
    };
    let verdicts = [
        (
            Verdict::Welcome(outfit),
            json!({"welcome": {
                "admission": hex(counting::<32>(11)),
                "keys": [[hex(counting::<32>(12)), hex(counting::<32>(13))]],
                "events": [hex(counting::<16>(14)), hex(counting::<8>(15))],
            }}),
        ),
        (Verdict::Refused(Refused::Expired), json!({"refused": "expired"})),
    ];
    let each = verdicts.into_iter().zip([20, 21]);
    each.map(|((verdict, told), seed)| {
        let (mut alices, alices_key) = ephemeral(seed, 0);
        let (at, reply) = knocked.reply(&alice, entrance, DAY, &verdict, &mut alices).unwrap();
        let opened = draft.open(entrance, &at, &reply);
        assert_eq!(opened, Ok(Reply { from: alice.member(), verdict }));
        json!({
            "member_secret": hex(counting::<32>(10)),
            "ephemeral": hex(alices_key),
            "verdict": told,
            "nonce": hex(&reply[..24]),
            "reply": hex(&reply),
        })
    })
    .collect()
}

#[test]
fn a_knock_letter_waits_under_another_tag_every_day() {
    let key = KnockKey::new(counting(1));
    assert_ne!(knock_letter::tag(&key, DAY), knock_letter::tag(&key, DAY + 1));
}
