//! The brain: remembering, bringing back, and all of it as Markdown.

use std::collections::BTreeSet;

use pairwave_api::{
    BrainExported, BrainImported, Code, EntryRefused, EventDone, ExportBrain, Failure, ImportBrain, Remember, Restore,
};
use pairwave_core::brain::{Kind, Remembered};
use pairwave_core::command::Refusal;
use pairwave_core::consenting::Act;
use pairwave_core::event::{Body, Event};
use pairwave_core::id::{EventId, RoomId};
use pairwave_core::log::Log;
use pairwave_wire::limits;

use super::reading::BYTES;
use super::recalling::{STEP, recollections};
use super::talk::named;
use super::{Answers, for_humans};
use crate::caller::Caller;
use crate::notebook::{self, Note};
use crate::refusals::{refused, unreadable};
use crate::resolve;
use crate::view::Viewer;

pub(super) const KINDS: &[(&str, Kind)] = &[
    ("fact", Kind::Fact),
    ("decision", Kind::Decision),
    ("snippet", Kind::Snippet),
    ("link", Kind::Link),
    ("insight", Kind::Insight),
];

impl Answers {
    pub(super) async fn remember(&self, by: &Caller, ask: Remember) -> Result<EventDone, Failure> {
        let wanted = ask.room.clone();
        let (room, entry) = self.look_in(by, &wanted, move |viewer| entry(viewer, ask)).await?;
        let event = self.keep(by, room, entry).await?;
        Ok(EventDone { event: event.to_string() })
    }

    /// The one door into the brain.
    async fn keep(&self, by: &Caller, room: RoomId, entry: Remembered) -> Result<EventId, Failure> {
        let body = Body::Remembered(entry.clone());
        let cleared = self.clear(by, room, &body).await?;
        let said = self.act(by, room, Act::Remember(entry)).await;
        self.settle(cleared, said)
    }

    /// Brings an entry back: a copy of it takes the place of the one that counts instead.
    pub(super) async fn restore(&self, by: &Caller, ask: Restore) -> Result<EventDone, Failure> {
        let wanted = ask.room.clone();
        let (room, entry) = self.look_in(by, &wanted, move |viewer| superseded(viewer, &ask.entry)).await?;
        let event = self.keep(by, room, entry).await?;
        Ok(EventDone { event: event.to_string() })
    }

    pub(super) async fn export_brain(&self, by: &Caller, ask: &ExportBrain) -> Result<BrainExported, Failure> {
        let room = self.room(by, &ask.room).await?;
        let from = ask.next.unwrap_or(0);
        let events: Vec<EventId> = {
            let shelves = self.shelves(room, false).await?;
            shelves
                .brain
                .books
                .iter()
                .skip(usize::try_from(from).unwrap_or(usize::MAX))
                .map(|book| book.event)
                .collect()
        };
        let mut part = BrainExported { markdown: String::new(), entries: 0, next: None };
        if from == 0 {
            let title = self.look(room, |viewer| Ok(viewer.title().to_owned())).await?;
            part.markdown = notebook::title(&title);
        }
        let mut at = from;
        for some in events.chunks(STEP / 8) {
            let some = some.to_vec();
            at += some.len() as u64;
            let look = move |viewer: &Viewer<'_, _>| {
                recollections(viewer, &some, false, usize::MAX).map_err(|error| unreadable(&error))
            };
            for (_, entry) in self.look(room, look).await? {
                part.markdown.push_str(&notebook::written(&entry));
                part.entries += 1;
            }
            if part.markdown.len() > BYTES / 4 {
                break;
            }
        }
        part.next = (at < from + events.len() as u64).then_some(at);
        Ok(part)
    }

    pub(super) async fn import_brain(&self, by: &Caller, ask: &ImportBrain) -> Result<BrainImported, Failure> {
        for_humans(by)?;
        let notes = notebook::read(&ask.markdown);
        if notes.is_empty() {
            return Err(no_entries());
        }
        let room = self.room(by, &ask.room).await?;
        let mut known = self.known_notes(room).await?;
        let mut imported = BrainImported { imported: 0, skipped: 0, refused: Vec::new() };
        for mut note in notes {
            let written_from = note.event.take();
            if !known.insert(note.clone()) {
                imported.skipped += 1;
                continue;
            }
            let headline = note.headline.clone();
            let supersedes = self.edited(room, written_from).await?;
            let kept = match remembered(note, supersedes) {
                Ok(entry) => self.keep(by, room, entry).await,
                Err(failure) => Err(failure),
            };
            match kept {
                Ok(_) => imported.imported += 1,
                // What the room forbids for one, it forbids for all.
                Err(failure) if OF_THE_ROOM.contains(&failure.rule.as_str()) => return Err(failure),
                Err(Failure { message, next, .. }) => imported.refused.push(EntryRefused { headline, message, next }),
            }
        }
        Ok(imported)
    }

    /// What is in the brain, as it would be imported.
    async fn known_notes(&self, room: RoomId) -> Result<BTreeSet<Note>, Failure> {
        let events: Vec<EventId> = {
            let shelves = self.shelves(room, false).await?;
            shelves.brain.books.iter().map(|book| book.event).collect()
        };
        let mut known = BTreeSet::new();
        for some in events.chunks(STEP) {
            let some = some.to_vec();
            let look = move |viewer: &Viewer<'_, _>| {
                recollections(viewer, &some, false, usize::MAX).map_err(|error| unreadable(&error))
            };
            let entries = self.look(room, look).await?;
            let notes = entries.iter().flat_map(|(_, entry)| notebook::read(&notebook::written(entry)));
            known.extend(notes.map(|note| Note { event: None, ..note }));
        }
        Ok(known)
    }

    /// The entry of this room that a text was written from, if it counts still: what was changed takes its
    /// place.
    async fn edited(&self, room: RoomId, event: Option<String>) -> Result<Option<EventId>, Failure> {
        let Some(event) = event else { return Ok(None) };
        let find = move |viewer: &Viewer<'_, _>| {
            let Ok(id) = resolve::event(viewer.node(), viewer.room(), &event) else { return Ok(None) };
            let read = viewer.event(&id).map_err(|error| unreadable(&error))?;
            let is_entry = read.is_some_and(|(record, event)| {
                matches!(event.body, Body::Remembered(_)) && viewer.void(&record).is_none()
            });
            let counts = is_entry && viewer.room().state().brain.superseded_by(&id).is_none();
            Ok(counts.then_some(id))
        };
        self.look(room, find).await
    }
}

/// Rules that no entry of a text is let in by, where one is not.
const OF_THE_ROOM: &[&str] = &["unverified", "no_charter", "not_a_member", "room_closed", "store_failed", "recovering"];

/// What is to be remembered, in the core's words.
fn entry<L: Log>(viewer: &Viewer<'_, L>, ask: Remember) -> Result<Remembered, Failure> {
    let supersedes = ask.supersedes.filter(|id| !id.trim().is_empty());
    Ok(Remembered {
        headline: ask.headline.trim().to_owned(),
        content: ask.content,
        tags: tidy_tags(ask.tags),
        kind: ask.kind.map_or(Ok(Kind::Fact), |kind| named("kind", &kind, KINDS))?,
        provenance: ask.provenance,
        supersedes: supersedes.map(|id| resolve::event(viewer.node(), viewer.room(), &id)).transpose()?,
    })
}

fn remembered(note: Note, supersedes: Option<EventId>) -> Result<Remembered, Failure> {
    let Note { headline, content, tags, kind, provenance, .. } = note;
    let kind = named("kind", &kind, KINDS)?;
    Ok(Remembered { headline, content, tags: tidy_tags(tags), kind, provenance, supersedes })
}

/// Tags as people write them: with a sign before, or twice.
pub(super) fn tidy_tags(tags: Vec<String>) -> Vec<String> {
    let mut tidy: Vec<String> = Vec::new();
    for tag in tags {
        let tag = tag.trim().trim_start_matches('#').to_owned();
        if !tag.is_empty() && !tidy.contains(&tag) {
            tidy.push(tag);
        }
    }
    tidy
}

/// A copy of an entry, for the place of the one that stands in its place.
fn superseded<L: Log>(viewer: &Viewer<'_, L>, wanted: &str) -> Result<Remembered, Failure> {
    let id = resolve::event(viewer.node(), viewer.room(), wanted)?;
    let read = viewer.event(&id).map_err(|error| unreadable(&error))?;
    let Some((record, Event { body: Body::Remembered(mut entry), .. })) = read else {
        return Err(refused(Refusal::NotAnEntry));
    };
    if viewer.void(&record).is_some() {
        return Err(refused(Refusal::NotAnEntry));
    }
    let latest = viewer.room().state().brain.superseded_by(&id).ok_or_else(counts_already)?;
    if viewer
        .event(&latest)
        .map_err(|error| unreadable(&error))?
        .is_some_and(|(_, event)| says_the_same(&event, &entry))
    {
        return Err(counts_already());
    }
    entry.supersedes = Some(latest);
    let origin = format!("entry {id}");
    if entry.provenance.len() < limits::LIST && !entry.provenance.contains(&origin) {
        entry.provenance.push(origin);
    }
    Ok(entry)
}

/// Is it a copy already?
fn says_the_same(event: &Event, entry: &Remembered) -> bool {
    let words = |entry: &Remembered| (entry.kind, entry.headline.clone(), entry.content.clone(), entry.tags.clone());
    matches!(&event.body, Body::Remembered(latest) if words(latest) == words(entry))
}

fn counts_already() -> Failure {
    let next = "There is nothing to bring back; `pairwave recall --superseded` shows what was superseded.";
    Failure::new(Code::Refused, "not_superseded", "This entry counts: no other one stands in its place", next)
}

fn no_entries() -> Failure {
    let message = "There is no entry in this text";
    Failure::new(Code::Usage, "no_entries", message, "Begin each entry with a heading of the second level: `## …`.")
}
