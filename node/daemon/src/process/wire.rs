//! The network in the words of the node.

use std::sync::{Arc, Mutex, PoisonError};

use pairwave_core::effect::Effect;
use pairwave_core::input::{ConnectedRelay, Input};
use pairwave_wire::TransportId;
use tokio::sync::{mpsc, oneshot};

use super::ports::Ports;
use crate::driver::Network;
use crate::net::{self, Net, NetCommand, NetEvent};

pub(super) struct Wire {
    net: Arc<Net>,
    events: mpsc::Receiver<NetEvent>,
    ports: Ports,
    /// Told with the first addresses, just before the node gets them.
    listening: Option<oneshot::Sender<()>>,
    names: Names,
}

/// What rooms call the relays that the network was told of.
#[derive(Default)]
struct Names(Mutex<Vec<(TransportId, String)>>);

impl Wire {
    pub fn new(net: Arc<Net>, events: mpsc::Receiver<NetEvent>, ports: Ports) -> (Self, oneshot::Receiver<()>) {
        let (listening, is_listening) = oneshot::channel();
        (Self { net, events, ports, listening: Some(listening), names: Names::default() }, is_listening)
    }
}

impl Network for Wire {
    fn carry_out(&self, effect: Effect) {
        if let Effect::Relays { relays } = &effect {
            self.names.learn(relays);
        }
        if let Some(command) = command(effect) {
            self.net.do_(command);
        }
    }

    async fn next(&mut self) -> Option<Input> {
        let event = self.events.recv().await?;
        if let NetEvent::Listening { addresses } = &event {
            self.ports.learn(addresses);
            // Whoever waited for it may have given up.
            let _ = self.listening.take().map(|listening| listening.send(()));
        }
        Some(input(event, &self.names))
    }
}

impl Names {
    fn learn(&self, relays: &[String]) {
        let named = relays.iter().filter_map(|text| Some((net::relay_named(text)?, text.clone())));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = named.collect();
    }

    fn of(&self, connected: Vec<TransportId>) -> Vec<ConnectedRelay> {
        let names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of =
            |relay: &TransportId| names.iter().filter(|(at, _)| at == relay).map(|(_, name)| name.clone()).collect();
        connected.into_iter().map(|transport| ConnectedRelay { named: of(&transport), transport }).collect()
    }
}

fn command(effect: Effect) -> Option<NetCommand> {
    Some(match effect {
        Effect::Open { link, peer, protocol } => NetCommand::Open { link, peer, protocol },
        Effect::Send { link, frame } => NetCommand::Send { link, frame },
        Effect::Hangup { link } => NetCommand::Hangup { link },
        Effect::Dial { peer, addresses } => NetCommand::Dial { peer, addresses },
        Effect::Relays { relays } => NetCommand::Relays { relays },
        Effect::Mail { id, relay, request } => NetCommand::Mail { id, relay, request },
        Effect::LookUp { id, relay, request } => NetCommand::Lookup { id, relay, request },
        // The network closes a connection itself when a hang-up finds it silent. The rest is no
        // business of the network.
        _ => return None,
    })
}

fn input(event: NetEvent, names: &Names) -> Input {
    match event {
        NetEvent::Listening { addresses } => Input::Listening { addresses },
        NetEvent::Found { peer, addresses } => Input::Found { peer, addresses },
        NetEvent::NetworkChanged => Input::NetworkChanged,
        NetEvent::Connected { peer, address } => Input::Connected { peer, address },
        NetEvent::Disconnected { peer } => Input::Disconnected { peer },
        NetEvent::Accepted { link, peer, protocol } => Input::Accepted { link, peer, protocol },
        NetEvent::Opened { link } => Input::Opened { link },
        NetEvent::Small { link } => Input::Small { link },
        NetEvent::Closed { link } => Input::Closed { link },
        NetEvent::Frame { link, bytes } => Input::Frame { link, bytes },
        NetEvent::Sent { link } => Input::Sent { link },
        NetEvent::BetterPath { peer } => Input::BetterPath { peer },
        NetEvent::Relays { connected } => Input::Relays { connected: names.of(connected) },
        NetEvent::Mail { id, answer } => Input::Mailed { id, answer },
        NetEvent::Lookup { id, answer } => Input::LookedUp { id, answer },
    }
}
