//! Git side by side: what each member says of its repository, and which commits it announced. The
//! companions read no project: all of it is what people and agents say.

use std::collections::{BTreeMap, BTreeSet};

use pairwave_wire::limits;
use serde::{Deserialize, Serialize};

use crate::bounds::{filled, within};
use crate::causality::seq_of;
use crate::command::Refusal;
use crate::id::{EventId, MemberId};
use crate::log::Record;
use crate::shares::remember;

/// Most commits that are named.
const COMMITS: usize = 64;
/// Most files that a commit names, and most bytes of each.
pub const FILES: usize = 32;
const FILE: usize = 512;
/// Fewest and most letters of a commit's name: git abbreviates to no less than 4, and SHA-256 has 64.
const SHA: std::ops::RangeInclusive<usize> = 4..=64;
/// Two names of at least so many letters, one of which begins the other, are of one commit.
const ABBREVIATED: usize = 7;

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
    commits: Vec<Commit>,
}

/// Where a member works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// The event that said so last.
    pub event: EventId,
    pub strategy: Strategy,
    base: Option<String>,
    /// Of the commits that others announced those that it has, as far as it knew of them when it spoke.
    pulled: BTreeSet<EventId>,
}

/// A commit that was announced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    pub event: EventId,
    pub member: MemberId,
    seq: u64,
    sha: String,
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
        let (got, max) = (self.paths.len(), FILES);
        if got > max {
            return Err(Refusal::TooMany { field: "paths of a commit", got, max });
        }
        self.paths.iter().try_for_each(|path| filled("paths", path, FILE))
    }
}

impl Git {
    pub fn sides(&self) -> impl Iterator<Item = (&MemberId, &Side)> {
        self.sides.iter()
    }

    /// Oldest first.
    pub fn commits(&self) -> &[Commit] {
        &self.commits
    }

    /// Commits that others announced and that this member has not said it has. On a shared branch,
    /// nobody commits without having what is there.
    pub fn to_pull(&self, member: &MemberId) -> impl DoubleEndedIterator<Item = &Commit> {
        let side = self.sides.get(member);
        let has = move |commit: &Commit| side.is_some_and(|side| side.pulled.contains(&commit.event));
        self.commits.iter().filter(move |commit| commit.member != *member && !has(commit))
    }

    pub(crate) fn check_commit(&self, said: &Committed) -> Result<(), Refusal> {
        said.check()?;
        let there = self.commits.iter().find(|commit| are_same(&commit.sha, &said.sha));
        there.map_or(Ok(()), |commit| Err(Refusal::CommitThere { event: commit.event }))
    }

    pub(crate) fn set_up(&mut self, record: &Record, said: &GitSetUp) -> Result<(), Refusal> {
        said.check()?;
        let GitSetUp { base_commit: base, strategy, .. } = said.clone();
        let (author, event) = (record.author, record.position.id);
        let before = self.sides.get(&author);
        let mut pulled = before.map(|side| side.pulled.clone()).unwrap_or_default();
        if let Some(base) = base.as_deref().filter(|base| before.is_none_or(|side| side.base.as_deref() != Some(*base)))
        {
            pulled.extend(self.known_with(base, record));
        }
        self.sides.insert(author, Side { event, strategy, base, pulled });
        Ok(())
    }

    pub(crate) fn commit(&mut self, record: &Record, said: &Committed) -> Result<(), Refusal> {
        self.check_commit(said)?;
        let known: Vec<EventId> = self.known(record).map(|commit| commit.event).collect();
        let Record { author, seq, position, .. } = record;
        if let Some(side) = self.sides.get_mut(author).filter(|side| side.strategy == Strategy::SharedBranch) {
            side.pulled.extend(known);
        }
        let commit = Commit { event: position.id, member: *author, seq: *seq, sha: said.sha.to_ascii_lowercase() };
        remember(&mut self.commits, commit, COMMITS, |commit| commit.member);
        let commits = &self.commits;
        let there = |event: &EventId| commits.iter().any(|commit| commit.event == *event);
        self.sides.values_mut().for_each(|side| side.pulled.retain(there));
        Ok(())
    }

    /// What its author knew of when it said that it has this commit: where that was announced, up to
    /// there, else all of it.
    fn known_with(&self, base: &str, record: &Record) -> Vec<EventId> {
        let at = self.commits.iter().rposition(|commit| are_same(&commit.sha, base));
        let through = at.map_or(self.commits.len(), |at| at + 1);
        let upto: Vec<EventId> = self.commits[..through].iter().map(|commit| commit.event).collect();
        self.known(record).map(|commit| commit.event).filter(|event| upto.contains(event)).collect()
    }

    /// Commits among the ancestors of an event.
    fn known(&self, record: &Record) -> impl Iterator<Item = &Commit> {
        self.commits.iter().filter(|commit| seq_of(&record.clock, &commit.member) >= commit.seq)
    }

    /// A member left or was removed. What it committed can still be pulled.
    pub(crate) fn gone(&mut self, member: &MemberId) {
        self.sides.remove(member);
    }
}

fn are_same(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    let begins = long.get(..short.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(short));
    begins && (short.len() >= ABBREVIATED || short.len() == long.len())
}

fn check_sha(field: &'static str, sha: &str) -> Result<(), Refusal> {
    let is = SHA.contains(&sha.len()) && sha.bytes().all(|digit| digit.is_ascii_hexdigit());
    if is { Ok(()) } else { Err(Refusal::FieldShape { field: field.into(), expected: "commit's name in hex" }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{ALICE, BOB, position};

    /// Of somebody who has heard of the other's events up to a seq.
    fn record(author: MemberId, seq: u64, heard: u64) -> Record {
        let mut clock = vec![(ALICE, heard), (BOB, heard)];
        clock.iter_mut().filter(|(of, _)| *of == author).for_each(|(_, at)| *at = seq);
        let position = position(u16::try_from(seq).unwrap() * 2 + u16::from(author == BOB));
        Record { position, author, seq, arrival: seq, clock, signed: Vec::new() }
    }

    fn set_up(git: &mut Git, record: &Record, strategy: Strategy, base: Option<&str>) {
        let base_commit = base.map(str::to_owned);
        let said = GitSetUp { repo: "p.git".into(), branch: "main".into(), base_commit, strategy };
        git.set_up(record, &said).unwrap();
    }

    fn said(sha: &str) -> Committed {
        Committed { sha: sha.into(), message: "fix".into(), branch: None, paths: Vec::new() }
    }

    fn to_pull(git: &Git, member: MemberId) -> usize {
        git.to_pull(&member).count()
    }

    #[test]
    fn others_commits_are_to_be_pulled_until_one_says_so_or_builds_on_them() {
        let mut git = Git::default();
        set_up(&mut git, &record(ALICE, 1, 0), Strategy::SharedBranch, Some("0000000"));
        set_up(&mut git, &record(BOB, 1, 0), Strategy::BranchPerPerson, Some("0000000"));
        for seq in 2..5 {
            git.commit(&record(ALICE, seq, 1), &said(&format!("{seq:07x}"))).unwrap();
        }
        assert_eq!((to_pull(&git, BOB), to_pull(&git, ALICE)), (3, 0));
        git.commit(&record(BOB, 2, 4), &said("b000000")).unwrap();
        assert_eq!((to_pull(&git, BOB), to_pull(&git, ALICE)), (3, 1));
        git.commit(&record(ALICE, 6, 2), &said("a000000")).unwrap();
        assert_eq!(to_pull(&git, ALICE), 0, "on a shared branch one has what one builds on");
        set_up(&mut git, &record(BOB, 3, 6), Strategy::BranchPerPerson, Some("0000000"));
        assert_eq!(to_pull(&git, BOB), 4, "that is the commit that it had");
        set_up(&mut git, &record(BOB, 4, 6), Strategy::BranchPerPerson, Some("0000003abc"));
        assert_eq!(to_pull(&git, BOB), 2, "as far as the one that it named");
        set_up(&mut git, &record(BOB, 5, 6), Strategy::BranchPerPerson, Some("fffffff"));
        assert_eq!(to_pull(&git, BOB), 0);
    }

    #[test]
    fn nobody_has_what_it_cannot_have_heard_of() {
        let mut git = Git::default();
        git.commit(&record(ALICE, 5, 1), &said("a000000")).unwrap();
        set_up(&mut git, &record(BOB, 9, 4), Strategy::SharedBranch, Some("b000000"));
        git.commit(&record(BOB, 10, 4), &said("b000000")).unwrap();
        assert_eq!(to_pull(&git, BOB), 1);
    }

    #[test]
    fn a_commit_is_announced_once() {
        let mut git = Git::default();
        git.commit(&record(ALICE, 2, 1), &said("0123abcd")).unwrap();
        for sha in ["0123abcd", "0123ABC", "0123abcdef"] {
            let there = Refusal::CommitThere { event: record(ALICE, 2, 1).position.id };
            assert_eq!(git.commit(&record(BOB, 2, 1), &said(sha)), Err(there), "{sha}");
        }
        assert_eq!(git.commit(&record(BOB, 2, 1), &said("0123")), Ok(()));
    }

    #[test]
    fn bounds_hold() {
        let mut git = Git::default();
        git.commit(&record(BOB, 1, 0), &said("b000000")).unwrap();
        for seq in 1..100 {
            git.commit(&record(ALICE, seq, 1), &said(&format!("{seq:07x}"))).unwrap();
        }
        assert_eq!((git.commits().len(), to_pull(&git, ALICE)), (COMMITS, 1), "bob's is not pushed out");
        for sha in ["abc", "xyzxyz", &"a".repeat(65)] {
            assert!(said(sha).check().is_err(), "{sha}");
        }
        let many = Committed { paths: vec!["x".into(); 33], ..said("abcdefa") };
        assert_eq!(many.check(), Err(Refusal::TooMany { field: "paths of a commit", got: 33, max: 32 }));
        git.gone(&ALICE);
        assert_eq!(git.sides().count(), 0);
    }
}
