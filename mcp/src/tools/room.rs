//! `pair_room`: opens, joins, leaves rooms, and who may come in.

use pairwave_api::{Code, Create, Failure, Invite, Join, JoinState, Leave, Rename, RoomSummary, Rooms, Whoami};
use rmcp::model::ToolAnnotations;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Answered, Call, PairTool};
use crate::bounded::{ANSWER, FRAME, cost, fitting};
use crate::clean::label;

pub(super) struct Room;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameters {
    /// `create` opens a room bound to this folder; `join` takes an invite; `invite` makes a line to send to another person;
    /// `list` shows the rooms here; `leave` is for your human alone, in a terminal; `rename` changes your human's name, or a session's.
    op: Op,
    /// For create: what the room is about.
    title: Option<String>,
    /// For join: the invite, one word.
    invite: Option<String>,
    /// For create and join: your human's name. For rename: the new name.
    name: Option<String>,
    /// For rename: one of your own sessions, by name or id; `this` is the session you are.
    session: Option<String>,
    /// For invite: how many people may use it, 1 if left out.
    uses: Option<u32>,
    /// For invite: seconds until it expires, 24 hours if left out.
    expires_s: Option<u64>,
    /// Another room than this folder's: its id, a unique prefix of it, or its title.
    room: Option<String>,
}

#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Op {
    Create,
    Join,
    Invite,
    List,
    Leave,
    Rename,
}

/// What it came to; which fields there are depends on `op`.
#[derive(Serialize, JsonSchema)]
pub(super) struct RoomAnswer {
    op: Op,
    advice: String,
    #[serde(flatten)]
    outcome: Outcome,
}

#[derive(Default, Serialize, JsonSchema)]
struct Outcome {
    #[serde(skip_serializing_if = "Option::is_none")]
    room: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// One word that lets a person in: as good as a key, for that person alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    invite: Option<String>,
    /// The line to send to the other person.
    #[serde(skip_serializing_if = "Option::is_none")]
    join_command: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dashboard: Option<String>,
    /// The folder had this room already; nothing was changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    already: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<JoinState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<String>,
    /// A line to send back when the inviter cannot be reached at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
    /// The invite's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uses: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rooms: Option<Vec<RoomSummary>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
}

impl PairTool for Room {
    const NAME: &'static str = "pair_room";
    const TITLE: &'static str = "Open, join or leave a room";
    const ABOUT: &'static str = "Manages pairwave rooms, by `op`: create one for this folder, join one by an invite, make an invite \
        for another person, list the rooms, or rename; leaving one is for good and for your human alone (`pairwave leave` in a terminal). Do this only when your human asked for it: it decides who can read \
        along. An invite lets in whoever holds it; hand it to your human, never send it through pairwave.";
    const ASKS_HUMAN: bool = true;
    type Parameters = Parameters;
    type Answer = RoomAnswer;

    fn hints(hints: ToolAnnotations) -> ToolAnnotations {
        hints.read_only(false).destructive(true).idempotent(false).open_world(true)
    }

    async fn call(call: Call<'_>, parameters: Parameters) -> Result<Answered<RoomAnswer>, Failure> {
        let op = parameters.op;
        let (advice, outcome) = match op {
            Op::Create => create(call, parameters).await?,
            Op::Join => join(call, parameters).await?,
            Op::Invite => invite(call, parameters).await?,
            Op::List => list(call).await?,
            Op::Leave => leave(call, parameters).await?,
            Op::Rename => rename(call, parameters).await?,
        };
        let text = prose(&advice, &outcome);
        Ok(Answered { value: RoomAnswer { op, advice, outcome }, text })
    }
}

async fn create(call: Call<'_>, parameters: Parameters) -> Result<(String, Outcome), Failure> {
    let dir = call.server.binding.dir.clone();
    let question = Create { dir, title: parameters.title, name: parameters.name, relays: Vec::new() };
    let created = call.server.companion.ask(question).await?;
    let opened =
        if created.already { "This folder has this room already; nothing was changed." } else { "The room is open." };
    let advice = format!("{opened} Give your human the `join_command` to send to the other person over any messenger.");
    let outcome = Outcome {
        room: Some(created.room),
        title: Some(label(&created.title, 200)),
        invite: Some(created.invite),
        join_command: Some(created.join_command),
        dashboard: created.dashboard,
        already: Some(created.already),
        ..Outcome::default()
    };
    Ok((advice, outcome))
}

async fn join(call: Call<'_>, parameters: Parameters) -> Result<(String, Outcome), Failure> {
    let invite =
        required(parameters.invite, "join", "invite", "Ask your human for the line that the other person sent.")?;
    let dir = call.server.binding.dir.clone();
    let question = Join { invite, dir, name: parameters.name, wait_s: JOIN_WAIT };
    let joined = call.server.companion.ask(question).await?;
    let advice = match (joined.state, joined.already) {
        (JoinState::Waiting, _) if joined.knock_left_at.is_some() => {
            "Whoever made the invite is away. The knock waits at the relay: the first companion of the room that comes online finds it \
             and leaves the room there; nobody has to be online at the same time. Tell your human; pair_status shows when it is done."
        }
        (JoinState::Waiting, _) if joined.answer.is_some() => {
            "Nobody could let you in yet; the companion goes on trying by itself. If it stays so, let your human send `answer` back \
             to whoever made the invite, who runs `pairwave answer` with it."
        }
        (_, true) => "This folder has this room already; nothing was changed.",
        (JoinState::Admitted, _) => {
            "You are in. Let the humans compare words (pair_verify), then say hello (pair_send)."
        }
        (JoinState::Waiting, _) => {
            "Nobody could let you in yet; the companion goes on trying by itself. Tell your human; pair_status shows when it is done."
        }
    };
    let outcome = Outcome {
        room: Some(joined.room),
        title: joined.title.map(|title| label(&title, 200)),
        state: Some(joined.state),
        member: Some(joined.member),
        dashboard: joined.dashboard,
        answer: joined.answer,
        already: Some(joined.already),
        ..Outcome::default()
    };
    Ok((advice.to_owned(), outcome))
}

async fn invite(call: Call<'_>, parameters: Parameters) -> Result<(String, Outcome), Failure> {
    let question = Invite { room: parameters.room, expires_s: parameters.expires_s, uses: parameters.uses };
    let made = call.server.companion.ask(question).await?;
    let advice = "Give your human the `join_command` to send to the other person over any messenger. Whoever holds it can come in, once per use.";
    let outcome = Outcome {
        join_command: Some(format!("pairwave join {}", made.invite)),
        invite: Some(made.invite),
        id: Some(made.id),
        expires_at: Some(made.expires_at),
        uses: Some(made.uses),
        ..Outcome::default()
    };
    Ok((advice.to_owned(), outcome))
}

async fn list(call: Call<'_>) -> Result<(String, Outcome), Failure> {
    let mut rooms = call.server.companion.ask(Rooms {}).await?.rooms;
    let count = rooms.len();
    for room in &mut rooms {
        room.title = label(&room.title, 200);
    }
    // Twice, because each stands in both parts.
    rooms.truncate(fitting(rooms.iter().map(|room| 2 * cost(room)), ANSWER - FRAME));
    let advice = match count {
        0 => "There is no room yet: op create opens one, op join takes an invite.".to_owned(),
        count if count > rooms.len() => format!("{count} rooms; the first {} are shown.", rooms.len()),
        _ => "Pass a room's id or title as `room` to any tool to act on it.".to_owned(),
    };
    Ok((advice, Outcome { rooms: Some(rooms), ..Outcome::default() }))
}

async fn leave(call: Call<'_>, parameters: Parameters) -> Result<(String, Outcome), Failure> {
    let left = call.server.companion.ask(Leave { room: parameters.room }).await?;
    let outcome = Outcome { room: Some(left.room), ..Outcome::default() };
    Ok(("You have left the room for good; the others see it.".to_owned(), outcome))
}

async fn rename(call: Call<'_>, parameters: Parameters) -> Result<(String, Outcome), Failure> {
    let name = required(parameters.name, "rename", "name", "Pass the new name.")?;
    let session = match parameters.session.as_deref() {
        Some("this") => Some(call.server.companion.ask(Whoami { room: parameters.room.clone() }).await?.session),
        _ => parameters.session,
    };
    let named = call.server.companion.ask(Rename { room: parameters.room, name, session }).await?;
    let outcome = Outcome {
        member: Some(named.member),
        name: Some(label(&named.name, 64)),
        session: named.session,
        ..Outcome::default()
    };
    Ok(("The others see the new name.".to_owned(), outcome))
}

fn required(value: Option<String>, op: &str, field: &str, next: &str) -> Result<String, Failure> {
    value
        .filter(|value| !value.trim().is_empty())
        .ok_or_else(|| Failure::new(Code::Usage, "field_missing", format!("op `{op}` needs `{field}`."), next))
}

/// Seconds: `join` answers within 30.
const JOIN_WAIT: u64 = 25;

fn prose(advice: &str, outcome: &Outcome) -> String {
    let mut lines = Vec::new();
    if let (Some(room), title) = (&outcome.room, outcome.title.as_deref().unwrap_or("?")) {
        lines.push(format!("Room \"{title}\" ({room})"));
    }
    for (name, value) in [
        ("Send this line", &outcome.join_command),
        ("Expires", &outcome.expires_at),
        ("Line to send back if nobody can be reached", &outcome.answer),
        ("Name", &outcome.name),
    ] {
        lines.extend(value.as_ref().map(|value| format!("{name}: {value}")));
    }
    for room in outcome.rooms.iter().flatten() {
        let title = &room.title;
        lines.push(format!(
            "- \"{title}\" ({}): {}, {} of {} online, {} unread",
            room.room, room.state, room.online, room.members, room.unread
        ));
    }
    lines.push(advice.to_owned());
    lines.join("\n")
}
