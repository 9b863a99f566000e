//! Path claims: which session works on which files, so that nobody edits what another does.
//!
//! Of two claims that overlap the earlier in the room's order holds, whoever hears of it when; the
//! later one is a conflict until the earlier is given up. A session that is gone gives its claims up:
//! that enters as an event of a companion that noticed, as no clock decides here.

use std::collections::VecDeque;

use pairwave_wire::limits;
use serde::{Deserialize, Serialize};

use crate::bounds::{few, within};
use crate::command::Refusal;
use crate::event::{Event, Origin};
use crate::id::{EventId, MemberId, SessionId};
use crate::pathspec::Pathspec;
use crate::time::Timestamp;

/// Most paths that one member holds.
pub const PATHS: usize = 32;
/// Most conflicts that are named; beyond it the oldest goes.
const CONFLICTS: usize = 16;

/// The author's session works on these paths from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PathsClaimed {
    /// See [`Pathspec`].
    pub paths: Vec<String>,
    /// What for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The author's session works on these paths no more; a human speaks for all sessions of its side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PathsReleased {
    /// As they were claimed; none stands for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
}

/// The sessions that made these claims are gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimsExpired {
    pub claims: Vec<EventId>,
}

/// Who works on what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    held: Vec<Claim>,
    conflicts: VecDeque<Conflict>,
}

/// What one event claimed, as far as it still holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    pub event: EventId,
    pub member: MemberId,
    pub session: SessionId,
    pub origin: Origin,
    pub paths: Vec<String>,
    pub note: Option<String>,
    /// What the claimant's clock said.
    pub at: Timestamp,
}

/// A claim that came too late, made by somebody who did not know of the one before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// The claim without effect.
    pub event: EventId,
    pub member: MemberId,
    pub session: SessionId,
    /// What it claimed that was taken.
    pub path: String,
    /// The claim that holds.
    pub against: EventId,
}

/// A path that somebody wants, and the claim that it meets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    pub path: String,
    pub theirs: String,
    pub claim: Claim,
}

impl Claims {
    /// Oldest first.
    pub fn held(&self) -> &[Claim] {
        &self.held
    }

    pub fn get(&self, claim: &EventId) -> Option<&Claim> {
        self.held.iter().find(|held| held.event == *claim)
    }

    /// Oldest first.
    pub fn conflicts(&self) -> impl DoubleEndedIterator<Item = &Conflict> {
        self.conflicts.iter()
    }

    /// The claims of other members that mean one of these paths, which are not patterns.
    pub fn touched<'a>(&'a self, by: &MemberId, paths: &[String]) -> Vec<(&'a Claim, String)> {
        let others = self.held.iter().filter(|claim| claim.member != *by);
        let touched = others.filter_map(|claim| {
            let specs: Vec<Pathspec> = claim.paths.iter().filter_map(|path| Pathspec::parse(path).ok()).collect();
            let path = paths.iter().find(|path| specs.iter().any(|spec| spec.covers(path)))?;
            Some((claim, path.clone()))
        });
        touched.collect()
    }

    /// The first claim of another session that overlaps one of these.
    pub fn taken(&self, by: &MemberId, session: &SessionId, paths: &[String]) -> Option<Taken> {
        let others = || self.held.iter().filter(|claim| claim.member != *by || claim.session != *session);
        paths.iter().find_map(|path| {
            let wanted = Pathspec::parse(path).ok()?;
            others().find_map(|claim| {
                let overlaps = |held: &&String| Pathspec::parse(held).is_ok_and(|held| held.overlaps(&wanted));
                let theirs = claim.paths.iter().find(overlaps)?;
                Some(Taken { path: path.clone(), theirs: theirs.clone(), claim: claim.clone() })
            })
        })
    }

    pub(crate) fn check_claim(
        &self,
        by: &MemberId,
        session: &SessionId,
        claimed: &PathsClaimed,
    ) -> Result<(), Refusal> {
        check_paths(&claimed.paths)?;
        within("note", claimed.note.as_deref().unwrap_or(""), limits::HEADLINE)?;
        if claimed.paths.is_empty() {
            return Err(Refusal::Empty { field: "paths" });
        }
        let own = self.held.iter().filter(|claim| claim.member == *by);
        let kept = |claim: &Claim, path: &String| claim.session != *session || !claimed.paths.contains(path);
        let rest = own.map(|claim| claim.paths.iter().filter(|path| kept(claim, path)).count()).sum::<usize>();
        let (got, max) = (rest + claimed.paths.len(), PATHS);
        if got > max {
            return Err(Refusal::TooMany { field: "paths", got, max });
        }
        match self.taken(by, session, &claimed.paths) {
            Some(Taken { path, theirs, claim }) => Err(Refusal::PathTaken { path, theirs, claim: claim.event }),
            None => Ok(()),
        }
    }

    pub(crate) fn check_release(
        &self,
        by: &MemberId,
        session: &SessionId,
        origin: Origin,
        released: &PathsReleased,
    ) -> Result<(), Refusal> {
        few("paths", &released.paths, PATHS)?;
        let releases =
            |claim: &Claim| claim.paths.iter().any(|path| releases(by, session, origin, released, claim, path));
        if self.held.iter().any(releases) { Ok(()) } else { Err(Refusal::NotClaimed) }
    }

    pub(crate) fn check_expire(&self, expired: &ClaimsExpired) -> Result<(), Refusal> {
        let held = self.held.iter().any(|claim| expired.claims.contains(&claim.event));
        if held { Ok(()) } else { Err(Refusal::NotClaimed) }
    }

    pub(crate) fn claim(&mut self, event: &Event, claimed: &PathsClaimed, id: EventId) -> Result<(), Refusal> {
        let checked = self.check_claim(&event.author, &event.session, claimed);
        if let Err(Refusal::PathTaken { path, claim, .. }) = &checked {
            self.conflicts.push_back(Conflict {
                event: id,
                member: event.author,
                session: event.session,
                path: path.clone(),
                against: *claim,
            });
            if self.conflicts.len() > CONFLICTS {
                self.conflicts.pop_front();
            }
        }
        checked?;
        // What it held of this before is under the new note now.
        self.keep(|claim, path| {
            claim.member != event.author || claim.session != event.session || !claimed.paths.contains(path)
        });
        self.held.push(Claim {
            event: id,
            member: event.author,
            session: event.session,
            origin: event.origin,
            paths: claimed.paths.clone(),
            note: claimed.note.clone(),
            at: event.claimed_time,
        });
        self.conflicts.retain(|conflict| conflict.member != event.author || !claimed.paths.contains(&conflict.path));
        Ok(())
    }

    pub(crate) fn release(&mut self, event: &Event, released: &PathsReleased) -> Result<(), Refusal> {
        let Event { author, session, origin, .. } = event;
        self.check_release(author, session, *origin, released)?;
        self.keep(|claim, path| !releases(author, session, *origin, released, claim, path));
        Ok(())
    }

    pub(crate) fn expire(&mut self, expired: &ClaimsExpired) -> Result<(), Refusal> {
        self.check_expire(expired)?;
        self.keep(|claim, _| !expired.claims.contains(&claim.event));
        Ok(())
    }

    /// A member left or was removed.
    pub(crate) fn gone(&mut self, member: &MemberId) {
        self.keep(|claim, _| claim.member != *member);
        self.conflicts.retain(|conflict| conflict.member != *member);
    }

    fn keep(&mut self, keeps: impl Fn(&Claim, &String) -> bool) {
        for claim in &mut self.held {
            let paths = std::mem::take(&mut claim.paths);
            claim.paths = paths.into_iter().filter(|path| keeps(claim, path)).collect();
        }
        self.held.retain(|claim| !claim.paths.is_empty());
        let held = &self.held;
        self.conflicts.retain(|conflict| held.iter().any(|claim| claim.event == conflict.against));
    }
}

/// Paths that a session may name, whoever holds them.
fn check_paths(paths: &[String]) -> Result<(), Refusal> {
    few("paths", paths, PATHS)?;
    let parsed = paths.iter().try_for_each(|path| Pathspec::parse(path).map(drop));
    parsed.map_err(|why| Refusal::NotAPath { why })
}

fn releases(
    by: &MemberId,
    session: &SessionId,
    origin: Origin,
    released: &PathsReleased,
    claim: &Claim,
    path: &String,
) -> bool {
    let speaks_for = claim.member == *by && (origin == Origin::Human || claim.session == *session);
    speaks_for && (released.paths.is_empty() || released.paths.contains(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Body;
    use crate::pathspec::Malformed;
    use crate::sample::{ALICE, BOB, event, position};

    fn claimed(paths: &[&str]) -> PathsClaimed {
        PathsClaimed { paths: paths.iter().map(|path| (*path).to_owned()).collect(), note: None }
    }

    fn claim(claims: &mut Claims, by: MemberId, number: u16, paths: &[&str]) -> Result<(), Refusal> {
        let body = claimed(paths);
        claims.claim(&event(by, Origin::Agent, Body::PathsClaimed(body.clone())), &body, position(number).id)
    }

    fn release(claims: &mut Claims, by: MemberId, origin: Origin, paths: &[&str]) -> Result<(), Refusal> {
        let body = PathsReleased { paths: paths.iter().map(|path| (*path).to_owned()).collect() };
        let mut event = event(by, origin, Body::PathsReleased(body.clone()));
        if origin == Origin::Human {
            event.session = SessionId([77; 16]);
        }
        claims.release(&event, &body)
    }

    fn held(claims: &Claims) -> Vec<(MemberId, Vec<&str>)> {
        claims.held().iter().map(|claim| (claim.member, claim.paths.iter().map(String::as_str).collect())).collect()
    }

    #[test]
    fn what_overlaps_anothers_is_refused_and_a_conflict_until_that_is_given_up() {
        let mut claims = Claims::default();
        claim(&mut claims, ALICE, 1, &["src/*.ts"]).unwrap();
        let refused = claim(&mut claims, BOB, 2, &["docs", "src/auth/**"]);
        let taken = Refusal::PathTaken { path: "src/auth/**".into(), theirs: "src/*.ts".into(), claim: position(1).id };
        assert_eq!(refused, Err(taken));
        let conflict = claims.conflicts().next().unwrap();
        assert_eq!((conflict.event, conflict.against), (position(2).id, position(1).id));
        assert_eq!(release(&mut claims, BOB, Origin::Human, &["src/*.ts"]), Err(Refusal::NotClaimed));
        release(&mut claims, ALICE, Origin::Agent, &[]).unwrap();
        assert_eq!((claims.conflicts().count(), claims.held().len()), (0, 0));
        assert_eq!(claim(&mut claims, BOB, 3, &["src/auth/**"]), Ok(()));
    }

    #[test]
    fn a_session_may_claim_more_and_give_up_a_part() {
        let mut claims = Claims::default();
        claim(&mut claims, ALICE, 1, &["a", "b"]).unwrap();
        claim(&mut claims, ALICE, 2, &["b", "c/**"]).unwrap();
        assert_eq!(held(&claims), [(ALICE, vec!["a"]), (ALICE, vec!["b", "c/**"])]);
        release(&mut claims, ALICE, Origin::Human, &["b"]).unwrap();
        assert_eq!(held(&claims), [(ALICE, vec!["a"]), (ALICE, vec!["c/**"])]);
        let touched = claims.touched(&BOB, &["x".into(), "c/d/e.rs".into()]);
        assert_eq!((touched[0].0.event, &touched[0].1[..]), (position(2).id, "c/d/e.rs"));
        assert!(claims.touched(&ALICE, &["a".into()]).is_empty());
    }

    #[test]
    fn two_sessions_of_one_side_do_not_overlap_either_and_a_gone_one_gives_up() {
        let mut claims = Claims::default();
        claim(&mut claims, ALICE, 1, &["a"]).unwrap();
        let other = SessionId([99; 16]);
        assert!(claims.taken(&ALICE, &other, &["a/b".into()]).is_some());
        assert!(claims.taken(&ALICE, &claims.held()[0].session, &["a/b".into()]).is_none());
        claims.expire(&ClaimsExpired { claims: vec![position(1).id] }).unwrap();
        assert!(claims.taken(&ALICE, &other, &["a/b".into()]).is_none());
        let again = claims.expire(&ClaimsExpired { claims: vec![position(1).id] });
        assert_eq!(again, Err(Refusal::NotClaimed));
    }

    #[test]
    fn bounds_hold() {
        let mut claims = Claims::default();
        let many: Vec<String> = (0..33).map(|number| format!("{number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let refused = |got| Err(Refusal::TooMany { field: "paths", got, max: 32 });
        assert_eq!(claim(&mut claims, ALICE, 1, &many), refused(33));
        assert_eq!(claim(&mut claims, ALICE, 1, &[]), Err(Refusal::Empty { field: "paths" }));
        assert_eq!(claim(&mut claims, ALICE, 1, &["/etc"]), Err(Refusal::NotAPath { why: Malformed::Outside }));
        claim(&mut claims, ALICE, 1, &many[..32]).unwrap();
        assert_eq!(claim(&mut claims, ALICE, 2, &many[..32]), Ok(()));
        assert_eq!(claim(&mut claims, ALICE, 3, &["x"]), refused(33));
        for number in 0..20 {
            assert!(claim(&mut claims, BOB, 10 + number, &["1"]).is_err());
        }
        assert_eq!(claims.conflicts().count(), CONFLICTS);
        claims.gone(&ALICE);
        assert_eq!(claims, Claims::default());
    }
}
