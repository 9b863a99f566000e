//! What must hold of companions, as values, so that a planted fault can be seen to break it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use pairwave_core::charter;
use pairwave_core::claims::Claim;
use pairwave_core::delivery::Delivery;
use pairwave_core::effect::Slot;
use pairwave_core::epochs::EpochKeys;
use pairwave_core::event::Body;
use pairwave_core::id::{EventId, RoomId};
use pairwave_core::log::Log;
use pairwave_core::mark::Mark;
use pairwave_core::members::Gone;
use pairwave_core::room::Room;
use pairwave_core::seat::Standing;
use pairwave_core::state::RoomState;

use crate::reference::{Consent, End, Git, Ledger, Library, Truth, in_two};
use crate::world::{At, World};

pub type Check = Result<(), String>;

/// The companion's state is what the reference makes of the very events in its log.
pub fn is_true(world: &World, library: &mut Library, at: At, room: RoomId) -> Check {
    let node = world.node(at);
    let name = world.machines[at].name;
    let here = node.room(&room).ok_or_else(|| format!("{name} has lost the room"))?;
    compare(library, here, node.log()).map_err(|wrong| format!("at {name}: {wrong}"))
}

/// As [`is_true`], of any room on any log.
pub fn compare(library: &mut Library, here: &Room, log: &dyn Log) -> Check {
    let room = here.id();
    let view = here.view(log);
    let arrivals = view.arrivals(&room, 0, usize::MAX).map_err(|error| error.to_string())?;
    let mut known = BTreeSet::new();
    for (_, id) in &arrivals {
        if !library.books.contains_key(id) {
            let record = view.get(&room, id).map_err(|error| error.to_string())?;
            let event = record.and_then(|record| record.event()).ok_or("an event is damaged")?;
            library.take(*id, event)?;
        }
        let orphan = library.event(id).parents.iter().find(|parent| !known.contains(*parent));
        if let Some(parent) = orphan {
            return Err(format!("{id:?} is here and its parent {parent:?} is not, or came later"));
        }
        if !known.insert(*id) {
            return Err(format!("{id:?} arrived twice"));
        }
    }
    let truth = library.truth(&known);
    let order = view.ascending(&room, None, usize::MAX).map_err(|error| error.to_string())?;
    same("order", &order.iter().map(|position| position.id).collect::<Vec<_>>(), &truth.order)?;
    let depths = order.iter().find(|position| library.books[&position.id].depth != position.depth);
    same("depth", &depths, &None)?;
    same("count", &here.count(), &(truth.order.len() as u64))?;
    same_members(here, &truth)?;
    // Who is a member shows at once; of the rest, late events may be gathered for a moment.
    if here.is_settled() { same_state(here, library, &truth) } else { Ok(()) }
}

fn same_state(here: &Room, library: &Library, truth: &Truth) -> Check {
    let state = here.state();
    if truth.order.is_empty() {
        return Ok(());
    }
    same("title", &state.title.as_str(), &"parser")?;
    let is_marked = |id: &&EventId| {
        let event = library.event(id);
        state.marks.of(&event.author, event.seq, id).is_some()
    };
    same("effect", &truth.order.iter().filter(is_marked).copied().collect(), &truth.without_effect)?;
    let open: BTreeSet<EventId> = state.talk.open_questions().map(|(id, _)| *id).collect();
    same("questions", &open, &truth.open_questions)?;
    same("forked", &state.equivocations.keys().copied().collect(), &truth.forked)?;
    same("relays", &state.relays.iter().map(in_two).collect(), &truth.relays)?;
    same_consent(state, &truth.consent)?;
    for (entry, latest) in truth.brain.places() {
        same("brain", &state.brain.superseded_by(&entry), &latest)?;
    }
    same_git(state, &truth.git)?;
    same_ledger(state, &truth.ledger)?;
    same("at the gate", state.gate.members(), &truth.membership.standing())?;
    for by in truth.membership.members.keys() {
        same("name", &state.sessions.member_name(by), &truth.names[by].as_str())?;
        for member in truth.membership.members.keys() {
            let verified = state.verification.is_verified_by(by, member);
            same("verified", &verified, &truth.verified.contains(&(*by, *member)))?;
        }
    }
    for ((member, session), name) in &truth.sessions {
        same("session", &state.sessions.session_name(member, session), name)?;
    }
    Ok(())
}

/// What everybody agreed on, whose turn it is and what is asked for is what the reference says.
pub fn same_consent(state: &RoomState, truth: &Consent) -> Check {
    same("at the gate", state.gate.members(), &truth.here)?;
    same("gate", &state.gate.is_verified(), &truth.verified)?;
    let charter = match state.charters.standing() {
        charter::Standing::None => None,
        charter::Standing::Proposed(proposal) => Some((proposal.event, false)),
        charter::Standing::Agreed(proposal) => Some((proposal.event, true)),
    };
    same("charter", &charter, &truth.charter())?;
    same("max_hops", &state.charters.max_hops(), &truth.max_hops())?;
    let holder = state.floor.holder().map(|holder| (holder.member, holder.session, holder.held));
    same("floor", &holder, &truth.holder)?;
    let waiting = state.floor.waiting().iter().map(|claim| (claim.event, claim.member, claim.session));
    same("claims", &waiting.collect(), &truth.waiting)?;
    same("hops", &state.hops.count(), &truth.hops)?;
    let requests: BTreeMap<_, _> = state.actions.iter().map(|(id, request)| (*id, request.state().name())).collect();
    same("requests", &requests, &truth.asked.iter().map(|(id, asked)| (*id, asked.state())).collect())?;
    let pending = requests.iter().filter(|(_, state)| **state == "pending").map(|(id, _)| *id);
    same("pending", &state.actions.pending().map(|(id, _)| *id).collect::<Vec<_>>(), &pending.collect())?;
    let lets_pass = |(member, finding)| state.overrides.lets_pass(member, finding);
    same("overrides", &truth.overridden.iter().map(|(member, finding)| (member, finding)).all(lets_pass), &true)
}

/// What the ledger names and counts. Nobody here decides or sums up.
fn same_ledger(state: &RoomState, truth: &Ledger) -> Check {
    const MESSAGES: [&str; 5] = ["finding", "headed", "question", "answer", "talk"];
    const PUSHED: [&str; 3] = ["finding", "artifact", "request"];
    let ledger = &state.ledger;
    same("headlines", &ledger.headlines().copied().collect(), &truth.newest(32, &["finding", "headed"], None))?;
    same("entries", &ledger.entries().copied().collect(), &truth.newest(32, &["entry"], None))?;
    same("newest", &ledger.newest(), &truth.last())?;
    let counts = ledger.counts();
    let counted =
        [counts.messages, counts.questions, counts.answers, counts.artifacts, counts.requests, counts.entries];
    let sorts: [&[&str]; 6] = [&MESSAGES, &["question"], &["answer"], &["artifact"], &["request"], &["entry"]];
    same("counts", &counted, &sorts.map(|sorts| truth.count(sorts)))?;
    for (member, events) in truth.events() {
        let part = ledger.part(&member).ok_or("a member has no part")?;
        same("events", &part.events, &events)?;
        let said = truth.newest(3, &[&MESSAGES[..], &PUSHED[1..]].concat(), Some(member));
        same("said", &part.last.iter().copied().collect(), &said)?;
        same("pushed", &part.pushed.iter().copied().collect(), &truth.newest(3, &PUSHED, Some(member)))?;
    }
    Ok(())
}

fn same_git(state: &RoomState, truth: &Git) -> Check {
    let rows = |claim: &Claim| {
        let of = |path: &String| (claim.event, claim.member, claim.session, path.clone());
        claim.paths.iter().map(of).collect::<Vec<_>>()
    };
    same("paths", &state.claims.held().iter().flat_map(rows).collect(), &truth.held)?;
    same("lost claims", &state.claims.lost().iter().map(|lost| (lost.event, lost.by)).collect(), &truth.lost())?;
    let sides = state.git.sides().map(|(member, side)| (*member, side.event, side.strategy));
    let truths = truth.sides.iter().map(|(member, (event, said))| (*member, *event, said.strategy));
    same("sides", &sides.collect::<BTreeSet<_>>(), &truths.collect())?;
    for member in state.gate.members() {
        let to_pull = state.git.to_pull(member).map(|commit| commit.event);
        same("to pull", &to_pull.collect(), &truth.to_pull(member))?;
    }
    Ok(())
}

fn same_members(here: &Room, truth: &Truth) -> Check {
    let members = &here.state().members;
    let truths = &truth.membership;
    same("standing", &members.iter().map(|(member, _)| *member).collect(), &truths.standing())?;
    let tree: BTreeMap<_, _> = members.all().map(|(member, info)| (*member, info.admitted_by)).collect();
    same("tree", &tree, &truths.members.iter().map(|(member, info)| (*member, info.admitted_by)).collect())?;
    for (member, info) in members.all() {
        let end = &truths.members[member].end;
        let alike = match (&info.gone, end) {
            (None, None) | (Some(Gone::Removed { .. }), Some(End::Removed { .. })) => true,
            (Some(Gone::Left { seq }), Some(End::Left { seq: left })) => seq == left,
            _ => false,
        };
        same("end", &alike, &true)?;
    }
    let mut epochs: Vec<EventId> = members.epochs().collect();
    epochs.reverse();
    same("epochs", &epochs, &truths.epochs)?;
    same("rotation", &members.rotation_due().is_some(), &truths.rotation_due)
}

/// Why this event has no effect, among the newest that have none.
pub fn mark_of(state: &RoomState, id: EventId) -> Option<Mark> {
    state.marks.newest().find(|(marked, _)| **marked == id).map(|(_, mark)| *mark)
}

/// These companions are members, hold the same events and make the same of them.
pub fn agree(world: &World, room: RoomId, among: &[At]) -> Check {
    let first = world.node(among[0]).room(&room).ok_or("the room is gone")?;
    for at in among {
        let name = world.machines[*at].name;
        same(name, &world.node(*at).standing(&room), &Standing::Member)?;
        let here = world.node(*at).room(&room).ok_or_else(|| format!("{name} has lost the room"))?;
        same(name, &here.have(), &first.have())?;
        same(name, &(here.state().to_bytes() == first.state().to_bytes()), &true)?;
        same(name, &transcript(world, room, *at), &transcript(world, room, among[0]))?;
    }
    Ok(())
}

/// Two companions, or one before and after, make the same of a room. Says of what they do not.
pub fn alike(here: &RoomState, there: &RoomState) -> Check {
    let standing = |state: &RoomState| state.members.iter().map(|(member, _)| *member).collect::<BTreeSet<_>>();
    let epochs = |state: &RoomState| state.members.epochs().collect::<Vec<_>>();
    let last = |state: &RoomState| {
        let sessions = state.members.all().flat_map(|(member, _)| state.sessions.of(member));
        sessions.map(|(_, session)| session.last).max()
    };
    same("newest word", &last(here), &last(there))?;
    same("title", &here.title, &there.title)?;
    same("standing", &standing(here), &standing(there))?;
    same("epochs", &epochs(here), &epochs(there))?;
    same("forked", &here.equivocations, &there.equivocations)?;
    same("effect", &here.marks, &there.marks)?;
    same("state", &(here.to_bytes() == there.to_bytes()), &true)
}

/// On the disk of a companion is everything that it says it has.
pub fn has_what_it_claims(world: &World, room: RoomId, at: At, as_of: At) -> Check {
    let (name, disk) = (world.machines[at].name, &world.machines[at].disk);
    let claims = world.node(at).room(&room).ok_or_else(|| format!("{name} has lost the room"))?.have();
    let log = &world.machines[as_of].disk.content().log;
    for (_, id) in log.arrivals(&room, 0, usize::MAX).unwrap_or_default() {
        let Ok(Some(record)) = log.get(&room, &id) else { return Err("an event is gone".into()) };
        if record.seq <= claims.seq(&record.author) && !disk.holds(room, id) {
            let twins = log.chain(&room, &record.author, record.seq, 2).unwrap_or_default();
            let twin = twins.iter().filter(|(seq, _)| *seq == record.seq).count() > 1;
            let what = match record.event().map(|event| event.body) {
                _ if twin => "a twin",
                Some(Body::Removed(_)) => "a removal",
                Some(Body::Message(_)) => "a message",
                _ => "an event",
            };
            return Err(format!("{name} says that it has {what} and has not"));
        }
    }
    Ok(())
}

/// What these say of an event of `by`, that `to` has it, is true.
pub fn is_delivered(world: &mut World, room: RoomId, event: EventId, by: At, to: At) -> Check {
    let member = world.member(to);
    let claimed = |world: &World| {
        let delivery = world.node(by).delivery(&room, &event).unwrap_or_default();
        delivery.get(&member).is_some_and(|delivery| *delivery >= Delivery::Delivered)
    };
    let name = world.machines[to].name;
    if !world.run_until(Duration::from_secs(10), claimed) {
        return Err(format!("nothing is delivered at {name}"));
    }
    if world.machines[to].disk.holds(room, event) {
        Ok(())
    } else {
        Err(format!("delivered at {name}, not on its disk"))
    }
}

/// Somebody who was removed does not hold the key of the newest epoch, by any name.
pub fn keys_are_renewed(world: &World, room: RoomId, standing: &[At], removed: At) -> Check {
    let keys = |at: At| {
        let slots = &world.machines[at].disk.content().slots;
        slots.get(&(room, Slot::Keys)).and_then(|bytes| EpochKeys::decode(bytes)).unwrap_or_default()
    };
    let old = keys(removed);
    for at in standing {
        let newest = world.node(*at).room(&room).and_then(|room| room.state().members.epochs().next());
        let newest = newest.ok_or("there is no epoch")?;
        if keys(*at).get(&newest).is_some_and(|key| old.iter().any(|(_, old)| old == key)) {
            return Err(format!("{} has a key of the newest epoch that who was removed has", world.machines[*at].name));
        }
    }
    Ok(())
}

/// Do these hold the same events?
pub fn have_the_same(world: &World, room: RoomId, among: &[At]) -> bool {
    let have = |at: At| world.node(at).room(&room).map(|room| room.have());
    let first = have(among[0]);
    first.is_some_and(|have| have.iter().next().is_some()) && among.iter().all(|at| have(*at) == first)
}

/// All messages in the room's order.
pub fn transcript(world: &World, room: RoomId, at: At) -> Vec<(EventId, String)> {
    let node = world.node(at);
    let Some(here) = node.room(&room) else { return Vec::new() };
    let view = here.view(node.log());
    let order = view.ascending(&room, None, usize::MAX).unwrap_or_default();
    let said = order.into_iter().filter_map(|position| {
        let event = view.get(&room, &position.id).ok()??.event()?;
        match event.body {
            Body::Message(message) => Some((position.id, message.text)),
            _ => None,
        }
    });
    said.collect()
}

pub fn same<T: PartialEq + std::fmt::Debug>(what: &str, got: &T, expected: &T) -> Check {
    if got == expected { Ok(()) } else { Err(format!("{what}: {got:?} where {expected:?} must be")) }
}
