//! The relays of a room: where its members can be reached that cannot be reached directly.
//!
//! A relay is named by a multiaddr that ends with `/p2p/` and its peer id, and may be followed by
//! `#` and the token that the relay gave for its members:
//! `/ip4/203.0.113.7/udp/4011/quic-v1/p2p/12D3KooW…#prt-abc`. A room may name several addresses of
//! one relay.

use std::collections::BTreeSet;

use pairwave_wire::{TransportId, limits};
use serde::{Deserialize, Serialize};

use crate::command::Refusal;
use crate::input::ConnectedRelay;
use crate::mark::Mark;

/// What a multiaddr of a relay ends with, before its peer id.
const PEER: &str = "/p2p/";
/// Bytes of a peer id in base58: of an Ed25519 key 52, of the hash of another one 46.
const PEER_ID: std::ops::RangeInclusive<usize> = 40..=64;

/// The author wants the room to use this relay. An address that is there already gets this token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelayAdded {
    pub relay: String,
}

/// The author wants the room to use this address of a relay no more. A token makes no difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelayRemoved {
    pub relay: String,
}

/// The relays of a room, as they came, at most [`limits::RELAYS`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relays {
    named: Vec<String>,
}

/// A relay in its text form, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelayName<'a> {
    /// The multiaddr. Nothing in it is secret.
    pub address: &'a str,
    /// The relay's peer id in base58.
    pub peer: &'a str,
    /// What opens the relay's larger limits. To be kept among members.
    pub token: Option<&'a str>,
}

/// Why a text names no relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RelayError {
    #[error("the address of a relay begins with `/`, as in `/ip4/203.0.113.7/udp/4011/quic-v1/p2p/12D3KooW…`")]
    NoAddress,
    #[error("the address of a relay ends with `/p2p/` and its peer id, as `pairwave relay-node` prints it")]
    NoPeer,
    #[error("the address has characters that no address of a relay has")]
    Characters,
    #[error("the address has {got} bytes, at most {max} are allowed", max = limits::ADDRESS)]
    TooLong { got: usize },
    #[error("what follows `#` is no token: at most {max} small letters, digits and dashes", max = limits::TOKEN)]
    Token,
}

impl<'a> RelayName<'a> {
    /// Reads the text form.
    pub fn parse(text: &'a str) -> Result<Self, RelayError> {
        let (address, token) = match text.split_once('#') {
            Some((address, token)) => (address, Some(token)),
            None => (text, None),
        };
        if !address.starts_with('/') {
            return Err(RelayError::NoAddress);
        }
        if address.len() > limits::ADDRESS {
            return Err(RelayError::TooLong { got: address.len() });
        }
        if !address.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(RelayError::Characters);
        }
        let (before, peer) = address.rsplit_once(PEER).ok_or(RelayError::NoPeer)?;
        if before.is_empty() || before.contains(PEER) || !is_peer_id(peer) {
            return Err(RelayError::NoPeer);
        }
        if token.is_some_and(|token| !is_token(token)) {
            return Err(RelayError::Token);
        }
        Ok(Self { address, peer, token })
    }
}

/// A relay as it may be shown: without its token.
pub fn without_token(relay: &str) -> &str {
    relay.split_once('#').map_or(relay, |(address, _)| address)
}

/// Where somebody is reached through a relay, if it keeps a reservation there.
pub fn circuit(relay: &str) -> String {
    format!("{}/p2p-circuit", without_token(relay))
}

/// Those of the relays that can be asked which a room, or an invite, names by whichever address; in
/// the same order.
pub(crate) fn connected<'a>(named: impl Iterator<Item = &'a str>, connected: &[ConnectedRelay]) -> Vec<TransportId> {
    if connected.is_empty() {
        return Vec::new();
    }
    let peer_in = |relay: &'a str| RelayName::parse(relay).ok().map(|name| name.peer);
    let wanted: BTreeSet<&str> = named.filter_map(peer_in).collect();
    let is_wanted = |relay: &&ConnectedRelay| {
        let mut peers = relay.named.iter().filter_map(|name| RelayName::parse(name).ok());
        peers.any(|name| wanted.contains(name.peer))
    };
    connected.iter().filter(is_wanted).map(|relay| relay.transport.clone()).collect()
}

impl Relays {
    /// The relays in their text form, tokens included.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.named.iter().map(String::as_str)
    }

    /// Would adding this one have an effect?
    pub fn check_add(&self, added: &RelayAdded) -> Result<(), Refusal> {
        RelayName::parse(&added.relay).map_err(Refusal::NotARelay)?;
        let (got, max) = (self.named.len() + 1, limits::RELAYS);
        match self.position(&added.relay) {
            Some(at) if self.named[at] == added.relay => Err(Refusal::RelayThere),
            None if got > max => Err(Refusal::TooMany { field: "relays", got, max }),
            _ => Ok(()),
        }
    }

    /// Would removing this one have an effect?
    pub fn check_remove(&self, removed: &RelayRemoved) -> Result<(), Refusal> {
        self.position(&removed.relay).map(|_| ()).ok_or(Refusal::NoSuchRelay)
    }

    pub(crate) fn add(&mut self, added: &RelayAdded) -> Result<(), Mark> {
        self.check_add(added)?;
        match self.position(&added.relay) {
            Some(at) => self.named[at].clone_from(&added.relay),
            None => self.named.push(added.relay.clone()),
        }
        Ok(())
    }

    pub(crate) fn remove(&mut self, removed: &RelayRemoved) -> Result<(), Mark> {
        let at = self.position(&removed.relay).ok_or(Mark::NoSuchRelay)?;
        self.named.remove(at);
        Ok(())
    }

    fn position(&self, relay: &str) -> Option<usize> {
        self.named.iter().position(|named| without_token(named) == without_token(relay))
    }
}

/// All of these, each address once, by whoever names it first. What names no relay is left out.
pub(crate) fn union<'a>(relays: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut all: Vec<&str> = Vec::new();
    for relay in relays.filter(|relay| RelayName::parse(relay).is_ok()) {
        if all.iter().all(|known| without_token(known) != without_token(relay)) {
            all.push(relay);
        }
    }
    all
}

fn is_peer_id(text: &str) -> bool {
    let base58 = |byte: u8| byte.is_ascii_alphanumeric() && !matches!(byte, b'0' | b'O' | b'I' | b'l');
    PEER_ID.contains(&text.len()) && text.bytes().all(base58)
}

fn is_token(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=limits::TOKEN).contains(&text.len()) && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER_ID: &str = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";

    fn relay(host: u8) -> String {
        format!("/ip4/203.0.113.{host}/udp/4011/quic-v1/p2p/{PEER_ID}")
    }

    fn added(relay: impl Into<String>) -> RelayAdded {
        RelayAdded { relay: relay.into() }
    }

    fn removed(relay: impl Into<String>) -> RelayRemoved {
        RelayRemoved { relay: relay.into() }
    }

    #[test]
    fn a_relay_is_an_address_a_peer_and_maybe_a_token() {
        let text = format!("{}#prt-abc", relay(7));
        let name = RelayName { address: &relay(7), peer: PEER_ID, token: Some("prt-abc") };
        assert_eq!(RelayName::parse(&text), Ok(name));
        assert_eq!(without_token(&text), relay(7));
        for text in ["/dns4/relay.example.org/tcp/443/tls/ws", "/ip6/2001:db8::7/tcp/4011/ws"] {
            assert!(RelayName::parse(&format!("{text}/p2p/{PEER_ID}")).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_names_no_relay_is_refused_and_says_why() {
        let refused = [
            (format!("ip4/203.0.113.7/tcp/1/p2p/{PEER_ID}"), RelayError::NoAddress),
            ("/ip4/203.0.113.7/tcp/1".into(), RelayError::NoPeer),
            (format!("/p2p/{PEER_ID}"), RelayError::NoPeer),
            ("/ip4/203.0.113.7/tcp/1/p2p/12D3".into(), RelayError::NoPeer),
            (format!("{}/p2p/{PEER_ID}", relay(7)), RelayError::NoPeer),
            (format!("{}/p2p-circuit", relay(7)), RelayError::NoPeer),
            (format!("/ip4/203.0.113.7 /tcp/1/p2p/{PEER_ID}"), RelayError::Characters),
            (format!("/dns4/größe.example/tcp/1/p2p/{PEER_ID}"), RelayError::Characters),
            (format!("/dns4/{}/tcp/1/p2p/{PEER_ID}", "a".repeat(250)), RelayError::TooLong { got: 319 }),
            (format!("{}#", relay(7)), RelayError::Token),
            (format!("{}#Secret", relay(7)), RelayError::Token),
            (format!("{}#{}", relay(7), "a".repeat(limits::TOKEN + 1)), RelayError::Token),
        ];
        for (text, why) in refused {
            assert_eq!(RelayName::parse(&text), Err(why), "{text}");
            assert_eq!(Relays::default().check_add(&added(text)), Err(Refusal::NotARelay(why)));
        }
    }

    #[test]
    fn relays_stay_in_the_order_in_which_they_came() {
        let mut relays = Relays::default();
        for host in [3, 1, 2] {
            assert_eq!(relays.add(&added(relay(host))), Ok(()));
        }
        assert_eq!(relays.add(&added(relay(1))), Err(Mark::RelayThere));
        assert_eq!(relays.remove(&removed(relay(3))), Ok(()));
        assert_eq!(relays.remove(&removed(relay(3))), Err(Mark::NoSuchRelay));
        assert_eq!(relays.iter().collect::<Vec<_>>(), [relay(1), relay(2)]);
    }

    #[test]
    fn a_new_token_replaces_the_old_one_and_is_not_needed_to_remove() {
        let mut relays = Relays::default();
        for token in ["one", "two"] {
            assert_eq!(relays.add(&added(format!("{}#{token}", relay(1)))), Ok(()));
        }
        assert_eq!(relays.iter().collect::<Vec<_>>(), [format!("{}#two", relay(1))]);
        assert_eq!(relays.remove(&removed(relay(1))), Ok(()));
        assert_eq!(relays, Relays::default());
    }

    #[test]
    fn a_room_has_a_few_relays_at_most() {
        let mut relays = Relays::default();
        for host in 0..limits::RELAYS {
            assert_eq!(relays.add(&added(relay(host as u8))), Ok(()));
        }
        assert_eq!(relays.add(&added(relay(200))), Err(Mark::TooMany));
        assert_eq!(relays.iter().count(), limits::RELAYS);
    }

    #[test]
    fn a_union_names_each_address_once() {
        let (one, two) = (format!("{}#one", relay(1)), format!("{}#two", relay(1)));
        let other = relay(2);
        assert_eq!(union([&one[..], &two[..], "nothing", &other[..]].into_iter()), [&one[..], &other[..]]);
    }
}
