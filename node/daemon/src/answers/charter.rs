//! The charter of a room.

use pairwave_api::{AcceptCharter, CharterAnswer, CharterText, DeclineCharter, Failure, ProposeCharter, ShowCharter};
use pairwave_core::charter::{self, AutoApprove, Charter, CharterDeclined, CharterProposed};
use pairwave_core::consenting::Act;
use pairwave_core::event::Body;
use pairwave_core::id::{CharterHash, RoomId};

use super::talk::named;
use super::{Answers, wrong_id};
use crate::caller::Caller;

const AUTO_APPROVE: &[(&str, AutoApprove)] =
    &[("none", AutoApprove::None), ("low", AutoApprove::Low), ("all", AutoApprove::All)];

impl Answers {
    pub(super) async fn show_charter(&self, by: &Caller, ask: &ShowCharter) -> Result<CharterAnswer, Failure> {
        let room = self.room(by, &ask.room).await?;
        self.charter(room).await
    }

    pub(super) async fn propose_charter(&self, by: &Caller, ask: &ProposeCharter) -> Result<CharterAnswer, Failure> {
        let charter = charter(&ask.charter)?;
        let room = self.room(by, &ask.room).await?;
        let body = Body::CharterProposed(CharterProposed { charter: charter.clone() });
        let cleared = self.clear(by, room, &body).await?;
        self.settle(cleared, self.act(by, room, Act::Propose(charter)).await)?;
        self.charter(room).await
    }

    pub(super) async fn accept_charter(&self, by: &Caller, ask: &AcceptCharter) -> Result<CharterAnswer, Failure> {
        let hash = hash(ask.hash.as_deref())?;
        let room = self.room(by, &ask.room).await?;
        self.act(by, room, Act::Accept { hash }).await?;
        self.charter(room).await
    }

    pub(super) async fn decline_charter(&self, by: &Caller, ask: &DeclineCharter) -> Result<CharterAnswer, Failure> {
        let hash = hash(ask.hash.as_deref())?;
        let room = self.room(by, &ask.room).await?;
        let reason = ask.reason.clone();
        let said = CharterDeclined { hash: hash.unwrap_or(CharterHash([0; 32])), reason: reason.clone() };
        let cleared = self.clear(by, room, &Body::CharterDeclined(said)).await?;
        self.settle(cleared, self.act(by, room, Act::Decline { hash, reason }).await)?;
        self.charter(room).await
    }

    async fn charter(&self, room: RoomId) -> Result<CharterAnswer, Failure> {
        self.look(room, |viewer| Ok(viewer.charter_answer())).await
    }
}

/// A charter in the core's words; what is absent keeps its default.
fn charter(text: &CharterText) -> Result<Charter, Failure> {
    let auto_approve = text.auto_approve.as_deref().unwrap_or("none");
    Ok(Charter {
        title: text.title.trim().to_owned(),
        purpose: text.purpose.trim().to_owned(),
        scope: text.scope.clone(),
        out_of_scope: text.out_of_scope.clone(),
        must_nots: text.must_nots.clone(),
        response_contract: text.response_contract.clone(),
        auto_approve: named("auto_approve", auto_approve, AUTO_APPROVE)?,
        max_hops: text.max_hops.unwrap_or(charter::MAX_HOPS),
        live_minutes: text.live_minutes.unwrap_or(charter::LIVE_MINUTES),
    })
}

fn hash(text: Option<&str>) -> Result<Option<CharterHash>, Failure> {
    text.map(|text| text.parse().map_err(|_| wrong_id("charter", "`pairwave charter`"))).transpose()
}
