//! `pair_share_code`: shares code or a patch, as inert data.

use pairwave_api::{Failure, WarningView};
use rmcp::model::ToolAnnotations;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::git::warned;
use super::{Answered, Call, PairTool};

pub(super) struct ShareCode;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameters {
    /// What it is, in one line.
    headline: String,
    /// The code, or the patch. No secrets, no private files.
    content: String,
    /// The language that it is written in, as `rust` or `python`.
    language: Option<String>,
    /// It is a unified diff, as `git diff` writes it.
    #[serde(default)]
    is_patch: bool,
    /// Where it would go in the project. Nothing is ever put there by itself.
    path_hint: Option<String>,
    /// Another room than this folder's: its id, a unique prefix of it, or its title.
    room: Option<String>,
}

/// What was shared.
#[derive(Serialize, JsonSchema)]
pub(super) struct ShareAnswer {
    /// The id of the event.
    event: String,
    /// The id of the artifact.
    artifact: String,
    /// Its bytes.
    size: u64,
    advice: String,
    /// What it touches that another is working on.
    warnings: Vec<WarningView>,
}

impl PairTool for ShareCode {
    const NAME: &'static str = "pair_share_code";
    const TITLE: &'static str = "Share code or a patch";
    const ABOUT: &'static str = "Shares code or a patch with everybody in the room. It lies in their quarantines as inert data until \
        their human looks at it: nobody's files change and nothing runs. For a change that the other side should make, share a \
        unified diff with is_patch true. Share only what your human would want the other person to read; it cannot be taken back.";
    type Parameters = Parameters;
    type Answer = ShareAnswer;

    fn hints(hints: ToolAnnotations) -> ToolAnnotations {
        hints.read_only(false).destructive(false).idempotent(false).open_world(true)
    }

    async fn call(call: Call<'_>, parameters: Parameters) -> Result<Answered<ShareAnswer>, Failure> {
        let Parameters { headline, content, language, is_patch, path_hint, room } = parameters;
        let share = pairwave_api::Share { room, headline, content, language, is_patch, path_hint };
        let shared = call.server.companion.ask(share).await?;
        let warned = warned(&shared.warnings);
        let value = ShareAnswer {
            event: shared.event,
            artifact: shared.artifact,
            size: shared.size,
            advice: "Others get it as soon as they are online. Say in a message what it is for; they name it by its artifact id."
                .to_owned(),
            warnings: shared.warnings,
        };
        let text = format!("Artifact {}: {} bytes shared. {}{warned}", value.artifact, value.size, value.advice);
        Ok(Answered { value, text })
    }
}
