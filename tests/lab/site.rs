//! Where somebody sits: what their router translates, what it lets through, and how it is built.

use std::fmt;

use patchbay::{Firewall, FirewallConfig, IpSupport, Lab, PortPolicy, Router, RouterPreset};

/// A kind of place with an uplink of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Site {
    Public,
    Home,
    Cgnat,
    Corporate,
    Hotel,
    Cloud,
    Symmetric,
    Ipv6Only,
    UdpBlocked,
}

pub const SITES: [Site; 9] = [
    Site::Public,
    Site::Home,
    Site::Cgnat,
    Site::Corporate,
    Site::Hotel,
    Site::Cloud,
    Site::Symmetric,
    Site::Ipv6Only,
    Site::UdpBlocked,
];

/// How a router picks the port that the world sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mapping {
    /// There is no translation.
    None,
    /// The same port towards everybody ("cone").
    Same,
    /// Another port towards each destination ("symmetric").
    Each,
}

/// What theory needs to know of a site.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    pub v4: bool,
    pub v6: bool,
    /// Strangers get in.
    pub open: bool,
    pub mapping: Mapping,
    /// UDP gets out.
    pub udp: bool,
    /// TCP gets out to any port, not only to 80 and 443.
    pub tcp: bool,
}

impl Site {
    pub fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Home => "home",
            Self::Cgnat => "cgnat",
            Self::Corporate => "corporate",
            Self::Hotel => "hotel",
            Self::Cloud => "cloud",
            Self::Symmetric => "symmetric",
            Self::Ipv6Only => "ipv6-only",
            Self::UdpBlocked => "udp-blocked",
        }
    }

    pub fn about(self) -> &'static str {
        match self {
            Self::Public => "addresses of the internet (IPv4 and IPv6), no translation, nothing filtered",
            Self::Home => "one translation that keeps its port; only answers get in",
            Self::Cgnat => "a home behind a provider that translates again; both keep their ports",
            Self::Corporate => "another port for each destination; only TCP to 80 and 443 gets out",
            Self::Hotel => "another port for each destination; only TCP gets out",
            Self::Cloud => "another port for each destination; everything gets out",
            Self::Symmetric => "a mobile provider: another port for each destination; everything gets out",
            Self::Ipv6Only => "no IPv4 but through the provider's NAT64; only answers get in",
            Self::UdpBlocked => "a home whose router lets no UDP out",
        }
    }

    pub fn facts(self) -> Facts {
        let cone = Facts { v4: true, v6: false, open: false, mapping: Mapping::Same, udp: true, tcp: true };
        let symmetric = Facts { mapping: Mapping::Each, ..cone };
        match self {
            Self::Public => Facts { v6: true, open: true, mapping: Mapping::None, ..cone },
            Self::Home | Self::Cgnat => cone,
            Self::Cloud | Self::Symmetric => symmetric,
            Self::Hotel => Facts { udp: false, ..symmetric },
            Self::Corporate => Facts { udp: false, tcp: false, ..symmetric },
            Self::Ipv6Only => Facts { v4: false, v6: true, mapping: Mapping::None, ..cone },
            Self::UdpBlocked => Facts { udp: false, ..cone },
        }
    }

    /// The router that a machine at this site is plugged into.
    pub async fn build(self, lab: &Lab, name: &str) -> Router {
        let router = |name: &str, preset| lab.add_router(name).preset(preset);
        let only_v4 = |name: &str, preset| router(name, preset).ip_support(IpSupport::V4Only);
        let built = match self {
            Self::Public => router(name, RouterPreset::Public).build().await,
            Self::Home => only_v4(name, RouterPreset::Home).build().await,
            Self::Cgnat => {
                let provider = only_v4(&format!("{name}-isp"), RouterPreset::IspCgnat).build().await;
                let provider = provider.expect("a provider");
                keep_silent(&provider).await;
                only_v4(name, RouterPreset::Home).upstream(provider.id()).build().await
            }
            Self::Corporate => only_v4(name, RouterPreset::Corporate).build().await,
            Self::Hotel => only_v4(name, RouterPreset::Hotel).build().await,
            Self::Cloud => only_v4(name, RouterPreset::Cloud).build().await,
            Self::Symmetric => only_v4(name, RouterPreset::IspCgnatSymmetric).build().await,
            Self::Ipv6Only => router(name, RouterPreset::IspV6).build().await,
            Self::UdpBlocked => only_v4(name, RouterPreset::Home).firewall(without_udp()).build().await,
        };
        let built = built.expect("a router: see tests/README.md");
        if self != Self::Public {
            keep_silent(&built).await;
        }
        built
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No UDP gets out, and only answers get in.
pub fn without_udp() -> Firewall {
    let mut firewall = FirewallConfig::builder();
    firewall.block_inbound().outbound_tcp(PortPolicy::AllowAll).block_udp();
    Firewall::Custom(firewall.build())
}

/// A router drops what it did not ask for, as those at home do. A Linux router by itself answers, and
/// what it answers takes the place that a punched hole would need.
pub async fn keep_silent(router: &Router) {
    let rules = "table inet silent { chain input { type filter hook input priority 0; policy accept;
        ct state established,related accept;
        iifname { \"ix\", \"wan\" } meta l4proto { tcp, udp } drop; }
        }";
    on_router(router, &["nft", rules]).await;
}

/// Nothing gets past this router any more, in whatever state it is.
pub async fn let_nothing_out(router: &Router) {
    let rules = "table ip shut { chain forward { type filter hook forward priority -10; policy drop; }
        }";
    on_router(router, &["nft", rules]).await;
}

/// Runs a command on a router.
pub async fn on_router(router: &Router, words: &[&str]) {
    let mut command = tokio::process::Command::new(words[0]);
    command.args(&words[1..]).stdin(std::process::Stdio::null());
    let mut running = router.spawn_command(command).expect("it starts");
    let ended = running.wait().await.expect("its end is seen");
    assert!(ended.success(), "{words:?} on {}", router.name());
}
