//! Git side by side: what a face may ask and see. The companion reads no project; all of it is what
//! people and agents say.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::RoomRef;

/// Shows where everybody works.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShowGit {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
}

/// Says on which repository and branch one's side works, and up to which commit it has everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetUpGit {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// Its address or name; as before, if absent.
    #[serde(default)]
    pub repo: Option<String>,
    /// As before, if absent.
    #[serde(default)]
    pub branch: Option<String>,
    /// The newest commit that one's side has; as before, if absent.
    #[serde(default)]
    pub base_commit: Option<String>,
    /// `branch_per_person` or `shared_branch`; as before, if absent.
    #[serde(default)]
    pub strategy: Option<String>,
}

/// Claims paths for the asking session, so that nobody else works on them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimPaths {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// Relative to the top of the repository: `*`, `**`, `?`, `[a-z]` and `{a,b}`; a folder stands for
    /// all that lies in it.
    pub paths: Vec<String>,
    /// What for.
    #[serde(default)]
    pub note: Option<String>,
}

/// Gives claimed paths up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleasePaths {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// As they were claimed; all if there are none.
    #[serde(default)]
    pub paths: Vec<String>,
}

/// Announces a commit that others can pull.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnnounceCommit {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// Its name in hex, whole or abbreviated.
    pub sha: String,
    /// What it does, in a line.
    pub message: String,
    /// The one that it is on, if not that of [`SetUpGit`].
    #[serde(default)]
    pub branch: Option<String>,
    /// The files that it touches, at most 32; a folder with a slash behind it stands for all of it.
    #[serde(default)]
    pub paths: Vec<String>,
}

/// Asks which of these files others have claimed, in the rooms of the caller's folder and of folders in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckPaths {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// Relative to the top of the repository; no patterns.
    pub paths: Vec<String>,
}

/// Where everybody works. What members wrote in it is data.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GitView {
    /// What each member said of its repository.
    pub sides: Vec<GitSide>,
    /// Paths that are claimed, the oldest claim first.
    pub claims: Vec<PathClaim>,
    /// Where two got in each other's way: lost claims, the newest first, then commits.
    pub conflicts: Vec<GitConflict>,
    /// Commits that were announced, the newest first.
    pub commits: Vec<GitCommit>,
    /// What our side has to pull; null if nothing.
    pub pull: Option<GitPull>,
    /// What does not fit together, in a sentence each.
    pub warnings: Vec<String>,
    /// What to do now.
    pub next: String,
}

/// What a member said of its repository.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GitSide {
    /// Id of the event.
    pub event: String,
    /// Id of the member.
    pub member: String,
    /// Name of the member.
    pub name: String,
    /// Is it us.
    pub me: bool,
    /// Its address or name.
    pub repo: String,
    /// The one that it works on.
    pub branch: String,
    /// The newest commit that it has.
    pub base_commit: Option<String>,
    /// `branch_per_person` or `shared_branch`.
    pub strategy: String,
    /// What its clock said.
    pub at: String,
}

/// Paths that a session works on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PathClaim {
    /// Id of the event.
    pub claim: String,
    /// Id of the member.
    pub member: String,
    /// Name of the member.
    pub name: String,
    /// Is it our side.
    pub me: bool,
    /// Is it the asking session itself.
    pub yours: bool,
    /// Id of the session.
    pub session: String,
    /// Name of the session.
    pub session_name: String,
    /// `human` or `agent`.
    pub origin: String,
    /// As they were claimed.
    pub paths: Vec<String>,
    /// What for.
    pub note: Option<String>,
    /// What the claimant's clock said.
    pub since: String,
}

/// Where two got in each other's way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GitConflict {
    /// Id of the claim that was lost, or of the commit.
    pub event: String,
    /// `claim`: it came too late; `ended`: another one ended it; `commit`: it touches what another has claimed.
    pub kind: String,
    /// Whose claim or commit it is.
    pub name: String,
    /// Is it ours.
    pub me: bool,
    /// What it is about.
    pub path: String,
    /// Id of the claim that holds, or of the event that ended the other.
    pub against: String,
    /// Whose that is.
    pub against_name: String,
    /// When that was, by its author's clock.
    pub at: String,
    /// The same as a sentence.
    pub text: String,
}

/// A commit that was announced.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GitCommit {
    /// Id of the event.
    pub event: String,
    /// Its name in hex, whole or abbreviated.
    pub sha: String,
    /// What it does.
    pub message: String,
    /// The one that it is on, if that was said.
    pub branch: Option<String>,
    /// The files that it touches, as far as that was said.
    pub paths: Vec<String>,
    /// Id of the author.
    pub member: String,
    /// Name of the author.
    pub name: String,
    /// Did our side make it.
    pub me: bool,
    /// What the author's clock said.
    pub at: String,
    /// Is it news to our side.
    pub to_pull: bool,
}

/// What our side has to pull.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GitPull {
    /// How many commits.
    pub commits: u64,
    /// The folders and files that they touch.
    pub paths: Vec<String>,
    /// The same as a sentence.
    pub text: String,
}

/// Which files others have claimed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PathsChecked {
    /// A file for each claim that it falls under.
    pub touched: Vec<TouchedPath>,
}

/// A file that another has claimed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TouchedPath {
    /// The first such file.
    pub path: String,
    /// The claim.
    pub claim: PathClaim,
}
