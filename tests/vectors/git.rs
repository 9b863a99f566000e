//! Events about git, and which pathspecs overlap.

use pairwave_core::claims::{ClaimsExpired, PathsClaimed, PathsReleased};
use pairwave_core::event::Body;
use pairwave_core::git::{Committed, GitSetUp, Strategy};
use pairwave_core::members::Genesis;
use pairwave_core::pathspec::Pathspec;

use super::events::{ALICE, Log};
use super::*;

/// Two at a time.
const PATHSPECS: [[&str; 2]; 24] = [
    ["src/*.ts", "src/auth/**"],
    ["src/*.ts", "SRC/Auth/login.ts"],
    ["src/auth", "src/auth/login.ts"],
    ["src/auth", "src/authors"],
    ["./src//auth/", "src/auth"],
    [".", "a/b"],
    ["src/**/mod.rs", "src/mod.rs"],
    ["src/**/mod.rs", "src/amod.rs"],
    ["{**/,docs/}a", "a"],
    ["src/{a,{b,c}}", "src/c/x"],
    ["src/{a,b}", "src/c"],
    ["{a}", "a"],
    ["a{", "a{"],
    ["[a-c]x", "bx"],
    ["[a-c]x", "dx"],
    ["[!a-c]x", "dx"],
    ["[^a-c]x", "cx"],
    ["app/[id]", "app/[id]/page.tsx"],
    ["a[", "a"],
    ["a?c", "a/c"],
    ["README.md", "**/*.ts"],
    ["README.md/", "**/*.ts"],
    ["README.md", "README.md/x.ts"],
    [".github", "**/*.yml"],
];

const MALFORMED: [&str; 8] = ["", " ", "/etc", "~/x", ":(top)x", "a/../b", "{..,a}", "a\\b"];

#[test]
fn git() {
    let mut log = Log::new();
    let genesis = Genesis { nonce: counting(1), title: "Kiosk".into(), name: "alice".into(), rules: 1 };
    log.add(ALICE, Body::Genesis(genesis));
    let said = GitSetUp {
        repo: "git@example.org:kiosk.git".into(),
        branch: "main".into(),
        base_commit: None,
        strategy: Strategy::SharedBranch,
    };
    log.add(ALICE, Body::GitSetUp(said.clone()));
    let (strategy, base_commit) = (Strategy::BranchPerPerson, Some("0123abcd".into()));
    log.add(ALICE, Body::GitSetUp(GitSetUp { strategy, base_commit, ..said }));
    let commit = Committed { sha: "0123abcd".into(), message: "Weigh".into(), branch: None, paths: Vec::new() };
    log.add(ALICE, Body::Committed(commit.clone()));
    let (branch, paths) = (Some("scales".into()), vec!["menu/Eis.txt".into()]);
    log.add(ALICE, Body::Committed(Committed { branch, paths, ..commit }));
    let paths = vec!["menu/**".to_owned(), "*.txt".into()];
    let claim = log.add(ALICE, Body::PathsClaimed(PathsClaimed { paths: paths.clone(), note: None }));
    log.add(ALICE, Body::PathsClaimed(PathsClaimed { paths: paths.clone(), note: Some("prices".into()) }));
    log.add(ALICE, Body::PathsReleased(PathsReleased { paths: Vec::new() }));
    log.add(ALICE, Body::PathsReleased(PathsReleased { paths }));
    log.add(ALICE, Body::ClaimsExpired(ClaimsExpired { claims: vec![claim] }));
    let overlap = PATHSPECS.map(|[a, b]| {
        let overlaps = Pathspec::parse(a).unwrap().overlaps(&Pathspec::parse(b).unwrap());
        json!({"a": a, "b": b, "overlap": overlaps})
    });
    assert!(MALFORMED.iter().all(|text| Pathspec::parse(text).is_err()));
    check("git.json", &json!({"events": log.vectors, "pathspecs": overlap, "malformed": MALFORMED}));
}
