//! Events of every kind, signed, and what crosses a link.

use std::collections::BTreeMap;

use pairwave_core::artifacts::Shared;
use pairwave_core::blobs::Blob;
use pairwave_core::event::{Body, Event, Origin, SignedEvent, VERSION, VerifiedEvent};
use pairwave_core::id::SessionId;
use pairwave_core::key::KnockKey;
use pairwave_core::members::{Admitted, Genesis, InviteClosed, Invited, Left, Removed, Rotated};
use pairwave_core::message::{LinkMessage, LiveSession, PeerHint, Tip};
use pairwave_core::ranges::Ranges;
use pairwave_core::relays::{RelayAdded, RelayRemoved};
use pairwave_core::sessions::Named;
use pairwave_core::talk::{Address, Claim, Field, Kind, Message};
use pairwave_core::verification::Verified;
use serde_bytes::ByteBuf;

use super::*;

pub const ALICE: u8 = 4;
pub const BOB: u8 = 5;

/// A room in the making: every event has all others before it as ancestors.
pub struct Log {
    room: Option<RoomId>,
    heads: Vec<EventId>,
    own: BTreeMap<MemberId, (u64, EventId)>,
    pub vectors: Vec<Value>,
}

impl Log {
    pub fn new() -> Self {
        Self { room: None, heads: Vec::new(), own: BTreeMap::new(), vectors: Vec::new() }
    }

    fn event(&self, by: u8, body: Body) -> Event {
        let author = identity(by).member();
        let (seq, backlink) = self.own.get(&author).map_or((1, None), |(seq, id)| (seq + 1, Some(*id)));
        let others = self.heads.iter().filter(|id| Some(**id) != backlink);
        Event {
            version: VERSION,
            room: self.room,
            author,
            seq,
            backlink,
            parents: backlink.iter().chain(others).copied().collect(),
            claimed_time: Timestamp(1_700_000_000_000 + self.vectors.len() as u64),
            session: SessionId(counting(by)),
            origin: if by == ALICE { Origin::Human } else { Origin::Agent },
            body,
        }
    }

    pub fn add(&mut self, by: u8, body: Body) -> EventId {
        let signed = VerifiedEvent::sign(&identity(by), self.event(by, body)).unwrap();
        let (id, event) = (signed.id(), signed.event());
        assert_eq!(SignedEvent::decode(signed.signed_bytes()).unwrap().verify().as_ref(), Ok(&signed));
        self.vectors.push(json!({
            "author": if by == ALICE { "alice" } else { "bob" },
            "seq": event.seq,
            "kind": event.body.kind(),
            "id": hex(id.0),
            "event": hex(event.encode().unwrap()),
            "signed": hex(signed.signed_bytes()),
        }));
        self.room = self.room.or(Some(id.into()));
        self.own.insert(event.author, (event.seq, id));
        self.heads = vec![id];
        id
    }
}

pub fn identity(number: u8) -> Identity {
    Identity::from_secret(&counting(number))
}

#[test]
fn events() {
    let mut log = Log::new();
    let genesis = Genesis { nonce: counting(1), title: "Kiosk".into(), name: "alice".into(), rules: 1 };
    log.add(ALICE, Body::Genesis(genesis));
    let (label, key) = (InviteLabel(counting(2)), KnockKey::new(counting(3)));
    let invited = Invited { label, key, expires_at: Timestamp(1_700_086_400_000), uses: 1 };
    let invite = log.add(ALICE, Body::Invited(invited));
    let bob = identity(BOB).member();
    log.add(ALICE, Body::Admitted(Admitted { member: bob, invite, name: "bob".into() }));
    let question = log.add(BOB, Body::Message(question()));
    let everything = log.add(ALICE, Body::Message(everything(question)));
    log.add(BOB, Body::Verified(Verified { member: identity(ALICE).member() }));
    log.add(BOB, Body::Named(Named { session: Some(SessionId(counting(BOB))), name: "winter-bay".into() }));
    log.add(BOB, Body::Named(Named { session: None, name: "Robert".into() }));
    let relay = "/ip4/203.0.113.7/udp/4011/quic-v1/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN".to_owned();
    log.add(ALICE, Body::RelayAdded(RelayAdded { relay: format!("{relay}#prt-abc") }));
    log.add(BOB, Body::RelayRemoved(RelayRemoved { relay }));
    let (headline, blob) = ("a fix".to_owned(), Blob::of(&[7; 49_153]));
    let (language, path_hint) = (Some("diff".to_owned()), Some("src/one.rs".to_owned()));
    log.add(ALICE, Body::Shared(Shared { headline: headline.clone(), language, is_patch: true, path_hint, blob }));
    let blob = Blob::of(b"fn main() {}");
    log.add(BOB, Body::Shared(Shared { headline, language: None, is_patch: false, path_hint: None, blob }));
    log.add(BOB, Body::Left(Left {}));
    log.add(ALICE, Body::Rotated(Rotated {}));
    log.add(ALICE, Body::InviteClosed(InviteClosed { invite }));
    let last = Some(log.own[&bob].1);
    log.add(ALICE, Body::Removed(Removed { member: bob, last, reason: Some("has left".into()) }));
    log.add(ALICE, Body::Removed(Removed { member: bob, last: None, reason: None }));
    let refused = refused(&log, everything);
    let people = json!({"alice": hex(counting::<32>(ALICE)), "bob": hex(counting::<32>(BOB))});
    check("event.json", &json!({"identities": people, "events": log.vectors, "refused": refused}));
}

fn question() -> Message {
    let mut question = Message::new(Kind::Question, "Which way to the sea?");
    question.fields.insert("expected_format".into(), Field::Text("free text".into()));
    question
}

/// An answer with every field that a message can have.
fn everything(question: EventId) -> Message {
    let mut answer = Message::new(Kind::Answer, "Down the hill. Größe: 3 km.");
    answer.headline = Some("Down".into());
    answer.to = Some(Address { member: identity(BOB).member(), session: Some(SessionId(counting(BOB))) });
    answer.answers = Some(question);
    answer.claim = Some(Claim::Fact);
    answer.rationale = Some("I walked it".into());
    answer.provenance = vec!["map.png".into(), "own feet".into()];
    answer.fields.insert("stops".into(), Field::List(vec!["kiosk".into(), "bench".into()]));
    answer.key = Some("first-try".into());
    answer
}

/// Signed like any other, and yet no event.
fn refused(log: &Log, other: EventId) -> Vec<Value> {
    let left = || log.event(ALICE, Body::Left(Left {}));
    let change = |why: &str, change: &dyn Fn(&mut Event)| {
        let mut event = left();
        change(&mut event);
        (why.to_owned(), VerifiedEvent::sign(&identity(ALICE), event).unwrap().signed_bytes().to_vec())
    };
    let mut forged = VerifiedEvent::sign(&identity(ALICE), left()).unwrap().signed_bytes().to_vec();
    *forged.last_mut().unwrap() ^= 1;
    let bobs = VerifiedEvent::sign(&identity(BOB), left()).unwrap().signed_bytes().to_vec();
    let refused = [
        change("format 2", &|event| event.version = 2),
        change("seq 0", &|event| event.seq = 0),
        change("seq 1 with a backlink", &|event| event.seq = 1),
        change("no backlink", &|event| event.backlink = None),
        change("the backlink is not the first parent", &|event| event.parents.insert(0, other)),
        change("a parent named twice", &|event| event.parents.push(event.parents[0])),
        change("no parents", &|event| event.parents.clear()),
        change("no room", &|event| event.room = None),
        change("33 parents", &|event| event.parents.extend((0..32).map(|number| EventId([number; 32])))),
        ("a changed signature".into(), forged),
        ("signed by another than the author".into(), bobs),
    ];
    refused
        .into_iter()
        .map(|(why, bytes)| {
            let event = SignedEvent::decode(&bytes).ok().and_then(|event| event.verify().ok());
            assert_eq!(event, None, "{why}");
            json!({"why": why, "signed": hex(bytes)})
        })
        .collect()
}

#[test]
fn link_messages() {
    let tip = |first: u8, seq| Tip { author: identity(first).member(), seq, id: EventId(counting(first)) };
    let mut shown = Ranges::default();
    for seq in [1, 2, 3, 7] {
        shown.insert(seq);
    }
    let hint = PeerHint {
        member: identity(BOB).member(),
        transport: transport(50),
        addresses: vec!["/ip4/192.168.1.7/udp/4011/quic-v1".into()],
    };
    let sessions = [(ALICE, Origin::Human), (BOB, Origin::Agent)];
    let sessions =
        sessions.map(|(first, origin)| LiveSession { session: SessionId(counting(first)), origin, live: None });
    let messages = [
        LinkMessage::Have(vec![tip(ALICE, 7), tip(BOB, 300)]),
        LinkMessage::Epochs { clock: Timestamp(1_700_000_000_000), known: vec![EventId(counting(1))] },
        LinkMessage::Keys(vec![(EventId(counting(1)), EpochKey::new(counting(2)))]),
        LinkMessage::Events(vec![ByteBuf::from(counting::<5>(1))]),
        LinkMessage::Want(vec![EventId(counting(1)), EventId(counting(2))]),
        LinkMessage::WantChunks { of: EventId(counting(1)), chunks: vec![0, 24] },
        LinkMessage::Chunk { of: EventId(counting(1)), chunk: 24, bytes: Some(ByteBuf::from(counting::<5>(1))) },
        LinkMessage::Chunk { of: EventId(counting(1)), chunk: 0, bytes: None },
        LinkMessage::Shown(shown),
        LinkMessage::Sessions(sessions.into()),
        LinkMessage::Peers(vec![hint]),
        LinkMessage::Sas(SasMessage::Commit(counting(1))),
        LinkMessage::Ping,
        LinkMessage::Pong,
    ];
    let vectors = messages.map(|message| {
        let bytes = message.encode();
        let name = format!("{message:?}").split([' ', '(']).next().unwrap_or("").to_lowercase();
        assert_eq!(LinkMessage::decode(&bytes), Ok(message));
        json!({"message": name, "bytes": hex(bytes)})
    });
    check("message.json", &json!(vectors));
}
