//! What the worker does about relays: the steps of `Relays`, and requests to them.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Instant;

use libp2p::PeerId;
use libp2p::relay::client;
use pairwave_wire::TransportId;
use pairwave_wire::lookup::LookupRequest;
use pairwave_wire::mailbox::{MailboxAnswer, MailboxRequest};

use super::Worker;
use crate::net::mail::{Answered, Asker};
use crate::net::relays::Step;
use crate::net::{NetEvent, address, relay_address};

impl Worker {
    pub(super) fn wish_for_relays(&mut self, texts: &[String]) {
        let mut wishes = relay_address::parse_all(texts);
        let me = *self.swarm.local_peer_id();
        wishes.retain(|wish| wish.peer != me);
        let peers: BTreeSet<PeerId> = wishes.iter().map(|wish| wish.peer).collect();
        let behaviour = self.swarm.behaviour_mut();
        behaviour.streams.leave_out(peers.clone());
        behaviour.pings.watch(peers.clone());
        behaviour.mail.keep(peers);
        self.relays.wish(wishes, Instant::now());
    }

    pub(super) fn take_relay_steps(&mut self) {
        for relay in self.swarm.behaviour_mut().streams.take_doubted() {
            self.relays.doubt(&relay, Instant::now());
        }
        while let Some(step) = self.relays.poll(Instant::now()) {
            match step {
                Step::Dial(wish) => self.dials.wish(wish),
                Step::Close(connection) => drop(self.swarm.close_connection(connection)),
                Step::Release(listener) => drop(self.swarm.remove_listener(listener)),
                Step::Reserve(peer, circuit) => {
                    let asked = self.swarm.listen_on(circuit);
                    let asked = asked.inspect_err(|error| tracing::warn!(%error, "cannot ask for a reservation"));
                    self.relays.asked(&peer, asked.ok(), Instant::now());
                }
                Step::Greet(peer) => self.swarm.behaviour_mut().mail.greet(peer),
                Step::Ask(peer) => {
                    let nothing = MailboxRequest::Discard { letters: Vec::new() };
                    self.swarm.behaviour_mut().mail.ask_mailbox(peer, Asker::Doubt, &nothing);
                }
                Step::Present(peer, token) => {
                    let request = MailboxRequest::Present { token };
                    self.swarm.behaviour_mut().mail.ask_mailbox(peer, Asker::Token, &request);
                }
            }
        }
        self.look_beyond();
        self.tell_of_relays();
    }

    pub(super) fn ask_mailbox(&mut self, id: u64, relay: &TransportId, request: &MailboxRequest) {
        match address::peer_id(relay) {
            Some(peer) => self.swarm.behaviour_mut().mail.ask_mailbox(peer, Asker::Driver(id), request),
            None => self.tell(NetEvent::Mail { id, answer: None }),
        }
    }

    pub(super) fn ask_lookup(&mut self, id: u64, relay: &TransportId, request: &LookupRequest) {
        match address::peer_id(relay) {
            Some(peer) => self.swarm.behaviour_mut().mail.ask_lookup(peer, Asker::Driver(id), request),
            None => self.tell(NetEvent::Lookup { id, answer: None }),
        }
    }

    pub(super) fn on_answered(&mut self, answered: Answered) {
        if let Answered::Mailbox { relay, answer: Some(_), .. } = &answered {
            self.relays.answered(relay);
        }
        match answered {
            Answered::Mailbox { asker: Asker::Driver(id), answer, .. } => self.tell(NetEvent::Mail { id, answer }),
            Answered::Lookup { asker: Asker::Driver(id), answer, .. } => self.tell(NetEvent::Lookup { id, answer }),
            Answered::Mailbox { relay, asker: Asker::Token, answer } => self.on_token_answer(&relay, answer),
            Answered::Mailbox { asker: Asker::Doubt, .. } | Answered::Lookup { .. } => {}
        }
    }

    fn on_token_answer(&mut self, relay: &PeerId, answer: Option<MailboxAnswer>) {
        match answer {
            Some(MailboxAnswer::Welcome) => self.relays.welcomed(relay, Instant::now()),
            Some(MailboxAnswer::Refused(why)) => self.relays.not_welcomed(relay, why.to_string()),
            _ => self.relays.not_welcomed(relay, "the relay did not answer".into()),
        }
    }

    pub(super) fn on_circuit(&mut self, event: client::Event) {
        self.swarm.behaviour_mut().streams.heed_circuit(&event);
        match event {
            client::Event::ReservationReqAccepted { relay_peer_id, renewal, limit } => {
                let bytes = limit.and_then(|limit| limit.data_in_bytes());
                self.relays.reserved(&relay_peer_id, bytes, Instant::now());
                if !renewal {
                    self.calls.hasten(Instant::now());
                }
            }
            client::Event::OutboundCircuitEstablished { relay_peer_id, .. } => {
                tracing::debug!(relay = %relay_peer_id, "a circuit is up");
            }
            client::Event::InboundCircuitEstablished { src_peer_id, .. } => {
                tracing::debug!(peer = %src_peer_id, "somebody comes by a circuit");
            }
        }
    }

    /// The address that these connections left from is gone.
    pub(super) fn leave_relays_from(&mut self, ip: IpAddr) {
        let now = Instant::now();
        for connection in self.relays.leaving_from(ip) {
            self.relays.closed(connection, now);
            self.swarm.close_connection(connection);
        }
        self.relays.restart(now);
    }

    fn tell_of_relays(&mut self) {
        let near = self.relays.near();
        if near != self.near {
            let connected = near.iter().map(address::transport_id).collect();
            self.near = near;
            self.tell(NetEvent::Relays { connected });
        }
    }
}
