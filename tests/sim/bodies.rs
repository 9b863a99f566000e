//! Three who sign whatever comes to mind, each knowing this and not that: whatever they say about
//! charter, floor and requests, everybody makes the same of it, in any order, and what the reference
//! makes of it.

use std::collections::BTreeMap;

use pairwave_core::actions::{Action, Approved, Completed, Denied, Expired, Handed, Requested, Risk};
use pairwave_core::brain::{self, Remembered};
use pairwave_core::charter::{AutoApprove, Charter, CharterAccepted, CharterDeclined, CharterProposed};
use pairwave_core::claims::{ClaimsExpired, PathsClaimed, PathsReleased};
use pairwave_core::command::Speaker;
use pairwave_core::event::{Body, Event, Origin, SignedEvent, VERSION, VerifiedEvent};
use pairwave_core::floor::{FloorClaimed, FloorReleased, FloorTaken, FloorYielded};
use pairwave_core::git::{self, Committed, GitSetUp};
use pairwave_core::hops::Prompted;
use pairwave_core::id::{EventId, FindingId, MemberId, RoomId, SessionId};
use pairwave_core::key::{Identity, KnockKey};
use pairwave_core::log::MemoryLog;
use pairwave_core::members::{Admitted, Genesis, Invited, Left};
use pairwave_core::overrides::Overridden;
use pairwave_core::room::{Acceptance, Room};
use pairwave_core::talk::{Address, Kind, Message};
use pairwave_core::time::Timestamp;
use pairwave_core::verification::Verified;
use pairwave_wire::hello::InviteLabel;
use proptest::prelude::*;
use proptest::strategy::ValueTree;

use crate::checks::{compare, mark_of};
use crate::reference::{Library, SPECS, Truth};

const PEOPLE: usize = 3;

/// One event: who says it, what, about what, and whom of the others it has heard.
#[derive(Debug, Clone)]
struct Step {
    by: usize,
    what: u8,
    about: usize,
    how: u8,
    hears: u8,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0..PEOPLE, any::<u8>(), 0..6usize, any::<u8>(), any::<u8>());
    let step = step.prop_map(|(by, what, about, how, hears)| Step { by, what, about, how, hears });
    proptest::collection::vec(step, 20..120)
}

/// What they have said.
pub struct Table {
    people: Vec<Identity>,
    room: Option<RoomId>,
    tips: Vec<Option<(u64, EventId)>>,
    /// The newest event that each has heard of each.
    heard: Vec<Vec<Option<EventId>>>,
    said: Vec<(EventId, Event)>,
    signed: BTreeMap<EventId, Vec<u8>>,
    /// Who had the floor last, as far as the one who tells the tale knows.
    turn: usize,
}

impl Table {
    /// Alice lets bob and mallory in, all verify each other, agree on a charter, and alice has the
    /// floor.
    pub fn set() -> Self {
        let people = [61, 62, 63].map(|number| Identity::from_secret(&[number; 32])).into();
        let (tips, heard) = (vec![None; PEOPLE], vec![vec![None; PEOPLE]; PEOPLE]);
        let mut table = Self { people, room: None, tips, heard, said: Vec::new(), signed: BTreeMap::new(), turn: 0 };
        let genesis = Genesis { nonce: [7; 32], title: "parser".into(), name: "alice".into(), rules: 1 };
        let first = table.say(0, human(0), Body::Genesis(genesis));
        table.room = Some(RoomId::from(first));
        let (label, key) = (InviteLabel([1; 16]), KnockKey::new([1; 32]));
        let invited = Invited { label, key, expires_at: Timestamp(2_000_000_000_000), uses: 9 };
        let invite = table.say(0, human(0), Body::Invited(invited));
        for (at, name) in [(1, "bob"), (2, "mallory")] {
            let admitted = Admitted { member: table.member(at), invite, name: name.into() };
            table.say(0, human(0), Body::Admitted(admitted));
        }
        let met = |table: &mut Self, at: usize, body| {
            table.hear(at, 0xff);
            table.say(at, human(at), body)
        };
        for (at, other) in [(1, 0), (0, 1), (2, 0), (0, 2)] {
            let member = table.member(other);
            met(&mut table, at, Body::Verified(Verified { member }));
        }
        let charter = charter(0);
        met(&mut table, 0, Body::CharterProposed(CharterProposed { charter: charter.clone() }));
        for at in [1, 2] {
            met(&mut table, at, Body::CharterAccepted(CharterAccepted { hash: charter.hash() }));
        }
        met(&mut table, 0, Body::FloorClaimed(FloorClaimed { reason: None }));
        (1..PEOPLE).for_each(|at| table.hear(at, 0xff));
        table
    }

    pub fn member(&self, at: usize) -> MemberId {
        self.people[at].member()
    }

    /// The invite through which all came.
    pub fn invite(&self) -> EventId {
        self.newest(0, |body| matches!(body, Body::Invited(_))).expect("there is one").0
    }

    pub fn hear(&mut self, at: usize, whom: u8) {
        for other in (0..PEOPLE).filter(|other| *other != at && whom >> other & 1 == 1) {
            self.heard[at][other] = self.tips[other].map(|(_, id)| id);
        }
    }

    pub fn say(&mut self, at: usize, by: Speaker, body: Body) -> EventId {
        let tip = self.tips[at];
        let admission = || self.said.iter().find(|(_, event)| admits(event, &self.member(at))).map(|(id, _)| *id);
        let first = if self.room.is_none() { None } else { tip.map(|(_, id)| id).or_else(admission) };
        let mut parents: Vec<EventId> = first.into_iter().collect();
        parents.extend(self.heard[at].iter().flatten().filter(|id| Some(**id) != first));
        let event = Event {
            version: VERSION,
            room: self.room,
            author: self.member(at),
            seq: tip.map_or(1, |(seq, _)| seq + 1),
            backlink: tip.map(|(_, id)| id),
            parents,
            claimed_time: Timestamp(1_700_000_000_000),
            session: by.session,
            origin: by.origin,
            body,
        };
        let signed = VerifiedEvent::sign(&self.people[at], event).expect("not too long");
        let id = signed.id();
        self.tips[at] = Some((signed.event().seq, id));
        self.said.push((id, signed.event().clone()));
        self.signed.insert(id, signed.signed_bytes().to_vec());
        id
    }

    /// Goes back to where somebody was before it said this, as one who has the key twice.
    pub fn forget(&mut self, at: usize, id: EventId) {
        let (_, event) = self.said.iter().find(|(said, _)| *said == id).expect("it was said");
        self.tips[at] = event.backlink.map(|back| (event.seq - 1, back));
    }

    /// Every other step is what somebody honest might do.
    fn play(&mut self, step: &Step) {
        let mut step = step.clone();
        if step.how & 4 == 0 {
            self.guide(&mut step);
        }
        let step = &step;
        self.hear(step.by, if step.how & 1 == 0 { 0xff } else { step.hears });
        let origin = if step.how & 2 == 0 { Origin::Human } else { Origin::Agent };
        let mut by = Speaker { origin, ..human(step.by) };
        if origin == Origin::Agent {
            by.session = SessionId([100 + (step.how >> 2 & 1); 16]);
        }
        let body = self.body(step);
        self.say(step.by, by, body);
    }

    fn guide(&mut self, step: &mut Step) {
        let place = |member: &MemberId| self.people.iter().position(|identity| identity.member() == *member);
        match step.what % 32 {
            0 | 4 if step.how >> 3 > 4 => step.what = 1,
            7 | 8 | 10 | 12 | 16..=20 => (step.by, step.how) = (self.turn, step.how & !3),
            9 => {
                let claim = self.newest(step.about, |body| matches!(body, Body::FloorClaimed(_)));
                step.by = claim.and_then(|(_, event)| place(&event.author)).unwrap_or(step.by);
            }
            21..=31 => {
                if let Some((_, requested)) = self.target(step) {
                    step.by = place(&requested.to).unwrap_or(step.by);
                    step.how &= if step.about < 4 { !3 } else { !1 };
                }
            }
            _ => (),
        }
        match step.what % 32 {
            8 if step.how >> 3 < 16 => self.turn = (step.by + 1 + step.about) % PEOPLE,
            9 => self.turn = step.by,
            _ => (),
        }
    }

    /// The request that a step is about.
    fn target(&self, step: &Step) -> Option<(EventId, Requested)> {
        let nth = step.about / 3;
        let approved = self.newest(nth, |body| matches!(body, Body::Approved(_)));
        let handed = self.newest(nth, |body| matches!(body, Body::Handed(_)));
        let newest = self.newest(step.about / 2, |body| matches!(body, Body::Requested(_)));
        let before = match step.what % 32 {
            26 | 27 => approved,
            28 | 29 => handed,
            _ => None,
        };
        let named = before.filter(|_| step.how & 4 == 0).and_then(|(_, event)| match &event.body {
            Body::Approved(approved) => Some(approved.request),
            Body::Handed(handed) => Some(handed.request),
            _ => None,
        });
        let wanted = named.or(newest.map(|(id, _)| id))?;
        self.said.iter().find_map(|(id, event)| match &event.body {
            Body::Requested(requested) if *id == wanted => Some((*id, requested.clone())),
            _ => None,
        })
    }

    /// The events of some kind, the newest first.
    fn newest(&self, nth: usize, is: impl Fn(&Body) -> bool) -> Option<(EventId, &Event)> {
        let mut all = self.said.iter().rev().filter(|(_, event)| is(&event.body));
        let first = all.next();
        all.nth(nth.wrapping_sub(1)).filter(|_| nth > 0).or(first).map(|(id, event)| (*id, event))
    }

    fn body(&self, step: &Step) -> Body {
        let (about, how) = (step.about, step.how >> 3);
        let other = self.member((step.by + 1 + about) % PEOPLE);
        let asked = self.target(step);
        let proposal = self.newest(about / 2, |body| matches!(body, Body::CharterProposed(_)));
        let hash = proposal.and_then(|(_, event)| match &event.body {
            Body::CharterProposed(proposed) => Some(proposed.charter.hash()),
            _ => None,
        });
        let hash = hash.expect("there is a charter");
        let floor = |body: &Body| matches!(body, Body::FloorClaimed(_) | Body::FloorYielded(_) | Body::FloorTaken(_));
        match (step.what % 32, asked) {
            (0, _) if how < 10 => Body::CharterProposed(CharterProposed { charter: charter(how * 7 % 32) }),
            (4, _) if how < 12 => Body::CharterDeclined(CharterDeclined { hash, reason: None }),
            (0..=4, _) => Body::CharterAccepted(CharterAccepted { hash }),
            (6 | 12, _) if how < 16 => self.git(about, how),
            (5..=6, _) => Body::FloorClaimed(FloorClaimed { reason: None }),
            (7, _) if how < 8 => Body::FloorYielded(FloorYielded { to: None }),
            (8, _) if how < 16 => {
                let session = (how & 3 == 3).then_some(SessionId([100; 16]));
                Body::FloorYielded(FloorYielded { to: Some(Address { member: other, session }) })
            }
            (9, _) => {
                let claim = self.newest(about, |body| matches!(body, Body::FloorClaimed(_)));
                Body::FloorTaken(FloorTaken { claim: claim.expect("alice claimed it").0 })
            }
            (10, _) if how < 8 => {
                Body::FloorReleased(FloorReleased { held: self.newest(about, floor).expect("as before").0 })
            }
            (11, _) => Body::Prompted(Prompted {}),
            (12, _) => Body::Message(finding("look")),
            (13, _) if how < 24 => self.entry(about, how),
            (13, _) => Body::Message(Message::new(Kind::Chat, "hm")),
            (14, _) => {
                Body::Overridden(Overridden { finding: FindingId([how; 16]), rule: "r".repeat(usize::from(how) * 4) })
            }
            (15, _) if how == 7 && step.by == 2 => Body::Left(Left {}),
            (15, _) => Body::Verified(Verified { member: other }),
            (7 | 8 | 10 | 16..=20, _) | (_, None) => Body::Requested(requested(other, how)),
            (21..=24, Some((request, what))) => {
                let mut hash = what.hash();
                hash.0[0] ^= u8::from(how == 3);
                let under = self.newest(about, |body| matches!(body, Body::CharterProposed(_) | Body::Approved(_)));
                let under = under.map(|(id, _)| id).filter(|_| how & 2 == 0);
                Body::Approved(Approved { request, hash, risk: risk(how >> 1), always: how & 5 == 1, under })
            }
            (25, Some((request, _))) => Body::Denied(Denied { request, reason: None }),
            (26..=27, Some((request, _))) => Body::Handed(Handed { request }),
            (28..=29, Some((request, _))) => Body::Completed(Completed { request, ok: how & 1 == 0, detail: None }),
            (_, Some((request, _))) => Body::Expired(Expired { request }),
        }
    }
}

impl Table {
    /// An entry of the brain: one of its own, one in the place of another, one that is none.
    fn entry(&self, about: usize, how: u8) -> Body {
        let is: fn(&Body) -> bool = if how == 3 { |_| true } else { |body| matches!(body, Body::Remembered(_)) };
        let supersedes = self.newest(about / 2, is).map(|(id, _)| id).filter(|_| how > 1);
        let tag = if how == 4 { "a,b" } else { "parser" };
        let entry = Remembered::new(brain::Kind::Fact, "the parser", "is recursive");
        Body::Remembered(Remembered { tags: vec![tag.into()], supersedes, ..entry })
    }
}

impl Table {
    /// Something about git.
    fn git(&self, about: usize, how: u8) -> Body {
        let spec = |at: usize| SPECS[at % SPECS.len()].0.to_owned();
        let at = about + usize::from(how);
        match how {
            0..=6 => Body::PathsClaimed(PathsClaimed { paths: vec![spec(at)], note: None }),
            7 => Body::PathsClaimed(PathsClaimed { paths: vec![spec(at), spec(at + 3)], note: None }),
            8 => Body::PathsReleased(PathsReleased { paths: Vec::new() }),
            9 => Body::PathsReleased(PathsReleased { paths: vec![spec(about)] }),
            10 => {
                let claim = self.newest(about / 2, |body| matches!(body, Body::PathsClaimed(_)));
                Body::ClaimsExpired(ClaimsExpired { claims: claim.into_iter().map(|(id, _)| id).collect() })
            }
            11..=12 => {
                let strategy = git::Strategy::ALL[about % 2];
                let announced = self.newest(about / 2, |body| matches!(body, Body::Committed(_)));
                let base_commit = match announced.map(|(_, event)| &event.body) {
                    Some(Body::Committed(said)) if about < 4 => Some(said.sha.clone()),
                    _ => (about == 4).then(|| "ffffffff".into()),
                };
                let (repo, branch) = ("p.git".into(), "main".into());
                Body::GitSetUp(GitSetUp { repo, branch, base_commit, strategy })
            }
            _ => {
                // Now and then one that was announced before.
                let number = if about == 5 { 0 } else { self.said.len() };
                let (sha, message) = (format!("{number:07x}"), "fix".into());
                Body::Committed(Committed { sha, message, branch: None, paths: Vec::new() })
            }
        }
    }
}

pub fn admits(event: &Event, member: &MemberId) -> bool {
    matches!(&event.body, Body::Admitted(admitted) if admitted.member == *member)
}

pub fn human(at: usize) -> Speaker {
    Speaker { session: SessionId([at as u8 + 1; 16]), origin: Origin::Human }
}

fn risk(how: u8) -> Risk {
    [Risk::Low, Risk::Low, Risk::Medium, Risk::High][usize::from(how % 4)]
}

pub fn charter(how: u8) -> Charter {
    Charter {
        title: "parser".into(),
        purpose: if how == 31 { " ".into() } else { "make it fast".into() },
        must_nots: vec!["push to main".into()].into_iter().skip(usize::from(how == 30)).collect(),
        auto_approve: [AutoApprove::None, AutoApprove::None, AutoApprove::Low, AutoApprove::All][usize::from(how % 4)],
        max_hops: [3, 5, 1, 3, 100_001][usize::from(how % 5)],
        live_minutes: 20,
        ..Charter::default()
    }
}

pub fn requested(to: MemberId, how: u8) -> Requested {
    let action = Action::ALL[usize::from(how % 4)];
    Requested {
        to,
        action,
        risk: risk(how),
        summary: "please".into(),
        payload: format!("do {}", how % 8),
        target_path: (how & 8 == 0).then(|| "notes.txt".into()),
        artifact: None,
    }
}

pub fn finding(text: &str) -> Message {
    let mut finding = Message::new(Kind::Finding, text);
    finding.headline = Some("found".into());
    finding
}

impl Table {
    /// All of it, as it was said.
    pub fn said(&self) -> impl Iterator<Item = EventId> + '_ {
        self.said.iter().map(|(id, _)| *id)
    }

    /// What the reference makes of it.
    pub fn truth(&self) -> Truth {
        let mut library = Library::default();
        self.said.iter().for_each(|(id, event)| library.take(*id, event.clone()).unwrap());
        library.truth(&self.said.iter().map(|(id, _)| *id).collect())
    }

    /// What everybody makes of it, when they have heard everything; the reference agrees.
    pub fn room(&self) -> Room {
        let room = room_of(self, self.said.iter().map(|(id, _)| *id).collect());
        compare(&mut Library::default(), &room, &MemoryLog::default()).unwrap();
        room
    }
}

/// What a room makes of these events if they come so.
pub fn room_of(table: &Table, mut order: Vec<EventId>) -> Room {
    let mut room = Room::joining(table.room.expect("founded"), table.member(1));
    let log = MemoryLog::default();
    order.dedup();
    for id in order {
        let event = SignedEvent::decode(&table.signed[&id]).unwrap().verify().unwrap();
        let taken = room.take(&log, event).unwrap();
        assert!(!matches!(taken, Acceptance::Unwanted(_)), "{taken:?}");
        room.settle_if_due(&log, 8).unwrap();
    }
    room.settle(&log).unwrap();
    room
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn order_is_data_for_charter_floor_and_requests(steps in steps(), seed in any::<u64>()) {
        let mut table = Table::set();
        steps.iter().for_each(|step| table.play(step));
        let order: Vec<EventId> = table.said.iter().map(|(id, _)| *id).collect();
        let room = room_of(&table, order.clone());
        compare(&mut Library::default(), &room, &MemoryLog::default()).map_err(TestCaseError::fail)?;
        let expected = room.state().to_bytes();
        for round in 0..3u64 {
            let other = room_of(&table, shuffled(&order, seed.wrapping_add(round)));
            prop_assert_eq!(other.count(), room.count());
            prop_assert!(other.state().to_bytes() == expected);
        }
    }
}

/// Parents come before their children, or not: here no order is kept at all.
pub fn shuffled(order: &[EventId], seed: u64) -> Vec<EventId> {
    let place = |id: &EventId| pairwave_core::key::hash(b"simulated-order", &[&seed.to_be_bytes(), &id.0]);
    let mut order = order.to_vec();
    order.sort_by_key(place);
    order
}

/// The steps above come to something: much of each kind has effect, and much has none.
#[test]
fn what_comes_to_mind_is_a_bit_of_everything() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut with, mut without) = (BTreeMap::<String, u32>::new(), BTreeMap::<String, u32>::new());
    for _ in 0..60 {
        let steps = steps().new_tree(&mut runner).unwrap().current();
        let mut table = Table::set();
        steps.iter().for_each(|step| table.play(step));
        let room = room_of(&table, table.said.iter().map(|(id, _)| *id).collect());
        for (id, event) in &table.said {
            let count = if mark_of(room.state(), *id).is_some() { &mut without } else { &mut with };
            *count.entry(event.body.kind().to_owned()).or_default() += 1;
        }
    }
    println!("{with:?} and without effect {without:?}");
    let kinds = ["charter_proposed", "charter_accepted", "charter_declined", "floor_claimed", "floor_yielded"];
    assert!(with.get("remembered").is_some_and(|count| *count > 20), "{with:?}");
    let more = ["floor_taken", "floor_released", "action", "approved", "denied", "handed", "completed", "expired"];
    assert!(without.values().sum::<u32>() > 500, "{without:?}");
    for kind in kinds.into_iter().chain(more) {
        assert!(with.get(kind).is_some_and(|count| *count > 1), "{kind}: {with:?}");
    }
}

#[test]
fn who_comes_in_later_makes_nothing_true_that_was_said_before() {
    let mut table = Table::set();
    let carol = MemberId([77; 32]);
    let early = table.say(2, human(2), Body::Verified(Verified { member: carol }));
    let invite = table.invite();
    table.hear(0, 0xff);
    table.say(0, human(0), Body::Admitted(Admitted { member: carol, invite, name: "carol".into() }));
    assert!(table.room().is_member(&carol));
    assert_eq!(mark_of(table.room().state(), early), Some(pairwave_core::mark::Mark::NoSuchMember));
    assert!(!table.room().state().verification.is_verified_by(&table.member(2), &carol));
}
