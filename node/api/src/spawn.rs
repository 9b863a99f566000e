//! Starting a companion that outlives whoever started it.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use serde::Deserialize;
use tokio::process::{Child, Command};

use crate::client::NOT_RUNNING;
use crate::{Code, Failure, Home, agent};

/// A store of many rooms opens in far less, also on a slow disk.
const START_WITHIN: Duration = Duration::from_secs(20);

/// How long somebody else's companion that starts at the same moment may take to show its pid.
const GRACE: Duration = Duration::from_millis(500);

const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Starts `program` as the companion of `home` and tries to `connect` until that works.
///
/// Two faces may do this at once: one companion gets the lock, the other one ends, and both faces
/// connect to the first. If the one that holds the lock was about to end, another is started.
pub(crate) async fn start<'a, C>(
    program: &Path,
    home: &Home,
    connect: impl Fn() -> BoxFuture<'a, Result<C, Failure>>,
) -> Result<C, Failure> {
    let give_up = Instant::now() + START_WITHIN;
    let mut starting = Starting::new(program, home).map_err(|error| cannot_start(&error))?;
    loop {
        match connect().await {
            Err(failure) if failure.rule == NOT_RUNNING => {}
            result => return result,
        }
        match starting.next_look(home).await? {
            Look::Again if Instant::now() < give_up => {}
            Look::Again => return Err(starting.reason().unwrap_or_else(|| slow(home))),
            Look::OurTurn => starting = Starting::new(program, home).map_err(|error| cannot_start(&error))?,
        }
    }
}

/// The companion could not even be started.
pub(crate) fn cannot_start(error: &std::io::Error) -> Failure {
    Failure::new(
        Code::CompanionUnreachable,
        "companion_not_started",
        format!("The companion cannot be started: {error}"),
        "Try `pairwave up --foreground` to see what happens.",
    )
}

struct Starting {
    child: Child,
    /// Gets what the child says of its failure. A file, because a pipe that nobody reads any more
    /// would hurt the companion later; nameless, so that it goes with the last of both.
    said: File,
    ended: Option<(ExitStatus, Instant)>,
    /// Ours ended while another one was running.
    another: bool,
}

/// What to do next.
enum Look {
    /// Try again to connect.
    Again,
    /// The other companion is gone: start one.
    OurTurn,
}

impl Starting {
    /// In a process group of its own, so that the terminal's signals do not reach it, and in no
    /// folder that somebody may want to unmount.
    fn new(program: &Path, home: &Home) -> std::io::Result<Self> {
        let said = tempfile::tempfile()?;
        let mut command = Command::new(program);
        command.args(["up", "--foreground", "--json", "--home"]).arg(std::path::absolute(home.path())?);
        command.current_dir("/").process_group(0);
        command.stdin(Stdio::null()).stdout(said.try_clone()?).stderr(Stdio::null());
        for marker in agent::markers() {
            command.env_remove(marker);
        }
        Ok(Self { child: command.spawn()?, said, ended: None, another: false })
    }

    /// Waits until it is worth to look again.
    async fn next_look(&mut self, home: &Home) -> Result<Look, Failure> {
        tokio::select! {
            status = self.child.wait(), if self.ended.is_none() => {
                self.ended = Some((status.map_err(|error| cannot_start(&error))?, Instant::now()));
            }
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        let Some((status, at)) = self.ended else { return Ok(Look::Again) };
        if another_runs(home) {
            self.another = true;
            return Ok(Look::Again);
        }
        match self.another {
            true => Ok(Look::OurTurn),
            false if at.elapsed() < GRACE => Ok(Look::Again),
            false => Err(self.reason().unwrap_or_else(|| died(status, home))),
        }
    }

    fn reason(&mut self) -> Option<Failure> {
        #[derive(Deserialize)]
        struct Said {
            error: Failure,
        }
        let mut text = String::new();
        self.said.rewind().ok()?;
        (&mut self.said).take(64 << 10).read_to_string(&mut text).ok()?;
        text.lines().find_map(|line| serde_json::from_str::<Said>(line).ok()).map(|said| said.error)
    }
}

/// Does the pid file name a process that lives? It is written right after the lock was got.
fn another_runs(home: &Home) -> bool {
    let pid = std::fs::read_to_string(home.pid()).ok().and_then(|text| text.trim().parse().ok());
    let pid = pid.and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok())
}

fn died(status: ExitStatus, home: &Home) -> Failure {
    let last = std::fs::read_to_string(home.log()).unwrap_or_default();
    let last = last.lines().rev().find(|line| line.contains("ERROR")).map(|line| format!(": {line}"));
    Failure::new(
        Code::CompanionUnreachable,
        "companion_died",
        format!("The companion ended as it started ({status}){}", last.unwrap_or_default()),
        "Try `pairwave up --foreground` to see what happens.",
    )
}

fn slow(home: &Home) -> Failure {
    Failure::new(
        Code::CompanionUnreachable,
        "companion_silent",
        format!("The companion was started, but does not answer after {} s", START_WITHIN.as_secs()),
        format!("Look into {}.", home.log().display()),
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::FutureExt;

    use super::*;

    fn nobody<'a>() -> BoxFuture<'a, Result<(), Failure>> {
        std::future::ready(Err(Failure::new(Code::Failed, NOT_RUNNING, "", ""))).boxed()
    }

    fn script(folder: &Path, text: &str) -> PathBuf {
        let program = folder.join("program");
        std::fs::write(&program, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
        program
    }

    async fn start_script(text: &str) -> Failure {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path().join("home"));
        start(&script(folder.path(), text), &home, nobody).await.unwrap_err()
    }

    #[tokio::test]
    async fn after_a_companion_that_was_about_to_end_another_is_started() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path());
        std::fs::create_dir(home.run()).unwrap();
        let ending = std::process::Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        std::fs::write(home.pid(), ending.id().to_string()).unwrap();
        let ending = std::sync::Mutex::new(ending);
        let starts = folder.path().join("starts");
        let program = script(folder.path(), &format!("echo x >> {}", starts.display()));
        let times = || std::fs::read_to_string(&starts).unwrap_or_default().lines().count();
        let looks = AtomicUsize::new(0);
        let connect = || {
            // Long after ours has found the lock taken, the other one ends.
            if times() == 1 && looks.fetch_add(1, Ordering::SeqCst) == 50 {
                let mut ending = ending.lock().unwrap();
                ending.kill().unwrap();
                ending.wait().unwrap();
            }
            nobody()
        };
        assert_eq!(start(&program, &home, connect).await.unwrap_err().rule, "companion_died");
        assert_eq!(times(), 2);
    }

    #[tokio::test]
    async fn a_companion_that_dies_says_why() {
        let failure = r#"{"error":{"code":"failed","rule":"store_unwritable","message":"m","next":"n"}}"#;
        assert_eq!(start_script(&format!("echo '{failure}'; exit 1")).await.rule, "store_unwritable");
    }

    #[tokio::test]
    async fn a_companion_that_dies_silently_is_told_as_well() {
        let failure = start_script("exit 9").await;
        assert_eq!(failure.rule, "companion_died");
        assert!(failure.message.contains('9'), "{failure}");
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_told() {
        let failure = start(Path::new("/nonexistent/pairwave"), &Home::new("/nonexistent"), nobody).await;
        assert_eq!(failure.unwrap_err().rule, "companion_not_started");
    }
}
