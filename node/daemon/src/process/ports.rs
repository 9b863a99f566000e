//! The ports that were used last. Whoever was told an address finds us there again after both sides
//! were away, also where the local network cannot be searched.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

use crate::home::replace;

/// Longest file that is believed, in bytes.
const MAX_FILE: u64 = 4096;

/// `ip4/udp`, `ip6/tcp` … with the port of each.
pub(super) struct Ports {
    path: PathBuf,
    last: BTreeMap<String, u16>,
}

impl Ports {
    pub fn load(path: PathBuf) -> Self {
        let last = read(&path).unwrap_or_default();
        Self { path, last }
    }

    /// Puts the last port where any would do, if nobody else has it now.
    pub fn fill(&self, listen: Vec<Multiaddr>) -> Vec<Multiaddr> {
        listen.into_iter().map(|address| self.filled(&address).unwrap_or(address)).collect()
    }

    /// Remembers the ports of these addresses for the next start. Our own come first, before those
    /// that a router maps to us; and a circuit's port is its relay's.
    pub fn learn(&mut self, listening: &[String]) {
        let addresses = listening.iter().filter_map(|address| address.parse::<Multiaddr>().ok());
        let ports = addresses.filter_map(|address| parts(&address)).filter(|(_, socket)| socket.port() != 0);
        let mut new = self.last.clone();
        let ports: Vec<(String, u16)> = ports.map(|(kind, socket)| (kind, socket.port())).collect();
        new.extend(ports.into_iter().rev());
        if new == self.last {
            return;
        }
        self.last = new;
        let lines: String = self.last.iter().map(|(kind, port)| format!("{kind} {port}\n")).collect();
        if let Err(error) = replace(&self.path, lines.as_bytes(), false) {
            tracing::debug!(%error, "the ports cannot be remembered");
        }
    }

    fn filled(&self, address: &Multiaddr) -> Option<Multiaddr> {
        let (kind, socket) = parts(address).filter(|(_, socket)| socket.port() == 0)?;
        let port = *self.last.get(&kind)?;
        let socket = SocketAddr::new(socket.ip(), port);
        let free = if is_udp(address) { UdpSocket::bind(socket).is_ok() } else { TcpListener::bind(socket).is_ok() };
        free.then(|| with_port(address, port))
    }
}

fn read(path: &Path) -> Option<BTreeMap<String, u16>> {
    let fits = fs::metadata(path).is_ok_and(|metadata| metadata.len() <= MAX_FILE);
    let text = fits.then(|| fs::read_to_string(path).ok())??;
    text.lines()
        .map(|line| line.split_once(' ').and_then(|(kind, port)| Some((kind.into(), port.parse().ok()?))))
        .collect()
}

fn parts(address: &Multiaddr) -> Option<(String, SocketAddr)> {
    if address.iter().any(|part| part == Protocol::P2pCircuit) {
        return None;
    }
    let mut parts = address.iter();
    let ip: IpAddr = match parts.next()? {
        Protocol::Ip4(ip) => ip.into(),
        Protocol::Ip6(ip) => ip.into(),
        _ => return None,
    };
    let (transport, port) = match parts.next()? {
        Protocol::Udp(port) => ("udp", port),
        Protocol::Tcp(port) => ("tcp", port),
        _ => return None,
    };
    let family = if ip.is_ipv4() { "ip4" } else { "ip6" };
    Some((format!("{family}/{transport}"), SocketAddr::new(ip, port)))
}

fn is_udp(address: &Multiaddr) -> bool {
    address.iter().any(|part| matches!(part, Protocol::Udp(_)))
}

fn with_port(address: &Multiaddr, port: u16) -> Multiaddr {
    let set = |part| match part {
        Protocol::Udp(_) => Protocol::Udp(port),
        Protocol::Tcp(_) => Protocol::Tcp(port),
        other => other,
    };
    address.iter().map(set).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: &str = "/ip4/127.0.0.1/udp/0/quic-v1";

    fn fill(ports: &Ports, address: &str) -> String {
        ports.fill(vec![address.parse().unwrap()])[0].to_string()
    }

    #[test]
    fn neither_a_routers_port_nor_a_relays_is_ours() {
        let folder = tempfile::tempdir().unwrap();
        let mut ports = Ports::load(folder.path().join("ports"));
        let relay = libp2p::PeerId::random();
        ports.learn(&[
            "/ip4/10.0.0.1/udp/1001/quic-v1".into(),
            "/ip4/203.0.113.9/udp/1002/quic-v1".into(),
            format!("/ip4/203.0.113.7/tcp/1003/p2p/{relay}/p2p-circuit"),
        ]);
        assert_eq!(ports.last, BTreeMap::from([("ip4/udp".to_owned(), 1001)]));
    }

    #[test]
    fn the_last_port_is_used_again_if_it_is_free() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ports");
        let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        Ports::load(path.clone()).learn(&[format!("/ip4/127.0.0.1/udp/{port}/quic-v1")]);
        let ports = Ports::load(path);
        assert_eq!(fill(&ports, ANY), ANY);
        drop(taken);
        assert_eq!(fill(&ports, ANY), format!("/ip4/127.0.0.1/udp/{port}/quic-v1"));
        assert_eq!(fill(&ports, "/ip4/127.0.0.1/tcp/0"), "/ip4/127.0.0.1/tcp/0");
        assert_eq!(fill(&ports, "/ip6/::/udp/0/quic-v1"), "/ip6/::/udp/0/quic-v1");
        assert_eq!(fill(&ports, "/ip4/127.0.0.1/udp/9/quic-v1"), "/ip4/127.0.0.1/udp/9/quic-v1");
    }

    #[test]
    fn a_damaged_memory_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ports");
        fs::write(&path, "ip4/udp much\n").unwrap();
        assert_eq!(fill(&Ports::load(path), ANY), ANY);
    }
}
