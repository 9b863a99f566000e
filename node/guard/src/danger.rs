//! How dangerous an action is.
//!
//! A table of [`rules()`] says what is dangerous and why. Commands are read as a shell reads them and
//! walked through to the last one that they would run; patches and files are looked at for where
//! they are and for what they would run; addresses for where they lead.

mod call;
mod content;
mod foreign;
mod grammar;
mod nested;
mod output;
mod rules;
#[cfg(test)]
mod tests;
mod walk;
mod words;

use crate::patch::Patch;
use rules::{Rule, network, places};

/// Characters of an excerpt.
const EXCERPT: usize = 160;

/// Warnings of one action.
const MAX_WARNINGS: usize = 64;

/// How much an action can break. Ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Risk {
    Low,
    Medium,
    High,
}

/// What somebody wants done on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action<'a> {
    RunCommand { command: &'a str },
    WriteFile { path: &'a str, content: &'a str },
    ApplyPatch { patch: &'a str },
    FetchUrl { url: &'a str },
}

/// Something that a human should know before it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Id of the rule, as in its table.
    pub rule: &'static str,
    pub risk: Risk,
    /// One sentence.
    pub reason: &'static str,
    /// What it was seen in, shortened; controls and what hides show as replacement characters.
    pub excerpt: String,
}

/// What the rules say of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The highest of the action's own risk and those of the warnings.
    pub risk: Risk,
    pub warnings: Vec<Warning>,
}

/// Ids, risks and reasons of all rules.
pub fn rules() -> impl Iterator<Item = (&'static str, Risk, &'static str)> {
    rules::all().map(|rule| (rule.id, rule.risk, rule.reason))
}

/// Judges an action. What cannot be understood is high.
pub fn judge(action: &Action<'_>) -> Judgement {
    let (base, mut warnings) = match action {
        Action::RunCommand { command } => (Risk::High, walk::Walk::of(command)),
        Action::WriteFile { path, content } => (Risk::Medium, of_file(path, content)),
        Action::ApplyPatch { patch } => (Risk::Medium, of_patch(patch)),
        Action::FetchUrl { url } => {
            (Risk::Low, network::of_url(url).into_iter().map(|rule| warning(rule, url)).collect())
        }
    };
    warnings.truncate(MAX_WARNINGS);
    let risk = warnings.iter().map(|warning| warning.risk).fold(base, Risk::max);
    Judgement { risk, warnings }
}

/// Looks into what is shared, but not yet meant to be done: a patch, or a text that may be written
/// to a file of that name.
pub fn inspect(content: &str, is_patch: bool, path_hint: Option<&str>) -> Vec<Warning> {
    let mut warnings = match path_hint {
        _ if is_patch => of_patch(content),
        Some(path) => of_file(path, content),
        None => content::of_text("", content),
    };
    warnings.truncate(MAX_WARNINGS);
    warnings
}

fn of_file(path: &str, content: &str) -> Vec<Warning> {
    let mut warnings: Vec<Warning> = places::of_path(path).into_iter().map(|rule| warning(rule, path)).collect();
    warnings.extend(content::of_text(path, content));
    warnings
}

fn of_patch(text: &str) -> Vec<Warning> {
    let patch = match Patch::parse(text) {
        Ok(patch) => patch,
        Err(error) => return vec![warning(places::UNREADABLE, &error.to_string())],
    };
    let mut warnings = Vec::new();
    for file in &patch.files {
        warnings.extend(places::of_file(file).into_iter().map(|rule| warning(rule, file.path())));
        warnings.extend(content::of_changes(file));
        if warnings.len() > MAX_WARNINGS {
            break;
        }
    }
    warnings
}

/// A warning of a rule.
fn warning(rule: &'static Rule, excerpt: &str) -> Warning {
    let shown = |c: char| if crate::paths::hides(c) && c != '\n' { '\u{fffd}' } else { c };
    let mut characters = excerpt.trim().chars().map(shown).map(|c| if c == '\n' { ' ' } else { c });
    let mut excerpt: String = characters.by_ref().take(EXCERPT).collect();
    if characters.next().is_some() {
        excerpt.push('…');
    }
    Warning { rule: rule.id, risk: rule.risk, reason: rule.reason, excerpt }
}
