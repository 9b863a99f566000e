//! One event as a reader sees it.

use std::collections::BTreeMap;

use pairwave_api::{DeliveryState, Entry, Field};
use pairwave_core::brain::Remembered;
use pairwave_core::delivery::Delivery;
use pairwave_core::event::{Body, Event};
use pairwave_core::id::EventId;
use pairwave_core::log::{Log, LogError, Record};
use pairwave_core::sessions::look;
use pairwave_core::talk::{self, Address, Claim, Message};

use super::{Viewer, origin, sentence, time};

impl<L: Log> Viewer<'_, L> {
    /// An event by its id.
    pub fn entry(&self, id: &EventId) -> Result<Option<Entry>, LogError> {
        self.event(id)?.map(|(record, event)| self.entry_of(&record, &event)).transpose()
    }

    /// An event that was read already.
    pub fn entry_of(&self, record: &Record, event: &Event) -> Result<Entry, LogError> {
        let mut entry = self.frame(record, event)?;
        match &event.body {
            Body::Message(message) => self.fill_in(&mut entry, &record.position.id, message),
            Body::Shared(shared) => {
                (entry.kind, entry.text) = sentence::of(self, event, &event.body);
                entry.headline = Some(shared.headline.clone());
                entry.artifact = Some(record.position.id.to_string());
                entry.size = Some(shared.blob.size);
                entry.language = shared.language.clone();
                entry.is_patch = Some(shared.is_patch);
            }
            Body::Remembered(remembered) => {
                (entry.kind, entry.text) = sentence::of(self, event, &event.body);
                entry.headline = Some(remembered.headline.clone());
                entry.provenance = remembered.provenance.clone();
                entry.fields = remembered_fields(remembered);
            }
            body => {
                (entry.kind, entry.text) = sentence::of(self, event, body);
                self.fill_in_request(&mut entry, &record.position.id, body);
            }
        }
        if entry.me {
            let delivery = self.node.delivery(&self.room.id(), &record.position.id)?;
            entry.delivery = deliveries(delivery);
        }
        Ok(entry)
    }

    fn frame(&self, record: &Record, event: &Event) -> Result<Entry, LogError> {
        let look = look(&event.session);
        Ok(Entry {
            event: record.position.id.to_string(),
            room: self.room.id().to_string(),
            depth: record.position.depth,
            arrival: record.arrival,
            seq: record.seq,
            forked: self.is_forked(record)?,
            at: time(event.claimed_time),
            member: event.author.to_string(),
            name: self.name(&event.author),
            me: event.author == self.me(),
            session: event.session.to_string(),
            session_name: self.session_name(&event.author, &event.session),
            emoji: look.emoji.to_owned(),
            color: look.color,
            origin: origin(event.origin).to_owned(),
            verified: self.is_verified(&event.author),
            void: self.void(record),
            parents: event.parents.iter().map(ToString::to_string).collect(),
            ..Entry::default()
        })
    }

    /// Did the author sign another event in the same place?
    fn is_forked(&self, record: &Record) -> Result<bool, LogError> {
        if !self.room.state().equivocations.contains_key(&record.author) {
            return Ok(false);
        }
        let view = self.room.view(self.node.log());
        let same = view.chain(&self.room.id(), &record.author, record.seq, 2)?;
        Ok(same.iter().filter(|(seq, _)| *seq == record.seq).count() > 1)
    }

    fn fill_in(&self, entry: &mut Entry, id: &EventId, message: &Message) {
        entry.kind = message.kind.name().to_owned();
        entry.text = message.text.clone();
        entry.headline = message.headline.clone();
        entry.to = message.to.as_ref().map(|to| self.addressee(to));
        entry.answers = message.answers.as_ref().map(ToString::to_string);
        entry.answered_by = self.room.state().talk.answers(id).iter().map(ToString::to_string).collect();
        entry.claim = message.claim.map(|claim| claim_name(claim).to_owned());
        entry.rationale = message.rationale.clone();
        entry.provenance = message.provenance.clone();
        entry.fields = message.fields.iter().map(|(name, value)| (name.clone(), field(value))).collect();
    }

    /// What an event has to do with a request.
    fn fill_in_request(&self, entry: &mut Entry, id: &EventId, body: &Body) {
        let request = match body {
            Body::Requested(_) => *id,
            Body::Approved(approved) => approved.request,
            Body::Denied(denied) => denied.request,
            Body::Handed(handed) => handed.request,
            Body::Completed(completed) => completed.request,
            Body::Expired(expired) => expired.request,
            _ => return,
        };
        entry.request = Some(request.to_string());
        let mut note = |name: &str, text: &str| _ = entry.fields.insert(name.to_owned(), Field::Text(text.to_owned()));
        if let Some(known) = self.room.state().actions.get(&request) {
            note("state", known.state().name());
            note("action", known.action.name());
        }
        if let Body::Requested(requested) = body {
            // Whoever is asked judges it anew; that takes its time, and stands in the request.
            note("risk", requested.risk.name());
            note("claimed_risk", requested.risk.name());
            if !requested.payload.is_empty() {
                note("payload", &requested.payload);
            }
            if let Some(artifact) = &requested.artifact {
                note("artifact", &artifact.to_string());
            }
            if let Some(path) = &requested.target_path {
                note("target_path", path);
            }
            entry.headline = Some(requested.summary.clone());
            entry.to = Some(self.name(&requested.to));
        }
    }

    /// The name of whom a message is for.
    pub fn addressee(&self, to: &Address) -> String {
        match &to.session {
            Some(session) => format!("{} ({})", self.name(&to.member), self.session_name(&to.member, session)),
            None => self.name(&to.member),
        }
    }
}

/// As faces call it.
pub fn deliveries<M: ToString>(delivery: BTreeMap<M, Delivery>) -> BTreeMap<String, DeliveryState> {
    delivery.into_iter().map(|(member, state)| (member.to_string(), delivery_state(state))).collect()
}

fn delivery_state(state: Delivery) -> DeliveryState {
    match state {
        Delivery::Queued => DeliveryState::Queued,
        Delivery::Sent => DeliveryState::Sent,
        Delivery::Stored => DeliveryState::Stored,
        Delivery::Delivered => DeliveryState::Delivered,
        Delivery::Shown => DeliveryState::Shown,
    }
}

fn remembered_fields(remembered: &Remembered) -> BTreeMap<String, Field> {
    let text = |name: &str, text: String| (name.to_owned(), Field::Text(text));
    let mut fields = BTreeMap::from([text("remembered_as", remembered.kind.name().to_owned())]);
    fields.extend(remembered.supersedes.map(|place| text("supersedes", place.to_string())));
    if !remembered.tags.is_empty() {
        fields.insert("tags".to_owned(), Field::List(remembered.tags.clone()));
    }
    fields
}

fn claim_name(claim: Claim) -> &'static str {
    match claim {
        Claim::Assumption => "assumption",
        Claim::Fact => "fact",
        Claim::Inference => "inference",
    }
}

fn field(value: &talk::Field) -> Field {
    match value {
        talk::Field::Text(text) => Field::Text(text.clone()),
        talk::Field::List(list) => Field::List(list.clone()),
    }
}
