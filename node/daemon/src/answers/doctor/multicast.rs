//! Does multicast work here? Sends to the group that companions are found by, and listens for it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::timeout;

/// The groups of mDNS (RFC 6762 §3). The port is our own, so that no responder is disturbed.
const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb);

const HEAR_WITHIN: Duration = Duration::from_millis(500);

/// Those of the interfaces on which we hear ourselves, or why there is none. It says nothing of the
/// network behind them, which may keep its devices apart.
pub async fn probe(interfaces: &[(String, IpAddr)]) -> Result<Vec<String>, String> {
    let mut heard = Vec::new();
    let mut deaf = Vec::new();
    for (name, address) in tried(interfaces) {
        match hear_ourselves(*address).await {
            Ok(()) => heard.push(name.clone()),
            Err(why) => deaf.push(format!("{name} ({why})")),
        }
    }
    match (heard.is_empty(), deaf.is_empty()) {
        (false, _) => Ok(heard),
        (true, true) => Err("no interface that is used has an address".to_owned()),
        (true, false) => Err(format!("no interface carries multicast: {}", deaf.join(", "))),
    }
}

/// Every IPv4 address, and one of IPv6 where an interface has no other.
fn tried(interfaces: &[(String, IpAddr)]) -> Vec<&(String, IpAddr)> {
    let (mut tried, v6): (Vec<_>, Vec<_>) = interfaces.iter().partition(|(_, address)| address.is_ipv4());
    for other in v6 {
        if tried.iter().all(|(name, _)| *name != other.0) {
            tried.push(other);
        }
    }
    tried
}

async fn hear_ourselves(interface: IpAddr) -> Result<(), String> {
    let (anywhere, group): (IpAddr, IpAddr) = match interface {
        IpAddr::V4(_) => (Ipv4Addr::UNSPECIFIED.into(), GROUP.into()),
        IpAddr::V6(_) => (Ipv6Addr::UNSPECIFIED.into(), GROUP_V6.into()),
    };
    let listening = UdpSocket::bind((anywhere, 0)).await.map_err(|error| error.to_string())?;
    let joined = match interface {
        IpAddr::V4(interface) => listening.join_multicast_v4(GROUP, interface),
        // Discovery leaves the choice of the interface to the system as well.
        IpAddr::V6(_) => listening.join_multicast_v6(&GROUP_V6, 0),
    };
    joined.map_err(|error| error.to_string())?;
    let port = listening.local_addr().map_err(|error| error.to_string())?.port();
    // Sent from an address of the interface, a datagram to a group leaves through that interface.
    let speaking = UdpSocket::bind((interface, 0)).await.map_err(|error| error.to_string())?;
    let word = speaking.local_addr().map_err(|error| error.to_string())?.to_string();
    speaking.send_to(word.as_bytes(), (group, port)).await.map_err(|error| error.to_string())?;
    let mut buffer = [0; 64];
    let hear = async {
        loop {
            match listening.recv_from(&mut buffer).await {
                Ok((length, _)) if buffer[..length] == *word.as_bytes() => return Ok(()),
                Ok(_) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
    };
    timeout(HEAR_WITHIN, hear).await.unwrap_or_else(|_| Err("nothing is heard".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv6_is_tried_where_there_is_nothing_else() {
        let interface = |name: &str, address: &str| (name.to_owned(), address.parse::<IpAddr>().unwrap());
        let all = [
            interface("wlan0", "192.168.1.20"),
            interface("wlan0", "fd00::20"),
            interface("eth0", "fd00:1::7"),
            interface("eth0", "fd00:1::8"),
        ];
        assert_eq!(tried(&all), [&all[0], &all[2]]);
    }
}
