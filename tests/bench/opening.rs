//! How much longer a start takes for a room with many events than for none.

use std::path::Path;
use std::time::Duration;

use pairwave_api::Send;

use crate::person::{Person, linked, stage, two};
use crate::samples::Samples;
use crate::speech::say;
use crate::table::Row;

/// Events, and within how many milliseconds they are to be opened.
const SIZES: [(u64, f64); 3] = [(10_000, 100.0), (50_000, 300.0), (100_000, 600.0)];
const TIMES: usize = 7;

pub async fn run() -> Vec<Row> {
    let stage = stage();
    let (mut alice, mut bob) = two(stage.path()).await;
    let mut nobody = Person::new(stage.path(), "nobody").await;
    let empty = opened(&mut nobody).await;
    let (mut said, mut rows) = (0, Vec::new());
    for (events, target) in SIZES {
        go_on(&alice).await;
        say(&alice, events - said).await;
        said = events;
        bob.holds(&bob.person().await, events).await;
        // Alone, so that nothing but the opening happens.
        alice.down().await;
        bob.down().await;
        let clean = opened(&mut bob).await - empty;
        rows.push(Row::judged(
            &format!(
                "opening a room of {} (`up` → status, beyond the {empty:.0} ms of an empty home)",
                thousands(events)
            ),
            format!("{clean:.0} ms"),
            format!("≤ {target:.0} ms"),
            clean <= target,
        ));
        alice.up().await;
        bob.up().await;
        linked(&alice, &bob).await;
    }
    rows.push(after_a_kill(&alice, &mut bob, empty).await);
    rows
}

/// Agents may not speak for ever without a human. Of a process, agents once spoke from it, a companion takes
/// nobody for one as long as it runs: so this comes after its start.
async fn go_on(alice: &Person) {
    alice.ask(Send { kind: "chat".into(), text: "Go on.".into(), ..Send::default() }).await;
}

/// The last start of many is a start like any other: the median, in milliseconds.
async fn opened(person: &mut Person) -> f64 {
    let mut taken: Vec<Duration> = Vec::new();
    for _ in 0..TIMES {
        taken.push(person.up().await);
        person.down().await;
    }
    Samples::of_millis(&taken).median()
}

/// Who was killed in the middle of it has more to read: each time a copy of what was left.
async fn after_a_kill(alice: &Person, bob: &mut Person, empty: f64) -> Row {
    go_on(alice).await;
    say(alice, 10_000).await;
    bob.kill().await;
    let left = bob.home.path().with_extension("left");
    copy(bob.home.path(), &left);
    let mut taken = Vec::new();
    for _ in 0..3 {
        std::fs::remove_dir_all(bob.home.path()).expect("it is there");
        copy(&left, bob.home.path());
        taken.push(bob.up().await);
        bob.kill().await;
    }
    let taken = Samples::of_millis(&taken).median() - empty;
    Row::plain("the same room after a kill amid 10,000 further events", format!("{taken:.0} ms"))
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let (path, kind) = entry.and_then(|entry| Ok((entry.path(), entry.file_type()?))).expect("an entry");
        let target = to.join(path.file_name().expect("a name"));
        if kind.is_dir() {
            copy(&path, &target);
        } else if kind.is_file() {
            std::fs::copy(&path, &target).expect("a copy");
        }
    }
}

fn thousands(events: u64) -> String {
    format!("{},{:03} events", events / 1000, events % 1000)
}
