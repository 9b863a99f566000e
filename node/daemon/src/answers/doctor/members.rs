//! What a doctor says of one member: the way to it, the link, its version, its clock.

use std::time::Instant;

use pairwave_api::Check;
use pairwave_core::id::MemberId;
use pairwave_core::log::Log;
use pairwave_core::time::Timestamp;
use pairwave_wire::{TransportId, protocol};

use super::{failed, passed, ways};
use crate::answers::watch::Intruder;
use crate::net::{ConnectionStatus, NetStatus};
use crate::view::{self, Viewer};

/// A clock that is further off than this makes invites expire too early or too late.
const SKEW_MS: u64 = 120_000;

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
        checks.push(reachable(&viewer.name(&member), &sight(viewer, &peers, connection, network)));
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
    /// Its machine is announced on this network.
    seen: bool,
    /// When a dial last came to nothing.
    unanswered: Option<Timestamp>,
}

fn sight<L: Log>(
    viewer: &Viewer<'_, L>,
    peers: &[TransportId],
    connection: Option<&ConnectionStatus>,
    network: &NetStatus,
) -> Sight {
    Sight {
        answers_at: connection.map(|connection| connection.address.clone()),
        looks: network.mdns,
        seen: peers.iter().any(|peer| network.found.contains(peer)),
        unanswered: peers.iter().filter_map(|peer| viewer.node().unanswered(peer)).max(),
    }
}

/// Does anything of a missing member's machine arrive here, and what is in between?
fn reachable(name: &str, sight: &Sight) -> Check {
    let check = format!("reachable {name}");
    if let Some(address) = &sight.answers_at {
        return passed(&check, format!("{name}'s machine answers at {address}"));
    }
    let tried = sight.unanswered.map(|at| format!("nothing answered at {}", view::time(at)));
    match (sight.seen, tried) {
        (true, Some(tried)) => failed(
            &check,
            format!("mDNS sees {name}'s machine, but its ports are blocked: {tried}"),
            format!(
                "Let the firewall of {name}'s machine accept UDP and TCP on the ports that `pairwave doctor` lists there under \"listening\"."
            ),
        ),
        (true, None) => failed(
            &check,
            format!("mDNS sees {name}'s machine, which is being tried"),
            "Run `pairwave doctor` again in half a minute.".to_owned(),
        ),
        (false, tried) => {
            let tried = tried.map_or_else(String::new, |tried| format!(", and where it was known {tried}"));
            let sees = if sight.looks { "mDNS does not see" } else { "without mDNS nobody looks for" };
            failed(
                &check,
                format!("{sees} {name}'s machine{tried}"),
                format!(
                    "Let {name} run `pairwave up` and `pairwave doctor` on the same network; UDP 5353 must pass on both machines, and the network must let its devices see each other (many guest networks do not)."
                ),
            )
        }
    }
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
            format!("{name} was last here at {}", view::time(seen)),
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
        let check = |seen, unanswered| {
            let check = reachable("bob", &Sight { looks: true, seen, unanswered, answers_at: None });
            assert!(!check.ok && !check.next.is_empty() && check.name == "reachable bob", "{check:?}");
            check
        };
        let blocked = check(true, Some(Timestamp(0)));
        assert!(blocked.detail.contains("ports are blocked") && blocked.next.contains("firewall"), "{blocked:?}");
        assert!(check(true, None).detail.contains("being tried"));
        let unseen = check(false, None);
        assert!(unseen.detail.contains("mDNS does not see") && unseen.next.contains("5353"), "{unseen:?}");
        assert!(check(false, Some(Timestamp(0))).detail.contains("nothing answered"));
        let blind = reachable("bob", &Sight::default());
        assert!(!blind.ok && blind.detail.contains("without mDNS"), "{blind:?}");
        assert!(reachable("bob", &Sight { answers_at: Some("/ip4/10.0.0.2/tcp/1".into()), ..Sight::default() }).ok);
    }
}
