//! What is looked at before anything is signed: the rules of the room, secrets in its texts, and
//! how fast an agent speaks.

use std::collections::VecDeque;
use std::time::Instant;

use pairwave_api::{Code, EventDone, Failure, FindingList, FindingView, Findings, Override};
use pairwave_core::command::{Command, Outcome};
use pairwave_core::consenting::Act;
use pairwave_core::event::{Body, Origin};
use pairwave_core::gate::Needs;
use pairwave_core::id::{FindingId, RoomId};
use pairwave_core::key::hash;
use pairwave_core::talk::Kind;
use pairwave_guard::secrets::{self, Finding};

use super::watch::locked;
use super::{Answers, for_humans, unexpected, wrong_id};
use crate::caller::Caller;
use crate::pace::Saying;
use crate::refusals::refused;

/// Findings that are remembered until somebody lets them pass.
const FINDINGS: usize = 256;

/// What the secret scan held back, the newest last.
#[derive(Default)]
pub(super) struct HeldBack(VecDeque<(RoomId, FindingId, FindingView)>);

impl Answers {
    /// Carries out a wish about charter, floor, requests or the brain.
    pub(super) async fn act(&self, by: &Caller, room: RoomId, act: Act) -> Result<pairwave_core::id::EventId, Failure> {
        match self.command(Command::Act { room, by: by.speaker, act }).await? {
            Outcome::Said { event, .. } => {
                self.note_act(by, room);
                Ok(event)
            }
            other => Err(unexpected(&other)),
        }
    }

    /// May this be said? Refuses what the room's rules forbid, what looks like a secret, and what an
    /// agent says too fast. What became of it is to be told to [`Self::settle`].
    pub(super) async fn clear(&self, by: &Caller, room: RoomId, body: &Body) -> Result<Cleared, Failure> {
        self.clear_with(by, room, body, &[]).await
    }

    /// The same for what has texts besides those of its event.
    pub(super) async fn clear_with(
        &self,
        by: &Caller,
        room: RoomId,
        body: &Body,
        texts: &[(&str, &str)],
    ) -> Result<Cleared, Failure> {
        let (speaker, asked) = (by.speaker, body.clone());
        let turns = self
            .look(room, move |viewer| {
                let state = viewer.room().state();
                state.check_policy(&viewer.me(), &speaker.session, speaker.origin, &asked).map_err(refused)?;
                Ok(u64::from(state.hops.turns(&viewer.me())))
            })
            .await?;
        self.scan(by, Some(room), &body.texts()).await?;
        self.scan(by, Some(room), texts).await?;
        let Some(saying) = saying(by, room, body) else { return Ok(Cleared(None)) };
        let rates = self.parts.rates;
        let sums_up = matches!(body, Body::Message(message) if message.kind == Kind::Summary);
        if saying.pushes && !sums_up && rates.max_turns > 0 && turns >= rates.max_turns {
            return Err(turns_spent(rates.max_turns));
        }
        self.pace().reserve(&saying, &rates, Instant::now())?;
        Ok(Cleared(Some(saying)))
    }

    /// Passes on what became of what was cleared: what was refused does not count for the pace. What
    /// nobody waited for until its end may have been said, and counts.
    pub(super) fn settle<T>(&self, Cleared(saying): Cleared, outcome: Result<T, Failure>) -> Result<T, Failure> {
        if let (Some(saying), Err(_)) = (saying, &outcome) {
            self.pace().give_back(&saying);
        }
        outcome
    }

    pub(super) fn note_act(&self, by: &Caller, room: RoomId) {
        if by.speaker.origin == Origin::Human {
            self.pace().human_acted(room);
        }
    }

    /// Refuses texts that hold what looks like a secret, unless a human let that one pass.
    pub(super) async fn scan(&self, by: &Caller, room: Option<RoomId>, texts: &[(&str, &str)]) -> Result<(), Failure> {
        for (field, text) in texts {
            for finding in findings(field, text) {
                let secret = text[finding.place.clone()].to_owned();
                let (id, passes, session_name) = self.known(by, room, finding.rule, secret).await?;
                if !passes {
                    let view = view(id, &finding, field, session_name);
                    let failure = secret_found(by, room.is_some(), &view);
                    if let Some(room) = room {
                        locked(&self.held_back).add(room, id, view);
                    }
                    return Err(failure);
                }
            }
        }
        Ok(())
    }

    /// The id of a finding, and whether a human let it pass.
    async fn known(
        &self,
        by: &Caller,
        room: Option<RoomId>,
        rule: &'static str,
        secret: String,
    ) -> Result<(FindingId, bool, String), Failure> {
        let session = by.speaker.session;
        let find = move |node: &pairwave_core::node::Node<crate::store::Reader>| {
            let id = node.finding(room.as_ref(), rule, secret.as_bytes());
            let room = room.and_then(|room| node.room(&room));
            let passes = room.is_some_and(|room| room.state().overrides.lets_pass(&room.me(), &id));
            let name = room.map(|room| room.state().sessions.session_name(&room.me(), &session)).unwrap_or_default();
            (id, passes, name)
        };
        Ok(self.parts.driver.query(find).await)
    }

    pub(super) async fn findings(&self, by: &Caller, ask: &Findings) -> Result<FindingList, Failure> {
        let room = self.room(by, &ask.room).await?;
        Ok(FindingList { findings: locked(&self.held_back).of(room) })
    }

    pub(super) async fn let_pass(&self, by: &Caller, ask: &Override) -> Result<EventDone, Failure> {
        for_humans(by)?;
        let room = self.room(by, &ask.room).await?;
        let found = locked(&self.held_back).find(room, &ask.id);
        let (finding, rule) =
            found.ok_or_else(|| wrong_id("finding", "`pairwave override`, which lists what was held back"))?;
        let event = self.act(by, room, Act::Override { finding, rule }).await?;
        locked(&self.held_back).forget(room, finding);
        Ok(EventDone { event: event.to_string() })
    }
}

/// What was cleared, and is to be said now.
#[must_use = "what became of it is to be told with `settle`"]
pub(super) struct Cleared(Option<Saying>);

/// The file itself comes along with these, so its name alone may tell that it is secret. Elsewhere a
/// path is only talked about.
const FILES: &[&str] = &["path_hint", "target_path"];

fn findings(field: &str, text: &str) -> Vec<Finding> {
    if FILES.contains(&field) { secrets::scan_name(text) } else { secrets::scan(text) }
}

impl HeldBack {
    fn add(&mut self, room: RoomId, id: FindingId, view: FindingView) {
        self.forget(room, id);
        if self.0.len() == FINDINGS {
            self.0.pop_front();
        }
        self.0.push_back((room, id, view));
    }

    fn forget(&mut self, room: RoomId, id: FindingId) {
        self.0.retain(|(of, known, _)| (*of, *known) != (room, id));
    }

    fn of(&self, room: RoomId) -> Vec<FindingView> {
        self.0.iter().rev().filter(|(of, ..)| *of == room).map(|(.., view)| view.clone()).collect()
    }

    /// The one that an id, or a prefix that only it has, names.
    fn find(&self, room: RoomId, wanted: &str) -> Option<(FindingId, String)> {
        let named = |id: &FindingId| wanted.len() >= 4 && id.to_string().starts_with(&wanted.to_lowercase());
        let mut found = self.0.iter().filter(|(of, id, _)| *of == room && named(id));
        let (_, id, view) = found.next()?;
        found.next().is_none().then(|| (*id, view.rule.clone()))
    }
}

/// What an agent is about to say. Results are never held up, and humans are not rated.
fn saying(by: &Caller, room: RoomId, body: &Body) -> Option<Saying> {
    let needs = Needs::of(body);
    if by.speaker.origin == Origin::Human || !needs.rated {
        return None;
    }
    let mut words = body.clone();
    if let Body::Message(message) = &mut words {
        message.key = None;
    }
    let texts: Vec<String> = words.texts().into_iter().map(|(field, text)| format!("{field}\0{text}")).collect();
    let parts: Vec<&[u8]> =
        std::iter::once(words.kind().as_bytes()).chain(texts.iter().map(String::as_bytes)).collect();
    let hash = (!needs.repeats).then(|| hash(b"pairwave-repeat-v1", &parts));
    Some(Saying { room, session: by.speaker.session, pushes: needs.floor, hash })
}

fn view(id: FindingId, finding: &Finding, field: &str, session_name: String) -> FindingView {
    FindingView {
        id: id.to_string(),
        rule: finding.rule.to_owned(),
        what: finding.what.to_owned(),
        field: field.to_owned(),
        excerpt: finding.excerpt.clone(),
        session_name,
        at: jiff::Timestamp::now().to_string(),
    }
}

fn secret_found(by: &Caller, can_pass: bool, finding: &FindingView) -> Failure {
    let FindingView { id, rule, what, field, excerpt, .. } = finding;
    let message = format!("`{field}` holds what looks like a secret ({rule}: {what}): {excerpt}");
    let next = match by.speaker.origin {
        _ if !can_pass => "Leave it out.".to_owned(),
        Origin::Human => format!("Leave it out; or let this one pass with `pairwave override {id}` and send it again."),
        Origin::Agent => format!(
            "Leave it out. If it is no secret, only your human can let it pass, with `pairwave override {id}`; then say it again."
        ),
    };
    Failure::new(Code::Refused, "secret_found", message, next).among(vec![id.clone()])
}

fn turns_spent(max: u64) -> Failure {
    let message = format!("Your side has pushed {max} messages since it last summed up");
    Failure::new(Code::Refused, "turns_spent", message, "Sum up with pair_summarize, then go on.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_that_comes_along_may_be_secret_and_talk_of_one_is_not() {
        let found = |field: &str, path: &str| !findings(field, path).is_empty();
        for field in FILES {
            assert!(found(field, "home/.ssh/id_ed25519"), "{field}");
            assert!(!found(field, ".env.example") && !found(field, "src/env.rs"), "{field}");
        }
        for field in ["path", "files_modified", "text"] {
            assert!(!found(field, ".env") && !found(field, "home/.ssh/id_ed25519"), "{field}");
        }
    }

    #[test]
    fn an_address_of_a_relay_is_no_secret() {
        let peer = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";
        for transport in
            ["ip4/203.0.113.7/udp/4011/quic-v1", "dns4/relay.example.org/tcp/4011", "ip6/2001:db8::7/tcp/1"]
        {
            assert_eq!(findings("relay", &format!("/{transport}/p2p/{peer}")), []);
        }
    }
}
