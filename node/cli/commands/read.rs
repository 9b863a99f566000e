use std::collections::{HashSet, VecDeque};
use std::process::ExitCode;

use futures::StreamExt;
use pairwave_api::{Code, Companion, CompanionExt, Entry, Failure, Notice, Read};

use crate::args::RoomArg;
use crate::caller::Caller;
use crate::output::{Ended, Output, Stop};
use crate::prose::{page, transcript::Teller};

/// Read what was said, in the room's order
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pairwave read --limit 100
  pairwave read --follow
  pairwave read --kind decision --json")]
pub struct Args {
    /// How many events, the newest ones
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=500))]
    limit: u32,
    /// Go on as more is said, until Ctrl-C
    #[arg(short, long, conflicts_with_all = ["after", "before", "kind", "from", "query", "event"])]
    follow: bool,
    /// Only what comes after this event
    #[arg(long, value_name = "EVENT")]
    after: Option<String>,
    /// Only what comes before this event
    #[arg(long, value_name = "EVENT")]
    before: Option<String>,
    /// Only this kind: question, decision, …
    #[arg(long)]
    kind: Option<String>,
    /// Only what this member or session said
    #[arg(long, value_name = "WHO")]
    from: Option<String>,
    /// Only what contains these words
    #[arg(long, value_name = "WORDS")]
    query: Option<String>,
    /// This event alone
    #[arg(long)]
    event: Option<String>,
    #[command(flatten)]
    room: RoomArg,
}

pub async fn run(args: Args, caller: &Caller) -> Ended {
    let mut reader = Reader::new(caller.output);
    let question = Read {
        room: args.room.room,
        limit: Some(args.limit),
        after: args.after,
        before: args.before,
        kind: args.kind,
        from: args.from,
        query: args.query,
        event: args.event,
    };
    if args.follow {
        return reader.follow(question, caller).await;
    }
    let page = caller.ask(question).await?;
    if page.events.is_empty() {
        caller.output.remark("Nothing of that kind was said.");
    }
    page.events.iter().try_for_each(|entry| reader.tell(entry))?;
    Ok(ExitCode::SUCCESS)
}

struct Reader {
    output: Output,
    teller: Teller,
    /// The newest events that were told. The page and the stream overlap, and a late event may
    /// stand anywhere in the order, so only its id says whether it is new.
    told: HashSet<String>,
    order: VecDeque<String>,
}

/// Events whose ids are remembered; more than a page can hold.
const REMEMBERED: usize = 4096;

impl Reader {
    fn new(output: Output) -> Self {
        Self { output, teller: Teller::new(page::width()), told: HashSet::new(), order: VecDeque::new() }
    }

    async fn follow(&mut self, question: Read, caller: &Caller) -> Ended {
        let companion = caller.companion().await?;
        // Listen first, so that nothing falls between the page and the stream.
        let mut notices = companion.notices().await?;
        let page = companion.ask(question).await?;
        let room = page.events.last().map(|entry| entry.room.clone());
        page.events.iter().try_for_each(|entry| self.tell_once(entry))?;
        while let Some(notice) = notices.next().await {
            match notice {
                Notice::Event { entry, .. } if room.as_ref().is_none_or(|room| *room == entry.room) => {
                    self.tell_once(&entry)?;
                }
                _ => {}
            }
        }
        let next = "Run the command again; it starts the companion and shows what came meanwhile.";
        Err(Failure::new(Code::CompanionUnreachable, "companion_ended", "The companion has stopped.", next).into())
    }

    fn tell_once(&mut self, entry: &Entry) -> Result<(), Stop> {
        if !self.told.insert(entry.event.clone()) {
            return Ok(());
        }
        self.order.push_back(entry.event.clone());
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.told.remove(&oldest);
        }
        self.tell(entry)
    }

    fn tell(&mut self, entry: &Entry) -> Result<(), Stop> {
        match self.output.json() {
            true => self.output.object(entry),
            false => self.output.prose(&self.teller.tell(entry)),
        }
    }
}
