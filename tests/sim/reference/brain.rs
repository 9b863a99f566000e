//! The brain, by the words of the protocol: entries that took each other's place are a line, and the
//! latest of it counts.

use pairwave_core::brain::Remembered;
use pairwave_core::id::EventId;

use super::Library;

#[derive(Default, Clone)]
pub struct Brain {
    lines: Vec<Vec<EventId>>,
}

impl Brain {
    /// Every entry, and the one that counts in its place, if another one does.
    pub fn places(&self) -> Vec<(EventId, Option<EventId>)> {
        let latest = |line: &[EventId]| *line.last().expect("a line begins with an entry");
        let placed = |line: &Vec<EventId>| {
            let last = latest(line);
            line.iter().map(|entry| (*entry, (*entry != last).then_some(last))).collect::<Vec<_>>()
        };
        self.lines.iter().flat_map(placed).collect()
    }

    /// Lets an entry have its effect, where its author may speak. Says whether it has one.
    pub fn tell(&mut self, library: &Library, id: EventId, entry: &Remembered) -> bool {
        if !is_formed(entry) {
            return false;
        }
        match entry.supersedes {
            None => self.lines.push(vec![id]),
            Some(place) => {
                let knows = library.is_before(&place, &id);
                let line = self.lines.iter_mut().find(|line| knows && line.contains(&place));
                let Some(line) = line else { return false };
                line.push(id);
            }
        }
        true
    }
}

fn is_formed(entry: &Remembered) -> bool {
    let blank = |text: &String| text.trim().is_empty();
    let tag = |tag: &String| {
        let odd = tag.contains([',', '\n']) || tag.starts_with(' ') || tag.ends_with(' ');
        !blank(tag) && tag.len() <= 64 && !odd
    };
    !blank(&entry.headline)
        && entry.headline.len() <= 400
        && !blank(&entry.content)
        && entry.content.len() <= 192 * 1024
        && entry.tags.len() <= 32
        && entry.tags.iter().all(tag)
        && entry.provenance.len() <= 128
        && entry.provenance.iter().all(|line| !blank(line) && line.len() <= 4096)
}
