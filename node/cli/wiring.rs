//! What `init` and `join` leave in a project folder, so that an agent host finds the room there.

use std::path::{Path, PathBuf};

use mcp::wiring::{Change, ChangeKind};
use serde::Serialize;

use crate::caller::Caller;
use crate::prose::{list, page, plain};

/// Outcome of the wiring. A folder that cannot be wired has its room all the same.
#[derive(Debug, Default, Serialize)]
pub struct Wired {
    /// Files that were written.
    wired: Vec<PathBuf>,
    /// What was left alone, or failed, with the next step.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_wired: Vec<String>,
}

/// Makes the folder known to agent hosts, unless the caller wants none of that.
pub fn wire(dir: &Path, unwanted: bool, caller: &Caller) -> Wired {
    if unwanted {
        return Wired::default();
    }
    let wired = std::env::current_exe()
        .map_err(|error| format!("This program cannot tell where it is: {error}. Install it again, or pass --no-wire."))
        .and_then(|exe| mcp::wire(dir, &exe, caller.chosen_home()).map_err(|error| error.to_string()));
    match wired {
        Ok(changes) => summed_up(&changes),
        Err(problem) => Wired { not_wired: vec![problem], ..Wired::default() },
    }
}

fn summed_up(changes: &[Change]) -> Wired {
    let mut wired = Wired::default();
    for change in changes {
        match change.kind {
            ChangeKind::Created | ChangeKind::Updated => wired.wired.push(change.path.clone()),
            ChangeKind::Unchanged => {}
            ChangeKind::LeftAlone => wired.not_wired.push(change.to_string()),
        }
    }
    wired
}

impl Wired {
    /// A closing remark, or nothing if nothing changed.
    pub fn told(&self, dir: &Path) -> String {
        let width = page::width();
        let mut out = String::new();
        if !self.wired.is_empty() {
            let inside = |path: &PathBuf| plain::line(&path.strip_prefix(dir).unwrap_or(path).to_string_lossy());
            let files: Vec<String> = self.wired.iter().map(inside).collect();
            let text = format!("Agents started in this folder find the room from now on ({}).", list(&files));
            out.push_str(&page::paragraph(&text, width));
        }
        for problem in &self.not_wired {
            let text = format!("The folder could not be prepared for agents: {}", plain::text(problem));
            out.push_str(&page::paragraph(&text, width));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changed_is_told() {
        let change = |name: &str, kind| Change { path: PathBuf::from("/p").join(name), kind };
        let told = |changes: &[Change]| summed_up(changes).told(Path::new("/p"));
        assert_eq!(told(&[change("a", ChangeKind::Unchanged)]), "");
        let both = told(&[change(".mcp.json", ChangeKind::Updated), change("S.md", ChangeKind::Created)]);
        assert!(both.contains("(.mcp.json and S.md)"), "{both}");
        assert!(told(&[change("S.md", ChangeKind::LeftAlone)]).contains("could not be prepared"));
    }
}
