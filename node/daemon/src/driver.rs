//! The task that owns the node: it feeds in what happens and carries out what comes of it.
//!
//! Writes go to the committer at once; all that follows them waits in `Held` until they are
//! durable, and is carried out then, in order.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use pairwave_core::command::{Command, Outcome, Refusal, Token};
use pairwave_core::effect::{DeriveId, Effect, Slot};
use pairwave_core::id::RoomId;
use pairwave_core::input::Input;
use pairwave_core::invite::derive_knock_key;
use pairwave_core::key::InviteSecret;
use pairwave_core::node::Node;
use pairwave_core::notice::Notice;
use pairwave_wire::hello::InviteLabel;
use tokio::sync::{Semaphore, broadcast, mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tracing::{debug, error, info, warn};

use crate::clock::{Clock, Sleep};
use crate::olm;
use crate::store::{Committer, Reader, Refused, Store, Told, Write};

mod handle;
mod held;
mod network;
mod reopening;
#[cfg(test)]
mod tests;

pub use handle::DriverHandle;
use handle::Job;
use held::Held;
pub use network::Network;
use reopening::Reopening;

/// Requests of local people that may wait; those who ask wait for the rest.
const JOBS: usize = 256;
/// Notices that a slow listener may fall behind before it misses some.
const NOTICES: usize = 4096;
/// Bytes under way to the disk above which nothing more is taken from the network.
const LOAD: usize = 16 << 20;
/// How often it is asked whether the machine has slept.
const SLEEP_CHECK: Duration = Duration::from_secs(2);
/// Derivations at a time; each takes 64 MiB.
const DERIVATIONS: usize = 2;

/// What a driver is made of.
pub struct Driver<N> {
    pub node: Node<Reader>,
    pub store: Store,
    pub committer: Committer,
    /// What the committer tells.
    pub told: mpsc::UnboundedReceiver<Told>,
    pub network: N,
    pub clock: Arc<Clock>,
}

impl<N: Network> Driver<N> {
    /// Takes up all rooms that are stored. Drive the returned task to run the companion.
    pub fn start(self) -> (DriverHandle, impl Future<Output = ()> + Send) {
        let (jobs, queue) = mpsc::channel(JOBS);
        let (notices, _) = broadcast::channel(NOTICES);
        let (inputs, derived) = mpsc::channel(DERIVATIONS);
        let handle = DriverHandle { jobs, notices: notices.clone() };
        let running = Running {
            driver: self,
            notices,
            held: Held::default(),
            replies: BTreeMap::new(),
            next_token: 0,
            reopening: Reopening::default(),
            derivations: Arc::new(Semaphore::new(DERIVATIONS)),
            inputs,
        };
        (handle, running.run(queue, derived))
    }
}

struct Running<N> {
    driver: Driver<N>,
    notices: broadcast::Sender<Notice>,
    held: Held,
    replies: BTreeMap<Token, Asked>,
    next_token: u64,
    reopening: Reopening,
    derivations: Arc<Semaphore>,
    inputs: mpsc::Sender<Input>,
}

/// Somebody waits for the reply to a command.
struct Asked {
    room: Option<RoomId>,
    reply: oneshot::Sender<Result<Outcome, Refusal>>,
}

impl<N: Network> Running<N> {
    async fn run(mut self, mut jobs: mpsc::Receiver<Job>, mut derived: mpsc::Receiver<Input>) {
        self.restore_all();
        let mut sleep = Sleep::start();
        let mut sleep_check = interval(SLEEP_CHECK);
        sleep_check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let deadline = self.deadline();
            let reopening = at(self.reopening.next());
            // Whoever is ready is taken by chance, so that nobody waits for ever behind another.
            tokio::select! {
                told = self.driver.told.recv() => match told {
                    Some(told) => self.on_told(told),
                    None => {
                        error!("the committer has ended");
                        break;
                    }
                },
                Some(job) = jobs.recv() => match job {
                    Job::Command { command, reply } => self.command(*command, reply),
                    Job::Query(query) => query(&self.driver.node),
                    Job::Stop => break,
                },
                Some(input) = derived.recv() => self.handle(input),
                input = self.driver.network.next(), if self.driver.committer.load() < LOAD => match input {
                    Some(input) => self.handle(input),
                    None => {
                        error!("the network has ended");
                        break;
                    }
                },
                () = sleep_until(deadline) => self.handle(Input::Timeout),
                () = reopening => self.reopen_due(),
                _ = sleep_check.tick() => if sleep.slept() {
                    info!("the machine slept; the network is tried again");
                    self.handle(Input::NetworkChanged);
                },
            }
        }
        self.finish().await;
    }

    fn restore_all(&mut self) {
        for room in self.driver.store.rooms() {
            self.restore(room, Vec::new());
        }
    }

    fn restore(&mut self, room: RoomId, unsaved: Vec<(Slot, Option<Vec<u8>>)>) {
        match self.driver.store.kept(&room, &self.driver.node.me()) {
            Ok(kept) => {
                let is_kept = kept.slots.iter().any(|(slot, _)| *slot == Slot::Keys);
                let mut saved: BTreeMap<Slot, Vec<u8>> = kept.slots.into_iter().collect();
                for (slot, value) in unsaved {
                    match value {
                        Some(value) => saved.insert(slot, value),
                        None => saved.remove(&slot),
                    };
                }
                let saved = saved.into_iter().collect();
                self.handle(Input::Restored { room, saved, own_seq: kept.own_seq });
                if is_kept && self.driver.node.room(&room).is_none() {
                    error!(%room, "a room cannot be read; it is tried again in a while");
                    self.reopen(room);
                }
            }
            Err(error) => {
                error!(%room, %error, "a room cannot be read; it is tried again in a while");
                self.reopen(room);
            }
        }
    }

    /// Has a room read again that cannot go on.
    fn reopen(&mut self, room: RoomId) {
        if self.reopening.failed(room, Instant::now()) {
            self.driver.committer.write(Write::Reopen { room });
        }
    }

    fn reopen_due(&mut self) {
        for room in self.reopening.due(Instant::now()) {
            self.driver.committer.write(Write::Reopen { room });
        }
    }

    fn deadline(&self) -> Instant {
        let now = self.driver.clock.now();
        // Without a reason to wake up, somewhen is early enough.
        let wait = self.driver.node.poll_timeout().map_or(Duration::from_secs(3600), |(at, _)| at.since(now));
        Instant::now() + wait
    }

    fn command(&mut self, command: Command, reply: oneshot::Sender<Result<Outcome, Refusal>>) {
        self.next_token += 1;
        let token = Token(self.next_token);
        self.replies.insert(token, Asked { room: command.room(), reply });
        self.handle(Input::Command { token, command });
    }

    fn handle(&mut self, input: Input) {
        self.feed(input);
        self.drain();
    }

    fn feed(&mut self, input: Input) {
        self.driver.node.handle(input, self.driver.clock.now());
    }

    fn drain(&mut self) {
        while let Some(effect) = self.driver.node.poll_effect() {
            match effect {
                Effect::Append { number, room, records } => {
                    self.submit(number, Write::Append { number, room, records })
                }
                Effect::Save { number, room, slot, value } => {
                    self.submit(number, Write::Save { number, room, slot, value });
                }
                Effect::Chunk { number, room, id, bytes } => {
                    self.submit(number, Write::Chunk { number, room, id, bytes });
                }
                Effect::Forget { number, room } => self.submit(number, Write::Forget { number, room }),
                Effect::Reopen { room } => self.reopen(room),
                effect => {
                    let room = self.asked_in(&effect);
                    if let Some(effect) = self.held.push(effect, room) {
                        self.carry_out(effect);
                    }
                }
            }
        }
    }

    /// The room that a reply is about.
    fn asked_in(&self, effect: &Effect) -> Option<RoomId> {
        match effect {
            Effect::Reply { result: Ok(Outcome::Created { room }), .. } => Some(*room),
            Effect::Reply { token, .. } => self.replies.get(token)?.room,
            _ => None,
        }
    }

    fn submit(&mut self, number: u64, write: Write) {
        self.held.submitted(number);
        self.driver.committer.write(write);
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Reply { token, result } => {
                if let Some(asked) = self.replies.remove(&token) {
                    // Whoever asked may be gone.
                    let _ = asked.reply.send(result);
                }
            }
            Effect::Notify(notice) => {
                note(&notice);
                let _ = self.notices.send(notice);
            }
            Effect::Derive { id, secret, label } => self.derive(id, secret, label),
            Effect::MakeLetterKeys { room } => {
                let (keys, ratchets) = olm::create();
                self.feed(Input::LetterKeysMade { room, keys, ratchets });
            }
            Effect::SealLetter { room, ratchets, to, keys, afresh, content } => {
                let sealed = olm::seal(&ratchets, to, &keys, afresh, &content);
                let sealed = sealed.inspect_err(|error| warn!(%room, %to, %error, "a letter cannot be written"));
                self.feed(Input::LetterSealed { room, sealed: sealed.ok() });
            }
            Effect::OpenLetter { room, ratchets, from, message } => {
                let opened = olm::open(&ratchets, from, &message);
                let opened = opened.inspect_err(|error| debug!(%room, %from, %error, "a letter cannot be read"));
                self.feed(Input::LetterOpened { room, opened: opened.ok() });
            }
            effect => self.driver.network.carry_out(effect),
        }
    }

    fn derive(&self, id: DeriveId, secret: InviteSecret, label: InviteLabel) {
        let (permits, inputs) = (self.derivations.clone(), self.inputs.clone());
        tokio::spawn(async move {
            let Ok(_permit) = permits.acquire_owned().await else { return };
            let Ok(key) = tokio::task::spawn_blocking(move || derive_knock_key(&secret, &label)).await else { return };
            let _ = inputs.send(Input::Derived { id, key }).await;
        });
    }

    fn on_told(&mut self, told: Told) {
        match told {
            Told::Settled { through, refused } => self.on_settled(through, refused),
            Told::Reopened { room, unsaved } => {
                self.reopening.answered(room, Instant::now());
                self.restore(room, unsaved);
            }
        }
    }

    fn on_settled(&mut self, through: u64, refused: Option<Refused>) {
        let released = self.held.settle(through, refused.as_ref());
        // First: a room that is closed must not go on with what rests on what was refused.
        if let Some(refused) = refused {
            self.on_refused(refused);
        }
        released.effects.into_iter().for_each(|effect| self.carry_out(effect));
        // After the refusals: it counts for all numbers but theirs.
        self.feed(Input::Durable { number: through });
        for input in released.unasked {
            self.feed(input);
        }
        for link in released.broken {
            self.driver.network.carry_out(Effect::Hangup { link });
            self.feed(Input::Closed { link });
        }
        self.drain();
    }

    fn on_refused(&mut self, refused: Refused) {
        warn!(why = refused.why, "events could not be written");
        for (room, number) in refused.appends {
            self.feed(Input::AppendFailed { room, number, why: refused.why.clone() });
            if self.reopening.refused(room) {
                self.driver.committer.write(Write::Reopen { room });
            }
        }
    }

    /// Waits until all that was begun is durable, and tells it.
    async fn finish(mut self) {
        self.handle(Input::Ending);
        self.driver.committer.write(Write::Stop);
        while let Some(told) = self.driver.told.recv().await {
            if let Told::Settled { through, refused } = told {
                let released = self.held.settle(through, refused.as_ref());
                released.effects.into_iter().for_each(|effect| self.carry_out(effect));
            }
        }
    }
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// What a user would tell a friend.
fn note(notice: &Notice) {
    match notice {
        Notice::Joined { room } => info!(%room, "joined a room"),
        Notice::JoinRefused { room, reason } => warn!(%room, %reason, "could not join a room"),
        Notice::Presence { room, member } => debug!(%room, %member, "a member came or went"),
        Notice::Equivocation { room, member } => warn!(%room, %member, "two copies of a member's key are in use"),
        Notice::Intruder { room, .. } => warn!(%room, "somebody who is no member tried to get in"),
        Notice::Out { room } => info!(%room, "no longer a member of a room"),
        Notice::Reopened { room } => info!(%room, "a room that was closed is here again"),
        Notice::Reopening { room, why } => warn!(%room, why, "a room was closed and is read again"),
        Notice::Verification { room, member, step } => info!(%room, %member, ?step, "words are compared"),
        Notice::Arrived { .. } | Notice::Artifact { .. } | Notice::Undone { .. } | Notice::Delivery { .. } => {}
    }
}
