//! The transcript, a page at a time.

use pairwave_api::{Code, Entry, Failure, Read, Transcript};
use pairwave_core::event::{Body, Event};
use pairwave_core::id::EventId;
use pairwave_core::log::{Log, LogError, Position};
use pairwave_core::talk::{Address, Kind};

use super::Answers;
use crate::caller::Caller;
use crate::refusals::unreadable;
use crate::resolve;
use crate::view::Viewer;

/// Events of a page where nothing is said, and at most.
const LIMIT: u32 = 30;
const LIMIT_MAX: u32 = 500;

/// Events that are looked at for one page, so that a filter which nothing passes ends.
const SCAN: usize = 5_000;

/// Events that are looked at in one go; in between the node does other things.
const STEP: usize = 128;

/// Bytes of a page as it is written to the face, unless its first entry alone has more: half of what
/// a frame may have, for an entry may take six times its event's bytes.
pub(super) const BYTES: usize = 2 << 20;

impl Answers {
    pub(super) async fn read(&self, by: &Caller, ask: Read) -> Result<Transcript, Failure> {
        let room = self.room(by, &ask.room).await?;
        let mut walk = self.look(room, move |viewer| begin(viewer, &ask)).await?;
        while !walk.is_over() {
            let step = |viewer: &Viewer<'_, _>| walk.step(viewer).map_err(|error| unreadable(&error));
            walk = self.look(room, step).await?;
        }
        Ok(walk.page())
    }
}

fn begin<L: Log>(viewer: &Viewer<'_, L>, ask: &Read) -> Result<Walk, Failure> {
    let event = |wanted: &Option<String>| match wanted {
        Some(wanted) => resolve::event(viewer.node(), viewer.room(), wanted).map(Some),
        None => Ok(None),
    };
    if let Some(only) = event(&ask.event)? {
        let entry = viewer.entry(&only).map_err(|error| unreadable(&error))?;
        return Ok(Walk::over(entry.into_iter().collect()));
    }
    let position = |event: Option<EventId>| match event {
        Some(event) => {
            let found = viewer.event(&event).map_err(|error| unreadable(&error))?;
            Ok(found.map(|(record, _)| record.position))
        }
        None => Ok(None),
    };
    let (after, before) = (position(event(&ask.after)?)?, position(event(&ask.before)?)?);
    let limit = ask.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX) as usize;
    let (filter, onwards, at) = (Filter::new(viewer, ask)?, after.is_some(), after.or(before));
    Ok(Walk { filter, limit, onwards, before, at, ..Walk::default() })
}

/// What of the transcript is wanted.
#[derive(Default)]
struct Filter {
    kind: Option<String>,
    from: Option<Address>,
    words: Vec<String>,
}

/// Does the transcript know entries of this kind? Messages go by what they are for.
fn is_known(kind: &str) -> bool {
    let is_message = Kind::ALL.iter().any(|known| known.name() == kind);
    is_message || kind == "foreign" || (kind != "message" && Body::KINDS.contains(&kind))
}

impl Filter {
    fn new<L: Log>(viewer: &Viewer<'_, L>, ask: &Read) -> Result<Self, Failure> {
        if let Some(kind) = ask.kind.as_deref().filter(|kind| !is_known(kind)) {
            let message = format!("There is no kind {:?}", kind.chars().take(40).collect::<String>());
            return Err(Failure::new(Code::Usage, "no_such_kind", message, "Use one that the transcript shows."));
        }
        let from = ask.from.as_deref().map(|from| resolve::speaker(viewer, from)).transpose()?;
        let words = ask.query.as_deref().unwrap_or_default().split_whitespace().map(str::to_lowercase).collect();
        Ok(Self { kind: ask.kind.clone(), from, words })
    }

    fn is_by(&self, event: &Event) -> bool {
        self.from.is_none_or(|from| {
            event.author == from.member && from.session.is_none_or(|session| event.session == session)
        })
    }

    fn takes(&self, entry: &Entry) -> bool {
        let kind = self.kind.as_ref().is_none_or(|kind| entry.kind == *kind);
        if !kind || self.words.is_empty() {
            return kind;
        }
        let text =
            [&entry.text, entry.headline.as_ref().unwrap_or(&entry.kind)].map(|text| text.to_lowercase()).join("\n");
        self.words.iter().all(|word| text.contains(word))
    }
}

/// A walk through the order: onwards where it is said after what, else back from the newest.
#[derive(Default)]
struct Walk {
    filter: Filter,
    limit: usize,
    onwards: bool,
    before: Option<Position>,
    /// How far it has come.
    at: Option<Position>,
    looked: usize,
    bytes: usize,
    found: Vec<Entry>,
    end: Option<End>,
}

/// Why a walk ended.
#[derive(PartialEq)]
enum End {
    /// There is nothing further on.
    Reached,
    /// There is more, but this is enough for a page.
    Full,
}

impl Walk {
    /// One that has found these and needs not go on.
    fn over(found: Vec<Entry>) -> Self {
        Self { found, end: Some(End::Reached), ..Self::default() }
    }

    fn is_over(&self) -> bool {
        self.end.is_some()
    }

    fn page(mut self) -> Transcript {
        if !self.onwards {
            self.found.reverse();
        }
        let next = self.at.filter(|_| self.end == Some(End::Full)).map(|position| position.id.to_string());
        Transcript { events: self.found, next }
    }

    fn step<L: Log>(mut self, viewer: &Viewer<'_, L>) -> Result<Self, LogError> {
        let positions = self.next_positions(viewer, STEP)?;
        if positions.is_empty() {
            self.end = Some(End::Reached);
        }
        for position in positions {
            let wanted = self.wanted(viewer, &position.id)?;
            self.bytes += wanted.as_ref().map_or(0, written);
            if self.bytes > BYTES && !self.found.is_empty() {
                self.end = Some(End::Full);
                break;
            }
            self.at = Some(position);
            self.looked += 1;
            self.found.extend(wanted);
            if self.found.len() >= self.limit || self.looked >= SCAN {
                let more = !self.next_positions(viewer, 1)?.is_empty();
                self.end = Some(if more { End::Full } else { End::Reached });
                break;
            }
        }
        Ok(self)
    }

    /// The next positions in the direction of the walk, within its bounds.
    fn next_positions<L: Log>(&self, viewer: &Viewer<'_, L>, limit: usize) -> Result<Vec<Position>, LogError> {
        let (log, room) = (viewer.node().log(), viewer.room().id());
        if !self.onwards {
            return log.descending(&room, self.at, limit);
        }
        let mut positions = log.ascending(&room, self.at, limit)?;
        positions.retain(|position| self.before.is_none_or(|before| *position < before));
        Ok(positions)
    }

    fn wanted<L: Log>(&self, viewer: &Viewer<'_, L>, id: &EventId) -> Result<Option<Entry>, LogError> {
        let Some((record, event)) = viewer.event(id)? else { return Ok(None) };
        if !self.filter.is_by(&event) {
            return Ok(None);
        }
        Ok(Some(viewer.entry_of(&record, &event)?).filter(|entry| self.filter.takes(entry)))
    }
}

/// Bytes of an entry on its way to a face.
pub(super) fn written(entry: &Entry) -> usize {
    serde_json::to_vec(entry).map_or(0, |json| json.len() + 1)
}
