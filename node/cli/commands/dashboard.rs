use pairwave_api::OpenDashboard;

use crate::browser;
use crate::caller::Caller;
use crate::output::Ended;

/// Open the page in the browser: the room as it happens
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pairwave dashboard
  pairwave dashboard --print")]
pub struct Args {
    /// Print its address instead; the code in it lets one browser in, once, within ten minutes
    #[arg(long)]
    print: bool,
}

pub async fn run(args: Args, caller: &Caller) -> Ended {
    let link = caller.ask(OpenDashboard {}).await?;
    let opened = !args.print && !caller.output.json() && browser::open(&caller.home, &link.url);
    caller.output.answer(&link, |link| match (opened, args.print) {
        (true, _) => "The page opens in your browser. If yours may not read the file that leads there: `pairwave dashboard --print`.\n".to_owned(),
        (false, true) => format!("{}\n", link.url),
        (false, false) => format!("No browser could be opened. Open this address, it is good once:\n{}\n", link.url),
    })
}
