//! Code and patches that members share: what a face may ask of them and see.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{RoomRef, WarningView};

/// Shares code or a patch with the room.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// What it is, in a line.
    pub headline: String,
    /// The code, or the patch; with its question it must fit one frame of the control socket.
    pub content: String,
    /// The language that it is written in.
    #[serde(default)]
    pub language: Option<String>,
    /// Is it a unified diff?
    #[serde(default)]
    pub is_patch: bool,
    /// Where it would go. Data: nothing is ever put there by itself.
    #[serde(default)]
    pub path_hint: Option<String>,
}

/// What members shared, as it lies here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListArtifacts {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
}

/// Shows what one artifact holds. To an agent only through its MCP server, which marks it as another's words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShowArtifact {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// Its id, or a unique prefix.
    pub artifact: String,
}

/// Writes an artifact into a folder, under a name of ours. Humans only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportArtifact {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// Its id, or a unique prefix.
    pub artifact: String,
    /// A folder that exists, by its absolute path.
    pub dir: PathBuf,
}

/// Deletes an artifact from this machine, for good. Others keep theirs. Humans only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoveArtifact {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// Its id, or a unique prefix.
    pub artifact: String,
}

/// It was shared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CodeShared {
    /// Id of the event.
    pub event: String,
    /// Id of the artifact.
    pub artifact: String,
    /// In bytes.
    pub size: u64,
    /// What it touches that another has claimed.
    #[serde(default)]
    pub warnings: Vec<WarningView>,
}

/// The artifacts of a room, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QuarantineList {
    /// Our own among them.
    pub items: Vec<ArtifactItem>,
}

/// One artifact. What its author says of it is data.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ArtifactItem {
    /// Id of the artifact, which is its event's.
    pub id: String,
    /// What it is, by its author's word.
    pub headline: String,
    /// Name of the author.
    pub from: String,
    /// Id of the author.
    pub member: String,
    /// Did we share it.
    pub me: bool,
    /// What the author's clock said.
    pub at: String,
    /// In bytes.
    pub size: u64,
    /// `fetching`, `waiting`, `complete`, `removed` or `broken` (its chunks are not what its author said).
    pub state: String,
    /// Bytes that are here.
    pub progress: u64,
    /// What it waits for, in words.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub waits: Option<String>,
    /// Is it a unified diff, by its author's word.
    pub is_patch: bool,
    /// By its author's word.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub language: Option<String>,
    /// Where its author would put it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub path_hint: Option<String>,
    /// Every path that the patch touches; the hint for what is no patch. Empty until it is complete.
    #[serde(default)]
    pub paths: Vec<String>,
    /// What a human should know before it is used. Empty until it is complete.
    #[serde(default)]
    pub warnings: Vec<WarningView>,
    /// Where it lies in the quarantine, once it is complete.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub file: Option<String>,
}

/// What one artifact holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ArtifactView {
    /// What is known of it.
    pub item: ArtifactItem,
    /// Its beginning as text; null until it is complete.
    pub content: Option<String>,
    /// There is more of the content, or of the diff, than is shown.
    pub cut: bool,
    /// The patch, taken apart; null for what is no patch that can be read.
    pub diff: Option<Vec<DiffFile>>,
    /// Why the patch cannot be read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub diff_error: Option<String>,
}

/// What a patch does to one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DiffFile {
    /// Path before; null for a new file.
    pub old: Option<String>,
    /// Path after; null for a deleted file.
    pub new: Option<String>,
    /// `added`, `deleted`, `modified`, `renamed` or `copied`.
    pub change: String,
    /// It becomes executable.
    pub executable: bool,
    /// Its content is binary and has no hunks.
    pub binary: bool,
    /// Lines added.
    pub added: usize,
    /// Lines removed.
    pub removed: usize,
    /// In order.
    pub hunks: Vec<DiffHunk>,
}

/// Lines that change together, with some around them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DiffHunk {
    /// Number of the first line before.
    pub old_start: u32,
    /// How many lines before.
    pub old_lines: u32,
    /// Number of the first line after.
    pub new_start: u32,
    /// How many lines after.
    pub new_lines: u32,
    /// What it is in, as a function.
    pub section: String,
    /// In order.
    pub lines: Vec<DiffLine>,
}

/// One line of a hunk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DiffLine {
    /// `context`, `added` or `removed`.
    pub kind: String,
    /// Without its sign and its end.
    pub text: String,
    /// Number before; null for an added line.
    pub old: Option<u32>,
    /// Number after; null for a removed line.
    pub new: Option<u32>,
}

/// It was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ArtifactExported {
    /// Id of the artifact.
    pub id: String,
    /// The file.
    pub path: String,
}

/// It is gone from here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ArtifactRemoved {
    /// Id of the artifact.
    pub id: String,
}
