//! What came of the crossings, as the document shows it.

use std::fmt::Write;

use serde_json::Value;

use crate::run::Run;

pub fn table(runs: &[&Run]) -> String {
    let mut text = String::from(
        "| path | sites | lost | doubled | same order | seconds from each trouble until both heard what the other said after it | |\n|---|---|---|---|---|---|---|\n",
    );
    for run in runs {
        let name = run.task.name();
        let name = name.trim_start_matches("crossing/");
        let row = match &run.result {
            Err(why) => format!("| | | | {why} | {}", if run.was_run() { "**no**" } else { "" }),
            Ok(row) => cells(row),
        };
        let _ = writeln!(text, "| {name} {row} |");
    }
    text
}

fn cells(row: &Value) -> String {
    let steps: Vec<String> = row["steps"].as_array().into_iter().flatten().map(step_told).collect();
    let verdict = if row["ok"] == true {
        String::new()
    } else {
        format!("**not as it should be** {}", row["note"].as_str().unwrap_or_default())
    };
    let order = if row["same_order"] == true { "yes" } else { "**no**" };
    let sites = row["sites"].as_str().unwrap_or_default();
    format!("| {sites} | {} | {} | {order} | {} | {verdict}", row["lost"], row["doubled"], steps.join(", "))
}

fn step_told(step: &Value) -> String {
    let took = step["back_s"].as_f64().map_or("**not in time**".to_owned(), |took| format!("{took:.1}"));
    let (before, after) = (step["path_before"][1].as_str(), step["path_after"][1].as_str());
    let off = before.filter(|_| step["on_path"] == false).map(|path| format!(" (on {path})")).unwrap_or_default();
    let moved = after.filter(|_| before != after).map(|path| format!(" (to {path})")).unwrap_or_default();
    format!("{} {took}{off}{moved}", step["trouble"].as_str().unwrap_or_default())
}
