//! What was shared, searchable by passages: artifacts that are here, and are texts of a bounded size.

use std::collections::BTreeMap;
use std::ops::Range;

use pairwave_api::Failure;
use pairwave_core::blobs::Stage;
use pairwave_core::id::{EventId, RoomId};
use pairwave_core::log::Position;

use super::Answers;
use super::artifacts::all;
use super::judging::blocking;
use crate::recall::Index;
use crate::view::Found;

/// Most bytes of an artifact that is looked into.
const LONGEST: u64 = 1 << 20;
/// Most bytes of all artifacts of a room that are searchable at a time. Beyond it the newest half stays.
const MOST: u64 = 4 << 20;
/// Lines and bytes of a passage.
const LINES: usize = 12;
const BYTES: usize = 1_200;

/// The passages of a room's artifacts.
#[derive(Default)]
pub struct Passages {
    index: Index,
    places: Vec<Place>,
    /// What was looked into, and how much that was.
    looked_into: BTreeMap<EventId, u64>,
    /// Older artifacts are passed over.
    from: Option<Position>,
}

/// Where a passage stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub artifact: EventId,
    /// The first of its lines and the last one, from 1.
    pub lines: (usize, usize),
    pub range: Range<usize>,
}

impl Passages {
    /// The best passage of each artifact, in no order.
    pub fn search(&self, query: &str) -> Vec<(Place, f32)> {
        let mut best = BTreeMap::<EventId, (u32, f32)>::new();
        for (number, fits) in self.index.search(query) {
            let known = best.entry(self.places[number as usize].artifact).or_insert((number, fits));
            if fits > known.1 || fits == known.1 && number < known.0 {
                *known = (number, fits);
            }
        }
        best.into_values().map(|(number, fits)| (self.places[number as usize].clone(), fits)).collect()
    }

    /// Chooses which of these, oldest first, are looked into from now on. Gives those that were not yet.
    fn choose(&mut self, mut here: Vec<Found>) -> Vec<Found> {
        here.retain(|found| self.from.is_none_or(|from| found.position >= from));
        let is_here = |id: &EventId| here.iter().any(|found| found.position.id == *id);
        let all: u64 = here.iter().map(|found| found.shared.blob.size).sum();
        if all > MOST {
            let mut left = MOST / 2;
            let fits = |found: &&Found| {
                let fits = found.shared.blob.size <= left;
                left = left.saturating_sub(found.shared.blob.size);
                fits
            };
            self.from = here.iter().rev().take_while(fits).last().map(|oldest| oldest.position);
            here.retain(|found| self.from.is_some_and(|from| found.position >= from));
            *self = Self { from: self.from, ..Self::default() };
        } else if !self.looked_into.keys().all(is_here) {
            // What was removed leaves the index, too.
            *self = Self { from: self.from, ..Self::default() };
        }
        here.retain(|found| !self.looked_into.contains_key(&found.position.id));
        here
    }

    fn take(&mut self, artifact: EventId, content: &[u8]) {
        self.looked_into.insert(artifact, content.len() as u64);
        let Ok(text) = std::str::from_utf8(content) else { return };
        for (lines, range) in passages(text) {
            self.index.add(&[(&text[range.clone()], 1.0)]);
            self.places.push(Place { artifact, lines, range });
        }
    }
}

impl Answers {
    /// Makes what is here of a room's artifacts searchable, up to now.
    pub(super) async fn look_into_artifacts(&self, room: RoomId, passages: &mut Passages) -> Result<(), Failure> {
        let mut here = self.look(room, all).await?;
        here.retain(|found| is_searchable(found) && self.quarantine.has(&room, &found.position.id));
        here.sort_unstable_by_key(|found| found.position);
        for found in passages.choose(here) {
            let content = self.content(room, &found).await?;
            let mut taking = std::mem::take(passages);
            let take = move || {
                taking.take(found.position.id, &content);
                taking
            };
            *passages = blocking(take).await?;
        }
        Ok(())
    }

    /// A passage, if its artifact is still here.
    pub(super) async fn passage(&self, room: RoomId, place: &Place) -> Result<Option<String>, Failure> {
        let artifact = place.artifact;
        let found = self.look(room, move |viewer| super::artifacts::one(viewer, &artifact)).await?;
        let Some(found) = found.filter(is_searchable) else { return Ok(None) };
        let content = self.content(room, &found).await?;
        let text = content.get(place.range.clone()).map(String::from_utf8_lossy);
        Ok(text.map(|text| text.trim_end().to_owned()))
    }
}

fn is_searchable(found: &Found) -> bool {
    found.stage == Stage::Complete && found.shared.blob.size <= LONGEST
}

/// A text in pieces of whole lines, but where a line alone is too long.
fn passages(text: &str) -> Vec<((usize, usize), Range<usize>)> {
    let mut passages: Vec<((usize, usize), Range<usize>)> = Vec::new();
    let mut at = 0;
    for (line, number) in text.split_inclusive('\n').zip(1..) {
        for piece in pieces(line) {
            let range = at..at + piece.len();
            at = range.end;
            match passages.last_mut() {
                Some((lines, last)) if number - lines.0 < LINES && range.end - last.start <= BYTES => {
                    (lines.1, last.end) = (number, range.end);
                }
                _ => passages.push(((number, number), range)),
            }
        }
    }
    passages.retain(|(_, range)| !text[range.clone()].trim().is_empty());
    passages
}

fn pieces(mut line: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    while line.len() > BYTES {
        let end = (1..=BYTES).rev().find(|end| line.is_char_boundary(*end)).unwrap_or(line.len());
        let (piece, rest) = line.split_at(end);
        pieces.push(piece);
        line = rest;
    }
    pieces.push(line);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: EventId = EventId([1; 32]);

    #[test]
    fn passages_are_whole_lines_and_make_up_the_text() {
        let text: String = (1..=30).map(|line| format!("line {line}\n")).collect();
        let found = passages(&text);
        let lines: Vec<_> = found.iter().map(|(lines, _)| *lines).collect();
        assert_eq!(lines, [(1, 12), (13, 24), (25, 30)]);
        assert!(text[found[1].1.clone()].starts_with("line 13\n") && text[found[1].1.clone()].ends_with("line 24\n"));
        let long = format!("short\n{}\nend", "ä".repeat(2_000));
        let found = passages(&long);
        assert_eq!(found.iter().map(|(_, range)| &long[range.clone()]).collect::<String>(), long);
        assert!(found.iter().all(|(_, range)| range.len() <= BYTES), "{found:?}");
        assert_eq!(found.last().unwrap().0.1, 3);
        assert_eq!(passages("\n\n \n"), []);
    }

    #[test]
    fn the_best_passage_of_a_text_is_found_and_what_is_no_text_is_passed_over() {
        let mut here = Passages::default();
        let filler = |lines: usize| "nothing of interest\n".repeat(lines);
        here.take(ID, format!("{}fn retry_connection() {{\n{}", filler(40), filler(40)).as_bytes());
        here.take(EventId([2; 32]), b"retry \xff\xfe");
        let found = here.search("connection retries");
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].0.artifact, found[0].0.lines), (ID, (37, 48)));
        assert!(here.search("zebra").is_empty());
    }
}
