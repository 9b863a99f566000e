//! The companion's part of `doctor`: every layer, from the identity to each member's link, and what
//! to do about the first one that fails.

mod multicast;

use pairwave_api::{Check, Checks, Diagnose, Failure, VERSION, Whoami, control};
use pairwave_core::id::{MemberId, RoomId};
use pairwave_core::log::Log;
use pairwave_wire::protocol;

use super::watch::Intruder;
use super::{Answers, resolve};
use crate::caller::Caller;
use crate::net::{ConnectionStatus, NetStatus};
use crate::view::{self, Viewer};

/// A clock that is further off than this makes invites expire too early or too late.
const SKEW_MS: u64 = 120_000;

impl Answers {
    pub(super) async fn diagnose(&self, by: &Caller, ask: &Diagnose) -> Result<Checks, Failure> {
        let network = (self.parts.network)().await;
        let mut checks = vec![self.identity(by, ask).await, self.store().await, self.socket(), listening(&network)];
        checks.push(multicast(&network).await);
        match (self.room(by, &ask.room).await, &ask.room, &ask.member) {
            (Ok(room), ..) => checks.extend(self.members(room, ask.member.clone(), network).await?),
            (Err(failure), None, None) => checks.push(failed("room", failure.message, failure.next)),
            (Err(failure), ..) => return Err(failure),
        }
        Ok(Checks { checks })
    }

    async fn identity(&self, by: &Caller, ask: &Diagnose) -> Check {
        let whoami = self.whoami(by, &Whoami { room: ask.room.clone() }).await;
        let name = whoami.map_or_else(|_| self.parts.name.clone(), |me| me.name);
        passed("identity", format!("You are {name} ({}), companion {VERSION}", self.parts.me))
    }

    /// Writes to the store and waits until that is durable.
    async fn store(&self) -> Check {
        let nowhere = self.parts.home.path().join("no-such-folder");
        match self.parts.bindings.unbind(&nowhere).await {
            Ok(()) => passed("store", "The store can be written".to_owned()),
            Err(error) => failed(
                "store",
                format!("The store cannot be written: {}", error.why),
                format!(
                    "Free some space on the disk of {} and check its permissions.",
                    self.parts.home.path().display()
                ),
            ),
        }
    }

    fn socket(&self) -> Check {
        match control::socket_path(&self.parts.home) {
            Ok(path) => passed("control socket", format!("Answers at {}", path.display())),
            Err(error) => failed(
                "control socket",
                format!("The socket that answered this is gone from its place: {error}"),
                "Run `pairwave down`, then `pairwave up`.".to_owned(),
            ),
        }
    }

    async fn members(&self, room: RoomId, only: Option<String>, network: NetStatus) -> Result<Vec<Check>, Failure> {
        let intruders = self.seen().intruders(room);
        let checks = move |viewer: &Viewer<'_, _>| {
            let me = viewer.me();
            let members = match only {
                Some(wanted) => vec![resolve::member(viewer, &wanted)?],
                None => viewer.members().into_iter().filter(|member| *member != me).collect(),
            };
            let checks = members.into_iter().flat_map(|member| member_checks(viewer, member, &network, &intruders));
            let mut checks: Vec<Check> = checks.collect();
            if checks.is_empty() {
                checks.push(passed("members", "There is nobody else in this room yet".to_owned()));
            }
            Ok(checks)
        };
        match self.look(room, checks).await {
            Err(failure) if failure.rule == "not_admitted" => Ok(vec![failed("room", failure.message, failure.next)]),
            result => result,
        }
    }
}

fn passed(name: &str, detail: String) -> Check {
    Check { name: name.to_owned(), ok: true, detail, next: String::new() }
}

fn failed(name: &str, detail: String, next: String) -> Check {
    Check { name: name.to_owned(), ok: false, detail, next }
}

fn listening(network: &NetStatus) -> Check {
    if network.listening.is_empty() {
        return failed(
            "listening",
            "No address that others could reach".to_owned(),
            "Connect to a network, and look at `network.listen` and `network.interfaces` in `pairwave config show`."
                .to_owned(),
        );
    }
    passed("listening", network.listening.join(" · "))
}

async fn multicast(network: &NetStatus) -> Check {
    if !network.mdns {
        return failed(
            "multicast",
            "Discovery on the local network is off, so companions find each other by invites alone".to_owned(),
            "Turn it on with `pairwave config set network.mdns true`, then `pairwave down`.".to_owned(),
        );
    }
    match multicast::probe().await {
        Ok(heard) => passed("multicast", format!("Heard on {}", heard.join(", "))),
        Err(why) => failed(
            "multicast",
            format!("Companions cannot be found on this network: {why}"),
            "Allow UDP 5353 in the firewall, and use a network that lets its devices see each other (many guest networks do not)."
                .to_owned(),
        ),
    }
}

/// What there is to say of one member: the way to it, its version, its clock.
fn member_checks<L: Log>(
    viewer: &Viewer<'_, L>,
    member: MemberId,
    network: &NetStatus,
    intruders: &[Intruder],
) -> Vec<Check> {
    let room = viewer.room().id();
    let presence = viewer.node().presence(&room, &member);
    let peers = viewer.node().transports(&room, &member);
    let connection = network.connections.iter().find(|connection| peers.contains(&connection.peer));
    let mut checks = vec![reachability(viewer, member, connection, intruders)];
    checks.extend(connection.and_then(|connection| version(&viewer.name(&member), connection)));
    checks.extend(presence.skew_ms.map(|skew| clock(&viewer.name(&member), skew)));
    checks
}

fn reachability<L: Log>(
    viewer: &Viewer<'_, L>,
    member: MemberId,
    connection: Option<&ConnectionStatus>,
    intruders: &[Intruder],
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
    if let Some(intruder) = intruders.iter().rev().find(|intruder| intruder.claimed == Some(member)) {
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
            format!("Let {name} run `pairwave up` on the same network; a firewall there must let UDP and TCP in."),
        ),
        (None, None) => failed(
            &check,
            format!("{name} was never seen from here"),
            format!("Let {name} run `pairwave up` on the same network, and `pairwave doctor` there too."),
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
    fn nothing_to_listen_on_is_a_failure_with_a_next_step() {
        let check = listening(&NetStatus::default());
        assert!(!check.ok && !check.next.is_empty());
        assert!(listening(&NetStatus { listening: vec!["/ip4/10.0.0.1/tcp/1".into()], ..NetStatus::default() }).ok);
    }

    #[tokio::test]
    async fn discovery_that_is_off_is_told() {
        let check = multicast(&NetStatus::default()).await;
        assert!(!check.ok && check.next.contains("network.mdns"), "{check:?}");
    }
}
