use std::process::ExitCode;

use futures::FutureExt;
use pairwave_api::{Code, CompanionExt, ShowStatus};
use pairwave_daemon::process::{self, OpenPage, Options};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::caller::Caller;
use crate::output::{Ended, Output, failure};
use crate::prose;

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
    let companion = caller.companion().await?;
    let pid = companion.pid().await?;
    let dashboard = companion.ask(ShowStatus::default()).await?.dashboard;
    caller.output.answer(&answer(pid, dashboard.as_deref()), |_| {
        format!("The companion is up (process {pid}).\n{}", prose::dashboard(dashboard.as_deref()))
    })
}

/// Is the companion. Answers once it can be asked.
async fn stay(caller: &Caller) -> Ended {
    let (ready, is_ready) = oneshot::channel();
    let page: OpenPage =
        Box::new(|companion, port, home| async move { web::open(companion, port, &home).await }.boxed());
    let options = Options { foreground: true, page: Some(page), ready: Some(ready), ..Options::default() };
    let announced = tokio::spawn(announce(is_ready, caller.output));
    let ended = process::run(caller.home.clone(), options).await;
    announced.abort();
    ended.map_err(|error| failure(Code::CompanionUnreachable, "companion_not_started", &error))?;
    Ok(ExitCode::SUCCESS)
}

/// In prose the log says it already.
async fn announce(is_ready: oneshot::Receiver<Option<String>>, output: Output) {
    let Ok(dashboard) = is_ready.await else { return };
    if output.json() {
        // Whoever started it may have left; it goes on all the same.
        let _ = output.object(&answer(std::process::id(), dashboard.as_deref()));
    }
}

fn answer(pid: u32, dashboard: Option<&str>) -> Value {
    json!({ "pid": pid, "dashboard": dashboard })
}
