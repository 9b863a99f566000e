//! The danger guard, met by cases from somebody who has not seen its rules.

mod cases;

use cases::Case;
use pairwave_guard::danger::{Action, Judgement, Risk, judge};

#[test]
fn what_is_dangerous_is_of_high_risk_and_says_why() {
    let missed = wrong(cases::dangerous::CASES, |judgement| {
        matches!(judgement.risk, Risk::High) && !judgement.warnings.is_empty()
    });
    assert!(missed.is_empty(), "{}", told("dangerous cases are not of high risk", cases::dangerous::CASES, &missed));
}

#[test]
fn what_is_harmless_passes_in_silence() {
    let flagged = wrong(cases::harmless::CASES, |judgement| judgement.warnings.is_empty());
    assert!(flagged.is_empty(), "{}", told("harmless cases are warned of", cases::harmless::CASES, &flagged));
}

fn wrong(cases: &[Case], right: impl Fn(&Judgement) -> bool) -> Vec<String> {
    let all = cases.iter().map(|case| (*case, judged(*case)));
    all.filter(|(_, judgement)| !right(judgement)).map(|(case, judgement)| line(case, &judgement)).collect()
}

fn judged(case: Case) -> Judgement {
    let action = match case {
        Case::Run(command) => Action::RunCommand { command },
        Case::Write { path, content } => Action::WriteFile { path, content },
        Case::Patch(patch) => Action::ApplyPatch { patch },
        Case::Fetch(url) => Action::FetchUrl { url },
    };
    judge(&action)
}

fn line(case: Case, judgement: &Judgement) -> String {
    let what = match case {
        Case::Run(command) => format!("run\n{command}"),
        Case::Write { path, content } => format!("write {path}\n{content}"),
        Case::Patch(patch) => format!("patch\n{patch}"),
        Case::Fetch(url) => format!("fetch {url}"),
    };
    let mut line = what.trim_end().replace('\n', "\n      | ");
    line.push_str(&format!("\n      => {:?}", judgement.risk));
    for warning in &judgement.warnings {
        line.push_str(&format!(
            "\n         {:?} ({:?}): {} [{}]",
            warning.rule, warning.risk, warning.reason, warning.excerpt
        ));
    }
    line
}

fn told(what: &str, cases: &[Case], wrong: &[String]) -> String {
    let mut text = format!("{} of {} {what}:\n", wrong.len(), cases.len());
    for line in wrong {
        text.push_str(&format!("  - {line}\n"));
    }
    text
}
