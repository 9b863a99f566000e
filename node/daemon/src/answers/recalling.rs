//! Recall: what fits best of the brain, and if asked of the transcript and of what was shared.

use std::collections::BTreeMap;

use pairwave_api::{Entry, Failure, Field, Recall, Recalled, Recollection};
use pairwave_core::command::Refusal;
use pairwave_core::event::{Body, Origin};
use pairwave_core::id::{EventId, RoomId};
use pairwave_core::log::{Log, LogError};

use super::Answers;
use super::brain::{KINDS, tidy_tags};
use super::passages::Place;
use super::reading::BYTES;
use super::shelves::Book;
use super::talk::named;
use crate::caller::Caller;
use crate::refusals::{refused, unreadable};
use crate::view::Viewer;

/// Entries of an answer where nothing is said, and at most.
const LIMIT: u32 = 8;
const LIMIT_MAX: u32 = 100;

/// Entries that are looked at in one go; in between the node does other things.
pub(super) const STEP: usize = 128;

/// What was found, the best first, and where inside an artifact.
struct Hits {
    events: Vec<EventId>,
    places: BTreeMap<EventId, Place>,
}

impl Answers {
    pub(super) async fn recall(&self, by: &Caller, ask: Recall) -> Result<Recalled, Failure> {
        // What was shared is shown to an agent only where somebody marks it as another's words.
        if ask.artifacts && by.speaker.origin == Origin::Agent && by.live.is_none() {
            return Err(refused(Refusal::HumansOnly));
        }
        let room = self.room(by, &ask.room).await?;
        let limit = ask.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX) as usize;
        let Hits { events, places } = self.hits(room, &ask).await?;
        let mut found = events.into_iter();
        let (mut entries, mut bytes) = (Vec::new(), 0);
        while entries.len() < limit && bytes < BYTES && !found.as_slice().is_empty() {
            let some: Vec<EventId> = found.by_ref().take(STEP).collect();
            let (superseded, most) = (ask.superseded, limit - entries.len());
            let look = move |viewer: &Viewer<'_, _>| {
                recollections(viewer, &some, superseded, most).map_err(|error| unreadable(&error))
            };
            for (event, mut entry) in self.look(room, look).await? {
                if let Some(place) = places.get(&event) {
                    let Some(passage) = self.passage(room, place).await? else { continue };
                    entry = inside(entry, place, passage);
                }
                bytes += serde_json::to_vec(&entry).map_or(0, |json| json.len());
                if bytes < BYTES || entries.is_empty() {
                    entries.push(entry);
                }
            }
        }
        Ok(Recalled { entries })
    }

    async fn hits(&self, room: RoomId, ask: &Recall) -> Result<Hits, Failure> {
        let kind = ask.kind.as_deref().map(|kind| named("kind", kind, KINDS)).transpose()?;
        let tags = tidy_tags(ask.tags.clone());
        let wanted = |book: &Book| kind.is_none_or(|kind| book.kind == Some(kind)) && book.has(&tags);
        let query = ask.query.as_deref().unwrap_or_default();
        let mut shelves = self.shelves(room, ask.transcript).await?;
        let mut found = shelves.brain.search(query, wanted);
        if ask.transcript {
            found.extend(shelves.transcript.search(query, wanted));
        }
        let mut places = BTreeMap::new();
        // Artifacts have neither kind nor tags.
        if ask.artifacts && kind.is_none() && tags.is_empty() {
            self.look_into_artifacts(room, &mut shelves.passages).await?;
            for (place, fits) in shelves.passages.search(query) {
                found.retain(|(event, _)| *event != place.artifact);
                found.push((place.artifact, fits));
                places.insert(place.artifact, place);
            }
        }
        found.sort_by(|a, b| b.1.total_cmp(&a.1));
        Ok(Hits { events: found.into_iter().map(|(event, _)| event).collect(), places })
    }
}

/// Those of these events that have effect, and that no other entry stands in the place of.
pub(super) fn recollections<L: Log>(
    viewer: &Viewer<'_, L>,
    events: &[EventId],
    superseded: bool,
    most: usize,
) -> Result<Vec<(EventId, Recollection)>, LogError> {
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
            found.push((*event, recollection(entry, &read.body, latest)));
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
        lines: None,
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

/// What stands inside an artifact, instead of what was said of it.
fn inside(entry: Recollection, place: &Place, passage: String) -> Recollection {
    let (first, last) = place.lines;
    let lines = if first == last { first.to_string() } else { format!("{first}-{last}") };
    Recollection { content: passage, lines: Some(lines), ..entry }
}
