//! Git side by side, as a face sees it.

use std::collections::BTreeSet;

use pairwave_api::{GitCommit, GitConflict, GitPull, GitSide, GitView, PathClaim, WarningView};
use pairwave_core::actions::Risk;
use pairwave_core::claims::{Claim, Claims, How, Lost, Taken};
use pairwave_core::command::Speaker;
use pairwave_core::event::{Body, Origin};
use pairwave_core::git::{Committed, GitSetUp, Strategy};
use pairwave_core::id::{EventId, MemberId};
use pairwave_core::log::{Log, LogError};

use super::{Viewer, origin, time};

/// Most places that a pull is said to touch.
const PLACES: usize = 8;
/// Most commits of which it is looked whether they touch claims.
const LOOKED_AT: usize = 16;
/// Most misfits that are named.
const MISFITS: usize = 8;

impl<L: Log> Viewer<'_, L> {
    /// Where everybody works, with at most so many commits. What commits touch of others' claims is
    /// left to [`collisions`].
    pub fn git_view(&self, by: &Speaker, most: usize) -> Result<GitView, LogError> {
        let state = self.room().state();
        let (mut sides, mut commits) = (Vec::new(), Vec::new());
        for (member, side) in state.git.sides() {
            sides.extend(self.side(member, &side.event)?);
        }
        let to_pull: BTreeSet<EventId> = state.git.to_pull(&self.me()).map(|commit| commit.event).collect();
        for commit in state.git.commits().iter().rev() {
            commits.extend(self.commit(&commit.member, &commit.event, to_pull.contains(&commit.event))?);
        }
        let pull = pull(commits.iter().filter(|commit| commit.to_pull));
        commits.truncate(most);
        let mut conflicts = Vec::new();
        for lost in state.claims.lost().iter().rev() {
            if self.concerns(by, lost)? {
                conflicts.push(self.conflict(lost)?);
            }
        }
        let mut view = GitView {
            warnings: misfits(&sides),
            claims: state.claims.held().iter().map(|claim| self.path_claim(by, claim)).collect(),
            conflicts,
            sides,
            commits,
            pull,
            next: String::new(),
        };
        view.next = self.git_next(by, &view);
        Ok(view)
    }

    /// Commits that somebody has not pulled yet, the newest first: what [`collisions`] looks at.
    pub fn unpulled(&self) -> Result<Vec<(MemberId, GitCommit)>, LogError> {
        let state = self.room().state();
        let missing = |event: &EventId| {
            state.gate.members().iter().any(|member| state.git.to_pull(member).any(|commit| commit.event == *event))
        };
        let mut unpulled = Vec::new();
        let open = state.git.commits().iter().rev().filter(|commit| missing(&commit.event)).take(LOOKED_AT);
        for commit in open {
            let found = self.commit(&commit.member, &commit.event, false)?;
            unpulled.extend(found.map(|found| (commit.member, found)));
        }
        Ok(unpulled)
    }

    /// Says of a commit that touches what another has claimed.
    pub fn collision(&self, (commit, path, claim): &Collision) -> GitConflict {
        let other = self.name(&claim.member);
        GitConflict {
            event: commit.event.clone(),
            kind: "commit".to_owned(),
            name: commit.name.clone(),
            me: commit.me,
            path: path.clone(),
            against: claim.event.to_string(),
            at: time(claim.at),
            text: format!("{} committed to {path}, which {other} has claimed", commit.name),
            against_name: other,
        }
    }

    /// What a session of ours lost of its claims, for it and for our human.
    pub fn lost(&self, by: &Speaker) -> impl Iterator<Item = &Lost> {
        let (me, by) = (self.me(), *by);
        let lost = self.room().state().claims.lost().iter().filter(move |lost| lost.member == me);
        let lost = lost.filter(move |lost| lost.session == by.session || by.origin == Origin::Human);
        lost.filter(move |lost| self.concerns(&by, lost).unwrap_or(true))
    }

    /// What a side gave up itself is news to the session that had it, and to nobody else.
    fn concerns(&self, by: &Speaker, lost: &Lost) -> Result<bool, LogError> {
        if lost.how == How::TooLate || lost.session == by.session {
            return Ok(true);
        }
        let ended = self.event(&lost.by)?;
        Ok(ended.is_none_or(|(_, event)| event.author != lost.member))
    }

    /// How a claim was lost.
    pub fn conflict(&self, lost: &Lost) -> Result<GitConflict, LogError> {
        let by = self.event(&lost.by)?;
        let at = by.as_ref().map(|(_, event)| time(event.claimed_time)).unwrap_or_default();
        let (name, path) = (self.name(&lost.member), lost.path.clone());
        let other = by.map(|(_, event)| self.name(&event.author)).unwrap_or_default();
        let (kind, text) = match lost.how {
            How::TooLate => ("claim", format!("{name} claimed {path} too late: {other} had claimed it")),
            How::Ended => ("ended", format!("{other} ended {name}’s claim of {path}")),
        };
        Ok(GitConflict {
            event: lost.event.to_string(),
            kind: kind.to_owned(),
            name,
            me: lost.member == self.me(),
            path,
            against: lost.by.to_string(),
            against_name: other,
            at,
            text,
        })
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

    /// Who has what somebody wants, and since when, in a sentence.
    pub fn taken(&self, Taken { path, claim }: &Taken) -> String {
        let (who, since) = (self.claimant(claim), time(claim.at));
        format!("{who} has claimed `{path}`, or a part of it, since {since}")
    }

    /// What somebody should know before something touches a file that another works on.
    pub fn claimed(&self, (claim, path): &(Claim, String)) -> WarningView {
        WarningView {
            rule: "claimed".to_owned(),
            risk: Risk::Low.name().to_owned(),
            reason: format!(
                "{} has claimed this path: agree with them before anybody changes it.",
                self.claimant(claim)
            ),
            excerpt: path.clone(),
        }
    }

    /// In quotation marks: names are words of others.
    fn claimant(&self, claim: &Claim) -> String {
        format!("“{}” (“{}”)", self.name(&claim.member), self.session_name(&claim.member, &claim.session))
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

    fn git_next(&self, by: &Speaker, view: &GitView) -> String {
        let next = match view {
            _ if self.lost(by).next().is_some() => {
                "You lost a claim. Change nothing there; claim those paths again, and where somebody has them, ask for a release."
            }
            GitView { pull: Some(_), .. } => {
                "Pull before you go on, then say so: `pairwave git setup`, or pair_git setup with the new base_commit."
            }
            view if !view.sides.iter().any(|side| side.me) => {
                "Say where you work: `pairwave git setup`, or the tool pair_git with op setup."
            }
            _ => "Claim what you are about to edit, announce what you have committed, and release what is done.",
        };
        next.to_owned()
    }
}

/// A commit, one of its files, and the claim that this falls under.
pub type Collision = (GitCommit, String, Claim);

/// Which commits touch what another member has claimed. Takes its time where there is much of both.
pub fn collisions(claims: &Claims, commits: Vec<(MemberId, GitCommit)>) -> Vec<Collision> {
    let of = |(by, commit): (MemberId, GitCommit)| {
        let (claim, path) = claims.touched(&by, &commit.paths).into_iter().next()?;
        Some((commit, path, claim.clone()))
    };
    commits.into_iter().filter_map(of).collect()
}

/// Where what members said of their repositories does not fit together.
fn misfits(sides: &[GitSide]) -> Vec<String> {
    let pairs = sides.iter().enumerate().flat_map(|(at, first)| sides[at + 1..].iter().map(move |side| (first, side)));
    pairs.filter_map(|(first, side)| misfit(first, side)).take(MISFITS).collect()
}

fn misfit(first: &GitSide, side: &GitSide) -> Option<String> {
    let both = format!("{} and {}", first.name, side.name);
    let shares = |side: &GitSide| side.strategy == Strategy::SharedBranch.name();
    if name_of(&side.repo) != name_of(&first.repo) {
        Some(format!("{both} name different repositories: {} and {}.", first.repo, side.repo))
    } else if shares(first) != shares(side) {
        Some(format!("{both} do not share their work in the same way: agree on one strategy."))
    } else if shares(side) && side.branch != first.branch {
        Some(format!("{both} share one branch, but are on different ones: {} and {}.", first.branch, side.branch))
    } else if !shares(side) && side.branch == first.branch {
        Some(format!("{both} each have a branch of their own, but both are on {}.", side.branch))
    } else {
        None
    }
}

/// A repository however it is reached: `host/path`, without scheme, user and `.git`.
fn name_of(repo: &str) -> String {
    let rest = repo.split_once("://").map_or(repo, |(_, rest)| rest);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let whole = format!("{}/{path}", host.replacen(':', "/", 1)).to_lowercase();
    whole.trim_end_matches('/').trim_end_matches(".git").to_owned()
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
pub(super) fn place(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(folder, _)| folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(paths: &[&str]) -> GitCommit {
        GitCommit { paths: paths.iter().map(|path| (*path).to_owned()).collect(), ..GitCommit::default() }
    }

    #[test]
    fn a_repository_is_the_same_however_it_is_reached() {
        let same =
            ["git@host.org:a/b.git", "https://host.org/a/b", "ssh://git@host.org/a/b.git", "https://u:p@Host.org/a/b/"];
        assert!(same.iter().all(|repo| name_of(repo) == "host.org/a/b"), "{:?}", same.map(name_of));
        assert_ne!(name_of("host.org/a/c"), name_of(same[0]));
    }

    #[test]
    fn every_two_who_do_not_fit_are_named() {
        let side = |name: &str, branch: &str| GitSide {
            name: name.into(),
            repo: "p.git".into(),
            branch: branch.into(),
            strategy: Strategy::BranchPerPerson.name().into(),
            ..GitSide::default()
        };
        let misfits = misfits(&[side("alice", "main"), side("bob", "feature"), side("carol", "feature")]);
        assert_eq!(misfits, ["bob and carol each have a branch of their own, but both are on feature."]);
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
