//! What must be true of a room, said as simply as possible: from the bare set of its events, with
//! sets of ancestors instead of clocks, by walking everything every time. It shares no code with
//! the fold.

use std::collections::{BTreeMap, BTreeSet};

use pairwave_core::artifacts::Shared;
use pairwave_core::event::{Body, Event};
use pairwave_core::id::{EventId, MemberId, SessionId};
use pairwave_core::members::{Admitted, Removed};
use pairwave_core::sessions::look;
use pairwave_core::talk::{Field, Kind, Message};

mod brain;
mod consent;
mod git;
mod judgement;
mod ledger;

pub use self::brain::Brain;
pub use self::consent::Consent;
pub use self::git::{Git, SPECS};
pub use self::judgement::{End, Membership};
pub use self::ledger::Ledger;

/// Events that were met anywhere, with their ancestors: neither depends on who knows them.
#[derive(Default)]
pub struct Library {
    pub books: BTreeMap<EventId, Book>,
}

pub struct Book {
    pub event: Event,
    pub depth: u64,
    /// All ancestors, without the event itself.
    pub past: BTreeSet<EventId>,
}

/// What must be true for somebody who has exactly these events.
pub struct Truth {
    /// All of them, in the room's order.
    pub order: Vec<EventId>,
    pub membership: Membership,
    pub without_effect: BTreeSet<EventId>,
    pub open_questions: BTreeSet<EventId>,
    pub verified: BTreeSet<(MemberId, MemberId)>,
    pub forked: BTreeSet<MemberId>,
    pub names: BTreeMap<MemberId, String>,
    pub sessions: BTreeMap<(MemberId, SessionId), String>,
    /// Address and token, as they came.
    pub relays: Vec<(String, Option<String>)>,
    pub consent: Consent,
    pub brain: Brain,
    pub git: Git,
    pub ledger: Ledger,
}

impl Library {
    /// Takes an event whose parents are here.
    pub fn take(&mut self, id: EventId, event: Event) -> Result<(), String> {
        let mut past = BTreeSet::new();
        let mut depth = 1;
        for parent in &event.parents {
            let parents = self.books.get(parent).ok_or_else(|| format!("{id:?} came before its parent {parent:?}"))?;
            depth = depth.max(parents.depth + 1);
            past.insert(*parent);
            past.extend(parents.past.iter().copied());
        }
        self.books.insert(id, Book { event, depth, past });
        Ok(())
    }

    pub fn event(&self, id: &EventId) -> &Event {
        &self.books[id].event
    }

    pub fn is_before(&self, id: &EventId, of: &EventId) -> bool {
        self.books[of].past.contains(id)
    }

    /// What must be true of these events, which contain the parents of each.
    pub fn truth(&self, known: &BTreeSet<EventId>) -> Truth {
        let mut order: Vec<EventId> = known.iter().copied().collect();
        order.sort_by_key(|id| (self.books[id].depth, *id));
        let membership = Membership::of(self, &order);
        let mut truth = Truth {
            forked: self.forked(&order),
            membership,
            order,
            without_effect: BTreeSet::new(),
            open_questions: BTreeSet::new(),
            verified: BTreeSet::new(),
            names: BTreeMap::new(),
            sessions: BTreeMap::new(),
            relays: Vec::new(),
            consent: Consent::default(),
            brain: Brain::default(),
            git: Git::default(),
            ledger: Ledger::default(),
        };
        for id in truth.order.clone() {
            if truth.tell(self, id) {
                truth.hear(self.event(&id));
                truth.consent.hear(self.event(&id), id);
                truth.git.hear(self.event(&id));
                truth.ledger.hear(self.event(&id), id);
            } else {
                truth.without_effect.insert(id);
            }
        }
        truth
    }

    /// Authors with two events of one seq.
    fn forked(&self, order: &[EventId]) -> BTreeSet<MemberId> {
        let mut places = BTreeSet::new();
        let mut again = |event: &Event| !places.insert((event.author, event.seq));
        order.iter().map(|id| self.event(id)).filter(|event| again(event)).map(|event| event.author).collect()
    }
}

impl Truth {
    /// Lets an event have its effect. Says whether it has one.
    fn tell(&mut self, library: &Library, id: EventId) -> bool {
        let event = library.event(&id);
        if self.membership.void.contains(&id) || !self.membership.may_speak(library, &id) {
            return false;
        }
        if !self.consent.tell(library, id) {
            return false;
        }
        match &event.body {
            Body::Genesis(genesis) => self.introduce(event.author, &genesis.name),
            Body::Admitted(Admitted { member, name, .. }) => self.introduce(*member, name),
            Body::Named(named) => return self.rename(event.author, named.session, &named.name),
            Body::Verified(verified) => {
                let is_here = self.consent.has(&verified.member);
                if is_here && event.author != verified.member {
                    self.verified.insert((event.author, verified.member));
                }
                return is_here;
            }
            Body::RelayAdded(added) => return self.add_relay(&added.relay),
            Body::RelayRemoved(removed) => {
                let (there, (address, _)) = (self.relays.len(), in_two(&removed.relay));
                self.relays.retain(|(named, _)| *named != address);
                return self.relays.len() < there;
            }
            Body::Message(message) => return self.say(library, id, message),
            Body::Shared(shared) => return is_whole(shared),
            Body::Remembered(remembered) => return self.brain.tell(library, id, remembered),
            Body::Foreign { .. } => return false,
            _ => return self.git.tell(library, id, self.consent.here.len() < 2),
        }
        true
    }

    fn say(&mut self, library: &Library, id: EventId, message: &Message) -> bool {
        if !is_complete(message) {
            return false;
        }
        if let Some(question) = &message.answers {
            let asked = library.books.get(question).map(|book| &book.event.body);
            let is_question = matches!(asked, Some(Body::Message(asked)) if asked.kind == Kind::Question);
            if !is_question || !library.is_before(question, &id) {
                return false;
            }
            self.open_questions.remove(question);
        }
        if message.kind == Kind::Question {
            self.open_questions.insert(id);
        }
        true
    }

    /// Only of relays that are well named, as all are that the simulation plays with.
    fn add_relay(&mut self, relay: &str) -> bool {
        let (address, token) = in_two(relay);
        let full = self.relays.len() == 8;
        match self.relays.iter_mut().find(|(named, _)| *named == address) {
            Some((_, known)) if *known == token => false,
            Some((_, known)) => {
                *known = token;
                true
            }
            None if full => false,
            None => {
                self.relays.push((address, token));
                true
            }
        }
    }

    fn introduce(&mut self, member: MemberId, name: &str) {
        if !self.names.contains_key(&member) {
            let name = self.free(name);
            self.names.insert(member, name);
        }
    }

    fn rename(&mut self, author: MemberId, session: Option<SessionId>, name: &str) -> bool {
        let others = self.names.iter().filter(|(of, _)| session.is_some() || **of != author).map(|(_, name)| name);
        let sessions = self.sessions.iter().filter(|(of, _)| Some(of.1) != session || of.0 != author);
        let mut taken = others.chain(sessions.map(|(_, name)| name));
        if taken.any(|taken| taken.to_lowercase() == name.to_lowercase()) {
            return false;
        }
        match session {
            Some(session) => self.sessions.insert((author, session), name.to_owned()),
            None => self.names.insert(author, name.to_owned()),
        };
        true
    }

    fn hear(&mut self, event: &Event) {
        let key = (event.author, event.session);
        if event.session != SessionId::COMPANION && !self.sessions.contains_key(&key) {
            let name = self.free(&look(&event.session).name);
            self.sessions.insert(key, name);
        }
    }

    fn free(&self, wish: &str) -> String {
        let taken: BTreeSet<String> =
            self.names.values().chain(self.sessions.values()).map(|name| name.to_lowercase()).collect();
        let numbered = (2..).map(|number| format!("{wish}-{number}"));
        let mut wishes = std::iter::once(wish.to_owned()).chain(numbered);
        wishes.find(|name| !taken.contains(&name.to_lowercase())).expect("numbers do not end")
    }
}

/// A relay's address and its token.
pub fn in_two(relay: &str) -> (String, Option<String>) {
    let mut parts = relay.splitn(2, '#').map(str::to_owned);
    (parts.next().unwrap_or_default(), parts.next())
}

/// Has the message what its kind needs? Only of the kinds that the simulation plays with.
fn is_complete(message: &Message) -> bool {
    let expected = matches!(message.fields.get("expected_format"), Some(Field::Text(text)) if !text.trim().is_empty());
    let fits = !message.text.trim().is_empty() && message.text.len() <= 192 * 1024;
    fits && match message.kind {
        Kind::Chat | Kind::Status => true,
        Kind::Question => expected,
        Kind::Answer => message.answers.is_some(),
        Kind::Finding => message.headline.as_ref().is_some_and(|headline| !headline.trim().is_empty()),
        other => panic!("nobody here says a {other:?}"),
    }
}

/// Has it a headline, and as many chunks of 48 KiB as make up its size, of at most 64 MiB?
fn is_whole(shared: &Shared) -> bool {
    let (size, chunks) = (shared.blob.size, shared.blob.chunks.len() as u64);
    let sized = (1..=64 << 20).contains(&size) && (size - 1) / (48 << 10) + 1 == chunks;
    sized && !shared.headline.trim().is_empty() && shared.headline.len() <= 400
}

/// The events of a removed member that keep their effect: the one that the removal names and what
/// its author said before it.
fn chain_of(library: &Library, removed: &Removed) -> BTreeSet<EventId> {
    let mut chain = BTreeSet::new();
    let mut at = removed.last;
    while let Some(id) = at {
        chain.insert(id);
        at = library.event(&id).backlink;
    }
    chain
}
