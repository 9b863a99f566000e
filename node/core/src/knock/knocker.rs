use std::fmt;
use std::mem;

use pairwave_wire::hello::{InviteLabel, KnockHello};
use pairwave_wire::{TransportId, limits, protocol};
use rand_core::CryptoRng;

use super::{KnockError, Message, Verdict};
use crate::id::{MemberId, RoomId};
use crate::key::{Domain, Identity, KnockKey};
use crate::noise::{Channel, Handshake, HandshakeHash, Seed};

/// The newcomer's end.
///
/// After an error it takes nothing more.
pub struct Knocker {
    room: RoomId,
    name: String,
    state: State,
}

enum State {
    /// The first frame is out.
    Keyed(Handshake),
    /// So is the proof.
    Knocked {
        channel: Channel,
        hash: HandshakeHash,
    },
    Over,
}

/// What a frame led to.
#[derive(Debug)]
pub enum Answer {
    /// Send this frame; the next one is theirs.
    Send(Vec<u8>),
    /// What this member says; that it is one, somebody else must know.
    Said {
        /// Whose identity key signed.
        from: MemberId,
        /// Let in or turned down.
        verdict: Verdict,
    },
}

impl Knocker {
    /// Knocks at `porter` for `room`, with the invite's label and the key derived from its secret.
    /// Returns the first frame. `name` is how the newcomer wants to be called.
    pub fn new(
        room: RoomId,
        label: InviteLabel,
        key: &KnockKey,
        own: &TransportId,
        porter: &TransportId,
        name: &str,
        rng: &mut impl CryptoRng,
    ) -> Result<(Self, Vec<u8>), KnockError> {
        let (got, max) = (name.len(), limits::NAME);
        if got > max {
            return Err(KnockError::NameTooLong { got, max });
        }
        let version = protocol::VERSION;
        let prologue = super::prologue(version, &label, own, porter);
        let mut handshake = Handshake::initiate(key.expose(), &prologue, Seed::draw(rng));
        let hello = KnockHello { version, label, noise: handshake.write() }.encode();
        Ok((Self { room, name: name.to_owned(), state: State::Keyed(handshake) }, hello))
    }

    /// Takes the next frame.
    pub fn receive(&mut self, me: &Identity, frame: &[u8]) -> Result<Answer, KnockError> {
        match mem::replace(&mut self.state, State::Over) {
            State::Keyed(handshake) => self.keyed(me, handshake, frame),
            State::Knocked { channel, hash } => self.answered(me, channel, &hash, frame),
            State::Over => Err(KnockError::OutOfTurn),
        }
    }

    fn keyed(&mut self, me: &Identity, mut handshake: Handshake, frame: &[u8]) -> Result<Answer, KnockError> {
        handshake.read(frame)?;
        let (mut channel, hash) = handshake.finish();
        let signature = me.sign(Domain::Knock, hash.as_bytes());
        let knock = Message::Knock { member: me.member(), name: self.name.clone(), signature };
        let frame = super::seal(&mut channel, &knock);
        self.state = State::Knocked { channel, hash };
        Ok(Answer::Send(frame))
    }

    fn answered(
        &mut self,
        me: &Identity,
        mut channel: Channel,
        hash: &HandshakeHash,
        frame: &[u8],
    ) -> Result<Answer, KnockError> {
        let Message::Answer { member, signature, verdict } = super::open(&mut channel, frame)? else {
            return Err(KnockError::OutOfTurn);
        };
        super::prove(me.member(), member, Domain::KnockAnswer, hash, &signature)?;
        match &verdict {
            Verdict::Welcome(welcome) if welcome.room != self.room => {
                Err(KnockError::WrongRoom { expected: self.room, got: welcome.room })
            }
            _ => Ok(Answer::Said { from: member, verdict }),
        }
    }
}

impl fmt::Debug for Knocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Knocker").field("room", &self.room).finish_non_exhaustive()
    }
}
