//! From a connection to a link: opening streams, and the handshakes on them.

use pairwave_wire::TransportId;
use rand_core::Rng;

use crate::effect::{Effect, Slot};
use crate::id::{MemberId, RoomId};
use crate::input::{LinkId, Protocol};
use crate::link::{Acceptor, Established, Greeting, LinkError, Opener, Refused, Step};
use crate::links::{Goal, Phase, Stream};
use crate::live::LiveLink;
use crate::log::Log;
use crate::message::LinkMessage;
use crate::node::Node;
use crate::notice::Notice;
use crate::seat::{Seat, Standing};

impl<L: Log> Node<L> {
    pub(crate) fn on_connected(&mut self, peer: TransportId, address: String) {
        self.connectivity.connected(&peer);
        let wanted = self.seats.values().any(|seat| seat.peers.member_at(&peer).is_some());
        let wanted = wanted || self.answering.contains_key(&peer);
        if !wanted && self.joins.is_empty() && self.transport > peer {
            // It opens the stream if it is one of ours. If not, it is not worth another dial.
            self.links.strange(peer.clone(), self.now + self.limits.stranger_pause);
        }
        self.each_seat(|seat, context| {
            // Who came by a circuit cannot be called back by where it came from.
            if !address.is_empty() && seat.peers.connected(&peer, &address) {
                seat.save_peers(context);
            }
        });
    }

    pub(crate) fn on_disconnected(&mut self, peer: &TransportId) {
        let jitter = self.rng.next_u64();
        self.connectivity.disconnected(peer, jitter, self.now);
    }

    pub(crate) fn on_accepted(&mut self, link: LinkId, peer: TransportId, protocol: Protocol) {
        let phase = match protocol {
            Protocol::Room => Phase::AcceptedLink,
            Protocol::Knock => Phase::AcceptedKnock,
        };
        self.links.accepted(link, peer, phase, self.now);
    }

    /// Opens the streams that are due to the companions that are connected. Of two members the one
    /// with the lower transport id opens, so that two streams never cross.
    pub(crate) fn open_streams(&mut self) {
        let connected: Vec<TransportId> = self.connectivity.connections().cloned().collect();
        for peer in connected {
            let rooms: Vec<RoomId> = self.seats.keys().copied().collect();
            for room in rooms {
                let wanted = self.seats.get(&room).is_some_and(|seat| wants_link_to(seat, &peer));
                let goal = (room, peer.clone(), Protocol::Room);
                if wanted && self.transport < peer && self.links.is_due(&goal, self.now) {
                    self.open_stream(goal);
                }
            }
            self.open_knocks(&peer);
        }
    }

    /// A better connection to this companion has come up: its links move there, each new stream
    /// before the old one ends.
    pub(crate) fn move_links(&mut self, peer: &TransportId) {
        if self.transport >= *peer {
            return;
        }
        let is_linked = |seat: &Seat| seat.links.values().any(|link| link.peer() == peer);
        let rooms: Vec<_> = self.seats.iter().map(|(room, seat)| (*room, is_linked(seat))).collect();
        for (room, is_linked) in rooms {
            let goal = (room, peer.clone(), Protocol::Room);
            if !self.links.outpaced(&goal) && is_linked {
                self.open_stream(goal);
            }
        }
    }

    pub(crate) fn open_stream(&mut self, goal: Goal) {
        let (_, peer, protocol) = goal.clone();
        let link = self.links.open(goal, self.now);
        self.outbox.push(Effect::Open { link, peer, protocol });
    }

    pub(crate) fn on_opened(&mut self, link: LinkId) {
        let Some(stream) = self.links.take(&link) else { return };
        match stream.phase {
            Phase::OpeningLink { room } => self.offer_epochs(link, room, stream),
            Phase::OpeningKnock { room } => self.knock(link, room, stream),
            _ => self.links.set(link, stream),
        }
    }

    /// The stream runs over a circuit with small limits.
    pub(crate) fn on_small(&mut self, link: LinkId) {
        self.links.mark_small(link);
        for seat in self.seats.values_mut() {
            seat.links.values_mut().filter(|live| live.id() == link).for_each(|live| live.small = true);
        }
    }

    pub(crate) fn on_closed(&mut self, link: LinkId) {
        let live = self.links.get(&link).and_then(|stream| match stream.phase {
            Phase::Live { room, member } => Some((room, member)),
            _ => None,
        });
        self.links.ended(&link, self.now);
        let Some((room, member)) = live else { return };
        self.with_seat(&room, |seat, context| {
            if seat.links.get(&member).is_some_and(|live| live.id() == link) {
                seat.link_down(member, context);
            }
        });
    }

    pub(crate) fn on_sent(&mut self, link: LinkId) {
        let Some(Stream { phase: Phase::Live { room, member }, .. }) = self.links.get(&link) else { return };
        let (room, member) = (*room, *member);
        self.with_seat(&room, |seat, context| {
            if let Some(live) = seat.links.get_mut(&member).filter(|live| live.id() == link) {
                live.sent();
                seat.pump_link(&member, context);
            }
        });
    }

    pub(crate) fn on_frame(&mut self, link: LinkId, bytes: &[u8]) {
        if let Some(Stream { phase: Phase::Live { room, member }, .. }) = self.links.get(&link) {
            return self.on_live_frame(link, *room, *member, bytes);
        }
        let Some(stream) = self.links.take(&link) else { return };
        match stream.phase {
            Phase::Opener(opener) => self.on_opener(link, stream.peer, opener, bytes),
            Phase::AcceptedLink => self.greet(link, stream, bytes),
            Phase::Acceptor(acceptor) => self.on_acceptor(link, stream.peer, acceptor, bytes),
            Phase::Knocker { room, knocker } => self.on_knocker(link, stream.peer, room, knocker, bytes),
            Phase::AcceptedKnock => self.on_knock_hello(link, stream, bytes),
            Phase::Porter { room, porter } => self.on_porter(link, stream.peer, room, porter, bytes),
            Phase::Live { .. } | Phase::Ending => (),
            Phase::OpeningLink { .. } | Phase::OpeningKnock { .. } => self.hang_up(link),
        }
    }

    pub(crate) fn end_slow_handshakes(&mut self) {
        for link in self.links.too_slow(self.limits.handshake, self.now) {
            self.hang_up(link);
        }
        self.links.expire(self.now);
    }

    pub(crate) fn hang_up(&mut self, link: LinkId) {
        self.outbox.push(Effect::Hangup { link });
        self.links.ended(&link, self.now);
    }

    pub(crate) fn send_frame(&mut self, link: LinkId, frame: Vec<u8>) {
        self.outbox.push(Effect::Send { link, frame });
    }

    fn on_live_frame(&mut self, link: LinkId, room: RoomId, member: MemberId, bytes: &[u8]) {
        let ended = self.with_seat(&room, |seat, context| {
            let Some(live) = seat.links.get_mut(&member).filter(|live| live.id() == link) else { return false };
            match live.open(bytes, context.now) {
                Ok(None) => false,
                Ok(Some(message)) => seat.on_message(member, message, context).is_err(),
                Err(_) => true,
            }
        });
        if ended == Some(true) {
            self.outbox.push(Effect::Hangup { link });
            self.on_closed(link);
        }
    }

    fn offer_epochs(&mut self, link: LinkId, room: RoomId, stream: Stream) {
        let turn = self.rng.next_u64();
        let Some(seat) = self.seats.get(&room) else { return self.hang_up(link) };
        let epochs = seat.offered_epochs(&stream.peer, turn);
        let epochs = epochs.iter().map(|(id, key)| (*id, key));
        let (opener, hello) = Opener::new(room, &self.transport, &stream.peer, epochs, &mut self.rng);
        self.links.set(link, Stream { phase: Phase::Opener(opener), ..stream });
        self.send_frame(link, hello);
    }

    fn on_opener(&mut self, link: LinkId, peer: TransportId, mut opener: Opener, bytes: &[u8]) {
        let room = opener.room();
        match opener.receive(&self.identity, bytes) {
            Ok(Step::Send(frame)) => {
                self.links.accepted(link, peer, Phase::Opener(opener), self.now);
                self.send_frame(link, frame);
            }
            Ok(Step::PeerProved { member }) => match self.judge(&room, &member) {
                Ok(()) => {
                    if let Ok((frame, established)) = opener.admit() {
                        self.send_frame(link, frame);
                        self.establish(link, peer, established);
                    }
                }
                Err(why) => self.turn_away(link, peer, room, member, opener.refuse(why)),
            },
            Ok(Step::Established(established)) => self.establish(link, peer, established),
            Ok(Step::TurnedAway(why)) => self.on_turned_away(link, room, &peer, why),
            Err(error) => self.on_link_error(link, room, &peer, &error),
        }
    }

    fn greet(&mut self, link: LinkId, stream: Stream, bytes: &[u8]) {
        let turn = self.rng.next_u64();
        let offered: Vec<_> = self.seats.iter().map(|(room, seat)| (*room, seat.accepted_epochs(turn))).collect();
        let epochs = offered.iter().flat_map(|(room, keys)| keys.iter().map(|(epoch, key)| (*room, *epoch, key)));
        match Acceptor::greet(&self.transport, &stream.peer, bytes, epochs, &mut self.rng) {
            Ok(Greeting::Common { acceptor, frame }) => {
                self.links.set(link, Stream { phase: Phase::Acceptor(acceptor), ..stream });
                self.send_frame(link, frame);
            }
            Ok(Greeting::Stranger { frame, version: _ }) => {
                self.send_frame(link, frame);
                self.hang_up(link);
            }
            Err(_) => self.hang_up(link),
        }
    }

    fn on_acceptor(&mut self, link: LinkId, peer: TransportId, mut acceptor: Acceptor, bytes: &[u8]) {
        let room = acceptor.room();
        match acceptor.receive(&self.identity, bytes) {
            Ok(Step::Send(frame)) => {
                self.links.accepted(link, peer, Phase::Acceptor(acceptor), self.now);
                self.send_frame(link, frame);
            }
            Ok(Step::PeerProved { member }) => match self.judge(&room, &member) {
                Ok(()) => {
                    if let Ok(frame) = acceptor.admit(&self.identity) {
                        self.links.accepted(link, peer, Phase::Acceptor(acceptor), self.now);
                        self.send_frame(link, frame);
                    }
                }
                Err(why) => self.turn_away(link, peer, room, member, acceptor.refuse(why)),
            },
            Ok(Step::Established(established)) => self.establish(link, peer, established),
            Ok(Step::TurnedAway(why)) => self.on_turned_away(link, room, &peer, why),
            Err(error) => self.on_link_error(link, room, &peer, &error),
        }
    }

    /// Is this a standing member? Before the log has arrived nobody is known, and who holds the
    /// epoch's key is taken at its word: the log decides.
    fn judge(&self, room: &RoomId, member: &MemberId) -> Result<(), Refused> {
        let seat = self.seats.get(room).ok_or(Refused::Unknown)?;
        if seat.standing() == Standing::Waiting || seat.room.is_member(member) {
            Ok(())
        } else if seat.room.state().members.get(member).is_some() {
            Err(Refused::Removed)
        } else {
            Err(Refused::Unknown)
        }
    }

    fn turn_away(
        &mut self,
        link: LinkId,
        peer: TransportId,
        room: RoomId,
        member: MemberId,
        frame: Result<Vec<u8>, LinkError>,
    ) {
        // Who comes from where a member was met comes as that member, with another key.
        let met = self.seats.get(&room).and_then(|seat| seat.peers.met_at(&peer));
        let claimed = met.unwrap_or(member);
        if let Ok(frame) = frame {
            self.send_frame(link, frame);
        }
        self.hang_up(link);
        self.leave_alone(room, peer);
        self.outbox.notify(Notice::Intruder { room, claimed: Some(claimed) });
    }

    fn on_turned_away(&mut self, link: LinkId, room: RoomId, peer: &TransportId, why: Refused) {
        self.hang_up(link);
        // An admission may have come to nothing: whoever let us in says so when we knock again.
        if let Some(joining) = self.joins.get_mut(&room).filter(|joining| joining.admitted) {
            joining.admitted = false;
            self.outbox.save(room, Slot::Joining, Some(joining.encode()));
        }
        if why == Refused::Unknown {
            return;
        }
        self.leave_alone(room, peer.clone());
        let Some(seat) = self.seats.get_mut(&room) else { return };
        let member = seat.peers.member_at(peer).filter(|member| seat.room.is_member(member));
        if member.is_some_and(|member| seat.refused_by.insert(member)) && seat.standing() == Standing::Removed {
            self.outbox.notify(Notice::Out { room });
        }
    }

    fn on_link_error(&mut self, link: LinkId, room: RoomId, peer: &TransportId, error: &LinkError) {
        self.hang_up(link);
        match error {
            LinkError::NoCommonEpoch => self.on_stranger(room, peer),
            LinkError::BadProof { claimed } => {
                self.leave_alone(room, peer.clone());
                self.outbox.notify(Notice::Intruder { room, claimed: Some(*claimed) });
            }
            LinkError::OwnKey => self.outbox.notify(Notice::Equivocation { room, member: self.me() }),
            _ => (),
        }
    }

    /// A companion that shares no epoch of the room. One that was met as a member is asked again
    /// soon, for it may just be missing a key that somebody else has.
    fn on_stranger(&mut self, room: RoomId, peer: &TransportId) {
        let seat = self.seats.get(&room);
        let known =
            seat.is_some_and(|seat| seat.peers.member_at(peer).is_some() || seat.standing() == Standing::Waiting);
        if !known {
            let until = self.now + self.limits.stranger_pause;
            self.leave_alone(room, peer.clone());
            self.links.strange(peer.clone(), until);
        }
    }

    fn leave_alone(&mut self, room: RoomId, peer: TransportId) {
        self.links.postpone((room, peer, Protocol::Room), self.now + self.limits.stranger_pause);
    }

    fn establish(&mut self, link: LinkId, peer: TransportId, established: Established) {
        let Established { room, member, epoch, channel } = established;
        self.links.accepted(link, peer.clone(), Phase::Live { room, member }, self.now);
        let is_outpaced = self.links.succeeded(&(room, peer.clone(), Protocol::Room));
        let small = self.links.is_small(&link);
        self.with_seat(&room, |seat, context| {
            let mut live = LiveLink::new(link, member, peer.clone(), channel, &seat.room, context.now);
            live.small = small;
            seat.deliveries.linked(member, epoch);
            seat.link_up(live, context);
        });
        if is_outpaced {
            self.move_links(&peer);
        }
    }
}

/// Is there somebody behind this companion to whom the room has no link?
fn wants_link_to(seat: &Seat, peer: &TransportId) -> bool {
    if !seat.wants_links() || seat.links.values().any(|link| link.peer() == peer) {
        return false;
    }
    // Who is but said to be there may be somebody else.
    match seat.peers.met_at(peer) {
        Some(member) => seat.standing() == Standing::Waiting || seat.wants_link_to(&member),
        None => seat.standing() == Standing::Waiting || seat.others().any(|member| !seat.links.contains_key(&member)),
    }
}

impl Seat {
    fn wants_link_to(&self, member: &MemberId) -> bool {
        self.room.is_member(member) && !self.links.contains_key(member)
    }

    /// Tells a member at once that we are here, for a link that may be dying.
    pub(crate) fn probe(&mut self, context: &mut crate::context::Context<'_>) {
        for link in self.links.values_mut() {
            link.say(&LinkMessage::Ping, context);
        }
    }
}
