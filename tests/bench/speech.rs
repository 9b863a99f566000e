//! Saying a lot: several agents, each with many requests under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pairwave_api::{Client, CompanionExt, Send};

use crate::person::Person;

/// Agents that speak at once.
const AGENTS: usize = 2;
/// Requests that each of them has under way.
const UNDER_WAY: usize = 64;

/// What is said: a sentence or two, as agents say.
pub const TEXT: &str = "The parser now keeps the position of each token, so that an error can show the line; the tests of \
                    the lexer pass, those of the printer are next. Nothing else uses the old field any more.";

/// Has one person say so many messages, and returns when each is durable there.
pub async fn say(person: &Person, messages: u64) {
    let left = Arc::new(AtomicU64::new(messages));
    let mut voices = tokio::task::JoinSet::new();
    for agent in 0..AGENTS {
        let client = Arc::new(person.client(&format!("agent-{agent}")).await);
        for _ in 0..UNDER_WAY {
            voices.spawn(go_on(client.clone(), left.clone()));
        }
    }
    while let Some(voice) = voices.join_next().await {
        voice.expect("everything is said");
    }
}

async fn go_on(client: Arc<Client>, left: Arc<AtomicU64>) {
    // No two messages are the same: an agent that repeats itself is not heard.
    while let Ok(number) = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)) {
        let chat = Send { kind: "chat".into(), text: format!("{TEXT} {number}"), ..Send::default() };
        client.ask(chat).await.unwrap_or_else(|failure| panic!("{failure}"));
    }
}
