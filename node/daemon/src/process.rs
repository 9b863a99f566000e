//! The companion as a process: takes a home, puts the parts together, and ends cleanly.

use std::sync::Arc;
use std::time::Duration;
use std::{io, thread};

use futures::FutureExt;
use futures::future::BoxFuture;
use pairwave_api::home::Home;
use pairwave_api::{Companion as ForFaces, Dashboard};
use pairwave_core::key::{Identity, StorageKey};
use pairwave_core::node::{Limits, Node};
use pairwave_wire::protocol;
use rustix::fs::Mode;
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinError, JoinHandle};
use tokio::time::timeout;
use tracing::{error, info, warn};

use crate::answers::{Answers, Near, Parts};
use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::control::{self, BindError, Listener};
use crate::driver::{Driver, DriverHandle};
use crate::home::{self, HomeError};
use crate::lock::{Lock, LockError};
use crate::logging::{self, LoggingError};
use crate::net::{self, Net, NetConfig, NetError, TransportKey};
use crate::store::{self, Bindings, Committer, Store, StoreError};

mod ports;
mod signals;
#[cfg(test)]
mod tests;
mod wire;

use ports::Ports;
use signals::Signals;
use wire::Wire;

/// What happened on the network and is not yet taken up; beyond it peers have to wait.
const NET_EVENTS: usize = 256;

/// The node and the network keep one busy each; few more have anything to do.
const THREADS: usize = 2;

/// How long the first answers may wait for addresses.
const LISTENING: Duration = Duration::from_secs(1);

/// Serves the page in the browser: given by the binary, for the companion knows no HTML. It is told
/// the port to try first and the home that remembers who may use the page.
pub type OpenPage =
    Box<dyn FnOnce(Arc<dyn ForFaces>, u16, Home) -> BoxFuture<'static, io::Result<Arc<dyn Dashboard>>> + Send>;

/// How a companion is started.
#[derive(Default)]
pub struct Options {
    /// Logs to stderr too.
    pub foreground: bool,
    /// Settings that win over file and environment, as `(key, value)`.
    pub settings: Vec<(String, String)>,
    /// Serves the page in the browser, if there is one.
    pub page: Option<OpenPage>,
    /// Told once the companion can be asked, with the address of its page.
    pub ready: Option<oneshot::Sender<Option<String>>>,
}

/// Why a companion cannot run, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Home(#[from] HomeError),
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Logging(#[from] LoggingError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the bindings of folders cannot be read: {0}. Restore the home from a copy.")]
    Bindings(pairwave_core::log::LogError),
    #[error(transparent)]
    Net(#[from] NetError),
    #[error(transparent)]
    Control(#[from] BindError),
    #[error("the system does not give what a companion needs: {0}. Check the limits of processes and files.")]
    System(#[from] io::Error),
    #[error("the companion has broken down{}. Please report it with {log}; `pairwave up` starts it again.", because(.why))]
    Broken { why: Option<JoinError>, log: String },
}

/// Runs the companion of a home until a signal or a face asks it to end, on threads of its own.
/// Everything that was acknowledged is on the disk before this returns, whatever it returns.
pub async fn run(home: Home, options: Options) -> Result<(), RunError> {
    let threads = thread::available_parallelism().map_or(THREADS, usize::from).clamp(THREADS, 2 * THREADS);
    let runtime = Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    let log = home.log().display().to_string();
    let ended = runtime.spawn(live(home, options)).await;
    runtime.shutdown_background();
    ended.unwrap_or_else(|why| Err(RunError::Broken { why: Some(why), log }))
}

async fn live(home: Home, options: Options) -> Result<(), RunError> {
    let mut signals = Signals::listen()?;
    // The database makes its files itself; they are nobody else's business either.
    rustix::process::umask(Mode::from_raw_mode(0o077));
    home::prepare(&home)?;
    let lock = Lock::take(&home)?;
    let config = Config::load_here(&home, &options.settings)?;
    logging::start(&home, options.foreground, config.log_size())?;
    let mut companion =
        Companion::start(&home, &config).inspect_err(|error| error!(%error, "the companion cannot start"))?;
    companion.reachable().await;
    let dashboard = match options.page {
        Some(page) => companion.serve_page(page, &home, config.dashboard_port()).await,
        None => None,
    };
    info!(version = env!("CARGO_PKG_VERSION"), home = %home.path().display(), "the companion is up");
    if let Some(ready) = options.ready {
        // Whoever started it need not wait for it.
        let _ = ready.send(dashboard);
    }
    let ended = companion.serve_until(&mut signals, &home).await;
    drop(lock);
    ended
}

/// All parts of a running companion.
struct Companion {
    answers: Arc<Answers>,
    listener: Listener,
    driver: DriverHandle,
    driving: JoinHandle<()>,
    net: Arc<Net>,
    listening: oneshot::Receiver<()>,
}

impl Companion {
    fn start(home: &Home, config: &Config) -> Result<Self, RunError> {
        let identity = Identity::from_secret(&*home::key(&home.identity_key())?);
        let me = identity.member();
        let store = open_store(home, config)?;
        let (tell, told) = mpsc::unbounded_channel();
        let committer = Committer::start(&store, me, tell)?;
        let bindings = Bindings::load(&store, committer.clone()).map_err(RunError::Bindings)?;
        let (net, network, listening) = start_network(home, config)?;
        let clock = Arc::new(Clock::start());
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(io::Error::other)?;
        let limits = Limits { blobs_per_room: config.blobs_per_room(), ..Limits::default() };
        let node = Node::new(identity, net.transport_id(), limits, seed, store.reader(), clock.now());
        let (driver, run) = Driver { node, store, committer, told, network, clock }.start();
        let listener = Listener::bind(home)?;
        let asked = net.clone();
        let network = Box::new(move || {
            let net = asked.clone();
            async move { net.status().await }.boxed()
        });
        let parts = Parts {
            home: home.clone(),
            me,
            name: config.name(),
            driver: driver.clone(),
            bindings,
            network,
            rates: config.rates(),
        };
        Ok(Self { answers: Answers::new(parts), listener, driver, driving: tokio::spawn(run), net, listening })
    }

    /// Waits until the node knows its addresses: the first thing that is asked may be an invite,
    /// which carries them.
    async fn reachable(&mut self) {
        if timeout(LISTENING, &mut self.listening).await.is_err() {
            warn!("no address to listen on so far; invites carry none until there is one");
        }
    }

    /// Whoever cannot have the page has everything else.
    async fn serve_page(&self, open: OpenPage, home: &Home, port: u16) -> Option<String> {
        if port == 0 {
            return None;
        }
        let opened = match Near::new(&self.answers) {
            Ok(near) => open(Arc::new(near), port, home.clone()).await,
            Err(failure) => Err(io::Error::other(failure)),
        };
        match opened {
            Ok(dashboard) => {
                let address = dashboard.address();
                info!(address, "the page is served");
                self.answers.serve_dashboard(dashboard);
                Some(address)
            }
            Err(error) => {
                warn!(%error, "the page cannot be served");
                None
            }
        }
    }

    async fn serve_until(mut self, signals: &mut Signals, home: &Home) -> Result<(), RunError> {
        let mut ended = Ok(());
        let stop = async {
            tokio::select! {
                signal = signals.next() => info!(signal, "the companion ends"),
                () = self.answers.asked_down() => info!("the companion was asked to end"),
                result = &mut self.driving => {
                    ended = Err(RunError::Broken { why: result.err(), log: home.log().display().to_string() });
                }
            }
        };
        control::serve(self.listener, self.answers.clone(), stop).await;
        ended?;
        let finish = async {
            self.answers.hand_off_all().await;
            self.driver.stop().await;
            let result = (&mut self.driving).await;
            self.net.shutdown().await;
            result.map_err(|why| RunError::Broken { why: Some(why), log: home.log().display().to_string() })
        };
        tokio::select! {
            result = finish => result,
            // Somebody is in a hurry: what was acknowledged is safe without any farewell.
            _ = signals.next() => Ok(()),
        }
    }
}

fn open_store(home: &Home, config: &Config) -> Result<Store, RunError> {
    let key = StorageKey::new(*home::key(&home.storage_key())?);
    let options = store::Options { cache: config.store_cache(), markers: home.rooms() };
    Ok(Store::open(&home.store(), key, options)?)
}

fn start_network(home: &Home, config: &Config) -> Result<(Arc<Net>, Wire, oneshot::Receiver<()>), RunError> {
    let key = TransportKey::from(home::key(&home.transport_key())?);
    let ports = Ports::load(home.ports());
    let net_config = NetConfig {
        listen: ports.fill(config.listen()),
        mdns: config.mdns(),
        interfaces: config.interfaces(),
        probing: config.autonat(),
        mapping: config.upnp(),
        leasing: config.pcp(),
        announce: config.announce(),
        certificates: config.certificates(),
        proxy: config.proxy(|name| std::env::var(name).ok()),
        ..NetConfig::default()
    };
    let (tell, events) = mpsc::channel(NET_EVENTS);
    let net = Arc::new(net::spawn(key, net_config, tell)?);
    info!(agent = protocol::agent_version(), "the network is up");
    let (wire, listening) = Wire::new(net.clone(), events, ports);
    Ok((net, wire, listening))
}

fn because(why: &Option<JoinError>) -> String {
    why.as_ref().map_or_else(String::new, |why| format!(": {why}"))
}
