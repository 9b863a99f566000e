use pairwave_wire::cbor;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::*;
use crate::key::Identity;
use crate::letter;

const ROOM: RoomId = RoomId([9; 32]);
const LABEL: InviteLabel = InviteLabel([8; 16]);
const DAY: u64 = 20_000;

fn key(byte: u8) -> KnockKey {
    KnockKey::new([byte; 32])
}

fn entrance(key: &KnockKey) -> Entrance<'_> {
    Entrance { key, room: &ROOM, label: &LABEL }
}

fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

fn alice() -> Identity {
    Identity::from_secret(&[1; 32])
}

fn bob() -> Identity {
    Identity::from_secret(&[2; 32])
}

fn newcomer(name: &str) -> Newcomer {
    Newcomer {
        member: bob().member(),
        name: name.to_owned(),
        transport: TransportId::new([5; 38]).unwrap(),
        letters: LetterKeys { identity: [6; 32], fallback: [7; 32] },
    }
}

fn draft() -> Draft {
    Draft::new(&bob(), &entrance(&key(4)), &newcomer("bob"), &mut rng(3))
}

fn knocked() -> Knocked {
    let (at, letter) = draft().letter(&entrance(&key(4)), DAY, &mut rng(5));
    Knocked::open(&entrance(&key(4)), &at, &letter).unwrap()
}

fn reply(verdict: &Verdict, seed: u8) -> (BlindedTag, Vec<u8>) {
    knocked().reply(&alice(), &entrance(&key(4)), DAY + 1, verdict, &mut rng(seed)).unwrap()
}

fn welcome(events: usize, length: usize) -> Verdict {
    let keys = vec![(EventId([3; 32]), EpochKey::new([4; 32]))];
    Verdict::Welcome(Outfit { admission: EventId([2; 32]), keys, events: vec![ByteBuf::from(vec![1; length]); events] })
}

#[test]
fn a_knock_letter_says_who_knocks_to_whoever_holds_the_invite() {
    for name in ["bob".to_owned(), "x".repeat(limits::NAME)] {
        let draft = Draft::new(&bob(), &entrance(&key(4)), &newcomer(&name), &mut rng(3));
        let (at, letter) = draft.letter(&entrance(&key(4)), DAY, &mut rng(5));
        assert_eq!(letter.len(), limits::LETTERS[0], "each has the same size");
        assert_eq!(at, tag(&key(4), DAY));
        let knocked = Knocked::open(&entrance(&key(4)), &at, &letter).unwrap();
        assert_eq!(knocked.newcomer, newcomer(&name));
        assert!(knocked.is_ours());
        let (right, wrong) = (key(4), key(5));
        let (room, label) = (RoomId([0; 32]), InviteLabel([0; 16]));
        for entrance in [
            entrance(&wrong),
            Entrance { room: &room, ..entrance(&right) },
            Entrance { label: &label, ..entrance(&right) },
        ] {
            assert_eq!(Knocked::open(&entrance, &at, &letter), Err(KnockLetterError::DoesNotOpen));
        }
        let opened = Knocked::open(&entrance(&right), &tag(&right, DAY + 1), &letter);
        assert_eq!(opened, Err(KnockLetterError::DoesNotOpen));
    }
}

#[test]
fn every_reply_opens_for_itself_and_for_the_newcomer_alone() {
    let verdicts = [welcome(0, 0), welcome(BATCH, letter::EVENTS / BATCH), Verdict::Refused(Refused::Expired)];
    for (seed, verdict) in (10..).zip(verdicts) {
        let (at, letter) = reply(&verdict, seed);
        assert!(limits::LETTERS.contains(&letter.len()));
        assert_eq!(at, draft().reply_tag(&key(4), DAY + 1));
        let opened = draft().open(&entrance(&key(4)), &at, &letter);
        assert_eq!(opened, Ok(Reply { from: alice().member(), verdict }));
        let other = Draft::new(&bob(), &entrance(&key(4)), &newcomer("bob"), &mut rng(4));
        let opened = other.open(&entrance(&key(4)), &at, &letter);
        assert_eq!(opened, Err(KnockLetterError::DoesNotOpen), "with the invite, and another ephemeral key");
    }
}

#[test]
fn the_fullest_reply_fits_in_a_letter() {
    let Verdict::Welcome(mut outfit) = welcome(BATCH, letter::EVENTS / BATCH) else { panic!("a welcome") };
    outfit.keys = vec![(EventId([3; 32]), EpochKey::new([4; 32])); KEYS];
    let (_, letter) = reply(&Verdict::Welcome(outfit), 1);
    assert_eq!(letter.len(), limits::LETTERS[4]);
}

#[test]
fn what_is_kept_opens_replies_after_a_restart() {
    let bytes = cbor::encode(&draft()).unwrap();
    let kept: Draft = cbor::decode(&bytes, usize::MAX).unwrap();
    let (at, letter) = reply(&welcome(1, 10), 1);
    assert!(kept.open(&entrance(&key(4)), &at, &letter).is_ok());
}

#[test]
fn every_changed_byte_is_found() {
    let (at, letter) = draft().letter(&entrance(&key(4)), DAY, &mut rng(5));
    let (back, reply) = reply(&Verdict::Refused(Refused::Full), 6);
    for byte in 0..limits::LETTERS[0] {
        let changed = |bytes: &[u8]| {
            let mut changed = bytes.to_vec();
            changed[byte] ^= 1;
            changed
        };
        assert!(Knocked::open(&entrance(&key(4)), &at, &changed(&letter)).is_err(), "byte {byte}");
        assert!(draft().open(&entrance(&key(4)), &back, &changed(&reply)).is_err(), "byte {byte}");
    }
    assert!(Knocked::open(&entrance(&key(4)), &at, &[]).is_err());
}

#[test]
fn who_holds_the_invite_cannot_knock_as_somebody_else() {
    let mallory = Identity::from_secret(&[3; 32]);
    let draft = Draft::new(&mallory, &entrance(&key(4)), &newcomer("bob"), &mut rng(3));
    let (at, letter) = draft.letter(&entrance(&key(4)), DAY, &mut rng(5));
    let opened = Knocked::open(&entrance(&key(4)), &at, &letter);
    assert_eq!(opened, Err(KnockLetterError::NotSigned));
}

#[test]
fn who_holds_the_invite_cannot_have_the_replies_to_another_by_the_same_words() {
    // Bob's words and signature, around a key of mallory's own.
    let stolen = draft().around(key::KnockSeed::new([9; 32]));
    let (at, letter) = stolen.letter(&entrance(&key(4)), DAY, &mut rng(5));
    let opened = Knocked::open(&entrance(&key(4)), &at, &letter);
    assert_eq!(opened, Err(KnockLetterError::NotSigned));
}

#[test]
fn a_name_that_is_too_long_is_refused() {
    let draft = Draft::new(&bob(), &entrance(&key(4)), &newcomer(&"x".repeat(limits::NAME + 1)), &mut rng(3));
    let (at, letter) = draft.letter(&entrance(&key(4)), DAY, &mut rng(5));
    let opened = Knocked::open(&entrance(&key(4)), &at, &letter);
    assert_eq!(opened, Err(KnockLetterError::Malformed));
}

#[test]
fn tags_change_with_invite_newcomer_and_day() {
    let other = Draft::new(&bob(), &entrance(&key(4)), &newcomer("bob"), &mut rng(4));
    let back = |draft: &Draft, key: KnockKey, day| draft.reply_tag(&key, day);
    let tags = [
        tag(&key(4), DAY),
        tag(&key(5), DAY),
        tag(&key(4), DAY + 1),
        back(&draft(), key(4), DAY),
        back(&other, key(4), DAY),
        back(&draft(), key(5), DAY),
        back(&draft(), key(4), DAY + 1),
    ];
    let different: std::collections::BTreeSet<_> = tags.iter().collect();
    assert_eq!(different.len(), tags.len());
}
