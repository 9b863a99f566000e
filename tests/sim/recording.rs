//! What one run of a companion was fed and what it did, to be played again.

use std::collections::VecDeque;

use pairwave_core::effect::Effect;
use pairwave_core::input::Input;
use pairwave_core::key::Identity;
use pairwave_core::node::Node;
use pairwave_core::time::Timestamp;
use pairwave_wire::TransportId;

use crate::disk::{Content, Disk};
use crate::world::{limits, written};

/// As secret as the keys: it holds them.
pub struct Recording {
    pub inputs: Vec<(Timestamp, Input)>,
    /// Every effect in its debug form, which shows frames and records byte for byte.
    pub effects: Vec<String>,
    seed: [u8; 32],
    started: Timestamp,
    disk: Content,
}

impl Recording {
    pub fn new(seed: [u8; 32], started: Timestamp, disk: &Disk) -> Self {
        Self { inputs: Vec::new(), effects: Vec::new(), seed, started, disk: disk.copy() }
    }

    pub fn fed(&mut self, now: Timestamp, input: &Input) {
        self.inputs.push((now, input.clone()));
    }

    pub fn did(&mut self, effects: &[Effect]) {
        self.effects.extend(effects.iter().map(|effect| format!("{effect:?}")));
    }

    /// Plays it again, on a disk that is as the first one was, and returns what was done.
    pub fn replay(&self, identity: Identity, transport: TransportId) -> Vec<String> {
        let disk = Disk::with(self.disk.clone());
        let me = identity.member();
        let mut node = Node::new(identity, transport, limits(), self.seed, disk.clone(), self.started);
        let mut unwritten: VecDeque<Effect> = VecDeque::new();
        let mut did = Vec::new();
        for (now, input) in &self.inputs {
            if let Input::Durable { number } = input {
                while unwritten.front().and_then(written).is_some_and(|of| of <= *number) {
                    disk.write(&unwritten.pop_front().expect("there is one"), me);
                }
            }
            node.handle(input.clone(), *now);
            while let Some(effect) = node.poll_effect() {
                did.push(format!("{effect:?}"));
                if written(&effect).is_some() {
                    unwritten.push_back(effect);
                }
            }
        }
        did
    }
}
