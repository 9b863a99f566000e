//! One person: a home, a project folder and a companion of their own, on this machine's loopback or
//! on a machine of a lab.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use pairwave_api::{
    AcceptCharter, Arrivals, Ask, CharterText, Client, CompanionExt, Create, Face, Hello, Home, Invite, Join,
    JoinState, MemberView, ProposeCharter, RoomView, ShowCharter, ShowStatus, Status, Verify,
};
use patchbay::Device;
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::FOLDER;

pub const BINARY: &str = env!("CARGO_BIN_EXE_pairwave");

/// Nobody is to be heard on the networks of whoever measures, and what is measured is no agent's pace.
const SETTINGS: [(&str, &str); 6] = [
    ("network.listen", "/ip4/127.0.0.1/udp/0/quic-v1,/ip4/127.0.0.1/tcp/0"),
    ("network.mdns", "false"),
    ("limits.agent_per_minute", "0"),
    ("limits.push_interval", "0"),
    ("limits.max_turns", "0"),
    ("limits.wakes", "0"),
];

/// How often somebody looks who waits.
const LOOK_EVERY: Duration = Duration::from_millis(1);
/// More than anything takes that works.
const PATIENCE: Duration = Duration::from_secs(300);

pub struct Person {
    pub name: String,
    pub home: Home,
    /// The project folder.
    pub dir: PathBuf,
    machine: Option<Device>,
    companion: Option<Child>,
}

/// A folder in which the homes of some people stand.
pub fn stage() -> tempfile::TempDir {
    tempfile::tempdir_in(FOLDER).expect("a temporary folder")
}

/// Alice and Bob, who are linked over the loopback and share a room.
pub async fn two(stage: &Path) -> (Person, Person) {
    at(stage, Vec::new()).await
}

/// The same two, with relays that their room names.
pub async fn at(stage: &Path, relays: Vec<String>) -> (Person, Person) {
    let (mut alice, mut bob) = (Person::new(stage, "alice").await, Person::new(stage, "bob").await);
    alice.up().await;
    bob.up().await;
    meet(&alice, &bob, relays).await;
    (alice, bob)
}

/// The first opens a room and the second joins it.
pub async fn meet(alice: &Person, bob: &Person, relays: Vec<String>) {
    let name = |person: &Person| Some(person.name.clone());
    let create = Create { dir: alice.dir.clone(), title: Some("figures".into()), name: name(alice), relays };
    alice.ask(create).await;
    let invite = alice.ask(Invite::default()).await.invite;
    let join = Join { invite, dir: bob.dir.clone(), name: name(bob), wait_s: 25 };
    assert_eq!(bob.ask(join).await.state, JoinState::Admitted);
    linked(alice, bob).await;
    agree(alice, bob).await;
}

/// Both compare words, and let their agents talk as long as they like.
async fn agree(alice: &Person, bob: &Person) {
    let (hers, his) = (words(alice).await, words(bob).await);
    for (person, heard) in [(alice, his), (bob, hers)] {
        assert!(person.ask(Verify { heard: Some(heard), ..Verify::default() }).await.verified);
    }
    let charter = CharterText {
        title: "figures".into(),
        purpose: "to see how fast it is".into(),
        max_hops: Some(100_000),
        ..CharterText::default()
    };
    alice.ask(ProposeCharter { charter, ..ProposeCharter::default() }).await;
    stands(bob, "proposed").await;
    bob.ask(AcceptCharter::default()).await;
    stands(alice, "agreed").await;
}

async fn words(person: &Person) -> String {
    until(async || {
        let words = person.ask(Verify::default()).await.say;
        (words.len() == 3).then(|| words.join(" "))
    })
    .await
}

async fn stands(person: &Person, state: &str) {
    until(async || (person.ask(ShowCharter::default()).await.state == state).then_some(())).await;
}

/// Waits until both see each other.
pub async fn linked(one: &Person, other: &Person) {
    for person in [one, other] {
        let client = person.person().await;
        until(async || person.other(&client).await.filter(|member| member.online)).await;
    }
}

/// Looks until it sees something.
pub async fn until<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(Instant::now() < end, "waited {PATIENCE:?} in vain");
        sleep(LOOK_EVERY).await;
    }
}

impl Person {
    pub async fn new(stage: &Path, name: &str) -> Self {
        let person = Self::on(stage, name, None);
        for (key, value) in SETTINGS {
            person.set(key, value).await;
        }
        person
    }

    /// Somebody whose companion runs on a machine of a lab.
    pub fn on(stage: &Path, name: &str, machine: Option<Device>) -> Self {
        let (home, dir) = (stage.join(name).join("home"), stage.join(name).join("project"));
        std::fs::create_dir_all(&dir).expect("a project folder");
        Self { name: name.to_owned(), home: Home::new(home), dir, machine, companion: None }
    }

    /// A command of this person, with an environment of its own.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(arguments).arg("--json").current_dir(&self.dir).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", &self.dir).env("PAIRWAVE_HOME", self.home.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        command
    }

    pub fn start(&self, mut command: Command) -> Child {
        match &self.machine {
            Some(machine) => machine.spawn_command(command).expect("the program starts"),
            None => command.spawn().expect("the program starts"),
        }
    }

    pub async fn set(&self, key: &str, value: &str) {
        let ended = self.start(self.command(&["config", "set", key, value])).wait().await.expect("its end is seen");
        assert!(ended.success(), "config set {key}");
    }

    /// Starts the companion; says how long it took until it told how things stand.
    pub async fn up(&mut self) -> Duration {
        let began = Instant::now();
        self.companion = Some(self.start(self.command(&["up", "--foreground"])));
        until(async || {
            let client = Client::connect(&self.home, self.hello(Face::Cli, None)).await.ok()?;
            client.ask(ShowStatus::default()).await.ok()
        })
        .await;
        began.elapsed()
    }

    /// Ends the companion, whoever started it.
    pub async fn down(&mut self) {
        let ended = self.start(self.command(&["down"])).wait().await.expect("its end is seen");
        assert!(ended.success(), "down");
        if let Some(mut companion) = self.companion.take() {
            companion.wait().await.expect("its end is seen");
        }
    }

    /// Ends the companion as a power failure does.
    pub async fn kill(&mut self) {
        if let Some(mut companion) = self.companion.take() {
            companion.kill().await.expect("its end is seen");
        }
    }

    /// Process id of the companion.
    pub fn pid(&self) -> Option<i32> {
        std::fs::read_to_string(self.home.pid()).ok()?.trim().parse().ok()
    }

    /// Megabytes of memory that the companion holds.
    pub fn resident(&self) -> f64 {
        let pid = self.pid().expect("the companion runs");
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the companion runs");
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("Linux tells it");
        let kilobytes: f64 = resident.trim().trim_end_matches(" kB").parse().expect("a number");
        kilobytes / 1024.0
    }

    /// Seconds that the companion has had a processor.
    pub fn processor_time(&self) -> f64 {
        /// Of `/proc/PID/stat`, whatever the kernel itself counts in.
        const TICKS_PER_SECOND: f64 = 100.0;
        let pid = self.pid().expect("the companion runs");
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("the companion runs");
        let behind_the_name = stat.rsplit(") ").next().expect("Linux tells it");
        let ticks = behind_the_name.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<f64>().expect("a number"));
        ticks.sum::<f64>() / TICKS_PER_SECOND
    }

    fn hello(&self, face: Face, session: Option<&str>) -> Hello {
        let (session, dir) = (session.map(str::to_owned), Some(self.dir.clone()));
        Hello { session, dir, agent: face == Face::Mcp, ..Hello::new(face) }
    }

    /// An agent's session, straight on the control socket.
    pub async fn client(&self, session: &str) -> Client {
        let hello = self.hello(Face::Mcp, Some(session));
        Client::connect(&self.home, hello).await.unwrap_or_else(|failure| panic!("{failure}"))
    }

    /// This person at a terminal.
    pub async fn person(&self) -> Client {
        let client = Client::connect(&self.home, self.hello(Face::Cli, None)).await;
        client.unwrap_or_else(|failure| panic!("{failure}"))
    }

    /// Asks as a person at a terminal does.
    pub async fn ask<A: Ask>(&self, question: A) -> A::Answer {
        self.person().await.ask(question).await.unwrap_or_else(|failure| panic!("{failure}"))
    }

    /// Is there a companion that can be asked?
    pub async fn is_up(&self) -> bool {
        Client::connect(&self.home, self.hello(Face::Cli, None)).await.is_ok()
    }

    pub async fn room(&self) -> RoomView {
        let status: Status = self.ask(ShowStatus::default()).await;
        status.rooms.into_iter().next().expect("a room")
    }

    /// How the other one looks from here.
    pub async fn other(&self, client: &Client) -> Option<MemberView> {
        let status = client.ask(ShowStatus::default()).await.ok()?;
        status.rooms.into_iter().next()?.members.into_iter().find(|member| !member.me)
    }

    /// Waits until so many events are durable here.
    pub async fn holds(&self, client: &Client, events: u64) {
        let last = Arrivals { after: events - 1, limit: Some(1), ..Arrivals::default() };
        until(async || {
            let page = client.ask(last.clone()).await.unwrap_or_else(|failure| panic!("{failure}"));
            (!page.events.is_empty()).then_some(())
        })
        .await;
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        // Also one that a command started, which is nobody's child any more.
        let pid = self.pid().and_then(rustix::process::Pid::from_raw);
        let runs = |pid: &rustix::process::Pid| {
            let program = std::fs::read_link(format!("/proc/{}/exe", pid.as_raw_nonzero()));
            program.is_ok_and(|program| program == Path::new(BINARY))
        };
        if let Some(pid) = pid.filter(runs) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
}
