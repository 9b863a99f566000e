//! What the worker does for others to reach us: which addresses it has probed and mapped, and which
//! of them it tells.

use std::collections::BTreeSet;
use std::time::Instant;

use libp2p::Multiaddr;

use super::Worker;
use crate::net::address;
use crate::net::reachability::{Findings, is_global, udp};

impl Worker {
    /// Our own addresses, without those that nobody else could use.
    pub(super) fn on_own_addresses(&mut self, own: &BTreeSet<Multiaddr>) {
        let networks = self.interfaces.dialable().cloned().collect();
        let behaviour = self.swarm.behaviour_mut();
        if let Some(punching) = behaviour.punching.as_mut() {
            punching.set_own(own.clone(), networks);
        }
        if let Some(probing) = behaviour.probing.as_mut() {
            own.iter().filter(|address| is_global(address)).for_each(|address| probing.suggest(address));
        }
        let is_v4 = |address: &&Multiaddr| address::ip(address).is_some_and(|ip| ip.is_ipv4());
        let private = own.iter().filter(is_v4).filter(|address| !is_global(address));
        behaviour.mapping.ask_for(private.cloned().collect());
    }

    /// Tells where we can be reached from further away, if that has changed.
    pub(super) fn look_beyond(&mut self) {
        let behaviour = self.swarm.behaviour();
        let confirmed = behaviour.probing.as_ref().into_iter().flat_map(|probing| probing.confirmed());
        let open: BTreeSet<&Multiaddr> = confirmed.chain(behaviour.mapping.mapped()).collect();
        let open: Vec<Multiaddr> = self.announce.iter().chain(open).cloned().collect();
        let circuits = self.relays.circuits();
        self.listening.set_beyond([open, circuits].concat(), Instant::now());
    }

    pub(super) fn findings(&self) -> Findings<'_> {
        let behaviour = self.swarm.behaviour();
        let probing = behaviour.probing.as_ref();
        let is_confirmed = probing.is_some_and(|probing| probing.confirmed().next().is_some());
        Findings {
            seen: behaviour.punching.as_ref().into_iter().flat_map(|punching| punching.seen_at()).collect(),
            own_ports: self.listening.addresses().iter().filter_map(|at| self.own_port(at)).collect(),
            is_open: is_confirmed || behaviour.mapping.mapped().next().is_some(),
            is_refuted: probing.is_some_and(|probing| probing.is_refuted()),
            router: behaviour.mapping.router(),
        }
    }

    /// The UDP port of an IPv4 address of this machine.
    fn own_port(&self, at: &Multiaddr) -> Option<u16> {
        let is_own = address::ip(at).is_some_and(|ip| ip.is_ipv4() && self.interfaces.has(&ip));
        udp(at).filter(|_| is_own)
    }

    /// Whoever we were connected to has given us up while we slept.
    pub(super) fn on_woken(&mut self) {
        tracing::info!("the machine slept; all connections are made anew");
        let now = Instant::now();
        self.swarm.behaviour_mut().streams.lost_everybody();
        for connection in self.relays.connections() {
            self.relays.closed(connection, now);
            self.swarm.close_connection(connection);
        }
        self.relays.restart(now);
        self.searches.restart(now);
        self.returns.restart(now);
        self.calls.clear();
    }
}
