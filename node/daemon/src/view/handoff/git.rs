//! The git picture: where each side works, what is claimed, what is not pulled, what clashes.

use std::collections::BTreeSet;

use pairwave_api::words::minute;
use pairwave_api::{GitCommit, GitSide, PathClaim};
use pairwave_core::command::Speaker;
use pairwave_core::log::{Log, LogError};

use super::Viewer;
use crate::markdown::{Page, inline};
use crate::view::git::{collisions, place};

/// Commits that are looked at, and paths that are named of one claim.
const COMMITS: usize = 16;
const PATHS: usize = 8;

impl<L: Log> Viewer<'_, L> {
    pub(super) fn git_part(&self, by: &Speaker, page: &mut Page, budget: usize) -> Result<(), LogError> {
        let view = self.git_view(by, COMMITS)?;
        let mut items: Vec<String> = view.sides.iter().map(side).collect();
        items.extend(view.warnings.iter().map(|warning| inline(warning, 300)));
        let collisions = collisions(&self.room().state().claims, self.unpulled()?);
        let conflicts = view.conflicts.into_iter().chain(collisions.iter().map(|found| self.collision(found)));
        items.extend(conflicts.map(|conflict| format!("CONFLICT: {}", inline(&conflict.text, 300))));
        items.extend(view.claims.iter().map(claim));
        let lacking = view.commits.iter().map(|commit| (commit, self.who_lacks(commit)));
        items.extend(lacking.filter(|(_, who)| !who.is_empty()).map(|(commit, who)| not_pulled(commit, &who)));
        match items.is_empty() {
            true => page.line("Nobody has said where they work: `pair_git` with `op` setup says it."),
            false => page.list(&items, items.len(), budget, "`pair_git` with `op` status"),
        }
        Ok(())
    }

    /// The members who have not pulled a commit.
    fn who_lacks(&self, commit: &GitCommit) -> Vec<String> {
        let git = &self.room().state().git;
        let lacks = |member: &_| git.to_pull(member).any(|open| open.event.to_string() == commit.event);
        self.members().iter().filter(|member| lacks(member)).map(|member| inline(&self.name(member), 64)).collect()
    }
}

fn side(side: &GitSide) -> String {
    let base = side.base_commit.as_deref().map_or_else(String::new, |base| format!(" at {}", inline(base, 12)));
    let (name, branch, repo) = (inline(&side.name, 64), inline(&side.branch, 80), inline(&side.repo, 120));
    format!("{name} is on {branch}{base} of {repo} ({})", side.strategy.replace('_', " "))
}

fn claim(claim: &PathClaim) -> String {
    let paths: Vec<String> = claim.paths.iter().take(PATHS).map(|path| inline(path, 80)).collect();
    let more = claim.paths.len().saturating_sub(PATHS);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let note = claim.note.as_deref().map_or_else(String::new, |note| format!(": {}", inline(note, 120)));
    let since = minute(&claim.since);
    format!(
        "{} ({}) has claimed {}{more} since {since}{note}",
        inline(&claim.name, 64),
        inline(&claim.session_name, 64),
        paths.join(", ")
    )
}

fn not_pulled(commit: &GitCommit, who: &[String]) -> String {
    let (sha, message) = (inline(&commit.sha, 12), inline(&commit.message, 120));
    let places: BTreeSet<&str> = commit.paths.iter().map(|path| place(path)).collect();
    let places: Vec<String> = places.into_iter().take(PATHS).map(|place| inline(place, 80)).collect();
    let touches = if places.is_empty() { String::new() } else { format!(", in {}", places.join(", ")) };
    format!("not pulled by {}: {sha} of {}{touches}: {message}", who.join(", "), inline(&commit.name, 64))
}
