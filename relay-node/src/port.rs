//! Whether somebody else listens at a port already. libp2p shares its TCP ports (`SO_REUSEPORT`), so
//! that two relays at one port would each get some of the connections and notice nothing; and of a
//! UDP port it does not tell why it cannot have it.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

use crate::addresses;
use crate::error::RelayError;

/// Says so if the port of this address is taken. Everything else is for the listener to find out.
pub fn check_free(text: &str, address: &Multiaddr) -> Result<(), RelayError> {
    let port = address.iter().find_map(|part| match part {
        Protocol::Tcp(port) => Some((port, false)),
        Protocol::Udp(port) => Some((port, true)),
        _ => None,
    });
    let port = port.filter(|(port, _)| *port != 0);
    let Some((ip, (port, is_udp))) = addresses::ip(address).zip(port) else { return Ok(()) };
    // A probe of all of IPv6 would be one of IPv4 too.
    let ip = if ip == Ipv6Addr::UNSPECIFIED { IpAddr::V6(Ipv6Addr::LOCALHOST) } else { ip };
    let at = SocketAddr::new(ip, port);
    let probed = if is_udp { UdpSocket::bind(at).map(drop) } else { TcpListener::bind(at).map(drop) };
    match probed {
        Err(error) if error.kind() == ErrorKind::AddrInUse => Err(RelayError::Taken { address: text.into() }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_noticed() {
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let check = |port: u16| {
            let text = format!("/ip4/127.0.0.1/tcp/{port}/ws");
            check_free(&text, &text.parse().unwrap())
        };
        let port = other.local_addr().unwrap().port();
        assert!(matches!(check(port), Err(RelayError::Taken { .. })));
        assert!(check(0).is_ok());
        drop(other);
        assert!(check(port).is_ok());
    }
}
