//! What members agree on, whose turn it is, and what is to be done on whose machine: the questions
//! about it and their answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{DiffFile, RoomRef};

/// Asks where the charter stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShowCharter {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
}

/// Proposes a charter, or an amendment of the one there is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProposeCharter {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// Its text.
    pub charter: CharterText,
}

/// Accepts the charter in question. One that widens what agents may do takes a human.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptCharter {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// What was read: refused if another one is in question by now. The newest if absent.
    #[serde(default)]
    pub hash: Option<String>,
}

/// Declines the newest charter: the one before is in force again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclineCharter {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// As in [`AcceptCharter`].
    #[serde(default)]
    pub hash: Option<String>,
    /// Why; one sentence.
    #[serde(default)]
    pub reason: Option<String>,
}

/// The text of a charter. What is absent keeps its default: nothing is approved by itself, three
/// hops, twenty minutes of live mode.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CharterText {
    /// What it is called.
    pub title: String,
    /// What is to be reached.
    pub purpose: String,
    /// What belongs to it.
    #[serde(default)]
    pub scope: Vec<String>,
    /// What does not.
    #[serde(default)]
    pub out_of_scope: Vec<String>,
    /// What nobody may do.
    #[serde(default)]
    pub must_nots: Vec<String>,
    /// How the sides answer each other.
    #[serde(default)]
    pub response_contract: Vec<String>,
    /// Requests that need no human: `none`, `low`, or `all` but those of high risk.
    #[serde(default)]
    pub auto_approve: Option<String>,
    /// Messages of agents without a human between.
    #[serde(default)]
    pub max_hops: Option<u32>,
    /// Minutes that live mode may last.
    #[serde(default)]
    pub live_minutes: Option<u32>,
}

/// Where the charter stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CharterAnswer {
    /// `none`, `proposed` or `agreed`.
    pub state: String,
    /// The one in question, or in force.
    pub charter: Option<CharterText>,
    /// Names its text.
    pub hash: Option<String>,
    /// Name of the member who proposed it.
    pub by: Option<String>,
    /// When, as its proposer claims.
    pub at: Option<String>,
    /// Names of those who accepted it.
    pub accepted: Vec<String>,
    /// Names of those who have not.
    pub missing: Vec<String>,
    /// A newer one that was declined.
    pub declined: Option<DeclinedCharter>,
    /// Are all members verified to each other? Nothing is agreed before.
    pub verified: bool,
    /// Can only a human accept it?
    pub needs_human: bool,
    /// What to do now; empty if there is nothing.
    pub next: String,
}

/// A charter that somebody declined.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeclinedCharter {
    /// What it is called.
    pub title: String,
    /// Names its text.
    pub hash: String,
    /// Name of the member who declined it.
    pub by: String,
    /// Why.
    pub reason: Option<String>,
}

/// Asks whose turn it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShowFloor {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
}

/// Claims the floor, keeps it, or takes it where an earlier claim stayed unanswered for a minute.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimFloor {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// What for; one sentence.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Gives the floor to somebody, or to the claim that waits longest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct YieldFloor {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// A member's or session's name, or the prefix of an id.
    #[serde(default)]
    pub to: Option<String>,
}

/// Whose turn it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FloorAnswer {
    /// Whose turn it is, and who waits for it.
    pub floor: FloorView,
    /// Is it the asking session's turn?
    pub yours: bool,
    /// What to do now; empty if there is nothing.
    pub next: String,
}

/// The charter of a room.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CharterView {
    /// `none`, `proposed` or `agreed`.
    pub state: String,
    /// What it is called.
    pub title: Option<String>,
    /// Names its text.
    pub hash: Option<String>,
}

/// Whose turn it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FloorView {
    /// Id of the member whose turn it is.
    pub holder: Option<String>,
    /// Its name.
    #[serde(default)]
    pub holder_name: Option<String>,
    /// Id of the session whose turn it is; null until one of the member's sessions pushes.
    #[serde(default)]
    pub session: Option<String>,
    /// Its name.
    #[serde(default)]
    pub session_name: Option<String>,
    /// Claims that wait, longest first.
    #[serde(default)]
    pub waiting: Vec<FloorClaim>,
    /// Messages of agents since a human did something.
    pub hops: u32,
    /// How many of them there may be.
    pub max_hops: u32,
}

/// A claim of the floor that waits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FloorClaim {
    /// Id of the member.
    pub member: String,
    /// Name of the member.
    pub name: String,
    /// Name of the session.
    pub session_name: String,
    /// What for.
    pub reason: Option<String>,
    /// Since when, as its author claims.
    pub since: String,
    /// Ours: in how many seconds claiming again takes the floor.
    pub take_in_s: Option<u64>,
}

/// Asks the other side to have something done on its machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestAction {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// A member; may be absent where there is one other.
    #[serde(default)]
    pub to: Option<String>,
    /// `apply_patch`, `write_file`, `run_command` or `fetch_url`.
    pub action: String,
    /// `low`, `medium` or `high`, as the asker sees it.
    pub risk: String,
    /// One line on what it is for.
    pub summary: String,
    /// Patch, content, command or URL; may be empty where `artifact` holds it.
    #[serde(default)]
    pub payload: String,
    /// The file to write, as a path in the other side's project.
    #[serde(default)]
    pub target_path: Option<String>,
    /// Shared code that is to be applied or written, by the id of its event.
    #[serde(default)]
    pub artifact: Option<String>,
}

/// It was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ActionRequested {
    /// Id of the event.
    pub event: String,
    /// Id of the request, which is that of its event.
    pub request: String,
    /// What it touches that another has claimed.
    #[serde(default)]
    pub warnings: Vec<WarningView>,
}

/// Lists requests: those that are open, unless `all` are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requests {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// Settled ones as well.
    #[serde(default)]
    pub all: bool,
}

/// The requests of a room.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RequestList {
    /// In the order of the room.
    pub requests: Vec<RequestView>,
}

/// Shows a request with everything that it would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShowRequest {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// Its id, or a prefix of it.
    pub request: String,
}

/// A request with everything that it would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RequestDetail {
    /// The request.
    pub request: RequestView,
    /// What would be handed over: patch, content, command or URL. Null while it is not all here.
    pub payload: Option<String>,
    /// Of a patch: what it changes, file by file.
    pub diff: Option<Vec<DiffFile>>,
    /// Why a patch cannot be read.
    pub diff_error: Option<String>,
}

/// One request and what became of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RequestView {
    /// Id of the request.
    pub id: String,
    /// `apply_patch`, `write_file`, `run_command` or `fetch_url`.
    pub action: String,
    /// As this companion judges it: `low`, `medium` or `high`.
    pub risk: String,
    /// As the asker sees it.
    pub claimed_risk: String,
    /// One line on what it is for.
    pub summary: String,
    /// The file to write.
    pub target_path: Option<String>,
    /// The event that shared what is to be applied.
    pub artifact: Option<String>,
    /// Names what would be done; an approval binds it.
    pub hash: String,
    /// Id of the member that asks.
    pub by: String,
    /// Name of the member that asks.
    pub from: String,
    /// Name of the session that asks.
    pub from_session: String,
    /// Name of the member that is asked.
    pub to: String,
    /// Did we ask?
    pub mine: bool,
    /// Are we asked?
    pub for_me: bool,
    /// `pending`, `approved`, `denied`, `handed`, `done`, `failed` or `expired`.
    pub state: String,
    /// Since when, as its author claims.
    pub at: String,
    /// When it will be given up.
    pub expires_at: String,
    /// Can only a human approve it?
    pub needs_human: bool,
    /// Can its kind be approved for always?
    pub may_be_always: bool,
    /// What a human should know before it is done.
    pub warnings: Vec<WarningView>,
    /// Every path that it would touch.
    pub paths: Vec<String>,
    /// Who approved it: `human` or `agent`, by a charter or a standing approval.
    pub approved_by: Option<String>,
    /// Why it was denied.
    pub reason: Option<String>,
    /// What became of it.
    pub detail: Option<String>,
}

/// Something that a human should know before it is done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WarningView {
    /// Id of the rule.
    pub rule: String,
    /// `low`, `medium` or `high`.
    pub risk: String,
    /// One sentence.
    pub reason: String,
    /// What it was seen in.
    pub excerpt: String,
}

/// Gate 1: says yes or no to a request that was made to us.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Respond {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// Its id, or a prefix of it.
    pub request: String,
    /// `approve` or `deny`.
    pub decision: String,
    /// Why not; told to the asker.
    #[serde(default)]
    pub reason: Option<String>,
    /// Later requests of this kind by the same session need no human. Never for high risk.
    #[serde(default)]
    pub always_allow: bool,
    /// What was shown: refused if it is not that of the request.
    #[serde(default)]
    pub hash: Option<String>,
}

/// It was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Responded {
    /// Id of the request.
    pub id: String,
    /// The same.
    pub request: String,
    /// `approve` or `deny`.
    pub decision: String,
    /// Where the request stands now.
    pub state: String,
}

/// Hands an approved request over to the asking agent, once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Apply {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// Its id, or a prefix of it.
    pub request: String,
}

/// What is to be done now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Applied {
    /// Id of the request.
    pub request: String,
    /// `apply_patch`, `write_file`, `run_command` or `fetch_url`.
    pub action: String,
    /// Patch, content, command or URL, exactly as it was approved.
    pub payload: String,
    /// The file to write.
    pub target_path: Option<String>,
    /// What a human should know before it is done.
    pub warnings: Vec<WarningView>,
}

/// Tells what became of a request that was handed over.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Complete {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// Its id, or a prefix of it.
    pub request: String,
    /// Was it done?
    pub ok: bool,
    /// What came of it.
    #[serde(default)]
    pub detail: Option<String>,
}

/// Lets one finding of the secret scan pass. Humans only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// Id of the finding, as the refusal gave it, or a prefix of it.
    pub id: String,
}

/// Lists what the secret scan held back here and nobody let pass, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Findings {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
}

/// What the secret scan held back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FindingList {
    /// The newest first.
    pub findings: Vec<FindingView>,
}

/// Something that looked like a secret, and was not sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FindingView {
    /// Names it for an override.
    pub id: String,
    /// Id of the rule.
    pub rule: String,
    /// What it looks like: "a GitHub token".
    pub what: String,
    /// The field that it stood in.
    pub field: String,
    /// Around it, the secret masked.
    pub excerpt: String,
    /// Name of the session that tried to send it.
    pub session_name: String,
    /// When.
    pub at: String,
}

/// A human writes on the page: meanwhile that member's agents do not push. Lasts a minute unless it
/// is said again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Writing {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// False: done.
    pub on: bool,
}

/// A human gave its agent a prompt, by the word of the host's hook.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prompted {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
}
