//! The control socket: who may knock on it, and many requests at a time on each connection.

mod connection;
mod listener;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use pairwave_api::{Failure, Hello, Notice, Request};
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub use listener::{BindError, Listener};

/// Connections at a time; far more than one person's agents open.
const CONNECTIONS: usize = 512;

/// What answers on the control socket.
pub trait Service: Send + Sync + 'static {
    /// What is known of one connection.
    type Caller: Send + Sync + 'static;

    /// Somebody of our own user connected; `pid` is the process that did.
    fn greet(&self, hello: Hello, pid: Option<u32>) -> BoxFuture<'_, Result<Self::Caller, Failure>>;

    /// Answers one request. Dropped when nobody waits for the answer any more.
    fn call<'a>(&'a self, caller: &'a Self::Caller, request: Request) -> BoxFuture<'a, Result<Reply, Failure>>;

    /// Everything that happens from now on.
    fn notices(&self, caller: &Self::Caller) -> BoxStream<'static, Notice>;

    /// The connection ended.
    fn farewell(&self, caller: Self::Caller) -> BoxFuture<'_, ()>;
}

/// An answer, and what is to be done once it was written.
pub struct Reply {
    pub value: Value,
    /// Runs before the next request of this connection is looked at; dropped if the answer could
    /// not be written.
    pub written: Option<BoxFuture<'static, ()>>,
}

impl From<Value> for Reply {
    fn from(value: Value) -> Self {
        Self { value, written: None }
    }
}

/// Serves until `stop` is ready, then tells everybody who still waits that the companion ends.
pub async fn serve<S: Service>(listener: Listener, service: Arc<S>, stop: impl Future<Output = ()>) {
    let (stopping, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < CONNECTIONS => match accepted {
                Ok((stream, pid)) => drop(connections.spawn(connection::run(stream, pid, service.clone(), stopped.clone()))),
                Err(error) => {
                    tracing::warn!(%error, "a connection to the control socket failed");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
        }
    }
    drop(listener);
    stopping.send_replace(true);
    let _ =
        tokio::time::timeout(Duration::from_secs(1), async { while connections.join_next().await.is_some() {} }).await;
}
