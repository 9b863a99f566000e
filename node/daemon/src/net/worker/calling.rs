//! What the worker does to reach peers: direct dials, and calls through relays beside them.

use std::collections::BTreeMap;
use std::time::Instant;

use libp2p::{Multiaddr, PeerId};
use pairwave_wire::{TransportId, limits};

use super::Worker;
use crate::net::dials::{Step, Wish};
use crate::net::{NetEvent, address};

impl Worker {
    pub(super) fn dial(&mut self, peer: Option<TransportId>, addresses: &[String]) {
        let Some(peer) = peer else {
            let addresses = self.reachable(addresses, None);
            return self.dials.wish(Wish { peer: None, addresses });
        };
        let id = address::peer_id(&peer);
        id.into_iter().for_each(|id| self.want(id));
        match id {
            Some(id) if self.swarm.behaviour().streams.is_direct(&id) => {}
            Some(id) if id != *self.swarm.local_peer_id() => {
                let addresses = self.reachable(addresses, Some(&id));
                let (circuits, direct): (Vec<_>, Vec<_>) = addresses.into_iter().partition(address::is_relayed);
                self.searches.may_be_at(&id, &direct, Instant::now());
                self.returns.learn(id, &direct);
                if !self.swarm.behaviour().streams.counts_as_connected(&id) {
                    self.call(id, circuits);
                }
                self.dials.wish(Wish { peer: Some(id), addresses: direct });
            }
            _ => self.tell(NetEvent::Disconnected { peer }),
        }
    }

    pub(super) fn take_dial_steps(&mut self) {
        let now = Instant::now();
        while let Some(step) = self.dials.poll(now, self.patience.tcp_delay) {
            match step {
                Step::Dial(options) => {
                    let id = options.connection_id();
                    if let Err(error) = self.swarm.dial(options) {
                        tracing::debug!(%error, "a dial is refused");
                        self.dials.failed(id);
                    }
                }
                Step::Failed(Some(peer)) if self.relays.contains(&peer) => self.relays.unreachable(&peer, now),
                Step::Failed(Some(peer)) => {
                    self.calls.at_once(&peer, now);
                    self.take_calls();
                    self.tell_failed(&peer);
                }
                Step::Failed(None) => {}
            }
        }
        self.take_calls();
    }

    pub(super) fn tell_failed(&mut self, peer: &PeerId) {
        let is_open = self.dials.is_trying(peer)
            || self.calls.is_calling(peer)
            || self.swarm.behaviour().streams.counts_as_connected(peer);
        if !is_open {
            self.tell(NetEvent::Disconnected { peer: address::transport_id(peer) });
        }
    }

    fn take_calls(&mut self) {
        let now = Instant::now();
        while let Some(call) = self.calls.poll(now, |relay| self.relays.distance(relay)) {
            let id = call.connection_id();
            if let Err(error) = self.swarm.dial(call) {
                tracing::debug!(%error, "a call is refused");
                self.calls.failed(id, now);
            }
        }
    }

    /// Wishes for calls, one through each relay. Circuits follow TCP more closely than TCP follows QUIC:
    /// where nothing direct works, they are what somebody waits for.
    fn call(&mut self, peer: PeerId, circuits: Vec<Multiaddr>) {
        let now = Instant::now();
        let not_before = now + self.patience.tcp_delay * 4 / 3;
        let mut relays: BTreeMap<PeerId, Vec<Multiaddr>> = BTreeMap::new();
        for circuit in circuits {
            if let Some((relay, _)) = address::circuit(&circuit) {
                relays.entry(relay).or_default().push(circuit);
            }
        }
        for (relay, mut circuits) in relays {
            // All circuits through a relay that we are connected to are the same one.
            if self.relays.contains(&relay) {
                circuits.truncate(1);
            }
            self.calls.wish(peer, relay, circuits, not_before, now);
        }
    }

    /// Those of the addresses that lead to somebody else. An address that seems to lead into our
    /// own container network is tried only if there is no other.
    fn reachable(&self, addresses: &[String], peer: Option<&PeerId>) -> Vec<Multiaddr> {
        let parsed =
            addresses.iter().take(limits::ADDRESSES + limits::RELAYS).filter_map(|text| address::dialable(text, peer));
        let foreign: Vec<Multiaddr> = parsed.filter(|address| !self.listening.is_ours(address)).collect();
        let outward: Vec<Multiaddr> = foreign.iter().filter(|address| self.leads_out(address)).cloned().collect();
        if outward.is_empty() { foreign } else { outward }
    }

    pub(super) fn leads_out(&self, address: &Multiaddr) -> bool {
        address::is_relayed(address) || address::ip(address).is_none_or(|ip| self.interfaces.lead_to(&ip))
    }
}
