//! Ports that the router lends us by PCP or, where that is too new for it, NAT-PMP (RFC 6887, RFC 6886):
//! one lease for each, renewed before it ends and given back when it is not needed any more.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU16;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crab_nat::{InternetProtocol, MappingFailure, PortMapping, PortMappingOptions, PortMappingType, natpmp, pcp};
use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

use crate::net::address;
use crate::net::paths::source_towards;
use crate::net::reachability::is_global;

/// How long a port is asked for. The router may lend it for less.
const LEASE: u32 = 2 * 60 * 60;
/// Pause before a router that lent nothing is asked again.
const AGAIN: Duration = Duration::from_secs(15 * 60);
/// A lease that ends sooner is not renewed any more, but asked for anew.
const LEAST: Duration = Duration::from_millis(500);

/// What became of a lease.
#[derive(Debug, PartialEq, Eq)]
pub enum News {
    /// Others get in there, by the protocol of that name.
    Lent {
        outside: Multiaddr,
        by: &'static str,
    },
    Ended {
        outside: Multiaddr,
    },
    /// Nobody answers, or there is no router.
    Silent,
    /// The router has no public address itself.
    Inner,
    Refused(String),
}

/// The leases of one network. Dropped, they are given back if the router can still be told.
pub struct Leases {
    news: mpsc::UnboundedReceiver<News>,
    _wanted: watch::Sender<()>,
}

impl Leases {
    /// Asks the default router for these addresses of this machine.
    pub fn ask(addresses: &BTreeSet<Multiaddr>) -> Self {
        let addresses = addresses.clone();
        Self::begin(addresses, async { tokio::task::spawn_blocking(default_router).await.ok().flatten() })
    }

    /// What is new; never ready any more once all leases are over.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<News> {
        match self.news.poll_recv(cx) {
            Poll::Ready(Some(news)) => Poll::Ready(news),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }

    /// Gives all of them back, and waits until the router has been told.
    pub async fn give_back(self) {
        let Self { mut news, _wanted: wanted } = self;
        drop(wanted);
        while news.recv().await.is_some() {}
    }

    fn begin(addresses: BTreeSet<Multiaddr>, router: impl Future<Output = Option<Ipv4Addr>> + Send + 'static) -> Self {
        let (tell, news) = mpsc::unbounded_channel();
        let (wanted, is_wanted) = watch::channel(());
        tokio::spawn(async move {
            let Some(router) = router.await else { return drop(tell.send(News::Silent)) };
            let Some(client) = source_towards(router.into()) else { return drop(tell.send(News::Silent)) };
            for inside in addresses.into_iter().filter(|inside| address::ip(inside) == Some(client)) {
                let lease = Lease { router, client, inside, tell: tell.clone(), is_wanted: is_wanted.clone() };
                tokio::spawn(lease.keep());
            }
        });
        Self { news, _wanted: wanted }
    }
}

/// The router that everything goes to that is not near, if it has a private address: nobody else
/// lends ports.
fn default_router() -> Option<Ipv4Addr> {
    let router = netdev::get_default_gateway().ok()?;
    router.ipv4.into_iter().find(Ipv4Addr::is_private)
}

/// One port.
struct Lease {
    router: Ipv4Addr,
    client: IpAddr,
    inside: Multiaddr,
    tell: mpsc::UnboundedSender<News>,
    is_wanted: watch::Receiver<()>,
}

impl Lease {
    async fn keep(mut self) {
        let Some((protocol, port)) = port(&self.inside) else { return };
        loop {
            let options = PortMappingOptions {
                external_port: Some(port),
                lifetime_seconds: Some(LEASE),
                ..PortMappingOptions::default()
            };
            let asked = PortMapping::new(self.router.into(), self.client, protocol, port, options);
            let lent = tokio::select! {
                lent = asked => lent,
                _ = self.is_wanted.changed() => return,
            };
            let is_over = match lent {
                Ok(mapping) => self.hold(mapping).await,
                Err(why) => self.tell(refusal(&why)),
            };
            if is_over || self.is_given_up(AGAIN).await {
                return;
            }
        }
    }

    /// Until the lease has ended. `true` if nobody wants another.
    async fn hold(&mut self, mut mapping: PortMapping) -> bool {
        let mut told = None;
        loop {
            let outside = match self.outside(&mapping).await {
                Ok(outside) => Some(outside),
                Err(news) => {
                    self.tell(news);
                    None
                }
            };
            if told != outside {
                self.withdraw(told);
                let by = if matches!(mapping.mapping_type(), PortMappingType::NatPmp) { "NAT-PMP" } else { "PCP" };
                if let Some(outside) = &outside {
                    self.tell(News::Lent { outside: outside.clone(), by });
                }
                told = outside;
            }
            // Of no use to anybody.
            if told.is_none() {
                let _ = mapping.try_drop().await;
                return false;
            }
            if !self.renew(&mut mapping).await {
                self.withdraw(told);
                return false;
            }
            if self.is_over() {
                let _ = mapping.try_drop().await;
                return true;
            }
        }
    }

    /// Half of what is left is waited each time, so a router that is away for a while may come back.
    /// `false` once the lease has ended.
    async fn renew(&mut self, mapping: &mut PortMapping) -> bool {
        loop {
            let left = mapping.expiration().saturating_duration_since(Instant::now());
            if left < LEAST {
                return false;
            }
            if self.is_given_up(left / 2).await {
                return true;
            }
            match mapping.renew().await {
                Ok(()) => return true,
                Err(why) => tracing::debug!(%why, address = %self.inside, "the router does not renew a lease"),
            }
        }
    }

    /// Where others get in.
    async fn outside(&self, mapping: &PortMapping) -> Result<Multiaddr, News> {
        let ip = match mapping.mapping_type() {
            PortMappingType::Pcp { external_ip, .. } => external_ip.to_canonical(),
            PortMappingType::NatPmp => {
                let asked = natpmp::external_address(self.router.into(), None).await;
                asked.map(IpAddr::V4).map_err(|why| refusal(&why.into()))?
            }
        };
        let outside = at(&self.inside, ip, mapping.external_port().get());
        // What is told is dialled by others, so it is nothing in their own networks.
        let is_outside = is_global(&outside) && !ip.is_unspecified() && !ip.is_multicast();
        if is_outside { Ok(outside) } else { Err(News::Inner) }
    }

    fn withdraw(&self, told: Option<Multiaddr>) {
        if let Some(outside) = told {
            self.tell(News::Ended { outside });
        }
    }

    /// `true` if nobody listens any more.
    fn tell(&self, news: News) -> bool {
        tracing::debug!(?news, address = %self.inside, "about a lease");
        self.tell.send(news).is_err()
    }

    fn is_over(&self) -> bool {
        self.is_wanted.has_changed().is_err()
    }

    /// Waits; `true` at once when nobody wants the lease any more.
    async fn is_given_up(&mut self, pause: Duration) -> bool {
        tokio::select! {
            _ = self.is_wanted.changed() => true,
            () = sleep(pause) => false,
        }
    }
}

fn port(address: &Multiaddr) -> Option<(InternetProtocol, NonZeroU16)> {
    match address.iter().nth(1)? {
        Protocol::Udp(port) => Some((InternetProtocol::Udp, NonZeroU16::new(port)?)),
        Protocol::Tcp(port) => Some((InternetProtocol::Tcp, NonZeroU16::new(port)?)),
        _ => None,
    }
}

/// The same way to another host and port.
fn at(address: &Multiaddr, ip: IpAddr, port: u16) -> Multiaddr {
    let host = std::iter::once(Protocol::from(ip));
    let rest = address.iter().skip(1).map(|part| match part {
        Protocol::Udp(_) => Protocol::Udp(port),
        Protocol::Tcp(_) => Protocol::Tcp(port),
        other => other,
    });
    host.chain(rest).collect()
}

/// A router that knows nothing of this refuses the packet itself.
fn refusal(why: &MappingFailure) -> News {
    match why {
        MappingFailure::Pcp(pcp::Failure::Timeout | pcp::Failure::Socket(_))
        | MappingFailure::NatPmp(natpmp::Failure::Timeout | natpmp::Failure::Socket(_)) => News::Silent,
        MappingFailure::Pcp(why) => News::Refused(format!("PCP: {why}")),
        MappingFailure::NatPmp(why) => News::Refused(format!("NAT-PMP: {why}")),
    }
}

#[cfg(test)]
mod tests;
