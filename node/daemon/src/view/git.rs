//! Git side by side, as a face sees it.

use std::collections::BTreeSet;

use pairwave_api::{GitCommit, GitConflict, GitPull, GitSide, GitView, PathClaim, WarningView};
use pairwave_core::actions::Risk;
use pairwave_core::claims::{Claim, Taken};
use pairwave_core::command::Speaker;
use pairwave_core::event::Body;
use pairwave_core::git::{Committed, GitSetUp, Strategy};
use pairwave_core::id::{EventId, MemberId};
use pairwave_core::log::{Log, LogError};

use super::{Viewer, origin, time};

/// Most places that a pull is said to touch.
const PLACES: usize = 8;

impl<L: Log> Viewer<'_, L> {
    /// Where everybody works, with at most so many commits.
    pub fn git_view(&self, by: &Speaker, most: usize) -> Result<GitView, LogError> {
        let state = self.room().state();
        let (mut sides, mut commits) = (Vec::new(), Vec::new());
        for (member, side) in state.git.sides() {
            sides.extend(self.side(member, &side.event)?);
        }
        let to_pull: BTreeSet<EventId> = state.git.to_pull(&self.me()).map(|commit| commit.event).collect();
        for commit in state.git.commits().rev() {
            commits.extend(self.commit(&commit.member, &commit.event, to_pull.contains(&commit.event))?);
        }
        let conflicts = self.late_claims().chain(self.touching(&commits)).collect();
        let pull = pull(commits.iter().filter(|commit| commit.to_pull));
        commits.truncate(most);
        let mut view = GitView {
            warnings: self.misfits(&sides),
            claims: state.claims.held().iter().map(|claim| self.path_claim(by, claim)).collect(),
            sides,
            conflicts,
            commits,
            pull,
            next: String::new(),
        };
        view.next = next(&view);
        Ok(view)
    }

    /// The newest commit that our side has to pull, and what they all touch: news to a side that said
    /// where it works.
    pub fn to_pull(&self) -> Result<Option<(GitCommit, GitPull)>, LogError> {
        let git = &self.room().state().git;
        let mut commits = Vec::new();
        if git.sides().any(|(member, _)| *member == self.me()) {
            for commit in git.to_pull(&self.me()) {
                commits.extend(self.commit(&commit.member, &commit.event, true)?);
            }
        }
        Ok(commits.last().cloned().zip(pull(commits.iter())))
    }

    pub fn path_claim(&self, by: &Speaker, claim: &Claim) -> PathClaim {
        let me = claim.member == self.me();
        PathClaim {
            claim: claim.event.to_string(),
            member: claim.member.to_string(),
            name: self.name(&claim.member),
            me,
            yours: me && claim.session == by.session,
            session: claim.session.to_string(),
            session_name: self.session_name(&claim.member, &claim.session),
            origin: origin(claim.origin).to_owned(),
            paths: claim.paths.clone(),
            note: claim.note.clone(),
            since: time(claim.at),
        }
    }

    /// Who has claimed what somebody wants, in a sentence.
    pub fn taken(&self, taken: &Taken) -> String {
        let Taken { path, theirs, claim } = taken;
        let since = time(claim.at);
        let note = claim.note.as_deref().filter(|note| !note.trim().is_empty());
        let note = note.map(|note| format!(": {note}")).unwrap_or_default();
        format!("`{path}` overlaps `{theirs}`, which {} claimed at {since}{note}", self.claimant(claim))
    }

    /// What a human should know before something touches these files: whose they are at the moment.
    pub fn claimed(&self, paths: &[String]) -> Vec<WarningView> {
        let touched = self.room().state().claims.touched(&self.me(), paths);
        let warning = |(claim, path): (&Claim, String)| WarningView {
            rule: "claimed".to_owned(),
            risk: Risk::Low.name().to_owned(),
            reason: format!("{} works on this at the moment.", self.claimant(claim)),
            excerpt: path,
        };
        touched.into_iter().map(warning).collect()
    }

    fn claimant(&self, claim: &Claim) -> String {
        format!("{} ({})", self.name(&claim.member), self.session_name(&claim.member, &claim.session))
    }

    /// What a member said last of its repository.
    pub fn set_up(&self, event: &EventId) -> Result<Option<GitSetUp>, LogError> {
        Ok(self.event(event)?.and_then(|(_, event)| match event.body {
            Body::GitSetUp(said) => Some(said),
            _ => None,
        }))
    }

    fn side(&self, member: &MemberId, id: &EventId) -> Result<Option<GitSide>, LogError> {
        let Some((_, event)) = self.event(id)? else { return Ok(None) };
        let Body::GitSetUp(GitSetUp { repo, branch, base_commit, strategy }) = event.body else { return Ok(None) };
        Ok(Some(GitSide {
            event: id.to_string(),
            member: member.to_string(),
            name: self.name(member),
            me: *member == self.me(),
            repo,
            branch,
            base_commit,
            strategy: strategy.name().to_owned(),
            at: time(event.claimed_time),
        }))
    }

    fn commit(&self, member: &MemberId, id: &EventId, to_pull: bool) -> Result<Option<GitCommit>, LogError> {
        let Some((_, event)) = self.event(id)? else { return Ok(None) };
        let Body::Committed(Committed { sha, message, branch, paths }) = event.body else { return Ok(None) };
        Ok(Some(GitCommit {
            event: id.to_string(),
            sha,
            message,
            branch,
            paths,
            member: member.to_string(),
            name: self.name(member),
            me: *member == self.me(),
            at: time(event.claimed_time),
            to_pull,
        }))
    }

    /// Claims that came too late.
    fn late_claims(&self) -> impl Iterator<Item = GitConflict> + '_ {
        let claims = &self.room().state().claims;
        claims.conflicts().rev().filter_map(|late| {
            let against = claims.get(&late.against)?;
            Some(GitConflict {
                event: late.event.to_string(),
                kind: "claim".to_owned(),
                name: self.name(&late.member),
                me: late.member == self.me(),
                path: late.path.clone(),
                against: against.event.to_string(),
                against_name: self.name(&against.member),
            })
        })
    }

    /// Commits that nobody has pulled yet and that touch what another has claimed.
    fn touching<'a>(&'a self, commits: &'a [GitCommit]) -> impl Iterator<Item = GitConflict> + 'a {
        let state = self.room().state();
        let open: BTreeSet<String> = state
            .gate
            .members()
            .iter()
            .flat_map(|member| state.git.to_pull(member))
            .map(|commit| commit.event.to_string())
            .collect();
        let by = |commit: &GitCommit| state.gate.members().iter().find(|member| member.to_string() == commit.member);
        let open = commits.iter().filter(move |commit| open.contains(&commit.event));
        open.filter_map(move |commit| {
            let (claim, path) = state.claims.touched(by(commit)?, &commit.paths).into_iter().next()?;
            Some(GitConflict {
                event: commit.event.clone(),
                kind: "commit".to_owned(),
                name: commit.name.clone(),
                me: commit.me,
                path,
                against: claim.event.to_string(),
                against_name: self.name(&claim.member),
            })
        })
    }

    /// Where what members said of their repositories does not fit together.
    fn misfits(&self, sides: &[GitSide]) -> Vec<String> {
        let mut misfits = Vec::new();
        let Some((first, rest)) = sides.split_first() else { return misfits };
        for side in rest {
            let both = format!("{} and {}", first.name, side.name);
            let shared = [first, side].map(|side| side.strategy == Strategy::SharedBranch.name());
            if side.repo != first.repo {
                misfits.push(format!("{both} name different repositories: {} and {}.", first.repo, side.repo));
            } else if shared[0] != shared[1] {
                misfits.push(format!("{both} do not share their work in the same way: agree on one strategy."));
            } else if shared[0] && side.branch != first.branch {
                misfits.push(format!(
                    "{both} share one branch, but are on different ones: {} and {}.",
                    first.branch, side.branch
                ));
            } else if !shared[0] && side.branch == first.branch {
                misfits.push(format!("{both} each have a branch of their own, but both are on {}.", side.branch));
            }
        }
        misfits
    }
}

/// What the commits touch, the oldest first.
fn pull<'a>(commits: impl Iterator<Item = &'a GitCommit>) -> Option<GitPull> {
    let commits: Vec<&GitCommit> = commits.collect();
    let count = commits.len() as u64;
    let places: BTreeSet<&str> = commits.iter().flat_map(|commit| &commit.paths).map(|path| place(path)).collect();
    let more = places.len().saturating_sub(PLACES);
    let paths: Vec<String> = places.into_iter().take(PLACES).map(str::to_owned).collect();
    if count == 0 {
        return None;
    }
    let what = if count == 1 { "1 new commit".to_owned() } else { format!("{count} new commits") };
    let verb = if count == 1 { "touches" } else { "touch" };
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    let text = match &paths[..] {
        [] => format!("pull: {what}"),
        paths => format!("pull: {what} {verb} {}{rest}", paths.join(", ")),
    };
    Some(GitPull { commits: count, paths, text })
}

/// The folder that a file lies in, or the file where it lies at the top.
fn place(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(folder, _)| folder)
}

fn next(view: &GitView) -> String {
    let late = view.conflicts.iter().any(|conflict| conflict.me && conflict.kind == "claim");
    let next = match view {
        _ if late => "Your claim came too late: work on something else, or ask for a release.",
        GitView { pull: Some(_), .. } => {
            "Pull before you go on, then say so: `pairwave git setup --base-commit SHA`, or pair_git setup."
        }
        view if !view.sides.iter().any(|side| side.me) => {
            "Say where you work: `pairwave git setup`, or the tool pair_git with op setup."
        }
        _ => "Claim what you are about to edit, announce what you have committed, and release what is done.",
    };
    next.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(paths: &[&str]) -> GitCommit {
        GitCommit { paths: paths.iter().map(|path| (*path).to_owned()).collect(), ..GitCommit::default() }
    }

    #[test]
    fn what_is_to_be_pulled_is_a_sentence() {
        let text = |commits: &[GitCommit]| pull(commits.iter()).map(|pull| pull.text);
        assert_eq!(text(&[]), None);
        assert_eq!(text(&[commit(&[])]).as_deref(), Some("pull: 1 new commit"));
        assert_eq!(text(&[commit(&["README.md"])]).as_deref(), Some("pull: 1 new commit touches README.md"));
        let three = [commit(&["src/auth/a.rs"]), commit(&["src/auth/b.rs"]), commit(&[])];
        assert_eq!(text(&three).as_deref(), Some("pull: 3 new commits touch src/auth"));
        let many: Vec<String> = (0..20).map(|number| format!("{number:02}/x")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(text(&[commit(&many)]).unwrap().ends_with("06, 07 and 12 more"));
    }
}
