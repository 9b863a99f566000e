use std::fmt;
use std::mem;

use pairwave_wire::hello::{BlindedTag, LinkChoice, LinkHello};
use pairwave_wire::{TransportId, protocol};
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;

use super::{Established, LinkError, Message, Refused, Step};
use crate::id::{EventId, MemberId, RoomId};
use crate::key::{Domain, EpochKey, Identity};
use crate::noise::{Channel, Handshake, HandshakeHash, Seed};

/// The end that was called. Which room it is about is known once an epoch is found.
///
/// After an error it takes nothing more.
pub struct Acceptor {
    room: RoomId,
    epoch: EventId,
    state: State,
}

enum State {
    /// The choice is out.
    Chosen(Handshake),
    /// The second handshake message is out.
    Keyed {
        channel: Channel,
        hash: HandshakeHash,
    },
    /// Their proof is in; the caller decides.
    Deciding {
        channel: Channel,
        hash: HandshakeHash,
        member: MemberId,
    },
    /// Ours is out.
    Proved {
        channel: Channel,
        member: MemberId,
    },
    Over,
}

/// What the first frame of a stream led to.
#[derive(Debug)]
pub enum Greeting {
    /// Both know an epoch: send the frame and go on.
    Common {
        /// The end to go on with.
        acceptor: Acceptor,
        /// The frame to send.
        frame: Vec<u8>,
    },
    /// The caller knows none of our epochs, or speaks another version: send the frame and hang up.
    Stranger {
        /// The frame to send.
        frame: Vec<u8>,
        /// The version that the caller speaks, if it is not ours.
        version: Option<u16>,
    },
}

impl Acceptor {
    /// Takes the first frame. `epochs` are those of all rooms here; the newest of the opener's that
    /// is among them is taken.
    pub fn greet<'a>(
        own: &TransportId,
        peer: &TransportId,
        frame: &[u8],
        epochs: impl IntoIterator<Item = (RoomId, EventId, &'a EpochKey)>,
        rng: &mut impl CryptoRng,
    ) -> Result<Greeting, LinkError> {
        let hello = LinkHello::decode(frame)?;
        let choose = |tag| LinkChoice { version: protocol::VERSION, tag }.encode();
        if hello.version != protocol::VERSION {
            return Ok(Greeting::Stranger { frame: choose(None), version: Some(hello.version) });
        }
        let known = epochs.into_iter().map(|(room, epoch, key)| (super::tag(key, peer, own), room, epoch, key));
        let common = known.filter_map(|known| Some((position(&hello.tags, &known.0)?, known)));
        let Some((tag, (_, room, epoch, key))) = common.min_by_key(|(position, _)| *position) else {
            return Ok(Greeting::Stranger { frame: choose(None), version: None });
        };
        let choice = choose(Some(tag));
        let prologue = super::prologue(peer, own, frame, &choice);
        let handshake = Handshake::respond(key.expose(), &prologue, Seed::draw(rng));
        Ok(Greeting::Common { acceptor: Self { room, epoch, state: State::Chosen(handshake) }, frame: choice })
    }

    /// The room that the opener wants to speak of.
    pub fn room(&self) -> RoomId {
        self.room
    }

    /// Takes the next frame.
    pub fn receive(&mut self, me: &Identity, frame: &[u8]) -> Result<Step, LinkError> {
        match mem::replace(&mut self.state, State::Over) {
            State::Chosen(handshake) => self.keyed(handshake, frame),
            State::Keyed { channel, hash } => self.proved(me, channel, hash, frame),
            State::Proved { channel, member } => self.admitted(channel, member, frame),
            State::Deciding { .. } | State::Over => Err(LinkError::OutOfTurn),
        }
    }

    /// Lets the member in that was proved: the frame to send, with our own proof. The link is up
    /// once the opener has admitted us too.
    pub fn admit(&mut self, me: &Identity) -> Result<Vec<u8>, LinkError> {
        let (mut channel, hash, member) = self.decide()?;
        let proof = super::seal(&mut channel, &super::prove(me, Domain::LinkAcceptor, &hash));
        self.state = State::Proved { channel, member };
        Ok(proof)
    }

    /// Turns the member away that was proved: the last frame to send. It does not say who we are.
    pub fn refuse(&mut self, why: Refused) -> Result<Vec<u8>, LinkError> {
        let (mut channel, ..) = self.decide()?;
        Ok(super::seal(&mut channel, &Message::Refused(why)))
    }

    fn keyed(&mut self, mut handshake: Handshake, frame: &[u8]) -> Result<Step, LinkError> {
        handshake.read(frame)?;
        let message = handshake.write();
        let (channel, hash) = handshake.finish();
        self.state = State::Keyed { channel, hash };
        Ok(Step::Send(message))
    }

    fn proved(
        &mut self,
        me: &Identity,
        mut channel: Channel,
        hash: HandshakeHash,
        frame: &[u8],
    ) -> Result<Step, LinkError> {
        let Message::Proof { member, signature } = super::open(&mut channel, frame)? else {
            return Err(LinkError::OutOfTurn);
        };
        let member = super::check(me, Domain::LinkOpener, &hash, member, &signature)?;
        self.state = State::Deciding { channel, hash, member };
        Ok(Step::PeerProved { member })
    }

    fn admitted(&mut self, mut channel: Channel, member: MemberId, frame: &[u8]) -> Result<Step, LinkError> {
        match super::open(&mut channel, frame)? {
            Message::Admitted => {
                Ok(Step::Established(Established { room: self.room, member, epoch: self.epoch, channel }))
            }
            Message::Refused(why) => Ok(Step::TurnedAway(why)),
            Message::Proof { .. } => Err(LinkError::OutOfTurn),
        }
    }

    fn decide(&mut self) -> Result<(Channel, HandshakeHash, MemberId), LinkError> {
        match mem::replace(&mut self.state, State::Over) {
            State::Deciding { channel, hash, member } => Ok((channel, hash, member)),
            state => {
                self.state = state;
                Err(LinkError::OutOfTurn)
            }
        }
    }
}

impl fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acceptor").field("room", &self.room).field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

/// Where `tag` stands, at a cost that does not depend on how much of it was guessed.
fn position(tags: &[BlindedTag], tag: &BlindedTag) -> Option<u8> {
    let position = tags.iter().position(|other| bool::from(other.0.ct_eq(&tag.0)))?;
    u8::try_from(position).ok()
}
