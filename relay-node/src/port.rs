//! Whether somebody else listens at a TCP port already. libp2p shares its ports (`SO_REUSEPORT`),
//! so that two relays at one port would each get some of the connections and notice nothing.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener};

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

use crate::addresses;
use crate::error::RelayError;

/// Says so if the port of this address is taken. Everything else is for the listener to find out.
pub fn check_free(text: &str, address: &Multiaddr) -> Result<(), RelayError> {
    let port = address.iter().find_map(|part| if let Protocol::Tcp(port) = part { Some(port) } else { None });
    let Some((ip, port)) = addresses::ip(address).zip(port.filter(|port| *port != 0)) else { return Ok(()) };
    // A probe of all of IPv6 would be one of IPv4 too.
    let ip = if ip == Ipv6Addr::UNSPECIFIED { IpAddr::V6(Ipv6Addr::LOCALHOST) } else { ip };
    match TcpListener::bind(SocketAddr::new(ip, port)) {
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
