//! A thousand messages each way over each kind of path, while the network is pulled about: none lost,
//! none doubled, the same order for both.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::agent::Agent;
use crate::agreement;
use crate::cell;
use crate::letters;
use crate::outcome::Outcome;
use crate::person::Person;
use crate::plan::{Plan, Relays, Twist};
use crate::site::Site;
use crate::slow;
use crate::stage::Stage;
use crate::trouble::{self, Trouble};
use crate::watch::{View, both_see, within};

/// That each says to the other.
pub const MESSAGES: usize = 1000;
/// Between two messages of one person, so that a trouble falls among them.
const PACE: Duration = Duration::from_millis(30);
/// More than catching up takes if it works.
const CATCHES_UP: Duration = Duration::from_secs(90);
/// How long a path may take to be again what it was.
const RETURNS: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crossing {
    Lan,
    /// With no relay in the world.
    LanAlone,
    Quic,
    /// With no relay in the world: whoever moves finds the one who can be reached.
    QuicAlone,
    Tcp,
    Punched,
    Relayed,
    Mailbox,
    Slow,
    /// QUIC to begin with; then no UDP gets through.
    QuicThenTcp,
}

pub const ALL: [Crossing; 10] = [
    Crossing::Slow,
    Crossing::Relayed,
    Crossing::Punched,
    Crossing::Mailbox,
    Crossing::Tcp,
    Crossing::Quic,
    Crossing::QuicThenTcp,
    Crossing::QuicAlone,
    Crossing::Lan,
    Crossing::LanAlone,
];

/// What both sides came to.
#[derive(Debug, Default)]
pub struct Count {
    pub lost: usize,
    pub doubled: usize,
    /// Both read the same order, and each author's words in the order of being said.
    pub ordered: bool,
}

impl Crossing {
    pub fn name(self) -> &'static str {
        match self {
            Self::Lan => "lan",
            Self::LanAlone => "lan-no-relay",
            Self::QuicAlone => "direct-no-relay",
            Self::Quic => "direct-quic",
            Self::Tcp => "direct-tcp",
            Self::Punched => "punched",
            Self::Relayed => "relayed",
            Self::Mailbox => "mailbox",
            Self::Slow => "slow-and-lossy",
            Self::QuicThenTcp => "quic-then-tcp",
        }
    }

    pub fn plan(self) -> Plan {
        let two = |first, second| Plan::new(first, second, Relays::Two);
        match self {
            Self::Lan => two(Site::Home, Site::Home).with(Twist::SameRouter),
            Self::LanAlone => Plan::new(Site::Home, Site::Home, Relays::None).with(Twist::SameRouter),
            Self::QuicAlone => Plan::new(Site::Public, Site::Home, Relays::None),
            Self::Quic | Self::Slow | Self::QuicThenTcp => two(Site::Public, Site::Home),
            Self::Tcp => two(Site::Public, Site::UdpBlocked),
            Self::Punched | Self::Mailbox => two(Site::Home, Site::Home),
            Self::Relayed => two(Site::Home, Site::Symmetric),
        }
    }

    /// Does somebody see the other over the path on which this trouble is to strike?
    fn is_on(self, view: &View, trouble: Trouble) -> bool {
        let (path, transport) = (view.path.as_str(), view.transport());
        view.online
            && match self {
                Self::Lan | Self::LanAlone => path == "lan",
                // While UDP is blocked, whatever carries them is not QUIC.
                Self::QuicThenTcp if trouble == Trouble::UdpLetThrough => transport != "QUIC",
                Self::Quic | Self::QuicAlone | Self::Slow | Self::QuicThenTcp => {
                    path == "direct" && transport == "QUIC"
                }
                Self::Tcp => path == "direct" && transport == "TCP",
                Self::Punched | Self::Mailbox => path == "direct",
                Self::Relayed => path == "relayed",
            }
    }

    fn troubles(self) -> &'static [Trouble] {
        use Trouble::{AddressChanged, Calm, RelayKilled, Slept, Switched, SwitchedBack, UdpBlocked, UdpLetThrough};
        match self {
            Self::QuicThenTcp => &[Calm, UdpBlocked, UdpLetThrough],
            Self::LanAlone => &[Calm, AddressChanged, Slept],
            Self::QuicAlone => &[Calm, AddressChanged, Slept, Switched, SwitchedBack],
            _ => &[Calm, AddressChanged, Slept, Switched, SwitchedBack, RelayKilled],
        }
    }

    /// The row of a run that was given up.
    pub fn unfinished(self, messages: usize, after: Duration) -> Value {
        self.row(messages, &Count::default(), &[], format!("not at its end after {} s", after.as_secs()), false)
    }

    fn row(self, messages: usize, count: &Count, steps: &[Value], note: String, ok: bool) -> Value {
        json!({
            "cell": format!("crossing/{}", self.name()), "sites": self.plan().to_string(), "ok": ok,
            "messages_each_way": messages, "lost": count.lost, "doubled": count.doubled,
            "same_order": count.ordered, "steps": steps, "note": note,
        })
    }
}

pub async fn run(crossing: Crossing, messages: usize, folder: &Path) -> Value {
    let plan = crossing.plan();
    let mut stage = Stage::build(plan, folder).await;
    // Before anybody speaks: a bridge that gets a port may change its own address, which stalls all others.
    let elsewhere = trouble::elsewhere(&stage.network).await;
    if crossing == Crossing::Slow {
        slow::make_slow(&stage.routers[1]).await;
    }
    let mut outcome = Outcome::of(plan);
    if !cell::meet(plan, &stage, &mut outcome).await {
        return crossing.row(messages, &Count::default(), &[], format!("they did not meet; {}", outcome.note), false);
    }
    agreement::unbounded(&stage.alice, &stage.bob).await;
    let mut steps = Vec::new();
    if crossing == Crossing::Mailbox {
        steps = letters::exchange(&mut stage, &elsewhere, messages).await;
    } else {
        let agents = [stage.alice.agent().await, stage.bob.agent().await];
        let troubles = crossing.troubles();
        for (at, trouble) in troubles.iter().enumerate() {
            let numbers = messages * at / troubles.len()..messages * (at + 1) / troubles.len();
            steps.push(step(crossing, *trouble, &mut stage, &elsewhere, &agents, numbers).await);
        }
    }
    let caught_up = within(CATCHES_UP, async || have_all(&stage, messages).await.then_some(())).await.is_some();
    let count = compare(&stage.alice, &stage.bob, messages).await;
    let ok = caught_up && count.lost == 0 && count.doubled == 0 && count.ordered;
    let on_path = steps.iter().all(|step| step["on_path"] != false);
    let note = if on_path { String::new() } else { "not always on the path that it is about".to_owned() };
    crossing.row(messages, &count, &steps, note, ok && on_path)
}

/// Both talk while something happens; how long after it both had everything.
async fn step(
    crossing: Crossing,
    trouble: Trouble,
    stage: &mut Stage,
    elsewhere: &patchbay::Router,
    agents: &[Agent; 2],
    numbers: std::ops::Range<usize>,
) -> Value {
    let before = within(RETURNS, async || both_on(crossing, trouble, stage).await).await;
    let on_path = before.is_some() || trouble == Trouble::SwitchedBack;
    let path_before = paths(stage).await;
    let strikes = async {
        trouble.strike(stage, elsewhere).await;
        cell::exchange(stage, trouble.name(), CATCHES_UP).await
    };
    let (_, _, back) =
        tokio::join!(say(&agents[0], "alice", numbers.clone()), say(&agents[1], "bob", numbers.clone()), strikes);
    let all = within(CATCHES_UP, async || have_equally_many(stage).await.then_some(())).await;
    for relay in stage.relays.iter_mut().filter(|relay| !relay.runs()) {
        relay.revive().await;
    }
    json!({
        "trouble": trouble.name(), "on_path": on_path, "path_before": path_before,
        "path_after": paths(stage).await,
        "back_s": back.map(|took| (took.as_secs_f64() * 100.0).round() / 100.0), "all_there": all.is_some(),
        "said_each": numbers.len(),
    })
}

async fn both_on(crossing: Crossing, trouble: Trouble, stage: &Stage) -> Option<()> {
    let (hers, his) = both_see(&stage.alice, &stage.bob).await?;
    (crossing.is_on(&hers, trouble) && crossing.is_on(&his, trouble)).then_some(())
}

/// The path as each sees it.
async fn paths(stage: &Stage) -> Option<[String; 2]> {
    let (hers, his) = both_see(&stage.alice, &stage.bob).await?;
    Some([hers, his].map(|view| format!("{} {}", view.path, view.transport()).trim().to_owned()))
}

/// Says so many things, one after the other.
pub async fn say(agent: &Agent, name: &str, numbers: std::ops::Range<usize>) {
    for number in numbers {
        agent.ask("pair_send", json!({ "kind": "chat", "text": format!("{name} {number}") })).await;
        tokio::time::sleep(PACE).await;
    }
}

async fn have_equally_many(stage: &Stage) -> bool {
    let (hers, his) = tokio::join!(stage.alice.room(), stage.bob.room());
    hers["events"].is_u64() && hers["events"] == his["events"]
}

async fn have_all(stage: &Stage, messages: usize) -> bool {
    have_equally_many(stage).await && stage.alice.room().await["events"].as_u64() > Some(2 * messages as u64)
}

/// Reads both transcripts to the end.
async fn compare(alice: &Person, bob: &Person, messages: usize) -> Count {
    let (hers, his) = tokio::join!(alice.transcript(), bob.transcript());
    let mut count = Count { ordered: ids(&hers) == ids(&his), ..Count::default() };
    for transcript in [&hers, &his] {
        let texts =
            transcript.iter().filter(|entry| entry["kind"] == "chat").filter_map(|entry| entry["text"].as_str());
        let mut times = BTreeMap::<&str, usize>::new();
        let mut last = BTreeMap::<&str, usize>::new();
        for text in texts {
            let (name, number) = text.split_once(' ').unwrap_or_default();
            let Ok(number) = number.parse() else { continue };
            *times.entry(text).or_default() += 1;
            let before = last.insert(name, number);
            count.ordered &= before.is_none_or(|before| before < number);
        }
        count.doubled += times.values().filter(|times| **times > 1).count();
        count.lost += (2 * messages).saturating_sub(times.len());
    }
    count
}

fn ids(transcript: &[Value]) -> Vec<&str> {
    transcript.iter().filter_map(|entry| entry["event"].as_str()).collect()
}
