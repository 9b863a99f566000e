//! What a face means by a name: ids by any unique prefix, people, sessions and rooms by their names.

use std::fmt::Display;
use std::path::PathBuf;

use pairwave_api::{Code, Failure};
use pairwave_core::id::{EventId, MemberId, RoomId, SessionId};
use pairwave_core::log::{Log, Position};
use pairwave_core::node::Node;
use pairwave_core::room::Room;
use pairwave_core::talk::Address;

use crate::refusals::{room_closed, unreadable};
use crate::view::Viewer;

/// Shorter prefixes of an id are taken for names.
const PREFIX: usize = 4;

/// How far back an event is looked for by a prefix of its id.
const EVENTS: usize = 20_000;

/// How much a name must look like another to be offered in its place.
const ALIKE: f64 = 0.65;

/// Something that can be named.
struct Candidate<T> {
    what: T,
    id: String,
    name: String,
}

/// The room that is meant: by id or title, else the one bound to the caller's folder. Only a folder
/// without a binding falls back to the only room: what is said in a folder must not reach others
/// than those of its room.
pub fn room<L: Log>(node: &Node<L>, wanted: Option<&str>, bound: Option<(PathBuf, RoomId)>) -> Result<RoomId, Failure> {
    let there = node.rooms().map(|room| (room.id(), Viewer::new(node, room).title().to_owned()));
    let joining = node.joins().map(|joining| (joining.invite.room, String::new()));
    let mut rooms: Vec<_> = there.chain(joining).collect();
    rooms.sort();
    rooms.dedup_by_key(|(room, _)| *room);
    match (wanted, bound) {
        (Some(wanted), _) => {
            let candidates =
                rooms.into_iter().map(|(room, title)| Candidate { what: room, id: room.to_string(), name: title });
            pick("room", wanted, candidates.collect())
        }
        (None, Some((_, room))) if node.room(&room).is_some() || rooms.iter().any(|(there, _)| *there == room) => {
            Ok(room)
        }
        (None, Some(_)) => Err(room_closed()),
        (None, None) => only_room(&rooms),
    }
}

fn only_room(rooms: &[(RoomId, String)]) -> Result<RoomId, Failure> {
    match rooms {
        [(room, _)] => Ok(*room),
        [] => Err(Failure::new(
            Code::Failed,
            "no_room",
            "There is no room here yet",
            "Open one with `pairwave init` in a project, or join one with `pairwave join INVITE`.",
        )),
        several => {
            let listed = listed(several.iter().map(|(room, title)| format!("{title:?} ({})", short(room))));
            Err(Failure::new(
                Code::Usage,
                "which_room",
                format!("This folder has no room, and there are several: {listed}"),
                "Name one, with `--room` on the command line or `room` in a tool.",
            ))
        }
    }
}

/// A member by name or id.
pub fn member<L: Log>(viewer: &Viewer<'_, L>, wanted: &str) -> Result<MemberId, Failure> {
    pick("member", wanted, candidates(viewer, &viewer.members()))
}

/// The member that is meant, which need not be said where there is one other.
pub fn other_member<L: Log>(viewer: &Viewer<'_, L>, wanted: Option<&str>) -> Result<MemberId, Failure> {
    if let Some(wanted) = wanted {
        return member(viewer, wanted);
    }
    let me = viewer.me();
    let others: Vec<_> = viewer.members().into_iter().filter(|member| *member != me).collect();
    match &others[..] {
        [other] => Ok(*other),
        [] => Err(Failure::new(
            Code::Failed,
            "nobody_else",
            "There is nobody else in this room",
            "Invite somebody with `pairwave invite`.",
        )),
        several => {
            let listed = listed(several.iter().map(|member| viewer.name(member)));
            let message = format!("There are several members: {listed}");
            Err(Failure::new(Code::Usage, "which_member", message, "Name one of them."))
        }
    }
}

/// Whom a message is for: a member, or one of its sessions.
pub fn address<L: Log>(viewer: &Viewer<'_, L>, wanted: &str) -> Result<Address, Failure> {
    among(viewer, wanted, &viewer.members())
}

/// Who said something: also somebody who is no longer a member.
pub fn speaker<L: Log>(viewer: &Viewer<'_, L>, wanted: &str) -> Result<Address, Failure> {
    among(viewer, wanted, &viewer.all_members())
}

fn among<L: Log>(viewer: &Viewer<'_, L>, wanted: &str, members: &[MemberId]) -> Result<Address, Failure> {
    let people = candidates(viewer, members);
    let people = people.into_iter().map(|candidate| candidate.map(|member| Address { member, session: None }));
    let sessions = sessions(viewer, members).into_iter();
    let sessions =
        sessions.map(|candidate| candidate.map(|(member, session)| Address { member, session: Some(session) }));
    pick("member or session", wanted.trim_start_matches('@'), people.chain(sessions).collect())
}

/// One of our own sessions.
pub fn own_session<L: Log>(viewer: &Viewer<'_, L>, wanted: &str) -> Result<SessionId, Failure> {
    let me = viewer.me();
    let own = sessions(viewer, &[me]).into_iter();
    pick("session of yours", wanted, own.map(|candidate| candidate.map(|(_, session)| session)).collect())
}

/// An invite by the id of its event.
pub fn invite<L: Log>(viewer: &Viewer<'_, L>, wanted: &str) -> Result<EventId, Failure> {
    let invites =
        viewer.invites().map(|invite| Candidate { what: invite.id, id: invite.id.to_string(), name: String::new() });
    pick("invite", wanted, invites.collect())
}

/// An artifact by its id.
pub fn artifact<L: Log>(viewer: &Viewer<'_, L>, wanted: &str) -> Result<EventId, Failure> {
    let artifacts = viewer.node().artifacts(&viewer.room().id()).into_iter();
    let artifacts = artifacts.map(|id| Candidate { what: id, id: id.to_string(), name: String::new() });
    pick("artifact", wanted, artifacts.collect())
}

/// An event by its id or a prefix of it that is unique among the newest.
pub fn event<L: Log>(node: &Node<L>, room: &Room, wanted: &str) -> Result<EventId, Failure> {
    if let Ok(id) = wanted.parse() {
        return match room.contains(node.log(), &id) {
            Ok(true) => Ok(id),
            Ok(false) => Err(unknown_event(wanted)),
            Err(error) => Err(unreadable(&error)),
        };
    }
    let found = if wanted.len() < PREFIX { Vec::new() } else { by_prefix(node, room, wanted)? };
    match &found[..] {
        [id] => Ok(*id),
        [] => Err(unknown_event(wanted)),
        several => Err(ambiguous("event", wanted, several.iter().map(ToString::to_string))),
    }
}

fn by_prefix<L: Log>(node: &Node<L>, room: &Room, wanted: &str) -> Result<Vec<EventId>, Failure> {
    let view = room.view(node.log());
    let (mut found, mut before, mut left): (Vec<EventId>, Option<Position>, usize) = (Vec::new(), None, EVENTS);
    while left > 0 {
        let page = view.descending(&room.id(), before, left.min(1000)).map_err(|error| unreadable(&error))?;
        let Some(last) = page.last() else { break };
        before = Some(*last);
        left -= page.len();
        found.extend(page.iter().map(|position| position.id).filter(|id| id.to_string().starts_with(wanted)));
    }
    Ok(found)
}

fn unknown_event(wanted: &str) -> Failure {
    let message = format!("There is no event {:?} in this room", clipped(wanted));
    Failure::new(Code::Usage, "no_such_event", message, "Look for its id with `pairwave read`.")
}

fn candidates<L: Log>(viewer: &Viewer<'_, L>, members: &[MemberId]) -> Vec<Candidate<MemberId>> {
    members.iter().map(|&what| Candidate { what, id: what.to_string(), name: viewer.name(&what) }).collect()
}

fn sessions<L: Log>(viewer: &Viewer<'_, L>, members: &[MemberId]) -> Vec<Candidate<(MemberId, SessionId)>> {
    let sessions = viewer.sessions(members).into_iter();
    let named = |what: (MemberId, SessionId)| viewer.session_name(&what.0, &what.1);
    sessions.map(|what| Candidate { what, id: what.1.to_string(), name: named(what) }).collect()
}

impl<T> Candidate<T> {
    fn map<U>(self, with: impl FnOnce(T) -> U) -> Candidate<U> {
        Candidate { what: with(self.what), id: self.id, name: self.name }
    }
}

/// The one candidate that is meant. An exact name wins over a prefix of an id.
fn pick<T: Copy>(kind: &str, wanted: &str, candidates: Vec<Candidate<T>>) -> Result<T, Failure> {
    let by =
        |is: &dyn Fn(&Candidate<T>) -> bool| candidates.iter().filter(|candidate| is(candidate)).collect::<Vec<_>>();
    let lower = wanted.to_lowercase();
    let ways = [
        by(&|candidate| candidate.id == wanted),
        by(&|candidate| candidate.name == wanted),
        by(&|candidate| candidate.name.to_lowercase() == lower),
        by(&|candidate| wanted.len() >= PREFIX && candidate.id.starts_with(wanted)),
    ];
    match ways.iter().find(|found| !found.is_empty()).map(|found| &found[..]) {
        Some([found]) => Ok(found.what),
        Some(several) => Err(ambiguous(kind, wanted, several.iter().map(|found| described(found)))
            .among(several.iter().map(|found| found.id.clone()).collect())),
        None => Err(unknown(kind, wanted, &candidates)),
    }
}

fn described<T>(candidate: &Candidate<T>) -> String {
    let id = short(&candidate.id);
    if candidate.name.is_empty() { id } else { format!("{} ({id})", candidate.name) }
}

fn ambiguous(kind: &str, wanted: &str, found: impl Iterator<Item = String>) -> Failure {
    let message = format!("{:?} names more than one {kind}: {}", clipped(wanted), listed(found));
    Failure::new(Code::Usage, &format!("ambiguous_{}", word(kind)), message, "Give more of the id.")
}

fn unknown<T>(kind: &str, wanted: &str, candidates: &[Candidate<T>]) -> Failure {
    let named = candidates.iter().map(|candidate| &candidate.name[..]).filter(|name| !name.is_empty());
    let best = named.map(|name| (likeness(name, wanted), name)).max_by(|(a, _), (b, _)| a.total_cmp(b));
    let next = match best.filter(|(likeness, _)| *likeness >= ALIKE) {
        Some((_, name)) => format!("Did you mean {name:?}?"),
        None if candidates.is_empty() => "There is none.".to_owned(),
        None => format!("There is: {}.", listed(candidates.iter().map(described))),
    };
    let message = format!("There is no {kind} {:?}", clipped(wanted));
    Failure::new(Code::Usage, &format!("no_such_{}", word(kind)), message, next).among(offered(wanted, candidates))
}

/// What could have been meant, the likeliest first: by name, or by id where that tells more.
fn offered<T>(wanted: &str, candidates: &[Candidate<T>]) -> Vec<String> {
    let is_unique = |name: &str| candidates.iter().filter(|other| other.name.eq_ignore_ascii_case(name)).count() == 1;
    let mut offered: Vec<(f64, &str)> = candidates
        .iter()
        .map(|candidate| {
            let by_name = !candidate.name.is_empty() && is_unique(&candidate.name);
            (likeness(&candidate.name, wanted), if by_name { &candidate.name[..] } else { &candidate.id })
        })
        .collect();
    offered.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    offered.into_iter().take(12).map(|(_, name)| name.to_owned()).collect()
}

/// From 0, nothing in common, to 1: by common letters, or by how few slips lie between the two.
fn likeness(name: &str, wanted: &str) -> f64 {
    let (name, wanted) = (name.to_lowercase(), wanted.to_lowercase());
    let slips = strsim::normalized_damerau_levenshtein(&name, &wanted);
    strsim::jaro_winkler(&name, &wanted).max(slips)
}

/// The first word of what is looked for, for the rule's name.
fn word(kind: &str) -> &str {
    kind.split(' ').next().unwrap_or(kind)
}

fn listed(names: impl Iterator<Item = String>) -> String {
    let mut names: Vec<String> = names.take(13).collect();
    if names.len() > 12 {
        names[12] = "…".to_owned();
    }
    names.join(", ")
}

/// Enough of an id to tell it from others.
fn short(id: &impl Display) -> String {
    id.to_string().chars().take(12).collect()
}

fn clipped(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people() -> Vec<Candidate<u8>> {
        let person = |what, id: &str, name: &str| Candidate { what, id: id.into(), name: name.into() };
        vec![
            person(1, "aaaabbbb", "bob"),
            person(2, "aaaacccc", "Carol"),
            person(3, "ddddeeee", "carol"),
            person(4, "bobx2345", "dave"),
        ]
    }

    fn picked(wanted: &str) -> Result<u8, Failure> {
        pick("member", wanted, people())
    }

    #[test]
    fn names_and_unique_prefixes_are_understood() {
        assert_eq!(picked("bob"), Ok(1));
        assert_eq!(picked("BOB"), Ok(1));
        assert_eq!(picked("aaaab"), Ok(1));
        assert_eq!(picked("ddddeeee"), Ok(3));
        assert_eq!(picked("carol"), Ok(3));
        assert_eq!(picked("bobx"), Ok(4));
    }

    #[test]
    fn what_is_ambiguous_is_listed() {
        let failure = picked("aaaa").unwrap_err();
        assert_eq!(failure.rule, "ambiguous_member");
        assert!(failure.message.contains("bob") && failure.message.contains("Carol"), "{failure}");
        assert_eq!(picked("CAROL").unwrap_err().rule, "ambiguous_member");
        assert_eq!(failure.candidates, ["aaaabbbb", "aaaacccc"]);
    }

    #[test]
    fn a_slip_is_corrected_and_a_stranger_is_told_who_is_there() {
        assert_eq!(picked("bbo").unwrap_err().next, "Did you mean \"bob\"?");
        let failure = picked("zzz").unwrap_err();
        assert_eq!((&failure.rule[..], failure.code), ("no_such_member", Code::Usage));
        assert!(failure.next.contains("dave"), "{failure}");
        assert_eq!(picked("ddd").unwrap_err().rule, "no_such_member");
        assert!(failure.is_not_found());
        let offered = picked("bbo").unwrap_err().candidates;
        assert_eq!((offered.len(), &offered[0][..]), (4, "bob"));
        assert!(offered.contains(&"aaaacccc".to_owned()), "two bear that name, so the id is offered: {offered:?}");
    }
}
