//! Artifacts: code and patches that members share. What was shared is a blob that lies inert at
//! everybody who fetched it; this is the event that names it.

use std::collections::BTreeMap;

use pairwave_wire::limits;
use serde::{Deserialize, Serialize};

use crate::blobs::Blob;
use crate::bounds::{filled, within};
use crate::command::Refusal;
use crate::id::{EventId, MemberId};
use crate::log::Position;
use crate::mark::Mark;
use crate::shares::fullest;

/// Most artifacts that the state names; beyond it the oldest of whoever shared most goes.
const ARTIFACTS: usize = 256;

/// What is said of an artifact. All of it is its author's word, and data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Draft {
    /// What it is, in a line.
    pub headline: String,
    /// The language that it is written in.
    pub language: Option<String>,
    /// Is it a unified diff?
    pub is_patch: bool,
    /// Where its author would put it. Nothing is ever put there by itself.
    pub path_hint: Option<String>,
}

/// The author shares code or a patch. The event's id is the artifact's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shared {
    pub headline: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_patch: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_hint: Option<String>,
    pub blob: Blob,
}

/// The artifacts of a room: the newest ones by position.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifacts {
    shared: BTreeMap<EventId, Artifact>,
}

/// One artifact, as far as the state names it. The event says the rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    pub position: Position,
    pub by: MemberId,
    /// In bytes.
    pub size: u64,
}

impl Draft {
    pub fn with(self, blob: Blob) -> Shared {
        let Self { headline, language, is_patch, path_hint } = self;
        Shared { headline, language, is_patch, path_hint, blob }
    }
}

impl Shared {
    /// Checks fields and bounds. Both the sender's companion and every receiver's fold do.
    pub fn check(&self) -> Result<(), Refusal> {
        filled("headline", &self.headline, limits::HEADLINE)?;
        within("language", self.language.as_deref().unwrap_or(""), limits::NAME)?;
        within("path_hint", self.path_hint.as_deref().unwrap_or(""), limits::LIST_ENTRY)?;
        self.blob.check()
    }
}

impl Artifacts {
    pub fn get(&self, artifact: &EventId) -> Option<&Artifact> {
        self.shared.get(artifact)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&EventId, &Artifact)> {
        self.shared.iter()
    }

    pub(crate) fn apply(&mut self, by: MemberId, shared: &Shared, position: Position) -> Result<(), Mark> {
        shared.check()?;
        self.shared.insert(position.id, Artifact { position, by, size: shared.blob.size });
        if self.shared.len() > ARTIFACTS
            && let Some(fullest) = fullest(self.shared.values().map(|artifact| artifact.by))
            && let Some(oldest) =
                self.shared.values().filter(|artifact| artifact.by == fullest).map(|artifact| artifact.position).min()
        {
            self.shared.remove(&oldest.id);
        }
        Ok(())
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: MemberId = MemberId([1; 32]);

    type Change = fn(&mut Shared);

    fn shared() -> Shared {
        let draft = Draft { headline: "a parser".into(), ..Draft::default() };
        draft.with(Blob::of(b"fn main() {}"))
    }

    #[test]
    fn bounds_hold() {
        assert_eq!(shared().check(), Ok(()));
        let broken: [(Change, Refusal); 4] = [
            (|shared| shared.headline = " ".into(), Refusal::Empty { field: "headline" }),
            (|shared| shared.headline = "x".repeat(401), Refusal::TooLong { field: "headline", got: 401, max: 400 }),
            (
                |shared| shared.language = Some("x".repeat(65)),
                Refusal::TooLong { field: "language", got: 65, max: limits::NAME },
            ),
            (
                |shared| shared.path_hint = Some("x".repeat(4097)),
                Refusal::TooLong { field: "path_hint", got: 4097, max: limits::LIST_ENTRY },
            ),
        ];
        for (change, refusal) in broken {
            let mut shared = shared();
            change(&mut shared);
            assert_eq!(shared.check(), Err(refusal));
        }
    }

    #[test]
    fn the_newest_are_named_whatever_their_ids() {
        let mut artifacts = Artifacts::default();
        for depth in 1..=300u64 {
            let mut id = [0; 32];
            id[..8].copy_from_slice(&(depth * 7919 % 300).to_be_bytes());
            let position = Position { depth, id: EventId(id) };
            assert_eq!(artifacts.apply(ALICE, &shared(), position), Ok(()));
        }
        assert_eq!(artifacts.iter().count(), ARTIFACTS);
        assert!(artifacts.iter().all(|(_, artifact)| artifact.position.depth > 44));
    }
}
