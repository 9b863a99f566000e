//! The host of a scripted agent: a process of its own between the story and the agent's server, as a
//! real host is. So what the story's people do by themselves is a person's act to their companions.

use std::path::Path;
use std::process::ExitCode;

use pairwave_api::{Code, Failure};
use tokio::process::Command;

use crate::output::Ended;

/// What a process is started with to play a host.
pub const PLAY: &[&str] = &["demo", "--plays-host"];

/// Runs the server of an agent of this home on this process's own stdin and stdout.
pub async fn play(home: &Path) -> Ended {
    let program = std::env::current_exe().map_err(|error| unable(&error))?;
    let mut server = Command::new(program);
    server.args(["mcp", "--home"]).arg(home).kill_on_drop(true);
    let mut server = server.spawn().map_err(|error| unable(&error))?;
    let ended = server.wait().await.map_err(|error| unable(&error))?;
    Ok(if ended.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn unable(error: &std::io::Error) -> Failure {
    let message = format!("The server of a scripted agent cannot be run: {error}.");
    Failure::new(Code::Failed, "demo_failed", message, "Try again; `pairwave doctor` checks this machine.")
}
