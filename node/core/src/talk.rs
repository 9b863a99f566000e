//! What members and their agents say to each other.

mod keys;

use std::collections::{BTreeMap, VecDeque};

use pairwave_wire::limits;
use serde::{Deserialize, Serialize};

use self::keys::Keys;
use crate::bounds::{list_within, within};
use crate::command::Refusal;
use crate::event::Event;
use crate::id::{EventId, MemberId, SessionId};
use crate::log::Position;
use crate::time::Timestamp;

/// Most open questions that are remembered; beyond it the oldest goes.
const QUESTIONS: usize = 512;
/// Most answered questions that are remembered.
const ANSWERED: usize = 512;
/// Most answers of one question that are remembered.
const ANSWERS: usize = 16;

/// What a message is for. Some kinds require fields, see [`Message`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Answer,
    Chat,
    Context,
    Decision,
    Finding,
    Handoff,
    Question,
    Review,
    Status,
    Summary,
}

/// How sure the author is of what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Claim {
    Assumption,
    Fact,
    Inference,
}

/// A member, or one of its sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Address {
    pub member: MemberId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
}

/// A further field of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Field {
    Text(String),
    List(Vec<String>),
}

/// One message.
///
/// Required beside `text`: `question` fields.expected_format · `answer` answers · `decision`
/// rationale · `context` headline, claim, provenance · `finding` headline · `review` fields.path
/// and description · `handoff` fields.work_completed, remaining_work, files_modified (list) and
/// decisions_made (list) · `summary` fields.headlines, decisions and open_questions (lists).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    pub kind: Kind,
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headline: Option<String>,
    /// Everybody if `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Address>,
    /// The question that this answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<EventId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<Claim>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rationale: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub provenance: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Field>,
    /// Names an attempt to say this, so that a repeated call says it once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl Kind {
    pub const ALL: [Self; 10] = [
        Self::Answer,
        Self::Chat,
        Self::Context,
        Self::Decision,
        Self::Finding,
        Self::Handoff,
        Self::Question,
        Self::Review,
        Self::Status,
        Self::Summary,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::Chat => "chat",
            Self::Context => "context",
            Self::Decision => "decision",
            Self::Finding => "finding",
            Self::Handoff => "handoff",
            Self::Question => "question",
            Self::Review => "review",
            Self::Status => "status",
            Self::Summary => "summary",
        }
    }
}

impl Message {
    /// A message to everybody with nothing but a text.
    pub fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self {
            kind,
            text: text.into(),
            headline: None,
            to: None,
            answers: None,
            claim: None,
            rationale: None,
            provenance: Vec::new(),
            fields: BTreeMap::new(),
            key: None,
        }
    }

    /// Checks everything that the message alone can tell: required fields, forms and bounds. Both
    /// the sender's companion and every receiver's fold do.
    pub fn check(&self) -> Result<(), Refusal> {
        self.check_bounds()?;
        let missing = |field| Err(Refusal::FieldMissing { kind: self.kind.name(), field });
        match self.kind {
            Kind::Chat | Kind::Status => Ok(()),
            Kind::Question => self.require_text("expected_format"),
            Kind::Answer if self.answers.is_none() => missing("answers"),
            Kind::Decision if is_blank(self.rationale.as_deref()) => missing("rationale"),
            Kind::Context | Kind::Finding if is_blank(self.headline.as_deref()) => missing("headline"),
            Kind::Context if self.claim.is_none() => missing("claim"),
            Kind::Context if self.provenance.is_empty() => missing("provenance"),
            Kind::Answer | Kind::Decision | Kind::Context | Kind::Finding => Ok(()),
            Kind::Review => self.require_text("path").and_then(|()| self.require_text("description")),
            Kind::Handoff => self.check_handoff(),
            Kind::Summary => self.check_summary(),
        }
    }

    fn check_handoff(&self) -> Result<(), Refusal> {
        self.require_text("work_completed")?;
        self.require_text("remaining_work")?;
        self.require_list("files_modified")?;
        self.require_list("decisions_made")
    }

    fn check_summary(&self) -> Result<(), Refusal> {
        self.require_list("headlines")?;
        self.require_list("decisions")?;
        self.require_list("open_questions")
    }

    fn require_text(&self, field: &'static str) -> Result<(), Refusal> {
        match self.fields.get(field) {
            Some(Field::Text(text)) if text.trim().is_empty() => Err(Refusal::Empty { field }),
            Some(Field::Text(_)) => Ok(()),
            Some(Field::List(_)) => Err(Refusal::FieldShape { field: field.into(), expected: "text" }),
            None => Err(Refusal::FieldMissing { kind: self.kind.name(), field }),
        }
    }

    fn require_list(&self, field: &'static str) -> Result<(), Refusal> {
        match self.fields.get(field) {
            Some(Field::List(_)) => Ok(()),
            Some(Field::Text(_)) => Err(Refusal::FieldShape { field: field.into(), expected: "list of texts" }),
            None => Err(Refusal::FieldMissing { kind: self.kind.name(), field }),
        }
    }

    fn check_bounds(&self) -> Result<(), Refusal> {
        if self.text.trim().is_empty() {
            return Err(Refusal::Empty { field: "text" });
        }
        within("text", &self.text, limits::TEXT)?;
        within("headline", self.headline.as_deref().unwrap_or(""), limits::HEADLINE)?;
        within("rationale", self.rationale.as_deref().unwrap_or(""), limits::TEXT)?;
        within("key", self.key.as_deref().unwrap_or(""), limits::TITLE)?;
        list_within("provenance", &self.provenance)?;
        let (got, max) = (self.fields.len(), limits::LIST);
        if got > max {
            return Err(Refusal::TooMany { field: "fields", got, max });
        }
        for (name, field) in &self.fields {
            within("fields", name, limits::NAME)?;
            match field {
                Field::Text(text) => within("fields", text, limits::TEXT)?,
                Field::List(list) => list_within("fields", list)?,
            }
        }
        Ok(())
    }
}

fn is_blank(text: Option<&str>) -> bool {
    text.is_none_or(|text| text.trim().is_empty())
}

/// What the fold keeps of what was said: open questions, answers, and the keys of late.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Talk {
    questions: BTreeMap<EventId, Question>,
    answered: BTreeMap<EventId, Vec<EventId>>,
    /// Answered questions, oldest answer first, to forget them in turn.
    answered_order: VecDeque<EventId>,
    keys: Keys,
}

/// A question that nobody has answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    pub position: Position,
    pub by: MemberId,
    pub session: SessionId,
    pub to: Option<Address>,
    pub asked: Timestamp,
    /// The headline, or the beginning of the text.
    pub headline: String,
}

impl Talk {
    /// Questions that nobody has answered.
    pub fn open_questions(&self) -> impl Iterator<Item = (&EventId, &Question)> {
        self.questions.iter()
    }

    /// Answers to a question, as far as they are remembered.
    pub fn answers(&self, question: &EventId) -> &[EventId] {
        self.answered.get(question).map_or(&[], Vec::as_slice)
    }

    /// What a session of this author said under this key, if that was not long ago.
    pub fn repeated(&self, author: &MemberId, session: &SessionId, key: &str) -> Option<EventId> {
        self.keys.said(author, session, key)
    }

    /// Takes a message that was checked. `answers` is known to be a question.
    pub(crate) fn apply(&mut self, event: &Event, message: &Message, position: Position) {
        if let Some(key) = &message.key {
            self.keys.remember(event.author, event.session, key, position.id);
        }
        if message.kind == Kind::Question {
            self.ask(event, message, position);
        }
        if let Some(question) = message.answers {
            self.answer(question, position.id);
        }
    }

    fn ask(&mut self, event: &Event, message: &Message, position: Position) {
        if self.questions.len() >= QUESTIONS
            && let Some(oldest) = self.questions.iter().min_by_key(|(_, q)| q.position).map(|(id, _)| *id)
        {
            self.questions.remove(&oldest);
        }
        let headline = message.headline.as_deref().unwrap_or(&message.text).chars().take(120).collect();
        let (by, session, to, asked) = (event.author, event.session, message.to, event.claimed_time);
        self.questions.insert(position.id, Question { position, by, session, to, asked, headline });
    }

    fn answer(&mut self, question: EventId, answer: EventId) {
        self.questions.remove(&question);
        let answers = self.answered.entry(question).or_default();
        if answers.is_empty() {
            self.answered_order.push_back(question);
        }
        if answers.len() < ANSWERS {
            answers.push(answer);
        }
        if self.answered_order.len() > ANSWERED
            && let Some(oldest) = self.answered_order.pop_front()
        {
            self.answered.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: Kind) -> Message {
        Message::new(kind, "hello")
    }

    #[test]
    fn every_kind_says_what_it_needs() {
        let needs = [
            (Kind::Question, "expected_format"),
            (Kind::Answer, "answers"),
            (Kind::Decision, "rationale"),
            (Kind::Context, "headline"),
            (Kind::Finding, "headline"),
            (Kind::Review, "path"),
            (Kind::Handoff, "work_completed"),
        ];
        for (kind, field) in needs {
            assert_eq!(message(kind).check(), Err(Refusal::FieldMissing { kind: kind.name(), field }));
        }
        assert_eq!(message(Kind::Chat).check(), Ok(()));
        assert_eq!(message(Kind::Status).check(), Ok(()));
    }

    #[test]
    fn a_complete_message_of_each_kind_passes() {
        let text = |text: &str| Field::Text(text.into());
        let mut context = message(Kind::Context);
        context.headline = Some("h".into());
        assert_eq!(context.check(), Err(Refusal::FieldMissing { kind: "context", field: "claim" }));
        context.claim = Some(Claim::Fact);
        assert_eq!(context.check(), Err(Refusal::FieldMissing { kind: "context", field: "provenance" }));
        context.provenance = vec!["src/lib.rs".into()];
        assert_eq!(context.check(), Ok(()));
        let mut handoff = message(Kind::Handoff);
        handoff.fields.insert("work_completed".into(), text("a"));
        handoff.fields.insert("remaining_work".into(), text("b"));
        handoff.fields.insert("files_modified".into(), text("c"));
        let shape = Refusal::FieldShape { field: "files_modified".into(), expected: "list of texts" };
        assert_eq!(handoff.check(), Err(shape));
        handoff.fields.insert("files_modified".into(), Field::List(vec![]));
        handoff.fields.insert("decisions_made".into(), Field::List(vec![]));
        assert_eq!(handoff.check(), Ok(()));
    }

    #[test]
    fn bounds_hold() {
        let mut long = message(Kind::Chat);
        long.text = "x".repeat(limits::TEXT + 1);
        let refused = Refusal::TooLong { field: "text", got: limits::TEXT + 1, max: limits::TEXT };
        assert_eq!(long.check(), Err(refused));
        let mut many = message(Kind::Chat);
        many.provenance = vec!["x".into(); limits::LIST + 1];
        let refused = Refusal::TooMany { field: "provenance", got: limits::LIST + 1, max: limits::LIST };
        assert_eq!(many.check(), Err(refused));
        assert_eq!(Message::new(Kind::Chat, " \n").check(), Err(Refusal::Empty { field: "text" }));
    }
}
