use pairwave_api::{Report, ReportView};

use crate::args::RoomArg;
use crate::caller::Caller;
use crate::output::Ended;
use crate::prose::plain;

/// Who took part, what was decided and asked for, day by day
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pairwave report
  pairwave report --since 7d > report.md")]
pub struct Args {
    /// Only from then on: a day (2026-11-20), a moment (2026-11-20T10:00:00Z) or how long ago (36h, 7d)
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    #[command(flatten)]
    room: RoomArg,
}

pub async fn run(args: Args, caller: &Caller) -> Ended {
    let report = caller.ask(Report { room: args.room.room, since: args.since }).await?;
    caller.output.answer(&report, |ReportView { markdown }| plain::text(markdown))
}
