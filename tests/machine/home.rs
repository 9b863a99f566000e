//! A home of its own, with the network kept out of it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

pub const BINARY: &str = env!("CARGO_BIN_EXE_pairwave");

pub struct Home {
    pub path: PathBuf,
    pub project: PathBuf,
    _folder: TempDir,
}

impl Home {
    /// A room in a fresh home. `below` makes its path longer.
    pub fn with_room(below: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (path, project) = (folder.path().join(below).join("home"), folder.path().join("project"));
        std::fs::create_dir_all(&project).expect("a project folder");
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("its folder");
        let home = Self { path, project, _folder: folder };
        for nobody_asked in ["network.mdns", "network.upnp"] {
            home.done(&["config", "set", nobody_asked, "false"]);
        }
        home.done(&["init", "--name", "alice", "--title", "lab", "--no-wire"]);
        home
    }

    pub fn folder(&self) -> &Path {
        self._folder.path()
    }

    /// `pairwave ARGUMENTS --json`, ready to run.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command
            .args(arguments)
            .arg("--json")
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder())
            .env("PAIRWAVE_HOME", &self.path)
            .current_dir(&self.project)
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the binary runs")
    }

    pub fn done(&self, arguments: &[&str]) -> Value {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // The companion must not outlive the test, however it ended.
        let pid = std::fs::read_to_string(self.path.join("run/pid")).unwrap_or_default();
        if let Some(pid) = pid.trim().parse().ok().and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
}
