//! What a doctor says of one member: the way to it, the link, its version, its clock.

use std::time::{Duration, Instant};

use pairwave_api::Check;
use pairwave_api::words::second;
use pairwave_core::id::MemberId;
use pairwave_core::log::Log;
use pairwave_core::time::Timestamp;
use pairwave_wire::{TransportId, protocol};

use super::{failed, passed, ways};
use crate::answers::watch::Intruder;
use crate::clock;
use crate::net::{ConnectionStatus, NetStatus};
use crate::view::{self, Viewer};

/// A clock that is further off than this makes invites expire too early or too late.
const SKEW_MS: u64 = 120_000;
/// How long mDNS goes on announcing a companion that has ended: the life of its records, and a little.
const ANNOUNCED: Duration = Duration::from_secs(7 * 60);

/// All that there is to say of one member.
pub(super) fn checks<L: Log>(
    viewer: &Viewer<'_, L>,
    member: MemberId,
    network: &NetStatus,
    intruders: &[Intruder],
) -> Vec<Check> {
    let room = viewer.room().id();
    let presence = viewer.node().presence(&room, &member);
    let peers = viewer.node().transports(&room, &member);
    let connection = network.connections.iter().find(|connection| peers.contains(&connection.peer));
    let claimed = intruders.iter().rev().find(|intruder| intruder.claimed == Some(member));
    let mut checks = Vec::new();
    if presence.link.is_none() && claimed.is_none() {
        checks.push(reachable(&viewer.name(&member), &sight(viewer, &peers, connection, network, presence.last_seen)));
    }
    let (name, now) = (viewer.name(&member), Instant::now());
    match connection {
        Some(connection) => checks.push(ways::path(&name, &peers, connection, network, now)),
        None => checks.extend(ways::tried(&name, &peers, network, now)),
    }
    checks.push(linked(viewer, member, connection, claimed));
    checks.extend(connection.and_then(|connection| version(&viewer.name(&member), connection)));
    checks.extend(presence.skew_ms.map(|skew| clock(&viewer.name(&member), skew)));
    checks
}

/// What is known of the way to a member who is missing.
#[derive(Debug, Clone, Default)]
struct Sight {
    /// Where its machine answers.
    answers_at: Option<String>,
    /// Do we look for others by mDNS?
    looks: bool,
    /// Its machine is announced on this network, or was until a few minutes ago.
    seen: bool,
    /// When a dial last came to nothing.
    unanswered: Option<Timestamp>,
    /// Where its machine said that nobody listens.
    refused: Option<String>,
    /// When there was a link last.
    here: Option<Timestamp>,
    now: Timestamp,
}

fn sight<L: Log>(
    viewer: &Viewer<'_, L>,
    peers: &[TransportId],
    connection: Option<&ConnectionStatus>,
    network: &NetStatus,
    here: Option<Timestamp>,
) -> Sight {
    Sight {
        answers_at: connection.map(|connection| connection.address.clone()),
        looks: network.mdns,
        seen: peers.iter().any(|peer| network.found.contains(peer)),
        unanswered: peers.iter().filter_map(|peer| viewer.node().unanswered(peer)).max(),
        refused: ways::refused(peers, network).map(|dial| dial.address.clone()),
        here,
        now: clock::now(),
    }
}

/// Does anything of a missing member's machine arrive here, and what is in between?
fn reachable(name: &str, sight: &Sight) -> Check {
    let check = format!("reachable {name}");
    if let Some(address) = &sight.answers_at {
        return passed(&check, format!("{name}'s machine answers at {address}"));
    }
    let (detail, next) = match (&sight.refused, sight.seen) {
        (Some(address), _) => nobody_listens(name, address, sight),
        (None, true) => announced(name, sight),
        (None, false) => unseen(name, sight),
    };
    failed(&check, detail, next)
}

/// The machine is there, and its companion is not.
fn nobody_listens(name: &str, address: &str, sight: &Sight) -> (String, String) {
    let here = sight.here.map(|at| format!("; it was last here at {}", second(&view::time(at)))).unwrap_or_default();
    (
        format!("The machine at {address} answers, but no companion of {name} runs there{here}"),
        format!("Let {name} run `pairwave up`; it is tried again by itself. If it is up, let {}.", open_ports(name)),
    )
}

/// mDNS tells of the machine, and nothing answers at its addresses.
fn announced(name: &str, sight: &Sight) -> (String, String) {
    let Some(at) = sight.unanswered else {
        return (
            format!("mDNS sees {name}'s machine, which is being tried"),
            "Run `pairwave doctor` again in half a minute.".to_owned(),
        );
    };
    let tried = format!("nothing answered at {}", second(&view::time(at)));
    match sight.here {
        // What was announced before the companion ended is no sign that it still runs.
        Some(here) if sight.now < here + ANNOUNCED => (
            format!("{name} was here until {}, and its machine answers no more: {tried}", second(&view::time(here))),
            format!("Let {name} wake the machine up and run `pairwave up`; it is tried again by itself."),
        ),
        _ => {
            let next = format!("Let {}.", open_ports(name));
            (format!("mDNS sees {name}'s machine, but its ports are blocked: {tried}"), next)
        }
    }
}

fn unseen(name: &str, sight: &Sight) -> (String, String) {
    let tried =
        sight.unanswered.map(|at| format!(", and where it was known nothing answered at {}", second(&view::time(at))));
    let sees = if sight.looks { "mDNS does not see" } else { "without mDNS nobody looks for" };
    (
        format!("{sees} {name}'s machine{}", tried.unwrap_or_default()),
        format!(
            "Let {name} run `pairwave up` and `pairwave doctor` on the same network; UDP 5353 must pass on both machines, and the network must let its devices see each other (many guest networks do not)."
        ),
    )
}

fn open_ports(name: &str) -> String {
    format!(
        "the firewall of {name}'s machine accept UDP and TCP on the ports that `pairwave doctor` lists there under \"listening\""
    )
}

/// Is there a link to the member?
fn linked<L: Log>(
    viewer: &Viewer<'_, L>,
    member: MemberId,
    connection: Option<&ConnectionStatus>,
    claimed: Option<&Intruder>,
) -> Check {
    let name = viewer.name(&member);
    let presence = viewer.node().presence(&viewer.room().id(), &member);
    let check = format!("member {name}");
    if presence.link.is_some() {
        let at = connection.map(|connection| format!(" at {}", connection.address)).unwrap_or_default();
        let rtt =
            connection.and_then(|connection| connection.rtt_ms).map(|rtt| format!(", {rtt:.1} ms")).unwrap_or_default();
        return passed(&check, format!("{name} is here{at}{rtt}"));
    }
    if let Some(intruder) = claimed {
        return failed(
            &check,
            format!("Somebody came as {name} at {} without {name}'s key", intruder.at),
            format!("Ask {name} whether that was a new machine or home; a new key needs a new invite."),
        );
    }
    match (connection, presence.last_seen) {
        (Some(connection), _) => failed(
            &check,
            format!("{name}'s machine answers at {}, but there is no link", connection.address),
            format!("Let {name} run `pairwave status`: is it still in this room, and of the same version?"),
        ),
        (None, Some(seen)) => failed(
            &check,
            format!("{name} was last here at {}", second(&view::time(seen))),
            format!(
                "There is no link while {name}'s machine is not reachable; `pairwave up` there starts the companion."
            ),
        ),
        (None, None) => failed(
            &check,
            format!("{name} was never seen from here"),
            format!(
                "There is no link while {name}'s machine is not reachable; `pairwave up` there starts the companion."
            ),
        ),
    }
}

fn version(name: &str, connection: &ConnectionStatus) -> Option<Check> {
    let theirs = connection.agent.as_deref()?;
    let ours = protocol::agent_version();
    let check = format!("version of {name}");
    Some(if theirs == ours {
        passed(&check, theirs.to_owned())
    } else {
        let next = "Update the older one, so that both have the same.".to_owned();
        failed(&check, format!("{name} runs {theirs}, you run {ours}"), next)
    })
}

fn clock(name: &str, skew_ms: i64) -> Check {
    let check = format!("clock of {name}");
    let seconds = skew_ms.unsigned_abs() / 1000;
    let way = if skew_ms > 0 { "ahead of" } else { "behind" };
    if seconds == 0 {
        return passed(&check, "the same as yours, within a second".to_owned());
    }
    if skew_ms.unsigned_abs() <= SKEW_MS {
        return passed(&check, format!("{seconds} s {way} yours"));
    }
    failed(
        &check,
        format!("{name}'s clock is {seconds} s {way} yours"),
        "Set both clocks by the network: invites would expire too early or too late.".to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_far_off_is_told_with_its_direction() {
        assert!(
            clock("bob", 1_500).ok
                && clock("bob", -400).detail.contains("within a second")
                && clock("bob", -119_000).ok
        );
        let ahead = clock("bob", 3_600_000);
        assert!(!ahead.ok && ahead.detail.contains("3600 s ahead"), "{ahead:?}");
        assert!(clock("bob", -3_600_000).detail.contains("behind"));
    }

    #[test]
    fn what_is_in_the_way_of_a_missing_member_is_named() {
        let told = |sight: Sight| {
            let check = reachable("bob", &sight);
            assert!(!check.ok && !check.next.is_empty() && check.name == "reachable bob", "{check:?}");
            check
        };
        let check = |seen, unanswered| told(Sight { looks: true, seen, unanswered, ..Sight::default() });
        let blocked = check(true, Some(Timestamp(0)));
        assert!(
            blocked.detail.contains("ports are blocked") && blocked.next.starts_with("Let the firewall"),
            "{blocked:?}"
        );
        assert!(check(true, None).detail.contains("being tried"));
        let unseen = check(false, None);
        assert!(unseen.detail.contains("mDNS does not see") && unseen.next.contains("5353"), "{unseen:?}");
        assert!(check(false, Some(Timestamp(0))).detail.contains("nothing answered"));
        assert!(told(Sight::default()).detail.contains("without mDNS"));
        assert!(reachable("bob", &Sight { answers_at: Some("/ip4/10.0.0.2/tcp/1".into()), ..Sight::default() }).ok);
    }

    #[test]
    fn a_companion_that_has_ended_is_no_firewall() {
        let seen = Sight { looks: true, seen: true, unanswered: Some(Timestamp(9_000)), ..Sight::default() };
        let refused = Some("/ip4/10.0.0.2/tcp/1".to_owned());
        let ended = reachable("bob", &Sight { refused, here: Some(Timestamp(5_000)), ..seen.clone() });
        assert!(
            !ended.ok && ended.detail.contains("no companion of bob runs there; it was last here at 1970"),
            "{ended:?}"
        );
        assert!(!ended.detail.contains("blocked") && ended.next.starts_with("Let bob run `pairwave up`"), "{ended:?}");
        let asleep =
            |now| reachable("bob", &Sight { here: Some(Timestamp(5_000)), now: Timestamp(now), ..seen.clone() });
        let lately = asleep(20_000);
        assert!(lately.detail.contains("answers no more") && lately.next.contains("wake"), "{lately:?}");
        assert!(asleep(10 * 60_000).detail.contains("ports are blocked"), "it has announced itself since");
    }
}
