//! Two people, their sites and their relays, in a network of their own.

use std::path::Path;

use patchbay::{Device, Router, RouterPreset};

use crate::agreement;
use crate::lending::{self, Lender};
use crate::person::Person;
use crate::plan::{Plan, Twist};
use crate::portal::{self, Portal};
use crate::proxy;
use crate::relay::Relay;
use crate::site::{self, on_router};

/// The smallest packets that IPv6 promises; tunnels and some providers carry no larger ones.
const SMALL: u32 = 1280;

/// People end before relays, and the network ends last.
pub struct Stage {
    pub alice: Person,
    pub bob: Person,
    pub relays: Vec<Relay>,
    pub routers: [Router; 2],
    pub portal: Option<Portal>,
    pub lender: Option<Lender>,
    pub network: patchbay::Lab,
}

impl Stage {
    pub async fn build(plan: Plan, folder: &Path) -> Self {
        let network = patchbay::Lab::new().await.expect("network namespaces: see tests/README.md");
        let (first, lender) = match plan.twist {
            Twist::Lends(language) => {
                let (router, lender) = lending::build(language, &network, "first", folder).await;
                (router, Some(lender))
            }
            twist => (twist.router(&network, "first", plan.first).await, None),
        };
        let second = match plan.twist {
            Twist::SameRouter | Twist::Isolated => first.clone(),
            _ => plan.twist.router(&network, "second", plan.second).await,
        };
        let alice = person(machine(&network, "alice", &first, plan.twist).await, "alice", folder);
        let mut bob = person(machine(&network, "bob", &second, plan.twist).await, "bob", folder);
        let mut portal = None;
        match plan.twist {
            Twist::Isolated => isolate(&first).await,
            Twist::CaptivePortal => portal = Some(portal::close(&second).await),
            Twist::OnlyAProxy => bob.environment.push(("HTTPS_PROXY".into(), proxy::build(&second).await)),
            _ => {}
        }
        let mut relays = Vec::new();
        if plan.relays.number() > 0 {
            let hoster = network.add_router("hoster").preset(RouterPreset::Public).build().await.expect("a router");
            for number in 1..=plan.relays.number() {
                let name = format!("relay{number}");
                let host = network.add_device(&name).iface("eth0", hoster.id()).build().await.expect("a machine");
                relays.push(Relay::start(Person::new(&name, host, folder), plan.twist.relay_listens_also()).await);
            }
        }
        Self { alice, bob, relays, routers: [first, second], portal, lender, network }
    }

    /// Alice opens a room at her relays; gives its invite.
    pub async fn open(&self, plan: Plan) -> String {
        if plan.twist == Twist::ListensOn443 {
            let listen = "/ip4/0.0.0.0/udp/0/quic-v1,/ip4/0.0.0.0/tcp/443";
            self.alice.ask(&["config", "set", "network.listen", listen]).await;
        }
        let with_v6 = [plan.first, plan.second].iter().any(|site| !site.facts().v4);
        let relays: Vec<String> = self.relays.iter().flat_map(|relay| relay.named(with_v6)).collect();
        let mut words = vec!["init", "--name", "alice", "--title", "lab", "--no-wire"];
        words.extend(relays.iter().flat_map(|relay| ["--relay", relay]));
        let opened = self.alice.ask(&words).await;
        opened["invite"].as_str().expect("an invite").to_owned()
    }
}

impl Twist {
    /// Where a relay can be reached besides the usual: a portal answers there.
    fn relay_listens_also(self) -> &'static [&'static str] {
        if self == Self::CaptivePortal { &["/ip4/0.0.0.0/tcp/80/ws"] } else { &[] }
    }

    async fn router(self, network: &patchbay::Lab, name: &str, site: site::Site) -> Router {
        match self {
            Self::Chatty => chatty(network, name).await,
            Self::SmallPackets => {
                let home = network.add_router(name).preset(RouterPreset::Home).ip_support(patchbay::IpSupport::V4Only);
                home.mtu(SMALL).build().await.expect("a router")
            }
            _ => site.build(network, name).await,
        }
    }
}

/// `PAIRWAVE_LOG` says what their companions log, as anywhere.
fn person(machine: Device, name: &str, folder: &Path) -> Person {
    let mut person = Person::new(name, machine, folder);
    agreement::unrated(&mut person);
    person.environment.extend(std::env::var("PAIRWAVE_LOG").ok().map(|filter| ("PAIRWAVE_LOG".to_owned(), filter)));
    person
}

async fn machine(network: &patchbay::Lab, name: &str, router: &Router, twist: Twist) -> Device {
    let machine = network.add_device(name).iface("eth0", router.id());
    let machine = if twist == Twist::SmallPackets { machine.mtu(SMALL) } else { machine };
    machine.build().await.expect("a machine")
}

/// A home router that answers what it did not ask for.
async fn chatty(network: &patchbay::Lab, name: &str) -> Router {
    let home = network.add_router(name).preset(RouterPreset::Home).ip_support(patchbay::IpSupport::V4Only);
    let home = home.nat(None).firewall(patchbay::Firewall::None).build().await.expect("a router");
    let rules = "table ip nat { chain postrouting { type nat hook postrouting priority 100; policy accept;
        oifname \"ix\" masquerade; }
        }";
    on_router(&home, &["nft", rules]).await;
    home
}

/// The machines of one wifi reach its router, but not each other.
async fn isolate(router: &Router) {
    let script = "ip -o link show type bridge_slave | cut -d: -f2 | cut -d@ -f1 |
        while read port; do bridge link set dev $port isolated on; done";
    on_router(router, &["sh", "-ec", script]).await;
}
