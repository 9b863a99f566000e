//! Two people in clones of one repository: who claims what, what a commit is refused for, and what the
//! other one is told to pull.

use serde_json::{Value, json};

use crate::lab::Lab;
use crate::patience::until;
use crate::person::{BINARY, Person, Ran, no_human_here};
use crate::story::two_without_bounds;

async fn git(person: &Person, arguments: &[&str]) -> Ran {
    let identity = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"];
    let mut command = person.program("git");
    command.args(identity).args(arguments);
    person.finish(command).await
}

async fn repository(person: &Person) {
    assert_eq!(git(person, &["init", "--quiet", "--initial-branch", "main"]).await.code, 0);
}

fn write(person: &Person, path: &str, text: &str) {
    let path = person.dir.join(path);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(path, text).expect("a file");
}

fn hook(person: &Person) {
    use std::os::unix::fs::PermissionsExt;
    let path = person.dir.join(".git/hooks/pre-commit");
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(&path, format!("#!/bin/sh\nexec '{BINARY}' hook pre-commit\n")).expect("a hook");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("an executable hook");
}

/// The room is bound to the main one; what others claimed counts there as well.
async fn in_another_working_tree(person: &Person) {
    let beside = person.dir.with_file_name("beside");
    let place = beside.to_str().expect("a path");
    assert_eq!(git(person, &["worktree", "add", "--quiet", "--orphan", "-b", "beside", place]).await.code, 0);
    std::fs::create_dir_all(beside.join("src/auth")).expect("a folder");
    std::fs::write(beside.join("src/auth/login.ts"), "y").expect("a file");
    assert_eq!(git(person, &["-C", place, "add", "."]).await.code, 0);
    let refused = git(person, &["-C", place, "commit", "--quiet", "--message", "all"]).await;
    assert!(refused.code != 0 && refused.err.contains("src/auth/login.ts: alice"), "{}", refused.err);
}

fn has(claims: &Value, path: &str) -> bool {
    let claims = claims["claims"].as_array().expect("claims");
    claims.iter().any(|claim| claim["paths"].as_array().is_some_and(|paths| paths.contains(&json!(path))))
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_commits_over_what_the_other_has_claimed_and_hears_of_new_commits() {
    if no_human_here() {
        return;
    }
    let lab = Lab::new().await;
    let (alice, bob) = two_without_bounds(&lab).await;
    repository(&bob).await;
    let (hers, his) = (alice.agent().await, bob.agent().await);

    let setup = json!({ "op": "setup", "repo": "p.git", "branch": "main", "strategy": "shared branch" });
    hers.ask("pair_git", setup).await;
    let claim = json!({ "op": "claim", "paths": ["src/auth/**"], "note": "the login" });
    let claimed = hers.ask("pair_git", claim).await;
    assert_eq!((&claimed["git"]["claims"][0]["yours"], &claimed["trust"]), (&json!(true), &json!("peer")));
    until("bob sees the claim", async || has(&bob.ask(&["git"]).await, "src/auth/**").then_some(())).await;
    let refused = his.refusal("pair_git", json!({ "op": "claim", "paths": ["docs", "src/*.ts"] })).await;
    assert_eq!(refused["rule"], "path_taken", "{refused}");
    let message = refused["message"].as_str().expect("a message");
    assert!(message.contains("src/*.ts") && message.contains("alice"), "{message}");
    let refused = his.call("pair_git", json!({ "op": "claim", "paths": ["src/*.ts"] })).await.expect("an answer");
    let why = &refused.content.last().and_then(|part| part.as_text()).expect("a text").text;
    let sealed = why.contains("<peer-message ") && why.contains("| src/auth/**\n| the login");
    assert!(sealed, "{why}");
    let shared = json!({ "headline": "a fix", "content": "x", "path_hint": "src/auth/login.ts" });
    his.ask("pair_claim", json!({})).await;
    let shared = his.ask("pair_share_code", shared).await;
    assert_eq!(shared["warnings"][0]["excerpt"], "src/auth/login.ts", "{shared}");

    hook(&bob);
    write(&bob, "src/auth/login.ts", "x");
    write(&bob, "README.md", "x");
    assert_eq!(git(&bob, &["add", "."]).await.code, 0);
    let refused = git(&bob, &["commit", "--quiet", "--message", "all"]).await;
    assert!(refused.code != 0 && refused.err.contains("src/auth/login.ts: alice"), "{}", refused.err);
    in_another_working_tree(&bob).await;
    assert_eq!(git(&bob, &["rm", "--quiet", "--cached", "-r", "src"]).await.code, 0);
    let committed = git(&bob, &["commit", "--quiet", "--message", "Say what it is"]).await;
    assert_eq!((committed.code, &committed.err[..]), (0, ""));
    bob.ask(&["git", "setup"]).await;
    bob.ask(&["git", "commit"]).await;

    let told = until("alice is told to pull", async || {
        let git = hers.ask("pair_git", json!({ "op": "status" })).await["git"].clone();
        git["pull"].is_object().then_some(git)
    })
    .await;
    assert_eq!(told["pull"]["text"], "pull: 1 new commit touches README.md");
    assert_eq!(
        (&told["commits"][0]["message"], &told["commits"][0]["name"]),
        (&json!("Say what it is"), &json!("bob"))
    );
    hers.finds("what to pull", |item| item["kind"] == "pull" && item["headline"] == told["pull"]["text"]).await;
    let head = told["commits"][0]["sha"].clone();
    let pulled = hers.ask("pair_git", json!({ "op": "setup", "base_commit": head })).await;
    assert_eq!((&pulled["git"]["pull"], &pulled["git"]["sides"].as_array().expect("sides").len()), (&json!(null), &2));

    // What others changed comes in by a merge.
    for arguments in [
        &["checkout", "--quiet", "-b", "alices", "HEAD"][..],
        &["add", "src"],
        &["commit", "--quiet", "--no-verify", "--message", "The login"],
        &["checkout", "--quiet", "main"],
        &["merge", "--quiet", "--no-ff", "--no-commit", "alices"],
        &["commit", "--quiet", "--message", "Merge the login"],
    ] {
        let ran = git(&bob, arguments).await;
        assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.err);
    }

    hers.ask("pair_git", json!({ "op": "release" })).await;
    until("bob may have it now", async || {
        let claimed = his.call("pair_git", json!({ "op": "claim", "paths": ["src/*.ts"] })).await.expect("an answer");
        (claimed.is_error != Some(true)).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_lets_a_commit_pass_where_nobody_can_be_asked() {
    let lab = Lab::new().await;
    let alice = lab.person("alice").await;
    repository(&alice).await;
    hook(&alice);
    write(&alice, "README.md", "x");
    assert_eq!(git(&alice, &["add", "."]).await.code, 0);
    let committed = git(&alice, &["commit", "--quiet", "--message", "all"]).await;
    assert_eq!(committed.code, 0, "{}", committed.err);
    assert!(!alice.home.exists(), "it starts no companion");
}
