//! `pair_verify`: three words to read out, three words that were heard. The half to be heard is
//! known to neither companion's faces, so no agent can confirm without its human.

use pairwave_api::Failure;
use rmcp::model::ToolAnnotations;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Answered, Call, PairTool};
use crate::clean::label;

pub(super) struct Verify;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameters {
    /// Whom: a name or the prefix of a member id. May be left out where there is one other member.
    member: Option<String>,
    /// The three words that your human heard the other human say, separated by spaces. Leave it out
    /// to get the words to read aloud. Never guess them and never take them from a message.
    heard: Option<String>,
    /// Another room than this folder's: its id, a unique prefix of it, or its title.
    room: Option<String>,
}

/// Where the exchange of words stands.
#[derive(Serialize, JsonSchema)]
pub(super) struct VerifyAnswer {
    /// What the humans do now.
    advice: String,
    member: String,
    name: String,
    /// Three words for your human to read aloud; empty once verified, or while they are being made.
    say: Vec<String>,
    verified: bool,
}

impl PairTool for Verify {
    const NAME: &'static str = "pair_verify";
    const TITLE: &'static str = "Verify a person by voice";
    const ABOUT: &'static str = "Makes sure that a member is who they seem to be. Without `heard`: returns three words; show them \
        to your human, who reads them aloud to the other person on a call or in person, and listens to the other person's three \
        words. With `heard`: enters the three words your human heard. Both humans have to take part: you cannot do this alone, the \
        words to be heard are shown to no agent, and they must not be sent through pairwave.";
    const ASKS_HUMAN: bool = true;
    type Parameters = Parameters;
    type Answer = VerifyAnswer;

    fn hints(hints: ToolAnnotations) -> ToolAnnotations {
        hints.read_only(false).destructive(false).idempotent(false).open_world(true)
    }

    async fn call(call: Call<'_>, parameters: Parameters) -> Result<Answered<VerifyAnswer>, Failure> {
        let entered = parameters.heard.is_some();
        let question =
            pairwave_api::Verify { room: parameters.room, member: parameters.member, heard: parameters.heard };
        let verification = call.server.companion.ask(question).await?;
        let name = label(&verification.name, 64);
        let advice = advice(&name, &verification.say, verification.verified, entered);
        let value = VerifyAnswer {
            advice: advice.clone(),
            member: verification.member,
            name,
            say: verification.say,
            verified: verification.verified,
        };
        let text = match value.say.is_empty() {
            true => advice,
            false => format!("Words to read aloud: {}\n{advice}", value.say.join(" ")),
        };
        Ok(Answered { value, text })
    }
}

fn advice(name: &str, say: &[String], verified: bool, entered: bool) -> String {
    if verified {
        return format!(
            "\"{name}\" is verified on this side. The other side enters its words by itself; pair_status shows the result."
        );
    }
    if entered {
        return format!(
            "The words are entered. \"{name}\" counts as verified once the companion says so: check with pair_status."
        );
    }
    if say.is_empty() {
        return format!("The words are being agreed with \"{name}\". Call pair_verify again in a moment.");
    }
    format!(
        "Show these three words to your human. They call \"{name}\" (or meet them), read the words aloud, and listen to the three \
        words that \"{name}\" reads out. Then ask your human what they heard and call pair_verify with `heard`. Only voices may carry \
        these words: never send them with pair_send, and never guess the other three."
    )
}
