//! How an answer leaves: JSON or prose on stdout, trouble on stderr, and the exit code.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::process::ExitCode;

use owo_colors::OwoColorize;
use pairwave_api::{Code, Failure};
use serde::Serialize;
use serde_json::json;

/// How the caller wants to be answered.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    json: bool,
}

/// Why a command ended without its answer.
#[derive(Debug)]
pub enum Stop {
    Failed(Failure),
    /// Nobody reads any more, which is nobody's mistake.
    Unread,
}

/// How every command ends.
pub type Ended = Result<ExitCode, Stop>;

impl Output {
    /// `--json`, or a stdout that no person reads with `PAIRWAVE_JSON=1`.
    pub fn new(flag: bool) -> Self {
        let assumed = || std::env::var("PAIRWAVE_JSON").is_ok_and(|value| value == "1") && !io::stdout().is_terminal();
        Self { json: flag || assumed() }
    }

    pub fn json(self) -> bool {
        self.json
    }

    /// The whole answer, in the form that was asked for.
    pub fn answer<T: Serialize>(self, answer: &T, prose: impl FnOnce(&T) -> String) -> Ended {
        if self.json {
            self.object(answer)?
        } else {
            self.prose(&prose(answer))?
        }
        Ok(ExitCode::SUCCESS)
    }

    /// One JSON object on a line of its own.
    pub fn object<T: Serialize>(self, object: &T) -> Result<(), Stop> {
        let mut line = serde_json::to_string(object).map_err(io::Error::from)?;
        line.push('\n');
        let mut stdout = io::stdout().lock();
        stdout.write_all(line.as_bytes())?;
        Ok(stdout.flush()?)
    }

    /// A piece of prose, without colours where those are not wanted.
    pub fn prose(self, text: &str) -> Result<(), Stop> {
        if text.is_empty() {
            return Ok(());
        }
        let mut stdout = anstream::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        if !text.ends_with('\n') {
            stdout.write_all(b"\n")?;
        }
        Ok(stdout.flush()?)
    }

    /// A remark for whoever watches, never part of the answer.
    pub fn remark(self, text: &str) {
        if !self.json {
            // A remark that cannot be shown is not worth failing for.
            let _ = writeln!(anstream::stderr(), "{text}");
        }
    }

    /// Says why it ended, and gives the exit code that belongs to it.
    pub fn stopped(self, stop: Stop) -> ExitCode {
        let Stop::Failed(failure) = stop else { return ExitCode::SUCCESS };
        if self.json {
            // If stdout is gone, the exit code has to say it alone.
            let _ = self.object(&json!({ "error": failure }));
        } else {
            let _ = writeln!(anstream::stderr(), "{}", told(&failure));
        }
        ExitCode::from(failure.code.exit())
    }
}

impl Stop {
    pub fn failed(code: Code, rule: &str, message: impl std::fmt::Display, next: impl std::fmt::Display) -> Self {
        Self::Failed(Failure::new(code, rule, message, next))
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// A failure from an error whose last sentence says what to do, as those of the other crates do.
pub fn failure(code: Code, rule: &str, error: &dyn std::fmt::Display) -> Failure {
    let text = error.to_string();
    let (message, next) = text.rsplit_once(". ").unwrap_or((&text, "`pairwave doctor` looks for what is in the way."));
    let mut letters = message.chars();
    let message: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    Failure::new(code, rule, message + ".", next)
}

/// Only for what is written to stdout; files and folders have failures of their own.
impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        if error.kind() == ErrorKind::BrokenPipe {
            return Self::Unread;
        }
        let next = "Look at where the output of this command goes; what the command does may be done already.";
        Self::failed(Code::Failed, "output", format!("The answer could not be written: {error}."), next)
    }
}

fn told(failure: &Failure) -> String {
    let mut text = format!("{} {}", "pairwave:".red().bold(), crate::prose::plain::text(&failure.message));
    for line in crate::prose::plain::text(&failure.next).lines() {
        text.push_str("\n  ");
        text.push_str(line);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_left_is_no_failure() {
        assert!(matches!(Stop::from(io::Error::from(ErrorKind::BrokenPipe)), Stop::Unread));
        assert!(matches!(Stop::from(io::Error::from(ErrorKind::StorageFull)), Stop::Failed(_)));
    }

    #[test]
    fn the_last_sentence_of_an_error_is_the_next_step() {
        let failure = failure(Code::Failed, "locked", &"a companion runs (process 5). Stop it with `pairwave down`.");
        assert_eq!(failure.message, "A companion runs (process 5).");
        assert_eq!(failure.next, "Stop it with `pairwave down`.");
        assert!(!super::failure(Code::Failed, "odd", &"it broke").next.is_empty());
    }

    #[test]
    fn a_failure_shows_its_next_step_and_no_control_characters() {
        let failure =
            Failure::new(Code::Refused, "rule", "No member is called “\u{1b}[2Jbob”.", "Try one of these:\nalice");
        let text = anstream::adapter::strip_str(&told(&failure)).to_string();
        assert_eq!(text, "pairwave: No member is called “bob”.\n  Try one of these:\n  alice");
    }
}
