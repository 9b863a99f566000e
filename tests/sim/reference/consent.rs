//! Charter, floor, hops and requests, by the words of the protocol: who may say what where it
//! stands, and what becomes of a request by what its author can have known.

use std::collections::{BTreeMap, BTreeSet};

use pairwave_core::actions::{Action, Requested, Risk};
use pairwave_core::charter::{AutoApprove, Charter};
use pairwave_core::event::{Body, Event, Origin};
use pairwave_core::id::{CharterHash, EventId, FindingId, MemberId, RequestHash, SessionId};
use pairwave_core::talk::Kind;

use super::Library;

/// What holds after the events that were told so far.
#[derive(Default, Clone)]
pub struct Consent {
    pub here: BTreeSet<MemberId>,
    pub verified: bool,
    mutual: BTreeSet<(MemberId, MemberId)>,
    papers: Vec<Paper>,
    newest: Option<usize>,
    before: Option<usize>,
    pub holder: Option<(MemberId, Option<SessionId>, EventId)>,
    pub waiting: Vec<(EventId, MemberId, SessionId)>,
    pub hops: u32,
    pub asked: BTreeMap<EventId, Asked>,
    denied: BTreeSet<(MemberId, RequestHash)>,
    pub overridden: BTreeSet<(MemberId, FindingId)>,
}

#[derive(Clone)]
struct Paper {
    event: EventId,
    hash: CharterHash,
    charter: Charter,
    yes: BTreeSet<MemberId>,
    no: BTreeSet<MemberId>,
    /// Those whose human said no.
    firm: BTreeSet<MemberId>,
    humans_only: bool,
    was_agreed: bool,
}

/// A request and the events with effect that are about it.
#[derive(Clone)]
pub struct Asked {
    by: MemberId,
    session: SessionId,
    what: Requested,
    approved: Vec<EventId>,
    denied: Vec<EventId>,
    expired: Vec<EventId>,
    handed: Option<EventId>,
    done: Option<bool>,
}

impl Asked {
    pub fn state(&self) -> &'static str {
        match (self.done, self.handed, !self.approved.is_empty()) {
            (Some(true), ..) => "done",
            (Some(false), ..) => "failed",
            (None, Some(_), _) => "handed",
            (None, None, true) => "approved",
            _ if !self.denied.is_empty() => "denied",
            _ if !self.expired.is_empty() => "expired",
            _ => "pending",
        }
    }
}

impl Consent {
    /// The charter in question, and whether it is agreed.
    pub fn charter(&self) -> Option<(EventId, bool)> {
        self.in_question().map(|at| (self.papers[at].event, self.is_agreed(at)))
    }

    /// Lets an event have its effect, where its author may speak. Says whether it has one.
    pub fn tell(&mut self, library: &Library, id: EventId) -> bool {
        let event = library.event(&id);
        self.may(event) && self.does(library, id, event)
    }

    /// Is this a member where the order has come to?
    pub fn has(&self, member: &MemberId) -> bool {
        self.here.contains(member)
    }

    /// Takes note of an event that had effect.
    pub fn hear(&mut self, event: &Event, id: EventId) {
        let agents = event.origin == Origin::Agent;
        if agents && self.here.len() > 1 && (talks(&event.body) || pushes(&event.body)) {
            self.hops += 1;
        }
        if !agents && event.session != SessionId::COMPANION {
            self.hops = 0;
        }
        if let Some((_, session @ None, _)) = self.holder.as_mut().filter(|holder| holder.0 == event.author)
            && pushes(&event.body)
        {
            *session = Some(event.session);
        }
        let before = self.here.clone();
        match &event.body {
            Body::Genesis(_) => _ = self.here.insert(event.author),
            Body::Admitted(admitted) => _ = self.here.insert(admitted.member),
            Body::Removed(removed) => self.goes(removed.member, id),
            Body::Left(_) => self.goes(event.author, id),
            Body::Verified(verified) => _ = self.mutual.insert((event.author, verified.member)),
            _ => (),
        }
        if before != self.here || matches!(event.body, Body::Verified(_)) {
            self.verified = self.are_joined();
        }
        self.note();
    }

    fn may(&self, event: &Event) -> bool {
        let alone = self.here.len() < 2;
        let gated = pushes(&event.body) || notes(&event.body) || matches!(event.body, Body::FloorClaimed(_));
        if gated && !alone && !(self.verified && self.charter().is_some_and(|(_, agreed)| agreed)) {
            return false;
        }
        let counted = (talks(&event.body) || pushes(&event.body)) && event.origin == Origin::Agent && !alone;
        if counted && self.hops >= self.max_hops() {
            return false;
        }
        match self.holder {
            _ if !pushes(&event.body) => true,
            Some((member, session, _)) => {
                member == event.author && session.is_none_or(|session| session == event.session)
            }
            None => alone,
        }
    }

    fn does(&mut self, library: &Library, id: EventId, event: &Event) -> bool {
        let by = event.author;
        let human = event.origin == Origin::Human;
        match &event.body {
            Body::CharterProposed(proposed) => self.propose(id, event, &proposed.charter),
            Body::CharterAccepted(accepted) => self.vote(accepted.hash, by, true, human),
            Body::CharterDeclined(declined) => {
                declined.reason.as_ref().is_none_or(|reason| reason.len() <= 4096)
                    && self.vote(declined.hash, by, false, human)
            }
            Body::FloorClaimed(claimed) => {
                claimed.reason.as_ref().is_none_or(|reason| reason.len() <= 400) && self.claim(id, by, event.session)
            }
            Body::FloorYielded(yielded) => {
                let may = self.holder.is_some_and(|(holder, ..)| holder == by);
                match yielded.to {
                    _ if !may => return false,
                    Some(to) if !self.here.contains(&to.member) => return false,
                    Some(to) => self.give(to.member, to.session, id),
                    None => self.next(id),
                }
                true
            }
            Body::FloorTaken(taken) => {
                let claim = self.waiting.iter().find(|(claim, of, _)| *claim == taken.claim && *of == by).copied();
                claim.map(|(_, _, session)| self.give(by, Some(session), id)).is_some()
            }
            Body::FloorReleased(released) => {
                let is = self.holder.is_some_and(|(.., held)| held == released.held);
                if is {
                    self.next(id);
                }
                is
            }
            Body::Requested(requested) => self.ask(id, event, requested),
            Body::Overridden(overridden) => {
                let may = human && overridden.rule.len() <= 64;
                if may {
                    self.overridden.insert((by, overridden.finding));
                }
                may
            }
            Body::Prompted(_) => human,
            _ => self.moves_on(library, id, event).unwrap_or(false),
        }
    }

    /// Every event about a request, by what its author can have known; `None`: there is no such
    /// request for it.
    fn moves_on(&mut self, library: &Library, id: EventId, event: &Event) -> Option<bool> {
        let request = match &event.body {
            Body::Approved(approved) => approved.request,
            Body::Denied(denied) => denied.request,
            Body::Handed(handed) => handed.request,
            Body::Completed(completed) => completed.request,
            Body::Expired(expired) => expired.request,
            _ => return Some(true),
        };
        let knows = |of: &EventId| library.is_before(of, &id);
        let asked = self.asked.get(&request).filter(|_| knows(&request))?.clone();
        let is_mine = asked.what.to == event.author;
        let answers = || [&asked.approved, &asked.denied, &asked.expired].into_iter().flatten();
        let own = answers().filter(|id| library.event(id).author == event.author).count();
        let open = !answers().any(knows) && own < 8;
        let ours = self.asked.get_mut(&request)?;
        Some(match &event.body {
            Body::Approved(approved) => {
                let risk = approved.risk.max(asked.what.risk).max(least(asked.what.action));
                let right = is_mine && open && approved.hash == asked.what.hash();
                let may = match event.origin {
                    Origin::Human => !approved.always || risk < Risk::High,
                    Origin::Agent => {
                        let under = approved.under.filter(knows);
                        !approved.always
                            && risk < Risk::High
                            && under.is_some_and(|under| self.lets(library, &under, &asked, risk))
                    }
                };
                if right && may {
                    self.asked.get_mut(&request)?.approved.push(id);
                }
                right && may
            }
            Body::Denied(denied) => {
                let may = is_mine && open && denied.reason.as_ref().is_none_or(|reason| reason.len() <= 4096);
                if may {
                    ours.denied.push(id);
                    self.denied.insert((asked.what.to, asked.what.hash()));
                }
                may
            }
            Body::Handed(_) => {
                let may = is_mine && asked.handed.is_none() && asked.approved.iter().any(knows);
                if may {
                    ours.handed = Some(id);
                }
                may
            }
            Body::Completed(completed) => {
                let fits = completed.detail.as_ref().is_none_or(|detail| detail.len() <= 192 * 1024);
                let may = fits && is_mine && asked.done.is_none() && asked.handed.as_ref().is_some_and(knows);
                if may {
                    ours.done = Some(completed.ok);
                }
                may
            }
            _ => {
                let may = open && (is_mine || asked.by == event.author);
                if may {
                    ours.expired.push(id);
                }
                may
            }
        })
    }

    /// Does this event let an agent approve?
    fn lets(&self, library: &Library, under: &EventId, asked: &Asked, risk: Risk) -> bool {
        match &library.event(under).body {
            Body::CharterProposed(proposed) => match proposed.charter.auto_approve {
                AutoApprove::None => false,
                AutoApprove::Low => risk == Risk::Low,
                AutoApprove::All => risk != Risk::High,
            },
            Body::Approved(approved) if approved.always => self.asked.get(&approved.request).is_some_and(|before| {
                let alike = |asked: &Asked| (asked.by, asked.session, asked.what.to, asked.what.action);
                before.approved.contains(under) && alike(before) == alike(asked)
            }),
            _ => false,
        }
    }

    fn ask(&mut self, id: EventId, event: &Event, what: &Requested) -> bool {
        let waiting = self.asked.values().filter(|asked| asked.by == event.author && asked.state() == "pending");
        let elsewhere = what.to != event.author || self.here.len() == 1;
        let needs_payload = what.artifact.is_none() || matches!(what.action, Action::RunCommand | Action::FetchUrl);
        let target = what.target_path.as_deref().unwrap_or("");
        let formed = !what.summary.trim().is_empty()
            && what.summary.len() <= 400
            && what.payload.len() <= 192 * 1024
            && (!needs_payload || !what.payload.trim().is_empty())
            && target.len() <= 4096
            && (what.action != Action::WriteFile || !target.trim().is_empty());
        let again = self.denied.contains(&(what.to, what.hash()));
        let may = formed && elsewhere && self.here.contains(&what.to) && !again && waiting.count() < 32;
        if may {
            let (by, session, what) = (event.author, event.session, what.clone());
            let none = Vec::new;
            let asked = Asked {
                by,
                session,
                what,
                approved: none(),
                denied: none(),
                expired: none(),
                handed: None,
                done: None,
            };
            self.asked.insert(id, asked);
        }
        may
    }

    fn propose(&mut self, event: EventId, by: &Event, charter: &Charter) -> bool {
        let lists = [&charter.scope, &charter.out_of_scope, &charter.must_nots, &charter.response_contract];
        let entry = |entry: &String| !entry.trim().is_empty() && entry.len() <= 4096;
        let formed = lists.iter().all(|list| list.len() <= 128 && list.iter().all(entry))
            && !charter.title.trim().is_empty()
            && charter.title.len() <= 200
            && !charter.purpose.trim().is_empty()
            && charter.purpose.len() <= 4096
            && charter.max_hops <= 100_000
            && charter.live_minutes <= 1440;
        if !formed {
            return false;
        }
        if let Some(at) = self.newest.filter(|at| self.papers[*at].was_agreed) {
            self.before = Some(at);
        }
        let dropped = |old: &[String], new: &[String]| old.iter().any(|entry| !new.contains(entry));
        let looser = self.before.map(|at| &self.papers[at].charter).is_some_and(|old| {
            charter.auto_approve > old.auto_approve
                || charter.max_hops > old.max_hops
                || charter.live_minutes > old.live_minutes
                || dropped(&old.must_nots, &charter.must_nots)
                || dropped(&old.out_of_scope, &charter.out_of_scope)
        });
        let wide = charter.auto_approve != AutoApprove::None || charter.max_hops > 3 || charter.live_minutes > 20;
        let humans_only = wide || looser;
        let yes = if humans_only && by.origin == Origin::Agent { None } else { Some(by.author) };
        self.newest = Some(self.papers.len());
        self.papers.push(Paper {
            event,
            hash: charter.hash(),
            charter: charter.clone(),
            yes: yes.into_iter().collect(),
            no: BTreeSet::new(),
            firm: BTreeSet::new(),
            humans_only,
            was_agreed: false,
        });
        true
    }

    fn vote(&mut self, hash: CharterHash, by: MemberId, accepts: bool, human: bool) -> bool {
        let open = [self.newest, self.in_question()].into_iter().flatten().find(|at| self.papers[*at].hash == hash);
        let Some(open) = open else { return false };
        let paper = &self.papers[open];
        let for_humans = if accepts { paper.humans_only || paper.firm.contains(&by) } else { paper.was_agreed };
        if for_humans && !human {
            return false;
        }
        for at in [self.newest, self.before].into_iter().flatten() {
            let paper = &mut self.papers[at];
            if paper.hash == hash {
                let (to, from) =
                    if accepts { (&mut paper.yes, &mut paper.no) } else { (&mut paper.no, &mut paper.yes) };
                to.insert(by);
                from.remove(&by);
                if accepts {
                    paper.firm.remove(&by);
                } else if human {
                    paper.firm.insert(by);
                }
            }
        }
        true
    }

    fn in_question(&self) -> Option<usize> {
        let open = |at: &usize| self.papers[*at].no.is_disjoint(&self.here);
        [self.newest, self.before].into_iter().flatten().find(open)
    }

    fn is_agreed(&self, at: usize) -> bool {
        self.verified && self.here.is_subset(&self.papers[at].yes)
    }

    fn note(&mut self) {
        if let Some(at) = self.in_question().filter(|at| self.is_agreed(*at)) {
            self.papers[at].was_agreed = true;
        }
    }

    pub fn max_hops(&self) -> u32 {
        let bound = |at: usize| self.papers[at].charter.max_hops;
        match self.in_question().filter(|at| self.is_agreed(*at)) {
            Some(agreed) => bound(agreed),
            None => {
                let were = [self.newest, self.before].into_iter().flatten().filter(|at| self.papers[*at].was_agreed);
                were.map(bound).min().unwrap_or(3).min(3)
            }
        }
    }

    fn claim(&mut self, id: EventId, by: MemberId, session: SessionId) -> bool {
        if self.waiting.iter().any(|(_, of, waits)| (*of, *waits) == (by, session)) {
            return false;
        }
        match &mut self.holder {
            None => self.give(by, Some(session), id),
            Some((holder, holding, _)) if *holder == by && holding.is_none_or(|holding| holding == session) => {
                *holding = Some(session);
                self.waiting.clear();
            }
            Some(_) if self.waiting.iter().filter(|(_, of, _)| *of == by).count() >= 8 => return false,
            Some(_) => self.waiting.push((id, by, session)),
        }
        true
    }

    fn give(&mut self, member: MemberId, session: Option<SessionId>, held: EventId) {
        self.holder = Some((member, session, held));
        self.waiting.retain(|(_, of, waits)| *of != member || session.is_some_and(|session| session != *waits));
    }

    fn next(&mut self, held: EventId) {
        self.holder = None;
        if let Some((_, member, session)) = self.waiting.first().copied() {
            self.give(member, Some(session), held);
        }
    }

    fn goes(&mut self, member: MemberId, id: EventId) {
        self.here.remove(&member);
        self.waiting.retain(|(_, of, _)| *of != member);
        if self.holder.is_some_and(|(holder, ..)| holder == member) {
            self.next(id);
        }
    }

    /// Does a chain of mutual verifications join all who are here?
    fn are_joined(&self) -> bool {
        let mutual = |a: &MemberId, b: &MemberId| self.mutual.contains(&(*a, *b)) && self.mutual.contains(&(*b, *a));
        let mut joined: BTreeSet<MemberId> = self.here.iter().take(1).copied().collect();
        for _ in 0..self.here.len() {
            let more = self.here.iter().filter(|member| joined.iter().any(|other| mutual(member, other))).copied();
            joined.extend(more.collect::<Vec<_>>());
        }
        !joined.is_empty() && joined == self.here
    }
}

fn least(action: Action) -> Risk {
    match action {
        Action::RunCommand => Risk::High,
        Action::ApplyPatch | Action::WriteFile => Risk::Medium,
        Action::FetchUrl => Risk::Low,
    }
}

fn talks(body: &Body) -> bool {
    match body {
        Body::Message(message) => {
            matches!(message.kind, Kind::Answer | Kind::Chat | Kind::Question | Kind::Status)
        }
        Body::CharterProposed(_) | Body::CharterDeclined(_) => true,
        _ => false,
    }
}

fn pushes(body: &Body) -> bool {
    matches!(body, Body::Message(_) | Body::Requested(_)) && !talks(body)
}

/// What is for the others to find.
fn notes(body: &Body) -> bool {
    matches!(body, Body::Remembered(_) | Body::GitSetUp(_) | Body::Committed(_) | Body::PathsClaimed(_))
}
