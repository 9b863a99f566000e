use std::fs::File;
use std::io;
use std::time::Duration;

use pairwave_api::{Client, Code, CompanionExt, Down, Failure, NOT_RUNNING, home::Home};
use serde_json::json;

use crate::caller::Caller;
use crate::output::{Ended, Stop};

/// Stop the companion
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  pairwave down")]
pub struct Args {}

/// How long a companion may take to put everything away.
const PATIENCE: Duration = Duration::from_secs(30);

pub async fn run(_: Args, caller: &Caller) -> Ended {
    let companion = match Client::connect(&caller.home, caller.hello()).await {
        Ok(companion) => companion,
        Err(failure) if failure.rule == NOT_RUNNING && is_free(&caller.home) => {
            return answer(None, caller);
        }
        Err(failure) => return Err(failure.into()),
    };
    let pid = companion.pid().await?;
    companion.ask(Down {}).await?;
    drop(companion);
    caller.patiently("Stopping …", gone(&caller.home, pid)).await?;
    answer(Some(pid), caller)
}

fn answer(pid: Option<u32>, caller: &Caller) -> Ended {
    caller.output.answer(&json!({ "pid": pid, "dashboard": null }), |_| match pid {
        Some(_) => "The companion has stopped. Any command starts it again.".into(),
        None => "No companion was running.".into(),
    })
}

/// Returns once the companion holds its home no more: it keeps the lock until its very end.
async fn gone(home: &Home, pid: u32) -> Result<(), Stop> {
    let path = home.lock();
    let freed = tokio::task::spawn_blocking(move || match File::open(path) {
        Ok(file) => file.lock_shared(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    });
    match tokio::time::timeout(PATIENCE, freed).await {
        Ok(Ok(Ok(()))) => Ok(()),
        Ok(_) => Err(stuck(pid, "its lock could not be read")),
        Err(_) => Err(stuck(pid, "it has not ended in 30 seconds")),
    }
}

fn stuck(pid: u32, why: &str) -> Stop {
    let message = format!("The companion (process {pid}) was asked to stop, but {why}.");
    Failure::new(
        Code::Failed,
        "not_stopped",
        message,
        format!("End it with `kill {pid}`; nothing that was said is lost."),
    )
    .into()
}

fn is_free(home: &Home) -> bool {
    File::open(home.lock()).map_or(true, |file| file.try_lock_shared().is_ok())
}
