use pairwave_wire::hello::BlindedTag;
use pairwave_wire::{cbor, limits, protocol};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::{Entrance, KNOCK, KnockLetterError, Newcomer, REPLY, Reply, Said};
use crate::key::{self, Domain, Identity, KnockKey, KnockSeed};
use crate::noise::{Handshake, Seed};
use crate::padded;

/// The newcomer's end of a knock by letter. Kept until the wish has come true or to nothing; then
/// it goes, and with it the one key that opens what is still at a relay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    seed: KnockSeed,
    /// The public half of the key that the seed gives.
    #[serde(with = "serde_bytes")]
    ephemeral: [u8; 32],
    /// What the handshake's first message carries.
    #[serde(with = "serde_bytes")]
    payload: Vec<u8>,
}

impl Draft {
    /// Says who we are to the members of `room`.
    pub fn new(identity: &Identity, entrance: &Entrance<'_>, newcomer: &Newcomer, rng: &mut impl CryptoRng) -> Self {
        let seed = KnockSeed::random(rng);
        let version = protocol::VERSION;
        let prologue = entrance.prologue(version);
        // The key is drawn from the seed alone: this message only tells it, and goes nowhere.
        let first = Handshake::initiate(&[0; 32], &prologue, Seed::new(*seed.expose())).write();
        let ephemeral = super::ephemeral_of(&first).expect("a message begins with the key");
        let content = cbor::encode(newcomer).expect("bytes and texts always encode");
        let proof = entrance.proof(version, &ephemeral, &content);
        let signature = identity.sign(Domain::KnockLetter, &proof);
        let payload = cbor::encode(&(ByteBuf::from(content), ByteBuf::from(signature)));
        Self { seed, ephemeral, payload: payload.expect("bytes always encode") }
    }

    /// The knock letter for this day, and the tag to leave it at.
    pub fn letter(&self, entrance: &Entrance<'_>, day: u64, rng: &mut impl CryptoRng) -> (BlindedTag, Vec<u8>) {
        let at = super::tag(entrance.key, day);
        let (_, noise) = self.begin(entrance);
        let content = cbor::encode(&(protocol::VERSION, ByteBuf::from(noise))).expect("bytes always encode");
        let letter = padded::seal_letter(KNOCK, entrance.key.expose(), &at, &content, rng);
        (at, letter.expect("what a newcomer says is short"))
    }

    /// Under which tag replies that are left on this day wait.
    pub fn reply_tag(&self, key: &KnockKey, day: u64) -> BlindedTag {
        super::reply_tag(key, &self.ephemeral, day)
    }

    /// Opens a reply that was found under this tag.
    pub fn open(&self, entrance: &Entrance<'_>, at: &BlindedTag, reply: &[u8]) -> Result<Reply, KnockLetterError> {
        let content = padded::open(REPLY, entrance.key.expose(), at, reply).ok_or(KnockLetterError::DoesNotOpen)?;
        let parts: Result<(ByteBuf, Vec<ByteBuf>), _> = cbor::decode(&content, limits::RELAY_MESSAGE);
        let (second, frames) = parts.map_err(|_| KnockLetterError::Malformed)?;
        let (mut handshake, _) = self.begin(entrance);
        handshake.read(&second).map_err(|_| KnockLetterError::DoesNotOpen)?;
        let (mut channel, hash) = handshake.finish();
        let mut said = None;
        for frame in frames {
            said = channel.open(&frame).map_err(|_| KnockLetterError::DoesNotOpen)?;
        }
        let said: Said = cbor::decode(&said.ok_or(KnockLetterError::Malformed)?, limits::RELAY_MESSAGE)
            .map_err(|_| KnockLetterError::Malformed)?;
        key::verify(&said.member, Domain::KnockReply, hash.as_bytes(), &said.signature)
            .map_err(|_| KnockLetterError::NotSigned)?;
        let is_sound = said.verdict.is_within_bounds();
        if is_sound { Ok(Reply { from: said.member, verdict: said.verdict }) } else { Err(KnockLetterError::Malformed) }
    }

    /// As one who has opened the letter would write it again.
    #[cfg(test)]
    pub(super) fn around(self, seed: KnockSeed) -> Self {
        Self { seed, ..self }
    }

    /// The same handshake, always anew: each reply ends it for itself.
    fn begin(&self, entrance: &Entrance<'_>) -> (Handshake, Vec<u8>) {
        let prologue = entrance.prologue(protocol::VERSION);
        let mut handshake = Handshake::initiate(entrance.key.expose(), &prologue, Seed::new(*self.seed.expose()));
        let first = handshake.write_with(&self.payload);
        (handshake, first)
    }
}
