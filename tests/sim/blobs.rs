//! What members share beside events: it arrives whole or not at all, over links that break, through
//! crashes, and from members that lie.

use std::time::Duration;

use pairwave_core::artifacts::{Draft, Shared};
use pairwave_core::blobs::{Blob, Progress, Stage, Waits};
use pairwave_core::command::{Command, Outcome, Refusal, Speaker};
use pairwave_core::consenting::Act;
use pairwave_core::event::{Body, Origin};
use pairwave_core::id::{ChunkId, EventId, RoomId, SessionId};
use pairwave_core::log::Log;
use pairwave_core::notice::Notice;
use pairwave_core::talk::Address;
use pairwave_wire::limits;

use crate::bodies::charter;
use crate::checks::transcript;
use crate::consenting::{act, agreed, state};
use crate::mallory::forge;
use crate::scenes::{MINUTE, bring_in, found, one_truth, remove, said, say, settle};
use crate::world::{At, World, human};

/// Content whose chunks are all different.
pub fn content(length: usize, seed: u8) -> Vec<u8> {
    (0..length).map(|at| (at / 97 + at % 251) as u8 ^ seed).collect()
}

fn draft() -> Draft {
    Draft { headline: "a parser".into(), ..Draft::default() }
}

fn share(world: &mut World, room: RoomId, at: At, content: Vec<u8>) -> EventId {
    take_the_floor(world, room, at);
    said(world.ask(at, Command::Share { room, by: human(), draft: draft(), content }))
}

/// Whoever has it yields it.
fn take_the_floor(world: &mut World, room: RoomId, at: At) {
    let me = world.member(at);
    // Who has it must have come across.
    world.run(MINUTE / 12);
    let holder = state(world, room, at).floor.holder().map(|holder| holder.member);
    match holder {
        Some(holder) if holder == me => {}
        Some(holder) => {
            let other = (0..world.machines.len()).find(|other| world.member(*other) == holder).expect("it plays");
            let to = Some(Address { member: me, session: None });
            act(world, room, other, human(), Act::Yield { to }).expect("it holds the floor");
            let here = |world: &World| state(world, room, at).floor.holder().is_some_and(|holder| holder.member == me);
            assert!(world.run_until(MINUTE, here), "the floor comes across");
        }
        None => _ = act(world, room, at, human(), Act::Claim { reason: None }).expect("nobody has it"),
    }
}

fn people(seed: u64, names: &[&'static str]) -> (World, RoomId) {
    let (mut world, room) = agreed(seed, names, charter(0));
    let all: Vec<At> = (0..names.len()).collect();
    for at in &all {
        say(&mut world, room, *at, "hello");
    }
    settle(&mut world, room, &all);
    (world, room)
}

fn progress(world: &World, room: RoomId, at: At, artifact: EventId) -> Option<Progress> {
    world.machines[at].node.as_ref()?.artifact(&room, &artifact)
}

pub fn is_whole(world: &World, room: RoomId, at: At, artifact: EventId) -> bool {
    progress(world, room, at, artifact).is_some_and(|progress| progress.stage == Stage::Complete)
}

fn arrives(world: &mut World, room: RoomId, at: At, artifact: EventId) -> bool {
    world.run_until(10 * MINUTE, |world| is_whole(world, room, at, artifact))
}

fn read(world: &World, room: RoomId, at: At, artifact: EventId) -> Option<Vec<u8>> {
    let node = world.node(at);
    let event = node.log().get(&room, &artifact).unwrap()?.event()?;
    let Body::Shared(shared) = event.body else { return None };
    shared.blob.read(node.log(), &room).unwrap()
}

fn chunks_here(world: &World, room: RoomId, at: At, blob: &Blob) -> usize {
    let disk = &world.machines[at].disk;
    blob.chunks.iter().filter(|id| disk.has_chunk(&room, id).unwrap()).count()
}

/// How many chunks this run of a companion kept.
fn kept(world: &World, at: At) -> usize {
    let effects = &world.machines[at].recording.as_ref().expect("it runs").effects;
    effects.iter().filter(|effect| effect.starts_with("Chunk {") && !effect.ends_with("bytes: None }")).count()
}

#[test]
fn what_is_shared_arrives_as_it_was() {
    let (mut world, room) = people(200, &["alice", "bob"]);
    for length in [1, limits::CHUNK, limits::CHUNK + 1, 700_000] {
        let shared = content(length, 3);
        let artifact = share(&mut world, room, 0, shared.clone());
        assert!(arrives(&mut world, room, 1, artifact), "{length}");
        assert!(read(&world, room, 1, artifact) == Some(shared));
        assert!(world.machines[1].notices.contains(&Notice::Artifact { room, artifact }));
        assert_eq!(progress(&world, room, 0, artifact).map(|progress| progress.stage), Some(Stage::Complete));
    }
    one_truth(&world, room, &[0, 1]);
}

#[test]
fn links_that_break_again_and_again_only_delay_it() {
    let (mut world, room) = people(201, &["alice", "bob"]);
    world.network.break_one_in = 25;
    world.network.max_delay_ms = 300;
    let shared = content(2_000_000, 3);
    let artifact = share(&mut world, room, 0, shared.clone());
    assert!(arrives(&mut world, room, 1, artifact));
    assert!(read(&world, room, 1, artifact) == Some(shared));
}

#[test]
fn what_is_here_is_not_fetched_again_after_a_break_and_a_restart() {
    let (mut world, room) = people(202, &["alice", "bob"]);
    let shared = content(2_000_000, 3);
    let blob = Blob::of(&shared);
    let artifact = share(&mut world, room, 0, shared.clone());
    assert!(world.run_until(MINUTE, |world| chunks_here(world, room, 1, &blob) > 10));
    world.partition(&[&[0], &[1]]);
    world.run(MINUTE);
    let before = chunks_here(&world, room, 1, &blob);
    assert!(before < blob.chunks.len());
    let here = progress(&world, room, 1, artifact).unwrap();
    assert_eq!((here.here, here.waits), ((before * limits::CHUNK) as u64, Some(Waits::ForSomebody)));
    world.crash(1);
    world.start(1);
    world.heal();
    assert!(arrives(&mut world, room, 1, artifact));
    assert_eq!(before + kept(&world, 1), blob.chunks.len());
    assert!(read(&world, room, 1, artifact) == Some(shared));
}

#[test]
fn a_crash_at_any_moment_loses_nothing() {
    let shared = content(400_000, 3);
    for steps in 0..90 {
        let (mut world, room) = people(203, &["alice", "bob"]);
        let artifact = share(&mut world, room, 0, shared.clone());
        for _ in 0..steps {
            world.step();
        }
        world.crash(1);
        world.start(1);
        world.announce_all();
        assert!(arrives(&mut world, room, 1, artifact), "after {steps} steps");
        assert!(read(&world, room, 1, artifact) == Some(shared.clone()));
    }
}

#[test]
fn an_event_never_outlives_what_it_names() {
    for steps in 0..25 {
        let (mut world, room) = people(204, &["alice", "bob"]);
        let shared = content(400_000, 3);
        world.command(0, Command::Share { room, by: human(), draft: draft(), content: shared.clone() });
        for _ in 0..steps {
            world.step();
        }
        world.crash(0);
        world.start(0);
        world.announce_all();
        world.run(MINUTE);
        for at in [0, 1] {
            for artifact in world.node(at).artifacts(&room) {
                assert!(read(&world, room, at, artifact).as_ref() == Some(&shared), "after {steps} steps");
            }
        }
    }
}

#[test]
fn a_write_that_fails_is_made_good() {
    let (mut world, room) = people(205, &["alice", "bob"]);
    let artifact = share(&mut world, room, 0, content(2_000_000, 3));
    for _ in 0..5 {
        world.run(Duration::from_millis(37));
        world.fail_writes(1);
    }
    assert!(arrives(&mut world, room, 1, artifact));
    assert!(read(&world, room, 1, artifact).is_some());
}

#[test]
fn any_member_that_has_it_gives_it() {
    let (mut world, room) = people(206, &["alice", "bob", "carol"]);
    world.partition(&[&[0, 1], &[2]]);
    let artifact = share(&mut world, room, 0, content(500_000, 3));
    assert!(arrives(&mut world, room, 1, artifact));
    world.crash(0);
    world.partition(&[&[1, 2], &[0]]);
    assert!(arrives(&mut world, room, 2, artifact));
}

#[test]
fn words_come_through_while_much_is_fetched() {
    let (mut world, room) = people(207, &["alice", "bob"]);
    world.network.max_delay_ms = 60;
    let artifact = share(&mut world, room, 0, content(4_000_000, 3));
    world.run(Duration::from_millis(500));
    assert!(!is_whole(&world, room, 1, artifact));
    let word = say(&mut world, room, 0, "quick");
    let heard = |world: &World| world.node(1).log().get(&room, &word).unwrap().is_some();
    assert!(world.run_until(Duration::from_secs(2), heard));
    assert!(!is_whole(&world, room, 1, artifact), "the word went before");
}

#[test]
fn a_small_circuit_carries_words_and_no_chunks() {
    let (mut world, room) = people(208, &["alice", "bob"]);
    world.partition(&[&[0], &[1]]);
    world.network.small = true;
    let artifact = share(&mut world, room, 0, content(500_000, 3));
    world.heal();
    settle(&mut world, room, &[0, 1]);
    world.run(MINUTE);
    let waiting = progress(&world, room, 1, artifact).unwrap();
    assert_eq!(waiting, Progress { stage: Stage::Fetching, here: 0, waits: Some(Waits::ForAWiderPath) });
    world.network.small = false;
    world.partition(&[&[0], &[1]]);
    world.heal();
    assert!(arrives(&mut world, room, 1, artifact));
}

#[test]
fn what_was_removed_is_gone_and_stays_away() {
    let (mut world, room) = people(209, &["alice", "bob"]);
    let (one, other) = (content(300_000, 3), [content(limits::CHUNK, 3), content(90_000, 4)].concat());
    let first = share(&mut world, room, 0, one.clone());
    let second = share(&mut world, room, 0, other.clone());
    assert!(arrives(&mut world, room, 1, first) && arrives(&mut world, room, 1, second));
    let agent = Speaker { session: SessionId([7; 16]), origin: Origin::Agent };
    let by_an_agent = world.ask(1, Command::RemoveArtifact { room, by: agent, artifact: first });
    assert_eq!(by_an_agent, Err(Refusal::HumansOnly));
    let removed = Command::RemoveArtifact { room, by: human(), artifact: first };
    assert_eq!(world.ask(1, removed.clone()), Ok(Outcome::Done));
    assert_eq!(world.ask(1, removed), Err(Refusal::NoSuchArtifact));
    world.run(MINUTE);
    assert_eq!(chunks_here(&world, room, 1, &Blob::of(&one)), 1, "the one that both have stays");
    assert!(read(&world, room, 1, second) == Some(other));
    world.crash(1);
    world.start(1);
    world.announce_all();
    world.run(MINUTE);
    assert_eq!(progress(&world, room, 1, first).map(|progress| progress.stage), Some(Stage::Removed));
    assert!(read(&world, room, 0, first) == Some(one), "others keep theirs");
}

#[test]
fn there_is_room_for_so_much_and_for_more_when_something_goes() {
    let (mut world, room) = people(210, &["alice", "bob", "carol"]);
    let first = share(&mut world, room, 0, content(1_500_000, 1));
    let second = share(&mut world, room, 0, content(1_500_000, 2));
    let third = share(&mut world, room, 2, content(1_500_000, 3));
    assert!(arrives(&mut world, room, 1, first));
    assert!(arrives(&mut world, room, 1, third), "one who shares much leaves room for others");
    world.run(MINUTE);
    let full = Progress { stage: Stage::Full, here: 0, waits: Some(Waits::ForRoom) };
    assert_eq!(progress(&world, room, 1, second), Some(full));
    let content = content(1_500_000, 4);
    let too_much = world.ask(1, Command::Share { room, by: human(), draft: draft(), content });
    assert_eq!(too_much, Err(Refusal::BlobsFull { max: 4 << 20 }));
    assert_eq!(world.ask(1, Command::RemoveArtifact { room, by: human(), artifact: first }), Ok(Outcome::Done));
    assert!(arrives(&mut world, room, 1, second));
}

#[test]
fn a_wrong_chunk_is_not_kept_and_asked_of_another() {
    let (mut world, room) = people(211, &["alice", "mallory", "carol"]);
    world.partition(&[&[0, 1], &[2]]);
    let shared = content(500_000, 3);
    let artifact = share(&mut world, room, 0, shared.clone());
    assert!(arrives(&mut world, room, 1, artifact));
    for id in Blob::of(&shared).chunks {
        world.machines[1].disk.content().log.keep_chunk(room, id, b"something else".to_vec());
    }
    world.partition(&[&[1, 2], &[0]]);
    settle(&mut world, room, &[1, 2]);
    world.run(MINUTE);
    assert_eq!(chunks_here(&world, room, 2, &Blob::of(&shared)), 0);
    let waits = progress(&world, room, 2, artifact).unwrap();
    assert_eq!((waits.stage, waits.waits), (Stage::Fetching, Some(Waits::ForSomebody)));
    world.heal();
    assert!(arrives(&mut world, room, 2, artifact));
    assert!(read(&world, room, 2, artifact) == Some(shared));
}

#[test]
fn what_is_announced_and_never_given_takes_half_the_room_at_most() {
    let (mut world, room) = people(212, &["alice", "mallory", "carol"]);
    let nothing = |number: u8, size: u64| {
        let count = size.div_ceil(limits::CHUNK as u64) as u32;
        let id = |at: u32| ChunkId(pairwave_core::key::hash(b"nothing", &[&[number], &at.to_be_bytes()]));
        Shared {
            headline: "free".into(),
            language: None,
            is_patch: false,
            path_hint: None,
            blob: Blob { size, chunks: (0..count).map(id).collect() },
        }
    };
    take_the_floor(&mut world, room, 1);
    let announced = forge(&mut world, room, 1, |pen| {
        let sizes = [64 << 20, 1 << 20, 1 << 20, 1 << 20, (64 << 20) + 1];
        (0..).zip(sizes).map(|(number, size)| pen.say(Body::Shared(nothing(number, size)))).collect::<Vec<_>>()
    });
    world.run(MINUTE);
    let stages = announced.iter().map(|id| progress(&world, room, 0, *id).map(|progress| progress.stage));
    let (full, coming) = (Some(Stage::Full), Some(Stage::Fetching));
    assert_eq!(stages.collect::<Vec<_>>(), [full, coming, coming, full, None]);
    let honest = share(&mut world, room, 2, content(1_500_000, 3));
    assert!(arrives(&mut world, room, 0, honest));
    let frames = world.network.frames;
    world.run(10 * MINUTE);
    assert!(world.network.frames - frames < 6_000, "{} frames for nothing", world.network.frames - frames);
}

#[test]
fn chunks_that_fit_no_blob_are_given_up() {
    let (mut world, room) = people(213, &["alice", "mallory"]);
    let short = content(100, 1);
    let artifact = share(&mut world, room, 1, short.clone());
    assert!(arrives(&mut world, room, 0, artifact));
    let mut blob = Blob::of(&short);
    blob.size = 99;
    let lied = Shared { headline: "x".into(), language: None, is_patch: false, path_hint: None, blob };
    let long = content(200, 9);
    let mut other = Blob::of(&long);
    other.size = 150;
    let shorter = Shared { blob: other, ..lied.clone() };
    let id = Blob::of(&long).chunks[0];
    world.machines[1].disk.content().log.keep_chunk(room, id, long);
    let forged = forge(&mut world, room, 1, |pen| [pen.say(Body::Shared(lied)), pen.say(Body::Shared(shorter))]);
    world.run(MINUTE);
    assert_eq!(read(&world, room, 0, forged[0]), None);
    assert_eq!(progress(&world, room, 0, forged[1]).map(|progress| progress.stage), Some(Stage::Broken));
    assert!(is_whole(&world, room, 0, artifact));
}

#[test]
fn a_room_gives_nothing_of_another() {
    let mut world = World::new(214, &["alice", "mallory"]);
    let secret = found(&mut world, 0);
    let shared = content(200_000, 3);
    share(&mut world, secret, 0, shared.clone());
    let room = found(&mut world, 0);
    bring_in(&mut world, room, 0, 1);
    say(&mut world, room, 1, "hello");
    settle(&mut world, room, &[0, 1]);
    let blob = Blob::of(&shared);
    let named = Shared { headline: "x".into(), language: None, is_patch: false, path_hint: None, blob: blob.clone() };
    forge(&mut world, room, 1, |pen| pen.say(Body::Shared(named)));
    world.run(2 * MINUTE);
    assert_eq!(chunks_here(&world, room, 1, &blob), 0);
}

#[test]
fn who_was_removed_gets_and_gives_nothing_more() {
    let (mut world, room) = people(215, &["alice", "mallory", "carol"]);
    let mallory = world.member(1);
    world.partition(&[&[0, 2], &[1]]);
    remove(&mut world, room, 0, mallory);
    let shared = content(200_000, 3);
    let artifact = share(&mut world, room, 0, shared.clone());
    world.heal();
    world.run(MINUTE);
    assert!(is_whole(&world, room, 2, artifact));
    assert_eq!(chunks_here(&world, room, 1, &Blob::of(&shared)), 0);
    assert!(!transcript(&world, room, 2).is_empty());
}
