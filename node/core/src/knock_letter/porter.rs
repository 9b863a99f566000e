use pairwave_wire::hello::BlindedTag;
use pairwave_wire::{cbor, limits, protocol};
use rand_core::CryptoRng;
use serde_bytes::ByteBuf;

use super::{Entrance, KNOCK, KnockLetterError, Newcomer, REPLY, Said, Verdict};
use crate::key::{self, Domain, Identity};
use crate::noise::{Handshake, Seed};
use crate::padded;

/// A knock letter that somebody wrote who holds the invite and the identity key that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Knocked {
    pub newcomer: Newcomer,
    /// The newcomer's version of the protocol.
    pub version: u16,
    first: Vec<u8>,
    ephemeral: [u8; 32],
}

impl Knocked {
    /// Opens what was found under this tag of an invite.
    pub fn open(entrance: &Entrance<'_>, at: &BlindedTag, letter: &[u8]) -> Result<Self, KnockLetterError> {
        let content = padded::open(KNOCK, entrance.key.expose(), at, letter).ok_or(KnockLetterError::DoesNotOpen)?;
        let parts: Result<(u16, ByteBuf), _> = cbor::decode(&content, limits::RELAY_MESSAGE);
        let (version, first) = parts.map_err(|_| KnockLetterError::Malformed)?;
        let ephemeral = super::ephemeral_of(&first)?;
        let mut handshake = Handshake::respond(entrance.key.expose(), &entrance.prologue(version), Seed::new([0; 32]));
        let payload = handshake.read_with(&first).map_err(|_| KnockLetterError::DoesNotOpen)?;
        let parts: Result<(ByteBuf, ByteBuf), _> = cbor::decode(&payload, limits::FIRST_FRAME);
        let (content, signature) = parts.map_err(|_| KnockLetterError::Malformed)?;
        let newcomer: Newcomer =
            cbor::decode(&content, limits::FIRST_FRAME).map_err(|_| KnockLetterError::Malformed)?;
        let signature = signature.as_ref().try_into().map_err(|_| KnockLetterError::Malformed)?;
        let proof = entrance.proof(version, &ephemeral, &content);
        key::verify(&newcomer.member, Domain::KnockLetter, &proof, signature)
            .map_err(|_| KnockLetterError::NotSigned)?;
        let is_sound = newcomer.is_within_bounds();
        let first = first.into_vec();
        if is_sound { Ok(Self { newcomer, version, first, ephemeral }) } else { Err(KnockLetterError::Malformed) }
    }

    /// Does the newcomer speak our version?
    pub fn is_ours(&self) -> bool {
        self.version == protocol::VERSION
    }

    /// The reply of `identity` for this day, and the tag to leave it at; `None` if it does not fit in
    /// a letter.
    pub fn reply(
        &self,
        identity: &Identity,
        entrance: &Entrance<'_>,
        day: u64,
        verdict: &Verdict,
        rng: &mut impl CryptoRng,
    ) -> Option<(BlindedTag, Vec<u8>)> {
        let prologue = entrance.prologue(self.version);
        let mut handshake = Handshake::respond(entrance.key.expose(), &prologue, Seed::draw(rng));
        handshake.read_with(&self.first).ok()?;
        let second = handshake.write();
        let (mut channel, hash) = handshake.finish();
        let signature = identity.sign(Domain::KnockReply, hash.as_bytes());
        let said = Said { member: identity.member(), signature, verdict: verdict.clone() };
        let said = cbor::encode(&said).expect("bytes and integers always encode");
        let frames: Vec<ByteBuf> = channel.seal(&said).ok()?.into_iter().map(ByteBuf::from).collect();
        let content = cbor::encode(&(ByteBuf::from(second), frames)).expect("bytes always encode");
        let at = super::reply_tag(entrance.key, &self.ephemeral, day);
        Some((at, padded::seal_letter(REPLY, entrance.key.expose(), &at, &content, rng)?))
    }
}
