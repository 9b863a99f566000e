//! What was made searchable of each room: built from the log when somebody asks, and kept up with it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use pairwave_api::Failure;
use pairwave_core::brain::{self, Remembered};
use pairwave_core::event::{Body, Event};
use pairwave_core::id::{EventId, RoomId};

use super::Answers;
use super::passages::Passages;
use super::watch::locked;
use crate::recall::Index;
use crate::refusals::unreadable;
use crate::view::Viewer;

/// Events that are read in one go; in between the node does other things.
const STEP: usize = 128;
/// How much a word counts in a headline or among the tags.
const HEADLINE: f32 = 3.0;

/// The shelves of every room.
pub type AllShelves = Mutex<BTreeMap<RoomId, Arc<tokio::sync::Mutex<Shelves>>>>;

/// The brain, and the rest once somebody asks for it.
#[derive(Default)]
pub struct Shelves {
    pub brain: Shelf,
    pub transcript: Shelf,
    pub passages: Passages,
}

/// What can be searched, in the order of its arrival.
#[derive(Default)]
pub struct Shelf {
    index: Index,
    pub books: Vec<Book>,
    through: u64,
}

/// What is known of a text without opening it.
pub struct Book {
    pub event: EventId,
    /// None in the transcript.
    pub kind: Option<brain::Kind>,
    tags: Vec<String>,
}

/// One event as it goes onto a shelf.
struct Found {
    book: Book,
    headline: String,
    text: String,
    /// Files, links: what it was taken from.
    provenance: Vec<String>,
}

impl Shelf {
    /// The books that fit, the best first, of two alike the newer; without words, the newest first.
    pub fn search(&self, query: &str, wanted: impl Fn(&Book) -> bool) -> Vec<(EventId, f32)> {
        let mut found = match query.trim() {
            "" => (0..self.books.len() as u32).map(|number| (number, 0.0)).collect(),
            query => self.index.search(query),
        };
        found.retain(|(number, _)| wanted(&self.books[*number as usize]));
        found.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(b.0.cmp(&a.0)));
        found.into_iter().map(|(number, fits)| (self.books[number as usize].event, fits)).collect()
    }

    fn put(&mut self, found: Found) {
        let (tags, provenance) = (found.book.tags.join(" "), found.provenance.join(" "));
        let parts = [(&found.headline, HEADLINE), (&tags, HEADLINE), (&found.text, 1.0), (&provenance, 1.0)];
        self.index.add(&parts.map(|(part, weight)| (part.as_str(), weight)));
        self.books.push(found.book);
    }
}

impl Book {
    /// Does it have all of these tags?
    pub fn has(&self, tags: &[String]) -> bool {
        tags.iter().all(|tag| self.tags.iter().any(|known| known.to_lowercase() == tag.to_lowercase()))
    }
}

impl Answers {
    /// The shelves of a room, up to now.
    pub(super) async fn shelves(
        &self,
        room: RoomId,
        transcript: bool,
    ) -> Result<tokio::sync::OwnedMutexGuard<Shelves>, Failure> {
        let shelves = locked(&self.shelves).entry(room).or_default().clone();
        let mut shelves = shelves.lock_owned().await;
        self.fill(room, &mut shelves.brain, of_brain).await?;
        if transcript {
            self.fill(room, &mut shelves.transcript, of_transcript).await?;
        }
        Ok(shelves)
    }

    async fn fill(
        &self,
        room: RoomId,
        shelf: &mut Shelf,
        read: fn(EventId, Event) -> Option<Found>,
    ) -> Result<(), Failure> {
        loop {
            let after = shelf.through;
            let step = move |viewer: &Viewer<'_, _>| {
                let (through, arrived) = viewer.arrived(after, STEP).map_err(|error| unreadable(&error))?;
                let found = arrived.into_iter().filter_map(|(record, event)| read(record.position.id, event));
                Ok((through, found.collect::<Vec<_>>()))
            };
            let (through, found) = self.look(room, step).await?;
            if through == after {
                return Ok(());
            }
            found.into_iter().for_each(|found| shelf.put(found));
            shelf.through = through;
        }
    }
}

fn of_brain(event: EventId, read: Event) -> Option<Found> {
    let Body::Remembered(entry) = read.body else { return None };
    let Remembered { headline, content, tags, kind, provenance, .. } = entry;
    Some(Found { book: Book { event, kind: Some(kind), tags }, headline, text: content, provenance })
}

fn of_transcript(event: EventId, read: Event) -> Option<Found> {
    let book = Book { event, kind: None, tags: Vec::new() };
    match read.body {
        Body::Message(message) => {
            let headline = message.headline.unwrap_or_default();
            let text = format!("{}\n{}", message.text, message.rationale.unwrap_or_default());
            Some(Found { book, headline, text, provenance: message.provenance })
        }
        Body::Shared(shared) => {
            let text = [shared.language, shared.path_hint].into_iter().flatten().collect::<Vec<_>>().join(" ");
            Some(Found { book, headline: shared.headline, text, provenance: Vec::new() })
        }
        _ => None,
    }
}
