//! What agreeing, taking turns and asking for things come to, told event by event: who knows what is
//! exact here, and the reference agrees with every tale.

mod settling;

use pairwave_core::actions::{Approved, Completed, Denied, Expired, Handed, RequestState, Requested, Risk};
use pairwave_core::charter::{AutoApprove, Charter, CharterAccepted, CharterDeclined, CharterProposed, Standing};
use pairwave_core::command::Speaker;
use pairwave_core::event::{Body, Origin};
use pairwave_core::floor::{FloorClaimed, FloorReleased, FloorTaken, FloorYielded};
use pairwave_core::hops::Prompted;
use pairwave_core::id::{EventId, FindingId, SessionId};
use pairwave_core::mark::Mark;
use pairwave_core::members::{Admitted, Left};
use pairwave_core::overrides::Overridden;
use pairwave_core::talk::{Address, Kind, Message};

use crate::bodies::{Table, charter, finding, human};
use crate::checks::{mark_of, same_consent};

const ALICE: usize = 0;
const BOB: usize = 1;
const MALLORY: usize = 2;
const ALL: u8 = 0xff;

fn agent(at: usize) -> Speaker {
    Speaker { session: SessionId([50 + at as u8; 16]), origin: Origin::Agent }
}

impl Table {
    /// Somebody who has heard everything says something.
    fn tell(&mut self, at: usize, body: Body) -> EventId {
        self.hear(at, ALL);
        self.say(at, human(at), body)
    }

    fn agent_tells(&mut self, at: usize, body: Body) -> EventId {
        self.hear(at, ALL);
        self.say(at, agent(at), body)
    }

    /// The rule that an event broke.
    fn mark(&self, id: EventId) -> Option<Mark> {
        mark_of(self.room().state(), id)
    }

    fn state(&self, request: EventId) -> RequestState {
        self.room().state().actions.get(&request).expect("a request").state()
    }

    /// Alice, who has the floor, asks bob for something.
    fn ask(&mut self, number: u8) -> (EventId, Requested) {
        self.ask_for(requested(self, number))
    }

    fn ask_for(&mut self, requested: Requested) -> (EventId, Requested) {
        (self.tell(ALICE, Body::Requested(requested.clone())), requested)
    }

    fn agree(&mut self, charter: Charter) -> EventId {
        let hash = charter.hash();
        let proposal = self.tell(ALICE, propose(charter));
        for at in [BOB, MALLORY] {
            self.tell(at, accept(hash));
        }
        proposal
    }

    fn agreed(&self) -> Option<Charter> {
        self.room().state().charters.in_force().map(|agreed| agreed.charter.clone())
    }
}

fn accept(hash: pairwave_core::id::CharterHash) -> Body {
    Body::CharterAccepted(CharterAccepted { hash })
}

fn decline(hash: pairwave_core::id::CharterHash) -> Body {
    Body::CharterDeclined(CharterDeclined { hash, reason: None })
}

fn propose(charter: Charter) -> Body {
    Body::CharterProposed(CharterProposed { charter })
}

/// An amendment that allows no more than the charter of the table.
fn narrow() -> Charter {
    Charter { purpose: "make it correct".into(), ..charter(0) }
}

fn claim() -> Body {
    Body::FloorClaimed(FloorClaimed { reason: None })
}

fn give(to: Option<(&Table, usize, Option<SessionId>)>) -> Body {
    let to = to.map(|(table, at, session)| Address { member: table.member(at), session });
    Body::FloorYielded(FloorYielded { to })
}

/// A page for bob to fetch, of low risk.
fn requested(table: &Table, number: u8) -> Requested {
    Requested {
        to: table.member(BOB),
        action: pairwave_core::actions::Action::FetchUrl,
        risk: Risk::Low,
        summary: "please".into(),
        payload: format!("https://pages.example/{number}"),
        target_path: None,
        artifact: None,
    }
}

fn approve(request: EventId, what: &Requested) -> Approved {
    Approved { request, hash: what.hash(), risk: Risk::Low, always: false, under: None }
}

fn deny(request: EventId) -> Body {
    Body::Denied(Denied { request, reason: Some("no".into()) })
}

fn hand(request: EventId) -> Body {
    Body::Handed(Handed { request })
}

fn complete(request: EventId) -> Body {
    Body::Completed(Completed { request, ok: true, detail: Some("x".repeat(10_000)) })
}

fn expire(request: EventId) -> Body {
    Body::Expired(Expired { request })
}

#[test]
fn an_amendment_is_in_force_once_all_accept_it_and_nothing_is_until_then() {
    let mut table = Table::set();
    assert_eq!(table.agreed(), Some(charter(0)));
    table.tell(BOB, propose(narrow()));
    assert_eq!(table.agreed(), None);
    let push = table.tell(ALICE, Body::Message(finding("too early")));
    assert_eq!(table.mark(push), Some(Mark::NoCharter));
    table.tell(ALICE, accept(narrow().hash()));
    assert_eq!(table.agreed(), None);
    table.tell(MALLORY, accept(narrow().hash()));
    assert_eq!(table.agreed(), Some(narrow()));
}

#[test]
fn where_an_amendment_is_declined_the_charter_before_is_in_force_again() {
    let mut table = Table::set();
    table.tell(BOB, propose(narrow()));
    table.tell(MALLORY, decline(narrow().hash()));
    assert_eq!(table.agreed(), Some(charter(0)));
    table.tell(MALLORY, accept(narrow().hash()));
    table.tell(ALICE, accept(narrow().hash()));
    assert_eq!(table.agreed(), Some(narrow()));
}

#[test]
fn what_was_agreed_can_be_declined_and_no_older_one_holds_anybody() {
    let mut table = Table::set();
    let wide = Charter { auto_approve: AutoApprove::All, ..charter(0) };
    table.agree(wide.clone());
    table.tell(BOB, propose(narrow()));
    table.tell(MALLORY, decline(narrow().hash()));
    assert_eq!(table.agreed(), Some(wide.clone()));
    table.tell(ALICE, decline(wide.hash()));
    assert_eq!(table.room().state().charters.standing(), Standing::None);
    let unknown = table.tell(ALICE, decline(charter(3).hash()));
    assert_eq!(table.mark(unknown), Some(Mark::NoSuchCharter));
}

#[test]
fn what_allows_agents_more_is_agreed_by_humans_only() {
    let wide = [
        Charter { auto_approve: AutoApprove::Low, ..charter(0) },
        Charter { max_hops: 4, ..charter(0) },
        Charter { live_minutes: 21, ..charter(0) },
        Charter { must_nots: Vec::new(), ..charter(0) },
    ];
    for charter in wide {
        let mut table = Table::set();
        let hash = charter.hash();
        table.agent_tells(ALICE, propose(charter.clone()));
        table.tell(BOB, accept(hash));
        let by_an_agent = table.agent_tells(MALLORY, accept(hash));
        assert_eq!(table.mark(by_an_agent), Some(Mark::HumansOnly));
        table.tell(MALLORY, accept(hash));
        assert_eq!(table.agreed(), None, "its proposer's human has not accepted");
        table.tell(ALICE, accept(hash));
        assert_eq!(table.agreed(), Some(charter));
    }
}

#[test]
fn agents_cannot_lift_a_bound_that_humans_agreed_on() {
    let mut table = Table::set();
    table.agree(Charter { max_hops: 1, ..charter(0) });
    table.agent_tells(BOB, propose(charter(0)));
    assert_eq!(table.room().state().charters.max_hops(), 1, "nothing is lifted by a proposal");
    let accepted = table.agent_tells(ALICE, accept(charter(0).hash()));
    assert_eq!(table.mark(accepted), Some(Mark::HumansOnly));
}

#[test]
fn agents_agree_to_what_binds_them_no_less() {
    let mut table = Table::set();
    table.agent_tells(ALICE, propose(narrow()));
    table.agent_tells(BOB, accept(narrow().hash()));
    table.agent_tells(MALLORY, accept(narrow().hash()));
    assert_eq!(table.agreed(), Some(narrow()));
}

#[test]
fn a_newcomer_closes_the_gate_until_it_is_verified_and_accepts() {
    let mut table = Table::set();
    let carol = pairwave_core::key::Identity::from_secret(&[64; 32]).member();
    let invite = table.invite();
    table.tell(ALICE, Body::Admitted(Admitted { member: carol, invite, name: "carol".into() }));
    let push = table.tell(ALICE, Body::Message(finding("is it open?")));
    assert_eq!(table.mark(push), Some(Mark::Unverified));
    let asks = table.tell(ALICE, claim());
    assert_eq!(table.mark(asks), Some(Mark::Unverified));
    let chat = table.tell(ALICE, Body::Message(Message::new(Kind::Chat, "hello carol")));
    assert_eq!(table.mark(chat), None);
    assert_eq!(table.agreed(), None);
}

#[test]
fn who_leaves_takes_its_part_of_the_gate_and_the_floor_along() {
    let mut table = Table::set();
    let waits = table.tell(MALLORY, claim());
    table.tell(BOB, claim());
    table.tell(ALICE, give(Some((&Table::set(), MALLORY, None))));
    assert_eq!(table.mark(waits), None);
    let left = table.tell(MALLORY, Body::Left(Left {}));
    let room = table.room();
    let holder = room.state().floor.holder().expect("bob waited");
    assert_eq!((holder.member, holder.held), (table.member(BOB), left));
    assert!(room.state().gate.is_verified() && room.state().charters.in_force().is_some());
}

#[test]
fn claims_at_once_settle_alike_and_the_floor_goes_on_by_their_order() {
    let mut table = Table::set();
    let (bobs, mallorys) = (table.say(BOB, human(BOB), claim()), table.say(MALLORY, human(MALLORY), claim()));
    let order = [bobs.min(mallorys), bobs.max(mallorys)];
    let waiting = |table: &Table| table.room().state().floor.waiting().iter().map(|it| it.event).collect::<Vec<_>>();
    assert_eq!(waiting(&table), order);
    let again = table.say(BOB, human(BOB), claim());
    assert_eq!(table.mark(again), Some(Mark::OtherFloor));
    table.tell(ALICE, give(None));
    assert_eq!(waiting(&table), order[1..]);
    let holder = table.room().state().floor.holder().expect("one of them").member;
    assert_eq!(holder, table.member(if order[0] == bobs { BOB } else { MALLORY }));
}

#[test]
fn the_holder_keeps_the_floor_by_claiming_it_again_however_many_wait() {
    let mut table = Table::set();
    for at in [BOB, MALLORY] {
        table.hear(at, ALL);
        for session in 0..10 {
            table.say(at, Speaker { session: SessionId([100 + session; 16]), ..human(at) }, claim());
        }
    }
    assert_eq!(table.room().state().floor.waiting().len(), 16, "eight of each");
    let kept = table.tell(ALICE, claim());
    assert_eq!(table.mark(kept), None);
    assert_eq!(table.room().state().floor.waiting(), []);
    assert_eq!(table.room().state().floor.holder().map(|holder| holder.member), Some(table.member(ALICE)));
}

#[test]
fn a_claim_that_stayed_unanswered_takes_the_floor_and_an_answered_one_does_not() {
    let mut table = Table::set();
    let claimed = table.tell(BOB, claim());
    let stolen = table.tell(MALLORY, Body::FloorTaken(FloorTaken { claim: claimed }));
    assert_eq!(table.mark(stolen), Some(Mark::OtherFloor));
    table.tell(BOB, Body::FloorTaken(FloorTaken { claim: claimed }));
    assert_eq!(table.room().state().floor.holder().map(|holder| holder.member), Some(table.member(BOB)));
    let claimed = table.tell(ALICE, claim());
    table.tell(BOB, claim());
    let taken = table.tell(ALICE, Body::FloorTaken(FloorTaken { claim: claimed }));
    assert_eq!(table.mark(taken), Some(Mark::OtherFloor), "bob kept it");
}

#[test]
fn a_release_counts_for_the_floor_as_it_was_given_and_once() {
    let mut table = Table::set();
    let held = table.room().state().floor.holder().expect("alice").held;
    let releases: Vec<EventId> =
        [BOB, MALLORY].map(|at| table.say(at, human(at), Body::FloorReleased(FloorReleased { held }))).into();
    assert_eq!(table.room().state().floor.holder(), None);
    let marked = releases.iter().filter(|id| table.mark(**id) == Some(Mark::OtherFloor)).count();
    assert_eq!(marked, 1);
}

#[test]
fn only_the_session_that_has_the_floor_pushes() {
    let mut table = Table::set();
    let others =
        [table.tell(BOB, Body::Message(finding("mine"))), table.agent_tells(ALICE, Body::Message(finding("me")))];
    for id in others {
        assert_eq!(table.mark(id), Some(Mark::NoFloor));
    }
    let bob = (&Table::set(), BOB, None);
    table.tell(ALICE, give(Some(bob)));
    let first = table.agent_tells(BOB, Body::Message(finding("I was first")));
    let second = table.tell(BOB, Body::Message(finding("so it is not mine")));
    assert_eq!((table.mark(first), table.mark(second)), (None, Some(Mark::NoFloor)));
    let not_his = table.tell(ALICE, give(None));
    assert_eq!(table.mark(not_his), Some(Mark::OtherFloor));
}

#[test]
fn agents_speak_three_times_and_then_a_human_must() {
    let mut table = Table::set();
    let chat = || Body::Message(Message::new(Kind::Chat, "on it"));
    for at in [ALICE, BOB] {
        let said = table.agent_tells(at, chat());
        assert_eq!(table.mark(said), None);
    }
    let proposed = table.agent_tells(MALLORY, propose(narrow()));
    assert_eq!(table.mark(proposed), None, "a charter is read like a message");
    let fourth = table.agent_tells(ALICE, chat());
    assert_eq!(table.mark(fourth), Some(Mark::HopsSpent));
    table.hear(BOB, ALL);
    let own = Speaker { session: SessionId::COMPANION, origin: Origin::Human };
    table.say(BOB, own, Body::Prompted(Prompted {}));
    let claimed = table.agent_tells(ALICE, Body::Prompted(Prompted {}));
    assert_eq!(table.mark(claimed), Some(Mark::HumansOnly));
    assert_eq!(table.room().state().hops.count(), 3, "neither a companion nor an agent is a human");
    table.tell(BOB, Body::Prompted(Prompted {}));
    let next = table.agent_tells(ALICE, chat());
    assert_eq!(table.mark(next), None);
}

#[test]
fn reports_and_answers_to_requests_are_no_hops() {
    let mut table = Table::set();
    let (request, what) = table.ask(1);
    table.tell(BOB, Body::Approved(approve(request, &what)));
    table.agent_tells(BOB, hand(request));
    table.agent_tells(BOB, complete(request));
    assert_eq!(table.room().state().hops.count(), 0);
    assert_eq!(table.state(request), RequestState::Done);
    let detail = table.room().state().actions.get(&request).and_then(|it| it.report.clone()).and_then(|it| it.detail);
    assert_eq!(detail.map(|detail| detail.len()), Some(400), "the whole is in the log");
}

#[test]
fn an_approval_is_of_what_was_shown_and_by_who_was_asked() {
    let mut table = Table::set();
    let (request, what) = table.ask(1);
    let other = Requested { payload: "https://pages.example/other".into(), ..what.clone() };
    let swapped = table.tell(BOB, Body::Approved(approve(request, &other)));
    assert_eq!(table.mark(swapped), Some(Mark::OtherPayload));
    for at in [ALICE, MALLORY] {
        for body in [Body::Approved(approve(request, &what)), deny(request), hand(request), complete(request)] {
            let forged = table.tell(at, body);
            assert_eq!(table.mark(forged), Some(Mark::NotForYou));
        }
    }
    let forged = table.tell(MALLORY, expire(request));
    assert_eq!(table.mark(forged), Some(Mark::NoSuchRequest));
    assert_eq!(table.state(request), RequestState::Pending);
    let guessed = table.tell(BOB, Body::Approved(approve(EventId([9; 32]), &what)));
    assert_eq!(table.mark(guessed), Some(Mark::NoSuchRequest));
}

#[test]
fn a_request_goes_from_step_to_step_each_once() {
    let mut table = Table::set();
    let (request, what) = table.ask(1);
    let early = [hand(request), complete(request)].map(|body| table.tell(BOB, body));
    assert_eq!(early.map(|id| table.mark(id)), [Some(Mark::OutOfTurn); 2]);
    table.tell(BOB, Body::Approved(approve(request, &what)));
    assert_eq!(table.state(request), RequestState::Approved);
    let late = [Body::Approved(approve(request, &what)), deny(request), expire(request)];
    let late = late.map(|body| table.tell(BOB, body));
    assert_eq!(late.map(|id| table.mark(id)), [Some(Mark::Settled); 3]);
    table.tell(BOB, hand(request));
    let again = table.tell(BOB, hand(request));
    assert_eq!(table.mark(again), Some(Mark::OutOfTurn));
    assert_eq!(table.state(request), RequestState::Handed);
    table.tell(BOB, complete(request));
    let again = table.tell(BOB, complete(request));
    assert_eq!(table.mark(again), Some(Mark::OutOfTurn));
    assert_eq!(table.state(request), RequestState::Done);
}

#[test]
fn an_approval_after_an_end_is_void_and_beside_one_it_stands() {
    let mut table = Table::set();
    let (denied, first) = table.ask(1);
    table.tell(BOB, deny(denied));
    let (expired, second) = table.ask(2);
    table.tell(ALICE, expire(expired));
    for (request, what) in [(denied, &first), (expired, &second)] {
        let late = table.tell(BOB, Body::Approved(approve(request, what)));
        assert_eq!(table.mark(late), Some(Mark::Settled));
    }
    let (request, what) = table.ask(3);
    table.hear(BOB, ALL);
    table.tell(ALICE, expire(request));
    let beside = table.say(BOB, human(BOB), Body::Approved(approve(request, &what)));
    assert_eq!(table.mark(beside), None, "bob could not know");
    assert_eq!(table.state(request), RequestState::Approved);
}

#[test]
fn what_was_denied_is_not_asked_again_word_by_word() {
    let mut table = Table::set();
    let (request, what) = table.ask(1);
    table.tell(BOB, deny(request));
    let (again, _) = table.ask_for(Requested { summary: "pretty please".into(), ..what.clone() });
    assert_eq!(table.mark(again), Some(Mark::DeniedBefore));
    let (other, _) = table.ask_for(Requested { to: table.member(MALLORY), ..what });
    assert_eq!(table.mark(other), None, "mallory was not asked before");
}

#[test]
fn no_agent_approves_high_risk_whatever_it_names() {
    let mut table = Table::set();
    let wide = table.agree(Charter { auto_approve: AutoApprove::All, ..charter(0) });
    let (low, what) = table.ask(1);
    let standing = table.tell(BOB, Body::Approved(Approved { always: true, ..approve(low, &what) }));
    let high = Requested { risk: Risk::High, payload: "https://pages.example/high".into(), ..what.clone() };
    let (high, high_what) = table.ask_for(high);
    let (judged, judged_what) = table.ask(2);
    let command = pairwave_core::actions::Action::RunCommand;
    let (command, command_what) = table.ask_for(Requested { action: command, ..what });
    for under in [None, Some(wide), Some(standing)] {
        let by_request = Approved { under, ..approve(high, &high_what) };
        let by_judgement = Approved { under, risk: Risk::High, ..approve(judged, &judged_what) };
        let by_kind = Approved { under, ..approve(command, &command_what) };
        for approved in [by_request, by_judgement, by_kind] {
            let id = table.agent_tells(BOB, Body::Approved(approved));
            assert_eq!(table.mark(id), Some(Mark::HumansOnly));
        }
    }
    let always = table.tell(BOB, Body::Approved(Approved { always: true, ..approve(high, &high_what) }));
    assert_eq!(table.mark(always), Some(Mark::HumansOnly), "high risk never for always");
    let once = table.tell(BOB, Body::Approved(approve(high, &high_what)));
    assert_eq!(table.mark(once), None);
}

#[test]
fn an_agent_approves_what_a_charter_or_its_human_let_it_and_nothing_else() {
    let mut table = Table::set();
    let (first, what) = table.ask(1);
    let bare = table.agent_tells(BOB, Body::Approved(approve(first, &what)));
    let always = table.agent_tells(BOB, Body::Approved(Approved { always: true, ..approve(first, &what) }));
    assert_eq!([table.mark(bare), table.mark(always)], [Some(Mark::HumansOnly); 2]);
    let standing = table.tell(BOB, Body::Approved(Approved { always: true, ..approve(first, &what) }));
    let (second, what) = table.ask(2);
    let covered = Approved { under: Some(standing), ..approve(second, &what) };
    let of_another = table.agent_tells(MALLORY, Body::Approved(covered.clone()));
    assert_eq!(table.mark(of_another), Some(Mark::NotForYou));
    let may = table.agent_tells(BOB, Body::Approved(covered));
    assert_eq!(table.mark(may), None);
    let kind = pairwave_core::actions::Action::ApplyPatch;
    let (third, what) = table.ask_for(Requested { action: kind, ..what });
    let other_kind =
        table.agent_tells(BOB, Body::Approved(Approved { under: Some(standing), ..approve(third, &what) }));
    assert_eq!(table.mark(other_kind), Some(Mark::HumansOnly));
    let low = table.agree(Charter { auto_approve: AutoApprove::Low, ..charter(0) });
    let medium = table.agent_tells(BOB, Body::Approved(Approved { under: Some(low), ..approve(third, &what) }));
    assert_eq!(table.mark(medium), Some(Mark::HumansOnly));
    let (fourth, what) = table.ask(4);
    let may = table.agent_tells(BOB, Body::Approved(Approved { under: Some(low), ..approve(fourth, &what) }));
    assert_eq!(table.mark(may), None);
}

#[test]
fn who_floods_with_requests_is_stopped_and_pushes_out_nobody_elses() {
    let mut table = Table::set();
    let (alices, _) = table.ask(0);
    let mallory = (&Table::set(), MALLORY, None);
    table.tell(ALICE, give(Some(mallory)));
    let mut last = None;
    for number in 0..40u8 {
        let body = Body::Requested(Requested { summary: "now".into(), ..requested(&table, number) });
        last = Some(table.tell(MALLORY, body));
    }
    assert_eq!(table.mark(last.expect("said")), Some(Mark::TooMany));
    let room = table.room();
    assert_eq!(room.state().actions.pending().count(), 33);
    assert!(room.state().actions.get(&alices).is_some());
}

#[test]
fn enormous_and_empty_fields_have_no_effect() {
    let mut table = Table::set();
    let what = requested(&table, 1);
    let (request, _) = table.ask(9);
    let long = || "x".repeat(200_000);
    let bodies = [
        (propose(Charter { scope: vec!["x".into(); 129], ..charter(0) }), Mark::TooMany),
        (propose(Charter { must_nots: vec!["x".repeat(4097)], ..charter(0) }), Mark::TooLong),
        (propose(Charter { title: " ".into(), ..charter(0) }), Mark::Empty),
        (propose(Charter { max_hops: 100_001, ..charter(0) }), Mark::TooHigh),
        (propose(Charter { live_minutes: 1441, ..charter(0) }), Mark::TooHigh),
        (Body::Requested(Requested { payload: long(), ..what.clone() }), Mark::TooLong),
        (Body::Requested(Requested { payload: String::new(), ..what.clone() }), Mark::Empty),
        (Body::Requested(Requested { summary: "x".repeat(401), ..what.clone() }), Mark::TooLong),
        (Body::Requested(Requested { to: table.member(ALICE), ..what.clone() }), Mark::NotForYou),
        (Body::FloorClaimed(FloorClaimed { reason: Some("x".repeat(401)) }), Mark::TooLong),
        (Body::Overridden(Overridden { finding: FindingId([1; 16]), rule: "x".repeat(65) }), Mark::TooLong),
    ];
    for (body, mark) in bodies {
        let id = table.tell(ALICE, body);
        assert_eq!(table.mark(id), Some(mark));
    }
    for body in [
        Body::Denied(Denied { request, reason: Some(long()) }),
        Body::Completed(Completed { request, ok: true, detail: Some(long()) }),
    ] {
        let id = table.tell(BOB, body);
        assert_eq!(table.mark(id), Some(Mark::TooLong));
    }
}

#[test]
fn an_override_lets_pass_only_what_its_authors_companion_found_and_by_a_human() {
    let mut table = Table::set();
    let body = || Body::Overridden(Overridden { finding: FindingId([1; 16]), rule: "token".into() });
    let by_an_agent = table.agent_tells(ALICE, body());
    assert_eq!(table.mark(by_an_agent), Some(Mark::HumansOnly));
    table.tell(MALLORY, body());
    let room = table.room();
    let lets = |at| room.state().overrides.lets_pass(&table.member(at), &FindingId([1; 16]));
    assert!(lets(MALLORY) && !lets(ALICE) && !lets(BOB));
}

#[test]
fn who_is_alone_pushes_without_charter_and_floor() {
    let mut table = Table::set();
    table.tell(BOB, Body::Left(Left {}));
    table.tell(MALLORY, Body::Left(Left {}));
    table.tell(ALICE, decline(charter(0).hash()));
    table.tell(ALICE, give(None));
    for _ in 0..9 {
        let pushed = table.agent_tells(ALICE, Body::Message(finding("for myself")));
        assert_eq!(table.mark(pushed), None);
    }
    let to = table.member(ALICE);
    let (own, what) = table.ask_for(Requested { to, ..requested(&table, 1) });
    let by_an_agent = table.agent_tells(ALICE, Body::Approved(approve(own, &what)));
    assert_eq!(table.mark(by_an_agent), Some(Mark::HumansOnly));
    let by_a_human = table.tell(ALICE, Body::Approved(approve(own, &what)));
    assert_eq!(table.mark(by_a_human), None);
}

/// What is said last, and what of it shows: as if a fold had missed it.
#[test]
fn a_fold_that_missed_one_of_these_would_be_noticed() {
    type Tale = fn(&mut Table) -> (usize, Body);
    let tales: [(&str, Tale); 11] = [
        ("charter: ", |_| (BOB, propose(narrow()))),
        ("charter: ", |table| {
            table.tell(BOB, propose(narrow()));
            (ALICE, decline(narrow().hash()))
        }),
        ("claims: ", |_| (BOB, claim())),
        ("floor: ", |_| (ALICE, give(None))),
        ("floor: ", |table| {
            let claim = table.tell(BOB, claim());
            (BOB, Body::FloorTaken(FloorTaken { claim }))
        }),
        ("requests: ", |table| (ALICE, Body::Requested(requested(table, 1)))),
        ("requests: ", |table| (BOB, deny(table.ask(1).0))),
        ("requests: ", |table| (ALICE, expire(table.ask(1).0))),
        ("requests: ", |table| {
            let (request, what) = table.ask(1);
            (BOB, Body::Approved(approve(request, &what)))
        }),
        ("requests: ", |table| {
            let (request, what) = table.ask(1);
            table.tell(BOB, Body::Approved(approve(request, &what)));
            (BOB, hand(request))
        }),
        ("hops: ", |table| {
            table.agent_tells(BOB, Body::Message(Message::new(Kind::Chat, "on it")));
            (ALICE, Body::Prompted(Prompted {}))
        }),
    ];
    for (notice, tale) in tales {
        let mut table = Table::set();
        let (at, body) = tale(&mut table);
        let missed = table.truth().consent;
        table.tell(at, body);
        let noticed = same_consent(table.room().state(), &missed).expect_err("nobody noticed");
        assert!(noticed.starts_with(notice), "{noticed}");
    }
}
