//! Git side by side: what each member says of its repository, and which commits it announced. The
//! companions read no project: all of it is what people and agents say.

use std::collections::{BTreeMap, VecDeque};

use pairwave_wire::limits;
use serde::{Deserialize, Serialize};

use crate::bounds::{few, filled, within};
use crate::claims::PATHS;
use crate::command::Refusal;
use crate::event::Event;
use crate::id::{EventId, MemberId};

/// Most commits that are named; beyond it the oldest goes.
const COMMITS: usize = 64;
/// Fewest and most letters of a commit's name: git abbreviates to no less than 4, and SHA-256 has 64.
const SHA: std::ops::RangeInclusive<usize> = 4..=64;

/// How the members share their work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Each has a branch of its own.
    BranchPerPerson,
    /// All commit to one branch.
    SharedBranch,
}

/// The author's side works on this repository, on this branch, and has everything up to this commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GitSetUp {
    pub repo: String,
    pub branch: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_commit: Option<String>,
    pub strategy: Strategy,
}

/// The author's side made a commit that others can pull.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Committed {
    pub sha: String,
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The files that it touches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
}

/// Who works where. What was said is in the log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Git {
    sides: BTreeMap<MemberId, Side>,
    /// Oldest first.
    commits: VecDeque<Commit>,
    /// Commits that were announced, over all.
    count: u64,
}

/// Where a member works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// The event that said so.
    pub event: EventId,
    pub strategy: Strategy,
    /// How many commits were announced when it last had them all.
    pulled: u64,
}

/// A commit that was announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    pub event: EventId,
    pub member: MemberId,
    /// Counts all of the room's from 1.
    number: u64,
}

impl Strategy {
    pub const ALL: [Self; 2] = [Self::BranchPerPerson, Self::SharedBranch];

    pub const fn name(self) -> &'static str {
        match self {
            Self::BranchPerPerson => "branch_per_person",
            Self::SharedBranch => "shared_branch",
        }
    }
}

impl GitSetUp {
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        filled("repo", &self.repo, limits::LIST_ENTRY)?;
        filled("branch", &self.branch, limits::HEADLINE)?;
        self.base_commit.as_deref().map_or(Ok(()), |sha| check_sha("base_commit", sha))
    }
}

impl Committed {
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        check_sha("sha", &self.sha)?;
        filled("message", &self.message, limits::LIST_ENTRY)?;
        within("branch", self.branch.as_deref().unwrap_or(""), limits::HEADLINE)?;
        few("paths", &self.paths, limits::LIST)?;
        self.paths.iter().try_for_each(|path| filled("paths", path, limits::LIST_ENTRY))
    }
}

impl Git {
    pub fn sides(&self) -> impl Iterator<Item = (&MemberId, &Side)> {
        self.sides.iter()
    }

    /// Oldest first.
    pub fn commits(&self) -> impl DoubleEndedIterator<Item = &Commit> {
        self.commits.iter()
    }

    /// Commits that others announced since this member last said what it has. On a shared branch,
    /// nobody commits without having them.
    pub fn to_pull(&self, member: &MemberId) -> impl DoubleEndedIterator<Item = &Commit> {
        let pulled = self.sides.get(member).map_or(0, |side| side.pulled);
        self.commits.iter().filter(move |commit| commit.member != *member && commit.number > pulled)
    }

    pub(crate) fn set_up(&mut self, by: MemberId, said: &GitSetUp, id: EventId) -> Result<(), Refusal> {
        said.check()?;
        self.sides.insert(by, Side { event: id, strategy: said.strategy, pulled: self.count });
        Ok(())
    }

    pub(crate) fn commit(&mut self, event: &Event, said: &Committed, id: EventId) -> Result<(), Refusal> {
        said.check()?;
        if let Some(side) = self.sides.get_mut(&event.author).filter(|side| side.strategy == Strategy::SharedBranch) {
            side.pulled = self.count;
        }
        self.count += 1;
        self.commits.push_back(Commit { event: id, member: event.author, number: self.count });
        if self.commits.len() > COMMITS {
            self.commits.pop_front();
        }
        Ok(())
    }

    /// A member left or was removed. What it committed can still be pulled.
    pub(crate) fn gone(&mut self, member: &MemberId) {
        self.sides.remove(member);
    }
}

fn check_sha(field: &'static str, sha: &str) -> Result<(), Refusal> {
    let is = SHA.contains(&sha.len()) && sha.bytes().all(|digit| digit.is_ascii_hexdigit());
    if is { Ok(()) } else { Err(Refusal::FieldShape { field: field.into(), expected: "commit's name in hex" }) }
}

const _: () = assert!(PATHS <= limits::LIST);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Body, Origin};
    use crate::sample::{ALICE, BOB, event, position};

    fn set_up(git: &mut Git, by: MemberId, strategy: Strategy) {
        let said = GitSetUp {
            repo: "git@example.org:p.git".into(),
            branch: "main".into(),
            base_commit: Some("abc123".into()),
            strategy,
        };
        git.set_up(by, &said, position(1).id).unwrap();
    }

    fn commit(git: &mut Git, by: MemberId, number: u16) -> Result<(), Refusal> {
        let said = Committed { sha: format!("{number:07x}"), message: "fix".into(), branch: None, paths: Vec::new() };
        git.commit(&event(by, Origin::Agent, Body::Committed(said.clone())), &said, position(number).id)
    }

    #[test]
    fn others_commits_are_to_be_pulled_until_one_says_so_or_builds_on_them() {
        let mut git = Git::default();
        set_up(&mut git, ALICE, Strategy::SharedBranch);
        set_up(&mut git, BOB, Strategy::BranchPerPerson);
        (1..=3).for_each(|number| commit(&mut git, ALICE, number).unwrap());
        assert_eq!((git.to_pull(&BOB).count(), git.to_pull(&ALICE).count()), (3, 0));
        commit(&mut git, BOB, 4).unwrap();
        assert_eq!((git.to_pull(&BOB).count(), git.to_pull(&ALICE).count()), (3, 1));
        commit(&mut git, ALICE, 5).unwrap();
        set_up(&mut git, BOB, Strategy::BranchPerPerson);
        assert_eq!((git.to_pull(&BOB).count(), git.to_pull(&ALICE).count()), (0, 0));
    }

    #[test]
    fn bounds_hold() {
        let mut git = Git::default();
        for number in 0..100 {
            commit(&mut git, ALICE, number).unwrap();
        }
        assert_eq!((git.commits().count(), git.to_pull(&BOB).count()), (COMMITS, COMMITS));
        for sha in ["abc", "xyzxyz", &"a".repeat(65)] {
            let said = Committed { sha: sha.into(), message: "fix".into(), branch: None, paths: Vec::new() };
            assert!(said.check().is_err(), "{sha}");
        }
        git.gone(&ALICE);
        assert_eq!(git.sides().count(), 0);
    }
}
