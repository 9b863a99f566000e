//! Which network interfaces to use: those that lead to other people.

use std::net::IpAddr;

use crate::net::address;

/// Beginnings of the names of interfaces that lead to containers, virtual machines and VPNs: their
/// addresses mean something else, or nothing, to everybody else on the network.
const INWARD: [&str; 27] = [
    "docker",
    "br-",
    "veth",
    "virbr",
    "vnet",
    "tun",
    "tap",
    "utun",
    "wg",
    "tailscale",
    "zt",
    "cni",
    "flannel",
    "cali",
    "podman",
    "lxc",
    "lxdbr",
    "vmnet",
    "vboxnet",
    "vEthernet",
    "awdl",
    "llw",
    "anpi",
    "ipsec",
    "nebula",
    "kube",
    "weave",
];

/// One address of an interface and the network that it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    pub name: String,
    pub ip: IpAddr,
    /// Length of the network's prefix in bits.
    pub prefix: u8,
}

/// The interfaces of this machine, told apart by whether we use them.
#[derive(Debug)]
pub struct Interfaces {
    wanted: Vec<String>,
    used: Vec<Interface>,
    passed_over: Vec<Interface>,
}

impl Interfaces {
    /// `wanted` are the names to use; empty leaves the choice to us.
    pub fn new(wanted: Vec<String>) -> Self {
        Self { wanted, used: Vec::new(), passed_over: Vec::new() }
    }

    /// Looks at the machine's interfaces again. What was known stays when they cannot be read.
    pub fn refresh(&mut self) {
        match if_addrs::get_if_addrs() {
            Ok(all) => self.choose(all.into_iter().map(interface).filter(is_given).collect()),
            Err(error) => tracing::warn!(%error, "the network interfaces cannot be read"),
        }
    }

    /// The interfaces that are used, one entry per address that others could dial.
    pub fn dialable(&self) -> impl Iterator<Item = &Interface> {
        self.used.iter().filter(|interface| !address::is_link_local(&interface.ip))
    }

    /// Whether this address of ours is one that others may be told of.
    pub fn uses(&self, ip: &IpAddr) -> bool {
        self.used.iter().any(|interface| interface.ip == *ip)
    }

    /// Whether this machine has the address at all.
    pub fn has(&self, ip: &IpAddr) -> bool {
        self.used.iter().chain(&self.passed_over).any(|interface| interface.ip == *ip)
    }

    /// Whether a foreign address leads out of this machine by an interface that we use: an address
    /// out of our own container network would reach our containers, not the peer's.
    pub fn lead_to(&self, ip: &IpAddr) -> bool {
        let inside = |interfaces: &[Interface]| interfaces.iter().any(|interface| interface.contains(ip));
        inside(&self.used) || !inside(&self.passed_over)
    }

    /// Tells the interfaces apart.
    pub fn choose(&mut self, all: Vec<Interface>) {
        let (used, passed_over): (Vec<_>, Vec<_>) = all
            .into_iter()
            .filter(|interface| !interface.ip.is_loopback())
            .partition(|interface| self.is_wanted(&interface.name));
        // In a container the only interface may well carry one of those names.
        let choice_is_ours = self.wanted.is_empty();
        let useless = used.iter().all(|interface| address::is_link_local(&interface.ip));
        (self.used, self.passed_over) =
            if choice_is_ours && useless { ([used, passed_over].concat(), Vec::new()) } else { (used, passed_over) };
    }

    fn is_wanted(&self, name: &str) -> bool {
        if self.wanted.is_empty() {
            !INWARD.iter().any(|start| name.starts_with(start))
        } else {
            self.wanted.iter().any(|wanted| wanted == name)
        }
    }
}

impl Interface {
    /// Whether the address is in the same network.
    pub fn contains(&self, ip: &IpAddr) -> bool {
        let same = |ours: u128, theirs: u128, bits: u8| {
            let host = u32::from(bits.saturating_sub(self.prefix));
            ours.checked_shr(host).unwrap_or(0) == theirs.checked_shr(host).unwrap_or(0)
        };
        match (self.ip, ip) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => same(ours.to_bits().into(), theirs.to_bits().into(), 32),
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => same(ours.to_bits(), theirs.to_bits(), 128),
            _ => false,
        }
    }
}

/// An IPv4 address that a machine took for itself, because nobody gave it one, leads to nobody.
fn is_given(interface: &Interface) -> bool {
    !matches!(interface.ip, IpAddr::V4(ip) if ip.is_link_local())
}

fn interface(found: if_addrs::Interface) -> Interface {
    let prefix = match &found.addr {
        if_addrs::IfAddr::V4(v4) => v4.prefixlen,
        if_addrs::IfAddr::V6(v6) => v6.prefixlen,
    };
    Interface { ip: found.ip(), name: found.name, prefix }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(name: &str, ip: &str, prefix: u8) -> Interface {
        Interface { name: name.into(), ip: ip.parse().unwrap(), prefix }
    }

    fn laptop() -> Vec<Interface> {
        vec![
            interface("lo", "127.0.0.1", 8),
            interface("wlan0", "192.168.1.20", 24),
            interface("docker0", "172.17.0.1", 16),
            interface("wg0", "10.9.0.2", 24),
        ]
    }

    fn chosen(wanted: &[&str], all: Vec<Interface>) -> Interfaces {
        let mut interfaces = Interfaces::new(wanted.iter().map(ToString::to_string).collect());
        interfaces.choose(all);
        interfaces
    }

    fn names(interfaces: &Interfaces) -> Vec<&str> {
        interfaces.used.iter().map(|interface| interface.name.as_str()).collect()
    }

    #[test]
    fn containers_and_tunnels_are_passed_over() {
        assert_eq!(names(&chosen(&[], laptop())), ["wlan0"]);
    }

    #[test]
    fn what_is_left_is_used_when_there_is_nothing_else() {
        let container = vec![interface("veth7", "10.0.3.2", 24), interface("eth1", "fe80::1", 64)];
        assert_eq!(names(&chosen(&[], container)), ["eth1", "veth7"]);
    }

    #[test]
    fn link_local_addresses_are_known_but_nobody_dials_them() {
        let interfaces = chosen(&[], vec![interface("wlan0", "192.168.1.20", 24), interface("wlan0", "fe80::20", 64)]);
        assert_eq!(interfaces.dialable().count(), 1);
        assert!(interfaces.uses(&"fe80::20".parse().unwrap()));
    }

    #[test]
    fn a_choice_by_name_is_kept() {
        assert_eq!(names(&chosen(&["wg0"], laptop())), ["wg0"]);
        assert!(names(&chosen(&["eth9"], laptop())).is_empty());
    }

    #[test]
    fn addresses_of_our_own_container_network_lead_nowhere() {
        let interfaces = chosen(&[], laptop());
        let leads = |ip: &str| interfaces.lead_to(&ip.parse().unwrap());
        assert!(!leads("172.17.0.2"));
        assert!(!leads("10.9.0.77"));
        assert!(leads("192.168.1.77") && leads("172.18.0.2") && leads("2001:db8::1"));
    }

    #[test]
    fn a_prefix_of_any_length_is_fine() {
        let whole = interface("eth0", "10.0.0.1", 0);
        assert!(whole.contains(&"1.2.3.4".parse().unwrap()));
        let whole = interface("eth0", "2001:db8::1", 0);
        assert!(whole.contains(&"::2".parse().unwrap()));
        let one = interface("eth0", "10.0.0.1", 32);
        assert!(!one.contains(&"10.0.0.2".parse().unwrap()));
        assert!(!one.contains(&"::2".parse().unwrap()));
    }
}
