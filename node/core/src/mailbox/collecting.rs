//! Asking relays for letters, and telling them which may go.
//!
//! Letters of members and the knock letters of each invite are asked for apart, each with what is
//! held of it: whoever can fill one mailbox keeps nothing from coming that waits in another. What
//! came is dealt with before a relay is asked for more.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use pairwave_wire::hello::BlindedTag;
use pairwave_wire::mailbox::{LetterId, MailboxAnswer, MailboxRequest};
use pairwave_wire::{TransportId, limits};

use super::{Errand, LOOK, Place};
use crate::context::Context;
use crate::id::EventId;
use crate::letter;
use crate::seat::Seat;
use crate::time::Timestamp;

/// Newest epochs under whose tags letters may wait.
const EPOCHS: usize = 4;
/// How often a relay that says that there is more is asked for it at once although nothing that it
/// gave was of use. After that it is asked no more than one that has nothing.
const VAIN: u32 = 8;

/// How long after a relay did not answer it is asked again at first; twice as long each further time.
const AGAIN: Duration = Duration::from_secs(1);

/// What one request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wanted {
    /// What members left for us.
    Letters,
    /// Knock letters of this invite.
    Knocks(EventId),
}

/// What was asked for and came.
#[derive(Debug, Default)]
pub(super) struct Collecting {
    /// Our own tags, and the epochs they belong to.
    tags: BTreeMap<BlindedTag, EventId>,
    /// Collected, and not discarded yet.
    held: BTreeMap<(TransportId, LetterId), Wanted>,
    /// To be discarded at each relay, once it has done so with those before.
    done: BTreeMap<TransportId, Vec<(BlindedTag, LetterId)>>,
    /// Relays that gave something new and said that there is more.
    more: BTreeSet<(TransportId, Wanted)>,
    /// How often they were asked for more since something of it was of use.
    vain: BTreeMap<(TransportId, Wanted), u32>,
    /// Requests in a row that a relay did not answer.
    unanswered: BTreeMap<TransportId, u32>,
}

impl Collecting {
    /// The epoch of one of our own tags.
    pub fn epoch_of(&self, at: &BlindedTag) -> Option<EventId> {
        self.tags.get(at).copied()
    }

    /// A relay gave something that was worth asking for.
    pub fn was_of_use(&mut self, relay: &TransportId, wanted: Wanted) {
        self.vain.remove(&(relay.clone(), wanted));
    }

    /// The letter may come again, or is remembered elsewhere.
    pub fn let_go(&mut self, Place { relay, id, .. }: &Place) {
        self.held.remove(&(relay.clone(), *id));
    }

    /// Says whether there is reason to ask once more.
    fn goes_on(&mut self, relay: &TransportId, wanted: Wanted) -> bool {
        let vain = self.vain.entry((relay.clone(), wanted)).or_default();
        *vain += 1;
        *vain <= VAIN
    }

    /// How soon a relay that did not answer is asked again, if that is sooner than all of them are.
    fn pause_after_silence(&mut self, relay: &TransportId) -> Option<Duration> {
        let times = self.unanswered.entry(relay.clone()).or_default();
        let pause = AGAIN.saturating_mul(1 << (*times).min(6));
        *times = times.saturating_add(1);
        Some(pause).filter(|pause| *pause < LOOK)
    }

    fn held_of(&self, relay: &TransportId, wanted: Wanted) -> impl Iterator<Item = LetterId> {
        let of = move |((at, _), held): &(&(TransportId, LetterId), &Wanted)| at == relay && **held == wanted;
        self.held.iter().filter(of).map(|((_, id), _)| *id)
    }
}

impl Seat {
    pub(super) fn look_for_letters(&mut self, context: &mut Context<'_>) {
        let is_due = self.mailbox.look_at.is_some_and(|due| due <= context.now);
        if !is_due || self.mailbox.own.is_none() {
            return;
        }
        let is_worth_it = self.away().next().is_some() || self.expects_newcomers(context.now);
        self.mailbox.look_at = is_worth_it.then(|| context.now + LOOK);
        self.mailbox.collecting.tags = self.own_tags(context.now);
        self.mailbox.porch.watch(self.knock_tags(context.now));
        for place in self.mailbox.porch.take_put_off() {
            self.mailbox.collecting.let_go(&place);
        }
        let invites: BTreeSet<EventId> = self.mailbox.porch.invites().collect();
        let wanted = [Wanted::Letters].into_iter().chain(invites.into_iter().map(Wanted::Knocks));
        let wanted: Vec<Wanted> = wanted.collect();
        self.mailbox.collecting.vain.retain(|(_, of), _| wanted.contains(of));
        let relays = self.relays(context);
        self.mailbox.collecting.unanswered.retain(|relay, _| relays.contains(relay));
        for relay in relays {
            wanted.iter().for_each(|wanted| self.collect(&relay, *wanted, context));
        }
    }

    fn own_tags(&self, now: Timestamp) -> BTreeMap<BlindedTag, EventId> {
        let me = self.me();
        let epochs = self.keys.known(self.room.state().members.epochs()).take(EPOCHS);
        let tags =
            epochs.flat_map(|(epoch, key)| letter::days(now).map(move |day| (letter::tag(key, &me, day), epoch)));
        tags.take(limits::MAILBOXES).collect()
    }

    fn collect(&mut self, relay: &TransportId, wanted: Wanted, context: &mut Context<'_>) {
        let (collecting, porch) = (&self.mailbox.collecting, &self.mailbox.porch);
        let held = collecting.held_of(relay, wanted);
        let (at, besides): (Vec<BlindedTag>, Vec<LetterId>) = match wanted {
            Wanted::Letters => (collecting.tags.keys().copied().collect(), held.collect()),
            Wanted::Knocks(invite) => {
                (porch.tags_of(&invite).collect(), held.chain(porch.left(relay, &invite)).collect())
            }
        };
        if !at.is_empty() {
            let besides = besides.into_iter().take(limits::LETTER_IDS).collect();
            let id = context.outbox.mail(relay.clone(), MailboxRequest::Collect { at, besides });
            self.mailbox.errands.insert(id, Errand::Collect(relay.clone(), wanted));
        }
    }

    pub(super) fn on_collected(
        &mut self,
        relay: &TransportId,
        wanted: Wanted,
        answer: Option<MailboxAnswer>,
        now: Timestamp,
    ) {
        let mailbox = &mut self.mailbox;
        let Some(answer) = answer else {
            // A connection that ended takes the question with it, and there may be another one already.
            if let Some(pause) = mailbox.collecting.pause_after_silence(relay) {
                mailbox.look_by(now + pause);
            }
            return;
        };
        mailbox.collecting.unanswered.remove(relay);
        let MailboxAnswer::Letters { letters, more } = answer else { return };
        let mut news = false;
        for waiting in letters {
            let is_asked_for = match wanted {
                Wanted::Letters => mailbox.collecting.tags.contains_key(&waiting.at),
                Wanted::Knocks(invite) => {
                    let is_left = mailbox.porch.left(relay, &invite).any(|left| left == waiting.id);
                    mailbox.porch.invite_at(&waiting.at) == Some(invite) && !is_left
                }
            };
            let key = (relay.clone(), waiting.id);
            if !is_asked_for || mailbox.collecting.held.contains_key(&key) {
                continue;
            }
            news = true;
            mailbox.collecting.held.insert(key, wanted);
            match wanted {
                Wanted::Letters => mailbox.collected.push_back((relay.clone(), waiting)),
                Wanted::Knocks(_) => mailbox.porch.found(relay.clone(), waiting),
            }
        }
        if more && news {
            mailbox.collecting.more.insert((relay.clone(), wanted));
        }
    }

    /// All letters that came are dealt with.
    pub(super) fn ask_for_more_letters(&mut self, context: &mut Context<'_>) {
        self.ask_for_more(|wanted| wanted == Wanted::Letters, context);
    }

    /// All knock letters that came are dealt with.
    pub(super) fn ask_for_more_knocks(&mut self, context: &mut Context<'_>) {
        self.ask_for_more(|wanted| wanted != Wanted::Letters, context);
    }

    fn ask_for_more(&mut self, is_meant: impl Fn(Wanted) -> bool, context: &mut Context<'_>) {
        let all = std::mem::take(&mut self.mailbox.collecting.more);
        let (now, later) = all.into_iter().partition(|(_, wanted)| is_meant(*wanted));
        self.mailbox.collecting.more = later;
        let now: BTreeSet<(TransportId, Wanted)> = now;
        let relays = if now.is_empty() { Vec::new() } else { self.relays(context) };
        for (relay, wanted) in now.into_iter().filter(|(relay, _)| relays.contains(relay)) {
            if self.mailbox.collecting.goes_on(&relay, wanted) {
                self.collect(&relay, wanted, context);
            }
        }
    }

    /// Everything before it is durable when this leaves.
    pub(super) fn discard(&mut self, Place { relay, at, id }: Place, context: &mut Context<'_>) {
        self.mailbox.collecting.done.entry(relay.clone()).or_default().push((at, id));
        self.discard_next(relay, context);
    }

    /// One request at a time to each relay: what else is read meanwhile goes with the next one.
    fn discard_next(&mut self, relay: TransportId, context: &mut Context<'_>) {
        let is_under_way = |errand: &Errand| matches!(errand, Errand::Discard(at, _) if *at == relay);
        if self.mailbox.errands.values().any(is_under_way) {
            return;
        }
        let done = &mut self.mailbox.collecting.done;
        let Some(of_relay) = done.get_mut(&relay) else { return };
        let letters: Vec<_> = of_relay.drain(..of_relay.len().min(limits::LETTER_IDS)).collect();
        if letters.is_empty() {
            done.remove(&relay);
            return;
        }
        let ids = letters.iter().map(|(_, id)| *id).collect();
        let errand = context.outbox.mail(relay.clone(), MailboxRequest::Discard { letters });
        self.mailbox.errands.insert(errand, Errand::Discard(relay, ids));
    }

    pub(super) fn on_discarded(&mut self, relay: TransportId, letters: &[LetterId], context: &mut Context<'_>) {
        for letter in letters {
            self.mailbox.collecting.held.remove(&(relay.clone(), *letter));
        }
        self.discard_next(relay, context);
    }
}
