//! TCP, through the proxy where there is one.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use libp2p::Multiaddr;
use libp2p::core::Transport;
use libp2p::core::transport::{DialOpts, ListenerId, TransportError, TransportEvent};
use libp2p::multiaddr::Protocol;
use libp2p::tcp::tokio::TcpStream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::Proxy;
use crate::net::address;

/// How long the proxy may take to let us through.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest answer of a proxy, in bytes.
const ANSWER: usize = 8 * 1024;

/// A TCP transport that dials through a proxy what the proxy serves.
pub struct Proxied<T> {
    inner: T,
    proxy: Option<Arc<Proxy>>,
}

impl<T> Proxied<T> {
    pub fn new(inner: T, proxy: Option<Proxy>) -> Self {
        Self { inner, proxy: proxy.map(Arc::new) }
    }

    /// Host and port, if they are reached through the proxy.
    fn beyond(&self, address: &Multiaddr) -> Option<(Arc<Proxy>, String, u16)> {
        let proxy = self.proxy.clone()?;
        let direct = address::without_peer(address.clone());
        if !address::is_plain_tcp(&direct) {
            return None;
        }
        let mut parts = direct.iter();
        let host = match parts.next()? {
            Protocol::Ip4(ip) => ip.to_string(),
            Protocol::Ip6(ip) => ip.to_string(),
            Protocol::Dns(name) | Protocol::Dns4(name) | Protocol::Dns6(name) => name.into_owned(),
            _ => return None,
        };
        let Protocol::Tcp(port) = parts.next()? else { return None };
        proxy.serves(&host).then_some((proxy, host, port))
    }
}

impl<T> Transport for Proxied<T>
where
    T: Transport<Output = TcpStream, Error = io::Error> + Unpin,
    T::Dial: Send + 'static,
{
    type Output = TcpStream;
    type Error = io::Error;
    type ListenerUpgrade = T::ListenerUpgrade;
    type Dial = BoxFuture<'static, io::Result<TcpStream>>;

    fn listen_on(&mut self, id: ListenerId, address: Multiaddr) -> Result<(), TransportError<io::Error>> {
        self.inner.listen_on(id, address)
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        self.inner.remove_listener(id)
    }

    fn dial(&mut self, address: Multiaddr, options: DialOpts) -> Result<Self::Dial, TransportError<io::Error>> {
        // Who answers a punch must come from where the other side looks.
        match self.beyond(&address).filter(|_| options.role.is_dialer()) {
            None => Ok(Box::pin(self.inner.dial(address, options)?)),
            Some((proxy, host, port)) => Ok(Box::pin(async move {
                let slow = |_| io::Error::new(io::ErrorKind::TimedOut, "the proxy does not answer");
                timeout(PATIENCE, connect(&proxy, &host, port)).await.map_err(slow)?
            })),
        }
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<TransportEvent<Self::ListenerUpgrade, io::Error>> {
        Pin::new(&mut self.inner).poll(cx)
    }
}

async fn connect(proxy: &Proxy, host: &str, port: u16) -> io::Result<TcpStream> {
    let mut stream = tokio::net::TcpStream::connect((proxy.host.as_str(), proxy.port)).await?;
    stream.set_nodelay(true)?;
    let place = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let mut request = format!("CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n");
    if let Some(login) = &proxy.login {
        request.push_str(&format!("Proxy-Authorization: Basic {}\r\n", login.as_str()));
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).await?;
    let answer = answer(&mut stream).await?;
    match status(&answer) {
        Some(200..=299) => Ok(TcpStream(stream)),
        Some(407) => Err(io::Error::other("the proxy wants another login")),
        Some(code) => Err(io::Error::other(format!("the proxy refuses with {code}"))),
        None => Err(io::Error::other("the proxy does not speak HTTP")),
    }
}

/// The head of the answer, and not a byte more: what follows is the other side's.
async fn answer(stream: &mut tokio::net::TcpStream) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= ANSWER {
            return Err(io::Error::other("the answer of the proxy is too long"));
        }
        head.push(stream.read_u8().await?);
    }
    Ok(head)
}

fn status(head: &[u8]) -> Option<u16> {
    let line = head.split(|byte| *byte == b'\r').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    words.next().filter(|version| version.starts_with("HTTP/1."))?;
    words.next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_says_whether_we_are_let_through() {
        assert_eq!(status(b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n"), Some(200));
        assert_eq!(status(b"HTTP/1.0 407 Login\r\n\r\n"), Some(407));
        assert_eq!(status(b"SSH-2.0-x\r\n\r\n"), None);
        assert_eq!(status(b""), None);
    }
}
