//! Waiting for what is to be seen, with the time it took. Nothing here fails: a cell says what it saw.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};

use crate::person::Person;

const PAUSE: Duration = Duration::from_millis(50);

/// Looks until it sees something or the time is up.
pub async fn within<T>(limit: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + limit;
    loop {
        if let Some(seen) = look().await {
            return Some(seen);
        }
        if Instant::now() > end {
            return None;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// How somebody sees the other one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    pub online: bool,
    /// `lan`, `direct`, `relayed` or `none`.
    pub path: String,
    pub address: String,
}

impl View {
    pub fn is_direct(&self) -> bool {
        self.online && (self.path == "direct" || self.path == "lan")
    }

    /// What the path is made of.
    pub fn transport(&self) -> &'static str {
        let has = |part: &str| self.address.contains(part);
        match self.path.as_str() {
            "relayed" => "circuit",
            "none" => "",
            _ if has("/quic-v1") => "QUIC",
            _ if has("/ws") || has("/wss") => "WebSocket",
            _ => "TCP",
        }
    }
}

/// `None` while the other one is no member, or the companion does not answer.
pub async fn sees(person: &Person, other: &Person) -> Option<View> {
    let ran = person.run(&["status"]).await;
    if ran.code != 0 {
        return None;
    }
    let status = ran.object();
    let members = status["rooms"][0]["members"].as_array()?;
    let member = members.iter().find(|member| member["name"] == other.name.as_str())?;
    let text = |key: &str| member[key].as_str().unwrap_or_default().to_owned();
    Some(View { online: member["online"] == true, path: text("path"), address: text("address") })
}

/// How each sees the other, once both do.
pub async fn both_see(alice: &Person, bob: &Person) -> Option<(View, View)> {
    let (hers, his) = tokio::join!(sees(alice, bob), sees(bob, alice));
    hers.zip(his)
}

/// What somebody's room says from now on, as it comes.
pub struct Follow {
    lines: Lines<BufReader<ChildStdout>>,
    _reader: Child,
}

impl Follow {
    pub fn start(person: &Person) -> Self {
        let mut command = person.command(&["read", "--follow", "--json"]);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut reader = person.start(command);
        let lines = BufReader::new(reader.stdout.take().expect("piped")).lines();
        Self { lines, _reader: reader }
    }

    /// Waits for a text; says whether it came in time.
    pub async fn hears(&mut self, text: &str, limit: Duration) -> bool {
        let heard = async {
            while let Some(heard) = self.text().await {
                if heard == text {
                    return true;
                }
            }
            false
        };
        tokio::time::timeout(limit, heard).await.unwrap_or(false)
    }

    /// What is said next, once the reader is there; nothing when it ends.
    pub async fn text(&mut self) -> Option<String> {
        while let Ok(Some(line)) = self.lines.next_line().await {
            let entry = serde_json::from_str::<Value>(&line).unwrap_or_default();
            if let Some(text) = entry["text"].as_str() {
                return Some(text.to_owned());
            }
        }
        None
    }
}
