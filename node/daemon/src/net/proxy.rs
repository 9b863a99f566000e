//! The HTTP proxy of a company, which TCP goes through where one is set: `CONNECT` (RFC 9110, §9.3.6).
//!
//! Addresses of the local network never go there, nor what `NO_PROXY` names.

mod connect;

use std::fmt;
use std::net::IpAddr;

use data_encoding::BASE64;
use zeroize::Zeroizing;

pub use connect::Proxied;

/// Variables that name a proxy, in the order in which they count.
const VARIABLES: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
/// The port where none is named.
const PORT: u16 = 80;

/// A proxy, and what does not go through it.
#[derive(Clone)]
pub struct Proxy {
    host: String,
    port: u16,
    /// What goes into `Proxy-Authorization`.
    login: Option<Zeroizing<String>>,
    without: Vec<String>,
}

/// Why a text names no proxy. It never repeats the text, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoProxy {
    #[error("only HTTP proxies can be used, as http://HOST:PORT")]
    Scheme,
    #[error("it has no host")]
    Host,
    #[error("its port is none")]
    Port,
    #[error("its login holds a % without two hexadecimal digits")]
    Login,
}

impl Proxy {
    /// Reads `[http://][USER:PASSWORD@]HOST[:PORT][/]`. `without` is as `NO_PROXY` has it.
    pub fn parse(text: &str, without: &str) -> Result<Self, NoProxy> {
        let (scheme, rest) = text.trim().split_once("://").unwrap_or(("http", text.trim()));
        if !scheme.eq_ignore_ascii_case("http") {
            return Err(NoProxy::Scheme);
        }
        let rest = rest.split('/').next().unwrap_or_default();
        let (login, place) = rest.rsplit_once('@').map_or((None, rest), |(login, place)| (Some(login), place));
        let (host, port) = split_port(place)?;
        if host.is_empty() || host.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(NoProxy::Host);
        }
        let login = login.map(|login| decoded(login).ok_or(NoProxy::Login)).transpose()?;
        let login = login.map(|login| Zeroizing::new(BASE64.encode(&login)));
        let entries = without.split(',').map(|entry| entry.trim().to_ascii_lowercase());
        let without = entries.filter(|entry| !entry.is_empty()).collect();
        Ok(Self { host: host.to_owned(), port: port.unwrap_or(PORT), login, without })
    }

    /// What the environment names; what it names wrongly is left out, with a word in the log.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let without = Self::past(&variable);
        let mut named = VARIABLES.iter().filter_map(|name| Some((name, variable(name)?)));
        let (name, text) = named.find(|(_, text)| !text.trim().is_empty())?;
        let unusable = |why: &NoProxy| tracing::warn!(variable = name, %why, "the proxy cannot be used");
        Self::parse(&text, &without).inspect_err(unusable).ok()
    }

    /// What the environment says goes past any proxy.
    pub fn past(variable: impl Fn(&str) -> Option<String>) -> String {
        variable("no_proxy").or_else(|| variable("NO_PROXY")).unwrap_or_default()
    }

    /// Whether a host is reached through it.
    pub fn serves(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let ip: Option<IpAddr> = host.parse().ok();
        let is_near = ip.as_ref().is_some_and(is_near) || host == "localhost" || host.ends_with(".local");
        !is_near && !self.without.iter().any(|entry| excludes(entry, &host, ip))
    }
}

/// Shows where it is, never the login.
impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

fn split_port(place: &str) -> Result<(&str, Option<u16>), NoProxy> {
    let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((v6, rest)) => (v6, rest.strip_prefix(':')),
        None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
    };
    let port = port.map(|port| port.parse().map_err(|_| NoProxy::Port)).transpose()?;
    Ok((host, port))
}

/// Undoes the percent encoding of a URL.
fn decoded(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first != b'%' {
            bytes.push(*first);
            rest = after;
            continue;
        }
        let digits = std::str::from_utf8(after.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &after[2..];
    }
    Some(bytes)
}

fn excludes(entry: &str, host: &str, ip: Option<IpAddr>) -> bool {
    if entry == "*" || entry == host {
        return true;
    }
    if let Some(ip) = ip {
        return entry.split_once('/').is_some_and(|(network, bits)| is_in(ip, network, bits));
    }
    let domain = entry.trim_start_matches('*').trim_start_matches('.');
    host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.') && !domain.is_empty())
}

fn is_in(ip: IpAddr, network: &str, bits: &str) -> bool {
    let (Ok(network), Ok(bits)) = (network.parse::<IpAddr>(), bits.parse::<u32>()) else { return false };
    let same = |one: u128, other: u128, width: u32| {
        let host = width.saturating_sub(bits);
        one.checked_shr(host).unwrap_or(0) == other.checked_shr(host).unwrap_or(0)
    };
    match (ip, network) {
        (IpAddr::V4(ip), IpAddr::V4(network)) => same(ip.to_bits().into(), network.to_bits().into(), 32),
        (IpAddr::V6(ip), IpAddr::V6(network)) => same(ip.to_bits(), network.to_bits(), 128),
        _ => false,
    }
}

fn is_near(ip: &IpAddr) -> bool {
    crate::net::address::is_private(ip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_read_as_other_programs_read_it() {
        let proxy = Proxy::parse("http://al%40ice:p%3Ass@proxy.example:3128/", "").unwrap();
        assert_eq!((proxy.host.as_str(), proxy.port), ("proxy.example", 3128));
        assert_eq!(proxy.login.as_ref().unwrap().as_str(), BASE64.encode(b"al@ice:p:ss"));
        assert_eq!(format!("{proxy:?}"), "proxy.example:3128");
        let bare = Proxy::parse("proxy.example", "").unwrap();
        assert_eq!((bare.port, bare.login.is_none()), (80, true));
        assert_eq!(Proxy::parse("http://[2001:db8::1]:8080", "").unwrap().host, "2001:db8::1");
        let why = |text: &str| Proxy::parse(text, "").unwrap_err();
        assert_eq!(why("socks5://proxy.example"), NoProxy::Scheme);
        assert_eq!(why("http://"), NoProxy::Host);
        assert_eq!(why("proxy.example:none"), NoProxy::Port);
        assert_eq!(why("a%4@proxy.example"), NoProxy::Login);
    }

    #[test]
    fn the_environment_names_it_and_what_goes_past_it() {
        let environment = |name: &str| match name {
            "HTTPS_PROXY" => Some("http://proxy.example:3128".to_owned()),
            "ALL_PROXY" => Some("http://other.example".to_owned()),
            "NO_PROXY" => Some("intern.example, *.lab.example,203.0.113.0/24,.corp".to_owned()),
            _ => None,
        };
        let proxy = Proxy::from_environment(environment).unwrap();
        assert_eq!(proxy.host, "proxy.example");
        for host in ["relay.example", "198.51.100.7", "2001:db8::1", "nointern.example"] {
            assert!(proxy.serves(host), "{host}");
        }
        let past = ["intern.example", "a.intern.example", "x.lab.example", "203.0.113.9", "a.corp", "10.0.0.1", "::1"];
        for host in past.into_iter().chain(["127.0.0.1", "localhost", "192.168.1.2", "fd00::1", "printer.local"]) {
            assert!(!proxy.serves(host), "{host}");
        }
        assert!(Proxy::from_environment(|_| None).is_none());
    }
}
