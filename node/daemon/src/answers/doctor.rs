//! The companion's part of `doctor`: every layer, from the identity to each member's link, and what
//! to do about the first one that fails.

mod members;
mod multicast;
mod network;
mod ways;

use std::time::Instant;

use pairwave_api::{Check, Checks, Diagnose, Failure, VERSION, Whoami, control};
use pairwave_core::id::RoomId;
use pairwave_core::joining::Joining;
use pairwave_core::node::Node;

use super::rooms::is_open;
use super::{Answers, resolve};
use crate::caller::Caller;
use crate::net::NetStatus;
use crate::store::Reader;
use crate::view::{self, Viewer};

impl Answers {
    pub(super) async fn diagnose(&self, by: &Caller, ask: &Diagnose) -> Result<Checks, Failure> {
        let network = (self.parts.network)().await;
        let mut checks = vec![self.identity(by, ask).await, self.store().await, self.socket(), listening(&network)];
        checks.push(multicast(&network).await);
        checks.push(network::reachability(&network));
        checks.extend(network::certificates(&network));
        checks.extend(network::relays(&network));
        checks.extend(self.closed_rooms().await);
        match (self.room(by, &ask.room).await, &ask.room, &ask.member) {
            (Ok(room), ..) => checks.extend(self.members(room, ask.member.clone(), network).await?),
            (Err(failure), ..) if failure.rule == "room_closed" => checks.extend(self.room_gone(by).await),
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

    /// Rooms of which something is kept, but whose log could not be read.
    async fn closed_rooms(&self) -> Vec<Check> {
        let closed = |node: &Node<Reader>| {
            node.log().rooms().into_iter().filter(|room| !is_open(node, room)).collect::<Vec<_>>()
        };
        let closed = self.parts.driver.query(closed).await.into_iter();
        let next = format!(
            "It is tried again by itself. Read why in {}; what is damaged comes back with a copy of this home.",
            self.parts.home.log().display()
        );
        closed
            .map(|room| {
                let folder = self.parts.bindings.folder_of(&room);
                let of = folder.map_or_else(|| room.to_string(), |folder| folder.display().to_string());
                failed("room", format!("The room of {of} cannot be read"), next.clone())
            })
            .collect()
    }

    /// Of the room that the caller's folder is bound to, nothing is kept.
    async fn room_gone(&self, by: &Caller) -> Option<Check> {
        let (folder, room) = by.dir.as_deref().and_then(|dir| self.parts.bindings.bound(dir))?;
        let gone = !self.is_closed(room).await;
        gone.then(|| {
            failed(
                "room",
                format!("Nothing is kept of the room of {}", folder.display()),
                "Give that folder another with `pairwave init` or `pairwave join INVITE`.".to_owned(),
            )
        })
    }

    /// Of a room that nobody has let us into.
    async fn not_let_in(&self, room: RoomId, network: &NetStatus) -> Vec<Check> {
        let joining = move |node: &Node<Reader>| node.joins().find(|joining| joining.invite.room == room).cloned();
        let joining = self.parts.driver.query(joining).await;
        joining.iter().map(|joining| inviter(joining, network)).collect()
    }

    async fn members(&self, room: RoomId, only: Option<String>, network: NetStatus) -> Result<Vec<Check>, Failure> {
        let intruders = self.seen().intruders(room);
        let waiting = self.not_let_in(room, &network).await;
        let checks = move |viewer: &Viewer<'_, _>| {
            let me = viewer.me();
            let members = match only {
                Some(wanted) => vec![resolve::member(viewer, &wanted)?],
                None => viewer.members().into_iter().filter(|member| *member != me).collect(),
            };
            let checks = members.into_iter().flat_map(|member| members::checks(viewer, member, &network, &intruders));
            let mut checks: Vec<Check> = checks.collect();
            if checks.is_empty() {
                checks.push(Check {
                    next: "`pairwave invite` makes a line to send to somebody.".to_owned(),
                    ..passed("members", "There is nobody else in this room yet".to_owned())
                });
            }
            if !network.relays.is_empty() {
                checks.insert(0, network::letters(viewer.node().letters(&room)));
            }
            Ok(checks)
        };
        match self.look(room, checks).await {
            Err(failure) if failure.rule == "not_admitted" => {
                Ok([vec![failed("room", failure.message, failure.next)], waiting].concat())
            }
            result => result,
        }
    }
}

/// What was tried to reach whoever invited us, while nobody lets us in.
fn inviter(joining: &Joining, network: &NetStatus) -> Check {
    let peers = std::slice::from_ref(&joining.invite.transport);
    if let Some(connection) = network.connections.iter().find(|connection| peers.contains(&connection.peer)) {
        return passed("inviter", format!("Whoever invited you answers at {}", connection.address));
    }
    let back =
        "Send the line that the same `pairwave join` prints back to whoever invited you: `pairwave answer` dials you.";
    let tried = ways::tried("whoever invited you", peers, network, Instant::now());
    let detail = tried.map_or_else(|| "Nothing was tried yet".to_owned(), |check| check.detail);
    if let Some(left_at) = joining.left_at {
        let waits = format!(
            "Whoever invited you is away; your knock waits at a relay since {}, and the first member that comes online finds it. {detail}",
            view::time(left_at)
        );
        return Check { next: back.to_owned(), ..passed("inviter", waits) };
    }
    failed("inviter", format!("Whoever invited you is not reached: {detail}"), back.to_owned())
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
    if !network.mdns_wanted {
        return Check {
            next: "`pairwave config set network.mdns true`, then `pairwave down`, turns it on.".to_owned(),
            ..passed("multicast", "Off by `network.mdns`: companions find each other by invites alone".to_owned())
        };
    }
    if !network.mdns {
        return failed(
            "multicast",
            "Discovery on the local network does not run".to_owned(),
            "Connect to a network; if there is one, read why in `run/pairwave.log` of this home.".to_owned(),
        );
    }
    match multicast::probe(&network.interfaces).await {
        Ok(heard) => passed("multicast", proven(&heard, network.found.len())),
        Err(why) => failed(
            "multicast",
            format!("Companions cannot be found on this network: {why}"),
            "Allow UDP 5353 in the firewall, and use a network that lets its devices see each other (many guest networks do not)."
                .to_owned(),
        ),
    }
}

/// What was tried on this machine alone, and what only others can prove.
fn proven(heard: &[String], found: usize) -> String {
    let here = format!("Sent and heard on this machine at {}", heard.join(", "));
    match found {
        0 => format!("{here}; no other companion was seen, so it is not proven that the network passes it on"),
        1 => format!("{here}; one other companion is seen"),
        many => format!("{here}; {many} other companions are seen"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_to_listen_on_is_a_failure_with_a_next_step() {
        let check = listening(&NetStatus::default());
        assert!(!check.ok && !check.next.is_empty());
        assert!(listening(&NetStatus { listening: vec!["/ip4/10.0.0.1/tcp/1".into()], ..NetStatus::default() }).ok);
    }

    #[tokio::test]
    async fn discovery_that_is_off_on_purpose_is_no_failure() {
        let check = multicast(&NetStatus::default()).await;
        assert!(check.ok && check.next.contains("network.mdns"), "{check:?}");
        let broken = multicast(&NetStatus { mdns_wanted: true, ..NetStatus::default() }).await;
        assert!(!broken.ok && !broken.next.is_empty(), "{broken:?}");
    }

    #[tokio::test]
    async fn multicast_is_tried_on_the_interfaces_that_are_used() {
        let on = NetStatus { mdns_wanted: true, mdns: true, ..NetStatus::default() };
        let none = multicast(&on).await;
        assert!(!none.ok && none.detail.contains("no interface that is used"), "{none:?}");
        let elsewhere = vec![("wlan9".to_owned(), "192.0.2.7".parse().unwrap())];
        let deaf = multicast(&NetStatus { interfaces: elsewhere, ..on }).await;
        assert!(!deaf.ok && deaf.detail.contains("wlan9"), "{deaf:?}");
    }

    #[test]
    fn what_only_others_can_prove_is_said() {
        assert!(proven(&["wlan0".into()], 0).contains("not proven"));
        assert!(proven(&["wlan0".into()], 2).ends_with("2 other companions are seen"));
    }
}
