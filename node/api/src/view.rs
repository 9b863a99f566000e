//! What a face may see. Field names are those of the contract and do not change. Times are
//! RFC 3339 in UTC; ids have one text form and may be shortened to a unique prefix when asked back.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{CharterView, Field, FloorView, NetworkView};

/// It was done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Done {}

/// It was done, by an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventDone {
    /// Id of the event.
    pub event: String,
}

/// The way into the page in the browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DashboardLink {
    /// Its address, with a one-time code in the fragment.
    pub url: String,
}

/// A room is open, and here is the way into it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Created {
    /// Id of the room.
    pub room: String,
    /// What the room is called.
    pub title: String,
    /// The invite, one word: as good as a key for whoever holds it.
    pub invite: String,
    /// The line to send to the other person.
    pub join_command: String,
    /// Address of the page in the browser; null until there is one.
    pub dashboard: Option<String>,
    /// The folder had a room already; nothing was changed.
    #[serde(default)]
    pub already: bool,
}

/// How far a wish to join has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum JoinState {
    /// We are in, and the log is here.
    Admitted,
    /// Nobody could let us in yet; the companion goes on knocking.
    Waiting,
}

/// What came of a wish to join.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Joined {
    /// How far it has got.
    pub state: JoinState,
    /// Id of the room.
    pub room: String,
    /// Known once admitted.
    pub title: Option<String>,
    /// Who we are.
    pub member: String,
    /// Address of the page in the browser; null until there is one.
    pub dashboard: Option<String>,
    /// A line to send back when the inviter cannot be reached at all.
    pub answer: Option<String>,
    /// While waiting: since when our knock waits at a relay for somebody to come; null if it does not.
    #[serde(default)]
    pub knock_left_at: Option<String>,
    /// The folder had this room already; nothing was changed.
    #[serde(default)]
    pub already: bool,
}

/// What came of dialling a joiner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Answered {
    /// Id of the member that the joiner is now; null if it has not come in yet.
    pub member: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Id of the room that it was invited to.
    pub room: String,
    /// Nobody came within the wait; the companion goes on dialling for a quarter of an hour.
    pub waiting: bool,
}

/// A new invite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InviteMade {
    /// The invite, one word: as good as a key for whoever holds it.
    pub invite: String,
    /// Id of the invite's event.
    pub id: String,
    /// When it stops letting people in.
    pub expires_at: String,
    /// How many people it lets in.
    pub uses: u32,
}

/// All invites of a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InviteList {
    /// The next to expire first.
    pub invites: Vec<InviteView>,
}

/// One invite, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InviteView {
    /// Id of the invite's event.
    pub id: String,
    /// Name of the member who made it.
    pub by: String,
    /// When it stops letting people in.
    pub expires_at: String,
    /// How many people it lets in.
    pub uses: u32,
    /// How many it has let in.
    pub used: u32,
    /// `open`, `expired`, `used_up` or `revoked`.
    pub state: String,
}

/// An invite that opens nothing any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InviteClosed {
    /// Id of the invite's event.
    pub id: String,
    /// `revoked`.
    pub state: String,
}

/// A room that we are not in any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LeftRoom {
    /// Id of the room.
    pub room: String,
    /// `left`, or `given_up` where we were only waiting to be let in.
    pub state: String,
}

/// The rooms of this companion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RoomList {
    /// Those that we wait for last.
    pub rooms: Vec<RoomSummary>,
}

/// One room, in a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RoomSummary {
    /// Id of the room.
    pub room: String,
    /// What it is called; empty until we are in.
    pub title: String,
    /// A folder on this machine that is bound to it.
    pub folder: Option<String>,
    /// How many members there are.
    pub members: u32,
    /// How many other members there is a link to.
    pub online: u32,
    /// Messages that the asking session was not given; counted up to 1,000.
    pub unread: u64,
    /// `member`, `waiting` (to be admitted), `left` or `removed`.
    pub state: String,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Me {
    /// Id of the member.
    pub member: String,
    /// Name of the member.
    pub name: String,
    /// Id of the session.
    pub session: String,
    /// Name of the session.
    pub session_name: String,
    /// `human` or `agent`.
    pub origin: String,
}

/// Somebody has a new name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Named {
    /// Id of the member.
    pub member: String,
    /// The new name.
    pub name: String,
    /// The session that bears it; null if the member does.
    pub session: Option<String>,
}

/// One screen: who is here, how we are connected, what waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// Version of the program.
    pub version: String,
    /// Who we are.
    pub member: String,
    /// How we are called.
    pub name: String,
    /// Address of the page in the browser; null until there is one.
    pub dashboard: Option<String>,
    /// How we are connected.
    pub network: NetworkView,
    /// The one of `rooms` that is meant where none is named, or the one that was named.
    #[serde(default)]
    pub here: Option<String>,
    /// The rooms, or the one that was asked for.
    pub rooms: Vec<RoomView>,
}

/// One room in full.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RoomView {
    /// Id of the room.
    pub room: String,
    /// What it is called; empty until we are in.
    pub title: String,
    /// A folder on this machine that is bound to it.
    pub folder: Option<String>,
    /// `member`, `waiting` (to be admitted), `left` or `removed`.
    pub state: String,
    /// How many events it has.
    pub events: u64,
    /// How many events nothing follows yet.
    pub heads: u32,
    /// Messages that the asking session was not given; counted up to 1,000.
    pub unread: u64,
    /// Everything up to this arrival was given to the asking session.
    #[serde(default)]
    pub read_through: u64,
    /// The first message that it was not given.
    #[serde(default)]
    pub first_unread: Option<String>,
    /// Its arrival.
    #[serde(default)]
    pub first_unread_arrival: Option<u64>,
    /// While waiting to be admitted: since when our knock waits at a relay for somebody to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub knock_left_at: Option<String>,
    /// The session that asks.
    pub me: Me,
    /// All members, the founder first.
    pub members: Vec<MemberView>,
    /// What was agreed.
    pub charter: CharterView,
    /// Whose turn it is.
    pub floor: FloorView,
    /// What waits for us.
    pub waiting: WaitingView,
}

impl Eq for RoomView {}

/// One member.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MemberView {
    /// Id of the member.
    pub member: String,
    /// Name of the member.
    pub name: String,
    /// Is it ourselves.
    pub me: bool,
    /// Is there a link to it.
    pub online: bool,
    /// Is the member verified to us, by ourselves or through others.
    pub verified: bool,
    /// `you` or the name of the member through whom.
    pub verified_by: Option<String>,
    /// `lan`, `direct`, `relayed` or `none`.
    pub path: String,
    /// Where it is, as a multiaddr; of a circuit, the relay.
    pub address: Option<String>,
    /// Round trip in milliseconds.
    pub rtt_ms: Option<f64>,
    /// Why the path goes through a relay: what was tried for a direct one, and what came of it.
    #[serde(default)]
    pub why: Option<String>,
    /// When there was a link last.
    pub last_seen: Option<String>,
    /// Has it said two things in one place: somebody holds a copy of its key.
    pub equivocated: bool,
    /// Events that this member has not got yet.
    pub pending: u64,
    /// How many of them wait for it at a mailbox.
    #[serde(default)]
    pub stored: u64,
    /// Those that are there, then a few that spoke last.
    pub sessions: Vec<SessionView>,
}

/// One agent session, or a human.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionView {
    /// Id of the session.
    pub session: String,
    /// Its name.
    pub name: String,
    /// Tells the session at a glance.
    pub emoji: String,
    /// As CSS takes it, `#rrggbb`.
    pub color: String,
    /// `human` or `agent`.
    pub origin: String,
    /// `online` or `offline`.
    pub status: String,
    /// What the session says it is doing; empty if it does not.
    pub summary: String,
    /// While it is in live mode: when that ends at the latest, by its companion's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live_until: Option<String>,
    /// While it is in live mode: how often others woke it.
    #[serde(default)]
    pub wakes: u32,
}

/// What waits for us.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WaitingView {
    /// Questions of others that nobody here has answered.
    pub questions: u32,
    /// Requests that wait for a yes or no.
    pub permissions: u32,
    /// What was approved and is to be done.
    pub tasks: u32,
}

/// A page of events by arrival.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ArrivalPage {
    /// The events, as they arrived.
    pub events: Vec<Entry>,
    /// The newest arrival of the room, 0 if there is none.
    pub last: u64,
}

/// How far events have got: event → member → state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryList {
    /// Only those that we said.
    pub deliveries: BTreeMap<String, BTreeMap<String, DeliveryState>>,
}

/// A page of the transcript.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Transcript {
    /// The events, in the order of the room.
    pub events: Vec<Entry>,
    /// Where the next page in the same direction begins, if there is one.
    pub next: Option<String>,
}

/// One event as a reader sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// Id of the event.
    pub event: String,
    /// Id of the room.
    pub room: String,
    /// How many events lie below it at most, from 1; the room is in order of depth, then id.
    pub depth: u64,
    /// The order in which events became durable here, from 1.
    pub arrival: u64,
    /// Counts the author's own events, from 1.
    #[serde(default)]
    pub seq: u64,
    /// One of several events that the author signed in one place: somebody holds a copy of that key.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub forked: bool,
    /// What the author's clock said.
    pub at: String,
    /// Id of the member.
    pub member: String,
    /// The author's name.
    pub name: String,
    /// Did we say it.
    pub me: bool,
    /// Id of the session that said it.
    pub session: String,
    /// Name of the session.
    pub session_name: String,
    /// Tells the session at a glance.
    pub emoji: String,
    /// As CSS takes it, `#rrggbb`.
    pub color: String,
    /// `human` or `agent`, by the word of that member's companion.
    pub origin: String,
    /// Is the author verified to us.
    pub verified: bool,
    /// A kind of message (`chat`, `question` …), `code`, or an event of the room: `genesis`, `invited`,
    /// `invite_closed`, `admitted`, `removed`, `left`, `rotated`, `verified`, `named`, `relay_added`,
    /// `relay_removed`, `letter_keys`, `charter_proposed`, `charter_accepted`, `charter_declined`,
    /// `floor_claimed`, `floor_yielded`, `floor_taken`, `floor_released`, `action` (a request),
    /// `approved`, `denied`, `handed`, `completed`, `expired`, `overridden`, `prompted`, `remembered`,
    /// `git_setup`, `committed`, `paths_claimed`, `paths_released`, `claims_expired`, `foreign`.
    pub kind: String,
    /// What was said, or one sentence on what happened.
    pub text: String,
    /// One line on what it is about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub headline: Option<String>,
    /// Name of the addressee; everybody if absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub to: Option<String>,
    /// The question that it answers.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub answers: Option<String>,
    /// Events that answer this question.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub answered_by: Vec<String>,
    /// `fact`, `inference` or `assumption`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub claim: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rationale: Option<String>,
    /// Where it comes from.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub provenance: Vec<String>,
    /// Further fields, as the kind requires them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub fields: BTreeMap<String, Field>,
    /// The request that it makes, or moves on.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request: Option<String>,
    /// Of code: id of the artifact.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub artifact: Option<String>,
    /// Of code: its bytes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub size: Option<u64>,
    /// Of code: the language, by its author's word.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub language: Option<String>,
    /// Of code: it is a unified diff, by its author's word.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub is_patch: Option<bool>,
    /// Why it has no effect, if it has none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub void: Option<String>,
    /// How far it has got, for our own: member id → state.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub delivery: BTreeMap<String, DeliveryState>,
    /// Events that it follows.
    pub parents: Vec<String>,
}

/// How far an event has got at one member. Ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryState {
    /// Durable here.
    Queued,
    /// Written to a link.
    Sent,
    /// Kept by a relay's mailbox.
    Stored,
    /// Durable on the other machine.
    Delivered,
    /// Given to an agent or a human there.
    Shown,
}

/// It was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sent {
    /// Id of the event.
    pub event: String,
    /// The least advanced of `delivery`.
    pub state: DeliveryState,
    /// Member id → how far it has got there.
    pub delivery: BTreeMap<String, DeliveryState>,
    /// The same `key` had said this before; nothing new was said.
    #[serde(default)]
    pub repeated: bool,
}

/// What needs the asker.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InboxView {
    /// What waits for a decision, then messages, oldest first, then open questions.
    pub items: Vec<Item>,
    /// Nothing came in time.
    #[serde(default)]
    pub timed_out: bool,
    /// Others have woken agents here as often as they may: what they said waits until our human does
    /// something.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub held: bool,
    /// There is more than was given; ask again.
    #[serde(default)]
    pub more: bool,
    /// Messages up to this arrival are among the items; null if none is.
    #[serde(default)]
    pub through: Option<u64>,
    /// When the asker's live mode ends at the latest; absent while it is off.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub live_until: Option<String>,
    /// The asker's live mode has ended by itself, which it was not told before.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub live_ended: bool,
}

/// Something that needs the asker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Item {
    /// The event, or the member for a verification.
    pub id: String,
    /// `message`, `question` (of another, unanswered), `open_question` (mine, unanswered),
    /// `verification` (somebody wants to compare words), `charter` (to accept or decline),
    /// `permission` (to approve or deny), `task` (approved: to apply, or handed over: to complete),
    /// `request` (mine, not settled) or `floor` (somebody wants the floor that we have).
    pub kind: String,
    /// Name of the member who needs it.
    pub from: String,
    /// Its headline, or the beginning of its text.
    pub headline: String,
    /// Since when, as its author claims.
    pub waiting_since: String,
    /// The whole event, for what is a message.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub entry: Option<Entry>,
}

/// Where comparing words with a member stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verification {
    /// Id of the member.
    pub member: String,
    /// Name of the member.
    pub name: String,
    /// The three words to read out. Empty when verified, or entered.
    pub say: Vec<String>,
    /// Is the member verified to us, by ourselves or through others.
    pub verified: bool,
}

/// What a doctor found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Checks {
    /// Each layer, from the bottom up.
    pub checks: Vec<Check>,
}

/// One layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// What was looked at.
    pub name: String,
    /// Is it as it should be.
    pub ok: bool,
    /// What was found.
    pub detail: String,
    /// What to do; empty when ok.
    pub next: String,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "ids, names and entries as everywhere above")]
#[serde(tag = "notice", rename_all = "snake_case")]
pub enum Notice {
    /// An event is durable here.
    Event { room: String, event: String, arrival: u64, entry: Box<Entry> },
    /// More of an artifact is here than before, or something else became of it.
    Artifact { room: String, artifact: String },
    /// A late event took the effect of an earlier one away.
    Undone { room: String, event: String },
    /// How far what we said has got at a member changed.
    Delivery { room: String, member: String },
    /// A member or its sessions came or went.
    Presence { room: String, member: String },
    /// We are in.
    Joined { room: String },
    /// We were turned down for good.
    JoinRefused { room: String, reason: String },
    /// Comparing words with a member made progress.
    Verification { room: String, member: String, step: String },
    /// Something that a human should look at.
    Warning { room: String, text: String },
    /// A room that was read again is here.
    Reopened { room: String },
    /// Notices were lost, for this face did not take them fast enough: what it shows may be old.
    Missed {},
}
