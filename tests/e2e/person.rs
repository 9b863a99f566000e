//! One person: a machine, a home, a project folder, and the command line.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use pairwave_api::agent::is_marker;
use patchbay::Device;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};

use crate::agent::Agent;
use crate::patience::until;

pub const BINARY: &str = env!("CARGO_BIN_EXE_pairwave");
/// No command takes longer, not even one that waits for somebody.
const COMMAND: Duration = Duration::from_secs(150);

/// Says that a test is skipped which needs a human where there is none.
pub fn no_human_here() -> bool {
    let skipped = inside_an_agent_host();
    if skipped {
        eprintln!("skipped: these tests were started by an agent host, so nobody here counts as a human");
    }
    skipped
}

/// Do these tests run inside an agent host? A companion sees that of every command, whatever its own
/// environment says: there is no human here whose part could be played.
pub fn inside_an_agent_host() -> bool {
    let mut next = Some(std::process::id());
    while let Some(pid) = next.filter(|pid| *pid > 0) {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let variables = environment.split(|byte| *byte == 0).filter_map(|variable| {
            let at = variable.iter().position(|byte| *byte == b'=')?;
            Some((OsStr::from_bytes(&variable[..at]), OsStr::from_bytes(&variable[at + 1..])))
        });
        if variables.into_iter().any(|(name, value)| is_marker(name, value)) {
            return true;
        }
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        next = after_name.split_whitespace().nth(1).and_then(|parent| parent.parse().ok());
    }
    false
}

pub struct Person {
    pub name: String,
    pub machine: Device,
    pub home: PathBuf,
    /// The project folder.
    pub dir: PathBuf,
    /// Added to the environment of every command, and so of the companion it starts.
    pub environment: Vec<(String, String)>,
}

/// What a command came to.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Person {
    pub fn new(name: &str, machine: Device, folder: &Path) -> Self {
        let (home, dir) = (folder.join(name).join("home"), folder.join(name).join("project"));
        std::fs::create_dir_all(&dir).expect("a project folder");
        Self { name: name.to_owned(), machine, home, dir, environment: Vec::new() }
    }

    /// Runs `pairwave ARGUMENTS --json`.
    pub async fn run(&self, arguments: &[&str]) -> Ran {
        self.run_in(&self.dir, arguments).await
    }

    pub async fn run_in(&self, dir: &Path, arguments: &[&str]) -> Ran {
        let mut command = self.command(arguments);
        command.arg("--json").current_dir(dir);
        self.finish(command).await
    }

    /// Runs a command that must succeed, and gives its one object.
    pub async fn ask(&self, arguments: &[&str]) -> Value {
        self.run(arguments).await.done()
    }

    /// A command on this machine, with an environment in which no agent host shows.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.program(BINARY);
        command.args(arguments);
        command
    }

    pub fn program(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let folder = self.home.parent().expect("a home stands in a folder");
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", folder)
            .env("PAIRWAVE_HOME", &self.home)
            .env("RUST_BACKTRACE", "1")
            .envs(self.environment.iter().map(|(key, value)| (key, value)))
            .current_dir(&self.dir)
            .stdin(Stdio::null());
        command
    }

    /// Starts any program on this machine.
    pub fn start(&self, mut command: Command) -> Child {
        command.kill_on_drop(true);
        self.machine.spawn_command(command).expect("the program starts")
    }

    pub async fn finish(&self, mut command: Command) -> Ran {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let shown = format!("{command:?}");
        let mut child = self.start(command);
        let (mut stdout, mut stderr) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
        let (mut out, mut err) = (String::new(), String::new());
        let ended = async {
            // Not until the end of the pipes, which a companion started on demand might hold open.
            let (status, ..) =
                tokio::join!(child.wait(), stdout.read_to_string(&mut out), stderr.read_to_string(&mut err));
            status
        };
        let status = tokio::time::timeout(COMMAND, ended).await.unwrap_or_else(|_| panic!("{shown} does not end"));
        Ran { code: code(status.expect("its end is seen")), out, err }
    }

    /// An agent of this person: an MCP client with a server of its own.
    pub async fn agent(&self) -> Agent {
        Agent::start(self, None).await
    }

    /// An agent beside whom this person's own commands are a human's.
    pub async fn agent_apart(&self) -> Agent {
        Agent::start_apart(self).await
    }

    /// Runs a command as an agent of this person does in its shell.
    pub async fn run_as_agent(&self, arguments: &[&str]) -> Ran {
        let mut command = self.command(arguments);
        command.arg("--json").env("CLAUDECODE", "1");
        self.finish(command).await
    }

    /// An agent whose host names its session.
    pub async fn agent_in_session(&self, session: &str) -> Agent {
        Agent::start(self, Some(session)).await
    }

    pub async fn up(&self) {
        self.ask(&["up"]).await;
    }

    pub async fn down(&self) {
        self.ask(&["down"]).await;
    }

    /// Process id of the companion.
    pub fn pid(&self) -> Option<i32> {
        self.file("run/pid")?.trim().parse().ok().filter(|pid| lives(*pid))
    }

    /// A file of the home, read on the machine: it may have mounts of its own.
    pub fn file(&self, path: &str) -> Option<String> {
        let path = self.home.join(path);
        self.machine.run_sync(move || Ok(std::fs::read_to_string(path)?)).ok()
    }

    /// Ends the companion as a power cut would end it, as far as a process can see.
    pub async fn kill(&self) {
        let Some(pid) = self.pid() else { return };
        kill(pid);
        until("the killed companion is gone", async || (!lives(pid)).then_some(())).await;
    }

    /// This person's own room, as `status` shows it.
    pub async fn room(&self) -> Value {
        self.ask(&["status"]).await["rooms"][0].clone()
    }

    /// How this person sees another member.
    pub async fn sees(&self, other: &Self) -> Option<Value> {
        let room = self.room().await;
        room["members"].as_array()?.iter().find(|member| member["name"] == other.name.as_str()).cloned()
    }

    /// Waits until the other is here.
    pub async fn meets(&self, other: &Self) -> Value {
        let what = format!("{} sees {} online", self.name, other.name);
        until(&what, async || self.sees(other).await.filter(|member| member["online"] == true)).await
    }

    /// The whole transcript, in the room's order.
    pub async fn transcript(&self) -> Vec<Value> {
        let mut transcript: Vec<Value> = Vec::new();
        loop {
            let first = transcript.first().map(|entry| entry["event"].as_str().expect("an id").to_owned());
            let mut arguments = vec!["read", "--limit", "500"];
            arguments.extend(first.iter().flat_map(|first| ["--before", first]));
            let ran = self.run(&arguments).await;
            assert_eq!(ran.code, 0, "{ran:?}");
            let page = ran.lines();
            let more = page.len() == 500;
            transcript.splice(0..0, page);
            if !more {
                return transcript;
            }
        }
    }

    /// The texts of the messages of one kind, in the room's order.
    pub async fn texts(&self, kind: &str) -> Vec<String> {
        let of_kind = self.transcript().await.into_iter().filter(|entry| entry["kind"] == kind);
        of_kind.map(|entry| entry["text"].as_str().expect("a text").to_owned()).collect()
    }

    /// Waits until the transcript holds a text.
    pub async fn reads(&self, text: &str) -> Value {
        until(&format!("{} reads {text:?}", self.name), async || {
            self.transcript().await.into_iter().find(|entry| entry["text"] == text)
        })
        .await
    }

    pub fn log(&self) -> String {
        self.file("run/pairwave.log").unwrap_or_default()
    }
}

impl Ran {
    /// The one object of a command that succeeded.
    pub fn done(self) -> Value {
        assert_eq!(self.code, 0, "{self:?}");
        self.object()
    }

    /// The one object that was printed, whatever the command came to.
    pub fn object(&self) -> Value {
        let mut lines = self.lines();
        assert!(lines.len() <= 1, "one object: {self:?}");
        lines.pop().unwrap_or(json!(null))
    }

    pub fn lines(&self) -> Vec<Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line:?} of {self:?}"));
        self.out.lines().map(parse).collect()
    }

    /// The error of a command that failed: its exit code, and what, why and what next.
    pub fn failure(&self, code: i32) -> Value {
        assert_eq!(self.code, code, "{self:?}");
        let error = self.object()["error"].clone();
        for field in ["code", "rule", "message", "next"] {
            let text = error[field].as_str().unwrap_or_else(|| panic!("an error has `{field}`: {self:?}"));
            assert!(!text.is_empty(), "an error's `{field}` says something: {self:?}");
        }
        error
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let tail = &log.lines().rev().take(40).collect::<Vec<_>>();
            println!("--- log of {}", self.name);
            tail.iter().rev().for_each(|line| println!("{line}"));
        }
        if let Some(pid) = self.pid() {
            kill(pid);
        }
    }
}

/// As a shell counts: 128 and the signal for what was killed.
fn code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

fn kill(pid: i32) {
    let Some(pid) = rustix::process::Pid::from_raw(pid) else { return };
    // It may have ended by itself in the meantime.
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
}

/// Is there such a process, and is it more than an entry that nobody has collected yet?
fn lives(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit(") ").next().and_then(|rest| rest.chars().next());
    state.is_some_and(|state| !matches!(state, 'Z' | 'X'))
}
