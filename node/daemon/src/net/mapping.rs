//! Ports that the router maps to us by UPnP, asked for anew in every network.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::task::{Context, Poll};

use libp2p::core::{Endpoint, transport::ListenerId, transport::PortUse};
use libp2p::swarm::behaviour::NewListenAddr;
use libp2p::swarm::{ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, ToSwarm, dummy};
use libp2p::{Multiaddr, PeerId, upnp};

/// What the router said last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Router {
    /// It is being looked for, or nobody has looked.
    #[default]
    Unknown,
    /// None that speaks UPnP.
    Silent,
    /// It has no public address itself: there is another NAT behind it.
    Inner,
    Mapped,
}

/// UPnP, or nothing where it is off.
pub struct Mapping {
    enabled: bool,
    inner: Option<upnp::tokio::Behaviour>,
    addresses: BTreeSet<Multiaddr>,
    mapped: BTreeSet<Multiaddr>,
    router: Router,
}

impl Mapping {
    pub fn new(enabled: bool) -> Self {
        Self { enabled, inner: None, addresses: BTreeSet::new(), mapped: BTreeSet::new(), router: Router::Unknown }
    }

    pub fn router(&self) -> Router {
        self.router
    }

    /// Where the router lets others in.
    pub fn mapped(&self) -> impl Iterator<Item = &Multiaddr> {
        self.mapped.iter()
    }

    /// Asks the router for exactly these addresses of this machine. Whenever they change, it may be
    /// another router.
    pub fn ask_for(&mut self, addresses: BTreeSet<Multiaddr>) {
        if !self.enabled || self.addresses == addresses {
            return;
        }
        self.addresses = addresses;
        self.mapped.clear();
        self.router = Router::Unknown;
        let mut inner = upnp::tokio::Behaviour::default();
        let listener_id = ListenerId::next();
        for addr in &self.addresses {
            inner.on_swarm_event(FromSwarm::NewListenAddr(NewListenAddr { listener_id, addr }));
        }
        self.inner = Some(inner);
    }

    fn on_event(&mut self, event: &upnp::Event) {
        tracing::debug!(?event, "about the router");
        match event {
            upnp::Event::NewExternalAddr { external_addr, .. } => {
                self.router = Router::Mapped;
                self.mapped.insert(external_addr.clone());
            }
            upnp::Event::ExpiredExternalAddr { external_addr, .. } => drop(self.mapped.remove(external_addr)),
            upnp::Event::GatewayNotFound => self.router = Router::Silent,
            upnp::Event::NonRoutableGateway => self.router = Router::Inner,
        }
    }
}

/// Something about the router has changed.
#[derive(Debug)]
pub struct Heard;

impl NetworkBehaviour for Mapping {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Heard;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<dummy::ConnectionHandler, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<dummy::ConnectionHandler, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    /// Nothing passes: the inner behaviour would ask for every address that we listen on.
    fn on_swarm_event(&mut self, _: FromSwarm) {}

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: Infallible) {
        match event {}
    }

    /// What the router maps is kept here; the node need not know.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Heard, Infallible>> {
        loop {
            let Some(inner) = &mut self.inner else { return Poll::Pending };
            match inner.poll(cx) {
                Poll::Ready(ToSwarm::GenerateEvent(event)) => {
                    self.on_event(&event);
                    return Poll::Ready(ToSwarm::GenerateEvent(Heard));
                }
                Poll::Ready(_) => {}
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_another_router_mapped_is_forgotten() {
        let mut mapping = Mapping::new(true);
        let (local_addr, external_addr): (Multiaddr, Multiaddr) =
            ("/ip4/192.168.1.2/tcp/1".parse().unwrap(), "/ip4/203.0.113.9/tcp/1".parse().unwrap());
        mapping.ask_for([local_addr.clone()].into());
        mapping.on_event(&upnp::Event::NewExternalAddr { local_addr: local_addr.clone(), external_addr });
        mapping.ask_for([local_addr].into());
        assert_eq!((mapping.mapped().count(), mapping.router()), (1, Router::Mapped));
        mapping.ask_for(["/ip4/10.0.0.2/tcp/1".parse().unwrap()].into());
        assert_eq!((mapping.mapped().count(), mapping.router()), (0, Router::Unknown));
    }

    #[tokio::test]
    async fn nothing_is_asked_where_it_is_off() {
        let mut mapping = Mapping::new(false);
        mapping.ask_for(["/ip4/192.168.1.2/tcp/1".parse().unwrap()].into());
        assert!(mapping.inner.is_none());
    }
}
