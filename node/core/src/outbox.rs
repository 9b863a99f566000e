//! Effects on their way out, in order.

use std::collections::VecDeque;

use pairwave_wire::TransportId;
use pairwave_wire::lookup::LookupRequest;
use pairwave_wire::mailbox::MailboxRequest;

use crate::command::{Outcome, Refusal, Token};
use crate::effect::{Effect, Slot};
use crate::id::{ChunkId, RoomId};
use crate::log::Record;
use crate::notice::Notice;

/// The queue behind [`Node::poll_effect`](crate::node::Node::poll_effect). Numbers what must
/// become durable.
#[derive(Debug, Default)]
pub struct Outbox {
    effects: VecDeque<Effect>,
    number: u64,
    errands: u64,
}

impl Outbox {
    pub fn pop(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    pub fn push(&mut self, effect: Effect) {
        self.effects.push_back(effect);
    }

    /// Returns the number under which the records become durable.
    pub fn append(&mut self, room: RoomId, records: Vec<Record>) -> u64 {
        self.number += 1;
        self.effects.push_back(Effect::Append { number: self.number, room, records });
        self.number
    }

    pub fn save(&mut self, room: RoomId, slot: Slot, value: Option<Vec<u8>>) {
        self.number += 1;
        self.effects.push_back(Effect::Save { number: self.number, room, slot, value });
    }

    /// Keeps or deletes a chunk. Returns the number under which that becomes durable.
    pub fn chunk(&mut self, room: RoomId, id: ChunkId, bytes: Option<Vec<u8>>) -> u64 {
        self.number += 1;
        self.effects.push_back(Effect::Chunk { number: self.number, room, id, bytes });
        self.number
    }

    pub fn forget(&mut self, room: RoomId) {
        self.number += 1;
        self.effects.push_back(Effect::Forget { number: self.number, room });
    }

    /// Asks a relay's mailbox; returns the number of the answer.
    pub fn mail(&mut self, relay: TransportId, request: MailboxRequest) -> u64 {
        self.errands += 1;
        self.effects.push_back(Effect::Mail { id: self.errands, relay, request });
        self.errands
    }

    /// Asks a relay's address lookup; returns the number of the answer.
    pub fn look_up(&mut self, relay: TransportId, request: LookupRequest) -> u64 {
        self.errands += 1;
        self.effects.push_back(Effect::LookUp { id: self.errands, relay, request });
        self.errands
    }

    pub fn reply(&mut self, token: Token, result: Result<Outcome, Refusal>) {
        self.effects.push_back(Effect::Reply { token, result });
    }

    pub fn notify(&mut self, notice: Notice) {
        self.effects.push_back(Effect::Notify(notice));
    }
}
