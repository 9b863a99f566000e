//! Dialling a joiner who sent a line back.

use std::time::Duration;

use pairwave_api::{Answer, Answered, Failure};
use pairwave_core::answer::Answer as AnswerLine;
use pairwave_core::command::{Command, Outcome};
use pairwave_core::id::{MemberId, RoomId};
use pairwave_core::node::Node;
use pairwave_core::notice::Notice;
use pairwave_wire::TransportId;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::timeout;

use super::{Answers, unexpected};
use crate::caller::Caller;
use crate::refusals::no_answer;
use crate::store::Reader;

/// Longest time that somebody may wait for a joiner.
const WAIT_MAX: Duration = Duration::from_secs(600);

impl Answers {
    /// Dials, and waits a while for the joiner to be let in. The companion goes on by itself.
    pub(super) async fn answer_joiner(&self, by: &Caller, ask: &Answer) -> Result<Answered, Failure> {
        let answer: AnswerLine = ask.line.parse().map_err(|error| no_answer(&error))?;
        let notices = self.parts.driver.notices();
        let (room, joiner) = match self.command(Command::Answer { answer }).await? {
            Outcome::Answering { room, transport } => (room, transport),
            other => return Err(unexpected(&other)),
        };
        self.attend(by, room).await;
        let wait = Duration::from_secs(ask.wait_s).min(WAIT_MAX);
        let member = timeout(wait, self.came_in(room, joiner, notices)).await.ok();
        let name = match member {
            Some(member) => Some(self.look(room, move |viewer| Ok(viewer.name(&member))).await?),
            None => None,
        };
        let (member, waiting) = (member.map(|member| member.to_string()), member.is_none());
        Ok(Answered { member, name, room: room.to_string(), waiting })
    }

    /// Ready when the joiner is a member.
    async fn came_in(&self, room: RoomId, joiner: TransportId, mut notices: broadcast::Receiver<Notice>) -> MemberId {
        loop {
            let of = joiner.clone();
            let member = move |node: &Node<Reader>| node.member_at(&room, &of);
            if let Some(member) = self.parts.driver.query(member).await {
                return member;
            }
            if matches!(notices.recv().await, Err(RecvError::Closed)) {
                std::future::pending().await
            }
        }
    }
}
