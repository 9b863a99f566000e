//! What a relay may give for a knock letter, and for a reply to one: anything, or what was left there
//! with something changed in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pairwave_core::id::RoomId;
use pairwave_core::key::{Identity, KnockKey};
use pairwave_core::knock::Refused;
use pairwave_core::knock_letter::{Draft, Entrance, Knocked, Newcomer, Verdict};
use pairwave_core::letters::LetterKeys;
use pairwave_wire::TransportId;
use pairwave_wire::hello::InviteLabel;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

const DAY: u64 = 20_000;

fuzz_target!(|bytes: &[u8]| {
    let (key, room, label) = (KnockKey::new([7; 32]), RoomId([9; 32]), InviteLabel([8; 16]));
    let entrance = Entrance { key: &key, room: &room, label: &label };
    let draft = Draft::new(&identity(2), &entrance, &newcomer(), &mut rng(1));
    let (at, letter) = draft.letter(&entrance, DAY, &mut rng(2));
    let Ok(knocked) = Knocked::open(&entrance, &at, &letter) else { panic!("an honest letter") };
    let verdict = Verdict::Refused(Refused::Full);
    let reply = knocked.reply(&identity(1), &entrance, DAY, &verdict, &mut rng(3));
    let (back, reply) = reply.expect("a refusal is short");
    for given in [bytes.to_vec(), changed(&letter, bytes)].into_iter().filter(|given| *given != letter) {
        assert!(Knocked::open(&entrance, &at, &given).is_err());
    }
    for given in [bytes.to_vec(), changed(&reply, bytes)].into_iter().filter(|given| *given != reply) {
        assert!(draft.open(&entrance, &back, &given).is_err());
    }
});

/// The first two bytes say where the others go.
fn changed(honest: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut changed = honest.to_vec();
    let Some((at, others)) = bytes.split_first_chunk::<2>() else { return changed };
    let at = usize::from(u16::from_be_bytes(*at)) % changed.len();
    for (byte, other) in changed[at..].iter_mut().zip(others) {
        *byte ^= other;
    }
    changed
}

fn newcomer() -> Newcomer {
    Newcomer {
        member: identity(2).member(),
        name: "bob".to_owned(),
        transport: TransportId::new([5; 38]).expect("38 bytes"),
        letters: LetterKeys { identity: [6; 32], fallback: [7; 32] },
    }
}

fn identity(number: u8) -> Identity {
    Identity::from_secret(&[number; 32])
}

fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}
