//! The agent sessions that are connected now: which rooms they attend, and which hosts run them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pairwave_core::id::{RoomId, SessionId};

use crate::caller::Caller;
use crate::door::{Host, Hosts, Process, ProcessId};

/// Between two prompts in one room that count: nobody writes them faster.
const PROMPTS: Duration = Duration::from_secs(5);

/// The MCP connections of this companion.
#[derive(Default)]
pub struct Live(Mutex<Connections>);

#[derive(Default)]
struct Connections {
    last: u64,
    by_id: BTreeMap<u64, Connection>,
    /// Who attends what, as far as the core was told.
    attending: BTreeSet<(RoomId, SessionId)>,
    /// Hosts of ours, those whose sessions ended as well.
    hosts: Hosts,
    /// When a prompt counted last.
    prompted: BTreeMap<RoomId, Instant>,
}

struct Connection {
    caller: Caller,
    /// The host's own name of the session.
    named: String,
    hosts: Vec<Host>,
    rooms: BTreeSet<RoomId>,
}

impl Live {
    /// A session connects, and gets a number. It may do so more than once.
    pub fn enter(&self, caller: Caller, named: String, hosts: Vec<Host>) -> Caller {
        let mut connections = self.lock();
        hosts.iter().filter(|host| host.lasts).for_each(|host| connections.hosts.note(host));
        connections.last += 1;
        let id = connections.last;
        let caller = Caller { live: Some(id), ..caller };
        connections.by_id.insert(id, Connection { caller: caller.clone(), named, hosts, rooms: BTreeSet::new() });
        caller
    }

    /// Every session that is connected now.
    pub fn guests(&self) -> Vec<Caller> {
        self.lock().by_id.values().map(|connection| connection.caller.clone()).collect()
    }

    /// A connection ended. Returns the rooms that its session attends no more.
    pub fn leave(&self, id: u64) -> Vec<RoomId> {
        let mut connections = self.lock();
        let Some(gone) = connections.by_id.remove(&id) else { return Vec::new() };
        let Connections { by_id, attending, .. } = &mut *connections;
        let session = gone.caller.speaker.session;
        let others = |room: &RoomId| {
            by_id.values().any(|other| other.caller.speaker.session == session && other.rooms.contains(room))
        };
        let left: Vec<RoomId> = gone.rooms.iter().filter(|room| !others(room)).copied().collect();
        left.into_iter().filter(|room| attending.remove(&(*room, session))).collect()
    }

    /// A connection turns to a room. Says whether that is news to the core.
    pub fn attend(&self, id: u64, room: RoomId) -> bool {
        let mut connections = self.lock();
        let Some(connection) = connections.by_id.get_mut(&id) else { return false };
        connection.rooms.insert(room);
        let session = connection.caller.speaker.session;
        connections.attending.insert((room, session))
    }

    /// The core does not know any more, or never got to know, who attends this room.
    pub fn forget(&self, room: &RoomId) {
        self.lock().attending.retain(|(attended, _)| attended != room);
    }

    /// Processes that run one of our MCP servers, and those that did and still live.
    pub fn hosts(&self) -> Hosts {
        let connections = self.lock();
        let mut hosts = connections.hosts.clone();
        connections.by_id.values().flat_map(|connection| &connection.hosts).for_each(|host| hosts.note(host));
        hosts
    }

    /// The session of the nearest host among these ancestors, if that host runs one alone.
    pub fn session_of(&self, ancestry: &[Process]) -> Option<String> {
        let connections = self.lock();
        let runs = |connection: &Connection, id: ProcessId| connection.hosts.iter().any(|host| host.id == id);
        let of = |id: ProcessId| connections.by_id.values().filter(move |connection| runs(connection, id));
        let host = ancestry.iter().map(|process| process.id).find(|id| of(*id).next().is_some())?;
        let names: BTreeSet<&str> = of(host).map(|connection| &connection.named[..]).collect();
        names.first().filter(|_| names.len() == 1).map(|name| (*name).to_owned())
    }

    /// Does a prompt count in this room now? Each that counts is remembered.
    pub fn prompt_counts(&self, room: RoomId, now: Instant) -> bool {
        let prompted = &mut self.lock().prompted;
        prompted.retain(|_, at| now.duration_since(*at) < PROMPTS);
        match prompted.contains_key(&room) {
            true => false,
            false => prompted.insert(room, now).is_none(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Connections> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use pairwave_core::command::Speaker;
    use pairwave_core::event::Origin;

    use super::*;

    const ROOM: RoomId = RoomId([1; 32]);
    const OTHER: RoomId = RoomId([2; 32]);

    fn enter(live: &Live, number: u8, named: &str, host: Option<u32>) -> u64 {
        let speaker = Speaker { session: SessionId([number; 16]), origin: Origin::Agent };
        let hosts = host.map(|pid| Host { id: process(pid).id, lasts: true, marks: false }).into_iter().collect();
        live.enter(Caller { speaker, dir: None, hook: false, live: None }, named.into(), hosts).live.unwrap()
    }

    fn process(pid: u32) -> Process {
        Process { id: ProcessId { pid, born: 1 }, name: "sh".into(), marked: Some(false), leads_terminal: false }
    }

    #[test]
    fn a_session_attends_until_its_last_connection_ends() {
        let live = Live::default();
        let (first, second) = (enter(&live, 1, "a", None), enter(&live, 1, "a", None));
        assert!(live.attend(first, ROOM));
        assert!(!live.attend(second, ROOM));
        assert!(live.attend(second, OTHER));
        assert_eq!(live.leave(first), []);
        assert_eq!(live.leave(second), [ROOM, OTHER]);
        assert_eq!(live.leave(second), []);
    }

    #[test]
    fn a_room_that_was_read_again_is_attended_anew() {
        let live = Live::default();
        let id = enter(&live, 1, "a", None);
        assert!(live.attend(id, ROOM));
        live.forget(&ROOM);
        assert!(live.attend(id, ROOM));
    }

    #[test]
    fn a_command_belongs_to_the_session_of_the_host_it_descends_from() {
        let live = Live::default();
        enter(&live, 1, "a", Some(70));
        let id = enter(&live, 2, "b", Some(80));
        assert!([70, 80].iter().all(|pid| live.hosts().contains(&process(*pid))));
        assert_eq!(live.session_of(&[process(99), process(80), process(70)]), Some("b".into()));
        enter(&live, 3, "c", Some(80));
        assert_eq!(live.session_of(&[process(99), process(80)]), None);
        live.leave(id);
        assert_eq!(live.session_of(&[process(99), process(80)]), Some("c".into()));
    }
    #[test]
    fn a_host_is_one_beyond_its_connection_and_a_persons_shell_is_not() {
        let live = Live::default();
        let host = Host { id: process(70).id, lasts: true, marks: true };
        let shell = Host { id: process(80).id, lasts: false, marks: false };
        let speaker = Speaker { session: SessionId([1; 16]), origin: Origin::Agent };
        let caller = live.enter(Caller { speaker, dir: None, hook: false, live: None }, "a".into(), vec![host, shell]);
        assert!(live.hosts().contains(&process(80)));
        live.leave(caller.live.unwrap());
        assert!(live.hosts().marks(&process(70)));
        assert!(!live.hosts().contains(&process(80)));
        assert_eq!(live.session_of(&[process(99), process(70)]), None);
    }

    #[test]
    fn one_prompt_counts_at_a_time() {
        let (live, now) = (Live::default(), Instant::now());
        assert!(live.prompt_counts(ROOM, now));
        assert!(!live.prompt_counts(ROOM, now + PROMPTS / 2));
        assert!(live.prompt_counts(OTHER, now + PROMPTS / 2));
        assert!(live.prompt_counts(ROOM, now + PROMPTS));
    }
}
