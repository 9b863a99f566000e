//! What happens to a network while people talk.

use std::time::Duration;

use patchbay::{Router, RouterPreset};
use rustix::process::{Pid, Signal, kill_process};

use crate::person::Person;
use crate::site::on_router;
use crate::stage::Stage;
use crate::watch::both_see;

/// Longer than a link lives without a word.
pub const SLEEPS: Duration = Duration::from_secs(10);
const BLOCK_UDP: &str = "table inet noudp { chain forward { type filter hook forward priority -10; policy accept;
    meta l4proto udp drop; }
    }";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    Calm,
    /// Bob's machine gets another address in the same network.
    AddressChanged,
    /// Bob's companion stands still, as on a laptop that sleeps.
    Slept,
    /// Bob takes his machine to another network.
    Switched,
    /// And home again.
    SwitchedBack,
    /// The relay in use is killed.
    RelayKilled,
    /// Bob's router lets no UDP through any more, not even what it let through before.
    UdpBlocked,
    /// And lets it through again.
    UdpLetThrough,
}

impl Trouble {
    pub fn name(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::AddressChanged => "address changed",
            Self::Slept => "slept 10 s",
            Self::Switched => "network switched",
            Self::SwitchedBack => "switched back",
            Self::RelayKilled => "relay killed",
            Self::UdpBlocked => "UDP blocked",
            Self::UdpLetThrough => "UDP let through",
        }
    }

    pub async fn strike(self, stage: &mut Stage, elsewhere: &Router) {
        let eth0 = stage.bob.machine.iface("eth0").expect("it has one");
        match self {
            Self::Calm => {}
            Self::AddressChanged => {
                eth0.renew_ip().await.expect("another address");
                // Linux takes the default route away with the last address.
                stage.bob.machine.set_default_route("eth0").await.expect("a route");
            }
            Self::Slept => stand_still(&stage.bob, SLEEPS).await,
            Self::Switched => eth0.replug(elsewhere.id()).await.expect("another network"),
            Self::SwitchedBack => eth0.replug(stage.routers[1].id()).await.expect("the first network"),
            Self::RelayKilled => lose_a_relay(stage).await,
            Self::UdpBlocked => on_router(&stage.routers[1], &["nft", BLOCK_UDP]).await,
            Self::UdpLetThrough => on_router(&stage.routers[1], &["nft", "delete table inet noudp"]).await,
        }
    }
}

/// Another home, for whoever takes a machine there.
pub async fn elsewhere(network: &patchbay::Lab) -> Router {
    let home = network.add_router("elsewhere").preset(RouterPreset::Home).ip_support(patchbay::IpSupport::V4Only);
    home.build().await.expect("a router")
}

/// Kills the relay that carries them; where none does, the first. Says which.
pub async fn lose_a_relay(stage: &mut Stage) {
    let views = both_see(&stage.alice, &stage.bob).await;
    let addresses = views.map(|(hers, his)| hers.address + &his.address).unwrap_or_default();
    let lost = stage.relays.iter().position(|relay| addresses.contains(&relay.peer)).unwrap_or(0);
    if let Some(relay) = stage.relays.get_mut(lost) {
        relay.kill().await;
    }
}

/// A companion stops, as on a laptop that sleeps.
pub async fn stand_still(person: &Person, time: Duration) {
    let pid = person.pid().and_then(Pid::from_raw).expect("the companion runs");
    kill_process(pid, Signal::STOP).expect("it stands still");
    tokio::time::sleep(time).await;
    kill_process(pid, Signal::CONT).expect("it goes on");
}
