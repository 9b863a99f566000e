//! What a member's messages do: the receiving half of an established link.

use std::collections::BTreeSet;
use std::iter;

use crate::context::Context;
use crate::event::SignedEvent;
use crate::id::{EventId, MemberId};
use crate::key::EpochKey;
use crate::live::LiveLink;
use crate::log::{LogError, Record};
use crate::message::{HINTS, LinkMessage, LiveSession, PeerHint, Tip};
use crate::notice::Notice;
use crate::ranges::Ranges;
use crate::room::Acceptance;
use crate::seat::Seat;
use crate::sync;
use crate::time::Timestamp;

/// The link must end: the member sent what no honest companion sends, or the log failed.
#[derive(Debug)]
pub struct EndLink;

impl Seat {
    /// A link is up: both sides begin with what they have.
    pub(crate) fn link_up(&mut self, mut link: LiveLink, context: &mut Context<'_>) {
        let member = link.member();
        link.tell_have(&self.room, context);
        link.tell_epochs(&self.keys, context);
        link.say(&LinkMessage::sessions(self.reading.live()), context);
        if let Some(shown) = self.reading.shown_of(&member) {
            link.tell_shown(shown.clone(), context);
        }
        let hints = self.hints(context);
        link.tell_peers(hints, context);
        self.peers.met(member, &link.peer().clone(), &[]);
        self.save_peers(context);
        self.deliveries.seen(member, context.now);
        self.refused_by.remove(&member);
        self.blobs.link_changed(&member);
        if let Some(old) = self.links.get(&member) {
            // A link that moves: what was told on the old one holds until the new one tells more.
            link.sessions.clone_from(&old.sessions);
            self.comparing_interrupted(member, context);
        }
        if let Some(old) = self.links.insert(member, link) {
            context.outbox.push(crate::effect::Effect::Hangup { link: old.id() });
        }
        context.outbox.notify(Notice::Presence { room: self.id(), member });
    }

    /// A link is down.
    pub(crate) fn link_down(&mut self, member: MemberId, context: &mut Context<'_>) {
        self.links.remove(&member);
        self.recovery.left(&member, context.now);
        self.blobs.link_changed(&member);
        self.mind_blobs(context);
        self.deliveries.seen(member, context.now);
        self.deliveries_changed(context);
        self.correspond(context);
        self.seek_absent(context);
        self.comparing_interrupted(member, context);
        context.outbox.notify(Notice::Presence { room: self.id(), member });
    }

    /// Our own sessions changed.
    pub(crate) fn tell_sessions(&mut self, context: &mut Context<'_>) {
        let sessions = LinkMessage::sessions(self.reading.live());
        for link in self.links.values_mut() {
            link.say(&sessions, context);
        }
        context.outbox.notify(Notice::Presence { room: self.id(), member: self.me() });
    }

    /// Our own addresses, or what we know of others', changed.
    pub(crate) fn tell_peers(&mut self, context: &mut Context<'_>) {
        let hints = self.hints(context);
        for link in self.links.values_mut() {
            link.tell_peers(hints.clone(), context);
        }
    }

    /// Our own first, then those who are here longest: there may be more than are told.
    fn hints(&self, context: &Context<'_>) -> Vec<PeerHint> {
        let own =
            PeerHint { member: self.me(), transport: context.transport.clone(), addresses: context.addresses.to_vec() };
        let others: Vec<MemberId> = self.others().collect();
        iter::once(own).chain(self.peers.hints(others.iter()).take(HINTS)).collect()
    }

    /// One message of a member.
    pub(crate) fn on_message(
        &mut self,
        member: MemberId,
        message: LinkMessage,
        context: &mut Context<'_>,
    ) -> Result<(), EndLink> {
        let goes_on = message.goes_on();
        match message {
            LinkMessage::Have(tips) => self.on_have(member, &tips, goes_on, context),
            LinkMessage::Events(events) => self.on_events(member, events, context),
            LinkMessage::Want(ids) => self.on_want(member, ids, context),
            LinkMessage::Epochs { clock, known } => {
                self.on_epochs(member, clock, &known, goes_on, context);
                Ok(())
            }
            LinkMessage::Keys(keys) => {
                self.keys_from(member, keys, context);
                Ok(())
            }
            LinkMessage::Shown(shown) => self.on_shown(member, &shown, context),
            LinkMessage::Sessions(sessions) => self.on_sessions(member, sessions, context),
            LinkMessage::Peers(hints) => self.on_peers(member, &hints, context),
            LinkMessage::Sas(message) => self.on_sas(member, message, context),
            LinkMessage::WantChunks { of, chunks } => self.on_want_chunks(member, of, chunks, context),
            LinkMessage::Chunk { of, chunk, bytes } => self.on_chunk(member, of, chunk, bytes, context),
            LinkMessage::Ping => self.answer(&member, &LinkMessage::Pong, context),
            LinkMessage::Pong => Ok(()),
        }
    }

    fn on_have(
        &mut self,
        member: MemberId,
        tips: &[Tip],
        goes_on: bool,
        context: &mut Context<'_>,
    ) -> Result<(), EndLink> {
        let known = tips.iter().copied().filter(|tip| sync::knows(&self.room, &tip.author));
        self.deliveries.have(member, known);
        self.deliveries_changed(context);
        context.outbox.notify(Notice::Delivery { room: self.id(), member });
        let me = self.me();
        let Some(link) = self.links.get_mut(&member) else { return Ok(()) };
        let first = !link.sync.heard();
        let wants = link.sync.on_have(&self.room, context.log, (tips, goes_on), context.now);
        let own = tips.iter().filter(|tip| tip.author == me).map(|tip| tip.seq).max();
        // That they have nothing of ours, only the whole list says.
        let nothing = || (first && link.sync.heard() && link.sync.tips_of(me).next().is_none()).then_some(0);
        if let Some(own) = own.or_else(nothing) {
            self.recovery.told(member, own, self.room.own_seq(), context.now);
        }
        self.ask(&member, wants, context)?;
        self.pump_link(&member, context);
        self.mind_blobs(context);
        Ok(())
    }

    pub(crate) fn on_events(
        &mut self,
        member: MemberId,
        events: Vec<serde_bytes::ByteBuf>,
        context: &mut Context<'_>,
    ) -> Result<(), EndLink> {
        let mut records = Vec::new();
        let mut missing: Vec<EventId> = Vec::new();
        let mut fault = false;
        for bytes in events {
            match self.take(member, &bytes, context) {
                Ok(Acceptance::Accepted(accepted)) => records.extend(accepted),
                Ok(Acceptance::Waiting { missing: parents }) => missing.extend(parents),
                Ok(Acceptance::Duplicate | Acceptance::Unwanted(_)) => (),
                Err(EndLink) => {
                    fault = true;
                    break;
                }
            }
        }
        let at_once = context.limits.fold_again.min(self.pace.at_once());
        if let Err(error) = self.room.settle_if_due(context.log, at_once) {
            self.fail(&error);
            return Err(EndLink);
        }
        if !records.is_empty() {
            self.void_spoken_words(&records, context);
            self.known_from_now_on(&records);
            if records.iter().any(|record| record.author == self.room.me()) {
                self.recovery.came_back(context.now);
            }
            self.append(records, context);
            self.settle(context);
        }
        missing.retain(|id| matches!(self.room.contains(context.log, id), Ok(false)));
        missing.sort_unstable();
        missing.dedup();
        self.ask_for(&member, missing, context);
        self.ask_all_for_what_is_needed_after_all(context);
        self.pump(context);
        if fault { Err(EndLink) } else { Ok(()) }
    }

    fn take(&mut self, member: MemberId, bytes: &[u8], context: &mut Context<'_>) -> Result<Acceptance, EndLink> {
        let signed = SignedEvent::decode(bytes).map_err(|_| EndLink)?;
        let event = signed.verify().map_err(|_| EndLink)?;
        let (author, seq, id) = (event.event().author, event.event().seq, event.id());
        let taken = self.room.take(context.log, event).map_err(|error| {
            self.fail(&error);
            EndLink
        });
        if let Some(link) = self.links.get_mut(&member) {
            link.sync.received(&self.room, author, seq, id);
        }
        taken
    }

    /// What was told of authors before anything of them was here counts now.
    fn known_from_now_on(&mut self, records: &[Record]) {
        for author in records.iter().filter(|record| record.seq == 1).map(|record| record.author) {
            for (member, link) in &self.links {
                self.deliveries.have(*member, link.sync.tips_of(author));
            }
        }
    }

    fn on_want(&mut self, member: MemberId, ids: Vec<EventId>, context: &mut Context<'_>) -> Result<(), EndLink> {
        if let Some(link) = self.links.get_mut(&member) {
            link.sync.on_want(ids);
        }
        self.pump_link(&member, context);
        Ok(())
    }

    fn on_epochs(
        &mut self,
        member: MemberId,
        clock: Timestamp,
        known: &[EventId],
        goes_on: bool,
        context: &mut Context<'_>,
    ) {
        if let Some(link) = self.links.get_mut(&member) {
            link.on_epochs(clock, known, goes_on, &self.keys, context.now);
            if self.room.is_member(&member) {
                link.tell_keys(&self.keys, context);
            }
        }
    }

    /// Keys that a member gave.
    pub(crate) fn on_keys(&mut self, keys: Vec<(EventId, EpochKey)>, context: &mut Context<'_>) {
        let started = self.room.state().members.epochs().collect();
        let mut learnt = false;
        for (epoch, key) in keys {
            learnt |= self.keys.learn(epoch, key, &started);
        }
        if learnt {
            self.save_keys(context);
        }
    }

    fn on_shown(&mut self, member: MemberId, shown: &Ranges, context: &mut Context<'_>) -> Result<(), EndLink> {
        if self.deliveries.shown(member, shown) {
            self.deliveries_changed(context);
            context.outbox.notify(Notice::Delivery { room: self.id(), member });
        }
        Ok(())
    }

    fn on_sessions(
        &mut self,
        member: MemberId,
        sessions: Vec<LiveSession>,
        context: &mut Context<'_>,
    ) -> Result<(), EndLink> {
        if let Some(link) = self.links.get_mut(&member) {
            link.sessions = sessions;
            context.outbox.notify(Notice::Presence { room: self.id(), member });
        }
        Ok(())
    }

    /// A member's word on itself counts as a meeting, on others as hearsay: on those who are here
    /// longest, as many as are told.
    fn on_peers(&mut self, member: MemberId, hints: &[PeerHint], context: &mut Context<'_>) -> Result<(), EndLink> {
        let me = self.me();
        let others: BTreeSet<MemberId> = self.others().take(HINTS).collect();
        let (mut moved, mut heard) = (false, false);
        for hint in hints.iter().filter(|hint| hint.member != me) {
            let met = self.links.get(&member).is_some_and(|link| *link.peer() == hint.transport);
            if hint.member == member && met {
                moved |= self.peers.met(member, &hint.transport, &hint.addresses);
            } else if others.contains(&hint.member) {
                heard |= self.peers.heard(hint);
            }
        }
        if moved {
            // Two who moved at once hear of each other through us alone. Hearsay is not passed on.
            self.tell_peers(context);
        }
        if moved || heard {
            self.save_peers(context);
        }
        Ok(())
    }

    fn answer(&mut self, member: &MemberId, message: &LinkMessage, context: &mut Context<'_>) -> Result<(), EndLink> {
        if let Some(link) = self.links.get_mut(member) {
            link.say(message, context);
        }
        Ok(())
    }

    fn ask(
        &mut self,
        member: &MemberId,
        wants: Result<Vec<EventId>, LogError>,
        context: &mut Context<'_>,
    ) -> Result<(), EndLink> {
        match wants {
            Ok(ids) if ids.is_empty() => Ok(()),
            Ok(ids) => self.answer(member, &LinkMessage::Want(ids), context),
            Err(error) => {
                self.fail(&error);
                Err(EndLink)
            }
        }
    }

    /// Whoever came may need what was turned away before.
    fn ask_all_for_what_is_needed_after_all(&mut self, context: &mut Context<'_>) {
        let needed = if self.membership_changed { self.room.needed_after_all() } else { Vec::new() };
        let members: Vec<MemberId> = self.links.keys().copied().collect();
        for member in members {
            self.ask_for(&member, needed.clone(), context);
        }
    }

    fn ask_for(&mut self, member: &MemberId, ids: Vec<EventId>, context: &mut Context<'_>) {
        let Some(link) = self.links.get_mut(member) else { return };
        let fresh = link.sync.want(ids, context.now);
        if !fresh.is_empty() {
            link.say(&LinkMessage::Want(fresh), context);
        }
    }
}
