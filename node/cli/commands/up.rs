use std::process::ExitCode;

use pairwave_api::Code;
use pairwave_daemon::process::{self, Options};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::caller::Caller;
use crate::output::{Ended, Output, failure};

/// Start the companion; any other command does it too
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pairwave up
  pairwave up --foreground")]
pub struct Args {
    /// Stay here, log to stderr, end on Ctrl-C
    #[arg(long)]
    foreground: bool,
}

pub async fn run(args: Args, caller: &Caller) -> Ended {
    if args.foreground {
        return stay(caller).await;
    }
    let pid = caller.companion().await?.pid().await?;
    caller.output.answer(&answer(pid), |_| format!("The companion is up (process {pid})."))
}

/// Is the companion. Answers once it can be asked.
async fn stay(caller: &Caller) -> Ended {
    let (ready, is_ready) = oneshot::channel();
    let options = Options { foreground: true, ready: Some(ready), ..Options::default() };
    let announced = tokio::spawn(announce(is_ready, caller.output));
    let ended = process::run(caller.home.clone(), options).await;
    announced.abort();
    ended.map_err(|error| failure(Code::CompanionUnreachable, "companion_not_started", &error))?;
    Ok(ExitCode::SUCCESS)
}

/// In prose the log says it already.
async fn announce(is_ready: oneshot::Receiver<()>, output: Output) {
    if is_ready.await.is_ok() && output.json() {
        // Whoever started it may have left; it goes on all the same.
        let _ = output.object(&answer(std::process::id()));
    }
}

fn answer(pid: u32) -> Value {
    json!({ "pid": pid, "dashboard": null })
}
