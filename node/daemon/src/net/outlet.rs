//! The way out to whoever drives the network.

use tokio::sync::{mpsc, watch};

use crate::net::NetEvent;

/// The network is being shut down, or nobody listens any more.
#[derive(Debug)]
pub struct Stopped;

/// Where events go. Each link and the worker hold one.
#[derive(Debug, Clone)]
pub struct Outlet {
    events: mpsc::Sender<NetEvent>,
    stopping: watch::Receiver<bool>,
}

impl Outlet {
    pub fn new(events: mpsc::Sender<NetEvent>, stopping: watch::Receiver<bool>) -> Self {
        Self { events, stopping }
    }

    /// Waits until there is room, which is what makes a peer wait for us.
    pub async fn emit(&mut self, event: NetEvent) -> Result<(), Stopped> {
        tokio::select! {
            biased;
            _ = self.stopping.wait_for(|stopping| *stopping) => Err(Stopped),
            sent = self.events.send(event) => sent.map_err(|_| Stopped),
        }
    }

    /// Returns when nobody listens any more.
    pub async fn abandoned(&self) {
        self.events.closed().await;
    }
}
