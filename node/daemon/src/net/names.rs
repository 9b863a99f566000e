//! Dialling by name: the system resolves it, each time anew, since the servers that it asks change
//! with the network that the machine is in.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use libp2p::Multiaddr;
use libp2p::core::Transport;
use libp2p::core::transport::{DialOpts, ListenerId, TransportError, TransportEvent};
use libp2p::multiaddr::Protocol;

use crate::net::address;

/// Most addresses of one name that are tried.
const TRIED: usize = 4;

/// A transport that also takes `/dns/…`, `/dns4/…` and `/dns6/…`.
pub struct Names<T> {
    inner: Arc<Mutex<T>>,
    takes: fn(&Multiaddr) -> bool,
}

impl<T> Names<T> {
    /// `takes` says which addresses the transport can dial once their name is resolved.
    pub fn new(inner: T, takes: fn(&Multiaddr) -> bool) -> Self {
        Self { inner: Arc::new(Mutex::new(inner)), takes }
    }
}

impl<T> Transport for Names<T>
where
    T: Transport<Error = io::Error> + Send + Unpin + 'static,
    T::Output: Send,
    T::Dial: Send,
{
    type Output = T::Output;
    type Error = io::Error;
    type ListenerUpgrade = T::ListenerUpgrade;
    type Dial = BoxFuture<'static, io::Result<T::Output>>;

    fn listen_on(&mut self, id: ListenerId, address: Multiaddr) -> Result<(), TransportError<io::Error>> {
        locked(&self.inner).listen_on(id, address)
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        locked(&self.inner).remove_listener(id)
    }

    fn dial(&mut self, address: Multiaddr, options: DialOpts) -> Result<Self::Dial, TransportError<io::Error>> {
        if name(&address).is_none() {
            return Ok(Box::pin(locked(&self.inner).dial(address, options)?));
        }
        if !(self.takes)(&address::without_peer(address.clone())) {
            return Err(TransportError::MultiaddrNotSupported(address));
        }
        let inner = Arc::clone(&self.inner);
        Ok(Box::pin(async move {
            let mut failure = io::Error::new(io::ErrorKind::NotFound, "this name has no such address");
            for ip in resolve(&address).await?.into_iter().take(TRIED) {
                let dial = locked(&inner).dial(at(&address, ip), options);
                match dial {
                    Ok(dial) => match dial.await {
                        Ok(output) => return Ok(output),
                        Err(error) => failure = error,
                    },
                    Err(TransportError::Other(error)) => failure = error,
                    Err(TransportError::MultiaddrNotSupported(_)) => {}
                }
            }
            Err(failure)
        }))
    }

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<TransportEvent<Self::ListenerUpgrade, io::Error>> {
        Pin::new(&mut *locked(&self.inner)).poll(cx)
    }
}

fn locked<T>(inner: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The name that an address begins with.
pub fn name(address: &Multiaddr) -> Option<String> {
    match address.iter().next()? {
        Protocol::Dns(name) | Protocol::Dns4(name) | Protocol::Dns6(name) => Some(name.into_owned()),
        _ => None,
    }
}

async fn resolve(address: &Multiaddr) -> io::Result<Vec<IpAddr>> {
    let name = name(address).unwrap_or_default();
    let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
    let fits = |ip: &IpAddr| match address.iter().next() {
        Some(Protocol::Dns4(_)) => ip.is_ipv4(),
        Some(Protocol::Dns6(_)) => ip.is_ipv6(),
        _ => true,
    };
    Ok(found.map(|socket| socket.ip()).filter(fits).collect())
}

fn at(address: &Multiaddr, ip: IpAddr) -> Multiaddr {
    std::iter::once(Protocol::from(ip)).chain(address.iter().skip(1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_is_looked_up_for_the_family_that_is_meant() {
        let address: Multiaddr = "/dns4/localhost/tcp/1".parse().unwrap();
        assert_eq!(name(&address).as_deref(), Some("localhost"));
        let found = resolve(&address).await.unwrap();
        assert!(!found.is_empty() && found.iter().all(IpAddr::is_ipv4), "{found:?}");
        assert_eq!(at(&address, found[0]).to_string(), "/ip4/127.0.0.1/tcp/1");
    }

    #[test]
    fn an_ip_is_no_name() {
        assert_eq!(name(&"/ip4/127.0.0.1/tcp/1".parse().unwrap()), None);
    }
}
