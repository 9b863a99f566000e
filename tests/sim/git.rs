//! Git between people: who works on what, whoever hears of it when.

use std::time::Duration;

use pairwave_core::claims::{ClaimsExpired, How, PathsClaimed, PathsReleased};
use pairwave_core::command::{Command, Refusal, Speaker};
use pairwave_core::consenting::Act;
use pairwave_core::event::{Body, Origin};
use pairwave_core::git::{Committed, GitSetUp, Strategy};
use pairwave_core::hops::Prompted;
use pairwave_core::id::{EventId, RoomId, SessionId};
use pairwave_core::mark::Mark;
use pairwave_core::members::Left;

use crate::bodies::{Table, charter, human, room_of};
use crate::checks::mark_of;
use crate::consenting::{act, agreed, state};
use crate::scenes::{MINUTE, settle};
use crate::world::{At, World};

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
    mark_of(table.room().state(), of)
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
    let told = room.state().claims.lost().first().expect("both sides see it");
    assert_eq!((told.event, told.by, told.how), (lost, held[0], How::TooLate));
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
    for number in 0..3 {
        let commit = Committed { sha: format!("abc123{number}"), ..commit.clone() };
        for body in [claimed(&["docs"]), Body::GitSetUp(said.clone()), Body::Committed(commit)] {
            let id = tell(&mut table, BOB, body);
            assert_eq!(mark(&table, id), None);
        }
    }
    let room = table.room();
    assert_eq!(room.state().hops.count(), 0);
    assert_eq!(room.state().git.to_pull(&table.member(ALICE)).count(), 3);
}

#[test]
fn nobody_has_pulled_what_it_had_not_heard_of() {
    let mut table = Table::set();
    let set_up = |base: &str| {
        let strategy = Strategy::BranchPerPerson;
        let base_commit = Some(base.to_owned());
        Body::GitSetUp(GitSetUp { repo: "p.git".into(), branch: "main".into(), base_commit, strategy })
    };
    let committed = |sha: &str| {
        Body::Committed(Committed { sha: sha.into(), message: "fix".into(), branch: None, paths: Vec::new() })
    };
    let first = tell(&mut table, ALICE, committed("aaaaaa1"));
    table.hear(BOB, ALL);
    let second = table.say(ALICE, agent(ALICE), committed("aaaaaa2"));
    // Bob's chain grows beyond alice's, and he has not heard of her second one.
    (0..3).for_each(|_| _ = table.say(BOB, human(BOB), Body::Prompted(Prompted {})));
    table.say(BOB, agent(BOB), set_up("bbbbbb1"));
    let room = table.room();
    let to_pull: Vec<EventId> = room.state().git.to_pull(&table.member(BOB)).map(|commit| commit.event).collect();
    assert_eq!((to_pull.contains(&first), to_pull.contains(&second)), (false, true));
}

#[test]
fn an_agent_leaves_something_to_the_others() {
    let mut table = Table::set();
    let everything = tell(&mut table, ALICE, claimed(&["**"]));
    assert_eq!(mark(&table, everything), Some(Mark::NotAPath));
    table.hear(ALICE, ALL);
    let frozen = table.say(ALICE, human(ALICE), claimed(&["**"]));
    assert_eq!((mark(&table, frozen), holders(&table)), (None, vec![frozen]));
    let expired = tell(&mut table, BOB, Body::ClaimsExpired(ClaimsExpired { claims: vec![frozen] }));
    assert_eq!((mark(&table, expired), holders(&table)), (Some(Mark::NotClaimed), vec![frozen]));
}

fn claim(world: &mut World, room: RoomId, at: At, by: Speaker, path: &str) -> Result<(), Refusal> {
    let claimed = PathsClaimed { paths: vec![path.to_owned()], note: None };
    act(world, room, at, by, Act::ClaimPaths(claimed)).map(drop)
}

fn comes(world: &mut World, room: RoomId, at: At) {
    let Speaker { session, origin } = agent(at);
    world.ask(at, Command::SessionStarted { room, session, origin }).unwrap();
}

fn held(world: &World, room: RoomId, at: At) -> Vec<String> {
    state(world, room, at).claims.held().iter().flat_map(|claim| claim.paths.clone()).collect()
}

#[test]
fn what_a_session_claimed_expires_a_minute_after_it_ended_and_a_human_keeps_it() {
    let (mut world, room) = agreed(120, &["alice", "bob"], charter(0));
    comes(&mut world, room, ALICE);
    claim(&mut world, room, ALICE, agent(ALICE), "src/**").unwrap();
    claim(&mut world, room, ALICE, crate::world::human(), "docs").unwrap();
    world.run(MINUTE * 5);
    assert_eq!(held(&world, room, BOB), ["src/**", "docs"]);
    world.ask(ALICE, Command::SessionEnded { room, session: agent(ALICE).session }).unwrap();
    world.run(MINUTE - Duration::from_secs(2));
    assert_eq!(held(&world, room, BOB), ["src/**", "docs"]);
    world.run(Duration::from_secs(4));
    assert_eq!((held(&world, room, ALICE), held(&world, room, BOB)), (vec!["docs".into()], vec!["docs".into()]));
}

#[test]
fn the_next_session_of_a_side_takes_over_what_a_gone_one_had() {
    let (mut world, room) = agreed(121, &["alice", "bob"], charter(0));
    comes(&mut world, room, ALICE);
    let next = Speaker { session: SessionId([99; 16]), ..agent(ALICE) };
    claim(&mut world, room, ALICE, agent(ALICE), "src/**").unwrap();
    let taken = claim(&mut world, room, ALICE, next, "src/auth");
    assert!(matches!(taken, Err(Refusal::PathTaken { .. })), "{taken:?}");
    world.ask(ALICE, Command::SessionEnded { room, session: agent(ALICE).session }).unwrap();
    claim(&mut world, room, ALICE, next, "src/auth").unwrap();
    assert_eq!(held(&world, room, ALICE), ["src/auth"]);
}

#[test]
fn after_a_restart_a_session_has_time_to_come_back() {
    let (mut world, room) = agreed(123, &["alice", "bob"], charter(0));
    comes(&mut world, room, ALICE);
    claim(&mut world, room, ALICE, agent(ALICE), "src/**").unwrap();
    world.crash(ALICE);
    world.start(ALICE);
    world.run(MINUTE * 50);
    assert_eq!(held(&world, room, ALICE), ["src/**"]);
    world.run(MINUTE * 12);
    assert!(held(&world, room, ALICE).is_empty());
}

#[test]
fn what_a_member_claimed_that_is_long_away_gives_way_to_who_wants_it_and_to_nobody_else() {
    let (mut world, room) = agreed(122, &["alice", "bob", "carol"], charter(0));
    for at in [ALICE, BOB] {
        comes(&mut world, room, at);
    }
    claim(&mut world, room, ALICE, agent(ALICE), "src/**").unwrap();
    claim(&mut world, room, ALICE, agent(ALICE), "docs").unwrap();
    settle(&mut world, room, &[0, 1, 2]);
    // Carol is cut off, not they.
    world.partition(&[&[ALICE, BOB], &[2]]);
    world.run(MINUTE * 120);
    world.heal();
    settle(&mut world, room, &[0, 1, 2]);
    assert_eq!(held(&world, room, BOB), ["src/**", "docs"]);
    world.crash(ALICE);
    world.run(MINUTE * 59);
    assert!(matches!(claim(&mut world, room, BOB, agent(BOB), "src/auth"), Err(Refusal::PathTaken { .. })));
    world.run(MINUTE * 2);
    claim(&mut world, room, BOB, agent(BOB), "src/auth").unwrap();
    assert_eq!(held(&world, room, BOB), ["docs", "src/auth"]);
    world.start(ALICE);
    settle(&mut world, room, &[0, 1, 2]);
    let lost = &state(&world, room, ALICE).claims.lost()[0];
    assert_eq!((lost.member, lost.how), (world.member(ALICE), How::Ended));
}
