//! Letters to members who are away: to whom, with what in it, and where they are left.

use pairwave_wire::mailbox::{MailboxAnswer, MailboxRequest};
use serde_bytes::ByteBuf;

use super::{ABSENCE, COPIES, Errand, RETRY, Work, Writing};
use crate::causality;
use crate::context::Context;
use crate::effect::Effect;
use crate::id::{EventId, MemberId};
use crate::key::EpochKey;
use crate::letter::{self, Content, Envelope, Ratcheted};
use crate::letters::LetterKeys;
use crate::log::{Log, LogError, Record};
use crate::message::BATCH;
use crate::notice::Notice;
use crate::seat::Seat;
use crate::time::Timestamp;

impl Seat {
    pub(super) fn write_next(&mut self, context: &mut Context<'_>) -> Result<(), LogError> {
        let is_due = self.mailbox.write_at.is_some_and(|due| due <= context.now);
        if !is_due || self.mailbox.work.is_some() || self.mailbox.writing.is_some() {
            return Ok(());
        }
        self.mailbox.write_at = None;
        let Some(own) = &self.mailbox.own else { return Ok(()) };
        if self.check_recovered(context.now).is_err() {
            self.mailbox.write_at = Some(context.now + RETRY);
            return Ok(());
        }
        let ratchets = own.ratchets.clone();
        let away: Vec<MemberId> = self.away().collect();
        for to in away {
            let Some(keys) = self.letter_keys_of(&to) else { continue };
            self.deliveries.reads_with(to, &keys.identity);
            // What lies ahead was seen while our clock ran ahead, in an earlier run.
            let seen = self.deliveries.last_seen(&to).filter(|seen| *seen <= context.now);
            let gone_at = seen.map_or(Timestamp(0), |seen| seen + ABSENCE);
            let gone_at = gone_at.max(self.mailbox.unwritten.get(&to).map_or(Timestamp(0), |(_, until)| *until));
            let afresh = self.mailbox.wants_afresh(&to);
            let (events, through) = self.unsaid(&to, context.log)?;
            if events.is_empty() && !afresh {
                continue;
            }
            if gone_at > context.now {
                self.mailbox.write_by(gone_at);
                continue;
            }
            let content = Content { events, keys: self.newer_keys(&to, context.log)? };
            let content = content.sign(context.identity, &self.id(), &to);
            self.mailbox.work = Some(Work::Sealing { to, through, afresh });
            let room = self.id();
            context.outbox.push(Effect::SealLetter { room, ratchets, to, keys, afresh, content });
            return Ok(());
        }
        Ok(())
    }

    /// With what letters to a member begin. One who came by letter said so then; what it says in the
    /// room replaces that. It is not written to before all of the reply to it is left.
    fn letter_keys_of(&self, to: &MemberId) -> Option<LetterKeys> {
        let guests = || self.mailbox.own.as_ref()?.guests.get(to).filter(|_| !self.mailbox.porch.is_answering(to));
        self.room.state().letters.of(to).or_else(guests).copied()
    }

    /// Our durable events that a member neither has nor finds at a mailbox, as many as one letter
    /// holds, and the seq of the last one.
    fn unsaid(&self, to: &MemberId, log: &dyn Log) -> Result<(Vec<ByteBuf>, u64), LogError> {
        let me = self.me();
        let mut through = self.deliveries.at_hand(to, &me);
        let durable = self.room.have().seq(&me);
        let (mut events, mut bytes) = (Vec::new(), 0);
        if through >= durable {
            return Ok((events, through));
        }
        for (seq, id) in log.chain(&self.id(), &me, through + 1, BATCH)? {
            let Some(record) = log.get(&self.id(), &id)?.filter(|_| seq <= durable) else { break };
            bytes += record.signed.len();
            if bytes > letter::EVENTS {
                break;
            }
            events.push(ByteBuf::from(record.signed));
            through = seq;
        }
        Ok((events, through))
    }

    /// Did the member know this event when it last spoke?
    fn has_heard_of(&self, member: &MemberId, of: &Record, log: &dyn Log) -> Result<bool, LogError> {
        let Some(newest) = self.room.known().tip(member) else { return Ok(false) };
        let newest = self.room.record(log, &newest)?;
        Ok(newest.is_some_and(|newest| causality::seq_of(&newest.clock, &of.author) >= of.seq))
    }

    /// The newest epoch that a member surely knows, and its key: one whose event it has, or the one
    /// that it was admitted in.
    fn epoch_of(&self, to: &MemberId, log: &dyn Log) -> Result<Option<(EventId, EpochKey)>, LogError> {
        let members = &self.room.state().members;
        let Some(admitted) = members.get(to).map(|member| member.position) else { return Ok(None) };
        for (epoch, key) in self.keys.known(members.epochs()) {
            let Some(record) = self.room.record(log, &epoch)? else { continue };
            let has_told = || self.deliveries.has(to, &record.author, record.seq);
            if record.position <= admitted || has_told() || self.has_heard_of(to, &record, log)? {
                return Ok(Some((epoch, key.clone())));
            }
        }
        Ok(None)
    }

    /// Keys of the epochs that began after the one a member surely knows.
    fn newer_keys(&self, to: &MemberId, log: &dyn Log) -> Result<Vec<(EventId, EpochKey)>, LogError> {
        let known = self.epoch_of(to, log)?.map(|(epoch, _)| epoch);
        let epochs = self.keys.known(self.room.state().members.epochs()).take(letter::KEYS);
        Ok(epochs.take_while(|(epoch, _)| Some(*epoch) != known).map(|(epoch, key)| (epoch, key.clone())).collect())
    }

    /// Says whether the letter is on its way to a relay.
    pub(super) fn deposit(&mut self, mut writing: Writing, message: Ratcheted, context: &mut Context<'_>) -> bool {
        let Ok(Some((_, epoch))) = self.epoch_of(&writing.to, context.log) else { return false };
        let at = letter::tag(&epoch, &writing.to, letter::day(context.now));
        let envelope = Envelope { from: self.me(), message };
        let Some(letter) = envelope.seal(&epoch, &at, context.rng) else { return false };
        for relay in self.relays(context).into_iter().take(COPIES) {
            let request = MailboxRequest::Deposit { at, letter: ByteBuf::from(letter.clone()) };
            let id = context.outbox.mail(relay, request);
            self.mailbox.errands.insert(id, Errand::Deposit);
            writing.open += 1;
        }
        self.mailbox.writing = (writing.open > 0).then_some(writing);
        self.mailbox.writing.is_some()
    }

    pub(super) fn on_deposited(&mut self, answer: Option<MailboxAnswer>, context: &mut Context<'_>) {
        let Some(writing) = &mut self.mailbox.writing else { return };
        writing.open -= 1;
        if answer == Some(MailboxAnswer::Stored) && !std::mem::replace(&mut writing.stored, true) {
            self.mailbox.counts.stored += 1;
            self.deliveries.stored(writing.to, writing.through);
            let member = writing.to;
            self.deliveries_changed(context);
            context.outbox.notify(Notice::Delivery { room: self.id(), member });
        }
        let Some(Writing { open: 0, to, afresh, stored, .. }) = self.mailbox.writing else { return };
        self.mailbox.writing = None;
        if stored {
            self.mailbox.unwritten.remove(&to);
            if afresh {
                self.mailbox.afresh.entry(to).and_modify(|(wanted, _)| *wanted = false);
            }
            self.mailbox.write_by(context.now);
        } else {
            self.mailbox.counts.refused += 1;
            self.mailbox.postpone(to, context.now);
        }
    }
}
