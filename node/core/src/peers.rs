//! Under which transport ids and addresses the members of one room were met, or are said to be.

use std::collections::BTreeMap;

use pairwave_wire::{TransportId, cbor, limits};
use serde::{Deserialize, Serialize};

use crate::addresses::Addresses;
use crate::id::MemberId;
use crate::message::PeerHint;

/// Most transport ids that one member was met at: a companion has one, and renews it now and then.
const MET: usize = 4;
/// Most transport ids of one member that there is but hearsay of.
const HEARD: usize = 4;

/// How the members of one room may be reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peers {
    /// Where each was met, newest first; then hearsay, newest first.
    members: BTreeMap<MemberId, Vec<Reach>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Reach {
    transport: TransportId,
    /// The member proved to be there.
    #[serde(default)]
    met: bool,
    /// Where a connection to it was, or is by the member's own word.
    addresses: Addresses,
    /// Where others say that it is.
    #[serde(default)]
    hearsay: Addresses,
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
        let newest = self.members.get(&member).and_then(|reaches| reaches.first());
        let is_known = newest.is_some_and(|reach| reach.met && reach.transport == *transport);
        let mut reach = self.take(&member, transport);
        reach.met = true;
        let news = reach.addresses.add(addresses);
        self.put(member, 0, reach);
        news || !is_known
    }

    /// There is a connection to this companion, at this address. Whose it is nobody has proved yet.
    pub fn connected(&mut self, transport: &TransportId, address: &str) -> bool {
        let reaches = self.members.values_mut().flatten().filter(|reach| reach.transport == *transport);
        reaches.fold(false, |news, reach| news | reach.addresses.add(&[address.to_owned()]))
    }

    /// Another member told of this one, or a relay's lookup. It drives out older hearsay where there
    /// is too much of it, and never what was met. Says whether anything is new.
    pub fn heard(&mut self, hint: &PeerHint) -> bool {
        let PeerHint { member, transport, addresses } = hint;
        if self.met_at(transport).is_some_and(|met| met != *member) {
            return false;
        }
        let reaches = self.members.entry(*member).or_default();
        let known = reaches.iter().position(|reach| reach.transport == *transport);
        if let Some(met) = known.filter(|at| reaches[*at].met) {
            return reaches[met].hearsay.add(addresses);
        }
        let mut reach = self.take(member, transport);
        let news = reach.hearsay.add(addresses);
        let newest = self.members.get(member).map_or(0, |reaches| met_among(reaches));
        self.put(*member, newest, reach);
        news || known.is_none()
    }

    /// Whose companion this is: who was met there, or else who is said to be there.
    pub fn member_at(&self, transport: &TransportId) -> Option<MemberId> {
        let at = |reach: &Reach| reach.transport == *transport;
        let said = || self.members.iter().find(|(_, reaches)| reaches.iter().any(at)).map(|(member, _)| *member);
        self.met_at(transport).or_else(said)
    }

    /// Who was met there.
    pub fn met_at(&self, transport: &TransportId) -> Option<MemberId> {
        let at = |reach: &Reach| reach.met && reach.transport == *transport;
        self.members.iter().find(|(_, reaches)| reaches.iter().any(at)).map(|(member, _)| *member)
    }

    /// Transport ids of a member with the addresses to try, newest first.
    pub fn of(&self, member: &MemberId) -> impl Iterator<Item = (&TransportId, impl Iterator<Item = &String>)> {
        self.members.get(member).into_iter().flatten().map(|reach| (&reach.transport, reach.all()))
    }

    /// What others may be told of these members.
    pub fn hints<'a>(
        &'a self,
        members: impl Iterator<Item = &'a MemberId> + 'a,
    ) -> impl Iterator<Item = PeerHint> + 'a {
        members.filter_map(|member| {
            let reach = self.members.get(member)?.first()?;
            let addresses = reach.all().take(limits::ADDRESSES).cloned().collect();
            Some(PeerHint { member: *member, transport: reach.transport.clone(), addresses })
        })
    }

    fn take(&mut self, member: &MemberId, transport: &TransportId) -> Reach {
        let reaches = self.members.get_mut(member);
        let known = reaches.and_then(|reaches| {
            let at = reaches.iter().position(|reach| reach.transport == *transport)?;
            Some(reaches.remove(at))
        });
        known.unwrap_or_else(|| Reach::new(transport.clone()))
    }

    fn put(&mut self, member: MemberId, at: usize, reach: Reach) {
        let reaches = self.members.entry(member).or_default();
        reaches.insert(at, reach);
        if met_among(reaches) > MET {
            reaches.remove(MET);
        }
        reaches.truncate(met_among(reaches) + HEARD);
    }
}

fn met_among(reaches: &[Reach]) -> usize {
    reaches.iter().filter(|reach| reach.met).count()
}

impl Reach {
    fn new(transport: TransportId) -> Self {
        Self { transport, met: false, addresses: Addresses::default(), hearsay: Addresses::default() }
    }

    /// What was seen or told at first hand, then hearsay.
    fn all(&self) -> impl Iterator<Item = &String> {
        let seen = |address: &&String| self.addresses.iter().any(|seen| seen == *address);
        self.addresses.iter().chain(self.hearsay.iter().filter(move |address| !seen(address)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOB: MemberId = MemberId([2; 32]);
    const CAROL: MemberId = MemberId([3; 32]);

    fn transport(number: u8) -> TransportId {
        TransportId::new([number; 38]).unwrap()
    }

    fn address(number: u8) -> String {
        format!("/ip4/10.0.0.{number}/tcp/1")
    }

    fn hint(number: u8) -> PeerHint {
        PeerHint { member: BOB, transport: transport(number), addresses: vec![address(2)] }
    }

    fn transports(peers: &Peers) -> Vec<TransportId> {
        peers.of(&BOB).map(|(transport, _)| transport.clone()).collect()
    }

    #[test]
    fn who_was_met_comes_before_who_was_heard_of() {
        let mut peers = Peers::default();
        assert!(peers.heard(&hint(1)));
        assert!(peers.met(BOB, &transport(2), &[address(1), address(2)]));
        peers.connected(&transport(2), &address(3));
        assert!(!peers.met(BOB, &transport(2), &[address(1), address(2)]), "told again, it is no news");
        assert_eq!(transports(&peers), [transport(2), transport(1)]);
        assert_eq!(peers.member_at(&transport(1)), Some(BOB));
        assert_eq!(Peers::decode(&peers.encode()), peers);
    }

    #[test]
    fn newer_hearsay_drives_out_older_hearsay_and_no_meeting() {
        let mut peers = Peers::default();
        for number in 100..110 {
            assert!(peers.met(BOB, &transport(number), &[]));
        }
        for number in 0..20 {
            assert!(peers.heard(&hint(number)));
        }
        let met = [109, 108, 107, 106].map(transport);
        assert_eq!(transports(&peers), [met, [19, 18, 17, 16].map(transport)].concat());
        // What is told again is the newest.
        assert!(!peers.heard(&hint(16)));
        assert!(peers.heard(&hint(20)));
        assert_eq!(transports(&peers)[4..], [20, 16, 19, 18].map(transport));
    }

    #[test]
    fn who_is_first_heard_of_is_found_although_somebody_invented_others() {
        let mut peers = Peers::default();
        for number in 0..20 {
            peers.heard(&hint(number));
        }
        assert!(peers.heard(&hint(99)), "bob himself, by a lookup");
        assert_eq!(transports(&peers)[0], transport(99));
    }

    #[test]
    fn hearsay_drives_out_no_address_of_a_meeting() {
        let mut peers = Peers::default();
        peers.met(BOB, &transport(0), &[address(1)]);
        for number in 2..100 {
            peers.heard(&PeerHint { addresses: vec![address(number)], ..hint(0) });
        }
        let (_, addresses) = peers.of(&BOB).next().unwrap();
        let addresses: Vec<&String> = addresses.collect();
        assert_eq!((addresses[0], addresses[1]), (&address(1), &address(99)));
        assert!(addresses.len() <= 2 * limits::ADDRESSES);
        let told = peers.hints([BOB].iter()).next().unwrap();
        assert_eq!((&told.addresses[0], told.addresses.len()), (&address(1), limits::ADDRESSES));
    }

    #[test]
    fn nobody_is_said_to_be_where_somebody_else_was_met() {
        let mut peers = Peers::default();
        peers.heard(&hint(7));
        peers.met(CAROL, &transport(7), &[]);
        assert_eq!(peers.member_at(&transport(7)), Some(CAROL));
        peers.met(CAROL, &transport(8), &[]);
        assert!(!peers.heard(&hint(8)));
        assert_eq!(transports(&peers), [transport(7)]);
    }

    #[test]
    fn a_connection_is_no_meeting() {
        let mut peers = Peers::default();
        peers.met(BOB, &transport(0), &[]);
        peers.heard(&hint(1));
        assert!(peers.connected(&transport(1), &address(9)));
        assert_eq!(transports(&peers), [transport(0), transport(1)]);
        for number in 10..20 {
            peers.heard(&hint(number));
        }
        assert!(!transports(&peers).contains(&transport(1)));
    }

    #[test]
    fn addresses_are_bounded() {
        let mut peers = Peers::default();
        for number in 0..100 {
            peers.met(BOB, &transport(0), &[address(number)]);
        }
        let (_, addresses) = peers.of(&BOB).next().unwrap();
        assert_eq!(addresses.map(String::as_str).next(), Some("/ip4/10.0.0.99/tcp/1"));
        let (_, addresses) = peers.of(&BOB).next().unwrap();
        assert!(addresses.count() <= limits::ADDRESSES);
    }
}
