//! Git between people: who works on what, whoever hears of it when.

use pairwave_core::claims::{ClaimsExpired, PathsClaimed, PathsReleased};
use pairwave_core::command::Speaker;
use pairwave_core::event::{Body, Origin};
use pairwave_core::git::{Committed, GitSetUp, Strategy};
use pairwave_core::id::{EventId, SessionId};
use pairwave_core::mark::Mark;
use pairwave_core::members::Left;

use crate::bodies::{Table, human, room_of};

const ALICE: usize = 0;
const BOB: usize = 1;
const ALL: u8 = 0xff;

fn agent(at: usize) -> Speaker {
    Speaker { session: SessionId([60 + at as u8; 16]), origin: Origin::Agent }
}

fn claimed(paths: &[&str]) -> Body {
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    Body::PathsClaimed(PathsClaimed { paths, note: Some("the login".into()) })
}

/// An agent who has heard everything says something.
fn tell(table: &mut Table, at: usize, body: Body) -> EventId {
    table.hear(at, ALL);
    table.say(at, agent(at), body)
}

fn mark(table: &Table, of: EventId) -> Option<Mark> {
    table.room().state().marks.get(&of).copied()
}

fn holders(table: &Table) -> Vec<EventId> {
    table.room().state().claims.held().iter().map(|claim| claim.event).collect()
}

#[test]
fn who_claims_what_overlaps_at_the_same_moment_settles_identically() {
    let mut table = Table::set();
    // Neither has heard of the other's.
    let both =
        [table.say(ALICE, agent(ALICE), claimed(&["src/*.ts"])), table.say(BOB, agent(BOB), claimed(&["src/auth/**"]))];
    let held = holders(&table);
    assert!(held.len() == 1 && both.contains(&held[0]));
    let lost = if held[0] == both[0] { both[1] } else { both[0] };
    assert_eq!(mark(&table, lost), Some(Mark::PathTaken));
    let room = table.room();
    let conflict = room.state().claims.conflicts().next().expect("both sides see it");
    assert_eq!((conflict.event, conflict.against), (lost, held[0]));
    let mut order: Vec<EventId> = table.said().collect();
    order.reverse();
    assert!(room_of(&table, order).state().to_bytes() == room.state().to_bytes());
}

#[test]
fn a_claim_is_given_up_by_its_session_a_human_of_its_side_or_for_a_session_that_is_gone() {
    let mut table = Table::set();
    let release = |paths: &[&str]| {
        Body::PathsReleased(PathsReleased { paths: paths.iter().map(|path| (*path).to_owned()).collect() })
    };
    let first = tell(&mut table, ALICE, claimed(&["docs", "README.md"]));
    let others = tell(&mut table, BOB, release(&[]));
    assert_eq!((mark(&table, others), holders(&table)), (Some(Mark::NotClaimed), vec![first]));
    tell(&mut table, ALICE, release(&["docs"]));
    assert_eq!(holders(&table), [first]);
    table.hear(ALICE, ALL);
    table.say(ALICE, human(ALICE), release(&[]));
    assert!(holders(&table).is_empty());
    let second = tell(&mut table, BOB, claimed(&["docs"]));
    let expired = tell(&mut table, ALICE, Body::ClaimsExpired(ClaimsExpired { claims: vec![second] }));
    assert_eq!((mark(&table, expired), holders(&table)), (None, vec![]));
}

#[test]
fn who_leaves_gives_up_what_it_claimed() {
    let mut table = Table::set();
    tell(&mut table, 2, claimed(&["docs"]));
    table.say(2, human(2), Body::Left(Left {}));
    assert!(holders(&table).is_empty());
}

#[test]
fn claims_commits_and_repositories_need_the_gate_and_neither_floor_nor_hops() {
    let mut table = Table::set();
    let said = GitSetUp {
        repo: "p.git".into(),
        branch: "main".into(),
        base_commit: None,
        strategy: Strategy::BranchPerPerson,
    };
    let commit = Committed { sha: "abc1234".into(), message: "fix".into(), branch: None, paths: vec!["docs".into()] };
    for _ in 0..3 {
        for body in [claimed(&["docs"]), Body::GitSetUp(said.clone()), Body::Committed(commit.clone())] {
            let id = tell(&mut table, BOB, body);
            assert_eq!(mark(&table, id), None);
        }
    }
    let room = table.room();
    assert_eq!(room.state().hops.count(), 0);
    assert_eq!(room.state().git.to_pull(&table.member(ALICE)).count(), 3);
}
