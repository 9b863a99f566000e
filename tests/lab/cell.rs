//! One cell: two people meet, part, and meet again.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::outcome::Outcome;
use crate::person::Person;
use crate::plan::{Plan, Relays};
use crate::stage::Stage;
use crate::theory::Reach;
use crate::trouble;
use crate::watch::{Follow, View, both_see, within};

/// More than anything takes that works.
const MEETS: Duration = Duration::from_secs(60);
const DIRECT: Duration = Duration::from_secs(60);
/// How long a pair is watched that should come to nothing better.
const STAYS: Duration = Duration::from_secs(10);

pub async fn run(plan: Plan, folder: &Path) -> Outcome {
    let mut outcome = Outcome::of(plan);
    let mut stage = Stage::build(plan, folder).await;
    if meet(plan, &stage, &mut outcome).await {
        if plan.expected().is_direct() {
            let (_, direct_after) = watch_path(plan, &stage, Instant::now()).await;
            outcome.joined_direct_after = direct_after.map(|took| took.as_secs_f64());
        }
        meet_again(plan, &stage, &mut outcome).await;
        if let Some(lender) = &stage.lender {
            lender.ask(&stage.alice, &mut outcome).await;
        }
        if plan.relays == Relays::Two {
            lose_a_relay(&mut stage, &mut outcome).await;
        }
    }
    outcome
}

/// Joining, to the moment at which both see each other.
pub async fn meet(plan: Plan, stage: &Stage, outcome: &mut Outcome) -> bool {
    let invite = stage.open(plan).await;
    let mut began = Instant::now();
    let ran = stage.bob.run(&["join", &invite, "--name", "bob", "--no-wire"]).await;
    if ran.code != 0 {
        outcome.say(format!("join failed: {}", ran.object()["error"]["message"]));
        return false;
    }
    let joined = ran.object();
    "join".clone_into(&mut outcome.by);
    if joined["state"] != "admitted" {
        match joined["answer"].as_str() {
            Some(line) if plan.needs_an_answer() => {
                "answer".clone_into(&mut outcome.by);
                let answered = stage.alice.run(&["answer", line]).await;
                if answered.code != 0 {
                    outcome.say(format!("answer failed: {}", answered.object()["error"]["message"]));
                }
            }
            Some(_) => outcome.say("join printed a line to send back".into()),
            None if plan.needs_an_answer() => outcome.say("join printed no line to send back".into()),
            None => {}
        }
    }
    if let Some(portal) = &stage.portal {
        portal.ask(stage, outcome).await;
        portal.open().await;
        began = Instant::now();
    }
    // Who is to stay apart has already been given the time that `join` takes.
    let limit = if plan.expected() == Reach::Apart { Duration::from_secs(1) } else { MEETS };
    let met = within(limit, async || both_see(&stage.alice, &stage.bob).await.filter(are_online)).await;
    outcome.met = met.is_some();
    outcome.met_after = met.map(|_| began.elapsed().as_secs_f64());
    outcome.met
}

/// Both end and start again; the first words each way, and the way they come to.
async fn meet_again(plan: Plan, stage: &Stage, outcome: &mut Outcome) {
    let (alice, bob) = (&stage.alice, &stage.bob);
    tokio::join!(alice.down(), bob.down());
    tokio::join!(alice.up(), bob.up());
    let began = Instant::now();
    let path = watch_path(plan, stage, began);
    let (path, words) = tokio::join!(path, exchange(stage, "again", MEETS));
    outcome.first_words_after = words.map(|took| took.as_secs_f64());
    let (views, direct_after) = path;
    outcome.direct_after = direct_after.map(|took| took.as_secs_f64());
    outcome.see(views);
}

/// How both see each other in the end, and when both first saw a direct path.
async fn watch_path(plan: Plan, stage: &Stage, began: Instant) -> (Option<(View, View)>, Option<Duration>) {
    let limit = if plan.expected().is_direct() { DIRECT } else { STAYS };
    let direct = async || {
        let (hers, his) = both_see(&stage.alice, &stage.bob).await?;
        (hers.is_direct() && his.is_direct()).then_some(())
    };
    let after = within(limit, direct).await.map(|()| began.elapsed());
    (both_see(&stage.alice, &stage.bob).await, after)
}

/// Something said by each at once; how long until both were heard.
pub async fn exchange(stage: &Stage, words: &str, limit: Duration) -> Option<Duration> {
    let (alice, bob) = (&stage.alice, &stage.bob);
    let began = Instant::now();
    let (mut at_alice, mut at_bob) = (Follow::start(alice), Follow::start(bob));
    let (hers, his) = (format!("{words} from alice"), format!("{words} from bob"));
    let (_, _, heard, too) =
        tokio::join!(say(alice, &hers), say(bob, &his), at_alice.hears(&his, limit), at_bob.hears(&hers, limit),);
    (heard && too).then(|| began.elapsed())
}

async fn say(person: &Person, words: &str) {
    person.ask(&["send", words]).await;
}

/// The relay that carries them is killed; where none does, the first.
async fn lose_a_relay(stage: &mut Stage, outcome: &mut Outcome) {
    trouble::lose_a_relay(stage).await;
    let took = exchange(stage, "without a relay", MEETS).await;
    outcome.words_after_loss = took.map(|took| took.as_secs_f64());
    if let Some((hers, his)) = both_see(&stage.alice, &stage.bob).await {
        outcome.say(format!("after the loss {} and {}", hers.path, his.path));
    }
}

fn are_online((hers, his): &(View, View)) -> bool {
    hers.online && his.online
}
