//! A relay in a folder of its own.

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
