//! A port on 127.0.0.1: the last one, so that open pages find us again; else the first that is free.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpListener;

/// Ports after the wanted one that are tried before any free one is taken.
const NEXT: u16 = 20;

pub async fn bind(last: Option<u16>, wanted: u16) -> io::Result<TcpListener> {
    for port in last.into_iter().chain(wanted..=wanted.saturating_add(NEXT)) {
        match TcpListener::bind(at(port)).await {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            bound => return bound,
        }
    }
    TcpListener::bind(at(0)).await
}

fn at(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_port_comes_first_and_a_taken_one_is_passed_over() {
        let taken = TcpListener::bind(at(0)).await.unwrap();
        let port = taken.local_addr().unwrap().port();
        let next = bind(None, port).await.unwrap();
        assert_ne!(next.local_addr().unwrap().port(), port);
        assert!(next.local_addr().unwrap().ip().is_loopback());
        drop(taken);
        let again = bind(Some(port), 1).await.unwrap();
        assert_eq!(again.local_addr().unwrap().port(), port);
    }
}
