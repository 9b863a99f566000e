use std::collections::{HashSet, VecDeque};
use std::process::ExitCode;

use futures::StreamExt;
use pairwave_api::{Code, Companion, CompanionExt, Entry, Failure, Notice, Read};

use crate::args::RoomArg;
use crate::caller::Caller;
use crate::lookup;
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
        return reader.follow(question, &caller.companion().await?).await;
    }
    let page = match caller.ask(question).await {
        Ok(page) => page,
        Err(stop) => return lookup::ended(stop, caller.output),
    };
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
    /// The latest arrival that was told.
    latest: u64,
}

/// Events whose ids are remembered; more than the companion keeps for one who listens slowly.
const REMEMBERED: usize = 16_384;

/// Events of a page that is read to catch up.
const PAGE: u32 = 500;

impl Reader {
    fn new(output: Output) -> Self {
        Self { output, teller: Teller::new(page::width()), told: HashSet::new(), order: VecDeque::new(), latest: 0 }
    }

    async fn follow(&mut self, question: Read, companion: &dyn Companion) -> Ended {
        // Listen first, so that nothing falls between the page and the stream.
        let mut notices = companion.notices().await?;
        let page = companion.ask(question.clone()).await?;
        let room = page.events.last().map(|entry| entry.room.clone());
        page.events.iter().try_for_each(|entry| self.tell_once(entry))?;
        while let Some(notice) = notices.next().await {
            match notice {
                Notice::Event { entry, .. } if room.as_ref().is_none_or(|room| *room == entry.room) => {
                    self.tell_once(&entry)?;
                }
                Notice::Missed {} => self.catch_up(&question, companion).await?,
                _ => {}
            }
        }
        let next = "Run the command again; it starts the companion and shows what came meanwhile.";
        Err(Failure::new(Code::CompanionUnreachable, "companion_ended", "The companion has stopped.", next).into())
    }

    /// Tells what arrived while notices were lost: reads back until a page brings nothing new.
    async fn catch_up(&mut self, question: &Read, companion: &dyn Companion) -> Result<(), Stop> {
        let (mut missed, mut before) = (VecDeque::new(), None);
        loop {
            let page = companion.ask(Read { limit: Some(PAGE), before, ..question.clone() }).await?;
            let mut new: VecDeque<Entry> =
                page.events.into_iter().filter(|entry| entry.arrival > self.latest).collect();
            let (more, brought) = (page.next, !new.is_empty());
            new.append(&mut missed);
            missed = new;
            before = more;
            if before.is_none() || !brought {
                break;
            }
        }
        missed.iter().try_for_each(|entry| self.tell_once(entry))
    }

    fn tell_once(&mut self, entry: &Entry) -> Result<(), Stop> {
        if !self.told.insert(entry.event.clone()) {
            return Ok(());
        }
        self.latest = self.latest.max(entry.arrival);
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

#[cfg(test)]
mod tests {
    use futures::future::BoxFuture;
    use pairwave_api::{Notices, Request, Transcript};

    use super::*;

    /// A room of so many events, of which the last ones were missed.
    struct Lagging(u64);

    fn entry(arrival: u64) -> Entry {
        Entry { event: format!("e{arrival}"), room: "r".into(), arrival, kind: "chat".into(), ..Entry::default() }
    }

    impl Companion for Lagging {
        fn call(&self, request: Request) -> BoxFuture<'_, Result<serde_json::Value, Failure>> {
            let Request::Read(read) = request else { panic!("{request:?}") };
            let all = self.0;
            // The first page is of before anything was missed.
            let end = match (&read.before, read.limit) {
                (Some(before), _) => before[1..].parse::<u64>().expect("a number") - 1,
                (None, Some(PAGE)) => all,
                (None, _) => 40,
            };
            let begin = end.saturating_sub(u64::from(read.limit.expect("a limit"))) + 1;
            let next = (begin > 1).then(|| format!("e{begin}"));
            let page = Transcript { events: (begin..=end).map(entry).collect(), next };
            Box::pin(async { Ok(serde_json::to_value(page).expect("it is written")) })
        }

        fn notices(&self) -> BoxFuture<'_, Result<Notices, Failure>> {
            let event = |arrival| Notice::Event {
                room: "r".into(),
                event: format!("e{arrival}"),
                arrival,
                entry: Box::new(entry(arrival)),
            };
            let heard = [event(41), Notice::Missed {}, event(self.0)];
            Box::pin(async { Ok(Box::pin(futures::stream::iter(heard)) as Notices) })
        }
    }

    #[tokio::test]
    async fn what_was_missed_is_told_once_and_in_order() {
        let mut reader = Reader::new(Output::new(true));
        let question = Read { limit: Some(30), ..Read::default() };
        let ended = reader.follow(question, &Lagging(1500)).await.expect_err("the companion ends");
        assert!(matches!(ended, Stop::Failed(failure) if failure.rule == "companion_ended"));
        let told: Vec<String> = (11..=1500).map(|arrival| format!("e{arrival}")).collect();
        assert_eq!(Vec::from(reader.order), told);
    }
}
