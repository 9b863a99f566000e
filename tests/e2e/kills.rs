//! Companions killed with -9 while messages flow both ways, half of them while many senders share
//! one group commit. Nothing acknowledged is lost, nothing is doubled, all read the same.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use serde_json::json;

use crate::agent::Agent;
use crate::lab::Lab;
use crate::patience::{idle, until};
use crate::person::{Person, no_human_here};
use crate::story::{agree, two_without_bounds};

const KILLS: u32 = 60;
/// Senders of each side that never stop.
const STEADY: u32 = 3;
/// Senders that join at once for a group commit.
const BURST: u32 = 16;

#[tokio::test(flavor = "multi_thread")]
async fn sixty_kills_lose_nothing_and_double_nothing() {
    let seed = std::env::var("PAIRWAVE_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(fresh_seed);
    println!("seed: {seed} (PAIRWAVE_TEST_SEED={seed} repeats the choices)");
    let mut dice = Dice(seed);
    let lab = Lab::new().await;
    if no_human_here() {
        return;
    }
    let (alice, bob) = two_without_bounds(&lab).await;
    let sides = [Side::new(&alice).await, Side::new(&bob).await];
    let (stop, torn) = (AtomicBool::new(false), AtomicU64::new(0));

    let strike = async {
        for number in 0..KILLS {
            let side = &sides[dice.below(2) as usize];
            if number % 2 == 0 {
                side.progress().await;
                idle(dice.below(60_000)).await;
                side.person.kill().await;
            } else {
                torn.fetch_add(side.kill_inside_a_commit(&mut dice).await, Ordering::Relaxed);
            }
            side.person.up().await;
        }
        stop.store(true, Ordering::Relaxed);
    };
    let steady = |side: &'static str| (0..STEADY).map(move |sender| format!("{side}-{sender}"));
    let hers = futures::future::join_all(steady("alice").map(|sender| sides[0].keep_saying(sender, &stop)));
    let his = futures::future::join_all(steady("bob").map(|sender| sides[1].keep_saying(sender, &stop)));
    tokio::join!(strike, hers, his);

    alice.meets(&bob).await;
    agree(&[&alice, &bob]).await;
    let mut counts = BTreeMap::<String, u32>::new();
    for text in alice.texts("chat").await {
        *counts.entry(text).or_default() += 1;
    }
    for side in &sides {
        let acknowledged = side.acknowledged.lock().expect("nobody panicked").clone();
        let failed = side.attempts.load(Ordering::Relaxed) - acknowledged.len() as u64;
        println!("{}: {} acknowledged, {failed} not", side.person.name, acknowledged.len());
        assert!(acknowledged.len() > KILLS as usize, "messages flowed");
        for text in &acknowledged {
            assert!(counts.contains_key(text), "{text} was acknowledged and is lost");
        }
    }
    let torn = torn.load(Ordering::Relaxed);
    let repeated: u64 = sides.iter().map(|side| side.repeated.load(Ordering::Relaxed)).sum();
    println!("{torn} messages were under way when a burst was struck; {repeated} lost only their acknowledgement");
    assert!(torn > 0, "kills strike while messages are committed");
    let doubled: Vec<&String> = counts.iter().filter(|(_, count)| **count > 1).map(|(text, _)| text).collect();
    assert!(doubled.is_empty(), "doubled: {doubled:?}");
}

/// One person, with an agent whose messages are counted.
struct Side<'a> {
    person: &'a Person,
    agent: Arc<Agent>,
    acknowledged: Mutex<Vec<String>>,
    attempts: AtomicU64,
    /// Messages whose first acknowledgement was lost to a kill.
    repeated: AtomicU64,
}

impl<'a> Side<'a> {
    async fn new(person: &'a Person) -> Self {
        let agent = Arc::new(person.agent().await);
        Self { person, agent, acknowledged: Mutex::default(), attempts: AtomicU64::new(0), repeated: AtomicU64::new(0) }
    }

    /// Says something; true if it was acknowledged. A text is never said twice by us.
    async fn say(&self, text: String) -> bool {
        self.attempts.fetch_add(1, Ordering::Relaxed);
        let answer = self.agent.call("pair_send", json!({ "kind": "chat", "text": text })).await;
        let answer = answer.ok().filter(|answer| answer.is_error != Some(true));
        let said = answer.is_some();
        let repeated = answer.and_then(|answer| answer.structured_content).is_some_and(|sent| sent["repeated"] == true);
        self.repeated.fetch_add(u64::from(repeated), Ordering::Relaxed);
        if said {
            self.acknowledged.lock().expect("nobody panicked").push(text);
        }
        said
    }

    async fn keep_saying(&self, sender: String, stop: &AtomicBool) {
        let mut number = 0;
        while !stop.load(Ordering::Relaxed) {
            self.say(format!("{sender}-{number}")).await;
            number += 1;
            // Enough to keep both busy, and a transcript that can be compared in the end.
            idle(5_000).await;
        }
    }

    /// Many speak at once; as soon as the first of them is acknowledged, others are in a commit.
    /// Says how many were under way when the kill struck.
    async fn kill_inside_a_commit(&self, dice: &mut Dice) -> u64 {
        let burst = self.attempts.load(Ordering::Relaxed);
        let name = &self.person.name;
        let mut senders: FuturesUnordered<_> =
            (0..BURST).map(|sender| self.say(format!("{name}-burst-{burst}-{sender}"))).collect();
        for _ in 0..dice.below(u64::from(BURST)) {
            senders.next().await;
        }
        idle(dice.below(1_500)).await;
        while senders.next().now_or_never().flatten().is_some() {}
        self.person.kill().await;
        let torn = senders.len();
        while senders.next().await.is_some() {}
        torn as u64
    }

    /// Waits for a message that is acknowledged from now on.
    async fn progress(&self) {
        let before = self.acknowledged.lock().expect("nobody panicked").len();
        until("something is acknowledged", async || {
            (self.acknowledged.lock().expect("nobody panicked").len() > before).then_some(())
        })
        .await;
    }
}

/// SplitMix64: small, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

fn fresh_seed() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    since.as_nanos() as u64
}
