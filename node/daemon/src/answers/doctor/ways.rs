//! What a doctor says of the ways to one member: which addresses were tried over which transport and
//! what came of it.

use std::time::{Duration, Instant};

use pairwave_api::Check;
use pairwave_wire::TransportId;

use super::{failed, passed};
use crate::net::{ConnectionStatus, DialReport, NetStatus, Path};
use crate::view::{ago, why_relayed};

/// Attempts that are told of one member.
const TOLD: usize = 6;
/// Attempts at the addresses of one member that end within this time belong together.
const ROUND: Duration = Duration::from_secs(20);

/// The path that a connection takes, and why it takes no better one.
pub(super) fn path(
    name: &str,
    peers: &[TransportId],
    connection: &ConnectionStatus,
    network: &NetStatus,
    now: Instant,
) -> Check {
    let check = format!("path to {name}");
    let over = transport(&connection.address);
    match connection.path {
        Path::Lan => passed(&check, format!("On your own network, over {over}")),
        Path::Direct => passed(&check, format!("Directly, over {over}")),
        Path::Relayed => Check {
            next: next_of(peers, network),
            ..passed(&check, why_relayed(name, peers, connection, network, now))
        },
    }
}

/// What was tried for a member who is not connected; none where nothing was.
pub(super) fn tried(name: &str, peers: &[TransportId], network: &NetStatus, now: Instant) -> Option<Check> {
    let attempts = latest(peers, network);
    if attempts.is_empty() {
        return None;
    }
    let told = attempts.iter().map(|dial| {
        let at = if dial.address.is_empty() { "no address".to_owned() } else { dial.address.clone() };
        format!("{at} ({}): {}, {}", transport(&dial.address), dial.outcome, ago(dial.at, now))
    });
    let told = told.collect::<Vec<_>>().join(" · ");
    let check = format!("tried for {name}");
    let next = if refused(peers, network).is_some() {
        format!("Let {name} run `pairwave up`; each address is tried again by itself.")
    } else if network.relays.is_empty() {
        format!(
            "If {name}'s companion is up, neither side can reach the other: name a relay with `pairwave relay add MULTIADDR`."
        )
    } else {
        format!("Let {name} run `pairwave up` and `pairwave doctor`; each address is tried again by itself.")
    };
    Some(failed(&check, told, next))
}

/// The machine that told us itself, the last time that we tried, that nobody listens there. Only TCP tells:
/// over UDP a closed port is often as silent as a machine that is off.
pub(super) fn refused<'a>(peers: &[TransportId], network: &'a NetStatus) -> Option<&'a DialReport> {
    let by_tcp: Vec<&DialReport> =
        latest(peers, network).into_iter().filter(|dial| transport(&dial.address) == "TCP").collect();
    let last = by_tcp.first()?.at;
    by_tcp.into_iter().find(|dial| dial.is_refused() && last.saturating_duration_since(dial.at) < ROUND)
}

fn next_of(peers: &[TransportId], network: &NetStatus) -> String {
    let failed = network.punches.iter().any(|punch| peers.contains(&punch.peer) && punch.outcome.is_err());
    if failed {
        "Nothing has to be done; a direct path is tried again by itself. It needs a router on one side that keeps its ports, a \
         mapped port (UPnP), or IPv6."
            .to_owned()
    } else {
        "Nothing has to be done; a direct path is tried by itself.".to_owned()
    }
}

/// The last attempt at each address, the newest first.
fn latest<'a>(peers: &[TransportId], network: &'a NetStatus) -> Vec<&'a DialReport> {
    let mut attempts: Vec<&DialReport> = network.dials.iter().filter(|dial| peers.contains(&dial.peer)).collect();
    attempts.sort_by_key(|dial| std::cmp::Reverse(dial.at));
    let mut told: Vec<&DialReport> = Vec::new();
    for attempt in attempts {
        if told.len() < TOLD && told.iter().all(|known| known.address != attempt.address) {
            told.push(attempt);
        }
    }
    told
}

/// What an address is dialled over.
fn transport(address: &str) -> &'static str {
    let has = |part: &str| address.split('/').any(|piece| piece == part);
    if has("p2p-circuit") {
        "a relay"
    } else if has("quic-v1") {
        "QUIC"
    } else if has("ws") || has("wss") {
        "WebSocket"
    } else if has("tcp") {
        "TCP"
    } else {
        "no transport"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::{PunchReport, RelayStatus};

    const RELAY: &str = "/ip4/203.0.113.7/udp/4011/quic-v1/p2p/12D3";

    fn bob() -> TransportId {
        TransportId::new([2; 38]).unwrap()
    }

    fn connection(path: Path, address: &str) -> ConnectionStatus {
        ConnectionStatus { peer: bob(), path, address: address.into(), rtt_ms: None, agent: None }
    }

    fn relay() -> RelayStatus {
        let address = RELAY.to_owned();
        let peer = TransportId::new([7; 38]).unwrap();
        RelayStatus { address, peer, connected: true, reserved: true, rtt_ms: None, why: None, token_refused: None }
    }

    #[test]
    fn a_path_is_named_and_a_relayed_one_has_a_next_step() {
        let now = Instant::now();
        let network = NetStatus::default();
        let relayed = connection(Path::Relayed, &format!("{RELAY}/p2p-circuit"));
        let check = path("bob", &[bob()], &relayed, &network, now);
        assert!(check.ok && check.name == "path to bob" && !check.next.is_empty(), "{check:?}");
        assert!(check.detail.contains("not tried yet") && check.detail.contains(RELAY), "{check:?}");
        let failed = PunchReport { peer: bob(), outcome: Err("no answer".into()), at: now };
        let check = path("bob", &[bob()], &relayed, &NetStatus { punches: vec![failed], ..network.clone() }, now);
        assert!(check.next.contains("tried again"), "{check:?}");
        let direct = path("bob", &[bob()], &connection(Path::Direct, "/ip4/198.51.100.1/tcp/1"), &network, now);
        assert!(direct.detail == "Directly, over TCP" && direct.next.is_empty(), "{direct:?}");
    }

    #[test]
    fn what_was_tried_is_told_once_per_address_with_its_outcome() {
        let now = Instant::now();
        let dial = |address: &str, outcome: &str, at| DialReport {
            peer: bob(),
            address: address.into(),
            outcome: outcome.into(),
            at,
        };
        let later = now + Duration::from_secs(60);
        let dials = vec![
            dial("/ip4/10.0.0.2/udp/1/quic-v1", "connection refused", now),
            dial("/ip4/10.0.0.2/tcp/1", "timed out", now),
            dial("/ip4/10.0.0.2/tcp/1", "no route to host", later),
        ];
        let network = NetStatus { dials, ..NetStatus::default() };
        let check = tried("bob", &[bob()], &network, later).unwrap();
        assert_eq!(
            check.detail,
            "/ip4/10.0.0.2/tcp/1 (TCP): no route to host, just now · \
             /ip4/10.0.0.2/udp/1/quic-v1 (QUIC): connection refused, 60 s ago"
        );
        assert!(!check.ok && check.next.contains("relay add"), "{check:?}");
        let helped = NetStatus { relays: vec![relay()], ..network };
        assert!(tried("bob", &[bob()], &helped, later).unwrap().next.contains("pairwave up"));
        assert_eq!(tried("bob", &[], &helped, later), None);
    }

    #[test]
    fn only_a_port_that_was_refused_lately_over_tcp_tells() {
        let now = Instant::now();
        let dial = |address: &str, outcome: &str, after| DialReport {
            peer: bob(),
            address: address.into(),
            outcome: outcome.into(),
            at: now + Duration::from_secs(after),
        };
        let at = |dials: Vec<DialReport>| {
            refused(&[bob()], &NetStatus { dials, ..NetStatus::default() }).map(|dial| dial.address.clone())
        };
        let udp = dial("/ip4/10.0.0.2/udp/1/quic-v1", "connection refused", 0);
        let tcp = dial("/ip4/10.0.0.2/tcp/1", "connection refused", 0);
        let other = |after| dial("/ip4/10.9.0.2/tcp/1", "timed out", after);
        assert_eq!(at(vec![udp.clone()]), None);
        assert_eq!(at(vec![udp, tcp.clone(), other(5)]).as_deref(), Some("/ip4/10.0.0.2/tcp/1"));
        assert_eq!(at(vec![tcp, other(60)]), None, "it has been tried elsewhere since");
    }
}
