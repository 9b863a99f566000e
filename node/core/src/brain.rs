//! The brain: what members and their agents want to find again. An entry lives in the log; the state
//! knows only which entry stands in the place of which.

use std::collections::BTreeMap;
use std::sync::Arc;

use pairwave_wire::limits;
use serde::{Deserialize, Serialize};

use crate::bounds::{few, filled};
use crate::causality;
use crate::command::Refusal;
use crate::event::{Body, Event};
use crate::id::{EventId, MemberId, RoomId};
use crate::log::{Log, LogError, Record};
use crate::marks::Marks;

/// Most tags of an entry.
pub const TAGS: usize = 32;
/// Most times that one member may put an entry in another's place, over all.
const SUPERSEDED: u32 = 4096;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Decision,
    Fact,
    Insight,
    Link,
    Snippet,
}

/// The author puts an entry into the brain. The event's id is the entry's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remembered {
    pub headline: String,
    pub content: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    pub kind: Kind,
    /// Where it comes from: files with lines, commits, links.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub provenance: Vec<String>,
    /// The entry in whose place this one stands, whoever wrote that. An entry comes back when a copy
    /// of it takes the newer one's place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<EventId>,
}

/// Which entries stand in the place of which. Entries that took each other's place are a line; the
/// latest of a line in the order is the one that counts, so that of two who put theirs in one place
/// at the same time the later counts, everywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brain {
    #[serde(with = "shared")]
    lines: Arc<Lines>,
}

/// Shared between the states of a room until it changes: contents stay in the log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Lines {
    /// Of each entry that took another's place: the first of its line.
    first: BTreeMap<EventId, EventId>,
    /// The latest of each line, by its first.
    latest: BTreeMap<EventId, EventId>,
    /// How many entries of each member took another's place.
    made: BTreeMap<MemberId, u32>,
}

impl Kind {
    pub const ALL: [Self; 5] = [Self::Decision, Self::Fact, Self::Insight, Self::Link, Self::Snippet];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Fact => "fact",
            Self::Insight => "insight",
            Self::Link => "link",
            Self::Snippet => "snippet",
        }
    }
}

impl Remembered {
    /// An entry with nothing but what it needs.
    pub fn new(kind: Kind, headline: impl Into<String>, content: impl Into<String>) -> Self {
        let (headline, content) = (headline.into(), content.into());
        Self { headline, content, tags: Vec::new(), kind, provenance: Vec::new(), supersedes: None }
    }

    /// Checks fields and bounds. Both the sender's companion and every receiver's fold do.
    pub fn check(&self) -> Result<(), Refusal> {
        filled("headline", &self.headline, limits::HEADLINE)?;
        filled("content", &self.content, limits::TEXT)?;
        few("tags", &self.tags, TAGS)?;
        self.tags.iter().try_for_each(|tag| check_tag(tag))?;
        few("provenance", &self.provenance, limits::LIST)?;
        self.provenance.iter().try_for_each(|entry| filled("provenance", entry, limits::LIST_ENTRY))
    }
}

impl Brain {
    /// The entry that counts in the place of this one, if another one does.
    pub fn superseded_by(&self, entry: &EventId) -> Option<EventId> {
        self.lines.latest.get(&self.line_of(entry)).copied().filter(|latest| latest != entry)
    }

    /// How many entries another one stands in the place of.
    pub fn superseded(&self) -> usize {
        self.lines.first.len()
    }

    /// The first entry of the line that this one belongs to: itself, where it took nobody's place.
    pub fn line_of(&self, entry: &EventId) -> EventId {
        self.lines.first.get(entry).copied().unwrap_or(*entry)
    }

    /// Would be in nobody's way: an entry that was superseded already has a newer one to look at.
    pub(crate) fn check_place(&self, by: &MemberId, remembered: &Remembered) -> Result<(), Refusal> {
        let Some(place) = remembered.supersedes else { return Ok(()) };
        self.check_share(by)?;
        self.superseded_by(&place).map_or(Ok(()), |by| Err(Refusal::Superseded { by }))
    }

    /// Takes an entry that was checked. What it supersedes is known to be an entry.
    pub(crate) fn apply(&mut self, by: MemberId, remembered: &Remembered, id: EventId) -> Result<(), Refusal> {
        let Some(place) = remembered.supersedes else { return Ok(()) };
        self.check_share(&by)?;
        let first = self.line_of(&place);
        let lines = Arc::make_mut(&mut self.lines);
        lines.first.insert(id, first);
        lines.latest.insert(first, id);
        *lines.made.entry(by).or_default() += 1;
        Ok(())
    }

    /// Nobody can fill the state up for the others.
    fn check_share(&self, by: &MemberId) -> Result<(), Refusal> {
        let (made, max) = (self.lines.made.get(by).copied().unwrap_or(0), SUPERSEDED);
        if made < max {
            return Ok(());
        }
        Err(Refusal::TooHigh { field: "supersedes", got: made + 1, max })
    }
}

/// Is there an entry with this id among the ancestors of `of`? Whether it has effect, its marks say.
pub(crate) fn is_entry_before(
    log: &dyn Log,
    room: &RoomId,
    entry: &EventId,
    of: &Record,
    marks: &Marks,
) -> Result<bool, LogError> {
    let Some(record) = log.get(room, entry)? else { return Ok(false) };
    let counts = marks.of(&record.author, record.seq, entry).is_none();
    let is = counts && record.event().is_some_and(|event| is_entry(&event));
    Ok(is && causality::is_ancestor(log, room, (&record.author, record.seq, *entry), of)?)
}

pub(crate) fn is_entry(event: &Event) -> bool {
    matches!(event.body, Body::Remembered(_))
}

/// A tag is one that can be typed, listed and told apart.
fn check_tag(tag: &str) -> Result<(), Refusal> {
    filled("tags", tag, limits::NAME)?;
    if tag.trim() != tag || tag.contains(',') || tag.chars().any(char::is_control) {
        return Err(Refusal::FieldShape {
            field: "tags".into(),
            expected: "list of tags without commas and line ends",
        });
    }
    Ok(())
}

/// What is shared in memory is written as what it is.
mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<T: Serialize, S: Serializer>(shared: &Arc<T>, serializer: S) -> Result<S::Ok, S::Error> {
        shared.as_ref().serialize(serializer)
    }

    pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<T>, D::Error> {
        T::deserialize(deserializer).map(Arc::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{ALICE, BOB, MALLORY, position};

    fn id(number: u16) -> EventId {
        position(number).id
    }

    fn entry() -> Remembered {
        Remembered::new(Kind::Fact, "the parser", "is recursive")
    }

    fn in_place_of(number: u16) -> Remembered {
        Remembered { supersedes: Some(id(number)), ..entry() }
    }

    #[test]
    fn bounds_hold() {
        type Change = fn(&mut Remembered);
        assert_eq!(entry().check(), Ok(()));
        let broken: [(Change, &str); 8] = [
            (|entry| entry.headline = " ".into(), "`headline` is empty"),
            (|entry| entry.headline = "x".repeat(401), "`headline` has 401 bytes, at most 400 are allowed"),
            (|entry| entry.content = "\n".into(), "`content` is empty"),
            (|entry| entry.content = "x".repeat(196_609), "`content` has 196609 bytes, at most 196608 are allowed"),
            (|entry| entry.tags = vec!["x".into(); 33], "`tags` has 33 entries, at most 32 are allowed"),
            (|entry| entry.tags = vec!["a,b".into()], "`tags` is not a list of tags without commas and line ends"),
            (|entry| entry.tags = vec!["x".repeat(65)], "`tags` has 65 bytes, at most 64 are allowed"),
            (|entry| entry.provenance = vec!["x".into(); 129], "`provenance` has 129 entries, at most 128 are allowed"),
        ];
        for (change, refusal) in broken {
            let mut entry = entry();
            change(&mut entry);
            assert_eq!(entry.check().unwrap_err().to_string(), refusal);
        }
    }

    #[test]
    fn the_latest_of_a_line_counts_and_a_copy_brings_an_entry_back() {
        let mut brain = Brain::default();
        assert_eq!(brain.superseded_by(&id(1)), None);
        brain.apply(ALICE, &in_place_of(1), id(2)).unwrap();
        assert_eq!((brain.superseded_by(&id(1)), brain.superseded_by(&id(2))), (Some(id(2)), None));
        brain.apply(BOB, &in_place_of(2), id(3)).unwrap();
        assert_eq!(brain.superseded_by(&id(1)), Some(id(3)));
        assert_eq!(brain.superseded_by(&id(2)), Some(id(3)));
        assert_eq!((brain.superseded_by(&id(3)), brain.line_of(&id(3))), (None, id(1)));
        assert_eq!(brain.superseded(), 2);
    }

    #[test]
    fn of_two_in_one_place_the_later_counts() {
        let mut brain = Brain::default();
        brain.apply(ALICE, &in_place_of(1), id(2)).unwrap();
        brain.apply(BOB, &in_place_of(1), id(3)).unwrap();
        assert_eq!(brain.superseded_by(&id(2)), Some(id(3)));
        assert_eq!(brain.check_place(&ALICE, &in_place_of(1)), Err(Refusal::Superseded { by: id(3) }));
        assert_eq!(brain.check_place(&ALICE, &in_place_of(3)), Ok(()));
    }

    #[test]
    fn who_floods_fills_nobody_elses_share() {
        let mut brain = Brain::default();
        for number in 1..=4096 {
            brain.apply(MALLORY, &in_place_of(number - 1), id(number)).unwrap();
        }
        let spent = Refusal::TooHigh { field: "supersedes", got: 4097, max: 4096 };
        assert_eq!(brain.apply(MALLORY, &in_place_of(1), id(5000)), Err(spent));
        assert_eq!(brain.apply(ALICE, &in_place_of(1), id(5001)), Ok(()));
        assert_eq!(brain.superseded_by(&id(4096)), Some(id(5001)));
    }

    #[test]
    fn a_state_that_is_kept_costs_nothing_until_the_next_change() {
        let mut brain = Brain::default();
        brain.apply(ALICE, &in_place_of(1), id(2)).unwrap();
        let kept = brain.clone();
        assert!(Arc::ptr_eq(&kept.lines, &brain.lines));
        brain.apply(ALICE, &in_place_of(2), id(3)).unwrap();
        assert_eq!((kept.superseded_by(&id(1)), brain.superseded_by(&id(1))), (Some(id(2)), Some(id(3))));
    }
}
