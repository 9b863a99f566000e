use std::fmt;

use serde::{Deserialize, Serialize};

/// What kind of failure it is; decides a command's exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// It went wrong.
    Failed,
    /// It was asked wrongly.
    Usage,
    /// A rule of the room forbids it.
    Refused,
    /// The companion cannot be reached.
    CompanionUnreachable,
    /// The other person cannot be reached in time.
    PeerUnreachable,
}

impl Code {
    /// The exit code of the command line.
    pub fn exit(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::CompanionUnreachable => 4,
            Self::PeerUnreachable => 5,
        }
    }
}

/// Something that did not happen: what, why, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What kind of failure it is.
    pub code: Code,
    /// The rule's name in `snake_case`, stable for scripts: `field_missing`, `wrong_words` …
    pub rule: String,
    /// What happened and why, one sentence.
    pub message: String,
    /// What to do about it.
    pub next: String,
    /// What could have been meant by a name that names nothing, or several things: the likeliest
    /// first, each as it can be asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<String>,
}

impl Failure {
    /// `message` and `next` are sentences for a reader.
    pub fn new(code: Code, rule: &str, message: impl fmt::Display, next: impl fmt::Display) -> Self {
        let (rule, message, next) = (rule.to_owned(), message.to_string(), next.to_string());
        Self { code, rule, message, next, candidates: Vec::new() }
    }

    /// The same, with what could have been meant.
    pub fn among(self, candidates: Vec<String>) -> Self {
        Self { candidates, ..self }
    }

    /// Was something looked for that is not there?
    pub fn is_not_found(&self) -> bool {
        let things = ["room", "member", "session", "invite", "event", "request", "artifact"];
        let thing = self.rule.strip_prefix("no_such_");
        self.code == Code::Usage && thing.is_some_and(|thing| things.contains(&thing))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}. {}", self.message.trim_end_matches('.'), self.next)
    }
}

impl std::error::Error for Failure {}
