//! A network of its own: machines on one bridge, as on a wifi at home.

use patchbay::{IpSupport, Router, RouterBuilder, RouterPreset};
use tempfile::TempDir;

use crate::person::Person;

/// The network, and the folder in which the homes of its people stand. Declare it before them: it
/// must end after them.
pub struct Lab {
    network: patchbay::Lab,
    wifi: Router,
    folder: TempDir,
}

impl Lab {
    pub async fn new() -> Self {
        Self::with(|wifi| wifi).await
    }

    /// A network without IPv4.
    pub async fn of_ipv6() -> Self {
        Self::with(|wifi| wifi.ip_support(IpSupport::V6Only)).await
    }

    async fn with(made: impl FnOnce(RouterBuilder) -> RouterBuilder) -> Self {
        let network = patchbay::Lab::new().await.expect("network namespaces: see tests/README.md");
        let wifi = made(network.add_router("wifi").preset(RouterPreset::Home)).build().await.expect("a bridge");
        Self { network, wifi, folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// A machine of their own on the wifi, with nobody at home yet.
    pub async fn person(&self, name: &str) -> Person {
        let machine = self.network.add_device(name).iface("eth0", self.wifi.id()).build().await.expect("a machine");
        let mut person = Person::new(name, machine, self.folder.path());
        // The wifi's router lends no ports: nobody need wait for it.
        person.environment.push(("PAIRWAVE_NETWORK_UPNP".to_owned(), "false".to_owned()));
        person
    }

    /// From now on this person's machine reaches one other machine alone.
    pub async fn cut_off(&self, person: &Person, but: &Person) {
        let but = but.machine.ip().expect("an address");
        let rules = format!(
            "table inet cut {{
                chain hears {{ type filter hook input priority 0; policy accept;
                    iifname \"eth0\" meta nfproto ipv6 drop; iifname \"eth0\" ip saddr != {but} drop; }}
                chain says {{ type filter hook output priority 0; policy accept;
                    oifname \"eth0\" meta nfproto ipv6 drop; oifname \"eth0\" ip daddr != {but} drop; }}
            }}"
        );
        let mut command = person.program("nft");
        command.arg(rules);
        let set = person.finish(command).await;
        assert_eq!(set.code, 0, "{set:?}");
    }
}
