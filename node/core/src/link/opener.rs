use std::fmt;
use std::mem;

use pairwave_wire::hello::{BlindedTag, LinkChoice, LinkHello};
use pairwave_wire::{TransportId, limits, protocol};
use rand_core::CryptoRng;

use super::{Established, LinkError, Message, Refused, Step};
use crate::id::{EventId, MemberId, RoomId};
use crate::key::{Domain, EpochKey, Identity};
use crate::noise::{Channel, Handshake, HandshakeHash, Seed};

/// The end that opened the stream and wants to speak of one room.
///
/// After an error it takes nothing more.
pub struct Opener {
    room: RoomId,
    own: TransportId,
    peer: TransportId,
    state: State,
}

enum State {
    /// The tags are out.
    Offered {
        epochs: Vec<(EventId, EpochKey)>,
        seed: Seed,
        hello: Vec<u8>,
    },
    /// The first handshake message is out.
    Keyed {
        handshake: Handshake,
        epoch: EventId,
    },
    /// Our proof is out.
    Proved {
        channel: Channel,
        hash: HandshakeHash,
        epoch: EventId,
    },
    /// Theirs is in; the caller decides.
    Deciding {
        channel: Channel,
        member: MemberId,
        epoch: EventId,
    },
    Over,
}

impl Opener {
    /// Offers up to [`limits::TAGS`] epochs of `room`, newest first. Returns the first frame, in
    /// which random tags hide how many there are.
    pub fn new<'a>(
        room: RoomId,
        own: &TransportId,
        peer: &TransportId,
        epochs: impl IntoIterator<Item = (EventId, &'a EpochKey)>,
        rng: &mut impl CryptoRng,
    ) -> (Self, Vec<u8>) {
        let epochs: Vec<_> = epochs.into_iter().take(limits::TAGS).map(|(id, key)| (id, key.clone())).collect();
        let mut tags: Vec<_> = epochs.iter().map(|(_, key)| super::tag(key, own, peer)).collect();
        tags.resize_with(limits::TAGS, || random_tag(rng));
        let hello = LinkHello { version: protocol::VERSION, tags }.encode();
        let state = State::Offered { epochs, seed: Seed::draw(rng), hello: hello.clone() };
        (Self { room, own: own.clone(), peer: peer.clone(), state }, hello)
    }

    /// The room that this end speaks of.
    pub fn room(&self) -> RoomId {
        self.room
    }

    /// Takes the next frame.
    pub fn receive(&mut self, me: &Identity, frame: &[u8]) -> Result<Step, LinkError> {
        match mem::replace(&mut self.state, State::Over) {
            State::Offered { epochs, seed, hello } => self.chosen(&epochs, seed, &hello, frame),
            State::Keyed { handshake, epoch } => self.keyed(me, handshake, epoch, frame),
            State::Proved { channel, hash, epoch } => self.answered(me, channel, &hash, epoch, frame),
            State::Deciding { .. } | State::Over => Err(LinkError::OutOfTurn),
        }
    }

    /// Lets the member in that was proved: the last frame to send, and the link.
    pub fn admit(&mut self) -> Result<(Vec<u8>, Established), LinkError> {
        let (mut channel, member, epoch) = self.decide()?;
        let frame = super::seal(&mut channel, &Message::Admitted);
        Ok((frame, Established { room: self.room, member, epoch, channel }))
    }

    /// Turns the member away that was proved: the last frame to send.
    pub fn refuse(&mut self, why: Refused) -> Result<Vec<u8>, LinkError> {
        let (mut channel, ..) = self.decide()?;
        Ok(super::seal(&mut channel, &Message::Refused(why)))
    }

    fn chosen(
        &mut self,
        epochs: &[(EventId, EpochKey)],
        seed: Seed,
        hello: &[u8],
        frame: &[u8],
    ) -> Result<Step, LinkError> {
        let choice = LinkChoice::decode(frame)?;
        if choice.version != protocol::VERSION {
            return Err(LinkError::Version { ours: protocol::VERSION, theirs: choice.version });
        }
        let got = choice.tag.ok_or(LinkError::NoCommonEpoch)?;
        let no_such_tag = LinkError::NoSuchTag { got, offered: epochs.len() };
        let (epoch, key) = epochs.get(usize::from(got)).ok_or(no_such_tag)?;
        let prologue = super::prologue(&self.own, &self.peer, hello, frame);
        let mut handshake = Handshake::initiate(key.expose(), &prologue, seed);
        let message = handshake.write();
        self.state = State::Keyed { handshake, epoch: *epoch };
        Ok(Step::Send(message))
    }

    fn keyed(
        &mut self,
        me: &Identity,
        mut handshake: Handshake,
        epoch: EventId,
        frame: &[u8],
    ) -> Result<Step, LinkError> {
        handshake.read(frame)?;
        let (mut channel, hash) = handshake.finish();
        let proof = super::seal(&mut channel, &super::prove(me, Domain::LinkOpener, &hash));
        self.state = State::Proved { channel, hash, epoch };
        Ok(Step::Send(proof))
    }

    fn answered(
        &mut self,
        me: &Identity,
        mut channel: Channel,
        hash: &HandshakeHash,
        epoch: EventId,
        frame: &[u8],
    ) -> Result<Step, LinkError> {
        match super::open(&mut channel, frame)? {
            Message::Proof { member, signature } => {
                let member = super::check(me, Domain::LinkAcceptor, hash, member, &signature)?;
                self.state = State::Deciding { channel, member, epoch };
                Ok(Step::PeerProved { member })
            }
            Message::Refused(why) => Ok(Step::TurnedAway(why)),
            Message::Admitted => Err(LinkError::OutOfTurn),
        }
    }

    fn decide(&mut self) -> Result<(Channel, MemberId, EventId), LinkError> {
        match mem::replace(&mut self.state, State::Over) {
            State::Deciding { channel, member, epoch } => Ok((channel, member, epoch)),
            state => {
                self.state = state;
                Err(LinkError::OutOfTurn)
            }
        }
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opener").field("room", &self.room).finish_non_exhaustive()
    }
}

fn random_tag(rng: &mut impl CryptoRng) -> BlindedTag {
    let mut tag = [0; 32];
    rng.fill_bytes(&mut tag);
    BlindedTag(tag)
}
