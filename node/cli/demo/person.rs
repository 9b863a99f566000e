//! One person of the demo: a home, a project folder, and a companion of their own.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use pairwave_api::{Code, Failure, agent, home::Home};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::browser;
use crate::output::Output;
use crate::prose::plain;

pub struct Person {
    pub name: &'static str,
    home: Home,
    folder: PathBuf,
    companion: Option<Child>,
}

/// More than any single step takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// They meet on this machine alone; nothing of the demo is heard on its networks. Its agents have
/// nothing to think over, so they need no time for it.
const SETTINGS: [(&str, &str); 3] = [
    ("network.listen", "/ip4/127.0.0.1/udp/0/quic-v1,/ip4/127.0.0.1/tcp/0"),
    ("network.mdns", "false"),
    ("limits.push_interval", "0"),
];

impl Person {
    pub fn new(stage: &Path, name: &'static str) -> Self {
        let own = stage.join(name);
        Self { name, home: Home::new(own.join("home")), folder: own.join("project"), companion: None }
    }

    /// Makes the folders and settings.
    pub async fn settle(&self) -> Result<(), Failure> {
        for folder in [self.home.path(), &self.folder] {
            std::fs::create_dir_all(folder).map_err(|error| trouble(self.name, &error))?;
        }
        for (key, value) in SETTINGS {
            self.ask(&["config", "set", key, value]).await?;
        }
        Ok(())
    }

    /// Writes a file into the project folder; gives its path.
    pub fn writes(&self, name: &str, content: &str) -> Result<String, Failure> {
        let path = self.folder.join(name);
        std::fs::write(&path, content).map_err(|error| trouble(self.name, &error))?;
        Ok(path.display().to_string())
    }

    /// Starts the companion and waits until it can be asked. Gives its process id.
    pub async fn wake(&mut self) -> Result<u32, Failure> {
        let mut command = self.command(&["up", "--foreground"]);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut companion = command.spawn().map_err(|error| trouble(self.name, &error))?;
        let said = companion.stdout.take();
        self.companion = Some(companion);
        let Some(said) = said else { return Err(trouble(self.name, &"its companion has no stdout")) };
        let first = timeout(PATIENCE, BufReader::new(said).lines().next_line()).await;
        let line = first.map_err(|_| stuck(self.name, "up"))?.map_err(|error| trouble(self.name, &error))?;
        let pid = answer(line.as_deref().unwrap_or_default(), self.name)?["pid"].as_u64();
        pid.and_then(|pid| u32::try_from(pid).ok()).ok_or_else(|| trouble(self.name, &"its companion named no process"))
    }

    /// What a power failure does to a process.
    pub async fn kill(&mut self) -> Result<(), Failure> {
        match &mut self.companion {
            Some(companion) => companion.kill().await.map_err(|error| trouble(self.name, &error)),
            None => Ok(()),
        }
    }

    /// Types a command and reads its answer.
    pub async fn ask(&self, arguments: &[&str]) -> Result<Value, Failure> {
        let mut lines = self.ask_for_lines(arguments).await?;
        lines.pop().ok_or_else(|| trouble(self.name, &format!("`{}` answered nothing", arguments.join(" "))))
    }

    /// The page of this person: with a code that lets a browser in, or, where an agent plays the demo,
    /// its address alone.
    pub async fn page(&self) -> Result<String, Failure> {
        let answer = match self.ask(&["dashboard", "--print"]).await {
            Ok(link) => link["url"].clone(),
            Err(_) => self.ask(&["status"]).await?["dashboard"].clone(),
        };
        Ok(answer.as_str().unwrap_or_default().to_owned())
    }

    /// Opens the page in a browser, if there is one.
    pub fn opens(&self, link: &str) -> bool {
        browser::open(&self.home, link)
    }

    /// As [`Person::ask`], for a command that answers a line an event.
    pub async fn ask_for_lines(&self, arguments: &[&str]) -> Result<Vec<Value>, Failure> {
        let output = timeout(PATIENCE, self.command(arguments).output()).await;
        let output = output.map_err(|_| stuck(self.name, arguments[0]))?.map_err(|error| trouble(self.name, &error))?;
        String::from_utf8_lossy(&output.stdout).lines().map(|line| answer(line, self.name)).collect()
    }

    /// This very program, as this person.
    pub fn command(&self, arguments: &[&str]) -> Command {
        // The path of a running program is known wherever the demo got this far.
        let program = std::env::current_exe().unwrap_or_else(|_| "pairwave".into());
        let mut command = Command::new(program);
        command.args(arguments).args(["--json", "--home"]).arg(self.home.path()).current_dir(&self.folder);
        command.stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        // Whoever watches the demo has settings and perhaps an agent of their own.
        let settings = std::env::vars_os().map(|(name, _)| name).filter(|name| is_setting(&name.to_string_lossy()));
        for foreign in agent::markers().chain(settings) {
            command.env_remove(foreign);
        }
        command
    }

    /// Ends the companion, also one that an agent started again.
    pub async fn stop(&mut self) {
        // Nothing is left to tell if it does not want to; then it is ended the hard way.
        let _ = timeout(PATIENCE / 6, self.command(&["down"]).output()).await;
        if let Some(mut companion) = self.companion.take() {
            let _ = companion.kill().await;
        }
    }

    /// The end of the companion's log, for whoever wants to know what went wrong.
    pub fn last_words(&self, output: Output) {
        let log = std::fs::read_to_string(self.home.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        for line in lines.iter().skip(lines.len().saturating_sub(8)) {
            output.remark(&format!("{}: {}", self.name, plain::line(line)));
        }
    }
}

fn is_setting(variable: &str) -> bool {
    variable.starts_with("PAIRWAVE_") && variable != "PAIRWAVE_LOG" || variable == "CLAUDE_PROJECT_DIR"
}

/// One line of JSON: an answer, or why there is none.
fn answer(line: &str, name: &str) -> Result<Value, Failure> {
    let value: Value = serde_json::from_str(line).map_err(|_| trouble(name, &"a command ended without an answer"))?;
    match value.get("error") {
        Some(error) => Err(serde_json::from_value(error.clone()).unwrap_or_else(|_| trouble(name, error))),
        None => Ok(value),
    }
}

fn stuck(name: &str, command: &str) -> Failure {
    let message = format!("`pairwave {command}` of {name} did not come to an end in {} seconds.", PATIENCE.as_secs());
    Failure::new(
        Code::Failed,
        "demo_stuck",
        message,
        "Try again; if it stays so, `pairwave doctor` checks this machine.",
    )
}

fn trouble(name: &str, why: &dyn std::fmt::Display) -> Failure {
    let next = "`pairwave doctor` checks this machine layer by layer.";
    Failure::new(Code::Failed, "demo_failed", format!("Something went wrong at {name}: {why}."), next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_line_is_the_failure_that_it_names() {
        let failure = Failure::new(Code::Refused, "wrong_words", "Those are not the words.", "Try again.");
        let line = serde_json::json!({ "error": failure }).to_string();
        assert_eq!(answer(&line, "bob"), Err(failure));
        assert_eq!(answer("", "bob").expect_err("nothing was said").rule, "demo_failed");
    }

    #[test]
    fn settings_of_the_watcher_do_not_play_along() {
        assert!(is_setting("PAIRWAVE_JSON") && is_setting("PAIRWAVE_NETWORK_MDNS") && is_setting("CLAUDE_PROJECT_DIR"));
        assert!(!is_setting("PAIRWAVE_LOG") && !is_setting("PATH"));
    }
}
