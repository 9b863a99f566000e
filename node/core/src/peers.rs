//! Under which transport ids and addresses the members of one room were met, or are said to be.

use std::collections::{BTreeMap, BTreeSet};

use pairwave_wire::{TransportId, cbor, limits};
use serde::{Deserialize, Serialize};

use crate::id::MemberId;
use crate::message::PeerHint;

/// Most transport ids of one member: a companion has one, and renews it now and then.
const TRANSPORTS: usize = 4;

/// How the members of one room may be reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peers {
    members: BTreeMap<MemberId, Vec<Reach>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Reach {
    transport: TransportId,
    addresses: BTreeSet<String>,
}

impl Peers {
    /// Reads what [`Self::encode`] wrote; starts anew from anything else.
    pub fn decode(bytes: &[u8]) -> Self {
        cbor::decode(bytes, usize::MAX).unwrap_or_default()
    }

    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(self).expect("texts and bytes always encode")
    }

    /// A member was met at, or told its own, transport id; that is the newest one. Says whether
    /// anything is new.
    pub fn met(&mut self, member: MemberId, transport: &TransportId, addresses: &[String]) -> bool {
        let before = self.members.get(&member).cloned();
        let reaches = self.members.entry(member).or_default();
        let at = reaches.iter().position(|reach| reach.transport == *transport);
        let mut reach = match at {
            Some(at) => reaches.remove(at),
            None => Reach { transport: transport.clone(), addresses: BTreeSet::new() },
        };
        reach.add(addresses);
        reaches.insert(0, reach);
        reaches.truncate(TRANSPORTS);
        self.members.get(&member) != before.as_ref()
    }

    /// Another member told of this one. It never displaces what was met.
    pub fn heard(&mut self, hint: &PeerHint) -> bool {
        let reaches = self.members.entry(hint.member).or_default();
        let at = reaches.iter().position(|reach| reach.transport == hint.transport);
        match at {
            Some(at) => reaches[at].add(&hint.addresses),
            None if reaches.len() >= TRANSPORTS => false,
            None => {
                let mut reach = Reach { transport: hint.transport.clone(), addresses: BTreeSet::new() };
                reach.add(&hint.addresses);
                reaches.push(reach);
                true
            }
        }
    }

    pub fn member_at(&self, transport: &TransportId) -> Option<MemberId> {
        let at = |reaches: &Vec<Reach>| reaches.iter().any(|reach| reach.transport == *transport);
        self.members.iter().find(|(_, reaches)| at(reaches)).map(|(member, _)| *member)
    }

    /// Transport ids of a member with the addresses to try, newest first.
    pub fn of(&self, member: &MemberId) -> impl Iterator<Item = (&TransportId, &BTreeSet<String>)> {
        self.members.get(member).into_iter().flatten().map(|reach| (&reach.transport, &reach.addresses))
    }

    /// What others may be told of these members.
    pub fn hints<'a>(
        &'a self,
        members: impl Iterator<Item = &'a MemberId> + 'a,
    ) -> impl Iterator<Item = PeerHint> + 'a {
        members.filter_map(|member| {
            let reach = self.members.get(member)?.first()?;
            let addresses = reach.addresses.iter().cloned().collect();
            Some(PeerHint { member: *member, transport: reach.transport.clone(), addresses })
        })
    }
}

impl Reach {
    /// Newer addresses push out older ones where there are too many: whole lists are told, so what
    /// is still true comes back.
    fn add(&mut self, addresses: &[String]) -> bool {
        let before = self.addresses.clone();
        let room = limits::ADDRESSES.saturating_sub(addresses.len());
        if self.addresses.len() > room && !addresses.iter().all(|address| self.addresses.contains(address)) {
            self.addresses.clear();
        }
        self.addresses.extend(addresses.iter().take(limits::ADDRESSES).cloned());
        self.addresses != before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOB: MemberId = MemberId([2; 32]);

    fn transport(number: u8) -> TransportId {
        TransportId::new([number; 38]).unwrap()
    }

    fn hint(number: u8) -> PeerHint {
        PeerHint { member: BOB, transport: transport(number), addresses: vec!["/ip4/10.0.0.2/tcp/1".into()] }
    }

    #[test]
    fn who_was_met_comes_before_who_was_heard_of() {
        let mut peers = Peers::default();
        assert!(peers.heard(&hint(1)));
        assert!(peers.met(BOB, &transport(2), &[]));
        assert_eq!(peers.of(&BOB).next().unwrap().0, &transport(2));
        assert_eq!(peers.member_at(&transport(1)), Some(BOB));
        assert_eq!(Peers::decode(&peers.encode()), peers);
    }

    #[test]
    fn hearsay_does_not_displace_a_meeting() {
        let mut peers = Peers::default();
        peers.met(BOB, &transport(0), &[]);
        for number in 1..20 {
            peers.heard(&hint(number));
        }
        assert_eq!(peers.of(&BOB).count(), TRANSPORTS);
        assert_eq!(peers.of(&BOB).next().unwrap().0, &transport(0));
    }

    #[test]
    fn addresses_are_bounded() {
        let mut peers = Peers::default();
        for number in 0..100 {
            peers.met(BOB, &transport(0), &[format!("/ip4/10.0.0.{number}/tcp/1")]);
        }
        let (_, addresses) = peers.of(&BOB).next().unwrap();
        assert!(addresses.len() <= limits::ADDRESSES);
        assert!(addresses.contains("/ip4/10.0.0.99/tcp/1"));
    }
}
