//! A relay as people write it down: `MULTIADDR/p2p/PEERID`, and after a `#` the token that it gave.

use std::collections::BTreeMap;
use std::fmt;

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};
use pairwave_core::relays::{RelayError, RelayName};
use pairwave_wire::limits;

use crate::net::address;

/// Most addresses of one relay that are used.
const PER_RELAY: usize = 4;

/// One relay, wherever it is reached.
#[derive(Clone, PartialEq, Eq)]
pub struct RelayAddress {
    pub peer: PeerId,
    /// Without the peer; QUIC first, otherwise in the order they were named.
    pub addresses: Vec<Multiaddr>,
    pub token: Option<String>,
}

/// Why a text names no relay that can be called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoRelay {
    #[error(transparent)]
    Name(#[from] RelayError),
    #[error("it is no multiaddress")]
    Syntax,
    #[error("its address leads nowhere: it needs an IP or a name, and udp/…/quic-v1, tcp/…, tcp/…/ws or tcp/…/tls/ws")]
    NotDialable,
}

/// Reads one text. What names a relay is the same here as in a room; here it must also lead somewhere.
pub fn parse(text: &str) -> Result<RelayAddress, NoRelay> {
    let RelayName { address, token, .. } = RelayName::parse(text)?;
    let mut at: Multiaddr = address.parse().map_err(|_| NoRelay::Syntax)?;
    let Some(Protocol::P2p(peer)) = at.pop() else { return Err(RelayError::NoPeer.into()) };
    if !address::is_direct(&at) {
        return Err(NoRelay::NotDialable);
    }
    Ok(RelayAddress { peer, addresses: vec![at], token: token.map(str::to_owned) })
}

/// Reads several: all addresses of one peer are one relay. What cannot be read is left out, with
/// a word in the log.
pub fn parse_all(texts: &[String]) -> Vec<RelayAddress> {
    let mut relays: Vec<RelayAddress> = Vec::new();
    let mut places: BTreeMap<PeerId, usize> = BTreeMap::new();
    for text in texts {
        match parse(text) {
            Err(why) => tracing::warn!(%why, "a relay's address cannot be used"),
            Ok(one) => match places.get(&one.peer) {
                Some(place) => relays[*place].join(one),
                None if relays.len() < limits::RELAYS => {
                    places.insert(one.peer, relays.len());
                    relays.push(one);
                }
                None => tracing::warn!(relay = %one.peer, "there are more relays than are used at a time"),
            },
        }
    }
    relays.iter_mut().for_each(|relay| relay.addresses.sort_by_key(|address| !address::is_quic(address)));
    relays
}

impl RelayAddress {
    fn join(&mut self, other: Self) {
        let new = other.addresses.into_iter().filter(|address| !self.addresses.contains(address));
        let new: Vec<Multiaddr> = new.take(PER_RELAY.saturating_sub(self.addresses.len())).collect();
        self.addresses.extend(new);
        self.token = self.token.take().or(other.token);
    }

    /// As others may be told: without the token.
    pub fn text(&self) -> String {
        let address = self.addresses.first().cloned().unwrap_or_else(Multiaddr::empty);
        address.with(Protocol::P2p(self.peer)).to_string()
    }
}

/// Never shows the token.
impl fmt::Debug for RelayAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.token.as_ref().map_or("", |_| "#…");
        write!(f, "{}{token}", self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: &str = "12D3KooWGRUZEZxDpXh1dQCKCXjW7V7aFgFZhGDPmPfK8WBm4aVq";

    fn peer() -> String {
        PeerId::random().to_string()
    }

    #[test]
    fn an_address_a_peer_and_perhaps_a_token() {
        let bob = peer();
        let relay = parse(&format!("/ip4/203.0.113.7/udp/4011/quic-v1/p2p/{bob}#prt-abc1")).unwrap();
        assert_eq!(relay.peer.to_string(), bob);
        assert_eq!(relay.addresses[0].to_string(), "/ip4/203.0.113.7/udp/4011/quic-v1");
        assert_eq!(relay.token.as_deref(), Some("prt-abc1"));
        assert!(!format!("{relay:?}").contains("prt-abc1"));
        for way in ["/dns4/r.example/tcp/443/tls/ws", "/dns/r.example/tcp/443/wss", "/ip6/2001:db8::1/tcp/4011"] {
            assert_eq!(parse(&format!("{way}/p2p/{bob}")).unwrap().token, None, "{way}");
        }
    }

    #[test]
    fn what_names_no_relay_is_refused_with_the_reason() {
        let at = |rest: &str| parse(&format!("/ip4/203.0.113.7/udp/4011/quic-v1{rest}")).unwrap_err();
        let bob = peer();
        let named = |why: RelayError| NoRelay::Name(why);
        assert_eq!(at(""), named(RelayError::NoPeer));
        assert_eq!(at("/p2p/nobody"), named(RelayError::NoPeer));
        assert_eq!(at(&format!("/p2p/{}", "0".repeat(52))), named(RelayError::NoPeer));
        assert_eq!(at(&format!("/p2p/1{}", "2".repeat(51))), NoRelay::Syntax);
        assert_eq!(at(&format!("/p2p/{bob}#")), named(RelayError::Token));
        assert_eq!(at(&format!("/p2p/{bob}#Prt Abc")), named(RelayError::Token));
        assert_eq!(at(&format!("/p2p/{bob}#{}", "a".repeat(limits::TOKEN + 1))), named(RelayError::Token));
        assert_eq!(at(&format!("/p2p-circuit/p2p/{bob}")), NoRelay::NotDialable);
        assert_eq!(at(&format!("/p2p/{bob}/p2p-circuit/p2p/{bob}")), named(RelayError::NoPeer));
        assert!(matches!(at(&"/p2p-circuit".repeat(99)), NoRelay::Name(RelayError::TooLong { .. })));
        assert_eq!(parse(PEER), Err(named(RelayError::NoAddress)));
        assert_eq!(parse(""), Err(named(RelayError::NoAddress)));
    }

    #[test]
    fn all_addresses_of_one_peer_are_one_relay() {
        let (one, other) = (peer(), peer());
        let texts = [
            format!("/ip4/203.0.113.7/tcp/4011/p2p/{one}"),
            format!("/ip4/203.0.113.8/tcp/4011/p2p/{other}"),
            "nonsense".to_owned(),
            format!("/ip4/203.0.113.7/udp/4011/quic-v1/p2p/{one}#prt-1"),
            format!("/ip4/203.0.113.7/tcp/4011/p2p/{one}"),
        ];
        let relays = parse_all(&texts);
        assert_eq!(relays.len(), 2);
        assert!(address::is_quic(&relays[0].addresses[0]) && relays[0].addresses.len() == 2);
        assert_eq!(relays[0].token.as_deref(), Some("prt-1"));
    }

    #[test]
    fn more_relays_than_a_room_may_have_are_not_used() {
        let texts: Vec<String> = (0..20).map(|_| format!("/ip4/203.0.113.7/tcp/1/p2p/{}", peer())).collect();
        assert_eq!(parse_all(&texts).len(), limits::RELAYS);
    }
}
