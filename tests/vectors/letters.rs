//! Letters: the tag that one waits under, what its sender signs, and what a relay keeps.

use pairwave_core::id::{EventId, MemberId, RoomId};
use pairwave_core::key::{EpochKey, Identity};
use pairwave_core::letter::{self, Content, Envelope, Ratcheted};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use serde_bytes::ByteBuf;
use serde_json::json;

use super::{check, counting, hex};

#[test]
fn letters() {
    let (epoch, room, receiver) = (EpochKey::new(counting(1)), RoomId(counting(2)), MemberId(counting(3)));
    let sender = Identity::from_secret(&counting(4));
    let day = 20_000;
    let at = letter::tag(&epoch, &receiver, day);
    let content = Content {
        events: vec![ByteBuf::from(counting::<16>(5)), ByteBuf::from(counting::<8>(6))],
        keys: vec![(EventId(counting(7)), EpochKey::new(counting(8)))],
    };
    let envelope =
        Envelope { from: sender.member(), message: Ratcheted { kind: 1, bytes: counting::<40>(9).to_vec() } };
    let sealed = envelope.seal(&epoch, &at, &mut ChaCha20Rng::from_seed([7; 32])).unwrap();
    assert_eq!(Envelope::open(&epoch, &at, &sealed).as_ref(), Ok(&envelope));
    check(
        "letter.json",
        &json!({
            "epoch_key": hex(epoch.expose()),
            "room": hex(room.0),
            "receiver": hex(receiver.0),
            "sender_secret": hex(counting::<32>(4)),
            "sender": hex(sender.member().0),
            "day": day,
            "tag": hex(at.0),
            "content": {
                "events": content.events.iter().map(hex).collect::<Vec<_>>(),
                "keys": content.keys.iter().map(|(id, key)| json!([hex(id.0), hex(key.expose())])).collect::<Vec<_>>(),
                "signed": hex(content.sign(&sender, &room, &receiver)),
            },
            "envelope": {"kind": envelope.message.kind, "message": hex(&envelope.message.bytes)},
            "nonce": hex(&sealed[..24]),
            "letter": hex(&sealed),
        }),
    );
}
