//! Who is here, how we are connected, what waits.

use std::time::Instant;

use pairwave_api::{
    CharterView, FloorView, Me, MemberView, RelayView, RoomSummary, RoomView, SessionView, WaitingView,
};
use pairwave_core::charter::MAX_HOPS;
use pairwave_core::command::Speaker;
use pairwave_core::id::{MemberId, SessionId};
use pairwave_core::joining::Joining;
use pairwave_core::log::Log;
use pairwave_core::message::LiveSession;
use pairwave_core::relays::without_token;
use pairwave_core::sessions::look;

use super::{Viewer, origin, standing, time, why_relayed};
use crate::clock;
use crate::net::{NetStatus, Path, Reachability, RelayStatus};

/// Sessions of a member that are shown although they are not there now.
const ABSENT_SESSIONS: usize = 3;

/// One line of the list of rooms.
pub fn room_summary<L: Log>(viewer: &Viewer<'_, L>, by: &Speaker, folder: Option<String>) -> RoomSummary {
    let id = viewer.room.id();
    let members = viewer.members();
    let online = members.iter().filter(|member| viewer.node.presence(&id, member).link.is_some()).count();
    RoomSummary {
        room: id.to_string(),
        title: viewer.title().to_owned(),
        folder,
        members: count(members.len()),
        online: count(online),
        unread: viewer.node.unread_count(&id, *by),
        state: standing(viewer.node.standing(&id)).to_owned(),
    }
}

/// One line of the list of rooms, for a room that has not let us in yet.
pub fn waiting_summary(joining: &Joining, folder: Option<String>) -> RoomSummary {
    RoomSummary {
        room: joining.invite.room.to_string(),
        title: String::new(),
        folder,
        members: 0,
        online: 0,
        unread: 0,
        state: "waiting".to_owned(),
    }
}

/// A room in full.
pub fn room_view<L: Log>(
    viewer: &Viewer<'_, L>,
    by: &Speaker,
    folder: Option<String>,
    network: &NetStatus,
) -> RoomView {
    let id = viewer.room.id();
    let (unread, first_unread) = viewer.node.unread_summary(&id, *by);
    RoomView {
        room: id.to_string(),
        title: viewer.title().to_owned(),
        folder,
        state: standing(viewer.node.standing(&id)).to_owned(),
        events: viewer.room.count(),
        heads: count(viewer.room.heads().len()),
        unread,
        read_through: viewer.node.read_through(&id, *by),
        first_unread: first_unread.map(|(_, event)| event.to_string()),
        first_unread_arrival: first_unread.map(|(arrival, _)| arrival),
        knock_left_at: None,
        me: viewer.me_as(by),
        members: viewer.members().into_iter().map(|member| member_view(viewer, member, network)).collect(),
        charter: viewer.charter_view(),
        floor: viewer.floor_view(by, clock::now()),
        waiting: WaitingView {
            questions: count(viewer.open_questions(&by.session).len()),
            permissions: count(viewer.requests(|request| viewer.is_permission(request)).len()),
            tasks: count(viewer.requests(|request| viewer.is_task(request)).len()),
        },
    }
}

/// A room that has not let us in yet.
pub fn waiting_view(joining: &Joining, by: &Speaker, me: MemberId, folder: Option<String>) -> RoomView {
    RoomView {
        room: joining.invite.room.to_string(),
        title: String::new(),
        folder,
        state: "waiting".to_owned(),
        events: 0,
        heads: 0,
        unread: 0,
        read_through: 0,
        first_unread: None,
        first_unread_arrival: None,
        knock_left_at: joining.left_at.map(time),
        me: Me {
            member: me.to_string(),
            name: joining.name.clone(),
            session: by.session.to_string(),
            session_name: String::new(),
            origin: origin(by.origin).to_owned(),
        },
        members: Vec::new(),
        charter: no_charter(),
        floor: no_floor(),
        waiting: WaitingView::default(),
    }
}

fn member_view<L: Log>(viewer: &Viewer<'_, L>, member: MemberId, network: &NetStatus) -> MemberView {
    let id = viewer.room.id();
    let me = member == viewer.me();
    let presence = viewer.node.presence(&id, &member);
    let path = presence.link.as_ref().and_then(|peer| network.connections.iter().find(|other| other.peer == *peer));
    let (pending, stored) = if me { (0, 0) } else { viewer.node.pending(&id, &member) };
    MemberView {
        member: member.to_string(),
        name: viewer.name(&member),
        me,
        online: me || presence.link.is_some(),
        verified: viewer.is_verified(&member),
        verified_by: verified_by(viewer, &member),
        path: path.map_or("none", |path| path_name(path.path)).to_owned(),
        address: path.map(|path| path.address.clone()),
        rtt_ms: path.and_then(|path| path.rtt_ms),
        why: path.filter(|path| path.path == Path::Relayed).map(|path| {
            let peers = viewer.node.transports(&id, &member);
            why_relayed(&viewer.name(&member), &peers, path, network, Instant::now())
        }),
        last_seen: presence.last_seen.map(time),
        equivocated: viewer.room.state().equivocations.contains_key(&member),
        pending,
        stored,
        sessions: sessions(viewer, member, &presence.sessions),
    }
}

/// How we stand with one relay. Its token is nobody's business but the relay's.
pub fn relay(relay: &RelayStatus) -> RelayView {
    RelayView {
        address: without_token(&relay.address).to_owned(),
        reserved: relay.reserved,
        connected: relay.connected,
        rtt_ms: relay.rtt_ms,
        why: relay.why.clone().filter(|_| !relay.reserved),
        token_refused: relay.token_refused.clone(),
    }
}

/// Whether others can connect to us without help, in a word.
pub fn reachability(reachability: Reachability) -> &'static str {
    match reachability {
        Reachability::Unknown => "unknown",
        Reachability::Private => "private",
        Reachability::Public => "public",
    }
}

fn path_name(path: Path) -> &'static str {
    match path {
        Path::Lan => "lan",
        Path::Direct => "direct",
        Path::Relayed => "relayed",
    }
}

fn verified_by<L: Log>(viewer: &Viewer<'_, L>, member: &MemberId) -> Option<String> {
    let me = viewer.me();
    let through = viewer.verified_through(member).filter(|_| *member != me)?;
    Some(if through == me { "you".to_owned() } else { viewer.name(&through) })
}

/// Those that are there, then a few that spoke last.
fn sessions<L: Log>(viewer: &Viewer<'_, L>, member: MemberId, live: &[LiveSession]) -> Vec<SessionView> {
    let here = live.iter().map(|live| online(viewer, &member, live));
    let spoke = viewer.room.state().sessions.of(&member);
    let mut absent: Vec<_> = spoke.filter(|(id, _)| !live.iter().any(|live| live.session == **id)).collect();
    absent.sort_unstable_by_key(|(_, session)| std::cmp::Reverse(session.last));
    let absent = absent.into_iter().take(ABSENT_SESSIONS);
    let absent = absent.map(|(id, known)| session(viewer, &member, *id, origin(known.origin), "offline"));
    here.chain(absent).collect()
}

fn online<L: Log>(viewer: &Viewer<'_, L>, member: &MemberId, live: &LiveSession) -> SessionView {
    let mode = live.live;
    SessionView {
        live_until: mode.map(|mode| time(mode.until)),
        wakes: mode.map_or(0, |mode| mode.wakes),
        ..session(viewer, member, live.session, origin(live.origin), "online")
    }
}

fn session<L: Log>(
    viewer: &Viewer<'_, L>,
    member: &MemberId,
    id: SessionId,
    origin: &str,
    status: &str,
) -> SessionView {
    let look = look(&id);
    SessionView {
        session: id.to_string(),
        name: viewer.session_name(member, &id),
        emoji: look.emoji.to_owned(),
        color: look.color,
        origin: origin.to_owned(),
        status: status.to_owned(),
        summary: String::new(),
        live_until: None,
        wakes: 0,
    }
}

fn no_charter() -> CharterView {
    CharterView { state: "none".to_owned(), title: None, hash: None }
}

fn no_floor() -> FloorView {
    FloorView { max_hops: MAX_HOPS, ..FloorView::default() }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
