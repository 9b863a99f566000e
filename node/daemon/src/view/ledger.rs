//! Where a room stands, from its state and the log: the same for everybody who has the same events.

use std::collections::BTreeMap;

use pairwave_api::{Entry, Field, LedgerLine, LedgerView, Participant, SummedUp};
use pairwave_core::actions::Request;
use pairwave_core::command::Speaker;
use pairwave_core::id::{EventId, MemberId};
use pairwave_core::log::{Log, LogError};

use super::{Viewer, time};
use crate::clock;

/// Letters of a line.
const LINE: usize = 240;

/// Most lines of each sort.
#[derive(Debug, Clone, Copy)]
pub struct Most {
    pub lines: usize,
    /// Of what each member said last.
    pub last: usize,
}

impl<L: Log> Viewer<'_, L> {
    /// Where the room stands.
    pub fn ledger(&self, by: &Speaker, most: Most) -> Result<LedgerView, LogError> {
        let state = self.room().state();
        let ledger = &state.ledger;
        let newest = |ids: Vec<EventId>| self.lines(ids.iter().rev().take(most.lines));
        let summary = ledger.summary().map(|summary| self.entry(&summary)).transpose()?.flatten();
        let members = self.members();
        let participants = members.iter().map(|member| self.participant(member, most.last));
        Ok(LedgerView {
            summed_up: summary.as_ref().map(|entry| summed_up(entry, most.lines)).unwrap_or_default(),
            summary: summary.map(line),
            open_questions: newest(self.questions(|_| true))?,
            decisions: newest(ledger.decisions().copied().collect())?,
            headlines: newest(ledger.headlines().copied().collect())?,
            artifacts: newest(self.shared())?,
            open_requests: self.open_requests(most.lines),
            requests: self.requests_by_state(),
            participants: participants.collect::<Result<_, _>>()?,
            charter: self.charter_view(),
            floor: self.floor_view(by, clock::now()),
            verified: state.gate.is_verified(),
            counts: self.counts(),
            last_activity: match ledger.newest() {
                Some(newest) => self.event(&newest)?.map(|(_, event)| time(event.claimed_time)),
                None => None,
            },
        })
    }

    /// An event in a line.
    pub fn line(&self, id: &EventId) -> Result<Option<LedgerLine>, LogError> {
        Ok(self.entry(id)?.map(line))
    }

    fn lines<'a>(&self, ids: impl Iterator<Item = &'a EventId>) -> Result<Vec<LedgerLine>, LogError> {
        let mut lines = Vec::new();
        for id in ids {
            lines.extend(self.line(id)?);
        }
        Ok(lines)
    }

    /// The artifacts that the state names, oldest first.
    fn shared(&self) -> Vec<EventId> {
        let mut shared: Vec<_> = self.room().state().artifacts.iter().collect();
        shared.sort_unstable_by_key(|(_, artifact)| artifact.position);
        shared.into_iter().map(|(id, _)| *id).collect()
    }

    fn participant(&self, member: &MemberId, last: usize) -> Result<Participant, LogError> {
        let part = self.room().state().ledger.part(member);
        let said = part.into_iter().flat_map(|part| part.last.iter().rev().take(last));
        Ok(Participant {
            member: member.to_string(),
            name: self.name(member),
            me: *member == self.me(),
            verified: self.is_verified(member),
            events: part.map_or(0, |part| part.events),
            unsummed: self.room().state().hops.turns(member),
            last: self.lines(said)?,
        })
    }

    /// Those that are not settled, the newest first.
    fn open_requests(&self, most: usize) -> Vec<LedgerLine> {
        let open = self.requests(|request| !request.is_settled());
        open.into_iter().rev().take(most).map(|(id, request)| self.request_line(&id, request)).collect()
    }

    /// A request in a line.
    pub fn request_line(&self, id: &EventId, request: &Request) -> LedgerLine {
        LedgerLine {
            event: id.to_string(),
            kind: request.state().name().to_owned(),
            from: self.name(&request.by),
            me: request.by == self.me(),
            at: time(request.asked),
            text: beginning(&request.summary),
        }
    }

    fn requests_by_state(&self) -> BTreeMap<String, u64> {
        let mut states = BTreeMap::new();
        for (_, request) in self.room().state().actions.iter() {
            *states.entry(request.state().name().to_owned()).or_default() += 1;
        }
        states
    }

    fn counts(&self) -> BTreeMap<String, u64> {
        let state = self.room().state();
        let counts = state.ledger.counts();
        let named = [
            ("events", self.room().count()),
            ("messages", counts.messages),
            ("questions", counts.questions),
            ("open_questions", state.talk.open_questions().count() as u64),
            ("answers", counts.answers),
            ("decisions", counts.decisions),
            ("summaries", counts.summaries),
            ("artifacts", counts.artifacts),
            ("requests", counts.requests),
            ("entries", counts.entries),
        ];
        named.into_iter().map(|(name, count)| (name.to_owned(), count)).collect()
    }
}

/// What was said, in a line.
pub fn line(entry: Entry) -> LedgerLine {
    let text = entry.headline.as_deref().filter(|headline| !headline.trim().is_empty()).unwrap_or(&entry.text);
    LedgerLine {
        text: beginning(text),
        event: entry.event,
        kind: entry.kind,
        from: entry.name,
        me: entry.me,
        at: entry.at,
    }
}

/// What a summary lists, so many lines of each sort.
fn summed_up(entry: &Entry, most: usize) -> SummedUp {
    let lines = |name: &str| match entry.fields.get(name) {
        Some(Field::List(list)) => list.iter().take(most).map(|line| beginning(line)).collect(),
        _ => Vec::new(),
    };
    SummedUp { headlines: lines("headlines"), decisions: lines("decisions"), open_questions: lines("open_questions") }
}

fn beginning(text: &str) -> String {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.extend(word.chars().take(LINE));
        if line.chars().count() > LINE {
            return line.chars().take(LINE).chain(['…']).collect();
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_of_bounded_length() {
        assert_eq!(beginning(" one\n\ttwo "), "one two");
        let long = beginning(&"ä ".repeat(1_000));
        assert_eq!((long.chars().count(), long.ends_with('…')), (LINE + 1, true));
        assert_eq!(beginning(&"x".repeat(10_000)).chars().count(), LINE);
    }
}
