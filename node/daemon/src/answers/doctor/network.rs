//! What a doctor says of the way out of our own network: who reaches us, and how we stand with each
//! relay.

use std::path::PathBuf;

use pairwave_api::Check;
use pairwave_core::mailbox::LetterCounts;
use pairwave_core::relays::without_token;

use super::{failed, passed};
use crate::net::{NetStatus, Reachability, RelayStatus, next_step};

/// Can others reach us?
pub(super) fn reachability(network: &NetStatus) -> Check {
    let held = network.relays.iter().any(|relay| relay.reserved);
    let nat = network.nat.as_ref().map(|nat| format!(". {nat}")).unwrap_or_default();
    match network.reachability {
        Reachability::Public => passed("reachability", format!("Anybody may reach this machine directly{nat}")),
        Reachability::Private if held => {
            passed("reachability", format!("From outside, this machine is reached through a relay{nat}"))
        }
        Reachability::Private => Check {
            next: beyond(network).to_owned(),
            ..passed("reachability", format!("Only your own network reaches this machine{nat}"))
        },
        Reachability::Unknown if held => {
            passed("reachability", format!("From outside, this machine is reached at least through a relay{nat}"))
        }
        Reachability::Unknown => Check {
            next: beyond(network).to_owned(),
            ..passed("reachability", format!("Nobody outside has tried whether this machine can be reached{nat}"))
        },
    }
}

fn beyond(network: &NetStatus) -> &'static str {
    if network.relays.is_empty() {
        "For people in other networks name a relay with `pairwave relay add MULTIADDR`; where only the joiner can be reached, \
         `pairwave answer LINE` dials it."
    } else {
        "None of the room's relays holds a place for you, so people in other networks cannot call: what is wrong stands \
         with each relay below."
    }
}

/// Files of certificates that were to count for relays, and don't.
pub(super) fn certificates(network: &NetStatus) -> impl Iterator<Item = Check> {
    let next = "Name files that can be read and hold a certificate (PEM), separated by commas, with `pairwave config set \
                network.certificates FILE`, then run `pairwave down`.";
    let told =
        |(file, why): &(PathBuf, String)| failed("certificates", format!("{} {why}", file.display()), next.into());
    network.unusable.iter().map(told)
}

/// How we stand with each relay, and where letters for whoever is away can be left.
pub(super) fn relays(network: &NetStatus) -> Vec<Check> {
    let of_each = |relay| [Some(one_relay(relay, network)), refused_token(relay)];
    let mut checks: Vec<Check> = network.relays.iter().flat_map(of_each).flatten().collect();
    if !checks.is_empty() {
        checks.push(mailbox(network));
    }
    checks
}

/// One of several that is away is no failure as long as another one holds our place.
fn one_relay(relay: &RelayStatus, network: &NetStatus) -> Check {
    let held: Vec<&RelayStatus> = network.relays.iter().filter(|relay| relay.reserved).collect();
    let address = without_token(&relay.address);
    let rtt = relay.rtt_ms.map(|ms| format!(", {ms:.0} ms away")).unwrap_or_default();
    let why = relay.why.as_deref().unwrap_or("no reason is known yet; it is being tried");
    let (detail, next) = match (relay.reserved, relay.connected) {
        (true, _) => return passed("relay", format!("{address} holds a place for you{rtt}")),
        (false, true) if held.len() >= 2 => {
            let is_nearer =
                |other: &&RelayStatus| other.rtt_ms.zip(relay.rtt_ms).is_some_and(|(theirs, its)| theirs <= its);
            let others = if held.iter().all(is_nearer) { "two others that are nearer" } else { "two others" };
            return passed("relay", format!("{address} is connected{rtt}; {others} hold your place"));
        }
        (false, true) => (
            format!("{address} is connected{rtt} but holds no place for you: {why}"),
            "If it is full, ask whoever runs it for a token, and add the address again with `#` and the token.",
        ),
        (false, false) => (format!("{address} is not connected: {why}"), next_step(why).unwrap_or(AWAY)),
    };
    match held.first() {
        Some(holder) => {
            let detail = format!("{detail}. Meanwhile {} holds your place", without_token(&holder.address));
            Check { next: next.to_owned(), ..passed("relay", detail) }
        }
        None => failed("relay", detail, next.to_owned()),
    }
}

const AWAY: &str = "Check that `pairwave relay-node` runs there and that your network lets you out to that port; a relay on TCP 443 \
    gets through most networks.";

/// Whoever named a token counts on it.
fn refused_token(relay: &RelayStatus) -> Option<Check> {
    let why = relay.token_refused.as_deref()?;
    let address = without_token(&relay.address);
    Some(failed(
        "relay token",
        format!("The token for {address} does not count there, so only a stranger's limits apply: {why}"),
        format!(
            "Ask whoever runs it for a token (`pairwave relay-node token new`), and name it with `pairwave relay add {address}#TOKEN`."
        ),
    ))
}

fn mailbox(network: &NetStatus) -> Check {
    match network.relays.iter().filter(|relay| relay.connected).count() {
        0 => failed(
            "mailbox",
            "No relay is connected, so nothing can be left there for whoever is away".to_owned(),
            "What you say waits on this machine meanwhile. See the relays above.".to_owned(),
        ),
        1 => passed("mailbox", "One relay can be asked to keep letters for whoever is away".to_owned()),
        many => passed("mailbox", format!("{many} relays can be asked to keep letters for whoever is away")),
    }
}

/// How the letters of one room fared since the companion started.
pub(super) fn letters(counts: LetterCounts) -> Check {
    let LetterCounts { stored, read, repeated, unreadable, refused } = counts;
    let odd =
        [(repeated, "came more than once"), (unreadable, "could not be read"), (refused, "were taken by no relay")];
    let odd = odd.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!(", {count} {what}"));
    let detail = format!("{stored} left at relays, {read} read{}", odd.collect::<String>());
    if refused > 0 && stored == 0 {
        let next = "What was said waits on this machine and goes over a link. If the relay is full, name another one.";
        return failed("letters", detail, next.to_owned());
    }
    passed("letters", detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pairwave_wire::TransportId;

    fn relay(connected: bool, reserved: bool, why: Option<&str>) -> RelayStatus {
        RelayStatus {
            address: "/ip4/203.0.113.7/tcp/4011/p2p/12D3#prt-planted".into(),
            peer: TransportId::new([7; 38]).unwrap(),
            connected,
            reserved,
            rtt_ms: connected.then_some(12.3),
            why: why.map(str::to_owned),
            token_refused: None,
        }
    }

    fn with(relays: Vec<RelayStatus>) -> NetStatus {
        NetStatus { relays, ..NetStatus::default() }
    }

    #[test]
    fn each_relay_says_how_it_is_why_and_what_to_do() {
        let held = relay(true, true, None);
        let lost = relay(false, false, Some("connection refused"));
        let full = relay(true, false, Some("it has no place left"));
        let is_ok = |checks: &[Check]| checks.iter().map(|check| check.ok).collect::<Vec<_>>();
        assert_eq!(is_ok(&relays(&with(vec![lost.clone(), full.clone()]))), [false, false, true]);
        let checks = relays(&with(vec![held.clone(), lost, full.clone()]));
        assert_eq!(is_ok(&checks), [true; 4], "one that holds a place is enough");
        assert!(checks[1].detail.contains("Meanwhile") && checks[2].detail.contains("holds your place"), "{checks:?}");
        assert!(checks[0].detail.contains("holds a place for you, 12 ms away"), "{checks:?}");
        assert!(checks[1].detail.contains("connection refused") && checks[1].next.contains("443"), "{checks:?}");
        assert!(checks[2].detail.contains("no place left") && checks[2].next.contains("token"), "{checks:?}");
        assert!(!format!("{checks:?}").contains("planted"));
        let spare = |mine| {
            let spare = RelayStatus { rtt_ms: Some(mine), ..full.clone() };
            relays(&with(vec![held.clone(), held.clone(), spare])).remove(2)
        };
        assert!(spare(40.0).ok && spare(40.0).detail.contains("two others that are nearer"), "{:?}", spare(40.0));
        assert!(spare(2.0).ok && spare(2.0).detail.contains("two others hold"), "{:?}", spare(2.0));
        assert!(relays(&NetStatus::default()).is_empty());
    }

    #[test]
    fn a_token_that_does_not_count_is_told_although_the_relay_helps() {
        let wrong = RelayStatus { token_refused: Some("the token is unknown".into()), ..relay(true, true, None) };
        let checks = relays(&with(vec![wrong]));
        assert!(checks[0].ok && !checks[1].ok, "{checks:?}");
        assert!(checks[1].detail.contains("the token is unknown"), "{checks:?}");
        assert!(checks[1].next.contains("relay add /ip4/203.0.113.7/tcp/4011/p2p/12D3#TOKEN"), "{checks:?}");
        assert!(!format!("{checks:?}").contains("planted"));
    }

    #[test]
    fn what_is_wrong_with_a_certificate_has_a_next_step_of_its_own() {
        let why = Some("its certificate is not one that this machine trusts (unknown issuer)");
        let check = &relays(&with(vec![relay(false, false, why)]))[0];
        assert!(!check.ok && check.next.contains("config set network.certificates"), "{check:?}");
        let unusable = vec![("/x/c.pem".into(), "cannot be read: no such file".to_owned())];
        let told: Vec<Check> = certificates(&NetStatus { unusable, ..NetStatus::default() }).collect();
        assert!(!told[0].ok && told[0].detail == "/x/c.pem cannot be read: no such file", "{told:?}");
        assert!(!told[0].next.is_empty());
    }

    #[test]
    fn letters_that_no_relay_takes_are_a_failure() {
        let counts = LetterCounts { stored: 2, read: 1, unreadable: 3, ..LetterCounts::default() };
        let fine = letters(counts);
        assert_eq!((fine.ok, &fine.detail[..]), (true, "2 left at relays, 1 read, 3 could not be read"));
        let refused = letters(LetterCounts { refused: 4, ..LetterCounts::default() });
        assert!(!refused.ok && !refused.next.is_empty(), "{refused:?}");
    }

    #[test]
    fn who_cannot_be_reached_from_outside_is_told_what_helps() {
        let private = |relays| NetStatus {
            reachability: Reachability::Private,
            nat: Some("Your router gives every destination another port".into()),
            relays,
            ..NetStatus::default()
        };
        let alone = reachability(&private(Vec::new()));
        assert!(alone.detail.contains("another port") && alone.next.contains("relay add"), "{alone:?}");
        let helped = reachability(&private(vec![relay(true, true, None)]));
        assert!(helped.detail.contains("through a relay") && helped.next.is_empty(), "{helped:?}");
        let dead = reachability(&private(vec![relay(false, false, Some("connection refused"))]));
        assert!(dead.next.contains("holds a place") && !dead.next.contains("relay add"), "{dead:?}");
        assert!(reachability(&NetStatus::default()).next.contains("answer"));
        let public = NetStatus { reachability: Reachability::Public, ..NetStatus::default() };
        assert!(reachability(&public).next.is_empty());
    }
}
