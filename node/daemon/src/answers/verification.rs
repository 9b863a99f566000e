//! Comparing words: showing our three, entering the three that were heard. The half to be heard
//! never leaves the core.

use std::time::Duration;

use pairwave_api::{Code, Failure, Verification, Verify};
use pairwave_core::command::{Command, Outcome};
use pairwave_core::id::{MemberId, RoomId};
use tokio::time::timeout;

use super::{Answers, unexpected};
use crate::caller::Caller;
use crate::resolve;

/// Both companions need a moment to agree on words; more than this, and the other one is away.
const WORDS_WITHIN: Duration = Duration::from_secs(20);

impl Answers {
    pub(super) async fn verify(&self, by: &Caller, ask: &Verify) -> Result<Verification, Failure> {
        let room = self.room(by, &ask.room).await?;
        let wanted = ask.member.clone();
        let resolve = move |viewer: &crate::view::Viewer<'_, _>| {
            let member = resolve::other_member(viewer, wanted.as_deref())?;
            Ok((member, viewer.name(&member)))
        };
        let (member, name) = self.look(room, resolve).await?;
        let command = match ask.heard.clone() {
            Some(words) => Command::Heard { room, by: by.speaker, member, words },
            None => Command::Verify { room, by: by.speaker, member },
        };
        match timeout(WORDS_WITHIN, self.command(command)).await {
            Ok(Ok(Outcome::Words { say, verified })) => {
                let say = say.map(|words| words.0.map(str::to_owned).to_vec()).unwrap_or_default();
                Ok(Verification { member: member.to_string(), name, say, verified })
            }
            Ok(Ok(_)) if ask.heard.is_some() => self.verified(room, member, name).await,
            Ok(Ok(other)) => Err(unexpected(&other)),
            Ok(Err(failure)) => Err(failure),
            Err(_) => Err(slow(&name)),
        }
    }

    async fn verified(&self, room: RoomId, member: MemberId, name: String) -> Result<Verification, Failure> {
        let verified = self.look(room, move |viewer| Ok(viewer.is_verified(&member))).await?;
        Ok(Verification { member: member.to_string(), name, say: Vec::new(), verified })
    }
}

fn slow(name: &str) -> Failure {
    Failure::new(
        Code::PeerUnreachable,
        "peer_away",
        format!("{name}'s companion does not answer"),
        "Wait until `pairwave status` shows that member online, then try again.",
    )
}
