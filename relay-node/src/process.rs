//! A relay as a process in the foreground: from its start until somebody tells it to stop.

use std::io::{self, IsTerminal};

use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::{Options, Relay, RelayError};

/// The libraries below report much that no owner of a relay would tell a friend.
const DEFAULT: &str =
    "info,libp2p=warn,libp2p_autonat=error,libp2p_relay=error,quinn=warn,fjall=warn,lsm_tree=warn,rustls=warn";

/// The systemd unit that keeps a relay running.
pub const UNIT: &str = include_str!("../deploy/pairwave-relay.service");

/// Runs a relay until Ctrl-C or SIGTERM. `ready` is called once it listens. A second signal ends it
/// at once.
pub async fn run<E>(options: Options, ready: impl FnOnce(&Relay) -> Result<(), E>) -> Result<(), Stopped<E>> {
    log_to_stderr();
    let mut signals = Signals::new().map_err(|error| RelayError::Setup(error.to_string()))?;
    let relay = Relay::spawn(options).await?;
    ready(&relay).map_err(Stopped::NotReady)?;
    signals.next().await;
    tracing::info!("the relay stops; once more ends it at once");
    tokio::select! {
        () = relay.stop() => {}
        () = signals.next() => {}
    }
    Ok(())
}

/// Why a relay does not run.
#[derive(Debug)]
pub enum Stopped<E> {
    Failed(RelayError),
    /// What `ready` said.
    NotReady(E),
}

impl<E> From<RelayError> for Stopped<E> {
    fn from(error: RelayError) -> Self {
        Self::Failed(error)
    }
}

struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// A process that logs already goes on as it does.
fn log_to_stderr() {
    let wished = std::env::var("PAIRWAVE_LOG").ok().filter(|wished| !wished.trim().is_empty());
    let filter = EnvFilter::builder().parse_lossy(wished.as_deref().unwrap_or(DEFAULT));
    let has_colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|wish| wish.is_empty());
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_target(false).with_ansi(has_colours);
    let _ = log.with_writer(io::stderr).try_init();
}
