//! `pair_request_action`: asks the other side to have something done on its machine.

use pairwave_api::{Failure, RequestAction as Question, WarningView};
use rmcp::model::ToolAnnotations;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::git::warned;
use super::{Answered, Call, PairTool, name};

pub(super) struct RequestAction;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameters {
    /// What is to be done there.
    action: Action,
    /// How much it can break, as you see it. The other side judges for itself: commands are high, writes at least medium.
    risk: Risk,
    /// One line on what it is for.
    summary: String,
    /// Exactly what is to be done: a unified diff, the file's whole content, one command, or a URL. May be empty where `artifact`
    /// holds it. No secrets.
    payload: String,
    /// For write_file: the file, as a path in the other side's project.
    target_path: Option<String>,
    /// The event id of shared code that is to be applied or written.
    artifact: Option<String>,
    /// The member who is to do it; may be left out where there is one other.
    to: Option<String>,
    /// Another room than this folder's: its id, a unique prefix of it, or its title.
    room: Option<String>,
}

#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum Action {
    ApplyPatch,
    WriteFile,
    RunCommand,
    FetchUrl,
}

#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Risk {
    Low,
    Medium,
    High,
}

/// It was asked for.
#[derive(Serialize, JsonSchema)]
pub(super) struct RequestMade {
    advice: &'static str,
    event: String,
    /// Names the request from now on.
    request: String,
    /// What it touches that another is working on.
    warnings: Vec<WarningView>,
}

impl PairTool for RequestAction {
    const NAME: &'static str = "pair_request_action";
    const TITLE: &'static str = "Ask the other side to do something";
    const ABOUT: &'static str = "Asks another member to have something done on their machine: apply a patch, write a file, run a command \
        or fetch a URL. Their human sees exactly this payload and approves or denies it; then their agent is handed it once, and \
        reports. Needs verified members, an agreed charter and the floor. Ask only for what your human wants; what was denied is not \
        asked again word by word.";
    type Parameters = Parameters;
    type Answer = RequestMade;

    fn hints(hints: ToolAnnotations) -> ToolAnnotations {
        hints.read_only(false).destructive(false).idempotent(false).open_world(true)
    }

    async fn call(call: Call<'_>, parameters: Parameters) -> Result<Answered<RequestMade>, Failure> {
        let question = Question {
            room: parameters.room,
            to: parameters.to,
            action: name(&parameters.action),
            risk: name(&parameters.risk),
            summary: parameters.summary,
            payload: parameters.payload,
            target_path: parameters.target_path,
            artifact: parameters.artifact,
        };
        let made = call.server.companion.ask(question).await?;
        let warned = warned(&made.warnings);
        let text = format!("Request {} waits for the other side. {ADVICE}{warned}", made.request);
        let value = RequestMade { advice: ADVICE, event: made.event, request: made.request, warnings: made.warnings };
        Ok(Answered { value, text })
    }
}

const ADVICE: &str = "Their human decides, which may take a while: go on with your work. pair_wait and pair_inbox tell what became of \
    it. Don't ask again.";
