//! The first pass of the fold: what the membership events come to, whatever order they came in.
//!
//! Membership is a tree, so removals cannot contradict each other: they are decided from the top.
//! An admission is judged by its own past, and falls to a removal that closed its invite without
//! knowing of it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pairwave_wire::limits;

use crate::acts::{Act, Acts, Admission, Deed, Removal};
use crate::causality;
use crate::id::{EventId, MemberId, RoomId};
use crate::log::{Log, LogError, Position};
use crate::members::{Gone, Invite, Invited, Member, Members, Void};

/// Judges all membership events of a room, given in its order. What the removed left behind is taken
/// from `before`, but for those who said something since.
pub fn judge(
    log: &dyn Log,
    room: RoomId,
    acts: &Acts,
    before: &Members,
    spoke: &BTreeSet<MemberId>,
) -> Result<Members, LogError> {
    let mut judge = Judge {
        log,
        room,
        acts,
        before,
        spoke,
        twins: RefCell::default(),
        ends: BTreeMap::new(),
        decided: BTreeMap::new(),
        shut: BTreeMap::new(),
        pass: Pass::default(),
    };
    loop {
        judge.pass()?;
        let Some(removal) = judge.next_removal() else { return Ok(judge.pass.members) };
        judge.decide(removal)?;
    }
}

struct Judge<'a> {
    log: &'a dyn Log,
    room: RoomId,
    acts: &'a Acts,
    before: &'a Members,
    spoke: &'a BTreeSet<MemberId>,
    /// Acts whose author said something else under the same number.
    twins: RefCell<BTreeMap<EventId, bool>>,
    /// How memberships ended by removals that stand.
    ends: BTreeMap<MemberId, Gone>,
    /// These removals, and the invites that each closes.
    decided: BTreeMap<Position, Vec<EventId>>,
    /// The same by invite. Who knew of one of its removals is no further reason.
    shut: BTreeMap<EventId, Vec<Position>>,
    pass: Pass,
}

/// What one walk over all events has come to.
#[derive(Default)]
struct Pass {
    members: Members,
    standing: usize,
    /// By invite. Of what knew of each other the first is enough.
    closings: BTreeMap<EventId, Vec<Position>>,
    admissions: BTreeMap<EventId, BTreeMap<MemberId, Vec<Position>>>,
}

type Judged = Result<Result<(), Void>, LogError>;

impl Judge<'_> {
    /// The undecided removal that its author was free to make, by the highest author.
    fn next_removal(&self) -> Option<Position> {
        let members = &self.pass.members;
        let open = self.acts.iter().filter(|(position, act)| match &act.deed {
            Deed::Removed(removal) => {
                !self.decided.contains_key(position)
                    && !members.void.contains_key(&position.id)
                    && members.above(&act.author, &removal.member)
            }
            _ => false,
        });
        open.min_by_key(|(position, act)| (members.tree_depth(&act.author), **position)).map(|(position, _)| *position)
    }

    fn decide(&mut self, position: Position) -> Result<(), LogError> {
        let acts = self.acts;
        let act = &acts[&position];
        let Deed::Removed(removal) = &act.deed else { return Ok(()) };
        if !self.ends.contains_key(&removal.member) {
            let end = self.end(position.id, act, removal)?;
            self.ends.insert(removal.member, end);
        }
        let mut closes = Vec::new();
        for (invite, _) in acts.iter().filter(|(_, act)| act.is_invite()) {
            if self.precedes(*invite, position)? && !self.any_precedes(self.shut.get(&invite.id), position)? {
                self.shut.entry(invite.id).or_default().push(position);
                closes.push(invite.id);
            }
        }
        self.decided.insert(position, closes);
        Ok(())
    }

    /// What a removal leaves of the removed member's events.
    fn end(&self, id: EventId, act: &Act, removal: &Removal) -> Result<Gone, LogError> {
        let before = self.before.get(&removal.member).and_then(|member| member.gone.as_ref());
        if let Some(gone @ Gone::Removed { event, .. }) = before
            && *event == id
            && !self.spoke.contains(&removal.member)
        {
            return Ok(gone.clone());
        }
        let through = causality::seq_of(&removal.clock, &removal.member);
        let off = Arc::new(self.off(removal, through)?);
        Ok(Gone::Removed { by: act.author, event: id, through, off })
    }

    fn off(&self, removal: &Removal, through: u64) -> Result<BTreeSet<EventId>, LogError> {
        let all = self.log.chain(&self.room, &removal.member, 1, usize::MAX)?;
        if !all.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Ok(BTreeSet::new());
        }
        let mut off: BTreeSet<EventId> = all.iter().filter(|(seq, _)| *seq <= through).map(|(_, id)| *id).collect();
        let mut at = removal.last;
        while let Some(id) = at {
            off.remove(&id);
            let record = self.log.get(&self.room, &id)?.filter(|record| record.seq > 1);
            at = record.and_then(|record| record.parents()?.first().copied());
        }
        Ok(off)
    }

    /// One walk over all events, under the removals decided so far.
    fn pass(&mut self) -> Result<(), LogError> {
        self.pass = Pass::default();
        for (position, act) in self.acts {
            if let Err(void) = self.act(*position, act)? {
                self.pass.members.void.insert(position.id, void);
            }
        }
        Ok(())
    }

    fn act(&mut self, position: Position, act: &Act) -> Judged {
        if let Deed::Genesis = act.deed {
            return Ok(self.genesis(position, act.author));
        }
        if !self.pass.members.may_speak(&act.author, act.seq, &position.id) {
            return Ok(Err(Void::NotAMember));
        }
        match &act.deed {
            Deed::Invited(invited) => self.pass.invited(position.id, act.author, invited),
            Deed::Closed(invite) => self.closed(position, *invite)?,
            Deed::Admitted(admission) => return self.admitted(position, act, admission),
            Deed::Removed(removal) => return Ok(self.removed(position, act, removal)),
            Deed::Left => self.pass.left(position, act),
            Deed::Rotated => self.pass.rotated(position),
            Deed::Genesis => (),
        }
        Ok(Ok(()))
    }

    fn genesis(&mut self, position: Position, author: MemberId) -> Result<(), Void> {
        if position.id != EventId::from(self.room) {
            return Err(Void::SecondGenesis);
        }
        let members = &mut self.pass.members;
        members.founder = Some(author);
        members.epochs.push(position);
        let admission = position.id;
        let founder = Member { admitted_by: None, admission, position, invite: None, surplus: false, gone: None };
        members.members.insert(author, founder);
        self.pass.standing = 1;
        Ok(())
    }

    fn closed(&mut self, position: Position, invite: EventId) -> Result<(), LogError> {
        if let Some(invite) = self.pass.members.invites.get_mut(&invite) {
            invite.closed.get_or_insert(position.id);
        }
        if !self.any_precedes(self.pass.closings.get(&invite), position)? {
            self.pass.closings.entry(invite).or_default().push(position);
        }
        Ok(())
    }

    fn admitted(&mut self, position: Position, act: &Act, admission: &Admission) -> Judged {
        let Admission { member, invite, .. } = admission;
        if let Err(void) = self.check_invite(position, admission)? {
            return Ok(Err(void));
        }
        match self.pass.members.members.get(member) {
            Some(there) if there.gone.is_some() => return Ok(Err(Void::WasAMember)),
            // Two porters at once let the same newcomer in: once is enough.
            Some(_) => (),
            None if self.pass.standing >= limits::MEMBERS => return Ok(Err(Void::RoomFull)),
            None => self.pass.admit(position, act.author, admission, self.ends.get(member).cloned()),
        }
        let through_it = self.pass.admissions.get(invite).and_then(|members| members.get(member));
        if !self.any_precedes(through_it, position)? {
            self.pass.admissions.entry(*invite).or_default().entry(*member).or_default().push(position);
        }
        Ok(Ok(()))
    }

    fn check_invite(&self, position: Position, admission: &Admission) -> Judged {
        let Admission { member, invite, .. } = admission;
        let Some(uses) = self.pass.members.invites.get(invite).map(|invite| invite.uses) else {
            return Ok(Err(Void::NoSuchInvite));
        };
        if self.any_precedes(self.pass.closings.get(invite), position)? {
            return Ok(Err(Void::InviteClosed));
        }
        let others = self.pass.admissions.get(invite).into_iter().flatten().filter(|(other, _)| *other != member);
        let mut left = uses;
        for (_, admissions) in others {
            left -= u32::from(left > 0 && self.any_precedes(Some(admissions), position)?);
        }
        if left == 0 {
            return Ok(Err(Void::InviteUsedUp));
        }
        for removal in self.shut.get(invite).into_iter().flatten() {
            if !self.precedes(position, *removal)? {
                return Ok(Err(Void::InviteClosed));
            }
        }
        Ok(Ok(()))
    }

    fn removed(&mut self, position: Position, act: &Act, removal: &Removal) -> Result<(), Void> {
        let members = &mut self.pass.members;
        let Some(closes) = self.decided.get(&position) else {
            let above = members.above(&act.author, &removal.member);
            return if above { Ok(()) } else { Err(Void::NotAbove) };
        };
        members.epochs.push(position);
        for invite in closes {
            if let Some(invite) = members.invites.get_mut(invite) {
                invite.closed.get_or_insert(position.id);
            }
        }
        Ok(())
    }

    fn any_precedes(&self, any: Option<&Vec<Position>>, of: Position) -> Result<bool, LogError> {
        for position in any.into_iter().flatten() {
            if self.precedes(*position, of)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Is one act among the ancestors of another, as far as that one [knows](Act::knows)?
    fn precedes(&self, position: Position, of: Position) -> Result<bool, LogError> {
        let act = &self.acts[&position];
        if self.acts[&of].knows(&act.author) < act.seq {
            return Ok(false);
        }
        let known = self.twins.borrow().get(&position.id).copied();
        let has_twin = match known {
            Some(has_twin) => has_twin,
            None => causality::has_twin(self.log, &self.room, &act.author, act.seq)?,
        };
        self.twins.borrow_mut().insert(position.id, has_twin);
        if has_twin { self.log.leads_back(&self.room, &of.id, position) } else { Ok(true) }
    }
}

impl Pass {
    fn invited(&mut self, id: EventId, by: MemberId, invited: &Invited) {
        let Invited { label, key, expires_at, uses } = invited.clone();
        let invite = Invite { id, by, label, key, expires_at, uses, used: 0, closed: None };
        self.members.invites.insert(id, invite);
    }

    fn admit(&mut self, position: Position, by: MemberId, admission: &Admission, gone: Option<Gone>) {
        let Some(invite) = self.members.invites.get_mut(&admission.invite) else { return };
        invite.used += 1;
        self.standing += usize::from(gone.is_none());
        let member = Member {
            admitted_by: Some(by),
            admission: position.id,
            position,
            invite: Some(admission.invite),
            surplus: invite.used > invite.uses,
            gone,
        };
        self.members.members.insert(admission.member, member);
    }

    fn left(&mut self, position: Position, act: &Act) {
        let Some(member) = self.members.members.get_mut(&act.author) else { return };
        if member.gone.is_none() {
            member.gone = Some(Gone::Left { seq: act.seq });
            self.standing -= 1;
        }
        self.members.epochs.push(position);
        self.members.rotation_due = true;
    }

    /// One that nobody needed starts no epoch.
    fn rotated(&mut self, position: Position) {
        if std::mem::take(&mut self.members.rotation_due) {
            self.members.epochs.push(position);
        }
    }
}
