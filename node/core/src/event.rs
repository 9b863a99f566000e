//! Events: what a member says, signed, with its place in the hash-DAG.
//!
//! The signed bytes themselves are stored and forwarded, never re-encoded, so what this version
//! does not understand keeps its id. `&[u8]` → [`SignedEvent`] → [`VerifiedEvent`] is the one door
//! into a room.

use ciborium::Value;
use pairwave_wire::{cbor, limits};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_bytes::ByteBuf;

use crate::id::{EventId, MemberId, RoomId, SessionId};
use crate::key::{self, BadSignature, Domain, Identity};
use crate::log::Record;
use crate::time::Timestamp;
use crate::{
    actions, artifacts, brain, charter, floor, hops, letters, members, overrides, relays, sessions, talk, verification,
};

/// Version of the event format.
pub const VERSION: u16 = 1;

/// Who is speaking for a member, as far as that member's companion can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    Human,
    Agent,
}

/// One event, without its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub version: u16,
    /// `None` in the genesis alone, whose id is the room's.
    pub room: Option<RoomId>,
    pub author: MemberId,
    /// Counts the author's own events from 1.
    pub seq: u64,
    /// The author's previous event, also the first of `parents`.
    pub backlink: Option<EventId>,
    pub parents: Vec<EventId>,
    /// What the author's clock said. Shown, never trusted.
    pub claimed_time: Timestamp,
    pub session: SessionId,
    pub origin: Origin,
    pub body: Body,
}

/// What an event says. A kind that this version does not know, or cannot read, stays in the log
/// without effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    Genesis(members::Genesis),
    Invited(members::Invited),
    InviteClosed(members::InviteClosed),
    Admitted(members::Admitted),
    Removed(members::Removed),
    Left(members::Left),
    Rotated(members::Rotated),
    Verified(verification::Verified),
    Named(sessions::Named),
    LetterKeys(letters::LetterKeys),
    RelayAdded(relays::RelayAdded),
    RelayRemoved(relays::RelayRemoved),
    Message(talk::Message),
    CharterProposed(charter::CharterProposed),
    CharterAccepted(charter::CharterAccepted),
    CharterDeclined(charter::CharterDeclined),
    FloorClaimed(floor::FloorClaimed),
    FloorYielded(floor::FloorYielded),
    FloorTaken(floor::FloorTaken),
    FloorReleased(floor::FloorReleased),
    Requested(actions::Requested),
    Approved(actions::Approved),
    Denied(actions::Denied),
    Handed(actions::Handed),
    Completed(actions::Completed),
    Expired(actions::Expired),
    Overridden(overrides::Overridden),
    Prompted(hops::Prompted),
    Shared(artifacts::Shared),
    Remembered(brain::Remembered),
    Foreign { kind: String },
}

/// An event and its signature, parsed but not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedEvent {
    bytes: Vec<u8>,
    id: EventId,
    event: Event,
    signature: [u8; 64],
}

/// An event that its author signed. Nothing else enters a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedEvent {
    bytes: Vec<u8>,
    id: EventId,
    event: Event,
}

/// Bytes that are no event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error(transparent)]
    Cbor(#[from] cbor::DecodeError),
    #[error("event format {got}, known is {VERSION}")]
    Version { got: u16 },
    #[error("a signature of {got} bytes")]
    Signature { got: usize },
    #[error("{got} parents, at most {max} are allowed", max = limits::PARENTS)]
    TooManyParents { got: usize },
    #[error("a parent is named twice")]
    DoubledParent,
    #[error("seq, backlink, room and parents do not fit together")]
    Misplaced,
    #[error("a kind of {got} bytes")]
    KindTooLong { got: usize },
}

/// An event that cannot be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    #[error(transparent)]
    Encode(#[from] cbor::EncodeError),
    #[error("an event of {got} bytes, at most {max} are allowed")]
    TooLong { got: usize, max: usize },
}

/// An event as it is encoded. Short names: they are in every event.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    v: u16,
    room: Option<RoomId>,
    author: MemberId,
    seq: u64,
    back: Option<EventId>,
    parents: Vec<EventId>,
    time: Timestamp,
    session: SessionId,
    origin: Origin,
    kind: String,
    body: Value,
}

impl SignedEvent {
    /// Parses the array of event bytes and signature.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (event, signature): (ByteBuf, ByteBuf) = cbor::decode(bytes, limits::EVENT)?;
        let got = signature.len();
        let signature = <[u8; 64]>::try_from(signature.as_ref()).map_err(|_| DecodeError::Signature { got })?;
        let id = id_of(&event);
        let event = Event::decode(&event)?;
        Ok(Self { bytes: bytes.to_vec(), id, event, signature })
    }

    pub fn id(&self) -> EventId {
        self.id
    }

    /// Checks the signature, strictly.
    pub fn verify(self) -> Result<VerifiedEvent, BadSignature> {
        key::verify(&self.event.author, Domain::Event, &self.id.0, &self.signature)?;
        Ok(VerifiedEvent { bytes: self.bytes, id: self.id, event: self.event })
    }
}

impl VerifiedEvent {
    /// Signs an event of our own.
    pub fn sign(identity: &Identity, event: Event) -> Result<Self, SignError> {
        let encoded = event.encode()?;
        let id = id_of(&encoded);
        let signature = identity.sign(Domain::Event, &id.0);
        let bytes = cbor::encode(&(ByteBuf::from(encoded), ByteBuf::from(signature)))?;
        let (got, max) = (bytes.len(), limits::EVENT);
        if got > max { Err(SignError::TooLong { got, max }) } else { Ok(Self { bytes, id, event }) }
    }

    pub fn id(&self) -> EventId {
        self.id
    }

    pub fn event(&self) -> &Event {
        &self.event
    }

    /// Event and signature, byte for byte as they were signed.
    pub fn signed_bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn into_parts(self) -> (EventId, Event, Vec<u8>) {
        (self.id, self.event, self.bytes)
    }
}

impl Record {
    /// The event in this record. What the log returns counts as verified; `None` if it is damaged.
    pub fn event(&self) -> Option<Event> {
        let (event, _): (ByteBuf, ByteBuf) = cbor::decode_checked(&self.signed).ok()?;
        let wire = cbor::decode_checked::<Wire>(&event).ok()?;
        Some(wire.into_event()).filter(|_| id_of(&event) == self.position.id)
    }
}

impl Event {
    /// The bytes that are hashed and signed.
    pub fn encode(&self) -> Result<Vec<u8>, cbor::EncodeError> {
        let (kind, body) = self.body.to_value()?;
        cbor::encode(&Wire {
            v: self.version,
            room: self.room,
            author: self.author,
            seq: self.seq,
            back: self.backlink,
            parents: self.parents.clone(),
            time: self.claimed_time,
            session: self.session,
            origin: self.origin,
            kind: kind.to_owned(),
            body,
        })
    }

    /// Parses what [`Self::encode`] wrote and checks that the event can have a place in a DAG.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let wire: Wire = cbor::decode(bytes, limits::EVENT)?;
        if wire.v != VERSION {
            return Err(DecodeError::Version { got: wire.v });
        }
        if wire.kind.len() > limits::NAME {
            return Err(DecodeError::KindTooLong { got: wire.kind.len() });
        }
        check_place(&wire)?;
        Ok(wire.into_event())
    }
}

impl Wire {
    fn into_event(self) -> Event {
        Event {
            version: self.v,
            room: self.room,
            author: self.author,
            seq: self.seq,
            backlink: self.back,
            parents: self.parents,
            claimed_time: self.time,
            session: self.session,
            origin: self.origin,
            body: Body::from_value(self.kind, self.body),
        }
    }
}

/// BLAKE2b-256 of an event's bytes.
pub fn id_of(event: &[u8]) -> EventId {
    EventId(key::hash(b"pairwave-event-id-v1", &[event]))
}

fn check_place(wire: &Wire) -> Result<(), DecodeError> {
    if wire.parents.len() > limits::PARENTS {
        return Err(DecodeError::TooManyParents { got: wire.parents.len() });
    }
    let mut sorted = wire.parents.clone();
    sorted.sort_unstable();
    if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(DecodeError::DoubledParent);
    }
    let genesis = wire.room.is_none();
    let fits = match wire.seq {
        0 => false,
        1 => wire.back.is_none() && genesis == wire.parents.is_empty() && (genesis == (wire.kind == "genesis")),
        _ => !genesis && wire.back.is_some() && wire.parents.first() == wire.back.as_ref() && wire.kind != "genesis",
    };
    if fits { Ok(()) } else { Err(DecodeError::Misplaced) }
}

impl Body {
    /// The name of what is said.
    pub fn kind(&self) -> &str {
        match self {
            Self::Genesis(_) => "genesis",
            Self::Invited(_) => "invited",
            Self::InviteClosed(_) => "invite_closed",
            Self::Admitted(_) => "admitted",
            Self::Removed(_) => "removed",
            Self::Left(_) => "left",
            Self::Rotated(_) => "rotated",
            Self::Verified(_) => "verified",
            Self::Named(_) => "named",
            Self::LetterKeys(_) => "letter_keys",
            Self::RelayAdded(_) => "relay_added",
            Self::RelayRemoved(_) => "relay_removed",
            Self::Message(_) => "message",
            Self::CharterProposed(_) => "charter_proposed",
            Self::CharterAccepted(_) => "charter_accepted",
            Self::CharterDeclined(_) => "charter_declined",
            Self::FloorClaimed(_) => "floor_claimed",
            Self::FloorYielded(_) => "floor_yielded",
            Self::FloorTaken(_) => "floor_taken",
            Self::FloorReleased(_) => "floor_released",
            Self::Requested(_) => "action",
            Self::Approved(_) => "approved",
            Self::Denied(_) => "denied",
            Self::Handed(_) => "handed",
            Self::Completed(_) => "completed",
            Self::Expired(_) => "expired",
            Self::Overridden(_) => "overridden",
            Self::Prompted(_) => "prompted",
            Self::Shared(_) => "code",
            Self::Remembered(_) => "remembered",
            Self::Foreign { kind } => kind,
        }
    }

    fn to_value(&self) -> Result<(&str, Value), cbor::EncodeError> {
        let value = match self {
            Self::Genesis(body) => cbor::to_value(body),
            Self::Invited(body) => cbor::to_value(body),
            Self::InviteClosed(body) => cbor::to_value(body),
            Self::Admitted(body) => cbor::to_value(body),
            Self::Removed(body) => cbor::to_value(body),
            Self::Left(body) => cbor::to_value(body),
            Self::Rotated(body) => cbor::to_value(body),
            Self::Verified(body) => cbor::to_value(body),
            Self::Named(body) => cbor::to_value(body),
            Self::LetterKeys(body) => cbor::to_value(body),
            Self::RelayAdded(body) => cbor::to_value(body),
            Self::RelayRemoved(body) => cbor::to_value(body),
            Self::Message(body) => cbor::to_value(body),
            Self::CharterProposed(body) => cbor::to_value(body),
            Self::CharterAccepted(body) => cbor::to_value(body),
            Self::CharterDeclined(body) => cbor::to_value(body),
            Self::FloorClaimed(body) => cbor::to_value(body),
            Self::FloorYielded(body) => cbor::to_value(body),
            Self::FloorTaken(body) => cbor::to_value(body),
            Self::FloorReleased(body) => cbor::to_value(body),
            Self::Requested(body) => cbor::to_value(body),
            Self::Approved(body) => cbor::to_value(body),
            Self::Denied(body) => cbor::to_value(body),
            Self::Handed(body) => cbor::to_value(body),
            Self::Completed(body) => cbor::to_value(body),
            Self::Expired(body) => cbor::to_value(body),
            Self::Overridden(body) => cbor::to_value(body),
            Self::Prompted(body) => cbor::to_value(body),
            Self::Shared(body) => cbor::to_value(body),
            Self::Remembered(body) => cbor::to_value(body),
            Self::Foreign { .. } => Ok(Value::Null),
        };
        Ok((self.kind(), value?))
    }

    fn from_value(kind: String, value: Value) -> Self {
        let known = match kind.as_str() {
            "genesis" => read(value, Self::Genesis),
            "invited" => read(value, Self::Invited),
            "invite_closed" => read(value, Self::InviteClosed),
            "admitted" => read(value, Self::Admitted),
            "removed" => read(value, Self::Removed),
            "left" => read(value, Self::Left),
            "rotated" => read(value, Self::Rotated),
            "verified" => read(value, Self::Verified),
            "named" => read(value, Self::Named),
            "letter_keys" => read(value, Self::LetterKeys),
            "relay_added" => read(value, Self::RelayAdded),
            "relay_removed" => read(value, Self::RelayRemoved),
            "message" => read(value, Self::Message),
            "charter_proposed" => read(value, Self::CharterProposed),
            "charter_accepted" => read(value, Self::CharterAccepted),
            "charter_declined" => read(value, Self::CharterDeclined),
            "floor_claimed" => read(value, Self::FloorClaimed),
            "floor_yielded" => read(value, Self::FloorYielded),
            "floor_taken" => read(value, Self::FloorTaken),
            "floor_released" => read(value, Self::FloorReleased),
            "action" => read(value, Self::Requested),
            "approved" => read(value, Self::Approved),
            "denied" => read(value, Self::Denied),
            "handed" => read(value, Self::Handed),
            "completed" => read(value, Self::Completed),
            "expired" => read(value, Self::Expired),
            "overridden" => read(value, Self::Overridden),
            "prompted" => read(value, Self::Prompted),
            "code" => read(value, Self::Shared),
            "remembered" => read(value, Self::Remembered),
            _ => None,
        };
        known.unwrap_or(Self::Foreign { kind })
    }
}

fn read<T: DeserializeOwned>(value: Value, body: impl FnOnce(T) -> Body) -> Option<Body> {
    value.deserialized().ok().map(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chat(text: &str) -> Event {
        let message = talk::Message::new(talk::Kind::Chat, text);
        Event {
            version: VERSION,
            room: Some(RoomId([9; 32])),
            author: alice().member(),
            seq: 2,
            backlink: Some(EventId([1; 32])),
            parents: vec![EventId([1; 32])],
            claimed_time: Timestamp(1),
            session: SessionId([3; 16]),
            origin: Origin::Human,
            body: Body::Message(message),
        }
    }

    fn alice() -> Identity {
        Identity::from_secret(&[1; 32])
    }

    #[test]
    fn one_door() {
        let signed = VerifiedEvent::sign(&alice(), chat("hello")).unwrap();
        let bytes = signed.signed_bytes().to_vec();
        assert_eq!(SignedEvent::decode(&bytes).unwrap().verify().unwrap(), signed);
        for at in 0..bytes.len() {
            let mut tampered = bytes.clone();
            tampered[at] ^= 1;
            let verified = SignedEvent::decode(&tampered).ok().and_then(|event| event.verify().ok());
            assert_eq!(verified, None, "byte {at}");
        }
    }

    #[test]
    fn an_unknown_kind_keeps_its_id_and_its_bytes() {
        let mut event = chat("x");
        event.body = Body::Foreign { kind: "hologram".into() };
        let signed = VerifiedEvent::sign(&alice(), event.clone()).unwrap();
        let read = SignedEvent::decode(signed.signed_bytes()).unwrap().verify().unwrap();
        assert_eq!((read.id(), read.event()), (signed.id(), &event));
    }

    #[test]
    fn a_known_kind_that_cannot_be_read_is_foreign() {
        let value = Value::Map(vec![(Value::Text("colour".into()), Value::Text("red".into()))]);
        assert_eq!(Body::from_value("left".into(), value), Body::Foreign { kind: "left".into() });
    }

    #[test]
    fn an_event_without_a_place_is_refused() {
        let misplaced: [fn(&mut Event); 6] = [
            |event| event.seq = 0,
            |event| event.seq = 1,
            |event| event.backlink = None,
            |event| event.parents.clear(),
            |event| event.room = None,
            |event| event.parents.insert(0, EventId([7; 32])),
        ];
        for change in misplaced {
            let mut event = chat("x");
            change(&mut event);
            assert_eq!(Event::decode(&event.encode().unwrap()), Err(DecodeError::Misplaced));
        }
        let mut event = chat("x");
        event.parents.push(event.parents[0]);
        assert_eq!(Event::decode(&event.encode().unwrap()), Err(DecodeError::DoubledParent));
    }

    #[test]
    fn an_event_over_the_limit_is_not_signed() {
        let refused = VerifiedEvent::sign(&alice(), chat(&"x".repeat(limits::EVENT)));
        assert!(matches!(refused, Err(SignError::TooLong { max: limits::EVENT, .. })));
    }
}
