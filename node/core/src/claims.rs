//! Path claims: which session works on which files, so that nobody edits what another does.
//!
//! Of two claims that overlap the earlier in the room's order holds, whoever hears of it when. The
//! claim of a session that is gone is given up by an event of a companion that noticed, as no clock
//! decides here. Who lost a claim that it did not give up itself is told.

use std::collections::BTreeSet;

use pairwave_wire::limits;
use serde::{Deserialize, Serialize};

use crate::bounds::{few, within};
use crate::command::Refusal;
use crate::event::{Event, Origin};
use crate::id::{EventId, MemberId, SessionId};
use crate::pathspec::{Malformed, Pathspec};
use crate::shares::remember;
use crate::time::Timestamp;

/// Most paths that one member holds.
pub const PATHS: usize = 32;
/// Most bytes of these together.
const BYTES: usize = 2048;
/// Most bytes of what one event claims anew, times those of what others hold: as much it takes to see
/// whether these overlap.
const PRODUCT: usize = 1 << 20;
/// Most lost claims that are named.
const LOST: usize = 16;

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

/// The sessions that made these claims are gone. What a human claimed, only its own side ends so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimsExpired {
    pub claims: Vec<EventId>,
}

/// Who works on what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    held: Vec<Claim>,
    lost: Vec<Lost>,
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

/// A claim that its session did not give up itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    pub event: EventId,
    pub member: MemberId,
    pub session: SessionId,
    /// One of its paths.
    pub path: String,
    pub how: How,
    /// The claim that holds, or the event that ended this one.
    pub by: EventId,
}

/// How a claim was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// Another one released it, or had it expire. Named until its side claims or releases something.
    Ended,
    /// Its author did not know of the claim before. Named until that is gone, or its side holds the path.
    TooLate,
}

/// A path that somebody wants, and the claim that it meets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    pub path: String,
    pub claim: Claim,
}

impl PathsClaimed {
    /// Can these paths be claimed by anybody, and everything by an agent?
    pub(crate) fn check(&self, everything: bool) -> Result<(), Refusal> {
        few("paths", &self.paths, PATHS)?;
        within("note", self.note.as_deref().unwrap_or(""), limits::HEADLINE)?;
        if self.paths.is_empty() {
            return Err(Refusal::Empty { field: "paths" });
        }
        for path in &self.paths {
            let parsed = Pathspec::parse(path).map_err(|why| Refusal::NotAPath { why })?;
            if parsed.is_everything() && !everything {
                return Err(Refusal::NotAPath { why: Malformed::Everything });
            }
        }
        Ok(())
    }
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
    pub fn lost(&self) -> &[Lost] {
        &self.lost
    }

    /// The claims of other members that mean one of these paths, with the first such path. A path that
    /// ends with a slash stands for all that lies there.
    pub fn touched<'a>(&'a self, by: &MemberId, paths: &[String]) -> Vec<(&'a Claim, String)> {
        let means = |spec: &Pathspec, path: &String| match Pathspec::parse(path) {
            Ok(folder) if path.ends_with('/') => spec.overlaps(&folder),
            _ => spec.covers(path),
        };
        let others = self.held.iter().filter(|claim| claim.member != *by);
        let touched = others.filter_map(|claim| {
            let specs = claim.specs();
            let path = paths.iter().find(|path| specs.iter().any(|spec| means(spec, path)))?;
            Some((claim, path.clone()))
        });
        touched.collect()
    }

    /// What of other sessions' claims overlaps these paths.
    pub fn taken(&self, by: &MemberId, session: &SessionId, paths: &[String]) -> Vec<Taken> {
        let wanted: Vec<(&String, Pathspec)> = paths.iter().filter_map(|path| Some((path, spec(path)?))).collect();
        let taken = self.others_than(by, session).filter_map(|claim| {
            let specs = claim.specs();
            let (path, _) = wanted.iter().find(|(_, spec)| specs.iter().any(|held| held.overlaps(spec)))?;
            Some(Taken { path: (*path).clone(), claim: claim.clone() })
        });
        taken.collect()
    }

    pub(crate) fn check_claim(
        &self,
        by: &MemberId,
        session: &SessionId,
        everything: bool,
        claimed: &PathsClaimed,
    ) -> Result<(), Refusal> {
        claimed.check(everything)?;
        let own = self.held.iter().filter(|claim| claim.member == *by);
        let kept = |claim: &Claim, path: &String| claim.session != *session || !claimed.paths.contains(path);
        let rest = own.flat_map(|claim| claim.paths.iter().filter(move |path| kept(claim, path)));
        let all: Vec<&String> = rest.chain(&claimed.paths).collect();
        let (got, max) = (all.len(), PATHS);
        if got > max {
            return Err(Refusal::TooMany { field: "paths", got, max });
        }
        let (got, max) = (bytes(all), BYTES);
        if got > max {
            return Err(Refusal::TooLong { field: "paths", got, max });
        }
        let new = self.new_to(by, session, &claimed.paths);
        let others = self.others_than(by, session).flat_map(|claim| &claim.paths);
        let (got, max) = (bytes(&new), PRODUCT / bytes(others).max(1));
        if got > max {
            return Err(Refusal::TooLong { field: "paths", got, max });
        }
        match self.taken(by, session, &new).into_iter().next() {
            Some(Taken { path, claim }) => Err(Refusal::PathTaken { path, claim: claim.event }),
            None => Ok(()),
        }
    }

    /// Those that the session does not hold: nobody else holds any that meets one that it does.
    fn new_to(&self, by: &MemberId, session: &SessionId, paths: &[String]) -> Vec<String> {
        let own = self.held.iter().filter(|claim| claim.member == *by && claim.session == *session);
        let own: BTreeSet<&String> = own.flat_map(|claim| &claim.paths).collect();
        paths.iter().filter(|path| !own.contains(path)).cloned().collect()
    }

    fn others_than(&self, by: &MemberId, session: &SessionId) -> impl Iterator<Item = &Claim> {
        self.held.iter().filter(move |claim| claim.member != *by || claim.session != *session)
    }

    pub(crate) fn check_release(
        &self,
        by: &MemberId,
        session: &SessionId,
        origin: Origin,
        released: &PathsReleased,
    ) -> Result<(), Refusal> {
        few("paths", &released.paths, PATHS)?;
        let held = self.held.iter().filter(|claim| claim.obeys(by, session, origin));
        let mine: Vec<&String> = held.flat_map(|claim| &claim.paths).collect();
        let all = released.paths.iter().all(|path| mine.contains(&path));
        if all && !mine.is_empty() { Ok(()) } else { Err(Refusal::NotClaimed) }
    }

    pub(crate) fn check_expire(&self, by: &MemberId, expired: &ClaimsExpired) -> Result<(), Refusal> {
        let (got, max) = (expired.claims.len(), PATHS);
        if got > max {
            return Err(Refusal::TooMany { field: "paths", got, max });
        }
        let ends = self.held.iter().any(|claim| expires(by, expired, claim));
        if ends { Ok(()) } else { Err(Refusal::NotClaimed) }
    }

    pub(crate) fn claim(
        &mut self,
        event: &Event,
        everything: bool,
        claimed: &PathsClaimed,
        id: EventId,
    ) -> Result<(), Refusal> {
        let (by, session) = (event.author, event.session);
        let checked = self.check_claim(&by, &session, everything, claimed);
        if let Err(Refusal::PathTaken { path, claim }) = &checked {
            self.lose(Lost { event: id, member: by, session, path: path.clone(), how: How::TooLate, by: *claim });
        }
        checked?;
        // What it held of this before goes under the new note.
        self.keep(|claim, path| claim.member != by || claim.session != session || !claimed.paths.contains(path));
        self.held.push(Claim {
            event: id,
            member: by,
            session,
            origin: event.origin,
            paths: claimed.paths.clone(),
            note: claimed.note.clone(),
            at: event.claimed_time,
        });
        self.lost.retain(|lost| lost.member != by || lost.how == How::TooLate && !claimed.paths.contains(&lost.path));
        Ok(())
    }

    pub(crate) fn release(&mut self, event: &Event, released: &PathsReleased, id: EventId) -> Result<(), Refusal> {
        let Event { author, session, origin, .. } = event;
        self.check_release(author, session, *origin, released)?;
        self.lost.retain(|lost| lost.member != *author || lost.how == How::TooLate);
        let releases = |claim: &Claim, path: &String| {
            claim.obeys(author, session, *origin) && (released.paths.is_empty() || released.paths.contains(path))
        };
        self.end(releases, |claim| claim.session != *session, id);
        Ok(())
    }

    pub(crate) fn expire(&mut self, event: &Event, expired: &ClaimsExpired, id: EventId) -> Result<(), Refusal> {
        self.check_expire(&event.author, expired)?;
        // Its own side ends what a session claimed that is not there to be told.
        self.end(|claim, _| expires(&event.author, expired, claim), |claim| claim.member != event.author, id);
        Ok(())
    }

    /// A member left or was removed.
    pub(crate) fn gone(&mut self, member: &MemberId) {
        self.keep(|claim, _| claim.member != *member);
        self.lost.retain(|lost| lost.member != *member);
    }

    /// Paths are given up by an event, and their session is told where it did not say so.
    fn end(&mut self, ends: impl Fn(&Claim, &String) -> bool, tells: impl Fn(&Claim) -> bool, by: EventId) {
        for claim in self.held.clone().iter().filter(|claim| tells(claim)) {
            if let Some(path) = claim.paths.iter().find(|path| ends(claim, path)) {
                let Claim { event, member, session, .. } = *claim;
                self.lose(Lost { event, member, session, path: path.clone(), how: How::Ended, by });
            }
        }
        self.keep(|claim, path| !ends(claim, path));
    }

    fn lose(&mut self, lost: Lost) {
        remember(&mut self.lost, lost, LOST, |lost| lost.member);
    }

    fn keep(&mut self, keeps: impl Fn(&Claim, &String) -> bool) {
        for claim in &mut self.held {
            let paths = std::mem::take(&mut claim.paths);
            claim.paths = paths.into_iter().filter(|path| keeps(claim, path)).collect();
        }
        self.held.retain(|claim| !claim.paths.is_empty());
        let held = &self.held;
        self.lost.retain(|lost| lost.how == How::Ended || held.iter().any(|claim| claim.event == lost.by));
    }
}

impl Claim {
    /// May this session release it? A human speaks for all sessions of its side.
    fn obeys(&self, by: &MemberId, session: &SessionId, origin: Origin) -> bool {
        self.member == *by && (origin == Origin::Human || self.session == *session)
    }

    fn specs(&self) -> Vec<Pathspec> {
        self.paths.iter().filter_map(|path| spec(path)).collect()
    }
}

fn bytes<'a>(paths: impl IntoIterator<Item = &'a String>) -> usize {
    paths.into_iter().map(String::len).sum()
}

fn spec(path: &str) -> Option<Pathspec> {
    Pathspec::parse(path).ok()
}

fn expires(by: &MemberId, expired: &ClaimsExpired, claim: &Claim) -> bool {
    expired.claims.contains(&claim.event) && (claim.origin == Origin::Agent || claim.member == *by)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Body;
    use crate::sample::{ALICE, BOB, event, position};

    fn claimed(paths: &[&str]) -> PathsClaimed {
        PathsClaimed { paths: paths.iter().map(|path| (*path).to_owned()).collect(), note: None }
    }

    fn claim(claims: &mut Claims, by: MemberId, number: u16, paths: &[&str]) -> Result<(), Refusal> {
        let body = claimed(paths);
        claims.claim(&event(by, Origin::Agent, Body::PathsClaimed(body.clone())), false, &body, position(number).id)
    }

    fn release(claims: &mut Claims, by: MemberId, origin: Origin, paths: &[&str]) -> Result<(), Refusal> {
        let body = PathsReleased { paths: paths.iter().map(|path| (*path).to_owned()).collect() };
        let mut event = event(by, origin, Body::PathsReleased(body.clone()));
        if origin == Origin::Human {
            event.session = SessionId([77; 16]);
        }
        claims.release(&event, &body, position(100).id)
    }

    fn expire(claims: &mut Claims, by: MemberId, number: u16) -> Result<(), Refusal> {
        let body = ClaimsExpired { claims: vec![position(number).id] };
        let event = event(by, Origin::Agent, Body::ClaimsExpired(body.clone()));
        claims.expire(&event, &body, position(101).id)
    }

    fn held(claims: &Claims) -> Vec<(MemberId, Vec<&str>)> {
        claims.held().iter().map(|claim| (claim.member, claim.paths.iter().map(String::as_str).collect())).collect()
    }

    #[test]
    fn what_overlaps_anothers_is_refused_and_a_conflict_until_that_is_given_up() {
        let mut claims = Claims::default();
        claim(&mut claims, ALICE, 1, &["src/*.ts"]).unwrap();
        let refused = claim(&mut claims, BOB, 2, &["docs", "src/auth/**"]);
        assert_eq!(refused, Err(Refusal::PathTaken { path: "src/auth/**".into(), claim: position(1).id }));
        let lost = &claims.lost()[0];
        assert_eq!((lost.event, lost.by, lost.how), (position(2).id, position(1).id, How::TooLate));
        assert_eq!(release(&mut claims, BOB, Origin::Human, &["src/*.ts"]), Err(Refusal::NotClaimed));
        release(&mut claims, ALICE, Origin::Agent, &[]).unwrap();
        assert_eq!((claims.lost().len(), claims.held().len()), (0, 0));
        assert_eq!(claim(&mut claims, BOB, 3, &["src/auth/**"]), Ok(()));
    }

    #[test]
    fn a_session_may_claim_more_and_give_up_a_part() {
        let mut claims = Claims::default();
        claim(&mut claims, ALICE, 1, &["a", "b"]).unwrap();
        claim(&mut claims, ALICE, 2, &["b", "c/**"]).unwrap();
        assert_eq!(held(&claims), [(ALICE, vec!["a"]), (ALICE, vec!["b", "c/**"])]);
        assert_eq!(release(&mut claims, ALICE, Origin::Human, &["b", "x"]), Err(Refusal::NotClaimed));
        release(&mut claims, ALICE, Origin::Human, &["b"]).unwrap();
        assert_eq!((claims.lost()[0].event, claims.lost()[0].how), (position(2).id, How::Ended));
        assert_eq!(held(&claims), [(ALICE, vec!["a"]), (ALICE, vec!["c/**"])]);
        let touched = claims.touched(&BOB, &["x".into(), "c/d/e.rs".into()]);
        assert_eq!((touched[0].0.event, &touched[0].1[..]), (position(2).id, "c/d/e.rs"));
        assert_eq!(claims.touched(&BOB, &["c/".into()]).len(), 1);
        assert!(claims.touched(&ALICE, &["a".into()]).is_empty());
    }

    #[test]
    fn two_sessions_of_one_side_do_not_overlap_either_and_a_gone_one_gives_up() {
        let mut claims = Claims::default();
        claim(&mut claims, ALICE, 1, &["a"]).unwrap();
        let other = SessionId([99; 16]);
        let taken = |claims: &Claims, session: SessionId| claims.taken(&ALICE, &session, &["a/b".into()]).len();
        assert_eq!((taken(&claims, other), taken(&claims, claims.held()[0].session)), (1, 0));
        assert_eq!(expire(&mut claims, ALICE, 1), Ok(()));
        assert_eq!((taken(&claims, other), claims.lost().len()), (0, 0));
        assert_eq!(expire(&mut claims, ALICE, 1), Err(Refusal::NotClaimed));
    }

    #[test]
    fn what_a_human_claimed_nobody_else_ends_and_an_agent_is_told() {
        let mut claims = Claims::default();
        let body = claimed(&["."]);
        let human = event(ALICE, Origin::Human, Body::PathsClaimed(body.clone()));
        claims.claim(&human, true, &body, position(1).id).unwrap();
        assert_eq!(expire(&mut claims, BOB, 1), Err(Refusal::NotClaimed));
        assert_eq!(expire(&mut claims, ALICE, 1), Ok(()));
        claim(&mut claims, ALICE, 2, &["a"]).unwrap();
        expire(&mut claims, BOB, 2).unwrap();
        let lost = &claims.lost()[0];
        assert_eq!((lost.event, lost.by, lost.how), (position(2).id, position(101).id, How::Ended));
        claim(&mut claims, ALICE, 3, &["a"]).unwrap();
        assert_eq!(claims.lost(), []);
    }

    #[test]
    fn what_is_claimed_again_is_not_compared_and_what_is_new_is_in_bounds() {
        let mut claims = Claims::default();
        let long = |of: char, from: usize, to: usize| -> Vec<String> {
            (from..to).map(|number| format!("{of}{number:0127}")).collect()
        };
        let told = |paths: &[String]| PathsClaimed { paths: paths.to_vec(), note: None };
        let mut say = |by, number, paths: &[String]| {
            let body = told(paths);
            claims.claim(&event(by, Origin::Agent, Body::PathsClaimed(body.clone())), false, &body, position(number).id)
        };
        say(ALICE, 1, &long('a', 0, 16)).unwrap();
        let too_long = Err(Refusal::TooLong { field: "paths", got: 640, max: 512 });
        assert_eq!(say(BOB, 2, &long('b', 0, 5)), too_long);
        for (number, from) in [(3, 0), (4, 4), (5, 8)] {
            assert_eq!(say(BOB, number, &long('b', from, from + 4)), Ok(()));
        }
        assert_eq!(say(BOB, 6, &long('b', 0, 12)), Ok(()), "all of it is its own");
    }

    #[test]
    fn bounds_hold() {
        let mut claims = Claims::default();
        let many: Vec<String> = (0..33).map(|number| format!("{number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let refused = |got| Err(Refusal::TooMany { field: "paths", got, max: 32 });
        assert_eq!(claim(&mut claims, ALICE, 1, &many), refused(33));
        assert_eq!(claim(&mut claims, ALICE, 1, &[]), Err(Refusal::Empty { field: "paths" }));
        for (path, why) in [("/etc", Malformed::Outside), ("**", Malformed::Everything)] {
            assert_eq!(claim(&mut claims, ALICE, 1, &[path]), Err(Refusal::NotAPath { why }));
        }
        claim(&mut claims, ALICE, 1, &many[..32]).unwrap();
        assert_eq!(claim(&mut claims, ALICE, 2, &many[..32]), Ok(()));
        assert_eq!(claim(&mut claims, ALICE, 3, &["x"]), refused(33));
        let long: Vec<String> = (0..11).map(|number| format!("{number:0190}")).collect();
        let long: Vec<&str> = long.iter().map(String::as_str).collect();
        let too_long = Err(Refusal::TooLong { field: "paths", got: 2090, max: 2048 });
        assert_eq!(claim(&mut claims, BOB, 4, &long), too_long);
        for number in 0..20 {
            assert!(claim(&mut claims, BOB, 10 + number, &["1"]).is_err());
        }
        assert_eq!(claims.lost().len(), LOST);
        claims.gone(&BOB);
        claims.gone(&ALICE);
        assert_eq!(claims, Claims::default());
    }
}
