//! `pair_yield`: gives the floor to somebody, or to whoever has waited longest.

use pairwave_api::{Failure, YieldFloor};
use rmcp::model::ToolAnnotations;
use schemars::JsonSchema;
use serde::Deserialize;

use super::floor::{FloorStands, answered};
use super::{Answered, Call, PairTool};

pub(super) struct Yield;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameters {
    /// A member's or session's name, or the prefix of an id. If left out: who has waited longest, or nobody.
    to: Option<String>,
    /// Another room than this folder's: its id, a unique prefix of it, or its title.
    room: Option<String>,
}

impl PairTool for Yield {
    const NAME: &'static str = "pair_yield";
    const TITLE: &'static str = "Give the floor on";
    const ABOUT: &'static str = "Gives the floor that this side has to somebody, or to the claim that has waited longest; if there is \
        none, nobody has it. Do it as soon as you have said what you had to say, and when pair_inbox shows that somebody wants it.";
    type Parameters = Parameters;
    type Answer = FloorStands;

    fn hints(hints: ToolAnnotations) -> ToolAnnotations {
        hints.read_only(false).destructive(false).idempotent(false).open_world(true)
    }

    async fn call(call: Call<'_>, parameters: Parameters) -> Result<Answered<FloorStands>, Failure> {
        let Parameters { to, room } = parameters;
        Ok(answered(call.server.companion.ask(YieldFloor { room, to }).await?))
    }
}
