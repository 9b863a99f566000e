//! A relay in a folder of its own.

use std::path::PathBuf;

use relay_node::{Options, Relay};
use tempfile::TempDir;

pub struct World {
    pub folder: TempDir,
    pub relay: Relay,
}

impl World {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// A relay whose owner has wishes.
    pub async fn with(wishes: impl FnOnce(&mut Options)) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut options = options(&folder);
        wishes(&mut options);
        let relay = Relay::spawn(options).await.expect("a relay");
        Self { folder, relay }
    }

    /// Stops it and starts it again, with what it has kept.
    pub async fn restart(self) -> Self {
        let Self { folder, relay } = self;
        relay.stop().await;
        loop {
            // Streams that end hold on to the letters for a moment.
            match Relay::spawn(options(&folder)).await {
                Ok(relay) => return Self { folder, relay },
                Err(error) => assert!(error.to_string().contains("Locked"), "{error}"),
            }
            tokio::task::yield_now().await;
        }
    }

    /// Where it keeps its things.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Its address over QUIC or TCP.
    pub fn address(&self, part: &str) -> String {
        let listening = self.relay.listening();
        listening.iter().find(|address| address.contains(part)).expect("it listens so").clone()
    }
}

pub fn options(folder: &TempDir) -> Options {
    let listen = ["/ip4/127.0.0.1/udp/0/quic-v1", "/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/tcp/0/ws"];
    Options { listen: listen.map(str::to_owned).to_vec(), ..Options::new(folder.path().join("data")) }
}
