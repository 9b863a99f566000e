//! A relay on this machine's loopback, run as anybody runs one.

use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::person::BINARY;

/// Ends with it.
pub struct Relay {
    /// Where it listens, with its PeerId.
    pub address: String,
    _process: Child,
}

impl Relay {
    pub async fn start(stage: &Path) -> Self {
        let mut command = Command::new(BINARY);
        command.args(["relay-node", "--json", "--listen", "/ip4/127.0.0.1/udp/0/quic-v1", "--data"]);
        command.arg(stage.join("relay")).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.kill_on_drop(true).spawn().expect("the relay starts");
        let mut lines = BufReader::new(process.stdout.take().expect("piped")).lines();
        let line = lines.next_line().await.ok().flatten().expect("it says where it listens");
        let told: Value = serde_json::from_str(&line).expect("an object");
        let address = told["listening"][0].as_str().unwrap_or_else(|| panic!("an address in {line}")).to_owned();
        Self { address, _process: process }
    }
}
