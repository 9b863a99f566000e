//! Git side by side: who works where, on what, and what there is to pull.

use pairwave_api::{
    AnnounceCommit, CheckPaths, ClaimPaths, Failure, GitView, PathsChecked, ReleasePaths, SetUpGit, ShowGit,
    TouchedPath, WarningView,
};
use pairwave_core::claims::{Claims, PathsClaimed, PathsReleased};
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
use crate::view::Viewer;

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

    /// Many files may be asked about, so that is looked at beside the node.
    pub(super) async fn check_paths(&self, by: &Caller, ask: CheckPaths) -> Result<PathsChecked, Failure> {
        let look = |viewer: &Viewer<'_, _>| Ok((viewer.room().state().claims.clone(), viewer.me()));
        let (room, (claims, me)) = self.look_in(by, &ask.room, look).await?;
        let touched = blocking(move || {
            let touched = claims.touched(&me, &ask.paths);
            touched.into_iter().map(|(claim, path)| (claim.clone(), path)).collect::<Vec<_>>()
        });
        let (touched, speaker) = (touched.await?, by.speaker);
        self.look(room, move |viewer| {
            let view = |(claim, path)| TouchedPath { path, claim: viewer.path_claim(&speaker, &claim) };
            Ok(PathsChecked { touched: touched.into_iter().map(view).collect() })
        })
        .await
    }

    /// Whose these files are at the moment, but for our own side's.
    pub(super) async fn claimed(&self, room: RoomId, paths: Vec<String>) -> Result<Vec<WarningView>, Failure> {
        if paths.is_empty() {
            return Ok(Vec::new());
        }
        self.look(room, move |viewer| Ok(viewer.claimed(&paths))).await
    }

    async fn say_git(&self, by: &Caller, room: RoomId, body: Body, act: Act) -> Result<GitView, Failure> {
        let cleared = self.clear(by, room, &body).await?;
        self.settle(cleared, self.act(by, room, act).await)?;
        self.git(by, room).await
    }

    async fn git(&self, by: &Caller, room: RoomId) -> Result<GitView, Failure> {
        let speaker = by.speaker;
        self.look(room, move |viewer| viewer.git_view(&speaker, COMMITS).map_err(|error| unreadable(&error))).await
    }

    /// Says who has what somebody wants, since when and what for.
    async fn who_has_it(&self, by: &Caller, room: RoomId, said: PathsClaimed, failure: Failure) -> Failure {
        let session = by.speaker.session;
        let find = move |viewer: &Viewer<'_, _>| {
            let taken = Claims::taken(&viewer.room().state().claims, &viewer.me(), &session, &said.paths);
            Ok(taken.map(|taken| (viewer.taken(&taken), taken.claim.event.to_string())))
        };
        match self.look(room, find).await {
            Ok(Some((message, claim))) => Failure { message, ..failure }.among(vec![claim]),
            _ => failure,
        }
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

fn tidy(paths: &[String]) -> Vec<String> {
    let mut tidy: Vec<String> = Vec::new();
    for path in paths.iter().map(|path| path.trim()) {
        if !tidy.iter().any(|known| known == path) {
            tidy.push(path.to_owned());
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
