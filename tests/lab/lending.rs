//! A home router that lends its ports to whoever asks, by the program that many such routers run.

use std::path::Path;
use std::process::Stdio;

use patchbay::{Firewall, IpSupport, Lab, Router, RouterPreset};
use tokio::process::{Child, Command};

use crate::outcome::Outcome;
use crate::person::Person;
use crate::site::{keep_silent, on_router};

/// What lends the ports (Debian's miniupnpd-nftables).
pub const PROGRAM: &str = "miniupnpd";
/// What a provider gives to its customers. The program lends nothing where the world begins with a number
/// that is set aside for documents or benchmarks, as all others of the laboratory are.
const PROVIDER: &str = "44.128.0.0/24";

/// How a router can be asked for a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// And NAT-PMP, its older form.
    Pcp,
    Upnp,
}

impl Language {
    pub fn name(self) -> &'static str {
        match self {
            Self::Pcp => "PCP",
            Self::Upnp => "UPnP",
        }
    }

    fn settings(self) -> &'static str {
        match self {
            Self::Pcp => "enable_natpmp=yes\nenable_upnp=no\n",
            Self::Upnp => "enable_natpmp=no\nenable_upnp=yes\n",
        }
    }
}

/// The program on its router; it ends with this.
pub struct Lender {
    language: Language,
    _process: Child,
}

/// A router of which ports can be had in this language and in no other. Its port for the world is `wan`.
pub async fn build(language: Language, lab: &Lab, name: &str, folder: &Path) -> (Router, Lender) {
    let provider = lab.add_router(&format!("{name}-isp")).preset(RouterPreset::Public).ip_support(IpSupport::V4Only);
    let provider = provider.downstream_cidr(PROVIDER.parse().expect("a network")).build().await.expect("a provider");
    let home = lab.add_router(name).preset(RouterPreset::Home).ip_support(IpSupport::V4Only);
    let home = home.nat(None).firewall(Firewall::None).upstream(provider.id()).build().await.expect("a router");
    keep_silent(&home).await;
    // One translation that keeps its port, only answers get in, as at any home; but for what was lent.
    let rules = "table inet lent {
        chain miniupnpd { }
        chain prerouting_miniupnpd { }
        chain postrouting_miniupnpd { }
        chain forward { type filter hook forward priority 0; policy accept;
            ct state established,related accept; jump miniupnpd; iifname \"wan\" drop; }
        chain prerouting { type nat hook prerouting priority -100; policy accept; jump prerouting_miniupnpd; }
        chain postrouting { type nat hook postrouting priority 100; policy accept;
            jump postrouting_miniupnpd; oifname \"wan\" masquerade; }
        }";
    on_router(&home, &["nft", rules]).await;
    let process = lend(language, &home, &folder.join(format!("{name}-router")));
    (home, Lender { language, _process: process })
}

fn lend(language: Language, router: &Router, folder: &Path) -> Child {
    let lan = router.interfaces().into_iter().map(|port| port.name().to_owned()).find(|name| name.starts_with("br-"));
    let lan = lan.expect("a bridge");
    std::fs::create_dir_all(folder).expect("a folder");
    let settings = format!(
        "ext_ifname=wan\nlistening_ip={lan}\nipv6_disable=yes\nsecure_mode=yes\nuuid=00000000-0000-0000-0000-000000000001\n\
         upnp_table_name=lent\nupnp_nat_table_name=lent\nallow 1024-65535 0.0.0.0/0 1024-65535\n\
         deny 0-65535 0.0.0.0/0 0-65535\n{}",
        language.settings()
    );
    std::fs::write(folder.join("settings"), settings).expect("its settings");
    let log = std::fs::File::create(folder.join("log")).expect("a log");
    let mut command = Command::new(PROGRAM);
    command.arg("-d").arg("-f").arg(folder.join("settings")).arg("-P").arg(folder.join("pid"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
    router.spawn_command(command).expect("it starts: see tests/README.md")
}

impl Lender {
    /// What the one who borrows is told: that others get in, and by what.
    pub async fn ask(&self, person: &Person, outcome: &mut Outcome) {
        let doctor = person.run(&["doctor"]).await.object();
        let checks = doctor["checks"].as_array().cloned().unwrap_or_default();
        let told = checks.iter().find(|check| check["name"] == "reachability");
        let told = told.and_then(|check| check["detail"].as_str()).unwrap_or("doctor says nothing of it");
        if told.contains(&format!("lets others in by {}.", self.language.name())) {
            outcome.doctor = Some(told.to_owned());
        } else {
            outcome.say(format!("no port was lent: {told}"));
        }
    }
}
