//! Whose turn it is.

use std::time::Instant;

use pairwave_api::{ClaimFloor, Done, Failure, FloorAnswer, Prompted, ShowFloor, Writing, YieldFloor};
use pairwave_core::command::Command;
use pairwave_core::consenting::Act;
use pairwave_core::event::Body;
use pairwave_core::floor::FloorClaimed;
use pairwave_core::id::RoomId;

use super::{Answers, for_humans};
use crate::caller::Caller;
use crate::clock;
use crate::resolve;

impl Answers {
    pub(super) async fn show_floor(&self, by: &Caller, ask: &ShowFloor) -> Result<FloorAnswer, Failure> {
        let room = self.room(by, &ask.room).await?;
        self.floor(by, room).await
    }

    pub(super) async fn claim_floor(&self, by: &Caller, ask: &ClaimFloor) -> Result<FloorAnswer, Failure> {
        let room = self.room(by, &ask.room).await?;
        let reason = ask.reason.clone();
        let cleared = self.clear(by, room, &Body::FloorClaimed(FloorClaimed { reason: reason.clone() })).await?;
        self.settle(cleared, self.act(by, room, Act::Claim { reason }).await)?;
        self.floor(by, room).await
    }

    pub(super) async fn yield_floor(&self, by: &Caller, ask: &YieldFloor) -> Result<FloorAnswer, Failure> {
        let wanted = ask.to.clone();
        let to = move |viewer: &crate::view::Viewer<'_, _>| {
            wanted.as_deref().map(|to| resolve::address(viewer, to)).transpose()
        };
        let (room, to) = self.look_in(by, &ask.room, to).await?;
        self.act(by, room, Act::Yield { to }).await?;
        self.floor(by, room).await
    }

    /// A human writes: its agents wait.
    pub(super) async fn writing(&self, by: &Caller, ask: &Writing) -> Result<Done, Failure> {
        for_humans(by)?;
        let room = self.room(by, &ask.room).await?;
        self.pace().human_writes(room, ask.on);
        Ok(Done {})
    }

    /// A host reports that its human gave it a prompt.
    pub(super) async fn prompted(&self, by: &Caller, ask: &Prompted) -> Result<Done, Failure> {
        if !by.hook {
            for_humans(by)?;
        }
        let room = self.room(by, &ask.room).await?;
        if by.hook && !self.live.prompt_counts(room, Instant::now()) {
            return Ok(Done {});
        }
        let human = Caller::human(&self.parts.me);
        self.command(Command::Act { room, by: human, act: Act::Prompted }).await?;
        self.pace().human_acted(room);
        Ok(Done {})
    }

    async fn floor(&self, by: &Caller, room: RoomId) -> Result<FloorAnswer, Failure> {
        let speaker = by.speaker;
        self.look(room, move |viewer| Ok(viewer.floor_answer(&speaker, clock::now()))).await
    }
}
