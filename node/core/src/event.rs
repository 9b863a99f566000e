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
    actions, artifacts, brain, charter, claims, floor, git, hops, letters, members, overrides, relays, sessions, talk,
    verification,
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

macro_rules! bodies {
    ($($name:ident($body:ty) = $kind:literal;)*) => {
        /// What an event says. A kind that this version does not know, or cannot read, stays in the log
        /// without effect.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Body {
            $($name($body),)*
            Foreign { kind: String },
        }

        impl Body {
            /// The names of all that this version knows.
            pub const KINDS: &[&str] = &[$($kind),*];

            /// The name of what is said.
            pub fn kind(&self) -> &str {
                match self {
                    $(Self::$name(_) => $kind,)*
                    Self::Foreign { kind } => kind,
                }
            }

            fn to_value(&self) -> Result<(&str, Value), cbor::EncodeError> {
                let value = match self {
                    $(Self::$name(body) => cbor::to_value(body),)*
                    Self::Foreign { .. } => Ok(Value::Null),
                };
                Ok((self.kind(), value?))
            }

            fn from_value(kind: String, value: Value) -> Self {
                let known = match kind.as_str() {
                    $($kind => read(value, Self::$name),)*
                    _ => None,
                };
                known.unwrap_or(Self::Foreign { kind })
            }
        }
    };
}

bodies! {
    Genesis(members::Genesis) = "genesis";
    Invited(members::Invited) = "invited";
    InviteClosed(members::InviteClosed) = "invite_closed";
    Admitted(members::Admitted) = "admitted";
    Removed(members::Removed) = "removed";
    Left(members::Left) = "left";
    Rotated(members::Rotated) = "rotated";
    Verified(verification::Verified) = "verified";
    Named(sessions::Named) = "named";
    LetterKeys(letters::LetterKeys) = "letter_keys";
    RelayAdded(relays::RelayAdded) = "relay_added";
    RelayRemoved(relays::RelayRemoved) = "relay_removed";
    Message(talk::Message) = "message";
    CharterProposed(charter::CharterProposed) = "charter_proposed";
    CharterAccepted(charter::CharterAccepted) = "charter_accepted";
    CharterDeclined(charter::CharterDeclined) = "charter_declined";
    FloorClaimed(floor::FloorClaimed) = "floor_claimed";
    FloorYielded(floor::FloorYielded) = "floor_yielded";
    FloorTaken(floor::FloorTaken) = "floor_taken";
    FloorReleased(floor::FloorReleased) = "floor_released";
    Requested(actions::Requested) = "action";
    Approved(actions::Approved) = "approved";
    Denied(actions::Denied) = "denied";
    Handed(actions::Handed) = "handed";
    Completed(actions::Completed) = "completed";
    Expired(actions::Expired) = "expired";
    Overridden(overrides::Overridden) = "overridden";
    Prompted(hops::Prompted) = "prompted";
    Shared(artifacts::Shared) = "code";
    Remembered(brain::Remembered) = "remembered";
    GitSetUp(git::GitSetUp) = "git_setup";
    Committed(git::Committed) = "committed";
    PathsClaimed(claims::PathsClaimed) = "paths_claimed";
    PathsReleased(claims::PathsReleased) = "paths_released";
    ClaimsExpired(claims::ClaimsExpired) = "claims_expired";
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
        let parts: (ByteBuf, ByteBuf) = cbor::decode(bytes, limits::EVENT)?;
        // A third item would be read over, kept and passed on, though nobody signed it.
        if cbor::encode(&parts).as_deref() != Ok(bytes) {
            return Err(cbor::DecodeError::NotDeterministic.into());
        }
        let (event, signature) = parts;
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

    /// The parents of this event, cheaper than the whole of it.
    pub(crate) fn parents(&self) -> Option<Vec<EventId>> {
        #[derive(Deserialize)]
        struct Links {
            parents: Vec<EventId>,
        }
        let (event, _): (ByteBuf, ByteBuf) = cbor::decode_checked(&self.signed).ok()?;
        cbor::decode_checked::<Links>(&event).ok().map(|links| links.parents)
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
        // A name may be spelled as a map, which what reads the log does not know.
        if cbor::encode(&wire).as_deref() != Ok(bytes) {
            return Err(cbor::DecodeError::NotDeterministic.into());
        }
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
    fn nothing_can_be_added_beside_event_and_signature() {
        let signed = VerifiedEvent::sign(&alice(), chat("hello")).unwrap();
        let (event, signature): (ByteBuf, ByteBuf) = cbor::decode_checked(signed.signed_bytes()).unwrap();
        let longer = cbor::encode(&(event, signature, "more")).unwrap();
        assert!(matches!(SignedEvent::decode(&longer), Err(DecodeError::Cbor(_))));
    }

    /// What the log could not read again would stop the room.
    #[test]
    fn an_event_that_is_spelled_in_another_way_is_refused() {
        let encoded = chat("hello").encode().unwrap();
        let Value::Map(fields) = cbor::decode(&encoded, limits::EVENT).unwrap() else { panic!("an event is a map") };
        let spelled = fields.into_iter().map(|(key, value)| match key.as_text() {
            Some("origin") => (key, Value::Map(vec![(value, Value::Null)])),
            _ => (key, value),
        });
        let spelled = cbor::encode(&Value::Map(spelled.collect())).unwrap();
        let refused = DecodeError::Cbor(cbor::DecodeError::NotDeterministic);
        assert_eq!(Event::decode(&spelled), Err(refused));
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
