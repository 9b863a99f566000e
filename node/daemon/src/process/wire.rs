//! The network in the words of the node.

use std::sync::Arc;

use pairwave_core::effect::Effect;
use pairwave_core::input::Input;
use tokio::sync::{mpsc, oneshot};

use super::ports::Ports;
use crate::driver::Network;
use crate::net::{Net, NetCommand, NetEvent};

pub(super) struct Wire {
    net: Arc<Net>,
    events: mpsc::Receiver<NetEvent>,
    ports: Ports,
    /// Told with the first addresses, just before the node gets them.
    listening: Option<oneshot::Sender<()>>,
}

impl Wire {
    pub fn new(net: Arc<Net>, events: mpsc::Receiver<NetEvent>, ports: Ports) -> (Self, oneshot::Receiver<()>) {
        let (listening, is_listening) = oneshot::channel();
        (Self { net, events, ports, listening: Some(listening) }, is_listening)
    }
}

impl Network for Wire {
    fn carry_out(&self, effect: Effect) {
        if let Some(command) = command(effect) {
            self.net.do_(command);
        }
    }

    async fn next(&mut self) -> Option<Input> {
        loop {
            let event = self.events.recv().await?;
            if let NetEvent::Listening { addresses } = &event {
                self.ports.learn(addresses);
                // Whoever waited for it may have given up.
                let _ = self.listening.take().map(|listening| listening.send(()));
            }
            if let Some(input) = input(event) {
                return Some(input);
            }
        }
    }
}

fn command(effect: Effect) -> Option<NetCommand> {
    Some(match effect {
        Effect::Open { link, peer, protocol } => NetCommand::Open { link, peer, protocol },
        Effect::Send { link, frame } => NetCommand::Send { link, frame },
        Effect::Hangup { link } => NetCommand::Hangup { link },
        Effect::Dial { peer, addresses } => NetCommand::Dial { peer, addresses },
        Effect::Relays { relays } => NetCommand::Relays { relays },
        // The network closes a connection itself when a hang-up finds it silent. The rest is no
        // business of the network.
        _ => return None,
    })
}

fn input(event: NetEvent) -> Option<Input> {
    Some(match event {
        NetEvent::Listening { addresses } => Input::Listening { addresses },
        NetEvent::Found { peer, addresses } => Input::Found { peer, addresses },
        NetEvent::NetworkChanged => Input::NetworkChanged,
        NetEvent::Connected { peer, address } => Input::Connected { peer, address },
        NetEvent::Disconnected { peer } => Input::Disconnected { peer },
        NetEvent::Accepted { link, peer, protocol } => Input::Accepted { link, peer, protocol },
        NetEvent::Opened { link } => Input::Opened { link },
        NetEvent::Closed { link } => Input::Closed { link },
        NetEvent::Frame { link, bytes } => Input::Frame { link, bytes },
        NetEvent::Sent { link } => Input::Sent { link },
        NetEvent::BetterPath { .. } | NetEvent::Relays { .. } | NetEvent::Mail { .. } | NetEvent::Lookup { .. } => {
            return None;
        }
    })
}
