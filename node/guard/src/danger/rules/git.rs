//! What git cannot take back.

use super::{Rule, Seen, inner};
use crate::danger::Risk;
use crate::danger::call::Call;

pub const RULES: &[Rule] = &[
    Rule {
        id: "force-push",
        risk: Risk::High,
        reason: "It overwrites or deletes what others have pushed.",
        seen: Seen::Call(|call| git(call).is_some_and(|git| pushes_by_force(&git))),
        dangerous: &[
            "git push --force",
            "git push -f origin main",
            "git push -uf origin main",
            "git push --force-with-lease",
            "git push origin +main",
            "git push origin :old",
            "git push --delete origin old",
            "git push --mirror",
            "git -C x push --force",
            "git -c a.b=c push -f",
            "GIT_DIR=x git push -f",
            "git push origin main && git push -f",
        ],
        harmless: &[
            "git push",
            "git push origin main",
            "git push -u origin feature",
            "git push --tags",
            "git fetch -f",
        ],
    },
    Rule {
        id: "history-rewriting",
        risk: Risk::High,
        reason: "It rewrites or throws away commits or work that is not committed.",
        seen: Seen::Call(|call| git(call).is_some_and(|git| rewrites(&git)) || call.is(&["bfg", "git-filter-repo"])),
        dangerous: &[
            "git reset --hard HEAD~3",
            "git rebase -i HEAD~5",
            "git rebase main",
            "git commit --amend --no-edit",
            "git filter-branch --all",
            "git filter-repo --path x",
            "git clean -fdx",
            "git branch -D old",
            "git reflog expire --expire=now --all",
            "git gc --prune=now",
            "git update-ref -d refs/heads/x",
            "git stash clear",
            "git tag -d v1",
            "git checkout -f main",
        ],
        harmless: &[
            "git rebase --abort",
            "git rebase --continue",
            "git reset file.rs",
            "git commit -m 'Reset --hard is gone'",
            "git clean -n",
            "git clean -nfd",
            "git branch -d merged",
            "git branch",
            "git stash",
            "git stash pop",
            "git tag v1",
            "git checkout main",
            "git log --oneline",
            "git diff --stat",
            "git merge feature",
            "git cherry-pick abc",
            "git revert HEAD",
            "git pull",
        ],
    },
    Rule {
        id: "git-config",
        risk: Risk::High,
        reason: "It makes git run another program, or talk to another place, from now on.",
        seen: Seen::Call(|call| configures(call) || git(call).is_some_and(|git| sets(&git))),
        dangerous: &[
            "git config core.hooksPath /tmp/x",
            "git config --global core.sshCommand 'ssh -i x'",
            "git config --global alias.st '!curl x'",
            "git -c core.fsmonitor=./x status",
            "git config --global url.https://x.invalid/.insteadOf https://github.com/",
            "git config credential.helper store",
        ],
        harmless: &[
            "git config user.name alice",
            "git config --list",
            "git config --get core.hooksPath",
            "git -c color.ui=never log",
        ],
    },
];

/// What git is told to do.
fn git<'a>(call: &Call<'a>) -> Option<Call<'a>> {
    if !call.is(&["git", "hub"]) {
        return None;
    }
    inner(call, &["-C", "-c", "--git-dir", "--work-tree", "--namespace", "--exec-path", "--config-env"])
}

fn pushes_by_force(git: &Call<'_>) -> bool {
    git.name == "push"
        && (git.option('f', "force")
            || git.texts().any(|text| text.starts_with("--force"))
            || git.option('d', "delete")
            || git.option(' ', "mirror")
            || git.option(' ', "prune")
            || git.operands().any(|text| text.starts_with(['+', ':'])))
}

fn rewrites(git: &Call<'_>) -> bool {
    match git.name.as_str() {
        "reset" => git.option(' ', "hard"),
        "rebase" => !git.has(&["--abort", "--continue", "--skip", "--quit", "--show-current-patch", "--edit-todo"]),
        "commit" => git.option(' ', "amend"),
        "filter-branch" | "filter-repo" | "replace" => true,
        "clean" => git.option('f', "force") && !git.option('n', "dry-run"),
        "branch" => {
            git.option('D', "") || git.option('M', "") || (git.option('d', "delete") && git.option('f', "force"))
        }
        "reflog" => git.has(&["expire", "delete"]),
        "gc" => git.texts().any(|text| text.starts_with("--prune=")),
        "prune" => true,
        "update-ref" => git.option('d', "delete") || git.has(&["--stdin"]),
        "stash" => git.has(&["drop", "clear"]),
        "tag" => git.option('d', "delete") || git.option('f', "force"),
        "checkout" | "switch" => git.option('f', "force") || git.option(' ', "discard-changes"),
        "worktree" => git.has(&["remove"]) && git.option('f', "force"),
        _ => false,
    }
}

/// Settings whose values git runs, or that lead elsewhere.
fn runs(setting: &str) -> bool {
    let lower = setting.to_lowercase();
    let names = [
        "core.hookspath",
        "core.sshcommand",
        "core.fsmonitor",
        "core.editor",
        "core.pager",
        "core.askpass",
        "core.gitproxy",
        "core.worktree",
        "sequence.editor",
        "diff.external",
        "init.templatedir",
        "credential.helper",
        "gpg.program",
        "uploadpack.packobjectshook",
        "http.proxy",
        "http.sslverify",
        "include.path",
        "safe.directory",
        "protocol.ext.allow",
        "sendemail.smtpserver",
    ];
    names.contains(&lower.as_str())
        || ["filter.", "url.", "pager.", "includeif.", "difftool.", "mergetool.", "merge."].iter().any(|start| {
            lower.starts_with(start)
                && [".clean", ".smudge", ".process", ".insteadof", ".pushinsteadof", ".cmd", ".path", ".driver"]
                    .iter()
                    .any(|end| lower.ends_with(end))
        })
}

fn configures(call: &Call<'_>) -> bool {
    let mut texts = call.texts();
    while let Some(text) = texts.next() {
        let setting = if text == "-c" { texts.next() } else { text.strip_prefix("--config-env=") };
        let Some((name, value)) = setting.and_then(|setting| setting.split_once('=')) else { continue };
        if call.is(&["git"]) && (runs(name) || value.starts_with('!')) {
            return true;
        }
    }
    false
}

fn sets(git: &Call<'_>) -> bool {
    let reads =
        git.texts().any(|text| text.starts_with("--get") || text == "--unset" || text == "--list" || text == "-l")
            || matches!(git.operand(0), "get" | "list" | "unset");
    git.name == "config"
        && !reads
        && git
            .operands()
            .zip(git.operands().skip(1))
            .any(|(name, value)| runs(name) || (name.starts_with("alias.") && value.starts_with('!')))
}
