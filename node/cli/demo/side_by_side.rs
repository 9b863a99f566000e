//! Two in one repository: nobody works on what the other has claimed, and each hears what there is to pull.

use std::time::Instant;

use owo_colors::OwoColorize;
use serde_json::{Value, json};

use super::agent::Agent;
use super::narrator::Narrator;
use super::story::{unexpected, wait_for};
use crate::output::Stop;

const FILE: &str = "src/lexer.rs";

/// Bob's agent claims a file, Alice's may not have it, too.
pub async fn claim(narrator: &Narrator, [hers, his]: &[Agent; 2]) -> Result<(), Stop> {
    narrator.act("They work side by side")?;
    let begun = Instant::now();
    for agent in [hers, his] {
        let setup = json!({ "op": "setup", "repo": "parser.git", "branch": "main", "strategy": "shared_branch" });
        agent.call("pair_git", setup).await?;
    }
    his.call("pair_git", json!({ "op": "claim", "paths": [FILE], "note": "spans after tabs" })).await?;
    narrator.step("bob", &format!("{} claims {FILE} before it edits it", his.name.bold()), Some(begun.elapsed()))?;
    let begun = Instant::now();
    let seen = |git: &Value| git["git"]["claims"].as_array().is_some_and(|claims| !claims.is_empty());
    wait_for(|| hers.call("pair_git", json!({ "op": "status" })), seen).await?;
    match hers.call("pair_git", json!({ "op": "claim", "paths": ["src/*.rs"] })).await {
        Err(refusal) if refusal.rule == "path_taken" => {}
        other => return Err(unexpected("a file was claimed twice", &json!(other.ok())).into()),
    }
    hers.call("pair_git", json!({ "op": "claim", "paths": ["src/parser/**"], "note": "trailing commas" })).await?;
    let what = format!("{} may not have src/*.rs, since bob works in it; it takes src/parser/**", hers.name.bold());
    narrator.step("alice", &what, Some(begun.elapsed()))
}

/// What was applied is committed, and there to be pulled.
pub async fn commit(narrator: &Narrator, [hers, his]: &[Agent; 2]) -> Result<(), Stop> {
    let begun = Instant::now();
    let commit = json!({ "op": "commit", "sha": "9fe1a20", "message": "Count a tab as four columns", "paths": [FILE] });
    his.call("pair_git", commit).await?;
    his.call("pair_git", json!({ "op": "release" })).await?;
    narrator.step("bob", &format!("{} commits it, and gives {FILE} up", his.name.bold()), Some(begun.elapsed()))?;
    let begun = Instant::now();
    let told = |git: &Value| git["git"]["pull"].is_object();
    wait_for(|| hers.call("pair_git", json!({ "op": "status" })), told).await?;
    let what = format!("{} is told:  {}", hers.name.bold(), format_args!("pull: 1 new commit touches {FILE}").italic());
    narrator.step("alice", &what, Some(begun.elapsed()))
}
