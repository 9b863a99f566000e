//! Everything that a face may ask, each with the answer that belongs to it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::artifacts::*;
use crate::brain::*;
use crate::consent::*;
use crate::git::*;
use crate::memory::*;
use crate::network::RelayList;
use crate::view::*;

/// A question that knows the type of its answer.
pub trait Ask: Into<Request> {
    /// The answer's type.
    type Answer: Serialize + DeserializeOwned + core::marker::Send;
}

macro_rules! requests {
    ($($name:ident -> $answer:ty;)*) => {
        /// One question.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "ask", rename_all = "snake_case")]
        pub enum Request {
            $(#[doc = concat!("[`", stringify!($name), "`]")] $name($name),)*
        }

        $(
            impl From<$name> for Request {
                fn from(question: $name) -> Self {
                    Self::$name(question)
                }
            }

            impl Ask for $name {
                type Answer = $answer;
            }
        )*
    };
}

requests! {
    AcceptCharter -> CharterAnswer;
    AddRelay -> RelayList;
    AnnounceCommit -> GitView;
    Answer -> Answered;
    Apply -> Applied;
    Arrivals -> ArrivalPage;
    CheckPaths -> PathsChecked;
    ClaimFloor -> FloorAnswer;
    ClaimPaths -> GitView;
    CloseInvite -> InviteClosed;
    Complete -> EventDone;
    Create -> Created;
    Days -> DaysView;
    DeclineCharter -> CharterAnswer;
    Deliveries -> DeliveryList;
    Diagnose -> Checks;
    Down -> Done;
    Findings -> FindingList;
    Export -> ExportView;
    ExportArtifact -> ArtifactExported;
    ExportBrain -> BrainExported;
    ExportPart -> ExportedPart;
    ImportBrain -> BrainImported;
    Handoff -> HandoffView;
    Inbox -> InboxView;
    Invite -> InviteMade;
    Invites -> InviteList;
    Join -> Joined;
    Leave -> LeftRoom;
    ListArtifacts -> QuarantineList;
    LiveMode -> LiveModeView;
    MarkRead -> Done;
    OpenDashboard -> DashboardLink;
    Override -> EventDone;
    Prompted -> Done;
    ProposeCharter -> CharterAnswer;
    Read -> Transcript;
    Recall -> Recalled;
    Relays -> RelayList;
    ReleasePaths -> GitView;
    Remember -> EventDone;
    Remove -> EventDone;
    RemoveArtifact -> ArtifactRemoved;
    RemoveRelay -> RelayList;
    Rename -> Named;
    Report -> ReportView;
    RequestAction -> ActionRequested;
    Requests -> RequestList;
    Respond -> Responded;
    Restore -> EventDone;
    Resume -> ResumeView;
    Rooms -> RoomList;
    Send -> Sent;
    SetUpGit -> GitView;
    ShowCharter -> CharterAnswer;
    ShowFloor -> FloorAnswer;
    ShowGit -> GitView;
    ShowLedger -> LedgerView;
    ShowRequest -> RequestDetail;
    Share -> CodeShared;
    ShowArtifact -> ArtifactView;
    ShowStatus -> Status;
    Verify -> Verification;
    Wait -> InboxView;
    Whoami -> Me;
    Writing -> Done;
    YieldFloor -> FloorAnswer;
}

/// First frame of every control connection: who is calling.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// Version of the program; another one than the companion's is refused.
    pub version: String,
    /// By which face.
    pub face: Face,
    /// The host's id of an agent session, or one made for this process.
    #[serde(default)]
    pub session: Option<String>,
    /// The folder that the caller works in; binds it to a room.
    #[serde(default)]
    pub dir: Option<PathBuf>,
    /// The caller found an agent host's marker in its environment. It can make a caller an agent,
    /// never a human.
    #[serde(default)]
    pub agent: bool,
}

impl Hello {
    /// This process, by this face: its version, the host session that started it and whether it
    /// runs inside an agent host. No folder.
    pub fn new(face: Face) -> Self {
        let (session, agent) = (crate::host_session(), crate::agent_marker());
        Self { version: crate::VERSION.to_owned(), face, session, dir: None, agent }
    }
}

/// A face of the companion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Face {
    /// The command line.
    Cli,
    /// The MCP server, on behalf of an agent.
    Mcp,
    /// The page in the browser.
    Web,
}

/// Which room is meant. Empty: the one bound to the caller's folder or its nearest parent, else the
/// only one there is.
pub type RoomRef = Option<String>;

/// Names a relay that the room is to use. Humans only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddRelay {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// A multiaddr that ends with `/p2p/` and the relay's peer id, and `#` and a token if the relay gave one.
    pub relay: String,
}

/// Dials the joiner who sent this line, and waits a while for it to come in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The line, alone or in the command that it came in.
    pub line: String,
    /// How long to wait before answering `waiting`.
    pub wait_s: u64,
}

/// A page of a room's events as they became durable here: nothing ever slips in behind a reader.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arrivals {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// Only what arrived after this one.
    pub after: u64,
    /// 100 if absent, at most 500.
    #[serde(default)]
    pub limit: Option<u32>,
}

/// Revokes an invite that is still open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloseInvite {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// Id, or a unique prefix.
    pub id: String,
}

/// Opens a room and binds it to a folder; in a folder that has one, says what is there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Create {
    /// The folder to bind the room to.
    pub dir: PathBuf,
    /// What to call the room; the folder's name if absent.
    #[serde(default)]
    pub title: Option<String>,
    /// How to be called in it; the configured name if absent.
    #[serde(default)]
    pub name: Option<String>,
    /// Relays that the room is to use; see [`AddRelay::relay`].
    #[serde(default)]
    pub relays: Vec<String>,
}

/// How far events that we said have got at each member.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deliveries {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// Ids, at most 200.
    pub events: Vec<String>,
}

/// The companion's part of `doctor`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Diagnose {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// Look at this member alone.
    #[serde(default)]
    pub member: Option<String>,
}

/// Ends the companion.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Down {}

/// What needs me. Gives each item to the asking session once, unless `peek`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inbox {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// Only looks: what is given counts as not given, until [`MarkRead`] says otherwise.
    #[serde(default)]
    pub peek: bool,
}

/// Makes a further invite.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invite {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// Seconds; 24 hours if absent.
    #[serde(default)]
    pub expires_s: Option<u64>,
    /// 1 if absent.
    #[serde(default)]
    pub uses: Option<u32>,
}

/// Lists the invites of a room.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invites {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
}

/// Knocks at a room with an invite, and waits a while to be let in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Join {
    /// The invite, alone or in the line that it came in.
    pub invite: String,
    /// The folder to bind the room to.
    pub dir: PathBuf,
    /// How to be called in the room; the configured name if absent.
    #[serde(default)]
    pub name: Option<String>,
    /// How long to wait for the admission before answering `waiting`.
    pub wait_s: u64,
}

/// Leaves a room for good, or gives up waiting for it. Humans only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leave {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
}

/// What was looked at reached the asking session: it counts as given from now on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarkRead {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// Messages up to this arrival were handed over: [`InboxView::through`], or the arrival of the
    /// last message of those that were, or that a human saw. 0 if none was.
    pub through: u64,
    /// Members whose wish to compare words was handed over, by the ids of those items.
    #[serde(default)]
    pub verifications: Vec<String>,
}

/// The way into the page in the browser, good once. Humans only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenDashboard {}

/// A page of the transcript in the room's order: the newest `limit`, unless a bound says otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Read {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// 30 if absent, at most 500.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only what comes after this event.
    #[serde(default)]
    pub after: Option<String>,
    /// Only what comes before this event.
    #[serde(default)]
    pub before: Option<String>,
    /// Only events of this kind.
    #[serde(default)]
    pub kind: Option<String>,
    /// A member's or session's name, or the prefix of an id.
    #[serde(default)]
    pub from: Option<String>,
    /// Words that the text or headline contains, whatever their case.
    #[serde(default)]
    pub query: Option<String>,
    /// This event alone.
    #[serde(default)]
    pub event: Option<String>,
}

/// Lists the relays of a room.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relays {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
}

/// Removes a member whom one stands above. Humans only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remove {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// Name, id or prefix of an id.
    pub member: String,
    /// Why; one sentence.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Has the room use an address of a relay no more. Humans only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoveRelay {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// As it was added, with or without the token.
    pub relay: String,
}

/// Renames oneself in the room, or one of one's sessions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rename {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// The new name.
    pub name: String,
    /// One of our sessions by name, id or prefix; `this` is the one that asks. The member itself if absent.
    #[serde(default)]
    pub session: Option<String>,
}

/// Lists the rooms here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rooms {}

/// A text, or a list of texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Field {
    /// One text.
    Text(String),
    /// Several texts.
    List(Vec<String>),
}

/// Says something.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Send {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// `chat`, `question`, `answer`, `context`, `decision`, `finding`, `status`, `review` or `handoff`.
    pub kind: String,
    /// What to say.
    pub text: String,
    /// One line on what it is about; some kinds need it.
    #[serde(default)]
    pub headline: Option<String>,
    /// A member's or session's name, or the prefix of an id. Everybody if absent.
    #[serde(default)]
    pub to: Option<String>,
    /// The question that this answers, by id or a prefix of it.
    #[serde(default)]
    pub answers: Option<String>,
    /// How sure: `fact`, `inference` or `assumption`.
    #[serde(default)]
    pub claim: Option<String>,
    /// Why; a decision needs it.
    #[serde(default)]
    pub rationale: Option<String>,
    /// Where it comes from.
    #[serde(default)]
    pub provenance: Vec<String>,
    /// Further fields, as the kind requires them.
    #[serde(default)]
    pub fields: BTreeMap<String, Field>,
    /// Names the attempt, so that a repeated call says it once.
    #[serde(default)]
    pub key: Option<String>,
}

/// One screen on everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShowStatus {
    /// This room alone; all rooms if absent.
    #[serde(default)]
    pub room: RoomRef,
}

/// Shows the three words to read out, or enters the three that were heard.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verify {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// May be absent where there is one other member.
    #[serde(default)]
    pub member: Option<String>,
    /// The three words that were heard, separated by spaces.
    #[serde(default)]
    pub heard: Option<String>,
}

/// As [`Inbox`], but waits until there is something, at most `timeout_s`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wait {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// Seconds, at most 600. 0 says what is new now.
    pub timeout_s: u64,
    /// Only looks: what is given counts as not given, until [`MarkRead`] says otherwise.
    #[serde(default)]
    pub peek: bool,
}

/// Who is asking.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Whoami {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
}
