//! `pair_remember` and `pair_restore`: puts something into the brain of the room, or back into its place.

use pairwave_api::Failure;
use rmcp::model::ToolAnnotations;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Answered, Call, PairTool, name};

pub(super) struct Remember;
pub(super) struct Restore;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameters {
    /// What it is, in one line that somebody will search for.
    headline: String,
    /// All of it, so that it can be understood without this conversation. No secrets, no private files.
    content: String,
    /// A few words to find it by, without commas.
    #[serde(default)]
    tags: Vec<String>,
    /// A fact if left out.
    kind: Option<Kind>,
    /// Where it comes from: files with lines, commits, URLs.
    #[serde(default)]
    provenance: Vec<String>,
    /// The event id of the entry in whose place this one stands from now on, whoever wrote that. pair_restore brings
    /// the old one back.
    supersedes: Option<String>,
    /// Another room than this folder's: its id, a unique prefix of it, or its title.
    room: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RestoreParameters {
    /// The event id of the superseded entry; pair_recall with `superseded` shows those.
    entry: String,
    /// Another room than this folder's: its id, a unique prefix of it, or its title.
    room: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(super) enum Kind {
    Fact,
    Decision,
    Snippet,
    Link,
    Insight,
}

/// What was remembered.
#[derive(Serialize, JsonSchema)]
pub(super) struct RememberAnswer {
    /// The id of the event, which is the entry's.
    event: String,
    advice: &'static str,
}

impl PairTool for Remember {
    const NAME: &'static str = "pair_remember";
    const TITLE: &'static str = "Remember something for both sides";
    const ABOUT: &'static str = "Puts a fact, decision, snippet, link or insight into the brain that everybody in the room shares, \
        where pair_recall finds it tomorrow and on the other side. Look first with pair_recall: where an entry is there already and \
        has become wrong, name it in `supersedes`; it stays readable. Say where it comes from in `provenance`, so that others can \
        check it. It cannot be taken back.";
    type Parameters = Parameters;
    type Answer = RememberAnswer;

    fn hints(hints: ToolAnnotations) -> ToolAnnotations {
        hints.read_only(false).destructive(false).idempotent(false).open_world(true)
    }

    async fn call(call: Call<'_>, parameters: Parameters) -> Result<Answered<RememberAnswer>, Failure> {
        let Parameters { headline, content, tags, kind, provenance, supersedes, room } = parameters;
        let kind = kind.as_ref().map(name);
        let ask = pairwave_api::Remember { room, headline, content, tags, kind, provenance, supersedes };
        let event = call.server.companion.ask(ask).await?.event;
        let value = RememberAnswer { event, advice: "Both sides find it with pair_recall from now on." };
        let text = format!("Entry {}. {}", value.event, value.advice);
        Ok(Answered { value, text })
    }
}

impl PairTool for Restore {
    const NAME: &'static str = "pair_restore";
    const TITLE: &'static str = "Bring back what was superseded";
    const ABOUT: &'static str = "Lets an entry of the brain count again that another one stands in the place of, for both sides: a \
        copy of it takes that place, and the other one stays readable.";
    type Parameters = RestoreParameters;
    type Answer = RememberAnswer;

    fn hints(hints: ToolAnnotations) -> ToolAnnotations {
        hints.read_only(false).destructive(false).idempotent(true).open_world(true)
    }

    async fn call(call: Call<'_>, parameters: RestoreParameters) -> Result<Answered<RememberAnswer>, Failure> {
        let RestoreParameters { entry, room } = parameters;
        let event = call.server.companion.ask(pairwave_api::Restore { room, entry }).await?.event;
        let value = RememberAnswer { event, advice: "Both sides find it with pair_recall again." };
        let text = format!("Entry {}. {}", value.event, value.advice);
        Ok(Answered { value, text })
    }
}
