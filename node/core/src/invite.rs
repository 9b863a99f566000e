//! Invites: what one person sends to another over any messenger, one word, good for joining.

use std::fmt;
use std::str::FromStr;

use argon2::{Algorithm, Argon2, Params, Version};
use pairwave_wire::{TransportId, cbor, hello::InviteLabel, limits};
use serde::{Deserialize, Serialize};

use crate::armor::{self, ArmorError};
use crate::id::{MemberId, RoomId};
use crate::key::{InviteSecret, KnockKey};
use crate::time::Timestamp;

const PREFIX: &str = "pairwave";
const VERSION: u8 = 1;
/// Longest relay in bytes: an address, `#` and a token.
const RELAY: usize = limits::ADDRESS + 1 + limits::TOKEN;
/// Longest content in bytes: all addresses and relays at their longest, and the keys.
const CONTENT: usize = limits::ADDRESSES * (limits::ADDRESS + 3) + limits::RELAYS * (RELAY + 3) + 512;

/// Everything that a newcomer needs to find the room and to prove that it was invited.
///
/// As text it is one word: `pairwave1` and the [armor] of its deterministic CBOR, an array of the
/// fields in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    /// The room that the newcomer must arrive in.
    pub room: RoomId,
    /// Names the invite to those who may admit, and nothing to anybody else.
    pub label: InviteLabel,
    /// What the knock is keyed with, see [`derive_knock_key`].
    pub secret: InviteSecret,
    /// Who made the invite.
    pub inviter: MemberId,
    /// The inviter's companion.
    pub transport: TransportId,
    /// Where it may be reached (multiaddrs); at most [`limits::ADDRESSES`] are read.
    pub addresses: Vec<String>,
    /// Judged by the admitting companion's clock alone.
    pub expires_at: Timestamp,
    /// How many may join with it, at least 1.
    pub uses: u32,
    /// The relays of the room, tokens included; at most [`limits::RELAYS`] are read.
    pub relays: Vec<String>,
}

/// Why a text is not an invite.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseInviteError {
    /// Nothing in the text looks like an invite.
    #[error("there is no invite in this text")]
    NotAnInvite,
    /// The invite is of a format that a newer program writes.
    #[error("the invite has format {theirs}, this program reads format {ours}")]
    Newer {
        /// The format that this program reads.
        ours: u8,
        /// The format of the invite.
        theirs: u8,
    },
    /// The end is missing.
    #[error("the invite is cut short: {got} of its {expected} characters are there")]
    CutShort {
        /// Characters that are there.
        got: usize,
        /// Characters that it has.
        expected: usize,
    },
    /// A character was changed, lost or added.
    #[error("the invite is damaged: its checksum does not fit")]
    Damaged,
    /// Far longer than an invite can be.
    #[error("the text is too long for an invite: {got} bytes where at most {max} are allowed")]
    TooLong {
        /// Length found, in bytes.
        got: usize,
        /// Length allowed, in bytes.
        max: usize,
    },
    /// The checksum fits, but what it protects is no invite.
    #[error("the content of the invite is wrong: {0}")]
    Content(String),
}

impl fmt::Display for Invite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let content = cbor::encode(&Content::from(self)).map_err(|_| fmt::Error)?;
        f.write_str(&armor::encode(PREFIX, VERSION, &content).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for Invite {
    type Err = ParseInviteError;

    /// Takes the word alone, quoted, broken into lines, or inside the command line it came in.
    fn from_str(text: &str) -> Result<Self, ParseInviteError> {
        let content = armor::decode(PREFIX, VERSION, text, CONTENT)?;
        let content: Content = cbor::decode(&content, CONTENT).map_err(|error| wrong(&error))?;
        content.try_into()
    }
}

/// What a knock is keyed with: Argon2id version 1.3 (RFC 9106) of the invite's secret with its
/// label as salt, 64 MiB, three passes, one lane, 32 bytes.
///
/// Takes a good part of a second on purpose: never call it where somebody waits for an answer.
pub fn derive_knock_key(secret: &InviteSecret, label: &InviteLabel) -> KnockKey {
    const MEMORY_KIB: u32 = 64 * 1024;
    let params = Params::new(MEMORY_KIB, 3, 1, Some(32)).expect("constants within Argon2's bounds");
    let mut key = zeroize::Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(secret.expose(), &label.0, key.as_mut())
        .expect("lengths within Argon2's bounds");
    KnockKey::new(*key)
}

/// The fields in the order in which they are written.
#[derive(Serialize, Deserialize)]
struct Content(RoomId, InviteLabel, InviteSecret, MemberId, TransportId, Vec<String>, Timestamp, u32, Vec<String>);

impl From<&Invite> for Content {
    fn from(invite: &Invite) -> Self {
        let fits = |address: &&String| address.len() <= limits::ADDRESS;
        let short = |relay: &&String| relay.len() <= RELAY;
        Self(
            invite.room,
            invite.label,
            invite.secret.clone(),
            invite.inviter,
            invite.transport.clone(),
            invite.addresses.iter().filter(fits).take(limits::ADDRESSES).cloned().collect(),
            invite.expires_at,
            invite.uses,
            invite.relays.iter().filter(short).take(limits::RELAYS).cloned().collect(),
        )
    }
}

impl TryFrom<Content> for Invite {
    type Error = ParseInviteError;

    fn try_from(content: Content) -> Result<Self, ParseInviteError> {
        let Content(room, label, secret, inviter, transport, addresses, expires_at, uses, relays) = content;
        if addresses.len() > limits::ADDRESSES || addresses.iter().any(|address| address.len() > limits::ADDRESS) {
            return Err(wrong(&"too many or too long addresses"));
        }
        if relays.len() > limits::RELAYS || relays.iter().any(|relay| relay.len() > RELAY) {
            return Err(wrong(&"too many or too long relays"));
        }
        if uses == 0 {
            return Err(wrong(&"it is good for nobody"));
        }
        Ok(Self { room, label, secret, inviter, transport, addresses, expires_at, uses, relays })
    }
}

impl From<ArmorError> for ParseInviteError {
    fn from(error: ArmorError) -> Self {
        match error {
            ArmorError::Absent { .. } => Self::NotAnInvite,
            ArmorError::Newer { ours, theirs } => Self::Newer { ours, theirs },
            ArmorError::CutShort { got, expected } => Self::CutShort { got, expected },
            ArmorError::Damaged => Self::Damaged,
            ArmorError::TooLong { got, max } => Self::TooLong { got, max },
        }
    }
}

fn wrong(why: &impl ToString) -> ParseInviteError {
    ParseInviteError::Content(why.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invite() -> Invite {
        Invite {
            room: RoomId([1; 32]),
            label: InviteLabel([2; 16]),
            secret: InviteSecret::new([3; 16]),
            inviter: MemberId([4; 32]),
            transport: TransportId::new([5; 38]).unwrap(),
            addresses: vec!["/ip4/192.168.1.7/udp/4011/quic-v1".into(), "/ip4/192.168.1.7/tcp/4011".into()],
            expires_at: Timestamp(1_800_000_000_000),
            uses: 1,
            relays: vec!["/ip4/203.0.113.7/udp/4011/quic-v1/p2p/12D3#prt-abc".into()],
        }
    }

    #[test]
    fn an_invite_is_one_word_of_harmless_letters() {
        let text = invite().to_string();
        assert!(text.starts_with("pairwave1"));
        assert!(text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()), "{text}");
        assert_eq!(text.parse(), Ok(invite()));
    }

    #[test]
    fn the_whole_command_line_may_be_pasted() {
        let word = invite().to_string();
        let (left, right) = word.split_at(70);
        for text in [format!("pairwave join {word}"), format!("$ pairwave join '{left}\n{right}' --name bob")] {
            assert_eq!(text.parse(), Ok(invite()));
        }
    }

    #[test]
    fn each_fault_has_its_own_error() {
        let word = invite().to_string();
        let parse = |text: &str| text.parse::<Invite>().unwrap_err();
        assert_eq!(parse("pairwave join"), ParseInviteError::NotAnInvite);
        assert_eq!(parse(&word.replace("pairwave1", "pairwave3")), ParseInviteError::Newer { ours: 1, theirs: 3 });
        assert!(matches!(parse(&word[..word.len() - 3]), ParseInviteError::CutShort { .. }));
        let swapped = if &word[100..101] == "a" { "b" } else { "a" };
        assert_eq!(parse(&format!("{}{swapped}{}", &word[..100], &word[101..])), ParseInviteError::Damaged);
        assert!(matches!(parse(&"x".repeat(armor::TEXT + 1)), ParseInviteError::TooLong { .. }));
    }

    #[test]
    fn a_content_that_no_invite_has_is_refused() {
        let parse = |content: Vec<u8>| armor::encode(PREFIX, VERSION, &content).unwrap().parse::<Invite>();
        let encoded = |change: fn(&mut Content)| {
            let mut content = Content::from(&invite());
            change(&mut content);
            cbor::encode(&content).unwrap()
        };
        assert_eq!(parse(encoded(|_| ())), Ok(invite()));
        let wrong = [
            encoded(|content| content.7 = 0),
            encoded(|content| content.5 = vec!["a".into(); limits::ADDRESSES + 1]),
            encoded(|content| content.5 = vec!["a".repeat(limits::ADDRESS + 1)]),
            encoded(|content| content.8 = vec!["a".into(); limits::RELAYS + 1]),
            encoded(|content| content.8 = vec!["a".repeat(RELAY + 1)]),
            b"\x00".to_vec(),
            [encoded(|_| ()), vec![0]].concat(),
        ];
        for content in wrong {
            assert!(matches!(parse(content), Err(ParseInviteError::Content(_))));
        }
    }

    #[test]
    fn too_many_addresses_are_left_out_rather_than_spoil_the_invite() {
        let mut long = invite();
        long.addresses = vec!["a".repeat(limits::ADDRESS); limits::ADDRESSES + 4];
        long.relays = vec!["a".repeat(RELAY); limits::RELAYS + 1];
        let read: Invite = long.to_string().parse().unwrap();
        assert_eq!((read.addresses.len(), read.relays.len()), (limits::ADDRESSES, limits::RELAYS));
    }

    #[test]
    fn the_knock_key_depends_on_secret_and_label() {
        let key = |secret, label| derive_knock_key(&InviteSecret::new([secret; 16]), &InviteLabel([label; 16]));
        assert_ne!(key(1, 2), key(1, 3));
        assert_ne!(key(1, 2), key(2, 2));
        assert_eq!(key(1, 2), key(1, 2));
    }
}
