//! Ports that the router opens for us, asked for anew in every network: by UPnP, and by PCP or NAT-PMP.
//! Some routers know the one, some the other; to be let in twice does no harm.

mod leases;

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use libp2p::core::{Endpoint, transport::ListenerId, transport::PortUse};
use libp2p::swarm::behaviour::NewListenAddr;
use libp2p::swarm::{ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, ToSwarm, dummy};
use libp2p::{Multiaddr, PeerId, upnp};

use crate::net::mapping::leases::{Leases, News};

/// What the router said last, in each language.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Router {
    pub upnp: Word,
    pub lease: Word,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Word {
    /// It is being looked for, or nobody has looked.
    #[default]
    Unknown,
    /// None that speaks this.
    Silent,
    /// It has no public address itself: there is another NAT behind it.
    Inner,
    Refused(String),
    /// It lets others in, by this protocol.
    Open(&'static str),
}

impl Router {
    /// One sentence, once there is something to say.
    pub fn words(&self) -> Option<String> {
        let both = [&self.upnp, &self.lease];
        let open = both.iter().filter_map(|word| if let Word::Open(by) = word { Some(*by) } else { None });
        let open = open.collect::<Vec<_>>().join(" and ");
        let refused = both.iter().find_map(|word| if let Word::Refused(why) = word { Some(why) } else { None });
        if !open.is_empty() {
            Some(format!("Your router lets others in by {open}."))
        } else if both.contains(&&Word::Inner) {
            Some("Your router is behind another NAT.".into())
        } else if let Some(why) = refused {
            Some(format!("Your router was asked to let others in and refused ({why})."))
        } else if both.iter().all(|word| **word == Word::Silent) {
            Some("Your router speaks neither UPnP nor PCP, so it cannot be asked to let others in.".into())
        } else {
            None
        }
    }
}

/// Which languages the router may be asked in.
#[derive(Debug, Clone, Copy)]
pub struct Asking {
    pub upnp: bool,
    pub pcp: bool,
}

pub struct Mapping {
    asking: Asking,
    upnp: Option<upnp::tokio::Behaviour>,
    leases: Option<Leases>,
    addresses: BTreeSet<Multiaddr>,
    asked_at: Option<Instant>,
    /// Where the router lets others in, and by what.
    mapped: BTreeMap<Multiaddr, BTreeSet<&'static str>>,
    router: Router,
}

const UPNP: &str = "UPnP";
/// How long a router may take that answers at all.
const ANSWERS: Duration = Duration::from_secs(10);

impl Mapping {
    pub fn new(asking: Asking) -> Self {
        let (addresses, mapped) = (BTreeSet::new(), BTreeMap::new());
        Self { asking, upnp: None, leases: None, addresses, asked_at: None, mapped, router: Router::default() }
    }

    pub fn router(&self) -> &Router {
        &self.router
    }

    /// Is there something that the router has yet to say? One that lets others in need not say it twice.
    pub fn is_asking(&self) -> bool {
        let Router { upnp, lease } = &self.router;
        let asked = [(self.upnp.is_some(), upnp), (self.leases.is_some(), lease)];
        let is_open = asked.iter().any(|(_, word)| matches!(word, Word::Open(_)));
        // Some say nothing at all.
        let is_new = self.asked_at.is_some_and(|at| at.elapsed() < ANSWERS);
        is_new && !self.addresses.is_empty() && !is_open && asked.contains(&(true, &Word::Unknown))
    }

    /// Where the router lets others in.
    pub fn mapped(&self) -> impl Iterator<Item = &Multiaddr> {
        self.mapped.keys()
    }

    /// Asks the router for exactly these addresses of this machine. Whenever they change, it may be
    /// another router.
    pub fn ask_for(&mut self, addresses: BTreeSet<Multiaddr>) {
        if self.addresses == addresses {
            return;
        }
        self.addresses = addresses;
        self.asked_at = Some(Instant::now());
        self.mapped.clear();
        self.router = Router::default();
        self.upnp = self.asking.upnp.then(|| upnp(&self.addresses));
        self.leases = (self.asking.pcp && !self.addresses.is_empty()).then(|| Leases::ask(&self.addresses));
    }

    /// Gives back what was lent; nothing is asked for any more.
    pub fn end(&mut self) -> impl Future<Output = ()> + use<> {
        let leases = self.leases.take();
        async move {
            if let Some(leases) = leases {
                leases.give_back().await;
            }
        }
    }

    fn on_upnp(&mut self, event: &upnp::Event) {
        tracing::debug!(?event, "about the router");
        match event {
            upnp::Event::NewExternalAddr { external_addr, .. } => {
                self.router.upnp = Word::Open(UPNP);
                self.opened(external_addr.clone(), UPNP);
            }
            upnp::Event::ExpiredExternalAddr { external_addr, .. } => self.closed(external_addr, |by| by == UPNP),
            upnp::Event::GatewayNotFound => self.router.upnp = Word::Silent,
            upnp::Event::NonRoutableGateway => self.router.upnp = Word::Inner,
        }
    }

    fn on_lease(&mut self, news: News) {
        let word = match news {
            News::Lent { outside, by } => {
                self.opened(outside, by);
                Word::Open(by)
            }
            News::Ended { outside } => {
                self.closed(&outside, |by| by != UPNP);
                Word::Unknown
            }
            News::Silent => Word::Silent,
            News::Inner => Word::Inner,
            News::Refused(why) => Word::Refused(why),
        };
        // One port that was lent says more than another that was not.
        let is_lent = self.mapped.values().flatten().any(|by| *by != UPNP);
        if matches!(word, Word::Open(_)) || !is_lent {
            self.router.lease = word;
        }
    }

    fn opened(&mut self, outside: Multiaddr, by: &'static str) {
        self.mapped.entry(outside).or_default().insert(by);
    }

    fn closed(&mut self, outside: &Multiaddr, is_it: impl Fn(&str) -> bool) {
        if let Some(ways) = self.mapped.get_mut(outside) {
            ways.retain(|by| !is_it(by));
        }
        self.mapped.retain(|_, ways| !ways.is_empty());
    }
}

fn upnp(addresses: &BTreeSet<Multiaddr>) -> upnp::tokio::Behaviour {
    let mut upnp = upnp::tokio::Behaviour::default();
    let listener_id = ListenerId::next();
    for addr in addresses {
        upnp.on_swarm_event(FromSwarm::NewListenAddr(NewListenAddr { listener_id, addr }));
    }
    upnp
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
        if let Some(Poll::Ready(news)) = self.leases.as_mut().map(|leases| leases.poll(cx)) {
            self.on_lease(news);
            return Poll::Ready(ToSwarm::GenerateEvent(Heard));
        }
        loop {
            let Some(upnp) = &mut self.upnp else { return Poll::Pending };
            match upnp.poll(cx) {
                Poll::Ready(ToSwarm::GenerateEvent(event)) => {
                    self.on_upnp(&event);
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

    const BY_UPNP: Asking = Asking { upnp: true, pcp: false };

    fn outside() -> Multiaddr {
        "/ip4/203.0.113.9/tcp/1".parse().unwrap()
    }

    fn opened(external_addr: Multiaddr) -> upnp::Event {
        upnp::Event::NewExternalAddr { local_addr: "/ip4/192.168.1.2/tcp/1".parse().unwrap(), external_addr }
    }

    #[tokio::test]
    async fn what_another_router_mapped_is_forgotten() {
        let mut mapping = Mapping::new(BY_UPNP);
        let local: Multiaddr = "/ip4/192.168.1.2/tcp/1".parse().unwrap();
        mapping.ask_for([local.clone()].into());
        mapping.on_upnp(&opened(outside()));
        mapping.ask_for([local].into());
        assert_eq!((mapping.mapped().count(), &mapping.router().upnp), (1, &Word::Open(UPNP)));
        mapping.ask_for(["/ip4/10.0.0.2/tcp/1".parse().unwrap()].into());
        assert_eq!((mapping.mapped().count(), mapping.router()), (0, &Router::default()));
    }

    #[tokio::test]
    async fn nothing_is_asked_where_it_is_off() {
        let mut mapping = Mapping::new(Asking { upnp: false, pcp: false });
        mapping.ask_for(["/ip4/192.168.1.2/tcp/1".parse().unwrap()].into());
        assert!(mapping.upnp.is_none() && mapping.leases.is_none());
    }

    #[tokio::test]
    async fn the_router_is_waited_for_until_it_lets_others_in_or_has_nothing_more_to_say() {
        let mut mapping = Mapping::new(BY_UPNP);
        assert!(!mapping.is_asking(), "nothing was asked so far");
        mapping.ask_for(["/ip4/192.168.1.2/tcp/1".parse().unwrap()].into());
        assert!(mapping.is_asking());
        mapping.on_upnp(&opened(outside()));
        assert!(!mapping.is_asking());
        mapping.ask_for(["/ip4/192.168.1.3/tcp/1".parse().unwrap()].into());
        assert!(mapping.is_asking(), "it may be another router");
        mapping.on_upnp(&upnp::Event::GatewayNotFound);
        assert!(!mapping.is_asking());
    }

    #[test]
    fn what_is_open_twice_stays_open_when_one_way_ends() {
        let mut mapping = Mapping::new(BY_UPNP);
        mapping.on_upnp(&opened(outside()));
        mapping.on_lease(News::Lent { outside: outside(), by: "PCP" });
        assert_eq!(mapping.router().words().unwrap(), "Your router lets others in by UPnP and PCP.");
        mapping.on_lease(News::Ended { outside: outside() });
        assert_eq!(mapping.mapped().count(), 1);
        let local_addr = outside();
        mapping.on_upnp(&upnp::Event::ExpiredExternalAddr { local_addr, external_addr: outside() });
        assert_eq!(mapping.mapped().count(), 0);
    }

    #[test]
    fn a_router_is_called_silent_when_it_was_asked_in_every_language() {
        let mut router = Router { upnp: Word::Silent, lease: Word::Unknown };
        assert_eq!(router.words(), None);
        router.lease = Word::Silent;
        assert!(router.words().unwrap().contains("neither UPnP nor PCP"));
        router.lease = Word::Refused("PCP: not authorized".into());
        assert!(router.words().unwrap().contains("PCP: not authorized"));
        router.upnp = Word::Inner;
        assert!(router.words().unwrap().contains("behind another NAT"));
    }
}
