//! `pair_send`: says something to the room.

use std::collections::BTreeMap;

use pairwave_api::{DeliveryState, Failure, Field};
use rmcp::model::ToolAnnotations;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Answered, Call, PairTool, name};

pub(super) struct Send;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameters {
    /// What it is for. `question` needs fields.expected_format (free text if left out); `answer` needs `answers`;
    /// `decision` needs `rationale`; `context` needs `headline`, `claim` and `provenance`; `finding` needs `headline`;
    /// `review` needs fields.path and fields.description; `handoff` needs fields.work_completed, fields.remaining_work,
    /// fields.files_modified (list) and fields.decisions_made (list).
    kind: Kind,
    /// What to say. No secrets, no private files, no verification words.
    text: String,
    /// One line that says it all.
    headline: Option<String>,
    /// A member's or session's name, or the prefix of an id. Everybody if left out.
    to: Option<String>,
    /// The event id of the question that this answers.
    answers: Option<String>,
    /// How sure you are.
    claim: Option<Claim>,
    /// Why.
    rationale: Option<String>,
    /// Where it comes from: files with lines, commits, URLs.
    #[serde(default)]
    provenance: Vec<String>,
    /// Further fields that the kind requires: a text or a list of texts each.
    #[serde(default)]
    fields: BTreeMap<String, Field>,
    /// A name for this attempt: the same key says the same thing only once, however often it is called.
    key: Option<String>,
    /// Another room than this folder's: its id, a unique prefix of it, or its title.
    room: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Kind {
    Chat,
    Question,
    Answer,
    Context,
    Decision,
    Finding,
    Status,
    Review,
    Handoff,
}

#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Claim {
    Fact,
    Inference,
    Assumption,
}

/// What was said and how far it has got.
#[derive(Serialize, JsonSchema)]
pub(super) struct SendAnswer {
    /// The id of what was said.
    event: String,
    /// How far it has got with the member who is furthest behind.
    state: DeliveryState,
    /// How far with each: member id to state.
    delivery: BTreeMap<String, DeliveryState>,
    /// The same key had said it before; nothing new was said.
    repeated: bool,
    advice: String,
}

impl PairTool for Send {
    const NAME: &'static str = "pair_send";
    const TITLE: &'static str = "Say something to the other side";
    const ABOUT: &'static str = "Sends a message to the people and agents in the room: tell, ask, answer, report, hand over. It is \
        kept and delivered even if the other side is away now. Ask with kind question, answer with kind answer and `answers` set to \
        the question's event id. After a question call pair_wait. Send only what your human would want the other person to read; it \
        cannot be taken back.";
    const ALWAYS_LOADED: bool = true;
    type Parameters = Parameters;
    type Answer = SendAnswer;

    fn hints(hints: ToolAnnotations) -> ToolAnnotations {
        hints.read_only(false).destructive(false).idempotent(false).open_world(true)
    }

    async fn call(call: Call<'_>, parameters: Parameters) -> Result<Answered<SendAnswer>, Failure> {
        let kind = parameters.kind;
        let sent = call.server.companion.ask(question(parameters)).await?;
        let value = SendAnswer {
            advice: advice(kind, sent.repeated, sent.state).to_owned(),
            event: sent.event,
            state: sent.state,
            delivery: sent.delivery,
            repeated: sent.repeated,
        };
        let text = format!("Event {}: {}. {}", value.event, word(value.state), value.advice);
        Ok(Answered { value, text })
    }
}

fn question(parameters: Parameters) -> pairwave_api::Send {
    pairwave_api::Send {
        room: parameters.room,
        kind: name(&parameters.kind),
        text: parameters.text,
        headline: parameters.headline,
        to: parameters.to,
        answers: parameters.answers,
        claim: parameters.claim.as_ref().map(name),
        rationale: parameters.rationale,
        provenance: parameters.provenance,
        fields: parameters.fields,
        key: parameters.key,
    }
}

fn advice(kind: Kind, repeated: bool, state: DeliveryState) -> &'static str {
    match (kind, state) {
        _ if repeated => "This had been said before with the same key; nothing new was said.",
        (Kind::Question, _) => "Call pair_wait for the answer; it names this event in `answers`.",
        (_, DeliveryState::Queued) => {
            "It is kept here and goes out as soon as somebody is online; there is no need to send it again."
        }
        _ => "It is on its way; there is no need to send it again.",
    }
}

fn word(state: DeliveryState) -> String {
    name(&state)
}
