//! One connection, as the answers see it.

use std::path::PathBuf;

use pairwave_api::{Code, Face, Failure, Hello};
use pairwave_core::command::Speaker;
use pairwave_core::event::Origin;
use pairwave_core::id::{MemberId, SessionId};
use pairwave_core::key::hash;

use crate::door::{self, Knock, Process};
use crate::live::Live;

/// What a person's own session is named before it is hashed.
const HUMAN: &str = "human";

/// What an agent's session is named that nobody named.
const NAMELESS: &str = "agent";

/// Longest name that a host may give a session, in bytes.
const SESSION_NAME: usize = 200;

/// Who asks.
#[derive(Debug, Clone)]
pub struct Caller {
    pub speaker: Speaker,
    /// The folder that the caller works in.
    pub dir: Option<PathBuf>,
    /// It is a hook that the host of one of our sessions runs.
    pub hook: bool,
    /// Its number among the live sessions, where it is one.
    pub live: Option<u64>,
}

impl Caller {
    /// The human of this companion, on whose behalf a host's hook speaks.
    pub fn human(me: &MemberId) -> Speaker {
        Speaker { session: session_id(HUMAN, me), origin: Origin::Human }
    }

    /// Decides who it is that connects, and notes it down if it is an agent session. `ancestry` is of
    /// the process that connects, see [`door::ancestry`].
    pub fn admit(hello: Hello, ancestry: Option<Vec<Process>>, me: MemberId, live: &Live) -> Result<Self, Failure> {
        let hosts = live.hosts();
        let knock = Knock { face: hello.face, claims_agent: hello.agent, ancestry: ancestry.as_deref(), hosts: &hosts };
        let (origin, hook) = (door::of(&knock), door::is_hook(&knock));
        let ancestry = ancestry.unwrap_or_default();
        let named = match (origin, hello.session) {
            (Origin::Human, _) => HUMAN.to_owned(),
            (Origin::Agent, Some(named)) => usable(named)?,
            (Origin::Agent, None) => live.session_of(&ancestry).unwrap_or_else(|| NAMELESS.to_owned()),
        };
        let session = session_id(&named, &me);
        let caller = Self { speaker: Speaker { session, origin }, dir: hello.dir, hook, live: None };
        match hello.face {
            Face::Mcp => Ok(live.enter(caller, named, door::hosts(&ancestry))),
            Face::Cli | Face::Web => Ok(caller),
        }
    }
}

/// The id of a session: of its host's name for it and of its member, so that two members' sessions
/// never share one.
pub fn session_id(named: &str, me: &MemberId) -> SessionId {
    let hash = hash(b"pairwave-session-v1", &[named.as_bytes(), &me.0]);
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    SessionId(id)
}

/// An agent must not take the human's session for its own.
fn usable(named: String) -> Result<String, Failure> {
    if named.is_empty() || named.len() > SESSION_NAME || named == HUMAN {
        let message = format!("An agent session cannot be named {:?}", named.chars().take(40).collect::<String>());
        let next = format!("Give it an id of at most {SESSION_NAME} bytes that is not `{HUMAN}`.");
        return Err(Failure::new(Code::Usage, "session_name", message, next));
    }
    Ok(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: MemberId = MemberId([7; 32]);

    fn admit(face: Face, session: Option<&str>, agent: bool) -> Result<Caller, Failure> {
        let hello = Hello { session: session.map(str::to_owned), agent, ..Hello::new(face) };
        Caller::admit(hello, None, ME, &Live::default())
    }

    #[test]
    fn a_person_has_one_session_whatever_it_calls_itself() {
        let (plain, named) = (admit(Face::Cli, None, false).unwrap(), admit(Face::Cli, Some("x"), false).unwrap());
        assert_eq!(plain.speaker, named.speaker);
        assert_eq!(plain.speaker, Speaker { session: session_id("human", &ME), origin: Origin::Human });
        assert_eq!(plain.live, None);
    }

    #[test]
    fn an_agents_shell_shares_the_session_of_its_server() {
        let server = admit(Face::Mcp, Some("s1"), false).unwrap();
        let shell = admit(Face::Cli, Some("s1"), true).unwrap();
        assert_eq!(server.speaker, shell.speaker);
        assert_eq!(server.speaker.origin, Origin::Agent);
        assert!(server.live.is_some() && shell.live.is_none());
    }

    #[test]
    fn an_agent_cannot_be_the_human_session() {
        assert_eq!(admit(Face::Mcp, Some("human"), false).unwrap_err().rule, "session_name");
        assert_ne!(admit(Face::Mcp, None, false).unwrap().speaker.session, session_id("human", &ME));
    }

    #[test]
    fn two_members_never_share_a_session() {
        assert_ne!(session_id("s1", &ME), session_id("s1", &MemberId([8; 32])));
    }
    #[test]
    fn an_agent_that_ended_its_server_is_one_still() {
        let process = |pid, born, marked: bool| Process {
            id: door::ProcessId { pid, born },
            name: "host".into(),
            marked: Some(marked),
            leads_terminal: false,
        };
        let live = Live::default();
        let knocks = |face, ancestry: &[Process]| {
            Caller::admit(Hello { agent: false, ..Hello::new(face) }, Some(ancestry.to_vec()), ME, &live).unwrap()
        };
        let server = knocks(Face::Mcp, &[process(9, 5, true), process(8, 4, false)]);
        live.leave(server.live.unwrap());
        let descends = knocks(Face::Cli, &[process(10, 6, false), process(8, 4, false)]);
        assert_eq!((descends.speaker.origin, descends.hook), (Origin::Agent, true));
        let other = knocks(Face::Cli, &[process(10, 6, false), process(8, 7, false)]);
        assert_eq!((other.speaker.origin, other.hook), (Origin::Human, false));
    }
}
