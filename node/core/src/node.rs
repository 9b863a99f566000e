//! All rooms of one identity, as a machine that performs no IO.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use pairwave_wire::TransportId;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use crate::answer::Answering;
use crate::blobs::Progress;
use crate::command::{Speaker, Token};
use crate::connectivity::Connectivity;
use crate::context::Context;
use crate::delivery::Delivery;
use crate::effect::{DeriveId, Effect, Slot};
use crate::epochs::EpochKeys;
use crate::id::{EventId, FindingId, MemberId, RoomId};
use crate::input::{ConnectedRelay, Input, LinkId};
use crate::invite::Invite;
use crate::joining::Joining;
use crate::key::Identity;
use crate::links::Links;
use crate::log::{Log, LogError};
use crate::mailbox::{LetterCounts, Own};
use crate::message::LiveSession;
use crate::notice::{Notice, VerificationStep};
use crate::outbox::Outbox;
use crate::relays;
use crate::room::Room;
use crate::seat::{Seat, Standing};
use crate::time::Timestamp;

/// Most events that are looked at to say how much is unread.
const LOOKS: usize = 2_000;

/// All rooms of one identity.
///
/// Call [`handle`](Self::handle) with everything that happens, [`poll_effect`](Self::poll_effect)
/// until it is empty after each, and feed [`Input::Timeout`] when
/// [`poll_timeout`](Self::poll_timeout) has come:
///
/// 1. Wait for a command, bytes, a finished write or the time-out.
/// 2. `node.handle(input, now)`.
/// 3. Carry out every `node.poll_effect()`, in order; what follows an `Append` or `Save` waits
///    until that is durable.
/// 4. Set the clock to `node.poll_timeout()`; go to 1.
pub struct Node<L: Log> {
    pub(crate) identity: Identity,
    pub(crate) transport: TransportId,
    pub(crate) addresses: Vec<String>,
    /// The relays that can be asked, nearest first.
    pub(crate) connected_relays: Vec<ConnectedRelay>,
    pub(crate) limits: Limits,
    pub(crate) log: L,
    pub(crate) rng: ChaCha20Rng,
    pub(crate) outbox: Outbox,
    pub(crate) seats: BTreeMap<RoomId, Seat>,
    pub(crate) joins: BTreeMap<RoomId, Joining>,
    /// Last looks for replies to wishes that are over, and the relay of each.
    pub(crate) sweeps: BTreeMap<u64, TransportId>,
    /// Joiners who sent a line back.
    pub(crate) answering: BTreeMap<TransportId, Answering>,
    pub(crate) links: Links,
    pub(crate) connectivity: Connectivity,
    pub(crate) derivations: BTreeMap<DeriveId, Derivation>,
    /// Rooms that were closed because their log failed.
    pub(crate) closed: BTreeSet<RoomId>,
    next_derivation: u64,
    /// What the last [`Effect::Relays`] told.
    relays: Vec<String>,
    pub(crate) now: Timestamp,
}

/// What a key is derived for.
#[derive(Debug)]
pub(crate) enum Derivation {
    Invite { token: Token, by: Speaker, invite: Invite },
    Join { room: RoomId },
}

/// Bounds and rates that are this companion's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How long a stream may take to prove who is there.
    pub handshake: Duration,
    /// How long what only spares work may stay unsaved: what members have, the folded state.
    pub save_after: Duration,
    /// How many events may be folded again whenever a late one comes; where it would be more, late
    /// ones are gathered.
    pub fold_again: u64,
    /// How long to leave a companion alone that turned out to be none of ours.
    pub stranger_pause: Duration,
    /// Pause between two knocks at one companion, rising with every silent one.
    pub knock_pause: Duration,
    /// Bytes that the blobs of one room may take up here. Others' stay below half of it each.
    pub blobs_per_room: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(5),
            save_after: Duration::from_secs(5),
            fold_again: 512,
            stranger_pause: Duration::from_secs(600),
            knock_pause: Duration::from_secs(13),
            blobs_per_room: 512 << 20,
        }
    }
}

/// Why the node wants to be woken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// A companion is to be dialled.
    Dial,
    /// A stream is to be opened, or has taken too long to prove itself.
    Stream,
    /// A link must say or hear something, or carry an event on.
    Link,
    /// An exchange of words grows old.
    Words,
    /// What was put off is to be folded.
    Fold,
    /// What only spares work is to be saved.
    Save,
    /// A letter is to be written, or may wait for us.
    Letters,
    /// Something of the room became true by time: a request is too old, a holder of the floor away.
    Room,
    /// Our addresses are to be published, or a member's are to be found.
    Lookup,
    /// A chunk may be asked for elsewhere, or again.
    Blobs,
}

/// Whether a member is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Presence {
    /// The companion at the other end of the link, if one is up.
    pub link: Option<TransportId>,
    /// Sessions that are live there.
    pub sessions: Vec<LiveSession>,
    pub last_seen: Option<Timestamp>,
    /// Their clock minus ours in milliseconds, as of when the link came up.
    pub skew_ms: Option<i64>,
}

impl<L: Log> Node<L> {
    /// A node without rooms; what was there before comes in as [`Input::Restored`]. `seed` must be
    /// fresh at every start.
    pub fn new(
        identity: Identity,
        transport: TransportId,
        limits: Limits,
        seed: [u8; 32],
        log: L,
        now: Timestamp,
    ) -> Self {
        Self {
            identity,
            transport,
            addresses: Vec::new(),
            connected_relays: Vec::new(),
            limits,
            log,
            rng: ChaCha20Rng::from_seed(seed),
            outbox: Outbox::default(),
            seats: BTreeMap::new(),
            joins: BTreeMap::new(),
            sweeps: BTreeMap::new(),
            answering: BTreeMap::new(),
            links: Links::default(),
            connectivity: Connectivity::default(),
            derivations: BTreeMap::new(),
            closed: BTreeSet::new(),
            next_derivation: 0,
            relays: Vec::new(),
            now,
        }
    }

    /// Takes one thing that happened.
    pub fn handle(&mut self, input: Input, now: Timestamp) {
        self.now = now.max(self.now);
        let reaches_out = !matches!(input, Input::Sent { .. } | Input::Durable { .. } | Input::Ending);
        match input {
            Input::Command { token, command } => {
                if let Some(room) = command.room().filter(|_| command.hangs_on_the_state()) {
                    self.with_seat(&room, Seat::settle_now);
                }
                self.on_command(token, command);
            }
            Input::Listening { addresses } => self.on_listening(addresses),
            Input::Found { peer, addresses } => self.connectivity.found(peer, addresses, self.now),
            Input::NetworkChanged => self.on_network_changed(),
            Input::Connected { peer, address } => self.on_connected(peer, address),
            Input::Disconnected { peer } => self.on_disconnected(&peer),
            Input::Accepted { link, peer, protocol } => self.on_accepted(link, peer, protocol),
            Input::Opened { link } => self.on_opened(link),
            Input::Small { link } => self.on_small(link),
            Input::Closed { link } => self.on_closed(link),
            Input::Frame { link, bytes } => self.on_frame(link, &bytes),
            Input::Sent { link } => self.on_sent(link),
            Input::Durable { number } => self.each_seat(|seat, context| seat.on_durable(number, context)),
            Input::AppendFailed { room, number: _, why } => self.on_append_failed(room, why),
            Input::Derived { id, key } => self.on_derived(id, key),
            Input::BetterPath { peer } => self.move_links(&peer),
            Input::Relays { connected } => self.connected_relays = connected,
            Input::LetterKeysMade { room, keys, ratchets } => {
                if !self.on_keys_for_knock(room, keys, &ratchets) {
                    self.with_seat(&room, |seat, context| seat.on_letter_keys(keys, ratchets, context));
                }
            }
            Input::LetterSealed { room, sealed } => {
                self.with_seat(&room, |seat, context| seat.on_sealed(sealed, context));
            }
            Input::LetterOpened { room, opened } => {
                self.with_seat(&room, |seat, context| seat.on_opened_letter(opened, context));
            }
            Input::Mailed { id, answer } if self.on_knock_mailed(id, answer.as_ref()) => (),
            Input::Mailed { id, answer } => {
                self.each_seat(|seat, context| seat.on_mailed(id, answer.clone(), context));
            }
            Input::LookedUp { id, answer } => {
                self.each_seat(|seat, context| seat.on_looked_up(id, answer.clone(), context));
            }
            Input::Restored { room, saved, own_seq } => self.on_restored(room, saved, own_seq),
            Input::Timeout => self.on_timeout(),
            Input::Ending => self.each_seat(Seat::save_now),
        }
        self.close_failed();
        self.finish_joins();
        self.follow_membership();
        self.follow_relays();
        self.each_seat(Seat::tend);
        self.mind_knock_letters();
        if reaches_out {
            self.reach_out();
        }
    }

    /// The next thing to do, in order.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.outbox.pop()
    }

    /// When to feed [`Input::Timeout`], and why.
    pub fn poll_timeout(&self) -> Option<(Timestamp, Timer)> {
        let seats = self.seats.values().flat_map(|seat| {
            let links = seat.links.values().map(|link| (link.poll_timeout(), Timer::Link));
            let words = seat.comparing.poll_timeout().map(|at| (at, Timer::Words));
            let fold = seat.poll_settle().map(|at| (at, Timer::Fold));
            let save = seat.poll_save().map(|at| (at, Timer::Save));
            let letters = seat.mailbox.poll_timeout().map(|at| (at, Timer::Letters));
            let tend = seat.poll_tend().map(|at| (at, Timer::Room));
            let lookup = seat.whereabouts.poll_timeout().map(|at| (at, Timer::Lookup));
            let blobs = seat.blobs.poll_timeout().map(|at| (at, Timer::Blobs));
            links.chain(words).chain(fold).chain(save).chain(letters).chain(lookup).chain(tend).chain(blobs)
        });
        let by_letter = self.joins.values().filter_map(|joining| joining.by_letter.poll_timeout());
        let seats = seats.chain(by_letter.map(|at| (at, Timer::Letters)));
        let dial = self.connectivity.poll_timeout().map(|at| (at, Timer::Dial));
        let stream = self.links.poll_timeout(self.limits.handshake).map(|at| (at, Timer::Stream));
        seats.chain(dial).chain(stream).min()
    }

    /// Who we are.
    pub fn me(&self) -> MemberId {
        self.identity.member()
    }

    /// Names a finding of the secret scan; see [`Identity::finding`].
    pub fn finding(&self, room: Option<&RoomId>, rule: &str, secret: &[u8]) -> FindingId {
        self.identity.finding(room, rule, secret)
    }

    /// Under which name we are reached.
    pub fn transport(&self) -> &TransportId {
        &self.transport
    }

    /// The log that the rooms are read from.
    pub fn log(&self) -> &L {
        &self.log
    }

    /// The rooms whose log has arrived.
    pub fn rooms(&self) -> impl Iterator<Item = &Room> {
        self.seats.values().filter(|seat| self.standing_at(seat) != Standing::Waiting).map(|seat| &seat.room)
    }

    /// A room whose log has arrived, at least in part.
    pub fn room(&self, id: &RoomId) -> Option<&Room> {
        self.seats.get(id).map(|seat| &seat.room)
    }

    /// Wishes to join that are not granted yet.
    pub fn joins(&self) -> impl Iterator<Item = &Joining> {
        self.joins.values()
    }

    /// Where we stand in a room.
    pub fn standing(&self, room: &RoomId) -> Standing {
        self.seats.get(room).map_or(Standing::Waiting, |seat| self.standing_at(seat))
    }

    /// Who holds a log, does not wait for an admission and is no member had one that came to nothing.
    fn standing_at(&self, seat: &Seat) -> Standing {
        let gave_up = || seat.room.count() > 0 && !self.joins.contains_key(&seat.id());
        match seat.standing() {
            Standing::Waiting if gave_up() => Standing::Removed,
            standing => standing,
        }
    }

    /// How far an event has got at each other member. Empty for what is not there.
    pub fn delivery(&self, room: &RoomId, event: &EventId) -> Result<BTreeMap<MemberId, Delivery>, LogError> {
        let Some(seat) = self.seats.get(room) else { return Ok(BTreeMap::new()) };
        let record = seat.room.record(&self.log, event)?;
        Ok(record.map_or_else(BTreeMap::new, |record| seat.delivery(&record)))
    }

    /// How many events a member has not got, and how many of them wait for it at a mailbox.
    pub fn pending(&self, room: &RoomId, member: &MemberId) -> (u64, u64) {
        self.seats.get(room).map_or((0, 0), |seat| seat.pending(member))
    }

    /// The artifacts of a room that are here, on their way, or were.
    pub fn artifacts(&self, room: &RoomId) -> Vec<EventId> {
        self.seats.get(room).map(|seat| seat.artifacts().collect()).unwrap_or_default()
    }

    /// How far an artifact has come here.
    pub fn artifact(&self, room: &RoomId, artifact: &EventId) -> Option<Progress> {
        self.seats.get(room)?.progress(artifact)
    }

    /// Whether a member is there.
    pub fn presence(&self, room: &RoomId, member: &MemberId) -> Presence {
        let Some(seat) = self.seats.get(room) else { return Presence::default() };
        if *member == seat.me() {
            return Presence { sessions: seat.reading.live().collect(), ..Presence::default() };
        }
        let link = seat.links.get(member);
        Presence {
            link: link.map(|link| link.peer().clone()),
            sessions: link.map(|link| link.sessions.clone()).unwrap_or_default(),
            last_seen: seat.deliveries.last_seen(member),
            skew_ms: link.and_then(|link| link.skew_ms),
        }
    }

    /// Up to `limit` messages that a session was not given, oldest first: arrival and event.
    pub fn unread(&self, room: &RoomId, by: Speaker, limit: usize) -> Result<Vec<(u64, EventId)>, LogError> {
        self.seats.get(room).map_or(Ok(Vec::new()), |seat| seat.unread(by, limit, usize::MAX, &self.log))
    }

    /// The messages that a session was not given: how many, counted up to 1,000, and the first of
    /// them. Among a bounded number of events, for this is asked again and again.
    pub fn unread_summary(&self, room: &RoomId, by: Speaker) -> (u64, Option<(u64, EventId)>) {
        let unread = self.seats.get(room).map(|seat| seat.unread(by, 1000, LOOKS, &self.log));
        let unread = unread.and_then(Result::ok).unwrap_or_default();
        (unread.len() as u64, unread.first().copied())
    }

    /// How many messages a session was not given; see [`Self::unread_summary`].
    pub fn unread_count(&self, room: &RoomId, by: Speaker) -> u64 {
        self.unread_summary(room, by).0
    }

    /// Everything for a session up to this arrival was given to it.
    pub fn read_through(&self, room: &RoomId, by: Speaker) -> u64 {
        self.seats.get(room).map_or(0, |seat| seat.reading.cursor(by))
    }

    /// Where an exchange of words with a member stands, if one is under way.
    pub fn verification(&self, room: &RoomId, member: &MemberId) -> Option<VerificationStep> {
        self.seats.get(room)?.comparing.step(member)
    }

    /// Transport ids under which a member was met or is said to be.
    pub fn transports(&self, room: &RoomId, member: &MemberId) -> Vec<TransportId> {
        let seat = self.seats.get(room);
        seat.map(|seat| seat.peers.of(member).map(|(transport, _)| transport.clone()).collect()).unwrap_or_default()
    }

    /// How this room's letters fared since the start.
    pub fn letters(&self, room: &RoomId) -> LetterCounts {
        self.seats.get(room).map(|seat| seat.mailbox.counts).unwrap_or_default()
    }

    /// When a dial of this companion last came to nothing, if it has not answered since.
    pub fn unanswered(&self, peer: &TransportId) -> Option<Timestamp> {
        self.connectivity.unanswered(peer)
    }

    /// Calls `with` on a seat and what it needs.
    pub(crate) fn with_seat<R>(
        &mut self,
        room: &RoomId,
        with: impl FnOnce(&mut Seat, &mut Context<'_>) -> R,
    ) -> Option<R> {
        let seat = self.seats.get_mut(room)?;
        let mut context = Context {
            identity: &self.identity,
            transport: &self.transport,
            addresses: &self.addresses,
            relays: &self.connected_relays,
            limits: &self.limits,
            log: &self.log,
            rng: &mut self.rng,
            outbox: &mut self.outbox,
            now: self.now,
        };
        Some(with(seat, &mut context))
    }

    pub(crate) fn each_seat(&mut self, mut with: impl FnMut(&mut Seat, &mut Context<'_>)) {
        let rooms: Vec<RoomId> = self.seats.keys().copied().collect();
        for room in rooms {
            self.with_seat(&room, &mut with);
        }
    }

    pub(crate) fn derive(&mut self, invite: &Invite, purpose: Derivation) {
        self.next_derivation += 1;
        let id = DeriveId(self.next_derivation);
        self.derivations.insert(id, purpose);
        self.outbox.push(Effect::Derive { id, secret: invite.secret.clone(), label: invite.label });
    }

    fn on_listening(&mut self, addresses: Vec<String>) {
        self.addresses = addresses;
        self.each_seat(|seat, context| {
            seat.tell_peers(context);
            seat.publish_soon(context);
            seat.mind_whereabouts(context);
        });
    }

    /// Links cannot be trusted to notice: each must prove at once that it is alive.
    fn on_network_changed(&mut self) {
        self.connectivity.restart(self.now);
        self.links.restart(self.now);
        self.each_seat(Seat::probe);
    }

    /// Rooms whose log failed are closed, and read again.
    fn close_failed(&mut self) {
        let failed = self.seats.iter().filter_map(|(room, seat)| Some((*room, seat.failed()?.to_owned())));
        for (room, why) in failed.collect::<Vec<_>>() {
            self.on_append_failed(room, why);
            self.outbox.push(Effect::Reopen { room });
        }
    }

    fn on_append_failed(&mut self, room: RoomId, why: String) {
        let Some(seat) = self.seats.remove(&room) else { return };
        for link in seat.links.values() {
            self.links.forget(&link.id());
            self.outbox.push(Effect::Hangup { link: link.id() });
        }
        self.closed.insert(room);
        self.outbox.notify(Notice::Reopening { room, why });
    }

    fn on_restored(&mut self, room: RoomId, saved: Vec<(Slot, Vec<u8>)>, own_seq: u64) {
        let saved: BTreeMap<Slot, Vec<u8>> = saved.into_iter().collect();
        if let Some(mut joining) = saved.get(&Slot::Joining).and_then(|bytes| Joining::decode(bytes)) {
            let is_seated = saved.contains_key(&Slot::Keys);
            joining.own = saved.get(&Slot::Ratchets).filter(|_| !is_seated).and_then(|bytes| Own::decode(bytes));
            let invite = joining.invite.clone();
            self.joins.insert(room, joining);
            self.derive(&invite, Derivation::Join { room });
        }
        let Some(keys) = saved.get(&Slot::Keys).and_then(|bytes| EpochKeys::decode(bytes)) else { return };
        let state = saved.get(&Slot::State).map(Vec::as_slice);
        match Room::restore(room, self.me(), &self.log, state) {
            Ok(restored) => {
                let mut seat = Seat::new(restored, keys, own_seq);
                seat.restore(&saved);
                self.seats.insert(room, seat);
                self.with_seat(&room, Seat::take_up_letters);
                self.with_seat(&room, Seat::mind_blobs);
                if self.closed.remove(&room) {
                    self.outbox.notify(Notice::Reopened { room });
                }
            }
            Err(error) => {
                self.closed.insert(room);
                self.outbox.notify(Notice::Reopening { room, why: error.to_string() });
                self.outbox.push(Effect::Reopen { room });
            }
        }
    }

    fn on_timeout(&mut self) {
        self.end_slow_handshakes();
        let mut dead: Vec<(LinkId, TransportId)> = Vec::new();
        self.each_seat(|seat, context| {
            for link in seat.links.values_mut() {
                link.beat(context);
                if link.is_dead(context.now) {
                    dead.push((link.id(), link.peer().clone()));
                }
            }
            seat.words_timeout(context);
            seat.settle_if_due(context);
            seat.save_if_due(context);
            seat.mind_mailbox(context);
            seat.mind_whereabouts(context);
            seat.mind_blobs(context);
            seat.pump(context);
        });
        for (link, peer) in dead {
            self.outbox.push(Effect::Hangup { link });
            self.outbox.push(Effect::Drop { peer });
            self.on_closed(link);
        }
    }

    /// Who came may be somebody that seemed strange, and others must hear how to reach it.
    fn follow_membership(&mut self) {
        let mut changed = false;
        self.each_seat(|seat, context| {
            if seat.take_membership_changed() {
                changed = true;
                seat.tell_peers(context);
            }
        });
        if changed {
            self.links.restart(self.now);
        }
    }

    /// Tells which relays to be at, where that changed. What a closed room named is still told, for
    /// the room comes back.
    fn follow_relays(&mut self) {
        let member = self.seats.values().filter(|seat| seat.standing() == Standing::Member);
        let rooms = member.flat_map(|seat| seat.room.state().relays.iter());
        let invites = self.joins.values().flat_map(|joining| joining.invite.relays.iter().map(String::as_str));
        let before = self.relays.iter().map(String::as_str).filter(|_| !self.closed.is_empty());
        let relays = relays::union(rooms.chain(invites).chain(before));
        if !relays.iter().eq(self.relays.iter()) {
            self.relays = relays.into_iter().map(str::to_owned).collect();
            self.outbox.push(Effect::Relays { relays: self.relays.clone() });
        }
        self.each_seat(Seat::follow_relays);
    }

    /// Dials and opens what is due. Cheap when nothing is.
    fn reach_out(&mut self) {
        let link_of = |room: &RoomId, member: &MemberId| Some(self.seats.get(room)?.links.get(member)?.id());
        self.links.end_unless(|room, member, link| link_of(room, member) == Some(link), self.now);
        self.expire_answers();
        let goals = self.goals();
        self.connectivity.want(&goals, self.now);
        let jitter = self.rng.next_u64();
        for dial in self.connectivity.poll(jitter, self.now) {
            self.outbox.push(Effect::Dial { peer: Some(dial.peer), addresses: dial.addresses });
        }
        self.open_streams();
    }

    /// Who is worth dialling: members we have no link to, who invited us, who answered, and, where somebody is
    /// missing, every companion on the local network that was not tried lately.
    fn goals(&self) -> BTreeMap<TransportId, BTreeSet<String>> {
        let mut goals: BTreeMap<TransportId, BTreeSet<String>> = BTreeMap::new();
        let mut missing = !self.joins.is_empty();
        for seat in self.seats.values().filter(|seat| seat.wants_links()) {
            for member in seat.away() {
                missing = true;
                for (transport, addresses) in seat.peers.of(&member) {
                    let goal = goals.entry(transport.clone()).or_default();
                    goal.extend(addresses.cloned());
                    goal.extend(seat.room.state().relays.iter().map(relays::circuit));
                }
            }
        }
        for joining in self.joins.values() {
            let Invite { transport, addresses, relays, .. } = &joining.invite;
            let goal = goals.entry(transport.clone()).or_default();
            goal.extend(addresses.iter().cloned());
            goal.extend(relays.iter().map(|relay| relays::circuit(relay)));
        }
        for (transport, answering) in &self.answering {
            goals.entry(transport.clone()).or_default().extend(answering.addresses.iter().cloned());
        }
        if missing {
            for seen in self.connectivity.seen().filter(|seen| !self.links.is_strange(seen, self.now)) {
                goals.entry(seen.clone()).or_default();
            }
        }
        goals.remove(&self.transport);
        goals
    }
}
