//! Path claims, by the words of the protocol: whoever came first holds a path until it is given up.
//! What is meant by a pathspec stands in a table here, of all that the simulation plays with.

use std::collections::BTreeSet;

use pairwave_core::claims::PathsClaimed;
use pairwave_core::event::{Body, Event, Origin};
use pairwave_core::git::Strategy;
use pairwave_core::id::{EventId, MemberId, SessionId};

/// Pathspecs, and which of a few paths each means; the last is none.
pub const SPECS: [(&str, &[&str]); 8] = [
    ("src/*.ts", &["src/x.ts", "src/auth/x.ts", "src/a/x/y.ts"]),
    ("src/auth/**", &["src/auth/x", "src/auth/x.ts"]),
    ("./src/auth/", &["src/auth", "src/auth/x", "src/auth/x.ts"]),
    ("docs", &["docs", "docs/a.ts"]),
    ("README.md", &["README.md"]),
    ("**/*.ts", &["src/x.ts", "src/auth/x.ts", "src/a/x/y.ts", "docs/a.ts"]),
    ("src/{a,auth}/x", &["src/a/x", "src/a/x/y.ts", "src/auth/x"]),
    ("/etc", &[]),
];

/// One path of one claim, in the order of their coming.
pub type Held = (EventId, MemberId, SessionId, String);

#[derive(Default, Clone)]
pub struct Git {
    pub held: Vec<Held>,
    /// Claims that came too late, and the one each met.
    pub conflicts: Vec<(EventId, EventId)>,
    /// Who said where it works, in which event, how, and how many commits there were when it had all.
    pub sides: Vec<(MemberId, EventId, Strategy, usize)>,
    pub commits: Vec<(EventId, MemberId)>,
    late: Vec<Late>,
}

#[derive(Clone)]
struct Late {
    event: EventId,
    by: MemberId,
    path: String,
    against: EventId,
}

impl Git {
    /// Lets an event have its effect, where its author may speak. Says whether it has one.
    pub fn tell(&mut self, id: EventId, event: &Event) -> bool {
        let by = event.author;
        match &event.body {
            Body::GitSetUp(said) => {
                self.sides.retain(|(member, ..)| *member != by);
                self.sides.push((by, id, said.strategy, self.commits.len()));
            }
            Body::Committed(_) => {
                let seen = self.commits.len();
                let side = self.sides.iter_mut().find(|(member, ..)| *member == by);
                if let Some((.., Strategy::SharedBranch, pulled)) = side {
                    *pulled = seen;
                }
                self.commits.push((id, by));
            }
            Body::PathsClaimed(claimed) => return self.claim(id, event, claimed),
            Body::PathsReleased(released) => {
                let all = released.paths.is_empty();
                let speaks = |session: &SessionId| event.origin == Origin::Human || *session == event.session;
                return self.drop_if(|(_, member, session, path)| {
                    *member == by && speaks(session) && (all || released.paths.contains(path))
                });
            }
            Body::ClaimsExpired(expired) => return self.drop_if(|(claim, ..)| expired.claims.contains(claim)),
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
        self.sides.retain(|(member, ..)| *member != gone);
        self.late.retain(|late| late.by != gone);
        self.drop_if(|(_, member, ..)| *member == gone);
    }

    /// Commits that a member has not got yet.
    pub fn to_pull(&self, of: &MemberId) -> Vec<EventId> {
        let pulled = self.sides.iter().find(|(member, ..)| member == of).map_or(0, |(.., pulled)| *pulled);
        let later = self.commits.iter().skip(pulled).filter(|(_, by)| by != of);
        later.map(|(id, _)| *id).collect()
    }

    fn claim(&mut self, id: EventId, event: &Event, claimed: &PathsClaimed) -> bool {
        let (by, session) = (event.author, event.session);
        if claimed.paths.is_empty() || claimed.paths.iter().any(|path| means(path).is_empty()) {
            return false;
        }
        let ours = |held: &Held| held.1 == by && held.2 == session;
        for path in &claimed.paths {
            if let Some((against, ..)) = self.held.iter().find(|held| !ours(held) && meet(&held.3, path)) {
                self.late.push(Late { event: id, by, path: path.clone(), against: *against });
                self.note();
                return false;
            }
        }
        self.drop_if(|held| held.1 == by && held.2 == session && claimed.paths.contains(&held.3));
        self.held.extend(claimed.paths.iter().map(|path| (id, by, session, path.clone())));
        self.late.retain(|late| late.by != by || !claimed.paths.contains(&late.path));
        self.note();
        true
    }

    /// Says whether there was anything.
    fn drop_if(&mut self, drops: impl Fn(&Held) -> bool) -> bool {
        let before = self.held.len();
        self.held.retain(|held| !drops(held));
        let held: BTreeSet<EventId> = self.held.iter().map(|(claim, ..)| *claim).collect();
        self.late.retain(|late| held.contains(&late.against));
        self.note();
        self.held.len() < before
    }

    fn note(&mut self) {
        let newest = self.late.len().saturating_sub(16);
        self.late.drain(..newest);
        self.conflicts = self.late.iter().map(|late| (late.event, late.against)).collect();
    }
}

fn means(path: &str) -> &'static [&'static str] {
    SPECS.iter().find(|(spec, _)| *spec == path).map_or(&[], |(_, means)| means)
}

fn meet(a: &str, b: &str) -> bool {
    means(a).iter().any(|path| means(b).contains(path))
}
