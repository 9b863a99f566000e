//! Actions: what one side asks the other to do, and the gate before it.
//!
//! A request waits until the side it is for approves or denies it. An approval names the hash of the
//! request, so what is done is what was shown. It, the handing over and the report are events of
//! that side alone, judged by their own causal past: none can be undone. High risk is approved by
//! humans only; an agent approves what a charter or a human's standing approval lets it, and names
//! which.

mod judging;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pairwave_wire::{cbor, limits};
use serde::{Deserialize, Serialize};

use crate::bounds::{filled, within};
use crate::command::Refusal;
use crate::event::{Event, Origin};
use crate::id::{EventId, MemberId, RequestHash, SessionId};
use crate::key;
use crate::log::Position;
use crate::shares::fullest;
use crate::time::Timestamp;

pub(crate) use judging::Past;

/// Most requests that are remembered; beyond it goes one of whoever has made most, a settled one if
/// there is one.
const REQUESTS: usize = 256;
/// Most requests of one member that may wait for an answer.
const OPEN: usize = 32;
/// Most approvals for always that are remembered.
const STANDING: usize = 256;
/// Most denials that are remembered.
const DENIALS: usize = 512;
/// How long a request may wait for an answer.
pub const LIFETIME: std::time::Duration = std::time::Duration::from_secs(24 * 3600);

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    ApplyPatch,
    FetchUrl,
    RunCommand,
    WriteFile,
}

/// How much it can break. Ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    Low,
    Medium,
    High,
}

/// The author asks a member to have something done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requested {
    pub to: MemberId,
    pub action: Action,
    /// As the author sees it. The other side judges for itself.
    pub risk: Risk,
    pub summary: String,
    /// Patch, content, command or URL. Empty where `artifact` holds it.
    pub payload: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_path: Option<String>,
    /// The event that shared what is to be applied or written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<EventId>,
}

/// The author's side approves a request that was made to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approved {
    pub request: EventId,
    /// What was shown: [`Requested::hash`].
    pub hash: RequestHash,
    /// As the author's companion judged it.
    pub risk: Risk,
    /// Later requests of this kind by the same session need no human, unless their risk is high.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub always: bool,
    /// What lets an agent approve: the proposal of a charter, or an approval for always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub under: Option<EventId>,
}

/// The author's side turns a request down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Denied {
    pub request: EventId,
    pub reason: Option<String>,
}

/// An approved request is handed to an agent of the author, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handed {
    pub request: EventId,
}

/// What became of a request that was handed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Completed {
    pub request: EventId,
    pub ok: bool,
    pub detail: Option<String>,
}

/// A request waited for too long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expired {
    pub request: EventId,
}

/// The requests of a room.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actions {
    /// Shared with the checkpoints of the state, which are many and mostly the same.
    requests: BTreeMap<EventId, Arc<Request>>,
    /// Those that wait for an answer.
    pending: BTreeSet<EventId>,
    /// Approvals for always, and the events that gave them, oldest first.
    standing: Vec<(EventId, Always)>,
    /// What was denied, to whom, oldest first.
    denied: Vec<(MemberId, RequestHash)>,
}

/// One request and what became of it. Its payload is in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    pub position: Position,
    pub by: MemberId,
    pub seq: u64,
    pub session: SessionId,
    pub to: MemberId,
    pub action: Action,
    /// As its author sees it.
    pub risk: Risk,
    pub summary: String,
    pub hash: RequestHash,
    pub artifact: Option<EventId>,
    /// What its author's clock said.
    pub asked: Timestamp,
    pub approval: Option<Approval>,
    pub denial: Option<Denial>,
    pub handed: Option<Step>,
    pub report: Option<Report>,
    pub expired: Option<Step>,
    /// All that was said of it. There is more than one where they did not know of each other.
    answers: Vec<(Answer, Step)>,
}

/// What can be said of a request that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Approved,
    Denied,
    Expired,
}

/// An event that moved a request on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub event: EventId,
    pub by: MemberId,
    pub seq: u64,
    pub session: SessionId,
    pub origin: Origin,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    pub step: Step,
    /// As the approving companion judged it.
    pub risk: Risk,
    pub always: bool,
    pub under: Option<EventId>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    pub step: Step,
    pub reason: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub step: Step,
    pub ok: bool,
    /// The beginning of it; all of it is in the log.
    pub detail: Option<String>,
}

/// An approval for always: of one kind of action, by one session, to one member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Always {
    by: MemberId,
    for_member: MemberId,
    for_session: SessionId,
    action: Action,
}

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestState {
    Pending,
    Approved,
    Denied,
    /// Handed to an agent, which has not reported yet.
    Handed,
    Done,
    Failed,
    Expired,
}

impl RequestState {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Handed => "handed",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Expired => "expired",
        }
    }
}

impl Answer {
    const fn name(self) -> &'static str {
        match self {
            Self::Approved => RequestState::Approved.name(),
            Self::Denied => RequestState::Denied.name(),
            Self::Expired => RequestState::Expired.name(),
        }
    }
}

impl Action {
    pub const ALL: [Self; 4] = [Self::ApplyPatch, Self::FetchUrl, Self::RunCommand, Self::WriteFile];

    pub const fn name(self) -> &'static str {
        match self {
            Self::ApplyPatch => "apply_patch",
            Self::FetchUrl => "fetch_url",
            Self::RunCommand => "run_command",
            Self::WriteFile => "write_file",
        }
    }

    /// The least risk that such an action has.
    pub const fn least_risk(self) -> Risk {
        match self {
            Self::RunCommand => Risk::High,
            Self::ApplyPatch | Self::WriteFile => Risk::Medium,
            Self::FetchUrl => Risk::Low,
        }
    }
}

impl Risk {
    pub const ALL: [Self; 3] = [Self::Low, Self::Medium, Self::High];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl Requested {
    /// Names what is to be done: BLAKE2b-256 of the deterministic CBOR of action, payload, target
    /// path and artifact. The words around it are not part of it.
    pub fn hash(&self) -> RequestHash {
        let what = (self.action, &self.payload, &self.target_path, self.artifact);
        let bytes = cbor::encode(&what).expect("texts and bytes always encode");
        RequestHash(key::hash(b"pairwave-request-v1", &[&bytes]))
    }

    /// Checks forms and bounds.
    pub fn check(&self) -> Result<(), Refusal> {
        filled("summary", &self.summary, limits::HEADLINE)?;
        match (self.artifact, self.action) {
            (None, _) | (Some(_), Action::RunCommand | Action::FetchUrl) => {
                filled("payload", &self.payload, limits::TEXT)?
            }
            (Some(_), _) => within("payload", &self.payload, limits::TEXT)?,
        }
        let target = self.target_path.as_deref();
        within("target_path", target.unwrap_or(""), limits::LIST_ENTRY)?;
        if self.action == Action::WriteFile && target.is_none_or(|path| path.trim().is_empty()) {
            return Err(Refusal::FieldMissing { kind: "write_file", field: "target_path" });
        }
        Ok(())
    }
}

impl Request {
    /// Where it stands. What was done outweighs what was said of it without knowing.
    pub fn state(&self) -> RequestState {
        match (&self.report, &self.handed, &self.approval) {
            (Some(report), ..) if report.ok => RequestState::Done,
            (Some(_), ..) => RequestState::Failed,
            (None, Some(_), _) => RequestState::Handed,
            (None, None, Some(_)) => RequestState::Approved,
            (None, None, None) if self.denial.is_some() => RequestState::Denied,
            (None, None, None) if self.expired.is_some() => RequestState::Expired,
            (None, None, None) => RequestState::Pending,
        }
    }

    /// Is there nothing more to be done about it?
    pub fn is_settled(&self) -> bool {
        !matches!(self.state(), RequestState::Pending | RequestState::Approved | RequestState::Handed)
    }

    /// The risk that an approval must reckon with: the highest of what its author said, what such an
    /// action has at least, and what the approving companion judged.
    pub fn risk_with(&self, judged: Risk) -> Risk {
        self.risk.max(self.action.least_risk()).max(judged)
    }
}

impl Actions {
    pub fn get(&self, request: &EventId) -> Option<&Request> {
        self.requests.get(request).map(Arc::as_ref)
    }

    /// All that are remembered.
    pub fn iter(&self) -> impl Iterator<Item = (&EventId, &Request)> {
        self.requests.iter().map(|(id, request)| (id, Arc::as_ref(request)))
    }

    /// Those that wait for an answer.
    pub fn pending(&self) -> impl Iterator<Item = (&EventId, &Request)> {
        self.pending
            .iter()
            .filter_map(|id| self.requests.get_key_value(id))
            .map(|(id, request)| (id, Arc::as_ref(request)))
    }

    /// An approval for always that covers such a request, made by this member.
    pub fn always(&self, by: &MemberId, request: &Request) -> Option<EventId> {
        self.standing.iter().find(|(_, always)| always.by == *by && always.covers(request)).map(|(id, _)| *id)
    }

    /// Would this request have an effect?
    pub(crate) fn check_request(
        &self,
        by: &MemberId,
        requested: &Requested,
        of: &BTreeSet<MemberId>,
    ) -> Result<(), Refusal> {
        requested.check()?;
        if !of.contains(&requested.to) {
            return Err(Refusal::NoSuchMember);
        }
        if requested.to == *by && of.len() > 1 {
            return Err(Refusal::OwnRequest);
        }
        if self.denied.contains(&(requested.to, requested.hash())) {
            return Err(Refusal::DeniedBefore);
        }
        let (got, max) = (self.pending().filter(|(_, request)| request.by == *by).count() + 1, OPEN);
        if got > max { Err(Refusal::TooMany { field: "requests", got, max }) } else { Ok(()) }
    }

    pub(crate) fn request(
        &mut self,
        event: &Event,
        requested: &Requested,
        of: &BTreeSet<MemberId>,
        position: Position,
    ) -> Result<(), Refusal> {
        self.check_request(&event.author, requested, of)?;
        self.requests.insert(
            position.id,
            Arc::new(Request {
                position,
                by: event.author,
                seq: event.seq,
                session: event.session,
                to: requested.to,
                action: requested.action,
                risk: requested.risk,
                summary: requested.summary.clone(),
                hash: requested.hash(),
                artifact: requested.artifact,
                asked: event.claimed_time,
                approval: None,
                denial: None,
                handed: None,
                report: None,
                expired: None,
                answers: Vec::new(),
            }),
        );
        self.pending.insert(position.id);
        if self.requests.len() > REQUESTS {
            self.forget();
        }
        Ok(())
    }

    /// Forgets one of whoever has most: the oldest settled one, or the oldest.
    fn forget(&mut self) {
        let Some(by) = fullest(self.requests.values().map(|request| request.by)) else { return };
        let all = self.requests.values().filter(|request| request.by == by);
        let oldest = all.min_by_key(|request| (!request.is_settled(), request.position));
        if let Some(id) = oldest.map(|request| request.position.id) {
            self.requests.remove(&id);
            self.pending.remove(&id);
        }
    }
}

impl Always {
    fn covers(&self, request: &Request) -> bool {
        (self.by, self.for_member, self.for_session, self.action)
            == (request.to, request.by, request.session, request.action)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Body;
    use crate::sample::{ALICE, BOB, MALLORY, event, position};

    fn requested(number: u16) -> Requested {
        Requested {
            to: BOB,
            action: Action::FetchUrl,
            risk: Risk::Low,
            summary: "please".into(),
            payload: format!("https://pages.example/{number}"),
            target_path: None,
            artifact: None,
        }
    }

    fn ask(actions: &mut Actions, by: MemberId, number: u16) -> Result<(), Refusal> {
        let requested = requested(number);
        let event = event(by, Origin::Agent, Body::Requested(requested.clone()));
        actions.request(&event, &requested, &[ALICE, BOB, MALLORY].into(), position(number))
    }

    #[test]
    fn the_hash_is_of_what_is_done_and_not_of_the_words_around_it() {
        let base = requested(1);
        assert_eq!(Requested { summary: "now".into(), risk: Risk::High, ..base.clone() }.hash(), base.hash());
        let others = [
            Requested { action: Action::RunCommand, ..base.clone() },
            Requested { payload: "other".into(), ..base.clone() },
            Requested { target_path: Some("x".into()), ..base.clone() },
            Requested { artifact: Some(EventId([1; 32])), ..base.clone() },
        ];
        let hashes: BTreeSet<RequestHash> = others.iter().chain([&base]).map(Requested::hash).collect();
        assert_eq!(hashes.len(), 5);
    }

    #[test]
    fn risk_is_the_highest_that_anybody_sees() {
        let mut actions = Actions::default();
        ask(&mut actions, ALICE, 1).unwrap();
        let mut request = actions.get(&position(1).id).unwrap().clone();
        assert_eq!(request.risk_with(Risk::Low), Risk::Low);
        assert_eq!(request.risk_with(Risk::High), Risk::High);
        request.action = Action::RunCommand;
        assert_eq!(request.risk_with(Risk::Low), Risk::High);
    }

    #[test]
    fn at_most_so_many_wait_and_a_flood_forgets_its_own() {
        let mut actions = Actions::default();
        ask(&mut actions, ALICE, 1).unwrap();
        for number in 0..1000 {
            ask(&mut actions, MALLORY, 10 + number).unwrap();
            let request = position(10 + number).id;
            let (expired, event) =
                (Expired { request }, event(MALLORY, Origin::Agent, Body::Expired(Expired { request })));
            let log = crate::log::MemoryLog::default();
            let past = Past { log: &log, room: &crate::id::RoomId([9; 32]), of: None };
            actions.expire(&event, &expired, &past, position(2000).id).unwrap().unwrap();
        }
        assert_eq!(actions.iter().count(), REQUESTS);
        assert!(actions.get(&position(1).id).is_some());
        let waiting = (0..40).filter(|number| ask(&mut actions, MALLORY, 3000 + number).is_ok()).count();
        assert_eq!((waiting, actions.pending().count()), (OPEN, OPEN + 1));
    }
}
