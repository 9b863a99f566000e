//! The ledger: what the fold keeps of what was said so that anybody can tell at once where a room
//! stands. It holds ids and counts; what was said is in the log.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::event::{Body, Event};
use crate::gate::Needs;
use crate::id::{EventId, MemberId, SessionId};
use crate::talk::{Kind, Message};

/// Most headlines, decisions and entries of the brain that are named; beyond it the oldest goes.
const NAMED: usize = 32;
/// Most of what one member said, and pushed, last that is named.
const LAST: usize = 3;

/// What was said of late, and how much of what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Oldest first, as all lists here.
    headlines: VecDeque<EventId>,
    decisions: VecDeque<EventId>,
    entries: VecDeque<EventId>,
    summary: Option<EventId>,
    newest: Option<EventId>,
    members: BTreeMap<MemberId, Part>,
    counts: Counts,
}

/// What one member had part in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Events with effect that its people and agents made.
    pub events: u64,
    /// What it said last.
    pub last: VecDeque<EventId>,
    /// What it pushed last, but for summaries.
    pub pushed: VecDeque<EventId>,
    /// Its newest summary.
    pub summary: Option<EventId>,
}

/// How much there is of what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub messages: u64,
    pub questions: u64,
    pub answers: u64,
    pub decisions: u64,
    pub summaries: u64,
    pub artifacts: u64,
    pub requests: u64,
    /// Entries of the brain, superseded ones among them.
    pub entries: u64,
}

impl Ledger {
    /// What was found out, reviewed or handed over, and whatever else has a headline: the newest last.
    pub fn headlines(&self) -> impl DoubleEndedIterator<Item = &EventId> {
        self.headlines.iter()
    }

    /// The newest last.
    pub fn decisions(&self) -> impl DoubleEndedIterator<Item = &EventId> {
        self.decisions.iter()
    }

    /// The newest entries of the brain, superseded ones among them; the newest last.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &EventId> {
        self.entries.iter()
    }

    /// The newest one.
    pub fn summary(&self) -> Option<EventId> {
        self.summary
    }

    /// The last event in the room's order that somebody made, and not a companion by itself.
    pub fn newest(&self) -> Option<EventId> {
        self.newest
    }

    pub fn part(&self, member: &MemberId) -> Option<&Part> {
        self.members.get(member)
    }

    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Takes an event that has effect.
    pub(crate) fn heard(&mut self, event: &Event, id: EventId) {
        if event.session == SessionId::COMPANION {
            return;
        }
        self.newest = Some(id);
        let part = self.members.entry(event.author).or_default();
        part.events += 1;
        if matches!(event.body, Body::Message(_) | Body::Shared(_) | Body::Requested(_)) {
            keep(&mut part.last, id, LAST);
        }
        if matches!(&event.body, Body::Message(message) if message.kind == Kind::Summary) {
            part.summary = Some(id);
        } else if Needs::of(&event.body).floor {
            keep(&mut part.pushed, id, LAST);
        }
        match &event.body {
            Body::Message(message) => self.said(message, id),
            Body::Shared(_) => self.counts.artifacts += 1,
            Body::Requested(_) => self.counts.requests += 1,
            Body::Remembered(_) => {
                self.counts.entries += 1;
                keep(&mut self.entries, id, NAMED);
            }
            _ => {}
        }
    }

    fn said(&mut self, message: &Message, id: EventId) {
        self.counts.messages += 1;
        match message.kind {
            Kind::Decision => {
                self.counts.decisions += 1;
                keep(&mut self.decisions, id, NAMED);
            }
            Kind::Summary => {
                self.counts.summaries += 1;
                self.summary = Some(id);
            }
            Kind::Question => self.counts.questions += 1,
            Kind::Answer => self.counts.answers += 1,
            Kind::Context | Kind::Finding | Kind::Handoff | Kind::Review => keep(&mut self.headlines, id, NAMED),
            Kind::Chat | Kind::Status if message.headline.is_some() => keep(&mut self.headlines, id, NAMED),
            Kind::Chat | Kind::Status => {}
        }
    }
}

fn keep(list: &mut VecDeque<EventId>, id: EventId, most: usize) {
    list.push_back(id);
    if list.len() > most {
        list.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::brain::{self, Remembered};
    use crate::event::Origin;
    use crate::sample::{ALICE, BOB, event};

    fn heard(ledger: &mut Ledger, by: MemberId, number: u8, message: Message) {
        ledger.heard(&event(by, Origin::Agent, Body::Message(message)), EventId([number; 32]));
    }

    #[test]
    fn the_newest_of_each_sort_are_named_and_all_are_counted() {
        let mut ledger = Ledger::default();
        for number in 0..100 {
            heard(&mut ledger, ALICE, number, Message::new(Kind::Decision, "one parser"));
            heard(&mut ledger, ALICE, number + 100, Message::new(Kind::Finding, "it leaks"));
        }
        let decisions: Vec<_> = ledger.decisions().copied().collect();
        let expected: Vec<_> = (68..100).map(|number| EventId([number; 32])).collect();
        assert_eq!(decisions, expected);
        assert_eq!(ledger.headlines().count(), NAMED);
        assert_eq!((ledger.counts().messages, ledger.counts().decisions), (200, 100));
        let part = ledger.part(&ALICE).unwrap();
        assert_eq!((part.events, part.last.len()), (200, LAST));
        assert_eq!(part.last.back(), Some(&EventId([199; 32])));
        assert_eq!(ledger.part(&BOB), None);
    }

    #[test]
    fn the_newest_summary_counts_and_small_talk_has_no_headline() {
        let mut ledger = Ledger::default();
        for number in 1..=2 {
            heard(&mut ledger, ALICE, number, Message::new(Kind::Summary, "so far"));
        }
        heard(&mut ledger, BOB, 3, Message::new(Kind::Chat, "hello"));
        assert_eq!((ledger.summary(), ledger.headlines().count()), (Some(EventId([2; 32])), 0));
        let headed = Message { headline: Some("tests pass".into()), ..Message::new(Kind::Status, "all of them") };
        heard(&mut ledger, BOB, 4, headed);
        assert_eq!(ledger.headlines().collect::<Vec<_>>(), [&EventId([4; 32])]);
    }

    #[test]
    fn talk_drives_nothing_out_that_was_pushed_summed_up_or_remembered() {
        let mut ledger = Ledger::default();
        heard(&mut ledger, ALICE, 1, Message::new(Kind::Summary, "so far"));
        heard(&mut ledger, ALICE, 2, Message::new(Kind::Finding, "it leaks"));
        let entry = Body::Remembered(Remembered::new(brain::Kind::Fact, "the parser", "is recursive"));
        ledger.heard(&event(ALICE, Origin::Agent, entry), EventId([3; 32]));
        (10..20).for_each(|number| heard(&mut ledger, ALICE, number, Message::new(Kind::Chat, "hm")));
        let part = ledger.part(&ALICE).unwrap();
        assert_eq!((part.summary, part.last.back()), (Some(EventId([1; 32])), Some(&EventId([19; 32]))));
        assert_eq!(part.pushed, [EventId([2; 32])]);
        assert_eq!((ledger.entries().copied().collect(), ledger.counts().entries), (vec![EventId([3; 32])], 1));
    }

    #[test]
    fn what_a_companion_does_by_itself_is_nobodys_activity() {
        let mut ledger = Ledger::default();
        let mut own = event(ALICE, Origin::Human, Body::Message(Message::new(Kind::Chat, "x")));
        own.session = SessionId::COMPANION;
        ledger.heard(&own, EventId([1; 32]));
        assert_eq!(ledger, Ledger::default());
    }
}
