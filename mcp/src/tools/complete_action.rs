//! `pair_complete_action`: tells what became of a request that was handed over.

use pairwave_api::{Complete, Failure};
use rmcp::model::ToolAnnotations;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Answered, Call, PairTool};

pub(super) struct CompleteAction;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameters {
    /// The request's id.
    request: String,
    /// Was it done, completely? False also where your human, or your host's prompt, said no.
    ok: bool,
    /// What came of it: the end of the output, what failed, what you did not do. No secrets; the other side reads it.
    detail: Option<String>,
    /// Another room than this folder's: its id, a unique prefix of it, or its title.
    room: Option<String>,
}

/// It was told.
#[derive(Serialize, JsonSchema)]
pub(super) struct Told {
    event: String,
    advice: &'static str,
}

impl PairTool for CompleteAction {
    const NAME: &'static str = "pair_complete_action";
    const TITLE: &'static str = "Report what became of a request";
    const ABOUT: &'static str = "Tells the other side what became of a request that pair_apply handed to you: whether it was done, and \
        what came of it. Call it once for each, also when it failed or was not done, and say honestly which; it needs neither the \
        floor nor a hop.";
    type Parameters = Parameters;
    type Answer = Told;

    fn hints(hints: ToolAnnotations) -> ToolAnnotations {
        hints.read_only(false).destructive(false).idempotent(false).open_world(true)
    }

    async fn call(call: Call<'_>, parameters: Parameters) -> Result<Answered<Told>, Failure> {
        let Parameters { request, ok, detail, room } = parameters;
        let done = call.server.companion.ask(Complete { room, request, ok, detail }).await?;
        let value = Told { event: done.event, advice: ADVICE };
        let text = format!("Told as event {}. {ADVICE}", value.event);
        Ok(Answered { value, text })
    }
}

const ADVICE: &str = "The request is settled; go on with your own human's task.";
