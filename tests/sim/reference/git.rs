//! Git side by side, by the words of the protocol: whoever came first holds a path until it is given
//! up, and what somebody has pulled it must have heard of. What is meant by a pathspec stands in a
//! table here, of all that the simulation plays with.

use std::collections::{BTreeMap, BTreeSet};

use pairwave_core::claims::PathsClaimed;
use pairwave_core::event::{Body, Event, Origin};
use pairwave_core::git::{Committed, GitSetUp, Strategy};
use pairwave_core::id::{EventId, MemberId, SessionId};

use super::Library;

/// Pathspecs, and which of a few paths each means; the last is none.
pub const SPECS: [(&str, &[&str]); 9] = [
    ("src/*.ts", &["src/x.ts", "src/auth/x.ts", "src/a/x/y.ts"]),
    ("src/auth/**", &["src/auth/x", "src/auth/x.ts"]),
    ("./src/auth/", &["src/auth", "src/auth/x", "src/auth/x.ts"]),
    ("docs", &["docs", "docs/a.ts"]),
    ("README.md", &["README.md"]),
    ("**/*.ts", &["src/x.ts", "src/auth/x.ts", "src/a/x/y.ts", "docs/a.ts"]),
    ("src/{a,auth}/x", &["src/a/x", "src/a/x/y.ts", "src/auth/x"]),
    (
        EVERYTHING,
        &["src/x.ts", "src/auth", "src/auth/x", "src/auth/x.ts", "src/a/x/y.ts", "docs", "README.md", "src/a/x"],
    ),
    ("/etc", &[]),
];
const EVERYTHING: &str = "**";

/// One path of one claim, in the order of their coming.
pub type Held = (EventId, MemberId, SessionId, String);

#[derive(Default, Clone)]
pub struct Git {
    pub held: Vec<Held>,
    /// Claims of humans.
    humans: BTreeSet<EventId>,
    late: Vec<Lost>,
    /// What each member said last of its repository.
    pub sides: BTreeMap<MemberId, (EventId, GitSetUp)>,
    commits: Vec<(EventId, MemberId, String)>,
    pulled: BTreeSet<(MemberId, EventId)>,
}

#[derive(Clone)]
struct Lost {
    event: EventId,
    member: MemberId,
    path: String,
    by: EventId,
    too_late: bool,
}

impl Git {
    /// Lets an event have its effect, where its author may speak. Says whether it has one.
    pub fn tell(&mut self, library: &Library, id: EventId, alone: bool) -> bool {
        let event = library.event(&id);
        match &event.body {
            Body::GitSetUp(said) => self.set_up(library, id, said),
            Body::Committed(said) => return self.commit(library, id, said),
            Body::PathsClaimed(claimed) => return self.claim(id, event, alone, claimed),
            Body::PathsReleased(released) => {
                let human = event.origin == Origin::Human;
                let mine = |held: &Held| held.1 == event.author && (human || held.2 == event.session);
                let named = |held: &Held| released.paths.is_empty() || released.paths.contains(&held.3);
                let has = |path: &String| self.held.iter().any(|held| mine(held) && held.3 == *path);
                if !self.held.iter().any(mine) || !released.paths.iter().all(has) {
                    return false;
                }
                self.late.retain(|lost| lost.member != event.author || lost.too_late);
                self.end(id, |held| mine(held) && named(held), |held| held.2 != event.session);
            }
            Body::ClaimsExpired(expired) => {
                let humans = self.humans.clone();
                let ends = |held: &Held| {
                    expired.claims.contains(&held.0) && (held.1 == event.author || !humans.contains(&held.0))
                };
                if !self.held.iter().any(ends) {
                    return false;
                }
                self.end(id, ends, |held| held.1 != event.author);
            }
            _ => (),
        }
        true
    }

    /// Takes note of who left.
    pub fn hear(&mut self, event: &Event) {
        let gone = match &event.body {
            Body::Removed(removed) => removed.member,
            Body::Left(_) => event.author,
            _ => return,
        };
        self.sides.remove(&gone);
        self.pulled.retain(|(member, _)| *member != gone);
        self.late.retain(|lost| lost.member != gone);
        self.drop_if(|held| held.1 == gone);
    }

    /// Lost claims, and what each was lost by.
    pub fn lost(&self) -> Vec<(EventId, EventId)> {
        self.late.iter().map(|lost| (lost.event, lost.by)).collect()
    }

    /// Commits that a member has not got yet.
    pub fn to_pull(&self, of: &MemberId) -> Vec<EventId> {
        let missing = self.commits.iter().filter(|(id, by, _)| by != of && !self.pulled.contains(&(*of, *id)));
        missing.map(|(id, ..)| *id).collect()
    }

    fn set_up(&mut self, library: &Library, id: EventId, said: &GitSetUp) {
        let by = library.event(&id).author;
        let before = self.sides.insert(by, (id, said.clone()));
        let Some(base) = &said.base_commit else { return };
        if before.is_some_and(|(_, before)| before.base_commit.as_ref() == Some(base)) {
            return;
        }
        let named = self.commits.iter().rposition(|(.., sha)| sha == base).unwrap_or(self.commits.len());
        for (commit, ..) in self.commits.iter().take(named + 1).filter(|(commit, ..)| library.is_before(commit, &id)) {
            self.pulled.insert((by, *commit));
        }
    }

    /// Names of commits are whole here.
    fn commit(&mut self, library: &Library, id: EventId, said: &Committed) -> bool {
        if self.commits.iter().any(|(.., sha)| *sha == said.sha) {
            return false;
        }
        let by = library.event(&id).author;
        if self.sides.get(&by).is_some_and(|(_, side)| side.strategy == Strategy::SharedBranch) {
            let known = self.commits.iter().filter(|(commit, ..)| library.is_before(commit, &id));
            self.pulled.extend(known.map(|(commit, ..)| (by, *commit)));
        }
        self.commits.push((id, by, said.sha.clone()));
        true
    }

    fn claim(&mut self, id: EventId, event: &Event, alone: bool, claimed: &PathsClaimed) -> bool {
        let (by, session, human) = (event.author, event.session, event.origin == Origin::Human);
        let may = |path: &String| !means(path).is_empty() && (path != EVERYTHING || human || alone);
        if claimed.paths.is_empty() || !claimed.paths.iter().all(may) {
            return false;
        }
        let others = self.held.iter().filter(|held| held.1 != by || held.2 != session);
        let in_the_way =
            others.filter_map(|held| Some((held.0, claimed.paths.iter().find(|path| meet(&held.3, path))?.clone())));
        // The oldest claim, and of the wanted paths the first that any of its own meets.
        let first = in_the_way.map(|(claim, _)| claim).next();
        if let Some(against) = first {
            let of_it = |path: &&String| self.held.iter().any(|held| held.0 == against && meet(&held.3, path));
            let path = claimed.paths.iter().find(of_it).expect("one meets").clone();
            self.late.push(Lost { event: id, member: by, path, by: against, too_late: true });
            self.forget();
            return false;
        }
        self.drop_if(|held| held.1 == by && held.2 == session && claimed.paths.contains(&held.3));
        self.held.extend(claimed.paths.iter().map(|path| (id, by, session, path.clone())));
        self.late.retain(|lost| lost.member != by || lost.too_late && !claimed.paths.contains(&lost.path));
        if human {
            self.humans.insert(id);
        }
        true
    }

    /// Ends what an event says, and takes note of whom it surprises.
    fn end(&mut self, id: EventId, ends: impl Fn(&Held) -> bool, tells: impl Fn(&Held) -> bool) {
        let mut told = BTreeSet::new();
        for held in self.held.clone().iter().filter(|held| ends(held) && tells(held)) {
            if told.insert(held.0) {
                let (event, member, _, path) = held.clone();
                self.late.push(Lost { event, member, path, by: id, too_late: false });
                self.forget();
            }
        }
        self.drop_if(ends);
    }

    fn drop_if(&mut self, drops: impl Fn(&Held) -> bool) {
        self.held.retain(|held| !drops(held));
        let held: BTreeSet<EventId> = self.held.iter().map(|(claim, ..)| *claim).collect();
        self.late.retain(|lost| !lost.too_late || held.contains(&lost.by));
    }

    /// Of 17, whoever has most loses its oldest; of two the one with the lower id.
    fn forget(&mut self) {
        if self.late.len() <= 16 {
            return;
        }
        let count = |member: &MemberId| self.late.iter().filter(|lost| lost.member == *member).count();
        let members: BTreeSet<MemberId> = self.late.iter().map(|lost| lost.member).collect();
        let most = members.iter().map(count).max();
        let fullest = *members.iter().find(|member| Some(count(member)) == most).expect("there are some");
        let oldest = self.late.iter().position(|lost| lost.member == fullest).expect("it has some");
        self.late.remove(oldest);
    }
}

fn means(path: &str) -> &'static [&'static str] {
    SPECS.iter().find(|(spec, _)| *spec == path).map_or(&[], |(_, means)| means)
}

fn meet(a: &str, b: &str) -> bool {
    means(a).iter().any(|path| means(b).contains(path))
}
