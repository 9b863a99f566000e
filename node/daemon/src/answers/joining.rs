//! Joining a room by an invite.

use std::path::Path;
use std::time::Duration;

use pairwave_api::{Code, Failure, Join, JoinState, Joined};
use pairwave_core::command::{Command, Outcome};
use pairwave_core::id::RoomId;
use pairwave_core::invite::Invite;
use pairwave_core::node::Node;
use pairwave_core::notice::Notice;
use pairwave_core::seat::Standing;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::timeout;

use super::{Answers, project_folder, unexpected};
use crate::caller::Caller;
use crate::refusals::{join_refused, no_invite, room_closed, unwritable};
use crate::store::Reader;
use crate::view;

/// Longest time that somebody may wait for an admission.
const WAIT_MAX: Duration = Duration::from_secs(600);

impl Answers {
    /// Knocks, and waits a while to be let in. The companion goes on by itself.
    pub(super) async fn join(&self, by: &Caller, ask: &Join) -> Result<Joined, Failure> {
        let invite: Invite = ask.invite.parse().map_err(|error| no_invite(&error))?;
        project_folder(&ask.dir)?;
        let room = invite.room;
        if self.standing(room).await == Some(Standing::Member) {
            return self.joined_already(by, &invite, &ask.dir).await;
        }
        self.folder_is_free(&ask.dir, room).await?;
        let name = ask.name.clone().unwrap_or_else(|| self.parts.name.clone());
        self.scan(by, None, &[("name", &name)]).await?;
        let notices = self.parts.driver.notices();
        match self.command(Command::Join { invite, name }).await? {
            Outcome::Joining { .. } => {}
            other => return Err(unexpected(&other)),
        }
        let bound_anew = self.bound_exactly(&ask.dir) != Some(room);
        self.bind(&ask.dir, room).await?;
        let wait = Duration::from_secs(ask.wait_s).min(WAIT_MAX);
        match timeout(wait, self.admitted(room, notices)).await {
            Ok(Ok(())) => {
                self.attend(by, room).await;
                self.joined(room, JoinState::Admitted, false).await
            }
            Ok(Err(failure)) => {
                if bound_anew && self.bound_exactly(&ask.dir) == Some(room) {
                    self.parts.bindings.unbind(&ask.dir).await.map_err(|error| unwritable(&error))?;
                }
                self.unbind_unless_here(room).await?;
                Err(failure)
            }
            Err(_) => self.joined(room, JoinState::Waiting, false).await,
        }
    }

    /// Ready when somebody let us in and the log is here, or nobody ever will.
    async fn admitted(&self, room: RoomId, mut notices: broadcast::Receiver<Notice>) -> Result<(), Failure> {
        loop {
            match notices.recv().await {
                Ok(Notice::Joined { room: joined }) if joined == room => return Ok(()),
                Ok(Notice::JoinRefused { room: refused, reason }) if refused == room => {
                    return Err(join_refused(reason));
                }
                Err(RecvError::Lagged(_)) if self.standing(room).await == Some(Standing::Member) => return Ok(()),
                Err(RecvError::Closed) => std::future::pending().await,
                _ => {}
            }
        }
    }

    async fn joined_already(&self, by: &Caller, invite: &Invite, dir: &Path) -> Result<Joined, Failure> {
        let room = invite.room;
        let bound = self.bound_exactly(dir);
        if invite.inviter == self.parts.me && bound.is_none_or(|bound| bound == room) {
            return Err(Failure::new(
                Code::Refused,
                "own_invite",
                "This is an invite of your own, to a room that you are in",
                "Send it to the person whom you want to let in.",
            ));
        }
        self.folder_is_free(dir, room).await?;
        self.bind(dir, room).await?;
        self.attend(by, room).await;
        self.joined(room, JoinState::Admitted, true).await
    }

    /// A folder keeps the room that it has, unless that is over for us. One that is closed is not over.
    async fn folder_is_free(&self, dir: &Path, room: RoomId) -> Result<(), Failure> {
        let Some(other) = self.bound_exactly(dir).filter(|bound| *bound != room) else { return Ok(()) };
        match self.standing(other).await {
            Some(Standing::Member | Standing::Waiting) => {}
            None if self.is_closed(other).await => return Err(room_closed()),
            Some(Standing::Left | Standing::Removed) | None => return Ok(()),
        }
        let title = self.look(other, |viewer| Ok(viewer.title().to_owned())).await;
        let called = title.map(|title| format!(": {title:?}")).unwrap_or_default();
        Err(Failure::new(
            Code::Refused,
            "folder_taken",
            format!("This folder has a room already{called}"),
            "Join in another folder (`--dir`), or leave that room with `pairwave leave` first.",
        ))
    }

    async fn bind(&self, dir: &Path, room: RoomId) -> Result<(), Failure> {
        if self.bound_exactly(dir) == Some(room) {
            return Ok(());
        }
        self.parts.bindings.bind(dir, room).await.map_err(|error| unwritable(&error))
    }

    async fn joined(&self, room: RoomId, state: JoinState, already: bool) -> Result<Joined, Failure> {
        let title = match state {
            JoinState::Admitted => Some(self.look(room, |viewer| Ok(viewer.title().to_owned())).await?),
            JoinState::Waiting => None,
        };
        let answer = match state {
            JoinState::Admitted => None,
            JoinState::Waiting => self.parts.driver.query(move |node| node.answer_line(&room)).await,
        };
        let left_at = move |node: &Node<Reader>| node.joins().find(|joining| joining.invite.room == room)?.left_at;
        let knock_left_at = self.parts.driver.query(left_at).await.map(view::time);
        Ok(Joined {
            state,
            room: room.to_string(),
            title,
            member: self.parts.me.to_string(),
            dashboard: self.dashboard_address(),
            answer: answer.map(|answer| answer.to_string()),
            knock_left_at,
            already,
        })
    }
}
