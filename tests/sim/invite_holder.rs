//! Somebody else holds an invite, and leaves at its relay whatever it can: false replies, and knock
//! letters by the hundred.

use std::time::Duration;

use pairwave_core::command::Command;
use pairwave_core::id::{EventId, RoomId};
use pairwave_core::invite::Invite;
use pairwave_core::key::{EpochKey, Identity, KnockKey, hash};
use pairwave_core::knock::Refused;
use pairwave_core::knock_letter::{self, Draft, Entrance, Knocked, Newcomer, Outfit, Verdict};
use pairwave_core::letter;
use pairwave_core::letters::LetterKeys;
use pairwave_wire::TransportId;
use pairwave_wire::hello::BlindedTag;
use pairwave_wire::mailbox::{MailboxAnswer, MailboxRequest};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use serde_bytes::ByteBuf;

use crate::by_letter::{alone, has, invited, is_in, opens_a_letter, room};
use crate::scenes::{MINUTE, bring_in, invite, join, remove, say, settle};
use crate::world::{At, World, human};

const ALICE: At = 0;
const BOB: At = 1;
const CAROL: At = 2;
const DAVE: At = 3;
const SECOND: Duration = Duration::from_secs(1);

/// Somebody who holds bob's invite, and has nothing else to do.
struct Mallory {
    identity: Identity,
    invite: Invite,
    key: KnockKey,
    rng: ChaCha20Rng,
}

impl Mallory {
    fn new(invite: Invite) -> Self {
        let key = KnockKey::new(hash(b"simulated-argon2id", &[invite.secret.expose(), &invite.label.0]));
        Self { identity: Identity::from_secret(&[66; 32]), invite, key, rng: ChaCha20Rng::seed_from_u64(66) }
    }

    fn entrance(&self) -> Entrance<'_> {
        Entrance { key: &self.key, room: &self.invite.room, label: &self.invite.label }
    }

    /// The knock letters that wait on this day.
    fn overhears(&mut self, world: &mut World) -> Vec<(BlindedTag, Vec<u8>)> {
        let at = knock_letter::tag(&self.key, letter::day(world.now));
        let request = MailboxRequest::Collect { at: vec![at], besides: Vec::new() };
        let Some(MailboxAnswer::Letters { letters, .. }) = self.asks(world, request) else { panic!("no letters") };
        letters.into_iter().map(|waiting| (waiting.at, waiting.letter.into_vec())).collect()
    }

    /// A knock letter of somebody, as good as any.
    fn writes(&mut self, world: &World, number: u32) -> (BlindedTag, Vec<u8>) {
        let identity = Identity::from_secret(&hash(b"crowd", &[&number.to_be_bytes()]));
        let newcomer = Newcomer {
            member: identity.member(),
            name: format!("guest {number}"),
            transport: TransportId::new([9; 38]).expect("38 bytes"),
            letters: LetterKeys { identity: [1; 32], fallback: [1; 32] },
        };
        let mut rng = self.rng.clone();
        let draft = Draft::new(&identity, &self.entrance(), &newcomer, &mut rng);
        let (at, letter) = draft.letter(&self.entrance(), letter::day(world.now), &mut rng);
        self.rng = rng;
        (at, letter)
    }

    fn leaves_a_crowd(&mut self, world: &mut World, count: u32) {
        for number in 0..count {
            let (at, letter) = self.writes(world, number);
            self.leaves(world, at, letter);
        }
    }

    /// Answers as if it could let somebody in, or turn them away.
    fn replies(&mut self, world: &mut World, to: &Knocked, verdict: &Verdict) {
        let mut rng = self.rng.clone();
        let day = letter::day(world.now);
        let (at, reply) = to.reply(&self.identity, &self.entrance(), day, verdict, &mut rng).expect("it fits");
        self.rng = rng;
        self.leaves(world, at, reply);
    }

    fn leaves(&mut self, world: &mut World, at: BlindedTag, letter: Vec<u8>) {
        let request = MailboxRequest::Deposit { at, letter: ByteBuf::from(letter) };
        assert_eq!(self.asks(world, request), Some(MailboxAnswer::Stored));
    }

    fn asks(&mut self, world: &mut World, request: MailboxRequest) -> Option<MailboxAnswer> {
        let relay = world.post.connected().remove(0).transport;
        world.post.mail(usize::MAX, &relay, request, &mut self.rng)
    }
}

#[test]
fn who_holds_the_invite_can_neither_turn_away_nor_give_false_keys() {
    let (mut world, room, _, invite) = invited(60, 1);
    let mut mallory = Mallory::new(invite.clone());
    join(&mut world, BOB, invite);
    world.run(20 * SECOND);
    let (at, letter) = mallory.overhears(&mut world).remove(0);
    let knocked = Knocked::open(&mallory.entrance(), &at, &letter).expect("whoever holds the invite reads it");
    let genesis = EventId(room.0);
    let false_key = vec![(genesis, EpochKey::new([66; 32]))];
    let welcome = Outfit { admission: genesis, keys: false_key, events: vec![ByteBuf::from(vec![0; 9])] };
    for verdict in [Verdict::Refused(Refused::Revoked), Verdict::Welcome(welcome)] {
        mallory.replies(&mut world, &knocked, &verdict);
    }
    world.run(5 * MINUTE);
    assert_eq!(world.node(BOB).joins().count(), 1, "bob goes on waiting");
    world.crash(BOB);
    alone(&mut world, ALICE, 20 * SECOND);
    world.start(BOB);
    assert!(world.run_until(MINUTE, |world| is_in(world, BOB, room)));
    opens_a_letter(&mut world, room);
}

#[test]
fn a_crowd_before_the_door_lets_in_as_many_as_the_invite_says_and_is_answered_within_bounds() {
    let (mut world, room, _, invite) = invited(61, 1);
    let mut mallory = Mallory::new(invite);
    let day = letter::day(world.now);
    for number in 0..40 {
        let (at, letter) = mallory.writes(&world, number);
        mallory.leaves(&mut world, at, letter.clone());
        // And a copy of it, again and again.
        for _ in 0..3 {
            mallory.leaves(&mut world, at, letter.clone());
        }
    }
    mallory.leaves(&mut world, knock_letter::tag(&mallory.key.clone(), day), vec![7; 1024]);
    let before = world.post.seen.len();
    world.start(ALICE);
    world.run(120 * MINUTE);
    assert_eq!(world.node(ALICE).room(&room).unwrap().members().count(), 2);
    assert_eq!(world.node(ALICE).letters(&room).unreadable, 1);
    // Some of them twice, for the relay gives the copies long after, and letters to who came in.
    let replies = world.post.seen.len() - before;
    assert!((40..=120).contains(&replies), "{replies}");
    say(&mut world, room, ALICE, "still here");
}

/// Alice's room with bob and carol, who know an invite of one of them that somebody else holds too.
fn with_an_invite_of(by: At, seed: u64) -> (World, RoomId, EventId, Mallory) {
    let (mut world, room) = room(seed, &["alice", "bob", "carol", "dave"], 1);
    bring_in(&mut world, room, ALICE, BOB);
    bring_in(&mut world, room, ALICE, CAROL);
    let (id, invite) = invite(&mut world, room, by, 5);
    settle(&mut world, room, &[ALICE, BOB, CAROL]);
    world.post.batch = 500;
    (world, room, id, Mallory::new(invite))
}

#[test]
fn a_crowd_with_a_dead_invite_keeps_no_letter_from_coming() {
    let (mut world, room, id, mut mallory) = with_an_invite_of(ALICE, 63);
    let by = human();
    world.ask(ALICE, Command::CloseInvite { room, by, invite: id }).unwrap();
    let (_, another) = invite(&mut world, room, ALICE, 1);
    settle(&mut world, room, &[ALICE, BOB, CAROL]);
    world.crash(BOB);
    world.crash(CAROL);
    mallory.leaves_a_crowd(&mut world, 1_700);
    let said = say(&mut world, room, ALICE, "behind all of them");
    world.run(20 * SECOND);
    world.crash(ALICE);
    join(&mut world, DAVE, another);
    world.run(20 * SECOND);
    world.crash(DAVE);
    let before = world.post.waiting();
    world.start(CAROL);
    assert!(world.run_until(20 * SECOND, |world| has(world, CAROL, room, &said)), "alice's letter");
    let dave = world.member(DAVE);
    let is_in = |world: &World| world.node(CAROL).room(&room).unwrap().is_member(&dave);
    assert!(world.run_until(2 * MINUTE, is_in), "dave's letter");
    // What alice could say no to is left for her, and no more than a few hundred of that.
    world.run(30 * MINUTE);
    assert!((200..600).contains(&world.post.waiting()), "{} of {before}", world.post.waiting());
    world.post.asked = 0;
    world.run(10 * MINUTE);
    assert!(world.post.asked < 80, "{}", world.post.asked);
    // To her who made the invite it does no more.
    let said = say(&mut world, room, CAROL, "behind those who are left");
    world.run(20 * SECOND);
    world.crash(CAROL);
    world.start(ALICE);
    assert!(world.run_until(20 * SECOND, |world| has(world, ALICE, room, &said)), "carol's letter");
}

#[test]
fn knocks_with_the_invite_of_somebody_who_is_out_are_discarded() {
    let (mut world, room, _, mut mallory) = with_an_invite_of(BOB, 64);
    let bob = world.member(BOB);
    remove(&mut world, room, ALICE, bob);
    settle(&mut world, room, &[ALICE, CAROL]);
    world.crash(BOB);
    world.crash(ALICE);
    mallory.leaves_a_crowd(&mut world, 600);
    assert!(world.run_until(5 * MINUTE, |world| world.post.waiting() == 0), "{}", world.post.waiting());
    assert_eq!(world.node(CAROL).room(&room).unwrap().members().count(), 2);
}
