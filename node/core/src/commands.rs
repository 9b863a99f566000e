//! What the node does for its own people and agents.

use std::time::Duration;

use pairwave_wire::{hello::InviteLabel, limits};
use rand_core::Rng;

use crate::artifacts::Draft;
use crate::command::{Command, Outcome, Refusal, Speaker, Token};
use crate::context::Context;
use crate::effect::{DeriveId, Slot};
use crate::epochs::EpochKeys;
use crate::event::{Body, Origin};
use crate::id::{EventId, MemberId, RoomId, SessionId};
use crate::invite::Invite;
use crate::joining::Joining;
use crate::key::{InviteSecret, KnockKey};
use crate::log::Log;
use crate::members::{Genesis, InviteClosed, Invited, Left, Removed};
use crate::message::LiveMode;
use crate::node::{Derivation, Node};
use crate::relays::{RelayAdded, RelayRemoved};
use crate::room::Room;
use crate::seat::{Seat, Standing};
use crate::sessions::{Named, check_own_name};
use crate::talk::Message;

type Result<T = Outcome> = std::result::Result<T, Refusal>;

impl<L: Log> Node<L> {
    /// Where others may reach us, as invites say it.
    pub fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// Carries a command out and replies, at once or, where another side or a derivation has a part
    /// in it, later.
    pub(crate) fn on_command(&mut self, token: Token, command: Command) {
        let result = match command {
            Command::Create { by, title, name } => Some(self.create(by, title, name)),
            Command::Join { invite, name } => Some(self.join(invite, name)),
            Command::Answer { answer } => Some(self.answer(answer)),
            Command::CancelJoin { room } => Some(self.cancel_join(room)),
            Command::Invite { room, by, expires_in, uses } => self.invite(token, room, by, expires_in, uses),
            Command::CloseInvite { room, by, invite } => Some(self.close_invite(room, by, invite)),
            Command::Remove { room, by, member, reason } => Some(self.remove(room, by, member, reason)),
            Command::Leave { room, by } => Some(self.leave(room, by)),
            Command::Name { room, by, session, name } => Some(self.say(room, by, Body::Named(Named { session, name }))),
            Command::AddRelay { room, by, relay } => Some(self.say(room, by, Body::RelayAdded(RelayAdded { relay }))),
            Command::RemoveRelay { room, by, relay } => {
                Some(self.say(room, by, Body::RelayRemoved(RelayRemoved { relay })))
            }
            Command::Send { room, by, message } => Some(self.send(room, by, message)),
            Command::Act { room, by, act } => Some(self.in_seat(room, |seat, context| seat.act(by, act, context))),
            Command::Share { room, by, draft, content } => Some(self.share(room, by, draft, &content)),
            Command::RemoveArtifact { room, by, artifact } => Some(self.remove_artifact(room, by, artifact)),
            Command::Verify { room, by: _, member } => self.verify(token, room, member),
            Command::Heard { room, by, member, words } => Some(self.heard(room, by, member, &words)),
            Command::SessionStarted { room, session, origin } => Some(self.session_started(room, session, origin)),
            Command::SessionEnded { room, session } => Some(self.session_ended(room, session)),
            Command::LiveMode { room, session, mode } => Some(self.live_mode(room, session, mode)),
            Command::Shown { room, by, through } => Some(self.shown(room, by, through)),
        };
        if let Some(result) = result {
            self.outbox.reply(token, result);
        }
    }

    /// A key for an invite or a wish to join is there.
    pub(crate) fn on_derived(&mut self, id: DeriveId, key: KnockKey) {
        match self.derivations.remove(&id) {
            Some(Derivation::Invite { token, by, invite }) => {
                let result = self.publish_invite(by, invite, key);
                self.outbox.reply(token, result);
            }
            Some(Derivation::Join { room }) => {
                if let Some(joining) = self.joins.get_mut(&room) {
                    joining.key = Some(key);
                }
            }
            None => (),
        }
    }

    fn create(&mut self, by: Speaker, title: String, name: String) -> Result {
        let mut nonce = [0; 32];
        self.rng.fill_bytes(&mut nonce);
        let genesis = Genesis { nonce, title, name, rules: crate::state::RULES };
        let (room, record) = Room::create(&self.identity, by, genesis, self.now)?;
        let id = room.id();
        let epoch = record.position.id;
        self.seats.insert(id, Seat::new(room, EpochKeys::default(), 0));
        self.with_seat(&id, |seat, context| {
            seat.start_epoch(epoch, context);
            seat.append(vec![record], context);
            seat.settle(context);
        });
        Ok(Outcome::Created { room: id })
    }

    fn join(&mut self, invite: Invite, name: String) -> Result {
        check_own_name(&name)?;
        let room = invite.room;
        let there = self.seats.get(&room).map(Seat::standing);
        if matches!(there, Some(Standing::Member)) {
            return Err(Refusal::AlreadyHere);
        }
        let joining = Joining::new(invite.clone(), name, self.now);
        self.outbox.save(room, Slot::Joining, Some(joining.encode()));
        self.joins.insert(room, joining);
        self.links.restart(self.now);
        self.connectivity.restart(self.now);
        self.derive(&invite, Derivation::Join { room });
        Ok(Outcome::Joining { room })
    }

    fn cancel_join(&mut self, room: RoomId) -> Result {
        if !self.end_join(room) {
            return Err(Refusal::NoSuchRoom);
        }
        if self.seats.get(&room).is_none_or(|seat| seat.room.count() == 0) {
            self.seats.remove(&room);
            self.outbox.forget(room);
        }
        Ok(Outcome::Done)
    }

    fn invite(&mut self, token: Token, room: RoomId, by: Speaker, expires_in: Duration, uses: u32) -> Option<Result> {
        match self.draft_invite(room, expires_in, uses) {
            Ok(invite) => {
                self.derive(&invite.clone(), Derivation::Invite { token, by, invite });
                None
            }
            Err(refusal) => Some(Err(refusal)),
        }
    }

    fn draft_invite(&mut self, room: RoomId, expires_in: Duration, uses: u32) -> Result<Invite> {
        let seat = self.seats.get(&room).ok_or(Refusal::NoSuchRoom)?;
        if seat.standing() != Standing::Member {
            return Err(Refusal::NotAMember);
        }
        seat.check_recovered(self.now)?;
        let relays = seat.room.state().relays.iter().map(str::to_owned).collect();
        if uses == 0 {
            return Err(Refusal::Empty { field: "uses" });
        }
        let mut label = [0; 16];
        let mut secret = [0; 16];
        self.rng.fill_bytes(&mut label);
        self.rng.fill_bytes(&mut secret);
        Ok(Invite {
            room,
            label: InviteLabel(label),
            secret: InviteSecret::new(secret),
            inviter: self.me(),
            transport: self.transport.clone(),
            addresses: self.addresses.iter().take(limits::ADDRESSES).cloned().collect(),
            expires_at: self.now + expires_in,
            uses,
            relays,
        })
    }

    fn publish_invite(&mut self, by: Speaker, invite: Invite, key: KnockKey) -> Result {
        let invited = Invited { label: invite.label, key, expires_at: invite.expires_at, uses: invite.uses };
        match self.say(invite.room, by, Body::Invited(invited))? {
            Outcome::Said { event, .. } => Ok(Outcome::Invited { id: event, invite }),
            other => Ok(other),
        }
    }

    fn close_invite(&mut self, room: RoomId, by: Speaker, invite: EventId) -> Result {
        let seat = self.seats.get(&room).ok_or(Refusal::NoSuchRoom)?;
        let known = seat.room.state().members.invite(&invite);
        if known.is_none_or(|known| known.closed.is_some()) {
            return Err(Refusal::NoSuchInvite);
        }
        self.say(room, by, Body::InviteClosed(InviteClosed { invite }))
    }

    /// Removes a member and starts an epoch whose key it does not get.
    fn remove(&mut self, room: RoomId, by: Speaker, member: MemberId, reason: Option<String>) -> Result {
        let seat = self.seats.get(&room).ok_or(Refusal::NoSuchRoom)?;
        let last = seat.room.known().tip(&member);
        let body = Body::Removed(Removed { member, last, reason });
        let event = self.in_seat(room, |seat, context| seat.say_and_renew(by, body, context))?;
        Ok(Outcome::Said { event, repeated: false })
    }

    fn leave(&mut self, room: RoomId, by: Speaker) -> Result {
        if self.joins.contains_key(&room) {
            return self.cancel_join(room);
        }
        self.say(room, by, Body::Left(Left {}))
    }

    fn send(&mut self, room: RoomId, by: Speaker, message: Message) -> Result {
        let seat = self.seats.get(&room).ok_or(Refusal::NoSuchRoom)?;
        let (me, key) = (self.identity.member(), message.key.as_deref());
        if let Some(event) = key.and_then(|key| seat.room.state().talk.repeated(&me, &by.session, key)) {
            return Ok(Outcome::Said { event, repeated: true });
        }
        self.say(room, by, Body::Message(message))
    }

    fn say(&mut self, room: RoomId, by: Speaker, body: Body) -> Result {
        let event = self.in_seat(room, |seat, context| seat.say(by, body, context))?;
        Ok(Outcome::Said { event, repeated: false })
    }

    fn share(&mut self, room: RoomId, by: Speaker, draft: Draft, content: &[u8]) -> Result {
        let event = self.in_seat(room, |seat, context| seat.share(by, draft, content, context))?;
        Ok(Outcome::Said { event, repeated: false })
    }

    fn remove_artifact(&mut self, room: RoomId, by: Speaker, artifact: EventId) -> Result {
        if by.origin != Origin::Human {
            return Err(Refusal::HumansOnly);
        }
        self.in_seat(room, |seat, context| seat.remove_artifact(artifact, context))?;
        Ok(Outcome::Done)
    }

    fn session_started(&mut self, room: RoomId, session: SessionId, origin: Origin) -> Result {
        self.in_seat(room, |seat, context| {
            seat.reading.start(session, origin);
            seat.save_reading(context);
            seat.tell_sessions(context);
            Ok(Outcome::Done)
        })
    }

    fn session_ended(&mut self, room: RoomId, session: SessionId) -> Result {
        self.in_seat(room, |seat, context| {
            seat.reading.end(&session);
            seat.tell_sessions(context);
            Ok(Outcome::Done)
        })
    }

    fn live_mode(&mut self, room: RoomId, session: SessionId, mode: Option<LiveMode>) -> Result {
        self.in_seat(room, |seat, context| {
            seat.reading.wait(session, mode);
            seat.tell_sessions(context);
            Ok(Outcome::Done)
        })
    }

    fn shown(&mut self, room: RoomId, by: Speaker, through: u64) -> Result {
        self.in_seat(room, |seat, context| {
            let shown = seat.show(by, through, context);
            shown.map(|()| Outcome::Done).map_err(|error| Refusal::StoreFailed { why: error.to_string() })
        })
    }

    fn verify(&mut self, token: Token, room: RoomId, member: MemberId) -> Option<Result> {
        self.with_seat(&room, |seat, context| seat.verify(token, member, context))
            .unwrap_or(Some(Err(Refusal::NoSuchRoom)))
    }

    fn heard(&mut self, room: RoomId, by: Speaker, member: MemberId, words: &str) -> Result {
        self.in_seat(room, |seat, context| seat.heard_words(by, member, words, context))
    }

    fn in_seat<T>(&mut self, room: RoomId, with: impl FnOnce(&mut Seat, &mut Context<'_>) -> Result<T>) -> Result<T> {
        self.with_seat(&room, with).unwrap_or(Err(Refusal::NoSuchRoom))
    }

    /// Whom a member let in knocks no more, and every wish that came true is no wish any more.
    pub(crate) fn finish_joins(&mut self) {
        for (room, joining) in &mut self.joins {
            let let_in = self.seats.get_mut(room).is_some_and(|seat| seat.unproved.take_let_in());
            if let_in && !std::mem::replace(&mut joining.admitted, true) {
                self.outbox.save(*room, Slot::Joining, Some(joining.encode()));
            }
        }
        let is_in = |seat: &Seat| seat.standing() == Standing::Member && !seat.keys.is_empty();
        let member = |room: &RoomId| self.seats.get(room).is_some_and(is_in);
        let done: Vec<RoomId> = self.joins.keys().filter(|room| member(room)).copied().collect();
        for room in done {
            self.end_join(room);
        }
    }
}
