use clap::Subcommand;
use jiff::Timestamp;
use pairwave_api::{AnnounceCommit, ClaimPaths, Code, Failure, GitView, PathClaim, ReleasePaths, SetUpGit, ShowGit};

use crate::args::RoomArg;
use crate::caller::Caller;
use crate::output::{Ended, Stop};
use crate::project;
use crate::prose::{page, plain, short, when};

/// Who works on what in the repository, and what there is to pull
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  pairwave git
  pairwave git setup
  pairwave git claim 'src/auth/**' --note \"the login\"
  pairwave git commit
  pairwave git release

To have git refuse a commit that touches what others have claimed, call `pairwave hook pre-commit` from
git's pre-commit hook; `pairwave hook --help` shows how."
)]
pub struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    room: RoomArg,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Who has claimed what, what to pull, what collides
    #[command(after_help = "Example:\n  pairwave git status")]
    Status {
        #[command(flatten)]
        room: RoomArg,
    },
    /// Say where this side works; what is not named, git is asked for
    #[command(after_help = "Example:\n  pairwave git setup --strategy shared_branch")]
    Setup {
        /// The repository's address or name
        #[arg(long)]
        repo: Option<String>,
        #[arg(long)]
        branch: Option<String>,
        /// The newest commit that this side has
        #[arg(long, value_name = "SHA")]
        base_commit: Option<String>,
        /// branch_per_person or shared_branch
        #[arg(long)]
        strategy: Option<String>,
        #[command(flatten)]
        room: RoomArg,
    },
    /// Claim paths, from the folder that you are in; an agent's claims end with its session, yours when you release them
    #[command(after_help = "Example:\n  pairwave git claim 'src/auth/**' docs/login.md --note \"the login\"")]
    Claim {
        /// Files, folders or patterns
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<String>,
        /// What for, for the others to read
        #[arg(long)]
        note: Option<String>,
        #[command(flatten)]
        room: RoomArg,
    },
    /// Release paths that this side has claimed, also those of its agents
    #[command(after_help = "Example:\n  pairwave git release 'src/auth/**'")]
    Release {
        /// As they were claimed; all if left out
        #[arg(value_name = "PATH")]
        paths: Vec<String>,
        #[command(flatten)]
        room: RoomArg,
    },
    /// Announce a commit that the others can pull
    #[command(after_help = "Example:\n  pairwave git commit HEAD")]
    Commit {
        /// Any name that git knows it by
        #[arg(default_value = "HEAD", value_name = "COMMIT")]
        name: String,
        #[command(flatten)]
        room: RoomArg,
    },
}

pub async fn run(args: Args, caller: &Caller) -> Ended {
    let view = match args.action {
        None => caller.ask(ShowGit { room: args.room.room }).await?,
        Some(Action::Status { room }) => caller.ask(ShowGit { room: room.room }).await?,
        Some(Action::Setup { repo, branch, base_commit, strategy, room }) => {
            let dir = &caller.dir;
            let news = caller.ask(ShowGit { room: room.room.clone() }).await?.commits;
            let news: Vec<String> = news.into_iter().filter(|commit| commit.to_pull).map(|commit| commit.sha).collect();
            let ask = SetUpGit {
                room: room.room,
                repo: repo.or_else(|| project::repository(dir)),
                branch: branch.or_else(|| project::branch(dir)),
                base_commit: base_commit.or_else(|| project::base(dir, &news)),
                strategy,
            };
            caller.ask(ask).await?
        }
        Some(Action::Claim { paths, note, room }) => {
            let paths = project::from_top(&caller.dir, paths);
            match caller.ask(ClaimPaths { room: room.room.clone(), paths, note }).await {
                Err(Stop::Failed(failure)) => return Err(with_the_claim(failure, room, caller).await),
                asked => asked?,
            }
        }
        Some(Action::Release { paths, room }) => {
            let paths = project::from_top(&caller.dir, paths);
            caller.ask(ReleasePaths { room: room.room, paths }).await?
        }
        Some(Action::Commit { name, room }) => {
            let commit = project::commit(&caller.dir, &name).ok_or_else(|| no_commit(&name))?;
            let project::Head { sha, subject, paths } = commit;
            let branch = project::branch(&caller.dir);
            caller.ask(AnnounceCommit { room: room.room, sha, message: subject, branch, paths }).await?
        }
    };
    caller.output.answer(&view, |view| told(view, Timestamp::now(), page::width()))
}

/// Says what is claimed there and what for, where that is why it failed.
async fn with_the_claim(failure: Failure, room: RoomArg, caller: &Caller) -> Stop {
    let Some(event) = failure.candidates.first().filter(|_| failure.rule == "path_taken") else {
        return failure.into();
    };
    let view = caller.ask(ShowGit { room: room.room }).await.unwrap_or_default();
    let claim = view.claims.iter().find(|claim| claim.claim == *event);
    let message = match claim {
        Some(claim) => format!("{}. {}", failure.message.trim_end_matches('.'), claimed(claim, Timestamp::now())),
        None => failure.message.clone(),
    };
    Failure { message, ..failure }.into()
}

fn no_commit(name: &str) -> Stop {
    let message = format!("git knows no commit `{}` here.", plain::line(name));
    Failure::new(Code::Usage, "no_commit", message, "Run it in the repository, after a `git commit`.").into()
}

fn told(view: &GitView, now: Timestamp, width: usize) -> String {
    let mut out = String::new();
    let mut say = |text: &str| out.push_str(&page::paragraph(text, width));
    view.pull.iter().for_each(|pull| say(&capital(&plain::line(&pull.text))));
    view.warnings.iter().for_each(|warning| say(&plain::line(warning)));
    view.conflicts.iter().for_each(|conflict| say(&format!("Conflict: {}.", plain::line(&conflict.text))));
    if view.claims.is_empty() {
        say("Nobody has claimed anything.");
    }
    view.claims.iter().for_each(|claim| say(&claimed(claim, now)));
    for side in &view.sides {
        let base = side.base_commit.as_deref().map(|base| format!(", has {}", short(base))).unwrap_or_default();
        let who = if side.me { "You work".to_owned() } else { format!("{} works", plain::line(&side.name)) };
        let (branch, repo) = (plain::line(&side.branch), plain::line(&side.repo));
        say(&format!("{who} on {branch} in {repo}{base} ({}).", side.strategy.replace('_', " ")));
    }
    for commit in &view.commits {
        let new = if commit.to_pull { "new: " } else { "" };
        let who = if commit.me { "you".to_owned() } else { plain::line(&commit.name) };
        say(&format!("{new}{} by {who}: {}", short(&commit.sha), plain::line(&commit.message)));
    }
    say(&plain::line(&view.next));
    out
}

fn claimed(claim: &PathClaim, now: Timestamp) -> String {
    let note = claim.note.as_deref().map(|note| format!(": “{}”", plain::line(note))).unwrap_or_default();
    let paths: Vec<String> = claim.paths.iter().map(|path| plain::line(path)).collect();
    let since = when::ago(&claim.since, now);
    format!("{} has {} ({since}){note}", claimant(claim), paths.join(", "))
}

/// Who works on something.
pub fn claimant(claim: &PathClaim) -> String {
    let (name, session) = (plain::line(&claim.name), plain::line(&claim.session_name));
    if claim.origin == "agent" { format!("{name} ({session})") } else { name }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use pairwave_api::{GitPull, GitSide};

    use super::*;

    #[test]
    fn a_screen_says_what_to_pull_who_has_what_and_where_all_work() {
        let view = GitView {
            pull: Some(GitPull { commits: 1, paths: Vec::new(), text: "pull: 1 new commit touches src".into() }),
            claims: vec![PathClaim {
                name: "bob\u{1b}[2J".into(),
                session_name: "winter-bay".into(),
                origin: "agent".into(),
                paths: vec!["src/auth/**".into()],
                note: Some("the\nlogin".into()),
                since: "2026-11-20T10:00:00Z".into(),
                ..PathClaim::default()
            }],
            sides: vec![GitSide {
                me: true,
                branch: "main".into(),
                repo: "p.git".into(),
                strategy: "shared_branch".into(),
                ..GitSide::default()
            }],
            next: "Pull.".into(),
            ..GitView::default()
        };
        let now = "2026-11-20T10:05:00Z".parse().unwrap();
        assert_eq!(
            told(&view, now, 100),
            "Pull: 1 new commit touches src\nbob (winter-bay) has src/auth/** (5 minutes ago): “the login”\n\
             You work on main in p.git (shared branch).\nPull.\n"
        );
    }
}
