use std::collections::BTreeMap;

use super::*;
use crate::key::Identity;

const ROOM: RoomId = RoomId([9; 32]);
const NOW: Timestamp = Timestamp(1_000_000);

fn member(number: u8) -> MemberId {
    Identity::from_secret(&[number; 32]).member()
}

fn start(me: u8, peer: u8, nonce: u8) -> (Exchange, SasMessage) {
    Exchange::start(ROOM, member(me), member(peer), [nonce; 32], NOW)
}

fn reveal(step: Result<Step, SasError>) -> SasMessage {
    match step.unwrap() {
        Step::Reveal(message) => message,
        other => panic!("{other:?}"),
    }
}

/// Alice's and Bob's ends with their words ready.
fn ready() -> (Exchange, Exchange) {
    let (mut alice, from_alice) = start(1, 2, 11);
    let (mut bob, from_bob) = start(2, 1, 22);
    let bobs = reveal(bob.receive(&from_alice));
    let alices = reveal(alice.receive(&from_bob));
    assert_eq!(alice.receive(&bobs), Ok(Step::Ready));
    assert_eq!(bob.receive(&alices), Ok(Step::Ready));
    (alice, bob)
}

fn said(exchange: &Exchange) -> String {
    exchange.say().unwrap().0.join(" ")
}

#[test]
fn each_hears_what_the_other_says() {
    let (mut alice, mut bob) = ready();
    assert_ne!(said(&alice), said(&bob));
    assert_eq!(alice.heard(&said(&bob)), Ok(()));
    assert!(alice.is_verified() && !bob.is_verified());
    assert_eq!(bob.heard(&said(&alice)), Ok(()));
    // Bob may not have written them down at the first reading.
    assert!(alice.say().is_some());
}

#[test]
fn one_who_answers_and_both_at_once_are_the_same_exchange() {
    let (mut alice, from_alice) = start(1, 2, 11);
    let (mut bob, from_bob) = start(2, 1, 22);
    // Bob starts because Alice's commitment came; his own leaves before his nonce.
    let bobs = reveal(bob.receive(&from_alice));
    let alices = reveal(alice.receive(&from_bob));
    assert_eq!(bob.receive(&alices), Ok(Step::Ready));
    assert_eq!(alice.receive(&bobs), Ok(Step::Ready));
    let (at_once, _) = ready();
    assert_eq!(said(&alice), said(&at_once));
}

#[test]
fn nothing_is_revealed_or_shown_before_the_others_commitment() {
    let (mut alice, _) = start(1, 2, 11);
    assert_eq!(alice.say(), None);
    assert_eq!(alice.heard("abandon abandon abandon"), Err(HeardError::NotReady));
    assert_eq!(alice.receive(&SasMessage::Reveal([22; 32])), Err(SasError::Uncommitted));
    assert!(alice.is_over());
    assert_eq!(alice.receive(&SasMessage::Commit([1; 32])), Err(SasError::Over));
}

#[test]
fn a_nonce_that_was_not_committed_to_fails_loudly() {
    let (mut alice, _) = start(1, 2, 11);
    let (_, from_bob) = start(2, 1, 22);
    reveal(alice.receive(&from_bob));
    assert_eq!(alice.receive(&SasMessage::Reveal([23; 32])), Err(SasError::OtherNonce));
    assert!(alice.is_over());
    assert_eq!(alice.say(), None);
}

#[test]
fn who_has_seen_our_nonce_cannot_commit_again() {
    let (mut alice, _) = start(1, 2, 11);
    let (_, from_bob) = start(2, 1, 22);
    let (_, second) = start(2, 1, 23);
    reveal(alice.receive(&from_bob));
    assert_eq!(alice.receive(&from_bob), Ok(Step::Wait));
    assert_eq!(alice.receive(&second), Err(SasError::OtherCommitment));
    assert!(alice.is_over());
}

#[test]
fn our_own_messages_thrown_back_fail() {
    let (mut alice, from_alice) = start(1, 2, 11);
    let alices = reveal(alice.receive(&from_alice));
    assert_eq!(alice.receive(&alices), Err(SasError::OtherNonce));
}

#[test]
fn words_depend_on_room_keys_and_nonces() {
    let words = |room: u8, me: u8, peer: u8, mine: u8, theirs: u8| {
        let (mut one, _) = Exchange::start(RoomId([room; 32]), member(me), member(peer), [mine; 32], NOW);
        let (_, commit) = Exchange::start(RoomId([room; 32]), member(peer), member(me), [theirs; 32], NOW);
        reveal(one.receive(&commit));
        assert_eq!(one.receive(&SasMessage::Reveal([theirs; 32])), Ok(Step::Ready));
        said(&one)
    };
    let base = words(1, 1, 2, 11, 22);
    for other in [words(2, 1, 2, 11, 22), words(1, 1, 3, 11, 22), words(1, 1, 2, 12, 22), words(1, 1, 2, 11, 23)] {
        assert_ne!(base, other);
    }
}

#[test]
fn a_wrong_entry_ends_it_and_what_cannot_be_one_does_not() {
    let (mut alice, bob) = ready();
    assert!(matches!(alice.heard("abandon ability"), Err(HeardError::NotThree { got: 2 })));
    assert!(matches!(alice.heard("abandon ability xyzzy"), Err(HeardError::NoSuchWord { .. })));
    assert_eq!(alice.heard(&said(&alice)), Err(HeardError::OwnWords));
    let mut swapped: Vec<_> = bob.say().unwrap().0.into();
    swapped.swap(0, 2);
    assert_eq!(alice.heard(&swapped.join(" ")), Err(HeardError::Wrong));
    assert_eq!(alice.heard(&said(&bob)), Err(HeardError::NotReady));
    assert_eq!(alice.say(), None);
}

#[test]
fn the_other_side_can_end_it() {
    let (mut alice, mut bob) = ready();
    assert_eq!(alice.receive(&bob.end(End::Wrong)), Ok(Step::Ended(End::Wrong)));
    assert!(alice.is_over() && bob.is_over());
}

#[test]
fn it_lives_half_an_hour() {
    let (alice, _) = start(1, 2, 11);
    assert_eq!(alice.expires(), NOW + Duration::from_secs(1800));
}

#[test]
fn the_guard_knows_both_halves() {
    let (alice, bob) = ready();
    let (alices, bobs) = (format!("Hi: {}!", said(&alice)), format!("Hi: {}!", said(&bob).to_uppercase()));
    assert!(alice.contains_own_half(&alices) && !alice.contains_own_half(&bobs));
    assert!(alice.contains_expected(&bobs) && !alice.contains_expected(&alices));
    let (fresh, _) = start(1, 2, 11);
    assert!(!fresh.contains_own_half(&alices) && !fresh.contains_expected(&bobs));
}

#[test]
fn the_half_to_be_heard_does_not_show() {
    let (alice, bob) = ready();
    let shown = format!("{alice:?}");
    assert!(bob.say().unwrap().0.iter().all(|word| !shown.contains(word)), "{shown}");
}

#[test]
fn the_messages_round_trip() {
    let messages = [SasMessage::Commit([1; 32]), SasMessage::Reveal([2; 32]), SasMessage::End(End::Locked)];
    for message in messages {
        let bytes = pairwave_wire::cbor::encode(&message).unwrap();
        assert_eq!(pairwave_wire::cbor::decode(&bytes, 100), Ok(message));
    }
}

/// Mallory stands between Alice and Bob, in the roles of both, and wants both to see the words they
/// would see without her. To make the search short, one word is enough for her, of 2,048.
mod grinding {
    use super::*;

    const TRIES: u32 = 40_000;

    fn nonce(number: u32) -> [u8; 32] {
        key::hash(b"grind", &[&number.to_be_bytes()])
    }

    fn first_word(hash: &[u8; 32]) -> &'static str {
        words::halves(hash).0.words().0[0]
    }

    /// Without commitments, words are a hash of the keys alone: whoever can make keys can make words.
    #[test]
    fn a_fingerprint_of_the_keys_falls_to_grinding() {
        let fingerprint = |one: &MemberId, other: &MemberId| {
            let (low, high) = (one.min(other), one.max(other));
            key::hash(b"static", &[&ROOM.0, &low.0, &high.0])
        };
        let (alice, bob) = (member(1), member(2));
        let mut at_bobs = BTreeMap::new();
        for number in 0..600 {
            let mallory = Identity::from_secret(&nonce(number)).member();
            at_bobs.insert(first_word(&fingerprint(&mallory, &bob)), mallory);
        }
        let forged = (0..600).map(|number| Identity::from_secret(&nonce(1_000 + number)).member());
        let mut hits = forged.filter(|mallory| at_bobs.contains_key(first_word(&fingerprint(&alice, mallory))));
        assert!(hits.next().is_some(), "a birthday search finds two keys that make the same word");
    }

    /// Revealed without commitment, the last to choose chooses the words.
    #[test]
    fn a_nonce_chosen_last_falls_to_grinding() {
        let (alice, mallory) = (member(1), member(3));
        let (mine, wanted) = ([11; 32], "abandon");
        let forced = (0..TRIES).find(|number| {
            let (one, _) = Exchange::start(ROOM, alice, mallory, mine, NOW);
            one.halves(&nonce(*number)).0.words().0[0] == wanted
        });
        assert!(forced.is_some());
    }

    /// With commitments Mallory must fix her nonce before she sees Alice's, and what she then finds
    /// by any search is refused.
    #[test]
    fn the_same_words_cannot_be_forced_by_grinding_keys() {
        let (mut alice, _) = start(1, 3, 11);
        let (_, commit) = Exchange::start(ROOM, member(3), member(1), nonce(0), NOW);
        let SasMessage::Reveal(seen) = reveal(alice.receive(&commit)) else { panic!() };
        let honest = alice.halves(&nonce(0)).0.words();
        // Having seen it, she looks for a nonce that makes the word she wants, and finds one.
        let (mallory, _) = Exchange::start(ROOM, member(3), member(1), seen, NOW);
        let wanted = if honest.0[0] == "abandon" { "ability" } else { "abandon" };
        let ground = (1..TRIES).map(nonce).find(|found| alice.halves(found).0.words().0[0] == wanted).unwrap();
        assert_eq!(mallory.nonce, seen);
        assert_eq!(alice.receive(&SasMessage::Reveal(ground)), Err(SasError::OtherNonce));
        assert_eq!(alice.say(), None);
        // Nor may she commit to it now, nor does the commitment fit another key of hers.
        let (mut alice, _) = start(1, 3, 12);
        reveal(alice.receive(&commit));
        let (_, other_key) = Exchange::start(ROOM, member(4), member(1), nonce(0), NOW);
        assert_eq!(alice.receive(&other_key), Err(SasError::OtherCommitment));
    }

    /// The one try that each exchange leaves her: words that differ as often as chance lets them.
    #[test]
    fn what_is_left_is_chance() {
        let hits = (0..2_000u32).filter(|number| {
            let (one, _) = Exchange::start(ROOM, member(1), member(3), nonce(*number), NOW);
            let (other, _) = Exchange::start(ROOM, member(3), member(2), nonce(number + 10_000), NOW);
            let mallorys = nonce(number + 20_000);
            one.halves(&mallorys).0.words().0[0] == other.halves(&mallorys).0.words().0[0]
        });
        assert!(hits.count() < 10, "about one of 2,048 is expected");
    }
}
