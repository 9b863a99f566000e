//! A member with a modified companion: an identity and a link like everybody's, and a log into
//! which it writes whatever it likes, for its companion to spread.

use std::collections::BTreeMap;

use pairwave_core::effect::Slot;
use pairwave_core::epochs::EpochKeys;
use pairwave_core::event::{Body, Event, Origin, VERSION, VerifiedEvent};
use pairwave_core::id::{EventId, MemberId, RoomId};
use pairwave_core::key::{EpochKey, Identity, KnockKey};
use pairwave_core::log::{Log, Position, Record};
use pairwave_core::mark::Mark;
use pairwave_core::members::{Admitted, InviteClosed, Invited, Removed, Rotated, Void};
use pairwave_core::sessions::Named;
use pairwave_core::state::Equivocation;
use pairwave_core::talk::{Kind, Message};
use pairwave_core::verification::Verified;
use pairwave_wire::hello::InviteLabel;

use crate::checks::mark_of;
use crate::disk::Disk;
use crate::scenes::{MINUTE, bring_in, found, one_truth, remove, say, settle};
use crate::world::{At, HUMAN, World};

/// Writes events as no honest companion would.
pub struct Pen {
    identity: Identity,
    room: RoomId,
    disk: Disk,
    world_now: pairwave_core::time::Timestamp,
    tip: (u64, EventId),
    arrival: u64,
}

/// Stops the companion, lets somebody write into its log, and starts it again.
pub fn forge<T>(world: &mut World, room: RoomId, at: At, write: impl FnOnce(&mut Pen) -> T) -> T {
    world.run(MINUTE);
    let identity = world.identity(at);
    let here = world.node(at).room(&room).expect("a member");
    let tip = here.known().tips(&identity.member()).last().copied().expect("has spoken");
    let arrival = here.newest_arrival();
    world.crash(at);
    let disk = world.machines[at].disk.clone();
    let mut pen = Pen { identity, room, disk, world_now: world.now, tip, arrival };
    let written = write(&mut pen);
    world.start(at);
    world.run(MINUTE);
    written
}

impl Pen {
    /// Goes on where the pen is.
    pub fn say(&mut self, body: Body) -> EventId {
        self.write(body, |_| ())
    }

    /// Goes on, after a change of the event's place.
    pub fn write(&mut self, body: Body, change: impl FnOnce(&mut Event)) -> EventId {
        let (seq, back) = self.tip;
        let mut event = Event {
            version: VERSION,
            room: Some(self.room),
            author: self.identity.member(),
            seq: seq + 1,
            backlink: Some(back),
            parents: vec![back],
            claimed_time: self.world_now,
            session: HUMAN,
            origin: Origin::Human,
            body,
        };
        change(&mut event);
        let signed = VerifiedEvent::sign(&self.identity, event).expect("not too long");
        self.tip = (signed.event().seq, signed.id());
        self.put(&signed);
        signed.id()
    }

    /// Lets somebody in who does not exist.
    pub fn admit(&mut self, number: u32, invite: EventId) -> (Identity, EventId) {
        let mut secret = [0xEE; 32];
        secret[..4].copy_from_slice(&number.to_be_bytes());
        let invented = Identity::from_secret(&secret);
        let admitted = Admitted { member: invented.member(), invite, name: format!("nobody {number}") };
        let admission = self.say(Body::Admitted(admitted));
        (invented, admission)
    }

    /// Names somebody who does not exist, and speaks for it once.
    pub fn invent(&mut self, number: u32) {
        let (invented, admission) = self.admit(number, EventId::from(self.room));
        let event = Event {
            version: VERSION,
            room: Some(self.room),
            author: invented.member(),
            seq: 1,
            backlink: None,
            parents: vec![admission],
            claimed_time: self.world_now,
            session: HUMAN,
            origin: Origin::Human,
            body: chat("I am nobody"),
        };
        let signed = VerifiedEvent::sign(&invented, event).expect("not too long");
        self.put(&signed);
    }

    /// Starts an epoch, and makes its key.
    pub fn rotate(&mut self) {
        let epoch = self.say(Body::Rotated(Rotated {}));
        let mut content = self.disk.content();
        let slot = (self.room, Slot::Keys);
        let mut keys = content.slots.get(&slot).and_then(|bytes| EpochKeys::decode(bytes)).unwrap_or_default();
        keys.insert(epoch, EpochKey::new(epoch.0));
        content.slots.insert(slot, keys.encode());
    }

    fn put(&mut self, signed: &VerifiedEvent) {
        let event = signed.event();
        let parent = |id: &EventId| self.disk.get(&self.room, id).expect("a log in memory");
        let parents: Vec<Record> = event.parents.iter().filter_map(parent).collect();
        let mut clock: BTreeMap<MemberId, u64> = BTreeMap::from([(event.author, event.seq)]);
        for (author, seq) in parents.iter().flat_map(|parent| &parent.clock) {
            let known = clock.entry(*author).or_default();
            *known = (*known).max(*seq);
        }
        let depth = 1 + parents.iter().map(|parent| parent.position.depth).max().unwrap_or(0);
        self.arrival += 1;
        let record = Record {
            position: Position { depth, id: signed.id() },
            author: event.author,
            seq: event.seq,
            arrival: self.arrival,
            clock: clock.into_iter().collect(),
            signed: signed.signed_bytes().to_vec(),
        };
        let mut content = self.disk.content();
        content.own_seq.insert(self.room, event.seq);
        content.log.insert(self.room, record);
    }
}

pub fn chat(text: &str) -> Body {
    Body::Message(Message::new(Kind::Chat, text))
}

/// One event for every rule, each well placed and without effect.
pub fn break_every_rule(world: &mut World, room: RoomId, at: At) -> Vec<(&'static str, EventId, Mark)> {
    let founder = world.member(0);
    let genesis = EventId::from(room);
    let stranger = |number: u8| Identity::from_secret(&[number; 32]).member();
    let admitted = |invite, number| {
        let name = format!("stranger {number}");
        Body::Admitted(Admitted { member: stranger(number), invite, name })
    };
    say(world, room, at, "I am as honest as anybody");
    forge(world, room, at, |pen| {
        let mut broken = Vec::new();
        let mut no = |what, id, mark| broken.push((what, id, mark));
        let removed = |member, last| Body::Removed(Removed { member, last, reason: None });
        no("removes without a right last", pen.say(removed(founder, None)), Mark::Membership(Void::WrongLast));
        no("removes the founder", pen.say(removed(founder, Some(genesis))), Mark::Membership(Void::WrongLast));
        no("admits without invite", pen.say(admitted(genesis, 101)), Mark::Membership(Void::NoSuchInvite));
        let invited = |number: u8| {
            let (label, key) = (InviteLabel([number; 16]), KnockKey::new([number; 32]));
            Body::Invited(Invited { label, key, expires_at: pen_time(), uses: 1 })
        };
        let closed = pen.say(invited(1));
        pen.say(Body::InviteClosed(InviteClosed { invite: closed }));
        no("admits through a closed invite", pen.say(admitted(closed, 102)), Mark::Membership(Void::InviteClosed));
        let used = pen.say(invited(2));
        pen.say(admitted(used, 103));
        no("admits once too often", pen.say(admitted(used, 104)), Mark::Membership(Void::InviteUsedUp));
        no("an unknown kind", pen.say(Body::Foreign { kind: "hologram".into() }), Mark::Foreign);
        no("a known kind with nothing in it", pen.say(Body::Foreign { kind: "removed".into() }), Mark::Foreign);
        no("says nothing", pen.say(chat(" ")), Mark::Empty);
        no("says too much", pen.say(chat(&"x".repeat(200_000))), Mark::TooLong);
        no("asks without format", pen.say(Body::Message(Message::new(Kind::Question, "so?"))), Mark::FieldMissing);
        let mut answer = Message::new(Kind::Answer, "yes");
        answer.answers = Some(genesis);
        no("answers what nobody asked", pen.say(Body::Message(answer)), Mark::NotAQuestion);
        let named = Body::Named(Named { session: None, name: "alice".into() });
        no("takes another's name", pen.say(named), Mark::NameTaken);
        let verified = Body::Verified(Verified { member: stranger(105) });
        no("verifies a stranger", pen.say(verified), Mark::NoSuchMember);
        broken
    })
}

pub fn pen_time() -> pairwave_core::time::Timestamp {
    pairwave_core::time::Timestamp(2_000_000_000_000)
}

/// Alice, mallory and carol, who all have spoken.
pub fn three(seed: u64) -> (World, RoomId) {
    let mut world = World::new(seed, &["alice", "mallory", "carol"]);
    let room = found(&mut world, 0);
    for guest in [1, 2] {
        bring_in(&mut world, room, 0, guest);
    }
    for at in 0..3 {
        say(&mut world, room, at, "hello");
    }
    settle(&mut world, room, &[0, 1, 2]);
    (world, room)
}

/// The honest go on as if nothing were.
fn unimpressed(world: &mut World, room: RoomId, honest: &[At]) {
    for at in honest {
        say(world, room, *at, "go on");
    }
    settle(world, room, honest);
    for at in honest {
        say(world, room, *at, "and on");
    }
    settle(world, room, honest);
    one_truth(world, room, honest);
}

#[test]
fn who_says_two_things_in_one_place_is_found_out() {
    let (mut world, room) = three(20);
    forge(&mut world, room, 1, |pen| {
        let tip = pen.tip;
        pen.say(chat("to alice I say yes"));
        pen.tip = tip;
        pen.say(chat("to carol I say no"));
    });
    unimpressed(&mut world, room, &[0, 2]);
    let mallory = world.member(1);
    for at in [0, 2] {
        let state = world.node(at).room(&room).unwrap().state();
        assert_eq!(state.equivocations.get(&mallory), Some(&Equivocation::Forked));
    }
}

#[test]
fn of_a_fork_two_branches_are_enough() {
    let (mut world, room) = three(21);
    forge(&mut world, room, 1, |pen| {
        let tip = pen.tip;
        for branch in 0..30 {
            pen.tip = tip;
            for number in 0..10 {
                pen.say(chat(&format!("branch {branch}.{number}")));
            }
        }
    });
    unimpressed(&mut world, room, &[0, 2]);
    let count = world.node(0).room(&room).unwrap().count();
    assert!(count < 60, "{count} events were taken");
}

#[test]
fn a_broken_chain_does_not_enter() {
    let (mut world, room) = three(22);
    let alices = world.node(0).room(&room).unwrap().known().tip(&world.member(0)).unwrap();
    let broken = forge(&mut world, room, 1, |pen| {
        let tip = pen.tip;
        let borrowed = pen.write(chat("alice's words are mine"), |event| {
            event.backlink = Some(alices);
            event.parents = vec![alices];
        });
        pen.tip = tip;
        let skipping = pen.write(chat("I skip ten"), |event| event.seq += 10);
        [borrowed, skipping]
    });
    unimpressed(&mut world, room, &[0, 2]);
    for id in broken {
        assert!(!world.node(0).room(&room).unwrap().contains(world.node(0).log(), &id).unwrap());
    }
}

#[test]
fn what_waits_for_a_withheld_parent_waits_without_end_and_without_harm() {
    let (mut world, room) = three(23);
    forge(&mut world, room, 1, |pen| {
        for number in 0..200u32 {
            let mut withheld = [7; 32];
            withheld[..4].copy_from_slice(&number.to_be_bytes());
            pen.write(chat(&number.to_string()), |event| event.parents.push(EventId(withheld)));
        }
    });
    unimpressed(&mut world, room, &[0, 2]);
    let count = world.node(0).room(&room).unwrap().count();
    assert!(count < 60, "{count} events were taken");
}

#[test]
fn a_flood_is_no_more_than_many_events() {
    let (mut world, room) = three(24);
    forge(&mut world, room, 1, |pen| {
        for number in 0..600 {
            pen.say(chat(&format!("noise {number}")));
        }
    });
    for at in [0, 2] {
        say(&mut world, room, at, "I hear nothing but mallory");
    }
    settle(&mut world, room, &[0, 1, 2]);
    assert!(world.node(0).room(&room).unwrap().count() > 600);
}

#[test]
fn wrong_keys_open_nothing_and_close_nothing() {
    let (mut world, room) = three(25);
    forge(&mut world, room, 1, |pen| {
        let mut keys = EpochKeys::default();
        keys.insert(EventId::from(room), EpochKey::new([1; 32]));
        for number in 0..100 {
            keys.insert(EventId([number; 32]), EpochKey::new([number; 32]));
        }
        pen.disk.content().slots.insert((room, Slot::Keys), keys.encode());
    });
    unimpressed(&mut world, room, &[0, 2]);
    for at in [0, 2] {
        world.crash(at);
        world.start(at);
    }
    unimpressed(&mut world, room, &[0, 2]);
}

#[test]
fn who_was_removed_can_say_and_do_nothing_more() {
    let mut world = World::new(26, &["alice", "mallory", "carol", "dave"]);
    let room = found(&mut world, 0);
    for guest in [1, 2, 3] {
        bring_in(&mut world, room, 0, guest);
        say(&mut world, room, guest, "hello");
    }
    settle(&mut world, room, &[0, 1, 2, 3]);
    let mallory = world.member(1);
    let carol = world.member(2);
    world.partition(&[&[0, 2], &[1, 3]]);
    remove(&mut world, room, 0, mallory);
    let after = forge(&mut world, room, 1, |pen| {
        let (label, key) = (InviteLabel([9; 16]), KnockKey::new([9; 32]));
        let invite = pen.say(Body::Invited(Invited { label, key, expires_at: pen_time(), uses: 9 }));
        let friend = Identity::from_secret(&[99; 32]).member();
        let admission = Body::Admitted(Admitted { member: friend, invite, name: "friend".into() });
        let mut said = vec![invite, pen.say(admission)];
        said.extend((0..40).map(|number| pen.say(chat(&format!("I am still here {number}")))));
        said.push(pen.say(Body::Removed(Removed { member: carol, last: None, reason: None })));
        said
    });
    let last = *after.last().expect("events");
    let dave_has_it = |world: &World| {
        let node = world.node(3);
        node.room(&room).unwrap().contains(node.log(), &last).unwrap()
    };
    assert!(world.run_until(MINUTE, dave_has_it));
    say(&mut world, room, 3, "I hear mallory");
    world.heal();
    unimpressed(&mut world, room, &[0, 2, 3]);
    let state = world.node(2).room(&room).unwrap().state();
    for id in after {
        assert!(mark_of(state, id).is_some(), "{id:?} has effect");
    }
    assert!(state.members.standing(&carol) && !state.members.standing(&mallory));
}

#[test]
fn a_twin_of_a_removed_members_event_counts_nowhere_however_late() {
    let (mut world, room) = three(27);
    let mallory = world.member(1);
    world.partition(&[&[0, 1], &[2]]);
    let tip = forge(&mut world, room, 1, |pen| {
        let tip = pen.tip;
        pen.say(chat("the one that alice knows"));
        tip
    });
    settle(&mut world, room, &[0, 1]);
    remove(&mut world, room, 0, mallory);
    world.run(MINUTE);
    world.partition(&[&[0], &[1, 2]]);
    let twin = forge(&mut world, room, 1, |pen| {
        pen.tip = tip;
        pen.say(chat("the one that carol knows"))
    });
    say(&mut world, room, 2, "I know one thing more");
    world.heal();
    unimpressed(&mut world, room, &[0, 2]);
    for at in [0, 2] {
        let state = world.node(at).room(&room).unwrap().state();
        assert_eq!(mark_of(state, tip.1), None);
        let there = world.node(at).room(&room).unwrap().contains(world.node(at).log(), &twin).unwrap();
        assert_eq!(mark_of(state, twin).is_some(), there);
    }
}
