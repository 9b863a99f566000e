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
        Person::new(name, machine, self.folder.path())
    }
}
