//! What the companion answers to its faces: each question becomes commands to the core, and what
//! the core knows becomes what a face may see.

mod actions;
mod answering;
mod artifacts;
mod brain;
mod charter;
mod clearing;
mod days;
mod doctor;
mod export;
mod floor;
mod git;
mod handoff;
mod inbox;
mod joining;
mod judging;
mod ledger;
mod live_mode;
mod members;
mod page;
mod passages;
mod reading;
mod recalling;
mod relays;
mod report;
mod resume;
mod rooms;
mod shelves;
mod status;
mod talk;
#[cfg(test)]
mod tests;
mod verification;
mod watch;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, Weak};

use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{BoxStream, StreamExt};
use pairwave_api::{Ask, Code, Dashboard, Done, Failure, Hello, Home, Notice, Request, RoomRef};
use pairwave_core::command::{Command, Outcome, Refusal};
use pairwave_core::event::Origin;
use pairwave_core::id::{MemberId, RoomId};
use pairwave_core::node::Node;
use serde::Serialize;
use tokio::sync::{Notify, broadcast, watch as watch_channel};

use crate::caller::Caller;
use crate::control::{Reply, Service};
use crate::door::{self, Process};
use crate::driver::DriverHandle;
use crate::handoffs::Handoffs;
use crate::live::Live;
use crate::net::NetStatus;
use crate::pace::{Pace, Rates};
use crate::quarantine::Quarantine;
use crate::refusals::{refused, room_closed};
use crate::resolve;
use crate::store::{Bindings, Reader};
use crate::view::{self, Viewer};

pub use page::Near;

/// Asks the network how things stand.
pub type AskNetwork = Box<dyn Fn() -> BoxFuture<'static, NetStatus> + Send + Sync>;

/// What the answers are made of.
pub struct Parts {
    pub home: Home,
    pub me: MemberId,
    /// How we are called where no name is given.
    pub name: String,
    pub driver: DriverHandle,
    pub bindings: Bindings,
    pub network: AskNetwork,
    pub rates: Rates,
}

/// Answers to every face of this companion.
pub struct Answers {
    parts: Parts,
    live: Live,
    /// What the watch saw that a doctor wants to know.
    seen: Arc<Mutex<watch::Seen>>,
    /// Sessions that are being given something, one at a time.
    turns: inbox::Turns,
    /// For what goes on after an answer was given.
    myself: Weak<Self>,
    live_modes: Mutex<live_mode::LiveModes>,
    /// How fast agents spoke of late.
    pace: Mutex<Pace>,
    /// What the guard said of requests.
    judgements: judging::Judgements,
    /// What the secret scan held back.
    held_back: Mutex<clearing::HeldBack>,
    /// Rooms are opened one at a time.
    creating: tokio::sync::Mutex<()>,
    /// What was made searchable, by room.
    shelves: shelves::AllShelves,
    /// What was counted by day, by room.
    diaries: days::Diaries,
    quarantine: Quarantine,
    handoffs: Handoffs,
    /// The quarantine is changed by one at a time.
    quarantining: tokio::sync::Mutex<()>,
    /// The page in the browser, once it is served.
    dashboard: OnceLock<Arc<dyn Dashboard>>,
    /// Grows with what may need somebody.
    changed: watch_channel::Sender<watch::Changes>,
    /// Says that somebody asked the companion to end.
    down: Arc<Notify>,
}

impl Answers {
    /// Starts to answer, and to watch what the core tells.
    pub fn new(parts: Parts) -> Arc<Self> {
        let notices = parts.driver.notices();
        let (changed, _) = watch_channel::channel(watch::Changes::default());
        let (live, seen, down) = (Live::default(), Arc::default(), Arc::default());
        let (turns, pace, held_back) = (inbox::Turns::default(), Mutex::default(), Mutex::default());
        let (creating, quarantining, shelves, diaries, live_modes) = Default::default();
        let handoffs = Handoffs::new(parts.home.clone());
        let (quarantine, dashboard) = (Quarantine::new(parts.home.clone()), OnceLock::new());
        let answers = Arc::new_cyclic(|myself| Self {
            myself: myself.clone(),
            parts,
            live,
            seen,
            turns,
            live_modes,
            pace,
            judgements: judging::Judgements::default(),
            held_back,
            creating,
            shelves,
            diaries,
            quarantine,
            handoffs,
            quarantining,
            dashboard,
            changed,
            down,
        });
        tokio::spawn(watch::watch(Arc::downgrade(&answers), notices));
        tokio::spawn(handoff::mind_idle_rooms(Arc::downgrade(&answers)));
        answers
    }

    /// Ready when a face asked the companion to end, and was told so.
    pub async fn asked_down(&self) {
        self.down.notified().await;
    }

    async fn welcome(&self, hello: Hello, ancestry: Option<Vec<Process>>) -> Result<Caller, Failure> {
        let caller = Caller::admit(hello, ancestry, self.parts.me, &self.live)?;
        if let Some((_, room)) = caller.dir.as_deref().and_then(|dir| self.parts.bindings.bound(dir)) {
            self.attend(&caller, room).await;
        }
        Ok(caller)
    }

    async fn route(&self, by: &Caller, request: Request) -> Result<Reply, Failure> {
        match request {
            Request::AcceptCharter(ask) => answer(&ask, self.accept_charter(by, &ask).await),
            Request::AddRelay(ask) => answer(&ask, self.add_relay(by, &ask).await),
            Request::Answer(ask) => answer(&ask, self.answer_joiner(by, &ask).await),
            Request::AnnounceCommit(ask) => answer(&ask, self.announce_commit(by, &ask).await),
            Request::Apply(ask) => answer(&ask, self.apply(by, &ask).await),
            Request::Arrivals(ask) => answer(&ask, self.arrivals(by, &ask).await),
            Request::CheckPaths(ask) => answer(&ask, self.check_paths(by, ask.clone()).await),
            Request::ClaimFloor(ask) => answer(&ask, self.claim_floor(by, &ask).await),
            Request::ClaimPaths(ask) => answer(&ask, self.claim_paths(by, &ask).await),
            Request::CloseInvite(ask) => answer(&ask, self.close_invite(by, &ask).await),
            Request::Complete(ask) => answer(&ask, self.complete(by, &ask).await),
            Request::Create(ask) => answer(&ask, self.create(by, &ask).await),
            Request::Days(ask) => answer(&ask, self.days(by, &ask).await),
            Request::DeclineCharter(ask) => answer(&ask, self.decline_charter(by, &ask).await),
            Request::Deliveries(ask) => answer(&ask, self.deliveries(by, &ask).await),
            Request::Diagnose(ask) => answer(&ask, self.diagnose(by, &ask).await),
            Request::Down(_) => self.end(),
            Request::Findings(ask) => answer(&ask, self.findings(by, &ask).await),
            Request::Export(ask) => answer(&ask, self.export(by, &ask).await),
            Request::ExportArtifact(ask) => answer(&ask, self.export_artifact(by, &ask).await),
            Request::ExportBrain(ask) => answer(&ask, self.export_brain(by, &ask).await),
            Request::ExportPart(ask) => answer(&ask, self.export_part(by, &ask).await),
            Request::ImportBrain(ask) => answer(&ask, self.import_brain(by, &ask).await),
            Request::Handoff(ask) => answer(&ask, self.handoff(by, &ask).await),
            Request::Inbox(ask) => self.inbox(by, ask).await,
            Request::Invite(ask) => answer(&ask, self.invite(by, &ask).await),
            Request::Invites(ask) => answer(&ask, self.invites(by, &ask).await),
            Request::Join(ask) => answer(&ask, self.join(by, &ask).await),
            Request::Leave(ask) => answer(&ask, self.leave(by, &ask).await),
            Request::ListArtifacts(ask) => answer(&ask, self.list_artifacts(by, &ask).await),
            Request::LiveMode(ask) => answer(&ask, self.live_mode(by, &ask).await),
            Request::MarkRead(ask) => answer(&ask, self.mark_read(by, &ask).await),
            Request::OpenDashboard(ask) => answer(&ask, self.open_dashboard(by)),
            Request::Override(ask) => answer(&ask, self.let_pass(by, &ask).await),
            Request::Prompted(ask) => answer(&ask, self.prompted(by, &ask).await),
            Request::ProposeCharter(ask) => answer(&ask, self.propose_charter(by, &ask).await),
            Request::Read(ask) => answer(&ask, self.read(by, ask.clone()).await),
            Request::Recall(ask) => answer(&ask, self.recall(by, ask.clone()).await),
            Request::Relays(ask) => answer(&ask, self.relays(by, &ask).await),
            Request::ReleasePaths(ask) => answer(&ask, self.release_paths(by, &ask).await),
            Request::Remember(ask) => answer(&ask, self.remember(by, ask.clone()).await),
            Request::Remove(ask) => answer(&ask, self.remove(by, &ask).await),
            Request::RemoveArtifact(ask) => answer(&ask, self.remove_artifact(by, &ask).await),
            Request::RemoveRelay(ask) => answer(&ask, self.remove_relay(by, &ask).await),
            Request::Rename(ask) => answer(&ask, self.rename(by, &ask).await),
            Request::Report(ask) => answer(&ask, self.report(by, &ask).await),
            Request::RequestAction(ask) => answer(&ask, self.request_action(by, ask.clone()).await),
            Request::Requests(ask) => answer(&ask, self.requests(by, &ask).await),
            Request::Respond(ask) => answer(&ask, self.respond(by, &ask).await),
            Request::Restore(ask) => answer(&ask, self.restore(by, ask.clone()).await),
            Request::Resume(ask) => answer(&ask, self.resume(by, &ask).await),
            Request::Rooms(ask) => answer(&ask, self.rooms(by).await),
            Request::Send(ask) => answer(&ask, self.send(by, ask.clone()).await),
            Request::SetUpGit(ask) => answer(&ask, self.set_up_git(by, &ask).await),
            Request::ShowCharter(ask) => answer(&ask, self.show_charter(by, &ask).await),
            Request::ShowFloor(ask) => answer(&ask, self.show_floor(by, &ask).await),
            Request::ShowGit(ask) => answer(&ask, self.show_git(by, &ask).await),
            Request::ShowLedger(ask) => answer(&ask, self.ledger(by, &ask).await),
            Request::ShowRequest(ask) => answer(&ask, self.show_request(by, &ask).await),
            Request::Share(ask) => answer(&ask, self.share(by, ask.clone()).await),
            Request::ShowArtifact(ask) => answer(&ask, self.show_artifact(by, &ask).await),
            Request::ShowStatus(ask) => answer(&ask, self.status(by, &ask).await),
            Request::Verify(ask) => answer(&ask, self.verify(by, &ask).await),
            Request::Wait(ask) => self.wait(by, ask).await,
            Request::Whoami(ask) => answer(&ask, self.whoami(by, &ask).await),
            Request::Writing(ask) => answer(&ask, self.writing(by, &ask).await),
            Request::YieldFloor(ask) => answer(&ask, self.yield_floor(by, &ask).await),
        }
    }

    /// The room that is meant, in which the caller's session counts as present from now on.
    async fn room(&self, by: &Caller, wanted: &RoomRef) -> Result<RoomId, Failure> {
        let bound = by.dir.as_deref().and_then(|dir| self.parts.bindings.bound(dir));
        let wanted = wanted.clone();
        let room = self.parts.driver.query(move |node| resolve::room(node, wanted.as_deref(), bound)).await?;
        self.attend(by, room).await;
        Ok(room)
    }

    /// Tells the core once that a session is in a room.
    async fn attend(&self, by: &Caller, room: RoomId) {
        let Some(id) = by.live else { return };
        if !self.live.attend(id, room) {
            return;
        }
        let Caller { speaker, .. } = by;
        let started = Command::SessionStarted { room, session: speaker.session, origin: speaker.origin };
        if let Err(refusal) = self.parts.driver.command(started).await {
            tracing::debug!(%refusal, "a session cannot attend a room");
            self.live.forget(&room);
        }
    }

    /// Tells the core of every session whose folder has got this room.
    async fn attend_all(&self, room: RoomId) {
        for guest in self.live.guests() {
            let bound = guest.dir.as_deref().and_then(|dir| self.parts.bindings.bound(dir));
            if bound.is_some_and(|(_, bound)| bound == room) {
                self.attend(&guest, room).await;
            }
        }
    }

    /// Ends the companion once the answer was written.
    fn end(&self) -> Result<Reply, Failure> {
        let down = self.down.clone();
        let written = async move { down.notify_one() };
        Ok(Reply { value: json(&Done {})?, written: Some(written.boxed()) })
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        watch::locked(&self.pace)
    }

    fn seen(&self) -> MutexGuard<'_, watch::Seen> {
        watch::locked(&self.seen)
    }

    async fn command(&self, command: Command) -> Result<Outcome, Failure> {
        self.parts.driver.command(command).await.map_err(refused)
    }

    /// Looks at a room whose log is here.
    async fn look<R: Send + 'static>(
        &self,
        room: RoomId,
        look: impl FnOnce(&Viewer<'_, Reader>) -> Result<R, Failure> + Send + 'static,
    ) -> Result<R, Failure> {
        self.parts.driver.query(move |node| look(&viewer(node, &room)?)).await
    }

    /// Looks at the room that is meant, and counts the caller's session as present there, as
    /// [`Answers::room`] does.
    async fn look_in<R: Send + 'static>(
        &self,
        by: &Caller,
        wanted: &RoomRef,
        look: impl FnOnce(&Viewer<'_, Reader>) -> Result<R, Failure> + Send + 'static,
    ) -> Result<(RoomId, R), Failure> {
        let bound = by.dir.as_deref().and_then(|dir| self.parts.bindings.bound(dir));
        let wanted = wanted.clone();
        let look = move |node: &Node<Reader>| {
            let room = resolve::room(node, wanted.as_deref(), bound)?;
            Ok((room, viewer(node, &room).and_then(|viewer| look(&viewer))))
        };
        let (room, seen) = self.parts.driver.query(look).await?;
        self.attend(by, room).await;
        Ok((room, seen?))
    }
}

impl Service for Answers {
    type Caller = Caller;

    fn greet(&self, hello: Hello, pid: Option<u32>) -> BoxFuture<'_, Result<Caller, Failure>> {
        async move { self.welcome(hello, door::ancestry(pid)).await }.boxed()
    }

    fn call<'a>(&'a self, caller: &'a Caller, request: Request) -> BoxFuture<'a, Result<Reply, Failure>> {
        self.route(caller, request).boxed()
    }

    fn notices(&self, _: &Caller) -> BoxStream<'static, Notice> {
        let (driver, notices) = (self.parts.driver.clone(), self.parts.driver.notices());
        futures::stream::unfold((driver, notices), next_notice).boxed()
    }

    fn farewell(&self, caller: Caller) -> BoxFuture<'_, ()> {
        async move {
            let left = caller.live.map(|id| self.live.leave(id)).unwrap_or_default();
            for room in left {
                self.forget_mode(room, caller.speaker.session);
                let ended = Command::SessionEnded { room, session: caller.speaker.session };
                let _ = self.parts.driver.command(ended).await;
            }
        }
        .boxed()
    }
}

type Listening = (DriverHandle, broadcast::Receiver<pairwave_core::notice::Notice>);

/// The next notice that a face can show. Who listens too slowly misses some, and is told so: the rooms
/// themselves say what is so.
async fn next_notice((driver, mut notices): Listening) -> Option<(Notice, Listening)> {
    loop {
        let notice = match notices.recv().await {
            Ok(notice) => notice,
            Err(broadcast::error::RecvError::Lagged(missed)) => {
                tracing::warn!(missed, "a face listens too slowly and missed notices");
                return Some((Notice::Missed {}, (driver, notices)));
            }
            Err(broadcast::error::RecvError::Closed) => return None,
        };
        if let Some(told) = driver.query(move |node| view::notice(node, &notice)).await {
            return Some((told, (driver, notices)));
        }
    }
}

/// Writes an answer down, of the type that belongs to the question.
fn answer<A: Ask>(_: &A, answer: Result<A::Answer, Failure>) -> Result<Reply, Failure> {
    Ok(json(&answer?)?.into())
}

fn json<T: Serialize>(answer: &T) -> Result<serde_json::Value, Failure> {
    serde_json::to_value(answer).map_err(|error| {
        Failure::new(Code::Failed, "answer_unwritable", error, "Please report this as a bug of pairwave.")
    })
}

/// A room whose log is here.
fn viewer<'a>(node: &'a Node<Reader>, room: &RoomId) -> Result<Viewer<'a, Reader>, Failure> {
    match node.room(room) {
        Some(found) => Ok(Viewer::new(node, found)),
        None if node.joins().any(|joining| joining.invite.room == *room) => Err(waiting_to_be_let_in()),
        None => Err(room_closed()),
    }
}

fn waiting_to_be_let_in() -> Failure {
    Failure::new(
        Code::Refused,
        "not_admitted",
        "Nobody has let you into this room yet",
        "Ask the person who invited you to run `pairwave up`; this companion goes on knocking.",
    )
}

/// A text is no id of such a thing.
fn wrong_id(what: &str, see: &str) -> Failure {
    Failure::new(Code::Usage, &format!("no_such_{what}"), format!("There is no such {what}"), format!("See {see}."))
}

/// Agents do not do what cannot be undone.
fn for_humans(by: &Caller) -> Result<(), Failure> {
    match by.speaker.origin {
        Origin::Human => Ok(()),
        Origin::Agent => Err(refused(Refusal::HumansOnly)),
    }
}

/// What a folder must be to have a room.
fn project_folder(dir: &Path) -> Result<(), Failure> {
    if dir.is_absolute() && dir.is_dir() {
        return Ok(());
    }
    let message = format!("{} is no folder", dir.display());
    Err(Failure::new(Code::Usage, "no_folder", message, "Name a folder that exists."))
}

/// A command came to something else than it can.
fn unexpected(outcome: &Outcome) -> Failure {
    tracing::error!(?outcome, "a command came to what it cannot come to");
    Failure::new(Code::Failed, "internal", "The companion does not understand itself", "Please report this as a bug.")
}
