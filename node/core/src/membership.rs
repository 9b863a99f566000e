//! The first pass of the fold: what the membership events come to, whatever order they came in.
//!
//! Membership is a tree, so removals cannot contradict each other: they are decided from the top.
//! An admission is judged by its own past, and falls to a removal that closed its invite without
//! knowing of it.

use std::collections::BTreeMap;

use crate::causality;
use crate::event::Body;
use crate::id::{EventId, MemberId, RoomId};
use crate::log::{Log, LogError, Position, Record};
use crate::members::{Admitted, Gone, Invite, Invited, Member, Members, Removed, Void};

/// A membership event with what its judgement needs.
#[derive(Debug, Clone)]
pub struct Act {
    pub record: Record,
    pub body: Body,
}

/// Does this body change who is in the room?
pub fn is_act(body: &Body) -> bool {
    matches!(
        body,
        Body::Genesis(_)
            | Body::Invited(_)
            | Body::InviteClosed(_)
            | Body::Admitted(_)
            | Body::Removed(_)
            | Body::Left(_)
            | Body::Rotated(_)
    )
}

/// Judges all membership events of a room, given in its order.
pub fn judge(log: &dyn Log, room: RoomId, acts: &BTreeMap<Position, Act>) -> Result<Members, LogError> {
    let mut judge = Judge { log, room, acts, removals: Vec::new(), members: Members::default() };
    loop {
        judge.pass()?;
        let Some(removal) = judge.next_removal() else { return Ok(judge.members) };
        judge.removals.push(removal);
    }
}

struct Judge<'a> {
    log: &'a dyn Log,
    room: RoomId,
    acts: &'a BTreeMap<Position, Act>,
    /// Removals that stand, as they were decided.
    removals: Vec<Position>,
    members: Members,
}

impl Judge<'_> {
    /// The undecided removal that its author was free to make, by the highest author.
    fn next_removal(&self) -> Option<Position> {
        let removals = self.acts.iter().filter_map(|(position, act)| match &act.body {
            Body::Removed(removed) => Some((position, act, removed)),
            _ => None,
        });
        let open = removals.filter(|(position, act, removed)| {
            let author = &act.record.author;
            !self.removals.contains(position)
                && !self.members.void.contains_key(&position.id)
                && self.members.above(author, &removed.member)
        });
        open.min_by_key(|(position, act, _)| (self.members.tree_depth(&act.record.author), **position))
            .map(|(position, ..)| *position)
    }

    /// One walk over all events, under the removals decided so far.
    fn pass(&mut self) -> Result<(), LogError> {
        self.members = Members::default();
        let mut gone: BTreeMap<MemberId, Gone> = BTreeMap::new();
        for position in self.removals.clone() {
            let act = &self.acts[&position];
            if let Body::Removed(removed) = &act.body {
                let end = self.cut(act, removed)?;
                gone.entry(removed.member).or_insert(end);
            }
        }
        for (position, act) in self.acts {
            if let Err(void) = self.act(*position, act, &gone)? {
                self.members.void.insert(position.id, void);
            }
        }
        Ok(())
    }

    /// What a removal leaves of the removed member's events.
    fn cut(&self, act: &Act, removed: &Removed) -> Result<Gone, LogError> {
        let through = causality::seq_of(&act.record.clock, &removed.member);
        let mut off = std::collections::BTreeSet::new();
        let all = self.log.chain(&self.room, &removed.member, 1, usize::MAX)?;
        let forked = all.windows(2).any(|pair| pair[0].0 == pair[1].0);
        if forked {
            off = all.iter().filter(|(seq, _)| *seq <= through).map(|(_, id)| *id).collect();
            let mut at = removed.last;
            while let Some(id) = at {
                off.remove(&id);
                at = self.log.get(&self.room, &id)?.and_then(|record| record.event()).and_then(|event| event.backlink);
            }
        }
        Ok(Gone::Removed { by: act.record.author, event: act.record.position.id, through, off })
    }

    fn act(
        &mut self,
        position: Position,
        act: &Act,
        gone: &BTreeMap<MemberId, Gone>,
    ) -> Result<Result<(), Void>, LogError> {
        let author = act.record.author;
        if let Body::Genesis(_) = act.body {
            return Ok(self.genesis(position, author));
        }
        if !self.members.may_speak(&author, act.record.seq, &position.id) {
            return Ok(Err(Void::NotAMember));
        }
        match &act.body {
            Body::Invited(invited) => self.invited(position.id, author, invited),
            Body::InviteClosed(closed) => {
                if let Some(invite) = self.members.invites.get_mut(&closed.invite) {
                    invite.closed.get_or_insert(position.id);
                }
            }
            Body::Admitted(admitted) => return self.admitted(position, act, admitted, gone),
            Body::Removed(removed) => return self.removed(position, act, removed),
            Body::Left(_) => self.left(position, author, act.record.seq),
            Body::Rotated(_) => {
                self.members.epochs.push(position);
                self.members.rotation_due = false;
            }
            _ => (),
        }
        Ok(Ok(()))
    }

    fn genesis(&mut self, position: Position, author: MemberId) -> Result<(), Void> {
        if position.id != EventId::from(self.room) {
            return Err(Void::SecondGenesis);
        }
        self.members.founder = Some(author);
        self.members.epochs.push(position);
        let admission = position.id;
        let founder = Member { admitted_by: None, admission, position, invite: None, surplus: false, gone: None };
        self.members.members.insert(author, founder);
        Ok(())
    }

    fn invited(&mut self, id: EventId, by: MemberId, invited: &Invited) {
        let Invited { label, key, expires_at, uses } = invited.clone();
        let invite = Invite { id, by, label, key, expires_at, uses, used: 0, closed: None };
        self.members.invites.insert(id, invite);
    }

    fn admitted(
        &mut self,
        position: Position,
        act: &Act,
        admitted: &Admitted,
        gone: &BTreeMap<MemberId, Gone>,
    ) -> Result<Result<(), Void>, LogError> {
        if let Err(void) = self.check_invite(act, admitted)? {
            return Ok(Err(void));
        }
        if let Some(member) = self.members.members.get(&admitted.member) {
            // Two porters at once let the same newcomer in: once is enough.
            return Ok(if member.gone.is_some() { Err(Void::WasAMember) } else { Ok(()) });
        }
        let Some(invite) = self.members.invites.get_mut(&admitted.invite) else {
            return Ok(Err(Void::NoSuchInvite));
        };
        invite.used += 1;
        let member = Member {
            admitted_by: Some(act.record.author),
            admission: position.id,
            position,
            invite: Some(admitted.invite),
            surplus: invite.used > invite.uses,
            gone: gone.get(&admitted.member).cloned(),
        };
        self.members.members.insert(admitted.member, member);
        Ok(Ok(()))
    }

    fn check_invite(&self, act: &Act, admitted: &Admitted) -> Result<Result<(), Void>, LogError> {
        let Some(invite) = self.members.invites.get(&admitted.invite) else { return Ok(Err(Void::NoSuchInvite)) };
        if !self.precedes(&admitted.invite, &act.record)? {
            return Ok(Err(Void::NoSuchInvite));
        }
        let mut used = 0;
        for (position, other) in self.acts.range(..act.record.position) {
            let counts = match &other.body {
                Body::InviteClosed(closed) if closed.invite == invite.id => true,
                Body::Admitted(earlier) if earlier.invite == invite.id && earlier.member != admitted.member => true,
                _ => false,
            };
            if !counts || self.members.void.contains_key(&position.id) || !self.precedes(&position.id, &act.record)? {
                continue;
            }
            if let Body::InviteClosed(_) = other.body {
                return Ok(Err(Void::InviteClosed));
            }
            used += 1;
        }
        if used >= invite.uses {
            return Ok(Err(Void::InviteUsedUp));
        }
        for removal in &self.removals {
            let removal = &self.acts[removal].record;
            if self.precedes(&admitted.invite, removal)? && !self.is_in_past(&act.record, removal)? {
                return Ok(Err(Void::InviteClosed));
            }
        }
        Ok(Ok(()))
    }

    fn removed(&mut self, position: Position, act: &Act, removed: &Removed) -> Result<Result<(), Void>, LogError> {
        if !self.names_the_last(&act.record, removed)? {
            return Ok(Err(Void::WrongLast));
        }
        if !self.removals.contains(&position) {
            let above = self.members.above(&act.record.author, &removed.member);
            return Ok(if above { Ok(()) } else { Err(Void::NotAbove) });
        }
        self.members.epochs.push(position);
        for id in self.members.invites.keys().copied().collect::<Vec<_>>() {
            if self.precedes(&id, &act.record)?
                && let Some(invite) = self.members.invites.get_mut(&id)
            {
                invite.closed.get_or_insert(position.id);
            }
        }
        Ok(Ok(()))
    }

    fn names_the_last(&self, of: &Record, removed: &Removed) -> Result<bool, LogError> {
        let seq = causality::seq_of(&of.clock, &removed.member);
        let Some(last) = removed.last else { return Ok(seq == 0) };
        let Some(record) = self.log.get(&self.room, &last)? else { return Ok(false) };
        Ok(record.author == removed.member && record.seq == seq && self.is_in_past(&record, of)?)
    }

    fn left(&mut self, position: Position, author: MemberId, seq: u64) {
        if let Some(member) = self.members.members.get_mut(&author) {
            member.gone.get_or_insert(Gone::Left { seq });
            self.members.epochs.push(position);
            self.members.rotation_due = true;
        }
    }

    /// Is the act with this id among the ancestors of `of`?
    fn precedes(&self, id: &EventId, of: &Record) -> Result<bool, LogError> {
        match self.log.get(&self.room, id)? {
            Some(record) => self.is_in_past(&record, of),
            None => Ok(false),
        }
    }

    fn is_in_past(&self, record: &Record, of: &Record) -> Result<bool, LogError> {
        causality::is_ancestor(self.log, &self.room, (&record.author, record.seq, record.position.id), of)
    }
}
