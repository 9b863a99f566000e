//! Two people with real companions, but for the network.

mod clearing;
mod closed;
mod comparing;
mod meeting;
mod memory;
mod passing_on;
mod reaching;
mod reading;
mod recalling;
mod sharing;
mod talking;
mod world;

use std::collections::BTreeMap;

use pairwave_api::*;
use tokio::time::Duration;

use self::world::{Person, Table, two, two_who_agreed};
use super::*;

fn say(text: &str) -> Send {
    Send { kind: "chat".into(), text: text.into(), ..Send::default() }
}

fn ask(text: &str) -> Send {
    Send { kind: "question".into(), ..say(text) }
}

fn wait() -> Wait {
    Wait { timeout_s: 600, ..Wait::default() }
}

fn texts(inbox: &InboxView) -> Vec<&str> {
    inbox.items.iter().filter_map(|item| item.entry.as_ref()).map(|entry| &entry.text[..]).collect()
}

async fn refused<A: Ask>(person: &Person, ask: A) -> Failure
where
    A::Answer: std::fmt::Debug,
{
    person.ask(ask).await.unwrap_err()
}
