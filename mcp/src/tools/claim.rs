//! `pair_claim`: asks for the floor, which one session has at a time.

use pairwave_api::{ClaimFloor, Failure};
use rmcp::model::ToolAnnotations;
use schemars::JsonSchema;
use serde::Deserialize;

use super::floor::{FloorStands, answered};
use super::{Answered, Call, PairTool};

pub(super) struct Claim;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameters {
    /// What for, in one sentence; the others read it.
    reason: Option<String>,
    /// Another room than this folder's: its id, a unique prefix of it, or its title.
    room: Option<String>,
}

impl PairTool for Claim {
    const NAME: &'static str = "pair_claim";
    const TITLE: &'static str = "Ask for the floor";
    const ABOUT: &'static str = "One session at a time has the floor: it may send context, findings, reviews, handoffs, decisions and \
        summaries, and request actions. Claim it before; you have it at once if nobody does, else your claim waits and the holder is \
        told. If a claim stays unanswered for a minute, claiming again takes the floor. Claiming while you have it keeps it and \
        turns waiting claims down. Give it on with pair_yield as soon as you are done.";
    type Parameters = Parameters;
    type Answer = FloorStands;

    fn hints(hints: ToolAnnotations) -> ToolAnnotations {
        hints.read_only(false).destructive(false).idempotent(false).open_world(true)
    }

    async fn call(call: Call<'_>, parameters: Parameters) -> Result<Answered<FloorStands>, Failure> {
        let Parameters { reason, room } = parameters;
        Ok(answered(call.server.companion.ask(ClaimFloor { room, reason }).await?))
    }
}
