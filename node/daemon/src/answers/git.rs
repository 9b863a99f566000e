//! Git side by side: who works where, on what, and what there is to pull.

use pairwave_api::{
    AnnounceCommit, CheckPaths, ClaimPaths, Failure, GitView, PathsChecked, ReleasePaths, SetUpGit, ShowGit,
    TouchedPath, WarningView,
};
use pairwave_core::claims::{Claim, PathsClaimed, PathsReleased};
use pairwave_core::command::Refusal;
use pairwave_core::consenting::Act;
use pairwave_core::event::Body;
use pairwave_core::git::{Committed, GitSetUp, Strategy};
use pairwave_core::id::RoomId;
use pairwave_core::log::{Log, LogError};

use super::Answers;
use super::judging::blocking;
use super::talk::named;
use crate::caller::Caller;
use crate::refusals::{refused, unreadable};
use crate::view::{Viewer, collisions};

/// Most commits of an answer.
const COMMITS: usize = 16;

impl Answers {
    pub(super) async fn show_git(&self, by: &Caller, ask: &ShowGit) -> Result<GitView, Failure> {
        let room = self.room(by, &ask.room).await?;
        self.git(by, room).await
    }

    pub(super) async fn set_up_git(&self, by: &Caller, ask: &SetUpGit) -> Result<GitView, Failure> {
        let asked = ask.clone();
        let (room, said) = self.look_in(by, &ask.room, move |viewer| set_up(viewer, asked)).await?;
        self.say_git(by, room, Body::GitSetUp(said.clone()), Act::SetUpGit(said)).await
    }

    pub(super) async fn announce_commit(&self, by: &Caller, ask: &AnnounceCommit) -> Result<GitView, Failure> {
        let room = self.room(by, &ask.room).await?;
        let AnnounceCommit { sha, message, branch, paths, .. } = ask.clone();
        let said = Committed { sha, message, branch, paths };
        self.say_git(by, room, Body::Committed(said.clone()), Act::Commit(said)).await
    }

    pub(super) async fn claim_paths(&self, by: &Caller, ask: &ClaimPaths) -> Result<GitView, Failure> {
        let room = self.room(by, &ask.room).await?;
        let said = PathsClaimed { paths: tidy(&ask.paths), note: ask.note.clone() };
        let claimed = self.say_git(by, room, Body::PathsClaimed(said.clone()), Act::ClaimPaths(said.clone())).await;
        match claimed {
            Err(failure) if failure.rule == "path_taken" => Err(self.who_has_it(by, room, said, failure).await),
            other => other,
        }
    }

    pub(super) async fn release_paths(&self, by: &Caller, ask: &ReleasePaths) -> Result<GitView, Failure> {
        let room = self.room(by, &ask.room).await?;
        let said = PathsReleased { paths: tidy(&ask.paths) };
        self.say_git(by, room, Body::PathsReleased(said.clone()), Act::ReleasePaths(said)).await
    }

    /// For git's hook, which asks from the top of a repository: only of rooms that are bound to it, or
    /// to a folder in it.
    pub(super) async fn check_paths(&self, by: &Caller, ask: CheckPaths) -> Result<PathsChecked, Failure> {
        let rooms = match (&ask.room, &by.dir) {
            (None, Some(top)) => self.parts.bindings.around(top),
            _ => vec![self.room(by, &ask.room).await?],
        };
        let (mut checked, speaker) = (PathsChecked::default(), by.speaker);
        for room in rooms {
            let touched = self.touched(room, ask.paths.clone()).await?;
            let view = move |viewer: &Viewer<'_, _>| {
                let view = |(claim, path)| TouchedPath { path, claim: viewer.path_claim(&speaker, &claim) };
                Ok(touched.into_iter().map(view).collect::<Vec<_>>())
            };
            checked.touched.extend(self.look(room, view).await?);
        }
        Ok(checked)
    }

    /// What to know of these files: whose they are at the moment, but for our own side's.
    pub(super) async fn claimed(&self, room: RoomId, paths: Vec<String>) -> Result<Vec<WarningView>, Failure> {
        let touched = self.touched(room, paths).await?;
        if touched.is_empty() {
            return Ok(Vec::new());
        }
        self.look(room, move |viewer| Ok(touched.iter().map(|touched| viewer.claimed(touched)).collect())).await
    }

    /// Claims of others under which these files fall. Many may be asked about, so that is looked at
    /// beside the node.
    async fn touched(&self, room: RoomId, paths: Vec<String>) -> Result<Vec<(Claim, String)>, Failure> {
        if paths.is_empty() {
            return Ok(Vec::new());
        }
        let look = |viewer: &Viewer<'_, _>| Ok((viewer.room().state().claims.clone(), viewer.me()));
        let (claims, me) = self.look(room, look).await?;
        let touched = move || {
            let touched = claims.touched(&me, &paths).into_iter();
            touched.map(|(claim, path)| (claim.clone(), path)).collect()
        };
        blocking(touched).await
    }

    async fn say_git(&self, by: &Caller, room: RoomId, body: Body, act: Act) -> Result<GitView, Failure> {
        let cleared = self.clear(by, room, &body).await?;
        self.settle(cleared, self.act(by, room, act).await)?;
        self.git(by, room).await
    }

    async fn git(&self, by: &Caller, room: RoomId) -> Result<GitView, Failure> {
        let speaker = by.speaker;
        let look = move |viewer: &Viewer<'_, _>| {
            let view = viewer.git_view(&speaker, COMMITS).map_err(|error| unreadable(&error))?;
            let unpulled = viewer.unpulled().map_err(|error| unreadable(&error))?;
            Ok((view, viewer.room().state().claims.clone(), unpulled))
        };
        let (mut view, claims, unpulled) = self.look(room, look).await?;
        let found = blocking(move || collisions(&claims, unpulled)).await?;
        let tell =
            move |viewer: &Viewer<'_, _>| Ok(found.iter().map(|found| viewer.collision(found)).collect::<Vec<_>>());
        view.conflicts.extend(self.look(room, tell).await?);
        Ok(view)
    }

    /// Says who has what somebody wants, and since when. What that is for stands beside the claim,
    /// where it is marked as another's words.
    async fn who_has_it(&self, by: &Caller, room: RoomId, said: PathsClaimed, failure: Failure) -> Failure {
        let session = by.speaker.session;
        let find = move |viewer: &Viewer<'_, _>| {
            let taken = viewer.room().state().claims.taken(&viewer.me(), &session, &said.paths);
            Ok(taken.first().map(|taken| (viewer.taken(taken), taken.claim.clone(), viewer.me())))
        };
        let Ok(Some((message, claim, me))) = self.look(room, find).await else { return failure };
        let failure = Failure { message, ..failure }.among(vec![claim.event.to_string()]);
        if claim.member != me {
            return failure;
        }
        let next = "It is your own side's: its session releases it, or your human does with `pairwave git release`.";
        Failure { next: next.to_owned(), ..failure }
    }
}

/// What is not said stays as it was; who says it for the first time does it as the others do.
fn set_up<L: Log>(viewer: &Viewer<'_, L>, ask: SetUpGit) -> Result<GitSetUp, Failure> {
    let (mine, theirs) = known(viewer).map_err(|error| unreadable(&error))?;
    let some = |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let before = mine.as_ref().or(theirs.as_ref());
    let needed = |field| refused(Refusal::FieldMissing { kind: "setup", field });
    let repo = some(ask.repo).or_else(|| before.map(|said| said.repo.clone())).ok_or_else(|| needed("repo"))?;
    let branch = some(ask.branch).or_else(|| mine.as_ref().map(|said| said.branch.clone()));
    let branch = branch.ok_or_else(|| needed("branch"))?;
    let strategy = match some(ask.strategy) {
        Some(strategy) => strategy_named(&strategy)?,
        None => before.map_or(Strategy::BranchPerPerson, |said| said.strategy),
    };
    let base_commit = some(ask.base_commit).or_else(|| mine.and_then(|said| said.base_commit));
    Ok(GitSetUp { repo, branch, base_commit, strategy })
}

/// What our side said of its repository, and what another one did.
fn known<L: Log>(viewer: &Viewer<'_, L>) -> Result<(Option<GitSetUp>, Option<GitSetUp>), LogError> {
    let (me, mut mine, mut theirs) = (viewer.me(), None, None);
    for (member, side) in viewer.room().state().git.sides() {
        let said = viewer.set_up(&side.event)?;
        if *member == me { mine = said } else { theirs = theirs.or(said) }
    }
    Ok((mine, theirs))
}

/// In whatever way the words are joined.
fn strategy_named(wanted: &str) -> Result<Strategy, Failure> {
    let name = wanted.to_lowercase().replace([' ', '-'], "_");
    named("strategy", &name, &Strategy::ALL.map(|strategy| (strategy.name(), strategy)))
}

/// As the same paths are written every time, so that they can be released as they were claimed.
fn tidy(paths: &[String]) -> Vec<String> {
    let mut tidy: Vec<String> = Vec::new();
    for path in paths.iter().map(|path| path.trim()) {
        let parts: Vec<&str> = path.split('/').filter(|part| *part != ".").collect();
        let path = if parts.is_empty() { path.to_owned() } else { parts.join("/") };
        if !tidy.contains(&path) {
            tidy.push(path);
        }
    }
    tidy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strategy_may_be_written_as_people_say_it() {
        for (wanted, strategy) in [
            ("shared_branch", Strategy::SharedBranch),
            ("Shared branch", Strategy::SharedBranch),
            ("branch-per-person", Strategy::BranchPerPerson),
        ] {
            assert_eq!(strategy_named(wanted), Ok(strategy));
        }
        assert!(strategy_named("trunk").unwrap_err().next.contains("shared_branch"));
    }
}
