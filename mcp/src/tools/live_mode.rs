//! `pair_live_mode`: promises to wait for the other side, for a bounded time.

use pairwave_api::{Failure, LiveModeView};
use rmcp::model::ToolAnnotations;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Answered, Call, PairTool};

pub(super) struct LiveMode;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameters {
    /// true begins it, false ends it.
    on: bool,
    /// Minutes after which it ends by itself, 20 if left out; never more than the charter lets it be.
    max_minutes: Option<u32>,
    /// Another room than this folder's: its id, a unique prefix of it, or its title.
    room: Option<String>,
}

/// How it stands.
#[derive(Serialize, JsonSchema)]
pub(super) struct LiveModeAnswer {
    on: bool,
    /// When it ends at the latest.
    until: Option<String>,
    /// How news reaches you: `wait` (call pair_wait).
    push: String,
    /// How often others woke you in it.
    wakes: u32,
    advice: String,
}

impl PairTool for LiveMode {
    const NAME: &'static str = "pair_live_mode";
    const TITLE: &'static str = "Stay with the other side for a while";
    const ABOUT: &'static str = "Turns live mode on or off, only when your human wants to work with the other side right now. On, it is \
        a promise: until it ends you call pair_wait again and again instead of looking now and then, and answer what comes. It ends \
        after `max_minutes`, or when four waits in a row brought nothing. Both sides see that it is on and how often it woke you.";
    type Parameters = Parameters;
    type Answer = LiveModeAnswer;

    fn hints(hints: ToolAnnotations) -> ToolAnnotations {
        hints.read_only(false).destructive(false).idempotent(true).open_world(true)
    }

    async fn call(call: Call<'_>, parameters: Parameters) -> Result<Answered<LiveModeAnswer>, Failure> {
        let Parameters { on, max_minutes, room } = parameters;
        let mode = call.server.companion.ask(pairwave_api::LiveMode { room, on, max_minutes }).await?;
        let advice = advice(on, &mode);
        let LiveModeView { on, until, push, wakes } = mode;
        let text = advice.clone();
        Ok(Answered { value: LiveModeAnswer { on, until, push, wakes, advice }, text })
    }
}

fn advice(wanted: bool, mode: &LiveModeView) -> String {
    match (&mode.until, wanted) {
        (Some(until), _) => {
            format!("Live mode is on until {until} at the latest. Call pair_wait now, and again after each.")
        }
        (None, true) => "Live mode stays off: the charter, or `max_minutes`, leaves no time for it.".to_owned(),
        (None, false) => format!("Live mode is off. Others woke you {} times in it.", mode.wakes),
    }
}
