//! The client of the control socket.

mod connection;

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::{FutureExt, future::BoxFuture};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::{Code, Companion, Failure, Hello, Home, Notices, Request, VERSION, spawn};
use connection::{Connection, Lost};

pub use connection::NOT_RUNNING;

/// A companion behind its control socket.
///
/// A connection that breaks is made again by the next call; a client that may start the companion
/// starts it again too. Asks that can be repeated without harm are repeated once when the
/// connection breaks under them.
pub struct Client {
    home: Home,
    hello: Hello,
    /// What starts the companion when it is not running; `None` where it must be running.
    program: Option<PathBuf>,
    connection: Mutex<Option<Arc<Connection>>>,
}

impl Client {
    /// To the companion of this home, which must be running.
    pub async fn connect(home: &Home, hello: Hello) -> Result<Self, Failure> {
        let client = Self::new(home, hello, None);
        client.connection().await?;
        Ok(client)
    }

    /// To the companion of this home. Starts this very program as one if none is running, and says
    /// why if that fails.
    pub async fn connect_or_start(home: &Home, hello: Hello) -> Result<Self, Failure> {
        let client = Self::starting(home, hello)?;
        client.connection().await?;
        Ok(client)
    }

    /// As [`Client::connect_or_start`], but connects with the first call only.
    pub fn starting(home: &Home, hello: Hello) -> Result<Self, Failure> {
        let program = std::env::current_exe().map_err(|error| spawn::cannot_start(&error))?;
        Ok(Self::starting_with(&program, home, hello))
    }

    /// As [`Client::starting`], with another program to start.
    pub fn starting_with(program: &Path, home: &Home, hello: Hello) -> Self {
        Self::new(home, hello, Some(program.to_owned()))
    }

    /// The companion's process.
    pub async fn pid(&self) -> Result<u32, Failure> {
        Ok(self.connection().await?.welcome().pid)
    }

    fn new(home: &Home, hello: Hello, program: Option<PathBuf>) -> Self {
        Self { home: home.clone(), hello, program, connection: Mutex::new(None) }
    }

    /// The connection there is, or a new one.
    async fn connection(&self) -> Result<Arc<Connection>, Failure> {
        let mut kept = self.connection.lock().await;
        if let Some(connection) = kept.as_ref().filter(|connection| connection.is_open()) {
            return Ok(connection.clone());
        }
        let connection = Arc::new(self.open().await?);
        *kept = Some(connection.clone());
        Ok(connection)
    }

    async fn open(&self) -> Result<Connection, Failure> {
        let connect = || Connection::open(&self.home, &self.hello).boxed();
        match (connect().await, &self.program) {
            (Err(failure), Some(program)) if failure.rule == NOT_RUNNING => {
                spawn::start(program, &self.home, connect).await
            }
            (result, _) => result,
        }
    }

    async fn ask_once_or_twice(&self, request: Request) -> Result<Value, Failure> {
        match self.ask_once(&request).await? {
            Ok(answer) => answer,
            Err(Lost) if matches!(request, Request::Down(_)) => Ok(Value::Object(Default::default())),
            Err(Lost) if is_repeatable(&request) => self.ask_once(&request).await?.unwrap_or_else(|Lost| Err(lost())),
            Err(Lost) => Err(lost()),
        }
    }

    async fn ask_once(&self, request: &Request) -> Result<Result<Result<Value, Failure>, Lost>, Failure> {
        let connection = self.connection().await?;
        if !matches!(request, Request::Down(_)) {
            same_version(&connection.welcome().version)?;
        }
        Ok(connection.ask(request.clone()).await)
    }
}

impl Companion for Client {
    fn call(&self, request: Request) -> BoxFuture<'_, Result<Value, Failure>> {
        self.ask_once_or_twice(with_key(request)).boxed()
    }

    fn notices(&self) -> BoxFuture<'_, Result<Notices, Failure>> {
        async {
            same_version(&self.connection().await?.welcome().version)?;
            connection::subscribe(&self.home, &self.hello).await
        }
        .boxed()
    }
}

/// Gives what is to be said a name, so that saying it again says it once.
fn with_key(mut request: Request) -> Request {
    if let Request::Send(send) = &mut request {
        send.key.get_or_insert_with(fresh_key);
    }
    request
}

/// 128 bits that nobody else draws: SipHash under keys that the standard library takes from the
/// system's randomness.
fn fresh_key() -> String {
    let half = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", half(), half())
}

/// Does asking twice come to the same as asking once?
fn is_repeatable(request: &Request) -> bool {
    match request {
        Request::Answer(_)
        | Request::Arrivals(_)
        | Request::CheckPaths(_)
        | Request::ClaimPaths(_)
        | Request::Create(_)
        | Request::Days(_)
        | Request::Deliveries(_)
        | Request::Diagnose(_)
        | Request::Findings(_)
        | Request::Handoff(_)
        | Request::Inbox(_)
        | Request::Invites(_)
        | Request::Join(_)
        | Request::ListArtifacts(_)
        | Request::LiveMode(_)
        | Request::MarkRead(_)
        | Request::OpenDashboard(_)
        | Request::Prompted(_)
        | Request::ExportBrain(_)
        | Request::ExportPart(_)
        | Request::Read(_)
        | Request::Recall(_)
        | Request::Relays(_)
        | Request::Rename(_)
        | Request::Report(_)
        | Request::Requests(_)
        | Request::Resume(_)
        | Request::Rooms(_)
        | Request::Send(_)
        | Request::ShowCharter(_)
        | Request::ShowFloor(_)
        | Request::ShowGit(_)
        | Request::ShowLedger(_)
        | Request::ShowRequest(_)
        | Request::ShowArtifact(_)
        | Request::ShowStatus(_)
        | Request::Wait(_)
        | Request::Whoami(_)
        | Request::Writing(_) => true,
        Request::Verify(verify) => verify.heard.is_none(),
        Request::AcceptCharter(_)
        | Request::AddRelay(_)
        | Request::AnnounceCommit(_)
        | Request::Apply(_)
        | Request::ClaimFloor(_)
        | Request::CloseInvite(_)
        | Request::Complete(_)
        | Request::DeclineCharter(_)
        | Request::Down(_)
        | Request::Export(_)
        | Request::ExportArtifact(_)
        | Request::Invite(_)
        | Request::Leave(_)
        | Request::Override(_)
        | Request::ProposeCharter(_)
        | Request::ImportBrain(_)
        | Request::Remember(_)
        | Request::Remove(_)
        | Request::RemoveArtifact(_)
        | Request::ReleasePaths(_)
        | Request::RemoveRelay(_)
        | Request::RequestAction(_)
        | Request::Respond(_)
        | Request::Restore(_)
        | Request::SetUpGit(_)
        | Request::Share(_)
        | Request::YieldFloor(_) => false,
    }
}

fn same_version(theirs: &str) -> Result<(), Failure> {
    if theirs == VERSION {
        return Ok(());
    }
    Err(Failure::new(
        Code::Failed,
        "version_mismatch",
        format!("The companion that runs here is version {theirs}, this program is version {VERSION}"),
        "Run `pairwave down`, then the command again, so that both are of one version.",
    ))
}

fn lost() -> Failure {
    Failure::new(
        Code::CompanionUnreachable,
        "connection_lost",
        "The companion ended while it was answering, so it is not known whether this was done",
        "Look with `pairwave status`, then ask again if it was not.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Rooms, Send};

    #[test]
    fn what_is_said_always_has_a_key() {
        let send = || Send { kind: "chat".into(), text: "hi".into(), ..Send::default() };
        let key = |request: Request| match with_key(request) {
            Request::Send(send) => send.key.unwrap(),
            other => panic!("{other:?}"),
        };
        assert_ne!(key(send().into()), key(send().into()));
        assert_eq!(key(Send { key: Some("k".into()), ..send() }.into()), "k");
        assert_eq!(with_key(Rooms {}.into()), Rooms {}.into());
    }
}
