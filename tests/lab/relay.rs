//! A relay on a public host, run as anybody runs one.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;

use crate::person::Person;

/// 443 is what every network lets out.
const LISTEN: [&str; 6] = [
    "/ip4/0.0.0.0/udp/4011/quic-v1",
    "/ip4/0.0.0.0/tcp/4011",
    "/ip4/0.0.0.0/tcp/443/ws",
    "/ip6/::/udp/4011/quic-v1",
    "/ip6/::/tcp/4011",
    "/ip6/::/tcp/443/ws",
];
const STARTS: Duration = Duration::from_secs(30);

pub struct Relay {
    pub host: Person,
    pub peer: String,
    /// As it printed them, without those that only its own host can dial.
    pub addresses: Vec<String>,
    /// Behind its addresses, for who names it.
    token: Option<String>,
    also: &'static [&'static str],
    process: Option<Child>,
}

impl Relay {
    /// `also` are addresses to listen on besides the usual.
    pub async fn start(host: Person, also: &'static [&'static str]) -> Self {
        let mut relay = Self { host, peer: String::new(), addresses: Vec::new(), token: None, also, process: None };
        relay.revive().await;
        relay
    }

    /// Starts it, or starts it again with what it stored.
    pub async fn revive(&mut self) {
        let data = self.host.home.join("relay");
        std::fs::create_dir_all(&self.host.home).expect("a folder");
        let mut command = self.host.command(&["relay-node", "--json", "--data"]);
        command.arg(&data).args(LISTEN.iter().chain(self.also).flat_map(|address| ["--listen", address]));
        let log = std::fs::File::create(self.host.home.join("relay.log")).expect("a log");
        command.stdout(Stdio::piped()).stderr(log);
        let mut process = self.host.start(command);
        let mut lines = BufReader::new(process.stdout.take().expect("piped")).lines();
        let line = tokio::time::timeout(STARTS, lines.next_line()).await;
        let line = line.ok().and_then(Result::ok).flatten();
        let told: Value = line.and_then(|line| serde_json::from_str(&line).ok()).unwrap_or_default();
        let listening = told["listening"].as_array().unwrap_or_else(|| panic!("the relay listens: {}", self.log()));
        self.addresses =
            listening.iter().filter_map(Value::as_str).filter(|at| is_public(at)).map(str::to_owned).collect();
        self.peer = told["peer_id"].as_str().expect("a peer id").to_owned();
        self.process = Some(process);
    }

    /// Whoever names it from now on has more than a stranger.
    pub async fn hand_out_a_token(&mut self) {
        let data = self.host.home.join("relay");
        let made = self.host.ask(&["relay-node", "token", "new", "--data", data.to_str().expect("a path")]).await;
        self.token = made["token"].as_str().map(str::to_owned);
    }

    pub async fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().await.expect("its end is seen");
        }
    }

    pub fn runs(&self) -> bool {
        self.process.is_some()
    }

    /// What a founder names; the address of IPv6 only where somebody needs it, since a room names few.
    pub fn named(&self, with_v6: bool) -> Vec<String> {
        let token = self.token.as_ref().map(|token| format!("#{token}")).unwrap_or_default();
        let is_named = |address: &&String| {
            address.starts_with("/ip4/") || (with_v6 && address.starts_with("/ip6/") && address.contains("/quic-v1"))
        };
        self.addresses.iter().filter(is_named).map(|address| format!("{address}{token}")).collect()
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.host.home.join("relay.log")).unwrap_or_default()
    }
}

fn is_public(address: &str) -> bool {
    !["/ip4/127.", "/ip6/::1/", "/ip6/fe80:", "/ip6/fd"].iter().any(|private| address.starts_with(private))
}
