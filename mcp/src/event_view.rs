//! One event as an agent sees it: cleaned, cut to size, marked with whose words it is.

use std::collections::BTreeMap;
use std::fmt::Write;

use pairwave_api::{DeliveryState, Entry, Field};
use schemars::JsonSchema;
use serde::Serialize;

use crate::bounded::cut;
use crate::clean::{Clean, clean, label};
use crate::envelope::{Trust, author, seal};

/// One event of the room.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct EventView {
    trust: Trust,
    pub(crate) event: String,
    kind: String,
    /// The author's name; its key is `member`.
    name: String,
    /// Has the author's key been verified by voice?
    verified: bool,
    member: String,
    session: String,
    session_name: String,
    /// `human` or `agent`, by the word of the author's companion.
    origin: String,
    /// What the author's clock said.
    at: String,
    depth: u64,
    /// The addressee; everybody if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    /// The question that this answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    answers: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    headline: Option<String>,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    claim: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rationale: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    provenance: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, Field>")]
    fields: BTreeMap<String, Field>,
    /// Events that answer this question.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    answered_by: Vec<String>,
    /// The request that this makes, or moves on.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<String>,
    /// Of code: its artifact.
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact: Option<String>,
    /// Of code: its bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    /// Of code: its language, by its author's word.
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    /// Of code: it is a unified diff, by its author's word.
    #[serde(skip_serializing_if = "Option::is_none")]
    is_patch: Option<bool>,
    /// Why it has no effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    void: Option<String>,
    /// How far our own event has got: member id to state.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    delivery: BTreeMap<String, DeliveryState>,
    /// Something was shortened; `pair_read` with `event` gives the whole.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cut: bool,
    /// So many invisible or framing characters were taken out or defused.
    #[serde(skip_serializing_if = "is_zero")]
    altered: usize,
}

impl EventView {
    /// `max`: most characters of each text; `None` gives all.
    pub(crate) fn new(entry: Entry, max: Option<usize>) -> Self {
        let mut page = Trim { max, cut: false, altered: 0 };
        Self {
            trust: Trust::of(entry.me),
            event: entry.event,
            kind: label(&entry.kind, 40),
            name: label(&entry.name, 64),
            verified: entry.verified,
            member: entry.member,
            session: entry.session,
            session_name: label(&entry.session_name, 64),
            origin: label(&entry.origin, 16),
            at: entry.at,
            depth: entry.depth,
            to: entry.to.map(|to| label(&to, 64)),
            answers: entry.answers,
            headline: entry.headline.map(|text| page.text(&text)),
            text: page.text(&entry.text),
            claim: entry.claim.map(|claim| label(&claim, 40)),
            rationale: entry.rationale.map(|text| page.text(&text)),
            provenance: page.list(entry.provenance),
            fields: page.fields(entry.fields),
            answered_by: page.list(entry.answered_by),
            request: entry.request,
            artifact: entry.artifact,
            size: entry.size,
            language: entry.language.map(|language| label(&language, 64)),
            is_patch: entry.is_patch,
            void: entry.void.map(|text| page.text(&text)),
            delivery: entry.delivery,
            cut: page.cut,
            altered: page.altered,
        }
    }

    /// The same for a reader, sealed.
    pub(crate) fn envelope(&self) -> String {
        let mut header = author(&self.name, &self.member, self.verified, &self.session_name, &self.origin);
        header.extend([("kind", &*self.kind), ("event", &self.event), ("at", &self.at)]);
        header.extend(self.to.as_deref().map(|to| ("to", to)));
        header.extend(self.answers.as_deref().map(|answers| ("answers", answers)));
        header.extend(self.request.as_deref().map(|request| ("request", request)));
        // What we add stands in the header: the body can imitate any line.
        let altered = format!("{} invisible or framing characters removed", self.altered);
        if self.altered > 0 {
            header.push(("altered", &altered));
        }
        if self.cut {
            header.push(("shortened", "pair_read with this event id gives the whole"));
        }
        seal(self.trust, &header, &self.body())
    }

    fn body(&self) -> String {
        let mut body = String::new();
        if let Some(headline) = &self.headline {
            let _ = writeln!(body, "headline: {headline}");
        }
        let _ = writeln!(body, "{}", self.text);
        for (name, value) in [("claim", &self.claim), ("rationale", &self.rationale), ("no effect", &self.void)] {
            if let Some(value) = value {
                let _ = writeln!(body, "{name}: {value}");
            }
        }
        if !self.provenance.is_empty() {
            let _ = writeln!(body, "provenance: {}", self.provenance.join("; "));
        }
        for (name, field) in &self.fields {
            let _ = match field {
                Field::Text(text) => writeln!(body, "{name}: {text}"),
                Field::List(list) => writeln!(body, "{name}: {}", list.join("; ")),
            };
        }
        body
    }
}

/// Cleans and shortens, and remembers that it did.
struct Trim {
    max: Option<usize>,
    cut: bool,
    altered: usize,
}

impl Trim {
    fn text(&mut self, text: &str) -> String {
        let Clean { text, altered } = clean(text);
        self.altered += altered;
        let Some(max) = self.max else { return text };
        let (text, cut) = cut(&text, max);
        self.cut |= cut;
        text
    }

    fn list(&mut self, mut list: Vec<String>) -> Vec<String> {
        if self.max.is_some() && list.len() > LIST {
            list.truncate(LIST);
            self.cut = true;
        }
        let max = self.max;
        self.max = max.map(|max| max.min(LIST_ENTRY));
        let list = list.iter().map(|text| self.text(text)).collect();
        self.max = max;
        list
    }

    fn fields(&mut self, fields: BTreeMap<String, Field>) -> BTreeMap<String, Field> {
        self.cut |= self.max.is_some() && fields.len() > LIST;
        let kept = if self.max.is_some() { LIST } else { fields.len() };
        fields.into_iter().take(kept).map(|(name, field)| (label(&name, 40), self.field(field))).collect()
    }

    fn field(&mut self, field: Field) -> Field {
        match field {
            Field::Text(text) => Field::Text(self.text(&text)),
            Field::List(list) => Field::List(self.list(list)),
        }
    }
}

/// Most entries of a list, and most characters of each, where space is short.
const LIST: usize = 10;
const LIST_ENTRY: usize = 200;

fn is_zero(number: &usize) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_removed_is_said() {
        let view = EventView::new(peer("hidden\u{200b}\u{202e}"), None);
        assert_eq!(view.text, "hidden");
        assert_eq!(view.altered, 2);
        assert!(view.envelope().contains("altered=\"2 invisible or framing characters removed\""));
    }

    #[test]
    fn an_envelope_names_sender_kind_and_event() {
        let sealed = EventView::new(peer("hello"), None).envelope();
        for part in
            ["from=\"bob\"", "member=\"memberme\"", "verified=\"NO\"", "kind=\"chat\"", "event=\"event1\"", "| hello"]
        {
            assert!(sealed.contains(part), "{part} in {sealed}");
        }
    }

    #[test]
    fn a_long_event_is_cut_in_every_part() {
        let long = "x".repeat(10_000);
        let entry = Entry {
            headline: Some(long.clone()),
            rationale: Some(long.clone()),
            provenance: vec![long.clone(); 100],
            fields: (0..100).map(|n| (format!("{n}{long}"), Field::List(vec![long.clone(); 100]))).collect(),
            ..peer(&long)
        };
        let view = EventView::new(entry, Some(200));
        assert!(view.cut);
        assert!(crate::bounded::cost(&view) < 30_000);
    }

    #[test]
    fn own_words_are_not_a_peers() {
        let view = EventView::new(Entry { me: true, ..peer("mine") }, None);
        assert_eq!(view.trust, Trust::Own);
        assert!(view.envelope().starts_with("<own-message"));
    }

    fn peer(text: &str) -> Entry {
        Entry {
            event: "event1".into(),
            member: "membermember".into(),
            name: "bob".into(),
            kind: "chat".into(),
            text: text.into(),
            ..Entry::default()
        }
    }
}
