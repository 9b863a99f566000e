//! Runs the binary with a home of its own.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A person with nothing so far. The companion that a command may have started ends with it.
pub struct Person {
    folder: TempDir,
}

impl Person {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    pub fn project(&self) -> PathBuf {
        let path = self.folder.path().join("project");
        std::fs::create_dir_all(&path).expect("a project folder");
        path
    }

    /// The binary with these arguments, in the project, with nothing of the tester's own environment
    /// that would change what it says.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pairwave"));
        command.args(arguments).current_dir(self.project()).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            let foreign = ["PAIRWAVE_", "CLAUDE", "CODEX_", "CURSOR_", "XDG_DATA_HOME"];
            if foreign.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
                command.env_remove(name);
            }
        }
        command.env("PAIRWAVE_HOME", self.home()).env("NO_COLOR", "1");
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the binary runs")
    }

    /// Runs with `--json` and reads the one object that it prints.
    pub fn json(&self, arguments: &[&str]) -> (i32, Value) {
        let output = self.run(&[arguments, &["--json"]].concat());
        (code(&output), only_object(&output))
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        let _ = self.command(&["down"]).output();
    }
}

pub fn code(output: &Output) -> i32 {
    output.status.code().expect("it was not killed")
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8 on stdout")
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8 on stderr")
}

pub fn only_object(output: &Output) -> Value {
    let text = stdout(output);
    let mut lines = text.lines();
    let value = serde_json::from_str(lines.next().unwrap_or_default());
    assert_eq!(lines.next(), None, "one line only: {text}");
    value.unwrap_or_else(|error| panic!("{error}: {text:?} {}", stderr(output)))
}
