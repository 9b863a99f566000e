//! What the worker does to find better ways to peers: direct ones in place of relays, QUIC in place of TCP.

use std::time::Instant;

use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::{Multiaddr, PeerId, dcutr};

use super::Worker;
use crate::net::address;
use crate::net::introduction::Introduced;
use crate::net::searches::Step;

impl Worker {
    pub(super) fn take_search_steps(&mut self) {
        let now = Instant::now();
        if let Some(punching) = self.swarm.behaviour_mut().punching.as_mut() {
            punching.tend(now);
        }
        while let Some(step) = self.searches.poll(now) {
            match step {
                Step::Prepare => self.relays.widen(),
                Step::Circuit(peer, circuit) => self.dial_beside(peer, vec![circuit]),
                Step::Fruitless(peer) => self.on_fruitless(peer, "no direct way was found in time".into()),
            }
        }
        if self.searches.all_rest(now) {
            self.relays.narrow();
        }
        let resting = self.searches.resting(now);
        if let Some(punching) = self.swarm.behaviour_mut().punching.as_mut() {
            punching.let_rest(resting);
        }
    }

    pub(super) fn try_quic_again(&mut self) {
        let now = Instant::now();
        while let Some((peer, addresses)) = self.returns.poll(now) {
            self.dial_beside(peer, addresses);
        }
    }

    /// A relay of ours sees us at another address than before.
    pub(super) fn on_observed(&mut self, introduced: Introduced) {
        let Introduced { peer, connection, observed, .. } = introduced;
        if !self.relays.contains(&peer) || address::is_relayed(&observed) {
            return;
        }
        // What a NAT made of a connection over TCP is of use to that connection alone.
        let is_ours = address::ip(&observed).is_some_and(|ip| self.interfaces.has(&ip));
        let is_probable = address::is_quic(&observed) || address::is_plain_tcp(&observed) && is_ours;
        if let Some(probing) = self.swarm.behaviour_mut().probing.as_mut().filter(|_| is_probable) {
            probing.suggest(&observed);
        }
        let punching = self.swarm.behaviour_mut().punching.as_mut();
        if punching.is_some_and(|punching| punching.observed(peer, connection, observed)) {
            self.searches.restart(Instant::now());
        }
    }

    pub(super) fn on_punched(&mut self, event: dcutr::Event) {
        let dcutr::Event { remote_peer_id: peer, result } = event;
        match result {
            Ok(_) => {
                tracing::debug!(%peer, "a direct way was found");
                self.reports.punched(peer, Ok(()), Instant::now());
            }
            // It does not know us so far; that says nothing about the ways to it.
            Err(error) if format!("{error:?}").contains("NoAddresses") => self.searches.unwanted(&peer, Instant::now()),
            Err(error) => self.on_fruitless(peer, in_words(&error)),
        }
    }

    fn on_fruitless(&mut self, peer: PeerId, why: String) {
        let now = Instant::now();
        if self.searches.failed(&peer, now).is_none() || !self.wants(&peer) {
            return;
        }
        tracing::debug!(%peer, why, "no direct way was found");
        self.reports.punched(peer, Err(why), now);
    }

    /// The peer is one that we want to reach directly.
    pub(super) fn want(&mut self, peer: PeerId) {
        if let Some(punching) = self.swarm.behaviour_mut().punching.as_mut() {
            punching.want(peer);
        }
    }

    fn wants(&self, peer: &PeerId) -> bool {
        self.swarm.behaviour().punching.as_ref().is_none_or(|punching| punching.wants(peer))
    }

    /// One more way to a peer that is connected.
    fn dial_beside(&mut self, peer: PeerId, addresses: Vec<Multiaddr>) {
        let dial = DialOpts::peer_id(peer).condition(PeerCondition::Always).addresses(addresses).build();
        if let Err(error) = self.swarm.dial(dial) {
            tracing::debug!(%peer, %error, "no other way can be dialled");
        }
    }
}

fn in_words(error: &dcutr::Error) -> String {
    let text = error.to_string();
    if text.contains("Giving up") {
        return "both sides dialled in the same moment, three times, and nothing came through".into();
    }
    text.strip_prefix("Failed to hole-punch connection: ").unwrap_or(&text).to_owned()
}
