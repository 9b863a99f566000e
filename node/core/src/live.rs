//! An established link: the channel to one member of one room, and what goes over it.

use pairwave_wire::TransportId;
use std::collections::BTreeSet;
use std::time::Duration;

use crate::blobs::Serving;
use crate::context::Context;
use crate::effect::Effect;
use crate::epochs::EpochKeys;
use crate::id::{EventId, MemberId};
use crate::input::LinkId;
use crate::log::LogError;
use crate::message::{LinkMessage, LiveSession, MessageError, PeerHint};
use crate::noise::{Channel, OpenError};
use crate::ranges::Ranges;
use crate::room::Room;
use crate::sync::Sync;
use crate::time::Timestamp;

/// How long a side may say nothing before it says that it is there.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// How much longer whoever answered last keeps silent, so that one side asks and the other answers: an
/// answer carries the acknowledgement of the question, while two questions are four packets more.
const ANSWERED: Duration = Duration::from_millis(250);
/// How long nothing may be heard before the link counts as dead.
const SILENCE: Duration = Duration::from_secs(6);

/// Frames that may wait for the network before no more events are sent: about two megabytes.
const IN_FLIGHT: usize = 32;
/// Frames that may wait for the network before no more chunks are sent: an event comes through soon.
const CHUNKS_IN_FLIGHT: usize = 4;

/// A link whose other side proved to be a member.
#[derive(Debug)]
pub struct LiveLink {
    id: LinkId,
    member: MemberId,
    peer: TransportId,
    channel: Channel,
    pub(crate) sync: Sync,
    /// Frames that the network has not taken yet.
    in_flight: usize,
    heard_at: Timestamp,
    /// When we say that we are here, if nothing else is said before.
    beat_at: Timestamp,
    /// Sessions that are live there.
    pub(crate) sessions: Vec<LiveSession>,
    /// Epochs whose keys both sides hold.
    epochs: BTreeSet<EventId>,
    /// They have told all that they hold.
    has_told_epochs: bool,
    /// Their clock minus ours, in milliseconds.
    pub(crate) skew_ms: Option<i64>,
    /// It runs over a circuit with small limits: no chunks go over it.
    pub(crate) small: bool,
    /// Chunks that the other side asked for.
    pub(crate) serving: Serving,
}

/// Why a link ends: the other side's fault.
#[derive(Debug, thiserror::Error)]
pub enum LinkFault {
    #[error(transparent)]
    Channel(#[from] OpenError),
    #[error(transparent)]
    Message(#[from] MessageError),
}

impl LiveLink {
    pub fn new(id: LinkId, member: MemberId, peer: TransportId, channel: Channel, room: &Room, now: Timestamp) -> Self {
        Self {
            id,
            member,
            peer,
            channel,
            sync: Sync::new(room),
            in_flight: 0,
            heard_at: now,
            beat_at: now + HEARTBEAT,
            sessions: Vec::new(),
            epochs: BTreeSet::new(),
            has_told_epochs: false,
            skew_ms: None,
            small: false,
            serving: Serving::default(),
        }
    }

    pub fn id(&self) -> LinkId {
        self.id
    }

    pub fn member(&self) -> MemberId {
        self.member
    }

    pub fn peer(&self) -> &TransportId {
        &self.peer
    }

    /// Decrypts a frame; a message when one is complete.
    pub fn open(&mut self, frame: &[u8], now: Timestamp) -> Result<Option<LinkMessage>, LinkFault> {
        self.heard_at = now;
        match self.channel.open(frame)? {
            Some(bytes) => Ok(Some(LinkMessage::decode(&bytes)?)),
            None => Ok(None),
        }
    }

    pub fn say(&mut self, message: &LinkMessage, context: &mut Context<'_>) {
        debug_assert_eq!(message.check(), Ok(()));
        let silence = if *message == LinkMessage::Pong { HEARTBEAT + ANSWERED } else { HEARTBEAT };
        self.beat_at = context.now + silence;
        let bytes = message.encode();
        match self.channel.seal(&bytes) {
            Ok(frames) => {
                self.in_flight += frames.len();
                frames.into_iter().for_each(|frame| context.outbox.push(Effect::Send { link: self.id, frame }));
            }
            Err(_) => context.outbox.push(Effect::Hangup { link: self.id }),
        }
    }

    /// The network took a frame.
    pub fn sent(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// Tells what became durable since it was last told.
    pub fn tell_have(&mut self, room: &Room, context: &mut Context<'_>) {
        for have in self.sync.tell(room) {
            self.say(&have, context);
        }
    }

    /// Tells which epochs' keys are here.
    pub fn tell_epochs(&mut self, keys: &EpochKeys, context: &mut Context<'_>) {
        let known: Vec<EventId> = keys.iter().map(|(id, _)| *id).collect();
        for epochs in LinkMessage::epochs(context.now, &known) {
            self.say(&epochs, context);
        }
    }

    pub fn tell_shown(&mut self, shown: Ranges, context: &mut Context<'_>) {
        if !shown.is_empty() {
            self.say(&LinkMessage::Shown(shown), context);
        }
    }

    pub fn tell_peers(&mut self, hints: Vec<PeerHint>, context: &mut Context<'_>) {
        let member = self.member;
        self.say(&LinkMessage::peers(hints.into_iter().filter(|hint| hint.member != member)), context);
    }

    /// The other side told its time, and epochs whose keys it holds: all of them, unless the list
    /// `goes_on`. Those whose keys are not here are of no use.
    pub fn on_epochs(&mut self, clock: Timestamp, known: &[EventId], goes_on: bool, keys: &EpochKeys, now: Timestamp) {
        self.epochs.extend(known.iter().filter(|id| keys.get(id).is_some()));
        self.has_told_epochs |= !goes_on;
        let skew = i128::from(clock.0) - i128::from(now.0);
        self.skew_ms = i64::try_from(skew).ok();
    }

    /// Sends the keys that the other side lacks, once it has told which it holds.
    pub fn tell_keys(&mut self, keys: &EpochKeys, context: &mut Context<'_>) {
        if !self.has_told_epochs {
            return;
        }
        let theirs = &mut self.epochs;
        let lacking: Vec<_> = keys.iter().filter(|(id, _)| !theirs.contains(id)).collect();
        let lacking: Vec<_> = lacking.into_iter().map(|(id, key)| (*id, key.clone())).collect();
        theirs.extend(lacking.iter().map(|(id, _)| *id));
        for keys in LinkMessage::keys(&lacking) {
            self.say(&keys, context);
        }
    }

    /// Sends the events that the other side lacks, as far as the network takes them. Returns the
    /// highest own seq among them.
    pub fn pump(&mut self, room: &Room, context: &mut Context<'_>) -> Result<Option<u64>, LogError> {
        let mut own_seq = None;
        while self.in_flight < IN_FLIGHT {
            let pumped = self.sync.pump(room, context.log, context.now)?;
            let Some(message) = pumped.message else { break };
            own_seq = own_seq.max(pumped.own_seq);
            self.say(&message, context);
        }
        Ok(own_seq)
    }

    /// May a chunk go out now? Events go first, and find few chunks before them.
    pub fn takes_chunks(&self) -> bool {
        self.in_flight < CHUNKS_IN_FLIGHT
    }

    /// Says that we are here, when it is time to.
    pub fn beat(&mut self, context: &mut Context<'_>) {
        if context.now >= self.beat_at {
            self.say(&LinkMessage::Ping, context);
        }
    }

    /// Nothing was heard for too long.
    pub fn is_dead(&self, now: Timestamp) -> bool {
        now >= self.heard_at + SILENCE
    }

    pub fn poll_timeout(&self) -> Timestamp {
        let beat = self.beat_at.min(self.heard_at + SILENCE);
        let carry = self.sync.poll_timeout().filter(|_| self.in_flight < IN_FLIGHT);
        carry.map_or(beat, |carry| carry.min(beat))
    }
}
