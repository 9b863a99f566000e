//! `status` as a person would say it.

use jiff::Timestamp;
use owo_colors::OwoColorize;
use pairwave_api::words::sentence;
use pairwave_api::{MemberView, NetworkView, RoomView, SessionView, Status};

use super::{count, folder, list, page, plain, when};

/// Every room in a few sentences.
pub fn told(status: &Status, now: Timestamp, width: usize) -> String {
    if status.rooms.is_empty() {
        return format!(
            "You are {}, in no room yet.\n\
             Open one for this folder with `pairwave init`, or enter one with `pairwave join INVITE`.\n",
            plain::line(&status.name).bold()
        );
    }
    let rooms: Vec<String> = status.rooms.iter().map(|room| told_room(status, room, now, width)).collect();
    let mut out = rooms.join("\n");
    out.push_str(&super::dashboard(status.dashboard.as_deref()));
    out.push_str(&told_relays(&status.network, width));
    if !status.network.mdns {
        let note = "Companions on the local network are not looked for (network.mdns is false).";
        out.push_str(&page::paragraph(&note.dimmed().to_string(), width));
    }
    out
}

/// Nothing where two relays hold a place and no token is refused, for that is enough.
fn told_relays(network: &NetworkView, width: usize) -> String {
    let held = network.relays.iter().filter(|relay| relay.reserved).count();
    let missing = network.relays.iter().filter(|relay| !relay.reserved && held < 2);
    let told = missing.map(|relay| {
        let why = relay.why.as_deref().map_or_else(String::new, |why| format!(": {}", plain::line(why)));
        let address = plain::line(&relay.address);
        let told = sentence(&format!("The relay {address} holds no place for you{why}"));
        page::paragraph(&format!("{told} `pairwave doctor` says what to do."), width)
    });
    let refused = network.relays.iter().filter_map(|relay| relay.token_refused.as_deref().map(|why| (relay, why)));
    let refused = refused.map(|(relay, why)| {
        let (address, why) = (plain::line(&relay.address), plain::line(why));
        page::paragraph(
            &format!(
                "The token for the relay {address} does not count there: {why}. `pairwave doctor` says what to do."
            ),
            width,
        )
    });
    told.chain(refused).collect()
}

fn told_room(status: &Status, room: &RoomView, now: Timestamp, width: usize) -> String {
    let title = format!("“{}”", plain::line(&room.title));
    let place = room.folder.as_deref().map(|path| format!(" ({})", folder(path))).unwrap_or_default();
    let mut sentences = vec![match room.state.as_str() {
        "waiting" if room.knock_left_at.is_some() => {
            let left = room.knock_left_at.as_deref().unwrap_or_default();
            format!(
                "You asked to join {title}{place}. Nobody who may let you in has been reached yet; your knock waits at a relay, left \
                 {}, for the first of them that comes online. You need not be online at the same time.",
                when::ago(left, now)
            )
        }
        "waiting" => {
            format!(
                "You asked to join {title}{place}. Nobody who may let you in has been reached yet; the companion goes on trying. \
                 If it stays so, the same `pairwave join` prints a line to send back."
            )
        }
        "left" => format!("You have left {title}{place}."),
        "removed" => format!("You were removed from {title}{place}. What was said until then can still be read."),
        _ => format!("You are {} in {}{place}.", my_name(status, room).bold(), title.bold()),
    }];
    if room.state == "member" {
        sentences.extend(others(room).map(|member| told_member(member, now)));
        sentences.extend(sessions(room));
        sentences.extend(agreed(room));
        sentences.extend(waiting(room));
    }
    sentences.iter().map(|sentence| page::paragraph(sentence, width)).collect()
}

fn my_name(status: &Status, room: &RoomView) -> String {
    let mine = room.members.iter().find(|member| member.me).map(|member| member.name.as_str());
    plain::line(mine.unwrap_or(&status.name))
}

fn others(room: &RoomView) -> impl Iterator<Item = &MemberView> {
    room.members.iter().filter(|member| !member.me)
}

fn told_member(member: &MemberView, now: Timestamp) -> String {
    let name = plain::line(&member.name).bold().to_string();
    let mut said = format!("{name} {}, {}.", presence(member, now), trust(member));
    if let Some(why) = member.why.as_deref().filter(|_| member.online) {
        said.push_str(&format!(" {}", sentence(&plain::line(why))));
    }
    let agents = online_agents(member);
    if member.online && !agents.is_empty() {
        let has = if agents.len() == 1 { "agent is" } else { "agents are" };
        said.push_str(&format!(" Their {has} {}.", list(&agents)));
    }
    said.push_str(&undelivered(member));
    if !member.online {
        said.push_str(&format!(" `pairwave doctor --member {}` says what was tried.", plain::line(&member.name)));
    }
    if member.equivocated {
        let warning = "Careful: two histories were signed with this key. It was copied, or an old backup was used.";
        said.push_str(&format!(" {}", warning.red().bold()));
    }
    said
}

/// How far what a member has not got has come.
fn undelivered(member: &MemberView) -> String {
    let (stored, queued) = (member.stored.min(member.pending), member.pending.saturating_sub(member.stored));
    let are = |many: u64| count(many, "event is", "events are");
    match (member.online, stored, queued) {
        (_, 0, 0) => String::new(),
        (true, ..) => format!(" {} on the way to them.", are(member.pending)),
        (false, 0, _) => format!(" {} queued here for them.", are(queued)),
        (false, _, 0) => format!(" {} stored at a mailbox for them.", are(stored)),
        (false, ..) => format!(" {} stored at a mailbox for them, {queued} queued here.", are(stored)),
    }
}

fn presence(member: &MemberView, now: Timestamp) -> String {
    if !member.online {
        return match &member.last_seen {
            Some(at) => format!("is away, last here {}", when::ago(at, now)),
            None => "has not been here since you are".into(),
        };
    }
    let place = match (member.path.as_str(), member.address.as_deref()) {
        (_, Some(address)) if address.starts_with("/ip4/127.") || address.starts_with("/ip6/::1/") => {
            " on this machine"
        }
        ("lan", _) => " on your network",
        ("relayed", _) => " through a relay",
        ("direct", _) => " over a direct connection",
        _ => "",
    };
    let distance = member.rtt_ms.map(|ms| format!(" ({ms:.1} ms)")).unwrap_or_default();
    format!("is here{place}{distance}")
}

fn trust(member: &MemberView) -> String {
    match member.verified_by.as_deref() {
        _ if !member.verified => {
            format!("{} (`pairwave verify {}`)", "not verified".yellow(), plain::line(&member.name))
        }
        Some("you") | None => "verified".green().to_string(),
        Some(through) => format!("{} through {}", "verified".green(), plain::line(through)),
    }
}

fn online_agents(member: &MemberView) -> Vec<String> {
    let here = member.sessions.iter().filter(|session| session.origin == "agent" && session.status == "online");
    let named = |session: &SessionView| {
        let name = format!("{} {}", plain::line(&session.emoji), plain::line(&session.name));
        match session.live_until {
            Some(_) => format!("{} (in live mode, woken {} times)", name.trim(), session.wakes),
            None => name.trim().to_owned(),
        }
    };
    here.map(named).collect()
}

/// Our own agents that are here.
fn sessions(room: &RoomView) -> Option<String> {
    let agents = online_agents(room.members.iter().find(|member| member.me)?);
    let is = if agents.len() == 1 { "Your agent here is" } else { "Your agents here are" };
    (!agents.is_empty()).then(|| format!("{is} {}.", list(&agents)))
}

fn waiting(room: &RoomView) -> Vec<String> {
    let mut out = Vec::new();
    if others(room).next().is_none() {
        out.push("Nobody else is here yet. `pairwave invite` makes a line to send to somebody.".into());
    }
    if room.unread > 0 {
        let are = count(room.unread, "message is", "messages are");
        out.push(format!("{} waiting for you: `pairwave inbox`.", are.bold()));
    }
    if room.waiting.questions > 0 {
        out.push(format!(
            "{} for an answer.",
            count(room.waiting.questions.into(), "question waits", "questions wait")
        ));
    }
    if room.waiting.permissions > 0 {
        let wait = count(room.waiting.permissions.into(), "request waits", "requests wait");
        out.push(format!("{} for your yes or no: `pairwave requests`.", wait.bold()));
    }
    if room.waiting.tasks > 0 {
        let are = count(room.waiting.tasks.into(), "approved request is", "approved requests are");
        out.push(format!("{are} not done yet."));
    }
    out
}

/// What was agreed and whose turn it is, where there is somebody to agree with.
fn agreed(room: &RoomView) -> Vec<String> {
    let mut out = Vec::new();
    if others(room).next().is_none() {
        return out;
    }
    let title = room.charter.title.as_deref().map(plain::line).unwrap_or_default();
    match room.charter.state.as_str() {
        "agreed" => out.push(format!("The charter “{title}” is agreed.")),
        "proposed" => out.push(format!("The charter “{title}” is proposed and not agreed: `pairwave charter`.")),
        _ => {}
    }
    if let Some(name) = &room.floor.holder_name {
        let session = room.floor.session_name.as_deref().map(|name| format!(" ({})", plain::line(name)));
        out.push(format!("{}{} has the floor.", plain::line(name), session.unwrap_or_default()));
    }
    if room.floor.hops >= room.floor.max_hops {
        out.push("Agents have spoken as often as they may without a human: say something, and they go on.".into());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use pairwave_api::{CharterView, FloorView, Me, RelayView, WaitingView};

    fn member(name: &str) -> MemberView {
        MemberView {
            member: format!("{name}-id"),
            name: name.into(),
            me: false,
            online: true,
            verified: true,
            verified_by: Some("you".into()),
            path: "lan".into(),
            address: Some("/ip4/192.168.1.7/udp/4001/quic-v1".into()),
            rtt_ms: Some(0.71),
            why: None,
            last_seen: None,
            equivocated: false,
            pending: 0,
            stored: 0,
            sessions: Vec::new(),
        }
    }

    fn room() -> RoomView {
        RoomView {
            room: "r".into(),
            title: "parser rewrite".into(),
            folder: None,
            state: "member".into(),
            events: 4,
            heads: 1,
            unread: 2,
            read_through: 0,
            first_unread: None,
            first_unread_arrival: None,
            knock_left_at: None,
            me: Me {
                member: "alice-id".into(),
                name: "alice".into(),
                session: "s".into(),
                session_name: "alice".into(),
                origin: "human".into(),
            },
            members: vec![MemberView { me: true, ..member("alice") }, member("bob")],
            charter: CharterView { state: "none".into(), title: None, hash: None },
            floor: FloorView { max_hops: 3, ..FloorView::default() },
            waiting: WaitingView::default(),
        }
    }

    fn said(rooms: Vec<RoomView>) -> String {
        let status = Status {
            version: "0.1.0".into(),
            member: "alice-id".into(),
            name: "alice".into(),
            dashboard: None,
            network: NetworkView { mdns: true, ..NetworkView::default() },
            here: None,
            rooms,
        };
        let now = "2026-11-21T12:00:00Z".parse().expect("a time");
        anstream::adapter::strip_str(&told(&status, now, 100)).to_string()
    }

    #[test]
    fn reads_like_sentences() {
        assert_eq!(
            said(vec![room()]),
            "You are alice in “parser rewrite”.\n\
             bob is here on your network (0.7 ms), verified.\n\
             2 messages are waiting for you: `pairwave inbox`.\n"
        );
    }

    #[test]
    fn who_is_away_or_not_verified_is_named() {
        let mut room = room();
        room.members[1] = MemberView {
            online: false,
            verified: false,
            last_seen: Some("2026-11-21T10:00:00Z".into()),
            pending: 1,
            ..member("bob")
        };
        let said = said(vec![room]);
        assert!(said.contains("bob is away, last here 2 hours ago, not verified (`pairwave verify bob`)."), "{said}");
        assert!(said.contains("1 event is queued here for"), "{said}");
        assert!(said.contains("`pairwave doctor --member bob`"), "{said}");
    }

    #[test]
    fn what_waits_at_a_mailbox_is_told_apart() {
        let away = |pending, stored| undelivered(&MemberView { online: false, pending, stored, ..member("bob") });
        assert_eq!(away(0, 0), "");
        assert_eq!(away(1, 1), " 1 event is stored at a mailbox for them.");
        assert_eq!(away(3, 1), " 1 event is stored at a mailbox for them, 2 queued here.");
        let here = MemberView { pending: 2, stored: 1, ..member("bob") };
        assert_eq!(undelivered(&here), " 2 events are on the way to them.");
    }

    #[test]
    fn why_a_path_goes_through_a_relay_is_said() {
        let mut room = room();
        let why = Some("A direct path was not tried yet. Messages go through the relay X, encrypted".into());
        room.members[1] = MemberView { path: "relayed".into(), why, ..member("bob") };
        let said = said(vec![room]).replace('\n', " ");
        assert!(said.contains("through a relay (0.7 ms), verified. A direct path was not tried yet."), "{said}");
        assert!(said.contains("the relay X, encrypted."), "{said}");
    }

    #[test]
    fn what_was_agreed_and_what_waits_is_said() {
        let mut room = room();
        room.charter = CharterView { state: "agreed".into(), title: Some("Parser".into()), hash: None };
        room.floor.holder_name = Some("bob".into());
        room.floor.hops = 3;
        room.waiting = WaitingView { questions: 0, permissions: 1, tasks: 2 };
        let said = said(vec![room]);
        for part in [
            "The charter “Parser” is agreed.\n",
            "bob has the floor.\n",
            "as often as they may without a human",
            "1 request waits for your yes or no: `pairwave requests`.\n",
            "2 approved requests are not done yet.\n",
        ] {
            assert!(said.contains(part), "{part} in {said}");
        }
    }

    #[test]
    fn a_knock_that_waits_at_a_relay_is_told() {
        let knocking = RoomView { state: "waiting".into(), title: String::new(), ..room() };
        let left_at = Some("2026-11-21T11:00:00Z".into());
        let left = said(vec![RoomView { knock_left_at: left_at, ..knocking.clone() }]).replace('\n', " ");
        assert!(left.contains("your knock waits at a relay, left 1 hour ago"), "{left}");
        let unheard = said(vec![knocking]);
        assert!(!unheard.contains("relay") && unheard.contains("goes on trying"), "{unheard}");
    }

    #[test]
    fn agents_are_named() {
        let mut room = room();
        room.members[1].sessions.push(SessionView {
            session: "x".into(),
            name: "winter-bay".into(),
            emoji: "🦊".into(),
            color: "#ffffff".into(),
            origin: "agent".into(),
            status: "online".into(),
            summary: String::new(),
            live_until: None,
            wakes: 0,
        });
        assert!(said(vec![room]).contains("verified. Their agent is 🦊 winter-bay.\n"));
    }

    #[test]
    fn a_relay_that_holds_no_place_is_named_with_the_reason() {
        let relay = |address: &str, reserved, why: Option<&str>| RelayView {
            address: address.into(),
            reserved,
            connected: reserved,
            rtt_ms: None,
            why: why.map(str::to_owned),
            token_refused: None,
        };
        let mut network = NetworkView {
            relays: vec![relay("/a", true, None), relay("/b", false, Some("connection refused"))],
            ..NetworkView::default()
        };
        let said = told_relays(&network, 100);
        assert_eq!(
            said,
            "The relay /b holds no place for you: connection refused. `pairwave doctor` says what to do.\n"
        );
        network.relays[1].why = Some("Handshake with the remote timed out.".into());
        assert!(told_relays(&network, 100).contains("timed out. `pairwave doctor`"));
        network.relays.push(relay("/c", true, None));
        assert_eq!(told_relays(&network, 100), "", "two are enough");
        network.relays[0].token_refused = Some("it is unknown".into());
        let said = told_relays(&network, 100);
        assert!(said.starts_with("The token for the relay /a does not count there: it is unknown."), "{said}");
    }

    #[test]
    fn an_empty_room_says_what_to_do() {
        let mut room = room();
        room.members.truncate(1);
        assert!(said(vec![room]).contains("Nobody else is here yet."));
        assert!(said(Vec::new()).contains("pairwave init"));
    }
}
