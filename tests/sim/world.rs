//! Many nodes on a table: virtual time, one seed, a network that delays, cuts and partitions, and
//! disks that lose what was not synced. Acts as the companions' driver, without doing any IO.

mod clocks;
mod half_open;
mod network;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use std::time::Duration;

use pairwave_core::command::{Command, Outcome, Refusal, Speaker, Token};
use pairwave_core::effect::Effect;
use pairwave_core::event::Origin;
use pairwave_core::id::{MemberId, RoomId, SessionId};
use pairwave_core::input::{Input, LinkId};
use pairwave_core::key::{Identity, KnockKey, hash};
use pairwave_core::node::{Limits, Node};
use pairwave_core::notice::Notice;
use pairwave_core::time::Timestamp;
use pairwave_wire::TransportId;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use crate::disk::Disk;
use crate::fault::Fault;
use crate::post::{self, Post};
use crate::recording::Recording;

use clocks::{Clock, Sleep};
use half_open::Stuck;

/// Index of a machine.
pub type At = usize;

/// The session of each machine's human.
pub const HUMAN: SessionId = SessionId([1; 16]);

/// Everything there is.
pub struct World {
    pub now: Timestamp,
    pub rng: ChaCha20Rng,
    pub machines: Vec<Machine>,
    pub network: Network,
    /// The relays.
    pub post: Post,
    queue: BinaryHeap<Reverse<(Timestamp, u64)>>,
    events: BTreeMap<u64, Event>,
    next: u64,
}

/// One person's companion and disk.
pub struct Machine {
    pub name: &'static str,
    pub node: Option<Node<Disk>>,
    pub disk: Disk,
    pub transport: TransportId,
    pub notices: Vec<Notice>,
    pub replies: BTreeMap<Token, Result<Outcome, Refusal>>,
    /// The relays that the present run is to be at.
    pub relays: Vec<String>,
    /// No write becomes durable while this is set.
    pub stalled: bool,
    /// What the present run was fed and did.
    pub recording: Option<Recording>,
    clock: Clock,
    asleep: Option<Sleep>,
    secret: [u8; 32],
    /// Counts starts, so that what was meant for an earlier run is dropped.
    run: u64,
    /// Effects from the first unsynced one on.
    waiting: VecDeque<Effect>,
    sync_scheduled: bool,
    accepted: u64,
    next_token: u64,
    timeout: Option<Timestamp>,
}

/// Who hears whom, and the streams between them.
#[derive(Default)]
pub struct Network {
    /// Machines in different groups do not hear each other.
    pub groups: BTreeMap<At, u32>,
    /// Machines that can dial others and cannot be dialled, nor seen on the local network.
    pub out_of_reach: BTreeSet<At>,
    /// Nobody sees anybody on the local network.
    pub without_mdns: bool,
    /// How often machines moved to another network, where they have another address.
    moves: BTreeMap<At, u32>,
    connections: BTreeSet<(At, At)>,
    streams: BTreeMap<(At, LinkId), (At, LinkId)>,
    /// Who believes in a connection to whom that is gone there.
    believed: BTreeSet<(At, At)>,
    /// Streams that are gone at the other side, and with whom they were.
    dangling: BTreeMap<(At, LinkId), At>,
    /// Whose bytes do not reach whom.
    mute: BTreeSet<(At, At)>,
    stuck: Vec<Stuck>,
    /// No frame overtakes another on its stream.
    arrivals: BTreeMap<(At, LinkId), Timestamp>,
    /// One frame in so many breaks its stream; 0: none.
    pub break_one_in: u64,
    /// One frame in so many comes twice; 0: none.
    pub double_one_in: u64,
    /// Streams are told of in any order, and whatever may be told twice is.
    pub jumbled: bool,
    /// Streams that begin now run over circuits with small limits.
    pub small: bool,
    /// How many frames were sent.
    pub frames: u64,
    pub max_delay_ms: u64,
}

/// Late events are gathered as soon as a few would be folded again, and little is room for blobs: evenings
/// here are short.
pub fn limits() -> Limits {
    Limits { fold_again: 8, blobs_per_room: 4 << 20, ..Limits::default() }
}

enum Event {
    Input { at: At, run: u64, input: Box<Input> },
    Sync { at: At, run: u64 },
    Timeout { at: At, run: u64, due: Timestamp },
}

impl World {
    pub fn new(seed: u64, names: &[&'static str]) -> Self {
        let mut world = Self {
            now: Timestamp(1_700_000_000_000),
            rng: ChaCha20Rng::seed_from_u64(seed),
            machines: Vec::new(),
            network: Network { max_delay_ms: 20, ..Network::default() },
            post: Post::default(),
            queue: BinaryHeap::new(),
            events: BTreeMap::new(),
            next: 0,
        };
        for name in names {
            let at = world.machines.len();
            world.machines.push(Machine::new(at, name));
            world.start(at);
        }
        world.announce_all();
        world
    }

    pub fn node(&self, at: At) -> &Node<Disk> {
        self.machines[at].node.as_ref().expect("the machine is up")
    }

    pub fn member(&self, at: At) -> MemberId {
        Identity::from_secret(&self.machines[at].secret).member()
    }

    pub fn identity(&self, at: At) -> Identity {
        Identity::from_secret(&self.machines[at].secret)
    }

    pub fn is_up(&self, at: At) -> bool {
        self.machines[at].node.is_some()
    }

    /// Gives a command and runs until its reply is there, at most a virtual minute.
    pub fn ask(&mut self, at: At, command: Command) -> Result<Outcome, Refusal> {
        let token = self.command(at, command);
        let end = self.now + Duration::from_secs(60);
        while !self.machines[at].replies.contains_key(&token) && self.now < end && self.step() {}
        self.machines[at].replies.remove(&token).expect("every command has a reply")
    }

    /// Gives a command; its reply comes into `replies`.
    pub fn command(&mut self, at: At, command: Command) -> Token {
        let machine = &mut self.machines[at];
        machine.next_token += 1;
        let token = Token(machine.next_token);
        self.feed(at, Input::Command { token, command });
        token
    }

    /// Runs for so much virtual time.
    pub fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        while self.queue.peek().is_some_and(|Reverse((at, _))| *at <= end) {
            self.step();
        }
        self.now = end;
    }

    /// Runs until it is true; false if a virtual `patience` passes before.
    pub fn run_until(&mut self, patience: Duration, mut is: impl FnMut(&Self) -> bool) -> bool {
        let end = self.now + patience;
        while !is(self) {
            if self.now > end || !self.step() {
                return false;
            }
        }
        true
    }

    /// The power fails: what was not synced is gone.
    pub fn crash(&mut self, at: At) {
        self.disconnect_all(at);
        self.power_off(at);
    }

    fn power_off(&mut self, at: At) {
        self.forget_beliefs(at);
        let machine = &mut self.machines[at];
        machine.node = None;
        machine.waiting.clear();
        machine.sync_scheduled = false;
        machine.timeout = None;
        machine.asleep = None;
        machine.relays.clear();
        machine.run += 1;
    }

    /// The disk refuses what waits to be written, and everything that waits for it is dropped.
    pub fn fail_writes(&mut self, at: At) {
        let waiting = std::mem::take(&mut self.machines[at].waiting);
        let mut closed = BTreeSet::new();
        for effect in waiting {
            if let Effect::Append { number, room, .. } | Effect::Chunk { number, room, .. } = effect
                && closed.insert(room)
            {
                self.feed(at, Input::AppendFailed { room, number, why: "the disk is full".into() });
                let restored = self.restored(at, room);
                self.later(at, 1000, restored);
            }
        }
    }

    /// Starts a companion on what its disk holds.
    pub fn start(&mut self, at: At) {
        let mut seed = [0; 32];
        self.rng.fill_bytes(&mut seed);
        let machine = &mut self.machines[at];
        machine.run += 1;
        let identity = Identity::from_secret(&machine.secret);
        let log = machine.disk.clone();
        machine.clock.start(self.now);
        let now = machine.clock.tell(self.now);
        machine.recording = Some(Recording::new(seed, now, &machine.disk));
        machine.node = Some(Node::new(identity, machine.transport.clone(), limits(), seed, log, now));
        let rooms = machine.disk.rooms();
        for room in rooms {
            let restored = self.restored(at, room);
            self.feed(at, restored);
        }
        self.feed(at, Input::Listening { addresses: vec![self.address(at)] });
        self.announce(at);
        self.tell_relays(at);
    }

    /// Tells a machine, or all of them, which relays can be asked now.
    pub fn tell_relays(&mut self, at: At) {
        let connected = self.post.connected();
        if !connected.is_empty() || self.post.were_up {
            self.feed(at, Input::Relays { connected });
        }
    }

    /// This many relays can be reached from now on.
    pub fn set_relays(&mut self, up: usize) {
        self.post.set_up(up);
        for at in 0..self.machines.len() {
            self.tell_relays(at);
        }
    }

    /// Splits the network into groups; machines not named keep theirs.
    pub fn partition(&mut self, groups: &[&[At]]) {
        for (number, group) in groups.iter().enumerate() {
            for at in *group {
                self.network.groups.insert(*at, u32::try_from(number).expect("few groups"));
            }
        }
        let cut: Vec<(At, At)> =
            self.network.connections.iter().copied().filter(|(a, b)| !self.hears(*a, *b)).collect();
        for (a, b) in cut {
            self.disconnect(a, b);
        }
        self.announce_all();
    }

    /// Everybody hears everybody again, and the network is quick and faultless.
    pub fn heal(&mut self) {
        self.network.groups.clear();
        self.unmute();
        self.network.break_one_in = 0;
        self.network.max_delay_ms = 20;
        self.announce_all();
        for at in 0..self.machines.len() {
            self.feed(at, Input::NetworkChanged);
        }
    }

    /// Handles the next thing that happens. False if nothing ever will.
    pub fn step(&mut self) -> bool {
        let Some(Reverse((at, number))) = self.queue.pop() else { return false };
        self.now = self.now.max(at);
        let event = self.events.remove(&number).and_then(|event| self.unless_asleep(at, event));
        match event {
            Some(Event::Input { at, run, input }) if self.machines[at].run == run => self.feed(at, *input),
            Some(Event::Sync { at, run }) if self.machines[at].run == run => self.sync(at),
            // One that an earlier one took the place of is none any more.
            Some(Event::Timeout { at, run, due })
                if self.machines[at].run == run && self.machines[at].timeout == Some(due) =>
            {
                self.machines[at].timeout = None;
                self.feed(at, Input::Timeout);
            }
            _ => (),
        }
        true
    }

    /// Feeds an input at once.
    pub fn feed(&mut self, at: At, input: Input) {
        if self.machines[at].asleep.is_some() {
            return self.later(at, 0, input);
        }
        let machine = &mut self.machines[at];
        let now = machine.clock.tell(self.now);
        let Some(node) = &mut machine.node else { return };
        if let Some(recording) = &mut machine.recording {
            recording.fed(now, &input);
        }
        node.handle(input, now);
        let mut effects = Vec::new();
        while let Some(effect) = node.poll_effect() {
            effects.push(effect);
        }
        if let Some(recording) = &mut machine.recording {
            recording.did(&effects);
        }
        let timeout = node.poll_timeout().map(|(at, _)| at);
        for effect in effects {
            self.take_effect(at, effect);
        }
        self.schedule_timeout(at, timeout);
    }

    fn take_effect(&mut self, at: At, effect: Effect) {
        let fault = self.machines[at].disk.content().fault;
        let overtakes = fault.is_some_and(|fault| fault.overtakes(&effect));
        let lies = fault.is_some_and(|fault| fault.lies_about(&effect, self.member(at)));
        let waits = !self.machines[at].waiting.is_empty() && is_ordered(&effect);
        if let Some(number) = written(&effect) {
            self.machines[at].waiting.push_back(effect);
            if lies {
                self.later(at, 0, Input::Durable { number });
            }
            let slow = fault.is_some_and(Fault::is_hasty);
            let delay = if slow { 500 } else { self.rng.next_u64() % 8 };
            self.schedule_sync(at, delay);
        } else if waits && !overtakes {
            self.machines[at].waiting.push_back(effect);
        } else {
            self.carry_out(at, effect);
        }
    }

    fn schedule_sync(&mut self, at: At, delay: u64) {
        let machine = &mut self.machines[at];
        if !std::mem::replace(&mut machine.sync_scheduled, true) {
            let run = machine.run;
            self.schedule(delay, Event::Sync { at, run });
        }
    }

    /// Everything written so far is durable; what waited for it leaves.
    fn sync(&mut self, at: At) {
        self.machines[at].sync_scheduled = false;
        if self.machines[at].stalled {
            return self.schedule_sync(at, 50);
        }
        let me = self.member(at);
        let waiting: Vec<Effect> = self.machines[at].waiting.drain(..).collect();
        let mut durable = None;
        for effect in waiting {
            match written(&effect) {
                Some(number) => {
                    durable = Some(number);
                    self.machines[at].disk.write(&effect, me);
                }
                None => self.carry_out(at, effect),
            }
        }
        if let Some(number) = durable.filter(|_| !self.machines[at].disk.has(Fault::SaysDurableTooEarly)) {
            self.feed(at, Input::Durable { number });
        }
    }

    fn carry_out(&mut self, at: At, effect: Effect) {
        match effect {
            Effect::Send { link, frame } => self.send(at, link, frame),
            Effect::Open { link, peer, protocol } => self.open(at, link, &peer, protocol),
            Effect::Hangup { link } => self.close(at, link),
            Effect::Dial { peer, addresses } => self.dial(at, peer, &addresses),
            Effect::Drop { peer } => {
                if let Some(other) = self.machine_of(&peer) {
                    self.drop_connection(at, other);
                }
            }
            Effect::Relays { relays } => self.machines[at].relays = relays,
            Effect::Derive { id, secret, label } => {
                let key = KnockKey::new(hash(b"simulated-argon2id", &[secret.expose(), &label.0]));
                self.later(at, 1, Input::Derived { id, key });
            }
            Effect::Reply { token, result } => _ = self.machines[at].replies.insert(token, result),
            Effect::Notify(notice) => self.machines[at].notices.push(notice),
            Effect::Reopen { room } => {
                let restored = self.restored(at, room);
                self.later(at, 1000, restored);
            }
            Effect::MakeLetterKeys { room } => {
                let (keys, ratchets) = post::make(self.member(at), self.rng.next_u64());
                self.feed(at, Input::LetterKeysMade { room, keys, ratchets });
            }
            Effect::SealLetter { room, ratchets, to: _, keys, afresh, content } => {
                let sealed = Some(post::seal(&ratchets, &keys, afresh, content));
                self.feed(at, Input::LetterSealed { room, sealed });
            }
            Effect::OpenLetter { room, ratchets, from: _, message } => {
                let opened = post::open(&ratchets, &message);
                self.feed(at, Input::LetterOpened { room, opened });
            }
            Effect::Mail { id, relay, request } => {
                self.post.now = self.now;
                let answer = self.post.mail(at, &relay, request, &mut self.rng);
                let delay = self.rng.next_u64() % self.post.slow_ms;
                self.later(at, delay, Input::Mailed { id, answer });
            }
            Effect::LookUp { id, relay, request } => {
                let answer = self.post.look_up(at, &relay, request, &mut self.rng);
                let delay = self.rng.next_u64() % self.post.slow_ms;
                self.later(at, delay, Input::LookedUp { id, answer });
            }
            Effect::Append { .. } | Effect::Save { .. } | Effect::Chunk { .. } | Effect::Forget { .. } => {
                unreachable!("goes to the disk")
            }
        }
    }

    fn restored(&self, at: At, room: RoomId) -> Input {
        let disk = &self.machines[at].disk;
        Input::Restored { room, saved: disk.saved(room), own_seq: disk.own_seq(room) }
    }

    fn machine_of(&self, peer: &TransportId) -> Option<At> {
        self.machines.iter().position(|machine| machine.transport == *peer)
    }

    fn later(&mut self, at: At, delay_ms: u64, input: Input) {
        let run = self.machines[at].run;
        self.schedule(delay_ms, Event::Input { at, run, input: Box::new(input) });
    }

    fn schedule(&mut self, delay_ms: u64, event: Event) {
        self.next += 1;
        self.queue.push(Reverse((self.now + Duration::from_millis(delay_ms), self.next)));
        self.events.insert(self.next, event);
    }

    fn schedule_timeout(&mut self, at: At, timeout: Option<Timestamp>) {
        let Some(timeout) = timeout else { return };
        let machine = &mut self.machines[at];
        if machine.timeout.is_none_or(|scheduled| timeout < scheduled) {
            machine.timeout = Some(timeout);
            let run = machine.run;
            let now = machine.clock.tell(self.now);
            let delay = u64::try_from(timeout.since(now).as_millis()).expect("short").max(1);
            self.schedule(delay, Event::Timeout { at, run, due: timeout });
        }
    }
}

impl Machine {
    fn new(at: At, name: &'static str) -> Self {
        Self {
            name,
            node: None,
            disk: Disk::default(),
            transport: transport(at),
            notices: Vec::new(),
            replies: BTreeMap::new(),
            relays: Vec::new(),
            stalled: false,
            recording: None,
            clock: Clock::default(),
            asleep: None,
            secret: hash(b"simulated-identity", &[name.as_bytes()]),
            run: 0,
            waiting: VecDeque::new(),
            sync_scheduled: false,
            accepted: 0,
            next_token: 0,
            timeout: None,
        }
    }
}

/// The number of an effect that goes to the disk.
pub fn written(effect: &Effect) -> Option<u64> {
    match effect {
        Effect::Append { number, .. }
        | Effect::Save { number, .. }
        | Effect::Chunk { number, .. }
        | Effect::Forget { number, .. } => Some(*number),
        _ => None,
    }
}

/// Does it wait for what is written before it?
fn is_ordered(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::Send { .. }
            | Effect::Hangup { .. }
            | Effect::Reply { .. }
            | Effect::Reopen { .. }
            | Effect::SealLetter { .. }
            | Effect::OpenLetter { .. }
            | Effect::Mail { .. }
    )
}

/// The human of a machine.
pub fn human() -> Speaker {
    Speaker { session: HUMAN, origin: Origin::Human }
}

fn transport(at: At) -> TransportId {
    TransportId::new(hash(b"simulated-transport", &[&at.to_be_bytes()])).expect("32 bytes")
}

fn pair(a: At, b: At) -> (At, At) {
    (a.min(b), a.max(b))
}
