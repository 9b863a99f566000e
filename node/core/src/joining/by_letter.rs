//! Joining while nobody is there: a knock letter left at the invite's relays, and the replies that
//! are found there.
//!
//! Replies stay at the relays until the log that they bring says that we are in, so that whatever
//! is forgotten on the way is found there again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use pairwave_wire::hello::BlindedTag;
use pairwave_wire::mailbox::{LetterId, MailboxAnswer, MailboxRequest, Waiting};
use pairwave_wire::{TransportId, limits};
use serde_bytes::ByteBuf;

use super::Joining;
use crate::effect::{Effect, Slot};
use crate::id::{MemberId, RoomId};
use crate::invite::Invite;
use crate::knock_letter::{Draft, Entrance, Newcomer, Outfit, Reply, Verdict};
use crate::letter;
use crate::letters::LetterKeys;
use crate::log::Log;
use crate::mailbox::{COPIES, Own};
use crate::node::Node;
use crate::relays;
use crate::time::Timestamp;

/// How long a newcomer knocks in vain before it leaves a letter.
const PATIENCE: Duration = Duration::from_secs(5);
/// First pause before the letter is left again, for relays lose and withhold; then ever longer.
const AGAIN: Duration = Duration::from_secs(600);
const LONGEST: Duration = Duration::from_secs(6 * 3600);
/// Pause after no relay took it.
const RETRY: Duration = Duration::from_secs(30);
/// Pause between two looks for replies.
const LOOK: Duration = Duration::from_secs(60);

/// What goes on between one wish to join and the relays.
#[derive(Debug, Clone, Default)]
pub(crate) struct ByLetter {
    /// The relays of the invite that can be asked, as of the last look.
    relays: Vec<TransportId>,
    leave_at: Option<Timestamp>,
    look_at: Option<Timestamp>,
    /// How often the letter was left since the start.
    times: u32,
    /// Letter keys are being made.
    making: bool,
    errands: BTreeMap<u64, Errand>,
    /// Collected in this run.
    held: BTreeSet<LetterId>,
    /// Replies that go when the wish has come true.
    places: Vec<(TransportId, BlindedTag, LetterId)>,
}

#[derive(Debug, Clone)]
enum Errand {
    Leave,
    Collect(TransportId),
}

impl ByLetter {
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.leave_at.into_iter().chain(self.look_at).min()
    }

    fn pause(&self) -> Duration {
        AGAIN.saturating_mul(1 << self.times.min(6)).min(LONGEST)
    }

    fn look_by(&mut self, at: Timestamp) {
        self.look_at = Some(self.look_at.map_or(at, |due| due.min(at)));
    }
}

impl Joining {
    /// What the invite's relays are looked up with; absent until the key is derived.
    fn entrance(&self) -> Option<Entrance<'_>> {
        let Invite { room, label, .. } = &self.invite;
        self.key.as_ref().map(|key| Entrance { key, room, label })
    }

    /// Notices when the relays that can be asked are others.
    fn follow_relays(&mut self, relays: Vec<TransportId>, now: Timestamp) {
        if relays == self.by_letter.relays {
            return;
        }
        // Our clock may have run ahead when it was left.
        let again = self.left_at.map_or(now, |left| left.min(now) + self.by_letter.pause());
        self.by_letter.leave_at = (!relays.is_empty()).then(|| again.max(now + PATIENCE));
        self.by_letter.look_at = (!relays.is_empty() && self.draft.is_some()).then_some(now);
        self.by_letter.relays = relays;
    }

    /// Today's tag for replies, tomorrow's by somebody's clock, and those of all days that one waits.
    fn reply_tags(&self, now: Timestamp) -> Vec<BlindedTag> {
        let (Some(draft), Some(key)) = (&self.draft, &self.key) else { return Vec::new() };
        letter::days(now).map(|day| draft.reply_tag(key, day)).collect()
    }
}

impl<L: Log> Node<L> {
    /// Does for every wish to join what is due at relays.
    pub(crate) fn mind_knock_letters(&mut self) {
        let rooms: Vec<RoomId> = self.joins.keys().copied().collect();
        for room in rooms {
            let Some(joining) = self.joins.get_mut(&room) else { continue };
            let ready = joining.key.is_some();
            let relays = relays::connected(joining.invite.relays.iter().map(String::as_str), &self.connected_relays);
            joining.follow_relays(if ready { relays } else { Vec::new() }, self.now);
            let is_due = |at: Option<Timestamp>| at.is_some_and(|due| due <= self.now);
            let (leaves, looks) = (is_due(joining.by_letter.leave_at), is_due(joining.by_letter.look_at));
            if leaves {
                self.leave_knock_letter(room);
            }
            if looks {
                self.look_for_replies(room);
            }
        }
    }

    /// New letter keys were made. Says whether a wish to join has waited for them.
    pub(crate) fn on_keys_for_knock(&mut self, room: RoomId, keys: LetterKeys, ratchets: &[u8]) -> bool {
        let Some(joining) = self.joins.get_mut(&room).filter(|joining| joining.by_letter.making) else { return false };
        joining.by_letter.making = false;
        joining.by_letter.leave_at = Some(self.now);
        let own = Own::new(keys, ratchets.to_vec());
        self.outbox.save(room, Slot::Ratchets, Some(own.encode()));
        match self.seats.get_mut(&room) {
            Some(seat) => seat.mailbox.adopt(own),
            None => joining.own = Some(own),
        }
        true
    }

    /// A relay answered, or could not be asked. Says whether it was asked for a wish to join.
    pub(crate) fn on_knock_mailed(&mut self, id: u64, answer: Option<&MailboxAnswer>) -> bool {
        if let Some(relay) = self.sweeps.remove(&id) {
            if let Some(MailboxAnswer::Letters { letters, .. }) = answer {
                let letters = letters.iter().map(|waiting| (waiting.at, waiting.id)).collect();
                self.outbox.mail(relay, MailboxRequest::Discard { letters });
            }
            return true;
        }
        let mut joins = self.joins.iter_mut();
        let Some((room, errand)) =
            joins.find_map(|(room, joining)| Some((*room, joining.by_letter.errands.remove(&id)?)))
        else {
            return false;
        };
        match (errand, answer) {
            (Errand::Leave, answer) => self.on_left(room, answer == Some(&MailboxAnswer::Stored)),
            (Errand::Collect(relay), Some(MailboxAnswer::Letters { letters, more })) => {
                self.on_replies(room, &relay, letters, *more);
            }
            (Errand::Collect(_), _) => (),
        }
        true
    }

    /// A wish came true, or to nothing: what waits for it at relays may go. Says whether there was one.
    pub(crate) fn end_join(&mut self, room: RoomId) -> bool {
        let Some(joining) = self.joins.remove(&room) else { return false };
        self.outbox.save(room, Slot::Joining, None);
        match self.seats.get_mut(&room) {
            Some(seat) => seat.unproved.clear(),
            None if joining.own.is_some() => self.outbox.save(room, Slot::Ratchets, None),
            None => (),
        }
        let at = joining.reply_tags(self.now);
        let ByLetter { relays, places, held, .. } = joining.by_letter;
        for relay in relays.into_iter().filter(|_| !at.is_empty()) {
            let read = places.iter().filter(|(from, ..)| *from == relay);
            let letters: Vec<(BlindedTag, LetterId)> = read.map(|(_, at, id)| (*at, *id)).collect();
            if !letters.is_empty() {
                self.outbox.mail(relay.clone(), MailboxRequest::Discard { letters });
            }
            let request = MailboxRequest::Collect { at: at.clone(), besides: held.iter().copied().collect() };
            self.sweeps.insert(self.outbox.mail(relay.clone(), request), relay);
        }
        true
    }

    fn leave_knock_letter(&mut self, room: RoomId) {
        let Some(draft) = self.draft_of(room) else { return };
        let Some(joining) = self.joins.get_mut(&room) else { return };
        let Some(entrance) = joining.entrance() else { return };
        let (at, letter) = draft.letter(&entrance, letter::day(self.now), &mut self.rng);
        let by_letter = &mut joining.by_letter;
        for relay in by_letter.relays.iter().take(COPIES) {
            let request = MailboxRequest::Deposit { at, letter: ByteBuf::from(letter.clone()) };
            by_letter.errands.insert(self.outbox.mail(relay.clone(), request), Errand::Leave);
        }
        // After that there is one answer to it, and one letter is enough for that.
        let is_over = joining.invite.expires_at <= self.now;
        by_letter.leave_at = (!is_over).then(|| self.now + by_letter.pause());
        by_letter.times += 1;
    }

    /// Our knock letter: the same one as long as the wish lives, so that every reply to it opens. Has
    /// letter keys made first if there are none.
    fn draft_of(&mut self, room: RoomId) -> Option<Draft> {
        let joining = self.joins.get_mut(&room)?;
        if joining.draft.is_none() {
            let kept = self.seats.get(&room).and_then(|seat| seat.mailbox.own_keys());
            let Some(letters) = kept.or(joining.own.as_ref().map(Own::keys)) else {
                joining.by_letter.leave_at = None;
                if !std::mem::replace(&mut joining.by_letter.making, true) {
                    self.outbox.push(Effect::MakeLetterKeys { room });
                }
                return None;
            };
            let (member, transport) = (self.identity.member(), self.transport.clone());
            let newcomer = Newcomer { member, name: joining.name.clone(), transport, letters };
            joining.draft = Some(Draft::new(&self.identity, &joining.entrance()?, &newcomer, &mut self.rng));
            self.outbox.save(room, Slot::Joining, Some(joining.encode()));
        }
        joining.draft.clone()
    }

    fn on_left(&mut self, room: RoomId, stored: bool) {
        let Some(joining) = self.joins.get_mut(&room) else { return };
        if stored {
            joining.left_at = Some(self.now);
            joining.by_letter.look_by(self.now + LOOK);
            self.outbox.save(room, Slot::Joining, Some(joining.encode()));
        } else if joining.left_at.is_none() {
            joining.by_letter.leave_at = Some(self.now + RETRY);
        }
    }

    fn look_for_replies(&mut self, room: RoomId) {
        let Some(joining) = self.joins.get_mut(&room) else { return };
        let at = joining.reply_tags(self.now);
        let by_letter = &mut joining.by_letter;
        by_letter.look_at = (!at.is_empty()).then(|| self.now + LOOK);
        if at.is_empty() {
            return;
        }
        let besides: Vec<LetterId> = by_letter.held.iter().take(limits::LETTER_IDS).copied().collect();
        for relay in by_letter.relays.clone() {
            let request = MailboxRequest::Collect { at: at.clone(), besides: besides.clone() };
            by_letter.errands.insert(self.outbox.mail(relay.clone(), request), Errand::Collect(relay));
        }
    }

    fn on_replies(&mut self, room: RoomId, relay: &TransportId, letters: &[Waiting], more: bool) {
        let mut news = false;
        for Waiting { id, at, letter } in letters {
            let Some(joining) = self.joins.get_mut(&room) else { return };
            let (Some(draft), Some(entrance)) = (&joining.draft, joining.entrance()) else { return };
            let reply = draft.open(&entrance, at, letter);
            let inviter = joining.invite.inviter;
            match reply {
                Ok(Reply { from, verdict: Verdict::Welcome(outfit) }) => {
                    let held = &mut joining.by_letter.held;
                    if held.len() < limits::LETTER_IDS && held.insert(*id) {
                        news = true;
                        joining.by_letter.places.push((relay.clone(), *at, *id));
                        self.on_outfit(room, from, outfit);
                    }
                }
                // Whoever holds the invite could say no. Of the members only the inviter is known by now.
                Ok(Reply { from, verdict: Verdict::Refused(why) }) if from == inviter => {
                    joining.by_letter.places.push((relay.clone(), *at, *id));
                    return self.on_join_refused(room, why);
                }
                Ok(_) | Err(_) => {
                    self.outbox.mail(relay.clone(), MailboxRequest::Discard { letters: vec![(*at, *id)] });
                }
            }
        }
        if let Some(joining) = self.joins.get_mut(&room).filter(|_| more && news) {
            joining.by_letter.look_by(self.now);
        }
    }

    /// Somebody says that we are in. The log decides.
    fn on_outfit(&mut self, room: RoomId, from: MemberId, outfit: Outfit) {
        if self.closed.contains(&room) {
            // It is read again, and the replies with it.
            return;
        }
        self.take_seat(room);
        self.with_seat(&room, |seat, context| {
            let me = seat.me();
            // A fault in it is the sender's, and there is no link that could end for it.
            let _ = seat.on_events(me, outfit.events, context);
            seat.keys_from(from, outfit.keys, context);
        });
    }
}
