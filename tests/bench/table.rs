//! The table: what was measured, what it is to reach, and whether it does.

use std::fmt;

use crate::machine::Machine;

/// One line.
pub struct Row {
    what: String,
    figure: String,
    target: String,
    verdict: Verdict,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Reached,
    Missed,
    /// There is nothing to reach.
    Plain,
    NotRun,
    Broken,
}

impl Row {
    /// A figure that something is asked of.
    pub fn judged(what: &str, figure: String, target: String, reached: bool) -> Self {
        let verdict = if reached { Verdict::Reached } else { Verdict::Missed };
        Self { what: what.to_owned(), figure, target, verdict }
    }

    /// A figure to compare others with.
    pub fn plain(what: &str, figure: String) -> Self {
        Self { what: what.to_owned(), figure, target: String::new(), verdict: Verdict::Plain }
    }

    pub fn not_run(what: &str, why: &str) -> Self {
        Self {
            what: what.to_owned(),
            figure: format!("not run: {why}"),
            target: String::new(),
            verdict: Verdict::NotRun,
        }
    }

    pub fn broken(what: &str, why: &dyn fmt::Display) -> Self {
        let figure = format!("broken: {}", why.to_string().replace('\n', " "));
        Self { what: what.to_owned(), figure, target: String::new(), verdict: Verdict::Broken }
    }

    /// How a row travels from one process to another.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!([self.what, self.figure, self.target, self.verdict == Verdict::Reached])
    }

    /// Reads a judged row of another process.
    pub fn from_json(json: &serde_json::Value) -> Option<Self> {
        let text = |at: usize| json[at].as_str().map(str::to_owned);
        Some(Self::judged(&text(0)?, text(1)?, text(2)?, json[3].as_bool()?))
    }

    fn verdict(&self) -> &'static str {
        match self.verdict {
            Verdict::Reached => "yes",
            Verdict::Missed => "**no**",
            Verdict::Plain | Verdict::NotRun => "",
            Verdict::Broken => "**broken**",
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.figure)?;
        match self.verdict {
            Verdict::Reached | Verdict::Missed => write!(f, " (to reach: {}; {})", self.target, self.verdict()),
            Verdict::Plain | Verdict::NotRun | Verdict::Broken => Ok(()),
        }
    }
}

/// All rows, and where they were measured.
pub struct Table {
    machine: Machine,
    rows: Vec<Row>,
}

impl Table {
    pub fn begin() -> Self {
        Self { machine: Machine::look(), rows: Vec::new() }
    }

    pub fn take(&mut self, rows: Vec<Row>) {
        self.rows.extend(rows);
    }

    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Nothing broke down.
    pub fn is_whole(&self) -> bool {
        self.rows.iter().all(|row| row.verdict != Verdict::Broken)
    }

    pub fn markdown(&self) -> String {
        let mut lines = vec!["| what | measured | to reach | reached |".to_owned(), "|---|---|---|---|".to_owned()];
        let rows = self.rows.iter().filter(|row| row.verdict != Verdict::NotRun);
        lines.extend(rows.map(|row| format!("| {} | {} | {} | {} |", row.what, row.figure, row.target, row.verdict())));
        let not_run: Vec<String> =
            self.rows.iter().filter(|row| row.verdict == Verdict::NotRun).map(ToString::to_string).collect();
        if !not_run.is_empty() {
            lines.push(String::new());
            lines.extend(not_run.iter().map(|row| format!("- {row}")));
        }
        lines.join("\n")
    }
}
