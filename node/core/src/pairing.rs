//! Joining: knocking with an invite, and opening to those who knock.

use std::collections::BTreeSet;
use std::time::Duration;

use pairwave_wire::{TransportId, hello::InviteLabel, limits, protocol};

use crate::command::{Refusal, Speaker};
use crate::context::Context;
use crate::epochs::EpochKeys;
use crate::event::{Body, Origin};
use crate::id::{EventId, MemberId, RoomId, SessionId};
use crate::input::{LinkId, Protocol};
use crate::key::EpochKey;
use crate::knock::{Answer, Heard, Knock, Knocker, Porter, Refused, Verdict, Welcome};
use crate::links::{Phase, Stream};
use crate::log::Log;
use crate::members::Admitted;
use crate::node::Node;
use crate::notice::{JoinRefusal, Notice};
use crate::room::Room;
use crate::seat::{Seat, Standing};

/// Of so many epochs the newest are offered, where not all can be.
const NEWEST: usize = limits::TAGS - 4;
/// Longest pause between two knocks at a companion that does not answer them.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

impl<L: Log> Node<L> {
    /// Knocks, for every wish to join, at this companion: the inviter's, or any that was seen on
    /// the local network, for every member may admit.
    pub(crate) fn open_knocks(&mut self, peer: &TransportId) {
        let ready = self.joins.iter().filter(|(_, joining)| joining.key.is_some() && !joining.admitted);
        let rooms: Vec<(RoomId, bool)> =
            ready.map(|(room, joining)| (*room, joining.invite.transport == *peer)).collect();
        for (room, is_inviter) in rooms {
            let goal = (room, peer.clone(), Protocol::Knock);
            if self.links.is_due(&goal, self.now) {
                let failures = if is_inviter { 0 } else { self.links.failures(&goal).min(10) };
                let pause = self.limits.knock_pause.saturating_mul(1 << failures).min(LONGEST_PAUSE);
                self.links.postpone(goal.clone(), self.now + pause);
                self.open_stream(goal);
            }
        }
    }

    /// The stream to knock on is up.
    pub(crate) fn knock(&mut self, link: LinkId, room: RoomId, stream: Stream) {
        let Some(joining) = self.joins.get(&room) else { return self.hang_up(link) };
        let Some(key) = &joining.key else { return self.hang_up(link) };
        let label = joining.invite.label;
        let knocker = Knocker::new(room, label, key, &self.transport, &stream.peer, &joining.name, &mut self.rng);
        match knocker {
            Ok((knocker, hello)) => {
                self.links.set(link, Stream { phase: Phase::Knocker { room, knocker }, ..stream });
                self.send_frame(link, hello);
            }
            Err(_) => self.hang_up(link),
        }
    }

    pub(crate) fn on_knocker(
        &mut self,
        link: LinkId,
        peer: TransportId,
        room: RoomId,
        mut knocker: Knocker,
        bytes: &[u8],
    ) {
        match knocker.receive(&self.identity, bytes) {
            Ok(Answer::Send(frame)) => {
                self.links.accepted(link, peer, Phase::Knocker { room, knocker }, self.now);
                self.send_frame(link, frame);
            }
            Ok(Answer::Said { from, verdict }) => {
                self.hang_up(link);
                self.on_verdict(room, from, verdict, &peer);
            }
            Err(_) => self.hang_up(link),
        }
    }

    /// Somebody who holds the invite answers. Of the members only the inviter is known by now: what
    /// another one says counts when the log says that it is a member, and a refusal not at all.
    fn on_verdict(&mut self, room: RoomId, from: MemberId, verdict: Verdict, peer: &TransportId) {
        let Some(joining) = self.joins.get(&room) else { return };
        match verdict {
            Verdict::Refused(why) if from == joining.invite.inviter => self.on_join_refused(room, why),
            Verdict::Refused(_) => (),
            Verdict::Welcome(welcome) => self.on_welcome(welcome, from, peer),
        }
    }

    /// We are in, if that is a member. The log comes over a link; until it has, nothing is certain.
    fn on_welcome(&mut self, welcome: Welcome, from: MemberId, peer: &TransportId) {
        let Welcome { room, epoch, key, admission: _ } = welcome;
        self.take_seat(room);
        self.with_seat(&room, |seat, context| seat.keys_from(from, vec![(epoch, key)], context));
        self.links.encourage(&(room, peer.clone(), Protocol::Room));
    }

    /// A seat in a room whose log has still to arrive, if there is none yet. It is found again by its
    /// keys, so they are saved though there are none.
    pub(crate) fn take_seat(&mut self, room: RoomId) {
        let Some(joining) = self.joins.get_mut(&room) else { return };
        let (inviter, own) = (joining.invite.inviter, joining.own.take());
        let me = self.identity.member();
        let seat = self.seats.entry(room);
        let seat = seat.or_insert_with(|| Seat::new(Room::joining(room, me), EpochKeys::default(), 0));
        seat.unproved.believe(inviter);
        if let Some(own) = own {
            seat.mailbox.adopt(own);
        }
        if seat.room.count() == 0 {
            self.with_seat(&room, |seat, context| seat.save_keys(context));
        }
    }

    pub(crate) fn on_join_refused(&mut self, room: RoomId, why: Refused) {
        self.end_join(room);
        let reason = match why {
            Refused::Expired => JoinRefusal::Expired,
            Refused::UsedUp => JoinRefusal::UsedUp,
            Refused::Revoked => JoinRefusal::Revoked,
            Refused::Full => JoinRefusal::Full,
            Refused::Left => JoinRefusal::Left,
            Refused::Removed => JoinRefusal::Removed,
            Refused::Version { theirs } => JoinRefusal::Version { ours: protocol::VERSION, theirs },
        };
        self.outbox.notify(Notice::JoinRefused { room, reason });
    }

    /// Somebody knocks. Who names no invite of ours hears nothing.
    pub(crate) fn on_knock_hello(&mut self, link: LinkId, stream: Stream, bytes: &[u8]) {
        let greeted = Porter::greet(self.transport.clone(), stream.peer.clone(), bytes);
        let Ok(mut porter) = greeted else { return self.hang_up(link) };
        let label = porter.label();
        let invited = self.seats.iter().filter(|(_, seat)| seat.standing() == Standing::Member);
        let mut invited = invited.filter_map(|(room, seat)| {
            let invite = seat.room.state().members.invite_by_label(&label)?;
            Some((*room, invite.key.clone()))
        });
        let Some((room, key)) = invited.next() else { return self.hang_up(link) };
        match porter.unlock(&key, &mut self.rng) {
            Ok(frame) => {
                self.links.set(link, Stream { phase: Phase::Porter { room, porter }, ..stream });
                self.send_frame(link, frame);
            }
            Err(_) => self.hang_up(link),
        }
    }

    pub(crate) fn on_porter(
        &mut self,
        link: LinkId,
        peer: TransportId,
        room: RoomId,
        mut porter: Porter,
        bytes: &[u8],
    ) {
        let answer = match porter.receive(&self.identity, bytes) {
            Ok(Heard::Knock(knock)) => match self.admit(room, &porter, knock, &peer) {
                Ok(welcome) => porter.welcome(&self.identity, welcome),
                Err(Some(why)) => porter.refuse(&self.identity, why),
                Err(None) => return self.hang_up(link),
            },
            Ok(Heard::OtherVersion { theirs: _, frame }) => Ok(frame),
            Err(_) => return self.hang_up(link),
        };
        if let Ok(frame) = answer {
            self.send_frame(link, frame);
        }
        self.links.accepted(link, peer, Phase::Ending, self.now);
    }

    /// Lets the newcomer in, or says why not. `None`: not now.
    fn admit(
        &mut self,
        room: RoomId,
        porter: &Porter,
        knock: Knock,
        peer: &TransportId,
    ) -> Result<Welcome, Option<Refused>> {
        let (label, member) = (porter.label(), knock.member);
        let admitted = self.with_seat(&room, |seat, context| seat.let_in(&label, member, knock.name, context));
        let admission = admitted.ok_or(None)??;
        self.links.encourage(&(room, peer.clone(), Protocol::Room));
        self.with_seat(&room, |seat, context| {
            seat.peers.met(member, peer, &[]);
            seat.save_peers(context);
            let (epoch, key) = seat.accepted_epochs(0).into_iter().next().ok_or(None)?;
            Ok(Welcome { room, epoch, key, admission })
        })
        .unwrap_or(Err(None))
    }
}

impl Seat {
    /// Lets a newcomer in who holds the invite with this label; the event that admits it. Or says why
    /// not; `None`: not now.
    pub(crate) fn let_in(
        &mut self,
        label: &InviteLabel,
        member: MemberId,
        name: String,
        context: &mut Context<'_>,
    ) -> Result<EventId, Option<Refused>> {
        if let Some(admission) = self.admission_of(&member)? {
            return Ok(admission);
        }
        let invite = self.open_invite(label, context.now)?;
        let body = Body::Admitted(Admitted { member, invite, name });
        self.say(companion(), body, context).map_err(|refusal| match refusal {
            Refusal::RoomFull { .. } => Some(Refused::Full),
            _ => None,
        })
    }

    /// The admission of somebody who is in already and lost the answer. Who was removed, or left,
    /// does not come back under the same key.
    fn admission_of(&self, member: &MemberId) -> Result<Option<EventId>, Option<Refused>> {
        let members = &self.room.state().members;
        match members.get(member) {
            None => Ok(None),
            Some(info) if members.standing(member) => Ok(Some(info.admission)),
            Some(_) if members.has_left(member) => Err(Some(Refused::Left)),
            Some(_) => Err(Some(Refused::Removed)),
        }
    }

    /// The invite that the newcomer holds, if it is still good by our clock.
    fn open_invite(&self, label: &InviteLabel, now: crate::time::Timestamp) -> Result<EventId, Option<Refused>> {
        let invite = self.room.state().members.invite_by_label(label).ok_or(None)?;
        if invite.closed.is_some() {
            Err(Some(Refused::Revoked))
        } else if invite.expires_at <= now {
            Err(Some(Refused::Expired))
        } else if invite.used >= invite.uses {
            Err(Some(Refused::UsedUp))
        } else {
            Ok(invite.id)
        }
    }

    /// Epochs that whoever opens a link may choose, newest first; what is not proved yet begins elsewhere
    /// each `turn`.
    pub(crate) fn accepted_epochs(&self, turn: u64) -> Vec<(EventId, EpochKey)> {
        let started: Vec<EventId> = self.room.state().members.epochs().collect();
        let there: BTreeSet<EventId> = started.iter().copied().collect();
        let unknown: Vec<EventId> = self.keys.iter().map(|(id, _)| *id).filter(|id| !there.contains(id)).collect();
        let known = self.keys.known(started.into_iter().chain(unknown)).map(|(id, key)| (id, key.clone()));
        known.chain(self.unproved.offered(turn)).collect()
    }

    /// Epochs to open a link to this companion with. Where there are too many, most are the newest; but
    /// a member may have started many while this one was away, so those that it surely knows are among
    /// them, and others in turn.
    pub(crate) fn offered_epochs(&self, peer: &TransportId, turn: u64) -> Vec<(EventId, EpochKey)> {
        let mut offered = self.accepted_epochs(turn);
        if offered.len() > limits::TAGS {
            let mut others = offered.split_off(NEWEST);
            let sure = self.peers.member_at(peer).map(|member| self.sure_epochs(&member)).unwrap_or_default();
            offered.extend(others.extract_if(.., |(epoch, _)| sure.contains(epoch)));
            let begin = usize::try_from(turn % others.len().max(1) as u64).unwrap_or(0);
            others.rotate_left(begin);
            offered.extend(others);
            offered.truncate(limits::TAGS);
        }
        offered
    }

    /// Those that somebody may still know as the newest are kept: who was away has to find back.
    pub(crate) fn forget_old_keys(&mut self, context: &mut Context<'_>) {
        if !self.keys.are_many() {
            return;
        }
        let needed: BTreeSet<EventId> = self.others().flat_map(|member| self.sure_epochs(&member)).collect();
        if self.keys.forget_old(self.room.state().members.epochs(), &needed) {
            self.save_keys(context);
        }
    }

    /// The epoch that the last link with a member began in, and the one that it was admitted in.
    fn sure_epochs(&self, member: &MemberId) -> Vec<EventId> {
        let members = &self.room.state().members;
        let admitted = members.get(member).map(|member| member.position);
        let first = members.epochs.iter().rfind(|epoch| Some(**epoch) <= admitted).map(|epoch| epoch.id);
        first.into_iter().chain(self.deliveries.common_epoch(member)).collect()
    }
}

/// Who speaks when the companion does something by itself.
pub(crate) fn companion() -> Speaker {
    Speaker { session: SessionId::COMPANION, origin: Origin::Agent }
}
