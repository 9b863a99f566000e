//! Why what is said to a member goes through a relay, in words.

use std::time::Instant;

use pairwave_wire::TransportId;

use crate::net::{ConnectionStatus, NetStatus, Ports, PunchReport};

/// What was tried to reach a member directly and what came of it, and the relay. `peers` are the
/// member's companions.
pub fn why_relayed(
    name: &str,
    peers: &[TransportId],
    connection: &ConnectionStatus,
    network: &NetStatus,
    now: Instant,
) -> String {
    let tried = tried(name, peers, network, now);
    let tried = match network.nat.as_deref() {
        Some(nat) => format!("{}; a direct path {tried}", nat.trim_end_matches('.')),
        None => format!("A direct path {tried}"),
    };
    format!("{tried}. Messages go through {}, encrypted", relay_of(connection))
}

/// How long ago something was.
pub fn ago(at: Instant, now: Instant) -> String {
    match now.saturating_duration_since(at).as_secs() {
        0 => "just now".to_owned(),
        seconds if seconds < 120 => format!("{seconds} s ago"),
        seconds => format!("{} min ago", seconds / 60),
    }
}

fn tried(name: &str, peers: &[TransportId], network: &NetStatus, now: Instant) -> String {
    let punches: Vec<&PunchReport> = network.punches.iter().filter(|punch| peers.contains(&punch.peer)).collect();
    let Some(last) = punches.iter().max_by_key(|punch| punch.at) else {
        return "was not tried yet".to_owned();
    };
    let ago = ago(last.at, now);
    let Err(why) = &last.outcome else {
        return format!("came about {ago}; nothing has moved there, or it was lost again");
    };
    let times = match punches.iter().filter(|punch| punch.outcome.is_err()).count() {
        1 => "once".to_owned(),
        times => format!("{times} times"),
    };
    let tried = format!("was tried {times} and did not come about: {why}, {ago}");
    if network.ports == Ports::Kept {
        // Whoever is told where relays see us could come in, so it is the other side that cannot be found.
        return format!("{tried}; it is probably the router of “{name}” that gives every destination another port");
    }
    tried
}

/// The relay of a circuit.
fn relay_of(connection: &ConnectionStatus) -> String {
    match connection.address.split_once("/p2p-circuit") {
        Some((relay, _)) if !relay.is_empty() => format!("the relay {relay}"),
        _ => "a relay".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::net::Path;

    const RELAY: &str = "/ip4/203.0.113.7/udp/4011/quic-v1/p2p/12D3";

    fn bob() -> TransportId {
        TransportId::new([2; 38]).unwrap()
    }

    fn why(nat: &str, ports: Ports, punches: &[Result<(), &str>]) -> String {
        let now = Instant::now();
        let report =
            |outcome: &Result<(), &str>| PunchReport { peer: bob(), outcome: outcome.map_err(str::to_owned), at: now };
        let punches = punches.iter().map(report).collect();
        let network = NetStatus { nat: Some(nat.into()), ports, punches, ..NetStatus::default() };
        let address = format!("{RELAY}/p2p-circuit");
        let connection = ConnectionStatus { peer: bob(), path: Path::Relayed, address, rtt_ms: None, agent: None };
        why_relayed("bob", &[bob()], &connection, &network, now + Duration::from_secs(30))
    }

    #[test]
    fn why_a_path_goes_through_a_relay_is_said_with_the_relay() {
        let said = why("Your router gives every destination another port.", Ports::Changed, &[Err("no answer")]);
        assert_eq!(
            said,
            format!(
                "Your router gives every destination another port; a direct path was tried once and did not come \
                 about: no answer, 30 s ago. Messages go through the relay {RELAY}, encrypted"
            )
        );
        let untried = why("There is no NAT.", Ports::Kept, &[]);
        assert!(untried.contains("not tried yet") && !untried.contains("bob"), "{untried}");
        assert!(why("", Ports::Unknown, &[Ok(())]).contains("lost again"));
    }

    #[test]
    fn where_our_router_keeps_ports_it_is_the_other_ones() {
        let said = why("Your router keeps one port.", Ports::Kept, &[Err("no answer"), Err("no answer")]);
        assert!(said.contains("tried 2 times") && said.contains("probably the router of “bob”"), "{said}");
    }
}
