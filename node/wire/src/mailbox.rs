//! What a companion and a relay say to each other about letters, on a stream of
//! [`protocol::MAILBOX`](crate::protocol::MAILBOX): a request, then its answer, any number of times.
//!
//! A letter waits under a tag that only the members of a room can compute. The relay knows neither
//! room nor member nor content, only sizes, times and the transport ids of those who come.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::hello::BlindedTag;
use crate::{cbor, limits};

/// Names a letter at one relay, for as long as it waits there. Random, so that it counts nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LetterId(#[serde(with = "serde_bytes")] pub [u8; 16]);

/// What a companion asks of a mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailboxRequest {
    /// Shows a token of this relay. Answered by `Welcome` or `Refused`.
    Present {
        /// As `relay-node token new` printed it.
        token: String,
    },
    /// Leaves a letter. Answered by `Stored` once it is durable, or by `Refused`.
    Deposit {
        /// Under which it waits.
        at: BlindedTag,
        /// Exactly one of the sizes in [`limits::LETTERS`].
        letter: ByteBuf,
    },
    /// Asks for what waits, oldest first. Answered by `Letters`.
    Collect {
        /// At most [`limits::MAILBOXES`].
        at: Vec<BlindedTag>,
        /// Letters that the asker holds already and has not discarded yet; at most
        /// [`limits::LETTER_IDS`].
        besides: Vec<LetterId>,
    },
    /// Letters that are durable at the asker may go. Answered by `Discarded`, also where some of
    /// them were gone already.
    Discard {
        /// At most [`limits::LETTER_IDS`]; a letter goes only if the tag it waits under is named.
        letters: Vec<(BlindedTag, LetterId)>,
    },
}

/// What a mailbox answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailboxAnswer {
    /// The token counts for connections that are made from now on.
    Welcome,
    /// The letter survives a crash of the relay.
    Stored,
    /// As many letters as one message holds; `more` says whether others wait.
    Letters {
        letters: Vec<Waiting>,
        more: bool,
    },
    Discarded,
    Refused(RelayRefusal),
}

/// A letter that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    pub id: LetterId,
    pub at: BlindedTag,
    pub letter: ByteBuf,
}

/// Why a relay does not do what it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum RelayRefusal {
    /// What waits under this tag has reached [`limits::MAILBOX`].
    #[error("the mailbox is full")]
    MailboxFull,
    /// The relay has no room for anybody, or none for who has shown no token.
    #[error("the relay is full")]
    RelayFull,
    /// This companion, or its address, asks too much.
    #[error("too many requests")]
    TooMuch,
    /// No token of this relay, or a revoked one.
    #[error("the token is not one of this relay")]
    UnknownToken,
    /// Not a request, or one over its bounds.
    #[error("the request is malformed")]
    Malformed,
    /// The relay is about to stop; another one, or a later time, will do.
    #[error("the relay is stopping")]
    Stopping,
    /// The relay cannot write.
    #[error("the relay cannot store anything now")]
    Broken,
}

/// A message to or from a relay that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RelayMessageError {
    #[error(transparent)]
    Decode(#[from] cbor::DecodeError),
    #[error("{got} entries where at most {max} are allowed")]
    TooMany { got: usize, max: usize },
    #[error("a letter of {got} bytes, which is none of the sizes of letters")]
    LetterSize { got: usize },
    #[error("a token of {got} bytes where at most {max} are allowed")]
    TokenTooLong { got: usize, max: usize },
    #[error("a record of {got} bytes where at most {max} are allowed")]
    RecordTooLong { got: usize, max: usize },
}

impl MailboxRequest {
    pub fn decode(bytes: &[u8]) -> Result<Self, RelayMessageError> {
        let request: Self = cbor::decode(bytes, limits::RELAY_MESSAGE)?;
        match &request {
            Self::Present { token } if token.len() > limits::TOKEN => {
                Err(RelayMessageError::TokenTooLong { got: token.len(), max: limits::TOKEN })
            }
            Self::Deposit { letter, .. } => check_size(letter.len()),
            Self::Collect { at, besides } => {
                at_most(at.len(), limits::MAILBOXES).and_then(|()| at_most(besides.len(), limits::LETTER_IDS))
            }
            Self::Discard { letters } => at_most(letters.len(), limits::LETTER_IDS),
            Self::Present { .. } => Ok(()),
        }
        .map(|()| request)
    }

    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(self).expect("texts and bytes always encode")
    }
}

impl MailboxAnswer {
    pub fn decode(bytes: &[u8]) -> Result<Self, RelayMessageError> {
        let answer: Self = cbor::decode(bytes, limits::RELAY_MESSAGE)?;
        if let Self::Letters { letters, .. } = &answer {
            letters.iter().try_for_each(|waiting| check_size(waiting.letter.len()))?;
        }
        Ok(answer)
    }

    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(self).expect("texts and bytes always encode")
    }
}

pub(crate) fn at_most(got: usize, max: usize) -> Result<(), RelayMessageError> {
    if got > max { Err(RelayMessageError::TooMany { got, max }) } else { Ok(()) }
}

fn check_size(got: usize) -> Result<(), RelayMessageError> {
    if limits::LETTERS.contains(&got) { Ok(()) } else { Err(RelayMessageError::LetterSize { got }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: BlindedTag = BlindedTag([7; 32]);

    #[test]
    fn requests_and_answers_round_trip() {
        let requests = [
            MailboxRequest::Present { token: "a-token".into() },
            MailboxRequest::Deposit { at: AT, letter: ByteBuf::from(vec![1; limits::LETTERS[0]]) },
            MailboxRequest::Collect { at: vec![AT; limits::MAILBOXES], besides: vec![LetterId([1; 16])] },
            MailboxRequest::Discard { letters: vec![(AT, LetterId([2; 16]))] },
        ];
        for request in requests {
            assert_eq!(MailboxRequest::decode(&request.encode()), Ok(request));
        }
        let letter = ByteBuf::from(vec![1; limits::LETTERS[4]]);
        let answers = [
            MailboxAnswer::Stored,
            MailboxAnswer::Letters { letters: vec![Waiting { id: LetterId([1; 16]), at: AT, letter }], more: true },
            MailboxAnswer::Refused(RelayRefusal::MailboxFull),
        ];
        for answer in answers {
            assert_eq!(MailboxAnswer::decode(&answer.encode()), Ok(answer));
        }
    }

    #[test]
    fn a_letter_has_one_of_five_sizes() {
        for got in [0, limits::LETTERS[0] - 1, limits::LETTERS[0] + 1, limits::LETTERS[4] - 1] {
            let deposit = MailboxRequest::Deposit { at: AT, letter: ByteBuf::from(vec![0; got]) };
            assert_eq!(MailboxRequest::decode(&deposit.encode()), Err(RelayMessageError::LetterSize { got }));
        }
    }

    #[test]
    fn lists_and_texts_are_bounded() {
        let many = MailboxRequest::Collect { at: vec![AT; limits::MAILBOXES + 1], besides: Vec::new() };
        assert!(matches!(MailboxRequest::decode(&many.encode()), Err(RelayMessageError::TooMany { .. })));
        let long = MailboxRequest::Present { token: "x".repeat(limits::TOKEN + 1) };
        assert!(matches!(MailboxRequest::decode(&long.encode()), Err(RelayMessageError::TokenTooLong { .. })));
    }
}
