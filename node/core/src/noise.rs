//! A thin wall around `snow`: `Noise_NNpsk0_25519_ChaChaPoly_BLAKE2b` (Noise, rev. 34), fed with
//! the caller's randomness, and messages of any length cut into Noise messages.
//!
//! BLAKE2b is the hash that the rest of pairwave uses too; its handshake hash has 64 bytes.

use std::fmt;

use pairwave_wire::{TransportId, limits};
use rand_chacha::ChaCha20Rng;
use rand_core::{CryptoRng, Rng, SeedableRng};
use snow::params::{CipherChoice, DHChoice, HashChoice};
use snow::resolvers::{CryptoResolver, DefaultResolver};
use snow::types::{Cipher, Dh, Hash, Random};
use snow::{Builder, HandshakeState, TransportState};
use zeroize::Zeroizing;

const PATTERN: &str = "Noise_NNpsk0_25519_ChaChaPoly_BLAKE2b";
/// Bytes that Noise adds to every message.
const TAG: usize = 16;
/// Largest piece of a message in one frame: the marker takes one byte.
const PIECE: usize = limits::FRAME - TAG - 1;
const LAST: u8 = 0;
const MORE: u8 = 1;

/// Why a handshake message was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// The other side does not hold our key, means other companions or another version, or the
    /// message was changed on its way.
    #[error("the handshake message does not open under the key that both sides should hold")]
    Rejected,
    /// The pattern has no payload in its handshake messages.
    #[error("the handshake message carries {got} unexpected bytes")]
    Payload {
        /// Bytes of payload.
        got: usize,
    },
    /// Longer than the first frames of a stream may be.
    #[error("a handshake message of {got} bytes where at most {max} are allowed")]
    TooLong {
        /// Length found, in bytes.
        got: usize,
        /// Length allowed, in bytes.
        max: usize,
    },
}

/// What both sides sign: it differs in every handshake and fixes everything that went into it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct HandshakeHash(Vec<u8>);

impl HandshakeHash {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Randomness for one handshake, drawn when the machine is made.
pub(crate) struct Seed(Zeroizing<[u8; 32]>);

impl Seed {
    pub(crate) fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(crate) fn draw(rng: &mut impl CryptoRng) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill_bytes(seed.as_mut());
        Self(seed)
    }
}

/// What the handshake is bound to: the domain and the version (u16, big endian); then the transport
/// ids, the initiator's first, and what was said in clear, each after its length (u16, big endian).
pub(crate) fn prologue(
    domain: &[u8],
    version: u16,
    initiator: &TransportId,
    responder: &TransportId,
    said: &[&[u8]],
) -> Vec<u8> {
    let parts = [&[initiator.as_bytes(), responder.as_bytes()], said].concat();
    prologue_of(domain, version, &parts)
}

/// As [`prologue`], of any parts.
pub(crate) fn prologue_of(domain: &[u8], version: u16, parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = [domain, &version.to_be_bytes()].concat();
    for part in parts {
        let length = u16::try_from(part.len()).expect("ids and first frames are short");
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

/// A handshake of two messages: the initiator writes, then reads; the responder reads, then writes.
pub(crate) struct Handshake(Box<HandshakeState>);

impl Handshake {
    pub(crate) fn initiate(psk: &[u8; 32], prologue: &[u8], seed: Seed) -> Self {
        let state = builder(psk, prologue, seed).build_initiator();
        Self(Box::new(state.expect("pattern, key and prologue are complete")))
    }

    pub(crate) fn respond(psk: &[u8; 32], prologue: &[u8], seed: Seed) -> Self {
        let state = builder(psk, prologue, seed).build_responder();
        Self(Box::new(state.expect("pattern, key and prologue are complete")))
    }

    /// The next message. To be called in turn.
    pub(crate) fn write(&mut self) -> Vec<u8> {
        self.write_with(&[])
    }

    /// As [`Self::write`], with a payload that leaves room for the rest in a first frame.
    pub(crate) fn write_with(&mut self, payload: &[u8]) -> Vec<u8> {
        let mut message = vec![0; limits::FIRST_FRAME];
        let length = self.0.write_message(payload, &mut message).expect("written in turn, and it fits");
        message.truncate(length);
        message
    }

    pub(crate) fn read(&mut self, message: &[u8]) -> Result<(), HandshakeError> {
        match self.read_with(message)?.len() {
            0 => Ok(()),
            got => Err(HandshakeError::Payload { got }),
        }
    }

    /// As [`Self::read`], where a payload is expected.
    pub(crate) fn read_with(&mut self, message: &[u8]) -> Result<Vec<u8>, HandshakeError> {
        if message.len() > limits::FIRST_FRAME {
            return Err(HandshakeError::TooLong { got: message.len(), max: limits::FIRST_FRAME });
        }
        let mut payload = vec![0; message.len()];
        let length = self.0.read_message(message, &mut payload).map_err(|_| HandshakeError::Rejected)?;
        payload.truncate(length);
        Ok(payload)
    }

    /// The channel, after both messages.
    pub(crate) fn finish(self) -> (Channel, HandshakeHash) {
        let hash = HandshakeHash(self.0.get_handshake_hash().to_vec());
        let state = self.0.into_transport_mode().expect("both messages are through");
        (Channel { state: Box::new(state), partial: Vec::new(), broken: false }, hash)
    }
}

/// Why a message cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Longer than a message may be.
    #[error("a message of {got} bytes where at most {max} are allowed")]
    TooLong {
        /// Length of the message, in bytes.
        got: usize,
        /// [`limits::MESSAGE`]
        max: usize,
    },
    /// The channel has carried all the messages that it can.
    #[error("the channel has come to its end")]
    Exhausted,
}

/// Why a frame was not taken. The channel is of no use after that.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Changed, repeated, left out, or in the wrong order.
    #[error("the frame does not open here")]
    Rejected,
    /// Neither "last" nor "more".
    #[error("the frame has no valid marker")]
    Marker,
    /// The pieces make up more than a message may have.
    #[error("a message of more than {max} bytes")]
    TooLong {
        /// [`limits::MESSAGE`]
        max: usize,
    },
    /// An earlier frame was not taken.
    #[error("the channel broke at an earlier frame")]
    Broken,
}

/// Messages of up to [`limits::MESSAGE`] bytes, encrypted and in order.
///
/// A message is cut into frames, each one Noise message whose first plaintext byte says whether
/// more of it follow (1) or not (0).
pub struct Channel {
    state: Box<TransportState>,
    partial: Vec<u8>,
    broken: bool,
}

impl Channel {
    /// The frames of one message. They must be sent in this order with nothing between.
    pub fn seal(&mut self, message: &[u8]) -> Result<Vec<Vec<u8>>, SealError> {
        if message.len() > limits::MESSAGE {
            return Err(SealError::TooLong { got: message.len(), max: limits::MESSAGE });
        }
        let pieces = message.len().div_ceil(PIECE).max(1);
        let piece = |number: usize| &message[number * PIECE..message.len().min((number + 1) * PIECE)];
        (0..pieces)
            .map(|number| self.seal_piece(if number + 1 < pieces { MORE } else { LAST }, piece(number)))
            .collect()
    }

    /// Takes the next frame; returns the message that it completes.
    pub fn open(&mut self, frame: &[u8]) -> Result<Option<Vec<u8>>, OpenError> {
        if self.broken {
            return Err(OpenError::Broken);
        }
        let opened = self.open_piece(frame);
        self.broken = opened.is_err();
        opened
    }

    fn seal_piece(&mut self, marker: u8, piece: &[u8]) -> Result<Vec<u8>, SealError> {
        let plaintext = [&[marker], piece].concat();
        let mut frame = vec![0; plaintext.len() + TAG];
        self.state.write_message(&plaintext, &mut frame).map_err(|_| SealError::Exhausted)?;
        Ok(frame)
    }

    fn open_piece(&mut self, frame: &[u8]) -> Result<Option<Vec<u8>>, OpenError> {
        let mut plaintext = vec![0; frame.len()];
        let length = self.state.read_message(frame, &mut plaintext).map_err(|_| OpenError::Rejected)?;
        let (marker, piece) = plaintext[..length].split_first().ok_or(OpenError::Marker)?;
        if self.partial.len() + piece.len() > limits::MESSAGE {
            return Err(OpenError::TooLong { max: limits::MESSAGE });
        }
        self.partial.extend_from_slice(piece);
        match *marker {
            LAST => Ok(Some(std::mem::take(&mut self.partial))),
            // Else a peer could keep us busy with frames that make up nothing.
            MORE if piece.len() == PIECE => Ok(None),
            _ => Err(OpenError::Marker),
        }
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("partial", &self.partial.len()).field("broken", &self.broken).finish()
    }
}

fn builder<'a>(psk: &'a [u8; 32], prologue: &'a [u8], seed: Seed) -> Builder<'a> {
    let pattern = PATTERN.parse().expect("a pattern that snow knows");
    Builder::with_resolver(pattern, Box::new(Resolver(seed)))
        .psk(0, psk)
        .and_then(|builder| builder.prologue(prologue))
        .expect("each is set once")
}

/// snow's own primitives with our randomness.
struct Resolver(Seed);

impl CryptoResolver for Resolver {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        Some(Box::new(SeededRandom(ChaCha20Rng::from_seed(*self.0.0))))
    }

    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        DefaultResolver.resolve_dh(choice)
    }

    fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
        DefaultResolver.resolve_hash(choice)
    }

    fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
        DefaultResolver.resolve_cipher(choice)
    }
}

struct SeededRandom(ChaCha20Rng);

impl Random for SeededRandom {
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), snow::Error> {
        self.0.fill_bytes(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seed(byte: u8) -> Seed {
        Seed(Zeroizing::new([byte; 32]))
    }

    fn channels() -> (Channel, Channel) {
        let mut alice = Handshake::initiate(&[1; 32], b"prologue", seed(2));
        let mut bob = Handshake::respond(&[1; 32], b"prologue", seed(3));
        bob.read(&alice.write()).unwrap();
        alice.read(&bob.write()).unwrap();
        let ((alice, one), (bob, other)) = (alice.finish(), bob.finish());
        assert!(one == other);
        (alice, bob)
    }

    fn send(from: &mut Channel, to: &mut Channel, message: &[u8]) -> Vec<u8> {
        let mut frames = from.seal(message).unwrap().into_iter();
        let opened = frames.find_map(|frame| to.open(&frame).unwrap());
        assert_eq!(frames.next(), None);
        opened.unwrap()
    }

    #[test]
    fn messages_of_every_size_round_trip_both_ways() {
        let (mut alice, mut bob) = channels();
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, limits::MESSAGE] {
            let message: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            assert!(send(&mut alice, &mut bob, &message) == message);
            assert!(send(&mut bob, &mut alice, &message) == message);
        }
    }

    #[test]
    fn a_longer_message_is_neither_sent_nor_taken() {
        let (mut alice, mut bob) = channels();
        let got = limits::MESSAGE + 1;
        assert_eq!(alice.seal(&vec![0; got]), Err(SealError::TooLong { got, max: limits::MESSAGE }));
        let endless = std::iter::from_fn(|| Some(alice.seal_piece(MORE, &[0; PIECE]).unwrap()));
        let refused = endless.take(100).find_map(|frame| bob.open(&frame).err());
        assert_eq!(refused, Some(OpenError::TooLong { max: limits::MESSAGE }));
    }

    #[test]
    fn frames_that_make_up_nothing_are_refused() {
        for (marker, piece) in [(MORE, &[][..]), (MORE, &[0; 9][..]), (2, &[0; 9][..])] {
            let (mut alice, mut bob) = channels();
            let frame = alice.seal_piece(marker, piece).unwrap();
            assert_eq!(bob.open(&frame), Err(OpenError::Marker));
        }
    }

    #[test]
    fn a_repeated_left_out_or_swapped_frame_is_refused() {
        let (mut alice, mut bob) = channels();
        let frames: Vec<_> = (0..3).map(|number| alice.seal(&[number]).unwrap().remove(0)).collect();
        assert_eq!(bob.open(&frames[0]), Ok(Some(vec![0])));
        assert_eq!(bob.open(&frames[0]), Err(OpenError::Rejected));
        assert_eq!(bob.open(&frames[1]), Err(OpenError::Broken));
        let (mut alice, mut bob) = channels();
        let frames: Vec<_> = (0..3).map(|number| alice.seal(&[number]).unwrap().remove(0)).collect();
        assert_eq!(bob.open(&frames[1]), Err(OpenError::Rejected));
    }

    #[test]
    fn another_key_or_prologue_does_not_open() {
        let first = Handshake::initiate(&[1; 32], b"prologue", seed(2)).write();
        for (psk, prologue) in [([2; 32], &b"prologue"[..]), ([1; 32], b"epilogue")] {
            let mut bob = Handshake::respond(&psk, prologue, seed(3));
            assert_eq!(bob.read(&first), Err(HandshakeError::Rejected));
        }
    }

    #[test]
    fn randomness_is_the_callers() {
        let first = |byte| Handshake::initiate(&[1; 32], b"prologue", seed(byte)).write();
        assert_eq!(first(2), first(2));
        assert_ne!(first(2), first(3));
    }
}
