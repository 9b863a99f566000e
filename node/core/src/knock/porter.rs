use std::fmt;
use std::mem;

use pairwave_wire::hello::{InviteLabel, KnockHello};
use pairwave_wire::{TransportId, limits, protocol};
use rand_core::CryptoRng;

use super::{KnockError, Message, Refused, Verdict, Welcome};
use crate::id::MemberId;
use crate::key::{Domain, Identity, KnockKey};
use crate::noise::{Channel, Handshake, HandshakeHash, Seed};

/// The end of the member that may admit.
///
/// After an error it takes nothing more; hang up without an answer.
pub struct Porter {
    label: InviteLabel,
    version: u16,
    own: TransportId,
    peer: TransportId,
    state: State,
}

enum State {
    /// The first frame is in; the key is looked up.
    Called {
        noise: Vec<u8>,
    },
    /// Our handshake message is out.
    Keyed {
        channel: Channel,
        hash: HandshakeHash,
    },
    /// The newcomer has proved itself; the caller decides.
    Deciding {
        channel: Channel,
        hash: HandshakeHash,
    },
    Over,
}

/// Somebody who holds the invite and the identity key it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Knock {
    /// The newcomer's identity key.
    pub member: MemberId,
    /// How it wants to be called, at most [`limits::NAME`] bytes.
    pub name: String,
}

/// What the newcomer's proof led to.
#[derive(Debug)]
pub enum Heard {
    /// Go on with `welcome` or `refuse`.
    Knock(Knock),
    /// The newcomer speaks another version: send the frame and hang up.
    OtherVersion {
        /// The newcomer's version.
        theirs: u16,
        /// The frame to send.
        frame: Vec<u8>,
    },
}

impl Porter {
    /// Takes the first frame. Look the invite up by its [`label`](Self::label) and go on with
    /// [`unlock`](Self::unlock), or hang up without a word if there is none.
    pub fn greet(own: TransportId, peer: TransportId, frame: &[u8]) -> Result<Self, KnockError> {
        let KnockHello { version, label, noise } = KnockHello::decode(frame)?;
        Ok(Self { label, version, own, peer, state: State::Called { noise } })
    }

    /// Which invite the newcomer holds.
    pub fn label(&self) -> InviteLabel {
        self.label
    }

    /// Goes on with the invite's key: the frame to send.
    pub fn unlock(&mut self, key: &KnockKey, rng: &mut impl CryptoRng) -> Result<Vec<u8>, KnockError> {
        let State::Called { noise } = mem::replace(&mut self.state, State::Over) else {
            return Err(KnockError::OutOfTurn);
        };
        let prologue = super::prologue(self.version, &self.label, &self.peer, &self.own);
        let mut handshake = Handshake::respond(key.expose(), &prologue, Seed::draw(rng));
        handshake.read(&noise)?;
        let message = handshake.write();
        let (channel, hash) = handshake.finish();
        self.state = State::Keyed { channel, hash };
        Ok(message)
    }

    /// Takes the newcomer's proof.
    pub fn receive(&mut self, me: &Identity, frame: &[u8]) -> Result<Heard, KnockError> {
        let State::Keyed { mut channel, hash } = mem::replace(&mut self.state, State::Over) else {
            return Err(KnockError::OutOfTurn);
        };
        let knock = check(me, &hash, super::open(&mut channel, frame)?)?;
        if self.version != protocol::VERSION {
            let why = Refused::Version { theirs: protocol::VERSION };
            let frame = super::seal(&mut channel, &signed(me, &hash, Verdict::Refused(why)));
            return Ok(Heard::OtherVersion { theirs: self.version, frame });
        }
        self.state = State::Deciding { channel, hash };
        Ok(Heard::Knock(knock))
    }

    /// Admits the newcomer: the last frame to send, once the admission is durable.
    pub fn welcome(&mut self, me: &Identity, welcome: Welcome) -> Result<Vec<u8>, KnockError> {
        self.answer(me, Verdict::Welcome(welcome))
    }

    /// Turns the newcomer down: the last frame to send.
    pub fn refuse(&mut self, me: &Identity, why: Refused) -> Result<Vec<u8>, KnockError> {
        self.answer(me, Verdict::Refused(why))
    }

    fn answer(&mut self, me: &Identity, verdict: Verdict) -> Result<Vec<u8>, KnockError> {
        match mem::replace(&mut self.state, State::Over) {
            State::Deciding { mut channel, hash } => Ok(super::seal(&mut channel, &signed(me, &hash, verdict))),
            state => {
                self.state = state;
                Err(KnockError::OutOfTurn)
            }
        }
    }
}

impl fmt::Debug for Porter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Porter").field("label", &self.label).field("version", &self.version).finish_non_exhaustive()
    }
}

fn check(me: &Identity, hash: &HandshakeHash, message: Message) -> Result<Knock, KnockError> {
    let Message::Knock { member, name, signature } = message else { return Err(KnockError::OutOfTurn) };
    let (got, max) = (name.len(), limits::NAME);
    if got > max {
        return Err(KnockError::NameTooLong { got, max });
    }
    super::prove(me.member(), member, Domain::Knock, hash, &signature)?;
    Ok(Knock { member, name })
}

fn signed(me: &Identity, hash: &HandshakeHash, verdict: Verdict) -> Message {
    Message::Answer { member: me.member(), signature: me.sign(Domain::KnockAnswer, hash.as_bytes()), verdict }
}
