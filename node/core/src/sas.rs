//! Short authentication strings: two people compare six words, three each way, and so make sure
//! that nobody stands between them.
//!
//! Commit, then reveal (Vaudenay, "Secure communications over insecure channels based on short
//! authenticated strings", CRYPTO 2005): both sides send a hash of a nonce and reveal the nonce only
//! when they hold the other's hash, so that neither can choose its nonce by the words it makes.
//! Each side is shown the three words *to read out* and is told whether the three it *heard* are
//! right; nothing here returns the words that are to be heard.

mod limiter;
mod words;

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

pub use self::limiter::{LimitError, Limiter};
pub use self::words::{HeardError, Words};

use self::words::Half;
use crate::id::{MemberId, RoomId};
use crate::key;
use crate::time::Timestamp;

/// How long an exchange lives, and shows the same words.
pub const LIFETIME: Duration = Duration::from_secs(30 * 60);

const VERSION: [u8; 2] = 1u16.to_be_bytes();

/// What the two sides send each other, over their link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SasMessage {
    /// BLAKE2b-256 of the sender's nonce, the room and both keys.
    Commit(#[serde(with = "serde_bytes")] [u8; 32]),
    /// The nonce.
    Reveal(#[serde(with = "serde_bytes")] [u8; 32]),
    /// The sender's exchange is over.
    End(End),
}

/// Why an exchange is over without result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum End {
    /// Its human entered other words.
    Wrong,
    /// That was one too many; there is no new exchange for a while.
    Locked,
    /// It took too long.
    Expired,
    /// The words were seen where only a voice may carry them.
    Leaked,
    /// The messages of the two sides do not fit together.
    Broken,
}

/// What a message led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing new.
    Wait,
    /// Send this nonce; from now on the exchange counts, see [`Limiter::revealed`].
    Reveal(SasMessage),
    /// The words are there.
    Ready,
    /// The other side ended it.
    Ended(End),
}

/// Why a message was not taken. The exchange is over; somebody may be standing between the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SasError {
    /// A second, different commitment: the other side began anew, or wants to choose.
    #[error("the other side committed twice, to different nonces")]
    OtherCommitment,
    /// A nonce that is not the committed one.
    #[error("what the other side revealed is not what it had committed to")]
    OtherNonce,
    /// A nonce without a commitment.
    #[error("the other side revealed without having committed")]
    Uncommitted,
    /// Earlier than this message.
    #[error("the exchange is over")]
    Over,
}

/// One exchange of words with one member of one room, over one link: a link that ends before the
/// words are ready ends the exchange too, and nothing is ever sent again on another.
pub struct Exchange {
    room: RoomId,
    me: MemberId,
    peer: MemberId,
    nonce: [u8; 32],
    started: Timestamp,
    state: State,
}

enum State {
    /// Ours is out, theirs is not here.
    Committed,
    /// Both are; our nonce is out.
    Revealed {
        theirs: [u8; 32],
    },
    Ready {
        theirs: [u8; 32],
        say: Half,
        hear: Half,
        verified: bool,
    },
    Over,
}

impl Exchange {
    /// Begins an exchange, or answers the other side's commitment; both at once is one exchange.
    /// The nonce must be fresh. Returns the commitment to send.
    pub fn start(room: RoomId, me: MemberId, peer: MemberId, nonce: [u8; 32], now: Timestamp) -> (Self, SasMessage) {
        let commit = SasMessage::Commit(commitment(&room, &me, &peer, &nonce));
        (Self { room, me, peer, nonce, started: now, state: State::Committed }, commit)
    }

    /// Takes a message of the other side.
    pub fn receive(&mut self, message: &SasMessage) -> Result<Step, SasError> {
        let step = match (message, &self.state) {
            (_, State::Over) => Err(SasError::Over),
            (SasMessage::End(end), _) => Ok(Step::Ended(*end)),
            (SasMessage::Commit(theirs), _) => self.committed(*theirs),
            (SasMessage::Reveal(nonce), _) => self.revealed(nonce),
        };
        if matches!(step, Err(_) | Ok(Step::Ended(_))) {
            self.state = State::Over;
        }
        step
    }

    /// The three words to read out, once they are there.
    pub fn say(&self) -> Option<Words> {
        match &self.state {
            State::Ready { say, .. } => Some(say.words()),
            _ => None,
        }
    }

    /// Takes the three words that the human heard. Other words than the expected ones end the
    /// exchange; what cannot be three words of the list at all does not.
    pub fn heard(&mut self, text: &str) -> Result<(), HeardError> {
        let State::Ready { say, hear, verified, .. } = &mut self.state else { return Err(HeardError::NotReady) };
        let heard = Half::parse(text)?;
        if heard == *hear {
            *verified = true;
            return Ok(());
        }
        if heard == *say {
            return Err(HeardError::OwnWords);
        }
        self.state = State::Over;
        Err(HeardError::Wrong)
    }

    /// Whether the right words were entered here.
    pub fn is_verified(&self) -> bool {
        matches!(self.state, State::Ready { verified: true, .. })
    }

    /// Whether nothing can come of it any more.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// Ends it, for a reason of our own; returns what to tell the other side.
    pub fn end(&mut self, why: End) -> SasMessage {
        self.state = State::Over;
        SasMessage::End(why)
    }

    /// When it is to be ended as [`End::Expired`].
    pub fn expires(&self) -> Timestamp {
        self.started + LIFETIME
    }

    /// Whether `text` carries the words to read out, which only a voice may carry: in their order,
    /// whatever their case and what stands between them.
    pub fn contains_own_half(&self, text: &str) -> bool {
        matches!(&self.state, State::Ready { say, .. } if say.is_in(text))
    }

    /// Whether `text` carries the words that are to be heard.
    pub fn contains_expected(&self, text: &str) -> bool {
        matches!(&self.state, State::Ready { hear, .. } if hear.is_in(text))
    }

    fn committed(&mut self, theirs: [u8; 32]) -> Result<Step, SasError> {
        match &self.state {
            State::Committed => {
                self.state = State::Revealed { theirs };
                Ok(Step::Reveal(SasMessage::Reveal(self.nonce)))
            }
            State::Revealed { theirs: held } | State::Ready { theirs: held, .. } if *held == theirs => Ok(Step::Wait),
            State::Revealed { .. } | State::Ready { .. } => Err(SasError::OtherCommitment),
            State::Over => Err(SasError::Over),
        }
    }

    fn revealed(&mut self, nonce: &[u8; 32]) -> Result<Step, SasError> {
        let theirs = match &self.state {
            State::Committed => return Err(SasError::Uncommitted),
            State::Revealed { theirs } | State::Ready { theirs, .. } => *theirs,
            State::Over => return Err(SasError::Over),
        };
        let expected = commitment(&self.room, &self.peer, &self.me, nonce);
        if !bool::from(expected.ct_eq(&theirs)) {
            return Err(SasError::OtherNonce);
        }
        if matches!(self.state, State::Ready { .. }) {
            return Ok(Step::Wait);
        }
        let (first, second) = self.halves(nonce);
        let (say, hear) = if self.me < self.peer { (first, second) } else { (second, first) };
        self.state = State::Ready { theirs, say, hear, verified: false };
        Ok(Step::Ready)
    }

    fn halves(&self, theirs: &[u8; 32]) -> (Half, Half) {
        let (mine, theirs) = ((&self.me, &self.nonce), (&self.peer, theirs));
        let (low, high) = if self.me < self.peer { (mine, theirs) } else { (theirs, mine) };
        let parts: [&[u8]; 6] = [&VERSION, &self.room.0, &low.0.0, &high.0.0, low.1, high.1];
        words::halves(&key::hash(b"pairwave-sas-words", &parts))
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Committed => "committed",
            State::Revealed { .. } => "revealed",
            State::Ready { .. } => "ready",
            State::Over => "over",
        };
        f.debug_struct("Exchange").field("peer", &self.peer).field("state", &state).finish_non_exhaustive()
    }
}

fn commitment(room: &RoomId, by: &MemberId, to: &MemberId, nonce: &[u8; 32]) -> [u8; 32] {
    key::hash(b"pairwave-sas-commit", &[&VERSION, &room.0, &by.0, &to.0, nonce])
}

#[cfg(test)]
mod tests;
