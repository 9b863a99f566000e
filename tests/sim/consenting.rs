//! Companions that agree, take turns and ask each other for things: at random through bad nights, by
//! the clock, and against one of them that signs whatever it likes.

use std::collections::BTreeSet;
use std::time::Duration;

use pairwave_core::actions::{Action, Approved, Completed, Denied, Expired, Handed, RequestState, Requested, Risk};
use pairwave_core::charter::{AutoApprove, Charter, CharterProposed};
use pairwave_core::command::{Command, Outcome, Refusal, Speaker};
use pairwave_core::consenting::Act;
use pairwave_core::event::{Body, Origin};
use pairwave_core::floor::{FloorReleased, FloorTaken};
use pairwave_core::id::{EventId, FindingId, RequestHash, RoomId, SessionId};
use pairwave_core::input::Input;
use pairwave_core::mark::Mark;
use pairwave_core::overrides::Overridden;
use pairwave_core::state::RoomState;
use pairwave_core::talk::{Address, Kind, Message};
use pairwave_core::verification::Verified;
use rand_core::Rng;

use crate::arrival::{events, in_any_order};
use crate::bodies::{charter, finding};
use crate::checks::{is_true, mark_of};
use crate::mallory::{chat, forge};
use crate::reference::Library;
use crate::scenes::{MINUTE, bring_in, found, one_truth, said, settle};
use crate::world::{At, World, human};

const AGENT: SessionId = SessionId([21; 16]);

fn agent() -> Speaker {
    Speaker { session: AGENT, origin: Origin::Agent }
}

/// A room whose members are verified to each other.
fn verified(seed: u64, names: &[&'static str]) -> (World, RoomId) {
    let mut world = World::new(seed, names);
    let room = found(&mut world, 0);
    let all: Vec<At> = (0..names.len()).collect();
    for guest in &all[1..] {
        bring_in(&mut world, room, 0, *guest);
    }
    let founder = world.member(0);
    let members: Vec<_> = all[1..].iter().map(|at| world.member(*at)).collect();
    for at in &all[1..] {
        crate::scenes::say(&mut world, room, *at, "hello");
        forge(&mut world, room, *at, |pen| pen.say(Body::Verified(Verified { member: founder })));
    }
    forge(&mut world, room, 0, |pen| {
        members.iter().for_each(|member| _ = pen.say(Body::Verified(Verified { member: *member })))
    });
    settle(&mut world, room, &all);
    assert!(state(&world, room, 0).gate.is_verified());
    (world, room)
}

/// As [`verified`], with a charter that all agreed on.
pub fn agreed(seed: u64, names: &[&'static str], charter: Charter) -> (World, RoomId) {
    let (mut world, room) = verified(seed, names);
    let all: Vec<At> = (0..names.len()).collect();
    act(&mut world, room, 0, human(), Act::Propose(charter)).unwrap();
    settle(&mut world, room, &all);
    for at in &all[1..] {
        act(&mut world, room, *at, human(), Act::Accept { hash: None }).unwrap();
    }
    settle(&mut world, room, &all);
    assert!(state(&world, room, 0).charters.in_force().is_some());
    (world, room)
}

pub fn act(world: &mut World, room: RoomId, at: At, by: Speaker, act: Act) -> Result<Outcome, Refusal> {
    world.ask(at, Command::Act { room, by, act })
}

pub fn state(world: &World, room: RoomId, at: At) -> &RoomState {
    world.node(at).room(&room).unwrap().state()
}

pub fn fetch(world: &World, to: At, page: u32) -> Requested {
    Requested {
        to: world.member(to),
        action: Action::FetchUrl,
        risk: Risk::Low,
        summary: "please".into(),
        payload: format!("https://pages.example/{page}"),
        target_path: None,
        artifact: None,
    }
}

#[test]
fn from_charter_to_result_and_a_restart_forgets_nothing() {
    let (mut world, room) = verified(90, &["alice", "bob"]);
    let push = Command::Send { room, by: agent(), message: finding("look") };
    assert_eq!(world.ask(0, push.clone()), Err(Refusal::NoCharter));
    act(&mut world, room, 0, agent(), Act::Propose(charter(0))).unwrap();
    settle(&mut world, room, &[0, 1]);
    act(&mut world, room, 1, human(), Act::Accept { hash: None }).unwrap();
    settle(&mut world, room, &[0, 1]);
    assert_eq!(world.ask(0, push), Err(Refusal::NoFloor { holder: None }));
    act(&mut world, room, 0, agent(), Act::Claim { reason: None }).unwrap();
    let what = fetch(&world, 1, 1);
    let request = said(act(&mut world, room, 0, agent(), Act::Request(what.clone())));
    settle(&mut world, room, &[0, 1]);
    let approve = |hash| Act::Approve { request, hash, risk: Risk::Low, always: false };
    assert_eq!(act(&mut world, room, 1, agent(), approve(what.hash())), Err(Refusal::HumansOnly));
    assert_eq!(act(&mut world, room, 1, human(), approve(RequestHash([0; 32]))), Err(Refusal::OtherPayload));
    assert_eq!(act(&mut world, room, 0, human(), approve(what.hash())), Err(Refusal::NotForYou));
    assert_eq!(act(&mut world, room, 1, agent(), Act::Hand { request }), Err(Refusal::NotApproved));
    act(&mut world, room, 1, human(), approve(what.hash())).unwrap();
    world.crash(1);
    world.start(1);
    act(&mut world, room, 1, agent(), Act::Hand { request }).unwrap();
    assert_eq!(act(&mut world, room, 1, agent(), Act::Hand { request }), Err(Refusal::HandedBefore));
    world.crash(1);
    world.start(1);
    assert_eq!(act(&mut world, room, 1, agent(), Act::Hand { request }), Err(Refusal::HandedBefore));
    let done = Act::Complete { request, ok: true, detail: None };
    assert_eq!(act(&mut world, room, 0, human(), done.clone()), Err(Refusal::NotForYou));
    act(&mut world, room, 1, agent(), done).unwrap();
    settle(&mut world, room, &[0, 1]);
    assert_eq!(state(&world, room, 0).actions.get(&request).map(|it| it.state()), Some(RequestState::Done));
    one_truth(&world, room, &[0, 1]);
}

#[test]
fn an_agent_under_a_charter_approves_and_a_removed_requester_gets_nothing() {
    let low = Charter { auto_approve: AutoApprove::Low, ..charter(0) };
    let (mut world, room) = agreed(91, &["alice", "mallory"], low);
    act(&mut world, room, 1, human(), Act::Claim { reason: None }).unwrap();
    let what = fetch(&world, 0, 1);
    let request = said(act(&mut world, room, 1, human(), Act::Request(what.clone())));
    settle(&mut world, room, &[0, 1]);
    let approve = |risk| Act::Approve { request, hash: what.hash(), risk, always: false };
    assert_eq!(act(&mut world, room, 0, agent(), approve(Risk::Medium)), Err(Refusal::HumansOnly));
    act(&mut world, room, 0, agent(), approve(Risk::Low)).unwrap();
    let mallory = world.member(1);
    crate::scenes::remove(&mut world, room, 0, mallory);
    assert_eq!(act(&mut world, room, 0, agent(), Act::Hand { request }), Err(Refusal::NoSuchMember));
}

#[test]
fn a_request_that_nobody_answers_expires_after_a_day_and_not_before() {
    for asker_is_there in [true, false] {
        let (mut world, room) = agreed(92, &["alice", "bob"], charter(0));
        act(&mut world, room, 0, human(), Act::Claim { reason: None }).unwrap();
        let what = fetch(&world, 1, 1);
        let request = said(act(&mut world, room, 0, human(), Act::Request(what)));
        settle(&mut world, room, &[0, 1]);
        if !asker_is_there {
            world.crash(0);
        }
        let is = |world: &World| state(world, room, 1).actions.get(&request).map(|it| it.state());
        world.run(24 * 60 * MINUTE - 2 * MINUTE);
        assert_eq!(is(&world), Some(RequestState::Pending));
        world.run(5 * MINUTE);
        assert_eq!(is(&world), Some(RequestState::Expired));
    }
}

#[test]
fn a_holder_that_is_away_loses_the_floor_after_a_minute_and_once() {
    let (mut world, room) = agreed(93, &["alice", "bob", "carol"], charter(0));
    act(&mut world, room, 0, human(), Act::Claim { reason: None }).unwrap();
    settle(&mut world, room, &[0, 1, 2]);
    act(&mut world, room, 1, agent(), Act::Claim { reason: None }).unwrap();
    settle(&mut world, room, &[0, 1, 2]);
    let count = world.node(1).room(&room).unwrap().count();
    world.crash(0);
    world.run(Duration::from_secs(50));
    let holder = |world: &World| state(world, room, 2).floor.holder().map(|holder| holder.member);
    assert_eq!(holder(&world), Some(world.member(0)));
    world.run(10 * MINUTE);
    assert_eq!(holder(&world), Some(world.member(1)));
    assert_eq!(world.node(1).room(&room).unwrap().count(), count + 1, "said once");
    world.start(0);
    settle(&mut world, room, &[0, 1, 2]);
    one_truth(&world, room, &[0, 1, 2]);
}

#[test]
fn an_unanswered_claim_takes_the_floor_after_a_minute() {
    let (mut world, room) = agreed(94, &["alice", "bob"], charter(0));
    for at in [0, 1] {
        act(&mut world, room, at, agent(), Act::Claim { reason: None }).unwrap();
        settle(&mut world, room, &[0, 1]);
    }
    let claimed = act(&mut world, room, 1, agent(), Act::Claim { reason: None });
    assert!(matches!(claimed, Ok(Outcome::Said { repeated: true, .. })), "{claimed:?}");
    world.run(MINUTE);
    act(&mut world, room, 1, agent(), Act::Claim { reason: None }).unwrap();
    assert_eq!(state(&world, room, 1).floor.holder().map(|holder| holder.member), Some(world.member(1)));
    settle(&mut world, room, &[0, 1]);
    one_truth(&world, room, &[0, 1]);
}

#[test]
fn what_is_due_and_cannot_be_said_keeps_nobody_busy() {
    let (mut world, room) = agreed(95, &["alice", "bob"], charter(0));
    let backup = world.machines[1].disk.copy();
    act(&mut world, room, 0, human(), Act::Claim { reason: None }).unwrap();
    let what = fetch(&world, 1, 1);
    act(&mut world, room, 0, human(), Act::Request(what)).unwrap();
    settle(&mut world, room, &[0, 1]);
    let with_request = world.machines[1].disk.copy();
    crate::scenes::say(&mut world, room, 1, "after the copy");
    drop(backup);
    world.crash(1);
    world.machines[1].disk.put_back(with_request);
    world.partition(&[&[0], &[1]]);
    world.start(1);
    world.run(25 * 60 * MINUTE);
    assert_eq!(state(&world, room, 1).actions.pending().count(), 1, "it may not write");
    let inputs = |world: &World| world.machines[1].recording.as_ref().unwrap().inputs.len();
    let before = inputs(&world);
    world.run(10 * MINUTE);
    let woken = inputs(&world) - before;
    println!("{woken} inputs in ten minutes");
    assert!(woken < 1000, "{woken} inputs in ten minutes");
}

#[test]
fn nothing_that_mallory_signs_about_consent_has_effect_against_the_rules() {
    let (mut world, room) = agreed(96, &["alice", "mallory", "carol"], charter(0));
    act(&mut world, room, 0, human(), Act::Claim { reason: None }).unwrap();
    let what = fetch(&world, 2, 1);
    let request = said(act(&mut world, room, 0, human(), Act::Request(what.clone())));
    let asked = Requested { risk: Risk::High, ..fetch(&world, 1, 2) };
    let of_mallory = said(act(&mut world, room, 0, human(), Act::Request(asked.clone())));
    settle(&mut world, room, &[0, 1, 2]);
    crate::scenes::say(&mut world, room, 1, "I have heard all of it");
    settle(&mut world, room, &[0, 1, 2]);
    let alices = fetch(&world, 0, 3);
    let forged = forge(&mut world, room, 1, |pen| {
        let mut broken: Vec<(&str, EventId, Mark)> = Vec::new();
        let mut no = |what, id, mark| broken.push((what, id, mark));
        let approval = |request, hash| Approved { request, hash, risk: Risk::Low, always: false, under: None };
        no("pushes without the floor", pen.say(Body::Message(finding("mine"))), Mark::NoFloor);
        no("asks without the floor", pen.say(Body::Requested(alices.clone())), Mark::NoFloor);
        no("takes by a claim of nobody", pen.say(Body::FloorTaken(FloorTaken { claim: request })), Mark::OtherFloor);
        no(
            "releases what is not held",
            pen.say(Body::FloorReleased(FloorReleased { held: request })),
            Mark::OtherFloor,
        );
        let right = Body::Approved(approval(request, what.hash()));
        no("approves carol's", pen.say(right), Mark::NotForYou);
        no("denies carol's", pen.say(Body::Denied(Denied { request, reason: None })), Mark::NotForYou);
        no("hands carol's", pen.say(Body::Handed(Handed { request })), Mark::NotForYou);
        let done = |request| Body::Completed(Completed { request, ok: true, detail: None });
        no("completes carol's", pen.say(done(request)), Mark::NotForYou);
        no("ends what is not its own", pen.say(Body::Expired(Expired { request })), Mark::NoSuchRequest);
        no("guesses an id", pen.say(done(EventId([3; 32]))), Mark::NoSuchRequest);
        let other = Body::Approved(approval(of_mallory, what.hash()));
        no("approves by another hash", pen.say(other), Mark::OtherPayload);
        let wide = Charter { auto_approve: AutoApprove::All, ..charter(0) };
        let under = Some(pen.say(Body::CharterProposed(CharterProposed { charter: wide })));
        let high = Approved { under, ..approval(of_mallory, asked.hash()) };
        let as_agent = |event: &mut pairwave_core::event::Event| event.origin = Origin::Agent;
        no("approves high risk as an agent", pen.write(Body::Approved(high), as_agent), Mark::HumansOnly);
        let too_wide = Approved { always: true, ..approval(of_mallory, asked.hash()) };
        no("approves high risk for always", pen.say(Body::Approved(too_wide)), Mark::HumansOnly);
        no("hands what is not approved", pen.say(Body::Handed(Handed { request: of_mallory })), Mark::OutOfTurn);
        no("completes what was not handed", pen.say(done(of_mallory)), Mark::OutOfTurn);
        no("accepts for nobody", pen.say(accept([5; 32])), Mark::NoSuchCharter);
        let agents = Body::Overridden(Overridden { finding: FindingId([1; 16]), rule: "token".into() });
        no("overrides as an agent", pen.write(agents.clone(), as_agent), Mark::HumansOnly);
        pen.say(agents);
        for _ in 0..3 {
            pen.write(chat("on and on"), as_agent);
        }
        no("speaks too often", pen.write(chat("and on"), as_agent), Mark::HopsSpent);
        let flood =
            (0..60u8).map(|page| pen.say(Body::Requested(Requested { payload: page.to_string(), ..alices.clone() })));
        broken.extend(flood.map(|id| ("floods", id, Mark::NoCharter)).collect::<Vec<_>>());
        broken
    });
    settle(&mut world, room, &[0, 2]);
    for at in [0, 2] {
        let state = state(&world, room, at);
        for (what, id, mark) in &forged {
            assert_eq!(mark_of(state, *id), Some(*mark), "{what}");
        }
        assert_eq!(state.actions.get(&request).map(|it| it.state()), Some(RequestState::Pending));
        assert_eq!(state.actions.get(&of_mallory).map(|it| it.state()), Some(RequestState::Pending));
        assert!(!state.overrides.lets_pass(&world.member(0), &FindingId([1; 16])));
        assert_eq!(state.floor.holder().map(|holder| holder.member), Some(world.member(0)));
    }
    one_truth(&world, room, &[0, 2]);
}

fn accept(hash: [u8; 32]) -> Body {
    let hash = pairwave_core::id::CharterHash(hash);
    Body::CharterAccepted(pairwave_core::charter::CharterAccepted { hash })
}

/// Four through a night in which somebody always wants something.
struct Night {
    world: World,
    room: RoomId,
    library: Library,
}

const NAMES: [&str; 4] = ["alice", "bob", "carol", "mallory"];

impl Night {
    fn dice(&mut self, sides: usize) -> usize {
        usize::try_from(self.world.rng.next_u64() % sides as u64).expect("small")
    }

    fn happen(&mut self, step: u32) {
        let at = self.dice(NAMES.len());
        match self.dice(24) {
            0 => self.world.crash(at),
            1 | 2 => (0..NAMES.len()).for_each(|at| {
                if !self.world.is_up(at) {
                    self.world.start(at);
                }
            }),
            3 => self.world.partition(&[&[0, 1], &[2, 3]]),
            4 => self.world.partition(&[&[0, 3, 2], &[1]]),
            5 | 6 => self.world.heal(),
            7 => self.world.run(MINUTE + Duration::from_secs(5)),
            _ if self.world.is_up(at) => self.wish(at, step),
            _ => (),
        }
    }

    fn wish(&mut self, at: At, step: u32) {
        let room = self.room;
        let by = if self.dice(3) == 0 { agent() } else { human() };
        let other = (at + 1 + self.dice(NAMES.len() - 1)) % NAMES.len();
        let (risk, always) = ([Risk::Low, Risk::Medium, Risk::High][self.dice(3)], self.dice(3) == 0);
        let how = u8::try_from(self.dice(32)).expect("small");
        let [mine, newest] = self.requests(at);
        let request = if self.dice(4) == 0 { newest } else { mine };
        let act = match (self.dice(22), request) {
            (0, _) => Act::Propose(charter(how)),
            (1..=4, _) => Act::Accept { hash: None },
            (5, _) if how < 6 => Act::Decline { hash: None, reason: Some("no".into()) },
            (5 | 6, _) => Act::Claim { reason: None },
            (7, _) => Act::Yield { to: None },
            (8, _) => Act::Yield { to: Some(Address { member: self.world.member(other), session: None }) },
            (9..=12, _) | (_, None) => {
                let mut what = fetch(&self.world, other, step % 7);
                what.action = Action::ALL[usize::from(how % 4)];
                what.target_path = Some("notes.txt".into());
                self.wish_as_holder(at);
                Act::Request(what)
            }
            (13..=15, Some((request, hash))) => Act::Approve { request, hash, risk, always },
            (16, Some((request, _))) => Act::Deny { request, reason: None },
            (17, Some((request, _))) => Act::Hand { request },
            (18, Some((request, _))) => Act::Complete { request, ok: always, detail: None },
            (19, _) => Act::Override { finding: FindingId([how; 16]), rule: "token".into() },
            (20, _) => Act::Prompted,
            _ => {
                let message = if how < 16 { finding("look") } else { Message::new(Kind::Chat, "hm") };
                self.world.command(at, Command::Send { room, by, message });
                return;
            }
        };
        self.world.command(at, Command::Act { room, by, act });
    }

    /// Somebody with a request in mind claims the floor first.
    fn wish_as_holder(&mut self, at: At) {
        self.world.command(at, Command::Act { room: self.room, by: human(), act: Act::Claim { reason: None } });
    }

    /// The newest request to this one that is not settled, and the newest of all.
    fn requests(&self, at: At) -> [Option<(EventId, RequestHash)>; 2] {
        let Some(room) = self.world.node(at).room(&self.room) else { return [None; 2] };
        let me = self.world.member(at);
        let named = |(id, request): (&EventId, &pairwave_core::actions::Request)| (*id, request.hash);
        let open = |request: &pairwave_core::actions::Request| {
            !matches!(request.state(), RequestState::Done | RequestState::Failed | RequestState::Denied)
        };
        let actions = &room.state().actions;
        let mine = actions.iter().filter(|(_, request)| request.to == me && open(request));
        let newest = actions.iter().max_by_key(|(_, it)| it.position);
        [mine.max_by_key(|(_, it)| it.position).map(named), newest.map(named)]
    }

    fn check(&mut self) {
        for at in 0..NAMES.len() {
            if self.world.is_up(at) && self.world.node(at).room(&self.room).is_some() {
                is_true(&self.world, &mut self.library, at, self.room).unwrap();
            }
        }
    }
}

/// A whole night, checked all along.
fn night(seed: u64, steps: u32) -> (World, RoomId) {
    let (world, room) = agreed(seed, &NAMES, charter(0));
    let mut night = Night { world, room, library: Library::default() };
    for step in 0..steps {
        night.happen(step);
        night.world.run(Duration::from_millis(300));
        if step % 8 == 0 {
            night.check();
        }
    }
    let all: Vec<At> = (0..NAMES.len()).collect();
    for at in &all {
        if !night.world.is_up(*at) {
            night.world.start(*at);
        }
    }
    night.world.heal();
    settle(&mut night.world, room, &all);
    night.check();
    one_truth(&night.world, room, &all);
    (night.world, room)
}

#[test]
fn whoever_wants_what_through_bad_nights_all_see_the_same() {
    let mut seen = BTreeSet::new();
    for seed in [970, 974, 976] {
        println!("seed {seed}");
        let (mut world, room) = night(seed, 220);
        let events = events(&world, room, 0);
        let expected = world.node(0).room(&room).unwrap().state().to_bytes();
        for _ in 0..3 {
            assert!(in_any_order(&mut world, room, &events).state().to_bytes() == expected);
        }
        seen.extend(state(&world, room, 0).actions.iter().map(|(_, request)| request.state().name()));
    }
    println!("{seen:?}");
    assert!(seen.len() > 3, "{seen:?}");
}

#[test]
fn the_core_asks_to_be_woken_in_the_future_only() {
    let (mut world, room) = agreed(98, &["alice", "bob"], charter(0));
    act(&mut world, room, 0, human(), Act::Claim { reason: None }).unwrap();
    settle(&mut world, room, &[0, 1]);
    world.crash(0);
    for _ in 0..300 {
        world.run(Duration::from_secs(1));
        world.feed(1, Input::Timeout);
        let due = world.node(1).poll_timeout().map(|(at, _)| at);
        assert!(due.is_none_or(|at| at > world.now), "{due:?} at {:?}", world.now);
    }
}
