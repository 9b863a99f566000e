//! Somebody else holds the invite and answers the newcomer: what it says of keys and of refusals
//! counts for nothing.

use std::collections::VecDeque;

use pairwave_core::command::{Command, Token};
use pairwave_core::effect::{Effect, Slot};
use pairwave_core::epochs::EpochKeys;
use pairwave_core::id::{EventId, RoomId};
use pairwave_core::input::{Input, LinkId, Protocol};
use pairwave_core::invite::Invite;
use pairwave_core::key::{EpochKey, Identity, InviteSecret, KnockKey};
use pairwave_core::knock::{Heard, Porter, Refused, Verdict, Welcome};
use pairwave_core::log::MemoryLog;
use pairwave_core::node::{Limits, Node};
use pairwave_core::notice::Notice;
use pairwave_core::time::Timestamp;
use pairwave_wire::TransportId;
use pairwave_wire::hello::InviteLabel;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use crate::world::written;

const ROOM: RoomId = RoomId([9; 32]);
const EPOCH: EventId = EventId([9; 32]);
const LABEL: InviteLabel = InviteLabel([8; 16]);
const NOW: Timestamp = Timestamp(1_700_000_000_000);
const ALICE: u8 = 1;
const BOB: u8 = 2;
const MALLORY: u8 = 3;

fn identity(of: u8) -> Identity {
    Identity::from_secret(&[of; 32])
}

fn transport(of: u8) -> TransportId {
    TransportId::new([of; 38]).unwrap()
}

fn knock_key() -> KnockKey {
    KnockKey::new([7; 32])
}

fn welcome(key: u8) -> Verdict {
    Verdict::Welcome(Welcome { room: ROOM, epoch: EPOCH, key: EpochKey::new([key; 32]), admission: EventId([4; 32]) })
}

/// Bob's companion, who has an invite of alice's, and all that it did.
struct Newcomer {
    node: Node<MemoryLog>,
    effects: VecDeque<Effect>,
    keys: EpochKeys,
    refused: bool,
}

impl Newcomer {
    fn new() -> Self {
        let node = Node::new(identity(BOB), transport(BOB), Limits::default(), [1; 32], MemoryLog::default(), NOW);
        let mut bob = Self { node, effects: VecDeque::new(), keys: EpochKeys::default(), refused: false };
        let invite = Invite {
            room: ROOM,
            label: LABEL,
            secret: InviteSecret::new([6; 16]),
            inviter: identity(ALICE).member(),
            transport: transport(ALICE),
            addresses: Vec::new(),
            expires_at: Timestamp(NOW.0 + 3_600_000),
            uses: 1,
            relays: Vec::new(),
        };
        bob.feed(Input::Command { token: Token(1), command: Command::Join { invite, name: "bob".into() } });
        bob
    }

    fn feed(&mut self, input: Input) {
        self.node.handle(input, NOW);
        while let Some(effect) = self.node.poll_effect() {
            let number = written(&effect);
            match effect {
                Effect::Derive { id, .. } => self.feed(Input::Derived { id, key: knock_key() }),
                Effect::Save { slot: Slot::Keys, value: Some(keys), .. } => {
                    self.keys = EpochKeys::decode(&keys).unwrap();
                }
                Effect::Notify(Notice::JoinRefused { .. }) => self.refused = true,
                effect => self.effects.push_back(effect),
            }
            number.into_iter().for_each(|number| self.feed(Input::Durable { number }));
        }
    }

    fn done<T>(&mut self, is: impl Fn(&Effect) -> Option<T>) -> T {
        let found = self.effects.iter().find_map(is).expect("it was done");
        self.effects.clear();
        found
    }

    fn sent(&mut self, on: LinkId) -> Vec<u8> {
        self.done(|effect| match effect {
            Effect::Send { link, frame } if *link == on => Some(frame.clone()),
            _ => None,
        })
    }

    /// Bob comes across a companion, knocks there and hears this.
    fn meets(&mut self, who: u8, verdict: Verdict) {
        self.feed(Input::Connected { peer: transport(who), address: String::new() });
        let link = self.done(|effect| match effect {
            Effect::Open { link, peer, protocol: Protocol::Knock } if *peer == transport(who) => Some(*link),
            _ => None,
        });
        self.feed(Input::Opened { link });
        let hello = self.sent(link);
        let mut porter = Porter::greet(transport(who), transport(BOB), &hello).unwrap();
        let bytes = porter.unlock(&knock_key(), &mut ChaCha20Rng::from_seed([who; 32])).unwrap();
        self.feed(Input::Frame { link, bytes });
        let knock = self.sent(link);
        assert!(matches!(porter.receive(&identity(who), &knock), Ok(Heard::Knock(_))));
        let answer = match verdict {
            Verdict::Welcome(welcome) => porter.welcome(&identity(who), welcome),
            Verdict::Refused(why) => porter.refuse(&identity(who), why),
        };
        self.feed(Input::Frame { link, bytes: answer.unwrap() });
    }

    fn key(&self) -> Option<EpochKey> {
        self.keys.get(&EPOCH).cloned()
    }

    fn wishes(&self) -> usize {
        self.node.joins().count()
    }
}

#[test]
fn the_key_of_whoever_holds_the_invite_is_none() {
    let mut bob = Newcomer::new();
    bob.meets(MALLORY, welcome(66));
    assert_eq!((bob.key(), bob.wishes()), (None, 1));
    bob.meets(ALICE, welcome(11));
    assert_eq!(bob.key(), Some(EpochKey::new([11; 32])));
}

#[test]
fn a_refusal_of_another_than_the_inviter_leaves_the_wish_alone() {
    let mut bob = Newcomer::new();
    bob.meets(MALLORY, Verdict::Refused(Refused::Revoked));
    assert_eq!((bob.refused, bob.wishes()), (false, 1));
    bob.meets(ALICE, Verdict::Refused(Refused::Revoked));
    assert_eq!((bob.refused, bob.wishes()), (true, 0));
}
