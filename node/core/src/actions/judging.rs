//! What moves a request on, judged by the causal past of the event that says so: what its author
//! cannot have known does not count against it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{
    Actions, Always, Answer, Approval, Approved, Completed, DENIALS, Denial, Denied, Expired, Handed, Report, Request,
    Risk, STANDING, Step,
};
use crate::bounds::within;
use crate::causality;
use crate::command::Refusal;
use crate::event::{Body, Event, Origin};
use crate::id::{EventId, MemberId, RoomId};
use crate::log::{Log, LogError, Record};
use crate::shares::remember;
use pairwave_wire::limits;

/// What an event's author can have known.
pub struct Past<'a> {
    pub log: &'a dyn Log,
    pub room: &'a RoomId,
    /// The event; `None` for one that is still to be signed: it will have everything before it.
    pub of: Option<&'a Record>,
}

/// Most answers of one author to one request: only who forked has more than one.
const ANSWERS: usize = 8;

type Judged<T = ()> = Result<Result<T, Refusal>, LogError>;

impl Past<'_> {
    fn holds(&self, by: &MemberId, seq: u64, id: EventId) -> Result<bool, LogError> {
        match self.of {
            None => Ok(true),
            Some(of) => causality::is_ancestor(self.log, self.room, (by, seq, id), of),
        }
    }

    fn holds_step(&self, step: Option<&Step>) -> Result<bool, LogError> {
        step.map_or(Ok(false), |step| self.holds(&step.by, step.seq, step.event))
    }

    /// An event of the past.
    fn event(&self, id: &EventId) -> Result<Option<Event>, LogError> {
        let Some(record) = self.log.get(self.room, id)? else { return Ok(None) };
        let known = self.holds(&record.author, record.seq, *id)?;
        Ok(record.event().filter(|_| known))
    }
}

impl Actions {
    /// May `by` approve this request so?
    pub(crate) fn check_approve(&self, by: &MemberId, origin: Origin, approved: &Approved, past: &Past<'_>) -> Judged {
        let request = match self.for_me(by, &approved.request, past)? {
            Ok(request) => request,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if request.hash != approved.hash {
            return Ok(Err(Refusal::OtherPayload));
        }
        if let Err(refusal) = undecided(by, request, past)? {
            return Ok(Err(refusal));
        }
        let risk = request.risk_with(approved.risk);
        if origin == Origin::Human {
            let too_much = approved.always && risk == Risk::High;
            return Ok(if too_much { Err(Refusal::NeverAlways) } else { Ok(()) });
        }
        if risk == Risk::High || approved.always {
            return Ok(Err(Refusal::HumansOnly));
        }
        let Some(under) = &approved.under else { return Ok(Err(Refusal::HumansOnly)) };
        let Some(under) = past.event(under)? else { return Ok(Err(Refusal::HumansOnly)) };
        let covered = match &under.body {
            Body::CharterProposed(proposed) => proposed.charter.auto_approve.covers(risk),
            Body::Approved(earlier) => {
                let standing = self.standing.iter().filter(|(event, _)| Some(*event) == approved.under);
                earlier.always && standing.into_iter().any(|(_, always)| always.by == *by && always.covers(request))
            }
            _ => false,
        };
        Ok(if covered { Ok(()) } else { Err(Refusal::HumansOnly) })
    }

    pub(crate) fn check_deny(&self, by: &MemberId, denied: &Denied, past: &Past<'_>) -> Judged {
        let reason = denied.reason.as_deref().unwrap_or("");
        if let Err(refusal) = within("reason", reason, limits::LIST_ENTRY) {
            return Ok(Err(refusal));
        }
        match self.for_me(by, &denied.request, past)? {
            Ok(request) => undecided(by, request, past),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    pub(crate) fn check_hand(&self, by: &MemberId, handed: &Handed, past: &Past<'_>) -> Judged {
        let request = match self.for_me(by, &handed.request, past)? {
            Ok(request) => request,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if !known_answers(request, past)?.contains(&Answer::Approved) {
            return Ok(Err(Refusal::NotApproved));
        }
        Ok(if request.handed.is_some() { Err(Refusal::HandedBefore) } else { Ok(()) })
    }

    pub(crate) fn check_complete(&self, by: &MemberId, completed: &Completed, past: &Past<'_>) -> Judged {
        let detail = completed.detail.as_deref().unwrap_or("");
        if let Err(refusal) = within("detail", detail, limits::TEXT) {
            return Ok(Err(refusal));
        }
        let request = match self.for_me(by, &completed.request, past)? {
            Ok(request) => request,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if !past.holds_step(request.handed.as_ref())? {
            return Ok(Err(Refusal::NotHanded));
        }
        Ok(if request.report.is_some() { Err(Refusal::CompletedBefore) } else { Ok(()) })
    }

    pub(crate) fn check_expire(&self, by: &MemberId, expired: &Expired, past: &Past<'_>) -> Judged {
        let Some(request) = self.get(&expired.request) else { return Ok(Err(Refusal::NoSuchRequest)) };
        if request.by != *by && request.to != *by || !past.holds(&request.by, request.seq, expired.request)? {
            return Ok(Err(Refusal::NoSuchRequest));
        }
        undecided(by, request, past)
    }

    pub(crate) fn approve(&mut self, event: &Event, approved: &Approved, past: &Past<'_>, id: EventId) -> Judged {
        if let Err(refusal) = self.check_approve(&event.author, event.origin, approved, past)? {
            return Ok(Err(refusal));
        }
        let step = step(event, id);
        if let Some(request) = self.requests.get_mut(&approved.request).map(Arc::make_mut) {
            let (risk, always, under) = (request.risk_with(approved.risk), approved.always, approved.under);
            if always {
                let (for_member, for_session, action) = (request.by, request.session, request.action);
                let always = Always { by: event.author, for_member, for_session, action };
                remember(&mut self.standing, (id, always), STANDING, |(_, always)| always.by);
            }
            request.approval.get_or_insert(Approval { step, risk, always, under });
            request.answers.push((Answer::Approved, step));
            self.pending.remove(&approved.request);
        }
        Ok(Ok(()))
    }

    pub(crate) fn deny(&mut self, event: &Event, denied: &Denied, past: &Past<'_>, id: EventId) -> Judged {
        if let Err(refusal) = self.check_deny(&event.author, denied, past)? {
            return Ok(Err(refusal));
        }
        if let Some(request) = self.requests.get_mut(&denied.request).map(Arc::make_mut) {
            let step = step(event, id);
            request.denial.get_or_insert_with(|| Denial { step, reason: denied.reason.clone() });
            request.answers.push((Answer::Denied, step));
            remember(&mut self.denied, (request.to, request.hash), DENIALS, |(to, _)| *to);
            self.pending.remove(&denied.request);
        }
        Ok(Ok(()))
    }

    pub(crate) fn hand(&mut self, event: &Event, handed: &Handed, past: &Past<'_>, id: EventId) -> Judged {
        let judged = self.check_hand(&event.author, handed, past)?;
        if let (Ok(()), Some(request)) = (&judged, self.requests.get_mut(&handed.request).map(Arc::make_mut)) {
            request.handed = Some(step(event, id));
        }
        Ok(judged)
    }

    pub(crate) fn complete(&mut self, event: &Event, completed: &Completed, past: &Past<'_>, id: EventId) -> Judged {
        let judged = self.check_complete(&event.author, completed, past)?;
        if let (Ok(()), Some(request)) = (&judged, self.requests.get_mut(&completed.request).map(Arc::make_mut)) {
            let detail = completed.detail.as_deref().map(|detail| beginning(detail, limits::HEADLINE).to_owned());
            let ok = completed.ok;
            request.report = Some(Report { step: step(event, id), ok, detail });
        }
        Ok(judged)
    }

    pub(crate) fn expire(&mut self, event: &Event, expired: &Expired, past: &Past<'_>, id: EventId) -> Judged {
        let judged = self.check_expire(&event.author, expired, past)?;
        if let (Ok(()), Some(request)) = (&judged, self.requests.get_mut(&expired.request).map(Arc::make_mut)) {
            let step = step(event, id);
            request.expired.get_or_insert(step);
            request.answers.push((Answer::Expired, step));
            self.pending.remove(&expired.request);
        }
        Ok(judged)
    }

    /// A request that was made to this member, as far as it can know. Whose it is costs nothing to
    /// ask, so it is asked first.
    fn for_me(&self, by: &MemberId, id: &EventId, past: &Past<'_>) -> Judged<&Request> {
        let Some(request) = self.get(id) else { return Ok(Err(Refusal::NoSuchRequest)) };
        if request.to != *by {
            return Ok(Err(Refusal::NotForYou));
        }
        Ok(if past.holds(&request.by, request.seq, *id)? { Ok(request) } else { Err(Refusal::NoSuchRequest) })
    }
}

/// Has nobody approved, denied or given up the request, as far as the past holds? Who forked may
/// have said so many things that no more of them are kept.
fn undecided(by: &MemberId, request: &Request, past: &Past<'_>) -> Judged {
    if let Some(first) = known_answers(request, past)?.first() {
        return Ok(Err(Refusal::Settled { state: first.name() }));
    }
    let said = request.answers.iter().filter(|(_, step)| step.by == *by).count();
    Ok(if said < ANSWERS { Ok(()) } else { Err(Refusal::Settled { state: request.state().name() }) })
}

/// What was said of a request, as far as the past holds.
fn known_answers(request: &Request, past: &Past<'_>) -> Result<BTreeSet<Answer>, LogError> {
    let mut known = BTreeSet::new();
    for (answer, step) in &request.answers {
        if past.holds(&step.by, step.seq, step.event)? {
            known.insert(*answer);
        }
    }
    Ok(known)
}

fn step(event: &Event, id: EventId) -> Step {
    Step { event: id, by: event.author, seq: event.seq, session: event.session, origin: event.origin }
}

fn beginning(text: &str, max: usize) -> &str {
    let mut end = max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
