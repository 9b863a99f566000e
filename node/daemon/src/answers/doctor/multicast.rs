//! Does multicast work here? Sends to the group that companions are found by, and listens for it.

use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::timeout;

/// The group of mDNS (RFC 6762 §3). The port is our own, so that no responder is disturbed.
const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);

const HEAR_WITHIN: Duration = Duration::from_millis(500);

/// Those of the interfaces on which we hear ourselves, or why there is none. It says nothing of the
/// network behind them, which may keep its devices apart.
pub async fn probe(interfaces: &[(String, IpAddr)]) -> Result<Vec<String>, String> {
    let mut heard = Vec::new();
    let mut deaf = Vec::new();
    for (name, address) in interfaces {
        let IpAddr::V4(address) = address else { continue };
        match hear_ourselves(*address).await {
            Ok(()) => heard.push(name.clone()),
            Err(why) => deaf.push(format!("{name} ({why})")),
        }
    }
    match (heard.is_empty(), deaf.is_empty()) {
        (false, _) => Ok(heard),
        (true, true) => Err("no interface that is used has an IPv4 address".to_owned()),
        (true, false) => Err(format!("no interface carries multicast: {}", deaf.join(", "))),
    }
}

async fn hear_ourselves(interface: Ipv4Addr) -> Result<(), String> {
    let listening = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await.map_err(|error| error.to_string())?;
    listening.join_multicast_v4(GROUP, interface).map_err(|error| error.to_string())?;
    let port = listening.local_addr().map_err(|error| error.to_string())?.port();
    // Sent from an address of the interface, a datagram to a group leaves through that interface.
    let speaking = UdpSocket::bind((interface, 0)).await.map_err(|error| error.to_string())?;
    let word = speaking.local_addr().map_err(|error| error.to_string())?.to_string();
    speaking.send_to(word.as_bytes(), SocketAddrV4::new(GROUP, port)).await.map_err(|error| error.to_string())?;
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
