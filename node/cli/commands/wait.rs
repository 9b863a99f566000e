use std::process::ExitCode;
use std::time::Duration;

use jiff::Timestamp;
use pairwave_api::{Code, Companion, CompanionExt, Failure, InboxView, RoomRef, Wait};
use tokio::time::Instant;

use crate::args::{RoomArg, duration};
use crate::caller::Caller;
use crate::output::Ended;
use crate::prose;

/// Wait until something new needs you; exit code 5 if nothing does in time
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pairwave wait
  pairwave wait --timeout 10m --json")]
pub struct Args {
    /// How long at most: 90s, 5m, 1h
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    timeout: Duration,
    #[command(flatten)]
    room: RoomArg,
}

pub async fn run(args: Args, caller: &Caller) -> Ended {
    let companion = caller.companion().await?;
    let waiting = wait(&companion, args.room.room, args.timeout);
    let inbox = caller.patiently("Waiting for something new …", waiting).await?;
    let ended = caller.output.answer(&inbox, |inbox| match inbox.timed_out {
        true => "Nothing new came in that time.".into(),
        false => prose::inbox::told(inbox, Timestamp::now(), prose::page::width()),
    })?;
    Ok(if inbox.timed_out { ExitCode::from(Code::PeerUnreachable.exit()) } else { ended })
}

/// The longest wait that a companion takes at once.
const LONGEST: Duration = Duration::from_secs(600);

/// Waits as long as was asked for, in as many goes as that takes.
async fn wait(companion: &dyn Companion, room: RoomRef, timeout: Duration) -> Result<InboxView, Failure> {
    let began = Instant::now();
    loop {
        let left = timeout.saturating_sub(began.elapsed());
        let timeout_s = left.min(LONGEST).as_secs_f64().round() as u64;
        let inbox = companion.ask(Wait { room: room.clone(), timeout_s, peek: false }).await?;
        if !inbox.timed_out || left <= LONGEST {
            return Ok(inbox);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::future::BoxFuture;
    use pairwave_api::{Notices, Request};

    use super::*;

    /// Somebody says something after so long.
    struct Silent(Instant);

    impl Companion for Silent {
        fn call(&self, request: Request) -> BoxFuture<'_, Result<serde_json::Value, Failure>> {
            let Request::Wait(wait) = request else { panic!("{request:?}") };
            let until = Instant::now() + Duration::from_secs(wait.timeout_s).min(LONGEST);
            Box::pin(async move {
                tokio::time::sleep_until(until.min(self.0)).await;
                let inbox = InboxView { timed_out: until < self.0, ..InboxView::default() };
                Ok(serde_json::to_value(inbox).expect("it is written"))
            })
        }

        fn notices(&self) -> BoxFuture<'_, Result<Notices, Failure>> {
            unreachable!("nobody listens")
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_hour_is_an_hour() {
        let began = Instant::now();
        let hour = Duration::from_secs(3600);
        for (said_after, timed_out) in [(hour / 2, false), (hour * 2, true)] {
            let began = Instant::now();
            let inbox = wait(&Silent(began + said_after), None, hour).await.expect("an answer");
            assert_eq!((inbox.timed_out, began.elapsed()), (timed_out, said_after.min(hour)));
        }
        assert_eq!(began.elapsed(), hour / 2 + hour);
    }
}
