//! Saying something.

use std::collections::BTreeMap;

use pairwave_api::{Code, DeliveryState, Failure, Field, Send, Sent};
use pairwave_core::command::{Command, Outcome};
use pairwave_core::event::Body;
use pairwave_core::id::RoomId;
use pairwave_core::log::Log;
use pairwave_core::talk::{self, Claim, Kind, Message};

use super::{Answers, unexpected};
use crate::caller::Caller;
use crate::refusals::unreadable;
use crate::resolve;
use crate::view::{self, Viewer};

/// What a question expects where its asker does not say.
const ANY_FORMAT: &str = "free text";

const CLAIMS: &[(&str, Claim)] =
    &[("assumption", Claim::Assumption), ("fact", Claim::Fact), ("inference", Claim::Inference)];

impl Answers {
    pub(super) async fn send(&self, by: &Caller, ask: Send) -> Result<Sent, Failure> {
        let wanted = ask.room.clone();
        let (room, message) = self.look_in(by, &wanted, move |viewer| message(viewer, ask)).await?;
        let body = Body::Message(message.clone());
        let cleared = if self.was_said(by, room, message.key.clone()).await? {
            self.scan(by, Some(room), &body.texts()).await?;
            None
        } else {
            Some(self.clear(by, room, &body).await?)
        };
        let said = self.command(Command::Send { room, by: by.speaker, message }).await;
        let said = match cleared {
            Some(cleared) => self.settle(cleared, said)?,
            None => said?,
        };
        let (event, repeated) = match said {
            Outcome::Said { event, repeated } => (event, repeated),
            other => return Err(unexpected(&other)),
        };
        if !repeated {
            self.note_act(by, room);
        }
        let delivery = move |viewer: &Viewer<'_, _>| {
            viewer.node().delivery(&room, &event).map(view::deliveries).map_err(|error| unreadable(&error))
        };
        let delivery = self.look(room, delivery).await?;
        let state = delivery.values().min().copied().unwrap_or(DeliveryState::Queued);
        Ok(Sent { event: event.to_string(), state, delivery, repeated })
    }

    /// Was this said already, by an earlier attempt that bears the same key?
    async fn was_said(&self, by: &Caller, room: RoomId, key: Option<String>) -> Result<bool, Failure> {
        let Some(key) = key else { return Ok(false) };
        let session = by.speaker.session;
        let said = move |viewer: &Viewer<'_, _>| {
            Ok(viewer.room().state().talk.repeated(&viewer.me(), &session, &key).is_some())
        };
        self.look(room, said).await
    }
}

/// What is to be said, in the core's words.
fn message<L: Log>(viewer: &Viewer<'_, L>, ask: Send) -> Result<Message, Failure> {
    let kind = named("kind", &ask.kind, &Kind::ALL.map(|kind| (kind.name(), kind)))?;
    let to = ask.to.as_deref().filter(|to| !is_everybody(to));
    let mut fields: BTreeMap<String, talk::Field> =
        ask.fields.into_iter().map(|(name, value)| (name, field(value))).collect();
    if kind == Kind::Question {
        fields.entry("expected_format".to_owned()).or_insert_with(|| talk::Field::Text(ANY_FORMAT.to_owned()));
    }
    Ok(Message {
        kind,
        text: ask.text,
        headline: ask.headline,
        to: to.map(|to| resolve::address(viewer, to)).transpose()?,
        answers: ask.answers.map(|event| resolve::event(viewer.node(), viewer.room(), &event)).transpose()?,
        claim: ask.claim.map(|claim| named("claim", &claim, CLAIMS)).transpose()?,
        rationale: ask.rationale,
        provenance: ask.provenance,
        fields,
        key: ask.key,
    })
}

fn is_everybody(to: &str) -> bool {
    ["", "*", "all", "everybody", "everyone"].contains(&to.trim_start_matches('@'))
}

fn field(value: Field) -> talk::Field {
    match value {
        Field::Text(text) => talk::Field::Text(text),
        Field::List(list) => talk::Field::List(list),
    }
}

/// One of a few words.
pub(super) fn named<T: Copy>(what: &str, wanted: &str, known: &[(&str, T)]) -> Result<T, Failure> {
    if let Some((_, found)) = known.iter().find(|(name, _)| *name == wanted) {
        return Ok(*found);
    }
    let list: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
    let message = format!("There is no {what} {:?}", wanted.chars().take(40).collect::<String>());
    let next = format!("Use one of: {}.", list.join(", "));
    Err(Failure::new(Code::Usage, &format!("no_such_{what}"), message, next))
}
