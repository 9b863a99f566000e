//! Membership, by the words of the design: a tree, removals from the top, invites that removals
//! close, admissions that fall with their invite or with who made them.

use std::collections::{BTreeMap, BTreeSet};

use pairwave_core::event::Body;
use pairwave_core::id::{EventId, MemberId};
use pairwave_core::members::{Admitted, Removed};

use super::{Library, chain_of};

#[derive(Default, Clone)]
pub struct Membership {
    pub members: BTreeMap<MemberId, Standing>,
    pub void: BTreeSet<EventId>,
    pub epochs: Vec<EventId>,
    pub rotation_due: bool,
    /// Invites that count, with the uses they have.
    invites: BTreeMap<EventId, u32>,
    closings: Vec<(EventId, EventId)>,
    admissions: Vec<(EventId, MemberId, EventId)>,
}

#[derive(Clone)]
pub struct Standing {
    pub admitted_by: Option<MemberId>,
    pub end: Option<End>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum End {
    Left {
        seq: u64,
    },
    /// Only these of its events have effect.
    Removed {
        but: BTreeSet<EventId>,
    },
}

impl Membership {
    /// Of the removals that somebody free to make them made, the one by the highest member comes
    /// first, and what it voids never was.
    pub fn of(library: &Library, order: &[EventId]) -> Self {
        let mut decided: Vec<EventId> = Vec::new();
        loop {
            let membership = Self::under(library, order, &decided);
            let open = order.iter().filter(|id| !decided.contains(id) && membership.is_free_removal(library, id));
            match open.min_by_key(|id| membership.height(&library.event(id).author)) {
                Some(removal) => decided.push(*removal),
                None => return membership,
            }
        }
    }

    /// Does the event have effect, as far as its author's membership goes?
    pub fn may_speak(&self, library: &Library, id: &EventId) -> bool {
        let event = library.event(id);
        match self.members.get(&event.author).map(|standing| &standing.end) {
            None => false,
            Some(None) => true,
            Some(Some(End::Left { seq })) => event.seq <= *seq,
            Some(Some(End::Removed { but })) => but.contains(id),
        }
    }

    pub fn standing(&self) -> BTreeSet<MemberId> {
        let standing = self.members.iter().filter(|(_, standing)| standing.end.is_none());
        standing.map(|(member, _)| *member).collect()
    }

    fn is_free_removal(&self, library: &Library, id: &EventId) -> bool {
        let event = library.event(id);
        let Body::Removed(removed) = &event.body else { return false };
        !self.void.contains(id) && self.is_above(&event.author, &removed.member)
    }

    fn uppers(&self, member: &MemberId) -> Vec<MemberId> {
        let upper = |member: &MemberId| self.members.get(member).and_then(|standing| standing.admitted_by);
        std::iter::successors(upper(member), upper).collect()
    }

    fn height(&self, member: &MemberId) -> usize {
        self.uppers(member).len()
    }

    fn is_above(&self, upper: &MemberId, lower: &MemberId) -> bool {
        self.uppers(lower).contains(upper)
    }

    fn under(library: &Library, order: &[EventId], decided: &[EventId]) -> Self {
        let mut membership = Self::default();
        for id in order {
            if !membership.act(library, *id, decided) {
                membership.void.insert(*id);
            }
        }
        membership
    }

    /// Lets a membership event have its effect; says whether it has one. Others are none of ours.
    fn act(&mut self, library: &Library, id: EventId, decided: &[EventId]) -> bool {
        let event = library.event(&id);
        match &event.body {
            Body::Genesis(_) => {
                self.epochs.push(id);
                self.members.insert(event.author, Standing { admitted_by: None, end: None });
                return true;
            }
            Body::Message(_)
            | Body::Named(_)
            | Body::Verified(_)
            | Body::LetterKeys(_)
            | Body::RelayAdded(_)
            | Body::RelayRemoved(_)
            | Body::CharterProposed(_)
            | Body::CharterAccepted(_)
            | Body::CharterDeclined(_)
            | Body::FloorClaimed(_)
            | Body::FloorYielded(_)
            | Body::FloorTaken(_)
            | Body::FloorReleased(_)
            | Body::Requested(_)
            | Body::Approved(_)
            | Body::Denied(_)
            | Body::Handed(_)
            | Body::Completed(_)
            | Body::Expired(_)
            | Body::Overridden(_)
            | Body::Prompted(_)
            | Body::Shared(_)
            | Body::Remembered(_)
            | Body::GitSetUp(_)
            | Body::Committed(_)
            | Body::PathsClaimed(_)
            | Body::PathsReleased(_)
            | Body::ClaimsExpired(_)
            | Body::Foreign { .. } => return true,
            _ if !self.may_speak(library, &id) => return false,
            Body::Invited(invited) => _ = self.invites.insert(id, invited.uses),
            Body::InviteClosed(closed) => self.closings.push((closed.invite, id)),
            Body::Admitted(admitted) => return self.admit(library, id, event.author, admitted, decided),
            Body::Removed(removed) => return self.remove(library, id, event.author, removed, decided),
            Body::Left(_) => {
                let leaver = self.members.get_mut(&event.author).expect("it may speak");
                leaver.end.get_or_insert(End::Left { seq: event.seq });
                self.epochs.push(id);
                self.rotation_due = true;
            }
            Body::Rotated(_) => {
                if self.rotation_due {
                    self.epochs.push(id);
                }
                self.rotation_due = false;
            }
        }
        true
    }

    fn admit(
        &mut self,
        library: &Library,
        id: EventId,
        by: MemberId,
        admitted: &Admitted,
        decided: &[EventId],
    ) -> bool {
        let invite = admitted.invite;
        let Some(uses) = self.invites.get(&invite).copied() else { return false };
        let before = |other: &EventId| library.is_before(other, &id);
        let closed = self.closings.iter().any(|(of, closing)| *of == invite && before(closing));
        let uses_before = self
            .admissions
            .iter()
            .filter(|(of, member, admission)| *of == invite && *member != admitted.member && before(admission));
        let others: BTreeSet<MemberId> = uses_before.map(|(_, member, _)| *member).collect();
        let used_up = others.len() >= uses as usize;
        let fallen =
            decided.iter().any(|removal| library.is_before(&invite, removal) && !library.is_before(&id, removal));
        if admitted.name.len() > 64 || !before(&invite) || closed || used_up || fallen {
            return false;
        }
        if let Some(there) = self.members.get(&admitted.member) {
            let stays = there.end.is_none();
            if stays {
                self.admissions.push((invite, admitted.member, id));
            }
            return stays;
        }
        if self.standing().len() >= 32 {
            return false;
        }
        let removal = decided.iter().find_map(|removal| match &library.event(removal).body {
            Body::Removed(removed) if removed.member == admitted.member => Some(removed),
            _ => None,
        });
        let end = removal.map(|removed| End::Removed { but: chain_of(library, removed) });
        self.admissions.push((invite, admitted.member, id));
        self.members.insert(admitted.member, Standing { admitted_by: Some(by), end });
        true
    }

    fn remove(&mut self, library: &Library, id: EventId, by: MemberId, removed: &Removed, decided: &[EventId]) -> bool {
        let said = library.books[&id].past.iter().filter(|before| library.event(before).author == removed.member);
        let newest = said.clone().map(|said| library.event(said).seq).max();
        let names_the_last = match removed.last {
            None => newest.is_none(),
            Some(last) => said.clone().any(|said| *said == last) && Some(library.event(&last).seq) == newest,
        };
        if !names_the_last || removed.reason.as_ref().is_some_and(|reason| reason.len() > 4096) {
            return false;
        }
        if decided.contains(&id) {
            self.epochs.push(id);
            return true;
        }
        self.is_above(&by, &removed.member)
    }
}
