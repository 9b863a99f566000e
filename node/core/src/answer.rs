//! Answer lines: what a joiner sends back whom the invite alone does not bring together with the
//! inviter. The side that cannot be reached dials the other, and the joiner knocks on that
//! connection as on any.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use pairwave_wire::{TransportId, cbor, hello::InviteLabel, limits};
use serde::{Deserialize, Serialize};

use crate::armor::{self, ArmorError};
use crate::command::{Outcome, Refusal};
use crate::id::{MemberId, RoomId};
use crate::log::Log;
use crate::members::Invite;
use crate::node::Node;
use crate::seat::Standing;
use crate::time::Timestamp;

const PREFIX: &str = "pairanswer";
const VERSION: u8 = 1;
/// Longest content in bytes: all addresses at their longest, a transport id and a label.
const CONTENT: usize = limits::ADDRESSES * (limits::ADDRESS + 3) + 256;
/// How long the joiner is dialled.
const DIAL_FOR: Duration = Duration::from_secs(15 * 60);

/// Where a joiner is. Nothing in it is secret: the label names the invite to those who made it and
/// nothing to anybody else, and only who holds the invite's secret is let in.
///
/// As text it is one word: `pairanswer1` and the [armor] of its deterministic CBOR, an array of the
/// fields in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The invite that the joiner holds.
    pub label: InviteLabel,
    /// The joiner's companion.
    pub transport: TransportId,
    /// Where it may be reached (multiaddrs, circuits among them); at most [`limits::ADDRESSES`].
    pub addresses: Vec<String>,
}

/// Why a text is no answer line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseAnswerError {
    /// Nothing in the text looks like an answer line.
    #[error("there is no answer in this text")]
    NotAnAnswer,
    /// The line is of a format that a newer program writes.
    #[error("the answer has format {theirs}, this program reads format {ours}")]
    Newer {
        /// The format that this program reads.
        ours: u8,
        /// The format of the line.
        theirs: u8,
    },
    /// The end is missing.
    #[error("the answer is cut short: {got} of its {expected} characters are there")]
    CutShort {
        /// Characters that are there.
        got: usize,
        /// Characters that it has.
        expected: usize,
    },
    /// A character was changed, lost or added.
    #[error("the answer is damaged: its checksum does not fit")]
    Damaged,
    /// Far longer than an answer can be.
    #[error("the text is too long for an answer: {got} bytes where at most {max} are allowed")]
    TooLong {
        /// Length found, in bytes.
        got: usize,
        /// Length allowed, in bytes.
        max: usize,
    },
    /// The checksum fits, but what it protects is no answer.
    #[error("the content of the answer is wrong: {0}")]
    Content(String),
}

/// A joiner that is dialled because it sent a line back.
#[derive(Debug)]
pub(crate) struct Answering {
    pub addresses: BTreeSet<String>,
    until: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Content(InviteLabel, TransportId, Vec<String>);

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = self.addresses.iter().filter(|address| address.len() <= limits::ADDRESS);
        let addresses = fits.take(limits::ADDRESSES).cloned().collect();
        let content = Content(self.label, self.transport.clone(), addresses);
        let content = cbor::encode(&content).map_err(|_| fmt::Error)?;
        f.write_str(&armor::encode(PREFIX, VERSION, &content).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for Answer {
    type Err = ParseAnswerError;

    /// Takes the word alone, quoted, broken into lines, or inside the command line it came in.
    fn from_str(text: &str) -> Result<Self, ParseAnswerError> {
        let content = armor::decode(PREFIX, VERSION, text, CONTENT)?;
        let content = cbor::decode(&content, CONTENT);
        let Content(label, transport, addresses) =
            content.map_err(|error| ParseAnswerError::Content(error.to_string()))?;
        let wrong = |why: &str| Err(ParseAnswerError::Content(why.to_owned()));
        if addresses.len() > limits::ADDRESSES || addresses.iter().any(|address| address.len() > limits::ADDRESS) {
            return wrong("too many or too long addresses");
        }
        if addresses.is_empty() {
            return wrong("it names no address");
        }
        Ok(Self { label, transport, addresses })
    }
}

impl From<ArmorError> for ParseAnswerError {
    fn from(error: ArmorError) -> Self {
        match error {
            ArmorError::Absent { .. } => Self::NotAnAnswer,
            ArmorError::Newer { ours, theirs } => Self::Newer { ours, theirs },
            ArmorError::CutShort { got, expected } => Self::CutShort { got, expected },
            ArmorError::Damaged => Self::Damaged,
            ArmorError::TooLong { got, max } => Self::TooLong { got, max },
        }
    }
}

impl<L: Log> Node<L> {
    /// The line to send back while nobody lets us into a room: none without an address of ours, and
    /// none while the inviter's companion is there, for then it is not for want of a way.
    pub fn answer_line(&self, room: &RoomId) -> Option<Answer> {
        let invite = &self.joins().find(|joining| joining.invite.room == *room)?.invite;
        let there = self.connectivity.is_connected(&invite.transport);
        let answer = Answer {
            label: invite.label,
            transport: self.transport.clone(),
            addresses: self.addresses.iter().take(limits::ADDRESSES).cloned().collect(),
        };
        (!there && !answer.addresses.is_empty()).then_some(answer)
    }

    /// The standing member of a room whose companion this is, as far as is known.
    pub fn member_at(&self, room: &RoomId, transport: &TransportId) -> Option<MemberId> {
        let seat = self.seats.get(room)?;
        seat.peers.member_at(transport).filter(|member| seat.room.is_member(member))
    }

    /// Dials a joiner for a while, which then knocks.
    pub(crate) fn answer(&mut self, answer: Answer) -> Result<Outcome, Refusal> {
        if answer.transport == self.transport {
            return Err(Refusal::OwnAnswer);
        }
        let (room, invite) = self.invited_by(&answer.label).ok_or(Refusal::UnknownInvite)?;
        if self.member_at(&room, &answer.transport).is_none() {
            check_open(invite, self.now)?;
        }
        let addresses = answer.addresses.into_iter().collect();
        self.answering.insert(answer.transport.clone(), Answering { addresses, until: self.now + DIAL_FOR });
        self.connectivity.retry(&answer.transport, self.now);
        Ok(Outcome::Answering { room, transport: answer.transport })
    }

    /// Forgets joiners that were dialled for long enough.
    pub(crate) fn expire_answers(&mut self) {
        let now = self.now;
        self.answering.retain(|_, answering| answering.until > now);
    }

    fn invited_by(&self, label: &InviteLabel) -> Option<(RoomId, &Invite)> {
        let member = self.seats.iter().filter(|(_, seat)| seat.standing() == Standing::Member);
        let mut invited =
            member.filter_map(|(room, seat)| Some((*room, seat.room.state().members.invite_by_label(label)?)));
        invited.next()
    }
}

/// Would somebody who holds this invite be let in?
fn check_open(invite: &Invite, now: Timestamp) -> Result<(), Refusal> {
    if invite.closed.is_some() {
        Err(Refusal::InviteRevoked)
    } else if invite.expires_at <= now {
        Err(Refusal::InviteExpired)
    } else if invite.used >= invite.uses {
        Err(Refusal::InviteUsedUp)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> Answer {
        Answer {
            label: InviteLabel([2; 16]),
            transport: TransportId::new([5; 38]).unwrap(),
            addresses: vec!["/ip4/203.0.113.9/udp/4011/quic-v1".into()],
        }
    }

    #[test]
    fn an_answer_is_one_word_and_may_come_inside_its_command() {
        let word = answer().to_string();
        assert!(word.starts_with("pairanswer1"));
        assert!(word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()), "{word}");
        for text in [word.clone(), format!("pairwave answer {word}"), word.to_uppercase()] {
            assert_eq!(text.parse(), Ok(answer()));
        }
    }

    #[test]
    fn each_fault_has_its_own_error() {
        let word = answer().to_string();
        let parse = |text: &str| text.parse::<Answer>().unwrap_err();
        assert_eq!(parse("pairwave1abc"), ParseAnswerError::NotAnAnswer);
        assert_eq!(parse(&word.replace("answer1", "answer2")), ParseAnswerError::Newer { ours: 1, theirs: 2 });
        assert!(matches!(parse(&word[..word.len() - 1]), ParseAnswerError::CutShort { .. }));
        let at = word.len() - 10;
        let changed = if word[at..].starts_with('a') { "b" } else { "a" };
        assert_eq!(parse(&format!("{}{changed}{}", &word[..at], &word[at + 1..])), ParseAnswerError::Damaged);
        assert!(matches!(parse(&"x".repeat(armor::TEXT + 1)), ParseAnswerError::TooLong { .. }));
        let nowhere = Answer { addresses: Vec::new(), ..answer() };
        assert!(matches!(parse(&nowhere.to_string()), ParseAnswerError::Content(_)));
    }

    #[test]
    fn too_many_addresses_are_left_out() {
        let long = Answer { addresses: vec!["a".repeat(limits::ADDRESS); limits::ADDRESSES + 4], ..answer() };
        assert_eq!(long.to_string().parse::<Answer>().unwrap().addresses.len(), limits::ADDRESSES);
    }
}
