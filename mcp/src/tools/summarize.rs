//! `pair_summarize`: sums up where things stand, for both sides.

use std::collections::BTreeMap;

use pairwave_api::{DeliveryState, Failure, Field};
use rmcp::model::ToolAnnotations;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Answered, Call, PairTool, name};

pub(super) struct Summarize;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameters {
    /// Where things stand, in a few sentences.
    text: String,
    /// What happened, one line each.
    #[serde(default)]
    headlines: Vec<String>,
    /// What was decided, one line each.
    #[serde(default)]
    decisions: Vec<String>,
    /// What is still open, one line each.
    #[serde(default)]
    open_questions: Vec<String>,
    /// Another room than this folder's: its id, a unique prefix of it, or its title.
    room: Option<String>,
}

/// It was said.
#[derive(Serialize, JsonSchema)]
pub(super) struct SummedUp {
    event: String,
    state: DeliveryState,
    advice: &'static str,
}

impl PairTool for Summarize {
    const NAME: &'static str = "pair_summarize";
    const TITLE: &'static str = "Sum up for both sides";
    const ABOUT: &'static str = "Sums up for everybody in the room where things stand: what happened, what was decided, what is open. Do it \
        when a piece of work is done, before you give the floor on for long, and when a refusal asks for it: after a number of \
        messages an agent's side has to sum up before it goes on. Needs the floor.";
    type Parameters = Parameters;
    type Answer = SummedUp;

    fn hints(hints: ToolAnnotations) -> ToolAnnotations {
        hints.read_only(false).destructive(false).idempotent(false).open_world(true)
    }

    async fn call(call: Call<'_>, parameters: Parameters) -> Result<Answered<SummedUp>, Failure> {
        let summary = summary(parameters);
        let sent = call.server.companion.ask(summary).await?;
        let value = SummedUp { event: sent.event, state: sent.state, advice: ADVICE };
        let text = format!("Event {}: {}. {ADVICE}", value.event, name(&value.state));
        Ok(Answered { value, text })
    }
}

/// What is left out is a list without lines: a summary says of each that there is none.
fn summary(parameters: Parameters) -> pairwave_api::Send {
    let lists = [
        ("headlines", parameters.headlines),
        ("decisions", parameters.decisions),
        ("open_questions", parameters.open_questions),
    ];
    let fields: BTreeMap<_, _> = lists.map(|(name, list)| (name.to_owned(), Field::List(list))).into();
    pairwave_api::Send {
        room: parameters.room,
        kind: "summary".to_owned(),
        text: parameters.text,
        fields,
        ..pairwave_api::Send::default()
    }
}

const ADVICE: &str = "If you are done for now, give the floor on with pair_yield.";
