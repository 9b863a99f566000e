//! The brain: remembering, recalling, and both as Markdown.

use std::collections::BTreeSet;

use pairwave_api::{
    BrainExported, BrainImported, Code, Entry, EntryRefused, EventDone, ExportBrain, Failure, Field, ImportBrain,
    Recall, Recalled, Recollection, Remember,
};
use pairwave_core::brain::{Kind, Remembered};
use pairwave_core::consenting::Act;
use pairwave_core::event::Body;
use pairwave_core::id::{EventId, RoomId};
use pairwave_core::log::{Log, LogError};

use super::reading::BYTES;
use super::shelves::Book;
use super::talk::named;
use super::{Answers, for_humans};
use crate::caller::Caller;
use crate::notebook::{self, Note};
use crate::refusals::unreadable;
use crate::resolve;
use crate::view::Viewer;

/// Entries of an answer where nothing is said, and at most.
const LIMIT: u32 = 8;
const LIMIT_MAX: u32 = 100;

/// Entries that are looked at in one go; in between the node does other things.
const STEP: usize = 128;

const KINDS: &[(&str, Kind)] = &[
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

    pub(super) async fn recall(&self, by: &Caller, ask: Recall) -> Result<Recalled, Failure> {
        let room = self.room(by, &ask.room).await?;
        let kind = ask.kind.as_deref().map(|kind| named("kind", kind, KINDS)).transpose()?;
        let limit = ask.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX) as usize;
        let tags = tidy_tags(ask.tags);
        let wanted = |book: &Book| kind.is_none_or(|kind| book.kind == Some(kind)) && book.has(&tags);
        let query = ask.query.unwrap_or_default();
        let mut found = {
            let shelves = self.shelves(room, ask.transcript).await?;
            let mut found = shelves.brain.search(&query, wanted);
            if ask.transcript {
                found.extend(shelves.transcript.search(&query, wanted));
                found.sort_by(|a, b| b.1.total_cmp(&a.1));
            }
            found.into_iter().map(|(event, _)| event).collect::<Vec<_>>().into_iter()
        };
        let (mut entries, mut bytes) = (Vec::new(), 0);
        while entries.len() < limit && bytes < BYTES && !found.as_slice().is_empty() {
            let some: Vec<EventId> = found.by_ref().take(STEP).collect();
            let (superseded, most) = (ask.superseded, limit - entries.len());
            let look = move |viewer: &Viewer<'_, _>| {
                recollections(viewer, &some, superseded, most).map_err(|error| unreadable(&error))
            };
            for entry in self.look(room, look).await? {
                bytes += serde_json::to_vec(&entry).map_or(0, |json| json.len());
                if bytes < BYTES || entries.is_empty() {
                    entries.push(entry);
                }
            }
        }
        Ok(Recalled { entries })
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
            for entry in self.look(room, look).await? {
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
        for note in notes {
            if !known.insert(note.clone()) {
                imported.skipped += 1;
                continue;
            }
            let headline = note.headline.clone();
            let kept = match remembered(note) {
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
            known.extend(entries.iter().flat_map(|entry| notebook::read(&notebook::written(entry))));
        }
        Ok(known)
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

fn remembered(note: Note) -> Result<Remembered, Failure> {
    let Note { headline, content, tags, kind, provenance } = note;
    let kind = named("kind", &kind, KINDS)?;
    Ok(Remembered { headline, content, tags: tidy_tags(tags), kind, provenance, supersedes: None })
}

/// Tags as people write them: with a sign before, or twice.
fn tidy_tags(tags: Vec<String>) -> Vec<String> {
    let mut tidy: Vec<String> = Vec::new();
    for tag in tags {
        let tag = tag.trim().trim_start_matches('#').to_owned();
        if !tag.is_empty() && !tidy.contains(&tag) {
            tidy.push(tag);
        }
    }
    tidy
}

/// Those of these events that have effect, and that no other entry stands in the place of.
fn recollections<L: Log>(
    viewer: &Viewer<'_, L>,
    events: &[EventId],
    superseded: bool,
    most: usize,
) -> Result<Vec<Recollection>, LogError> {
    let state = viewer.room().state();
    let counts = |event: &&EventId| superseded || state.brain.superseded_by(event).is_none();
    let mut found = Vec::new();
    for event in events.iter().filter(counts) {
        if found.len() == most {
            break;
        }
        if let Some((record, read)) = viewer.event(event)?.filter(|(record, _)| viewer.void(record).is_none()) {
            let entry = viewer.entry_of(&record, &read)?;
            let latest = state.brain.superseded_by(event);
            found.push(recollection(entry, &read.body, latest));
        }
    }
    Ok(found)
}

fn recollection(entry: Entry, body: &Body, latest: Option<EventId>) -> Recollection {
    let text = |name: &str| match entry.fields.get(name) {
        Some(Field::Text(text)) => Some(text.clone()),
        _ => None,
    };
    let (source, tags) = match body {
        Body::Remembered(remembered) => ("brain", remembered.tags.clone()),
        Body::Shared(_) => ("artifact", Vec::new()),
        _ => ("transcript", Vec::new()),
    };
    Recollection {
        source: source.to_owned(),
        kind: text("remembered_as").unwrap_or_else(|| entry.kind.clone()),
        tags,
        supersedes: text("supersedes"),
        superseded_by: latest.map(|latest| latest.to_string()),
        event: entry.event,
        headline: entry.headline,
        content: entry.text,
        provenance: entry.provenance,
        name: entry.name,
        member: entry.member,
        me: entry.me,
        verified: entry.verified,
        session: entry.session,
        session_name: entry.session_name,
        origin: entry.origin,
        at: entry.at,
    }
}

fn no_entries() -> Failure {
    let message = "There is no entry in this text";
    Failure::new(Code::Usage, "no_entries", message, "Begin each entry with a heading of the second level: `## …`.")
}
