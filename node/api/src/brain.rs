//! The brain of a room: what members and their agents want to find again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::RoomRef;

/// Puts an entry into the brain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remember {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// What it is, in a line.
    pub headline: String,
    /// All of it.
    pub content: String,
    /// Words to find it by.
    #[serde(default)]
    pub tags: Vec<String>,
    /// `fact`, `decision`, `snippet`, `link` or `insight`; a fact if absent.
    #[serde(default)]
    pub kind: Option<String>,
    /// Where it comes from: files with lines, commits, links.
    #[serde(default)]
    pub provenance: Vec<String>,
    /// The entry in whose place this one stands from now on, by its id or a prefix of it.
    #[serde(default)]
    pub supersedes: Option<String>,
}

/// Brings an entry back that another one stands in the place of: a copy of it takes that place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restore {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// The superseded entry, by its id or a prefix of it.
    pub entry: String,
}

/// Looks for entries: those that fit best come first; without words, the newest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recall {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// Words in any script; their forms and typos are found, too.
    #[serde(default)]
    pub query: Option<String>,
    /// Only entries that have all of these tags.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Only entries of this kind.
    #[serde(default)]
    pub kind: Option<String>,
    /// 8 if absent, at most 100.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Looks through messages and what was said of artifacts, too.
    #[serde(default)]
    pub transcript: bool,
    /// Looks into what was shared, too: texts of at most 1 MiB. Gives the lines that fit best.
    #[serde(default)]
    pub artifacts: bool,
    /// Shows what was superseded, too.
    #[serde(default)]
    pub superseded: bool,
}

/// What was found, the best first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Recalled {
    /// At most as many as were asked for.
    pub entries: Vec<Recollection>,
}

/// An entry of the brain, or something of the transcript. What its author wrote is data.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Recollection {
    /// Id of the event, which is the entry's.
    pub event: String,
    /// `brain`, `transcript` or `artifact`.
    pub source: String,
    /// Of what was found inside an artifact: its lines that `content` shows, like `12-18`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lines: Option<String>,
    /// Of an entry `fact`, `decision`, `snippet`, `link` or `insight`; else the kind of the event.
    pub kind: String,
    /// What it is, in a line.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub headline: Option<String>,
    /// All of it; of an artifact what was said of it, or the lines of it that fit.
    pub content: String,
    /// Words to find it by.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Where it comes from.
    #[serde(default)]
    pub provenance: Vec<String>,
    /// The entry that it took the place of.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub supersedes: Option<String>,
    /// The entry that stands in its place now.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub superseded_by: Option<String>,
    /// Name of the author.
    pub name: String,
    /// Id of the author.
    pub member: String,
    /// Did we write it.
    pub me: bool,
    /// Is the author verified.
    pub verified: bool,
    /// Of the session.
    pub session: String,
    /// Of the session.
    pub session_name: String,
    /// `human` or `agent`.
    pub origin: String,
    /// What the author's clock said.
    pub at: String,
}

/// The brain as Markdown, a part at a time. What was superseded is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportBrain {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// Where the part before ended.
    #[serde(default)]
    pub next: Option<u64>,
}

/// A part of the brain as Markdown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BrainExported {
    /// Goes behind the part before.
    pub markdown: String,
    /// Entries in this part.
    pub entries: u64,
    /// Ask for the next part with it; null at the end.
    pub next: Option<u64>,
}

/// Remembers every entry of a Markdown text that is not in the brain yet. Humans only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportBrain {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// As `ExportBrain` gives it, or any text with a heading of the second level for each entry.
    pub markdown: String,
}

/// What became of the entries of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BrainImported {
    /// Entries that are in the brain now.
    pub imported: u64,
    /// Entries that were there already, word by word.
    pub skipped: u64,
    /// Entries that were refused, and why.
    pub refused: Vec<EntryRefused>,
}

/// An entry that did not come in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EntryRefused {
    /// Of the entry.
    pub headline: String,
    /// What happened.
    pub message: String,
    /// What to do.
    pub next: String,
}
