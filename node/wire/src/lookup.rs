//! What a companion and a relay say to each other about addresses, on a stream of
//! [`protocol::LOOKUP`](crate::protocol::LOOKUP): a request, then its answer, any number of times.
//!
//! Members publish where they are under tags that only members can compute, sealed so that only
//! members can read it.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::hello::BlindedTag;
use crate::mailbox::{RelayMessageError, RelayRefusal, at_most};
use crate::{cbor, limits};

/// What a companion asks of an address lookup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LookupRequest {
    /// Replaces what this companion published under the tag. It is kept for
    /// [`limits::RECORD_SECONDS`]. Answered by `Published` or `Refused`.
    Publish {
        at: BlindedTag,
        /// At most [`limits::RECORD`] bytes.
        record: ByteBuf,
    },
    /// Answered by `Found`.
    Find {
        /// At most [`limits::MAILBOXES`].
        at: Vec<BlindedTag>,
    },
}

/// What an address lookup answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LookupAnswer {
    Published,
    /// What is there, the newest first; of one tag at most [`limits::RECORDS`].
    Found(Vec<(BlindedTag, ByteBuf)>),
    Refused(RelayRefusal),
}

impl LookupRequest {
    pub fn decode(bytes: &[u8]) -> Result<Self, RelayMessageError> {
        let request: Self = cbor::decode(bytes, limits::RELAY_MESSAGE)?;
        match &request {
            Self::Publish { record, .. } => check_record(record)?,
            Self::Find { at } => at_most(at.len(), limits::MAILBOXES)?,
        }
        Ok(request)
    }

    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(self).expect("bytes always encode")
    }
}

impl LookupAnswer {
    pub fn decode(bytes: &[u8]) -> Result<Self, RelayMessageError> {
        let answer: Self = cbor::decode(bytes, limits::RELAY_MESSAGE)?;
        if let Self::Found(found) = &answer {
            at_most(found.len(), limits::MAILBOXES * limits::RECORDS)?;
            found.iter().try_for_each(|(_, record)| check_record(record))?;
        }
        Ok(answer)
    }

    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(self).expect("bytes always encode")
    }
}

fn check_record(record: &[u8]) -> Result<(), RelayMessageError> {
    let (got, max) = (record.len(), limits::RECORD);
    if got > max { Err(RelayMessageError::RecordTooLong { got, max }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: BlindedTag = BlindedTag([7; 32]);

    #[test]
    fn requests_and_answers_round_trip() {
        let record = ByteBuf::from(vec![3; limits::RECORD]);
        let publish = LookupRequest::Publish { at: AT, record: record.clone() };
        assert_eq!(LookupRequest::decode(&publish.encode()), Ok(publish));
        let found = LookupAnswer::Found(vec![(AT, record)]);
        assert_eq!(LookupAnswer::decode(&found.encode()), Ok(found));
    }

    #[test]
    fn records_and_lists_are_bounded() {
        let long = LookupRequest::Publish { at: AT, record: ByteBuf::from(vec![0; limits::RECORD + 1]) };
        assert!(matches!(LookupRequest::decode(&long.encode()), Err(RelayMessageError::RecordTooLong { .. })));
        let many = LookupRequest::Find { at: vec![AT; limits::MAILBOXES + 1] };
        assert!(matches!(LookupRequest::decode(&many.encode()), Err(RelayMessageError::TooMany { .. })));
    }
}
