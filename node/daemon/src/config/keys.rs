use libp2p::Multiaddr;
use toml_edit::{Array, Item};

use crate::net::Proxy;

/// One setting.
#[derive(Debug)]
pub struct Key {
    /// As in `config.toml`, dotted.
    pub name: &'static str,
    /// What it does, one sentence.
    pub about: &'static str,
    pub(super) default: fn() -> Value,
    check: fn(&Value) -> Result<(), &'static str>,
}

/// The value of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Text(String),
    Bool(bool),
    Number(u64),
    List(Vec<String>),
}

pub(super) const KEYS: &[Key] = &[
    Key {
        name: "name",
        about: "How others see you where no name is given; empty means the name of the system's user.",
        default: || Value::Text(String::new()),
        check: name,
    },
    Key {
        name: "network.listen",
        about: "Addresses to listen on; port 0 is any free one.",
        default: || Value::List(LISTEN.map(str::to_owned).to_vec()),
        check: addresses,
    },
    Key {
        name: "network.mdns",
        about: "Finds companions on the local network and lets them find this one.",
        default: || Value::Bool(true),
        check: anything,
    },
    Key {
        name: "network.interfaces",
        about: "Interfaces to use; empty means all but those of containers and tunnels.",
        default: || Value::List(Vec::new()),
        check: anything,
    },
    Key {
        name: "network.upnp",
        about: "Asks the router by UPnP to let others in.",
        default: || Value::Bool(true),
        check: anything,
    },
    Key {
        name: "network.pcp",
        about: "Asks the router by PCP or NAT-PMP to let others in.",
        default: || Value::Bool(true),
        check: anything,
    },
    Key {
        name: "network.autonat",
        about: "Lets relays try whether others can reach this companion.",
        default: || Value::Bool(true),
        check: anything,
    },
    Key {
        name: "network.announce",
        about: "Addresses that lead here although the companion cannot know it, such as a forwarded port's.",
        default: || Value::List(Vec::new()),
        check: far_addresses,
    },
    Key {
        name: "network.proxy",
        about: "HTTP proxy for TCP, as http://HOST:PORT; `environment` means HTTPS_PROXY and the like, `none` no proxy.",
        default: || Value::Text(ENVIRONMENT.into()),
        check: proxy,
    },
    Key {
        name: CERTIFICATES,
        about: "Files of certificates (PEM), separated by commas, that count for /tls/ws beside the public ones.",
        default: || Value::List(Vec::new()),
        check: anything,
    },
    Key {
        name: "dashboard.port",
        about: "Port on 127.0.0.1 where the page in the browser is served, or the next free one; 0 means no page.",
        default: || Value::Number(7591),
        check: port,
    },
    Key {
        name: "limits.agent_per_minute",
        about: "Messages that one agent session may send in a minute, and a third of what all of yours may in a room; 0 means any number.",
        default: || Value::Number(60),
        check: anything,
    },
    Key {
        name: "limits.push_interval",
        about: "Seconds between two messages of an agent session that push; 0 means none.",
        default: || Value::Number(2),
        check: anything,
    },
    Key {
        name: "limits.max_turns",
        about: "What agents here may push before they must sum up; 0 means any number.",
        default: || Value::Number(20),
        check: anything,
    },
    Key {
        name: "limits.wakes",
        about: "How often others may wake an agent here before its human does something; 0 means any number.",
        default: || Value::Number(100),
        check: anything,
    },
    Key {
        name: "log.max_mib",
        about: "Size of run/pairwave.log in MiB at which it is put aside and a new one begun.",
        default: || Value::Number(8),
        check: some_mib,
    },
    Key {
        name: "store.cache_mib",
        about: "Memory in MiB that holds what was read from the store.",
        default: || Value::Number(4),
        check: some_mib,
    },
    Key {
        name: "limits.blobs_per_room",
        about: "Disk space in MiB for what members share in one room, half of it at most for one of the others; 0 means no limit.",
        default: || Value::Number(512),
        check: many_mib,
    },
];

pub(super) const CERTIFICATES: &str = "network.certificates";

/// Values of `network.proxy` that name no proxy themselves.
pub(super) const ENVIRONMENT: &str = "environment";
pub(super) const NONE: &str = "none";

const LISTEN: [&str; 4] =
    ["/ip4/0.0.0.0/udp/0/quic-v1", "/ip4/0.0.0.0/tcp/0", "/ip6/::/udp/0/quic-v1", "/ip6/::/tcp/0"];

pub(super) fn key(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

impl Key {
    /// The environment variable that sets it.
    pub fn variable(&self) -> String {
        format!("PAIRWAVE_{}", self.name.replace('.', "_").to_ascii_uppercase())
    }

    /// From the text of a variable or flag; a list is separated by commas. Fails with what is expected.
    pub(super) fn parse(&self, text: &str) -> Result<Value, &'static str> {
        let text = text.trim();
        let value = match (self.default)() {
            Value::Text(_) => Value::Text(text.into()),
            Value::Bool(_) => Value::Bool(text.parse().map_err(|_| "true or false")?),
            Value::Number(_) => Value::Number(text.parse().map_err(|_| "a number")?),
            Value::List(_) if text.starts_with('[') => return Err("a list separated by commas, without brackets"),
            Value::List(_) => {
                let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
                Value::List(entries.map(str::to_owned).collect())
            }
        };
        (self.check)(&value).map(|()| value)
    }

    /// What may be shown: never the login of a proxy.
    pub(super) fn shown(&self, value: Value) -> Value {
        match value {
            Value::Text(text) if self.name == "network.proxy" => Value::Text(without_login(text)),
            other => other,
        }
    }

    /// From TOML. Fails with what is expected.
    pub(super) fn read(&self, item: &Item) -> Result<Value, &'static str> {
        let value = match (self.default)() {
            Value::Text(_) => Value::Text(item.as_str().ok_or("a text in quotes")?.into()),
            Value::Bool(_) => Value::Bool(item.as_bool().ok_or("true or false")?),
            Value::Number(_) => Value::Number(item.as_integer().and_then(|n| u64::try_from(n).ok()).ok_or("a number")?),
            Value::List(_) => Value::List(texts(item).ok_or("a list of texts")?),
        };
        (self.check)(&value).map(|()| value)
    }
}

impl Value {
    pub(super) fn to_toml(&self) -> toml_edit::Value {
        match self {
            Self::Text(text) => text.into(),
            Self::Bool(bool) => (*bool).into(),
            Self::Number(number) => i64::try_from(*number).unwrap_or(i64::MAX).into(),
            Self::List(list) => list.iter().collect::<Array>().into(),
        }
    }

    /// For `--json`.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Bool(bool) => (*bool).into(),
            Self::Number(number) => (*number).into(),
            Self::List(list) => list.clone().into(),
        }
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.to_toml().to_string().trim())
    }
}

fn texts(item: &Item) -> Option<Vec<String>> {
    item.as_array()?.iter().map(|entry| entry.as_str().map(str::to_owned)).collect()
}

fn without_login(text: String) -> String {
    let Some((login, place)) = text.rsplit_once('@') else { return text };
    let scheme = login.split_once("://").map_or("", |(scheme, _)| scheme);
    format!("{scheme}{}…@{place}", if scheme.is_empty() { "" } else { "://" })
}

fn anything(_: &Value) -> Result<(), &'static str> {
    Ok(())
}

fn name(value: &Value) -> Result<(), &'static str> {
    let fits = |text: &str| text.len() <= pairwave_wire::limits::NAME && !text.chars().any(char::is_control);
    if matches!(value, Value::Text(text) if fits(text)) { Ok(()) } else { Err("a name of at most 64 bytes") }
}

fn some_mib(value: &Value) -> Result<(), &'static str> {
    if matches!(value, Value::Number(1..=1024)) { Ok(()) } else { Err("a number of MiB from 1 to 1024") }
}

fn many_mib(value: &Value) -> Result<(), &'static str> {
    if matches!(value, Value::Number(0..=1_048_576)) { Ok(()) } else { Err("a number of MiB from 0 to 1048576") }
}

fn port(value: &Value) -> Result<(), &'static str> {
    if matches!(value, Value::Number(0..=65_535)) { Ok(()) } else { Err("a port from 0 to 65535") }
}

fn far_addresses(value: &Value) -> Result<(), &'static str> {
    addresses(value).map_err(|_| "a list of multiaddresses like /ip4/203.0.113.9/udp/4010/quic-v1")
}

fn proxy(value: &Value) -> Result<(), &'static str> {
    let names_one = |text: &str| text == ENVIRONMENT || text == NONE || Proxy::parse(text, "").is_ok();
    if matches!(value, Value::Text(text) if names_one(text)) {
        Ok(())
    } else {
        Err("`environment`, `none`, or a proxy like http://proxy.example:3128")
    }
}

fn addresses(value: &Value) -> Result<(), &'static str> {
    let Value::List(list) = value else { return Ok(()) };
    if list.iter().all(|address| address.parse::<Multiaddr>().is_ok()) {
        Ok(())
    } else {
        Err("a list of multiaddresses like /ip4/0.0.0.0/udp/0/quic-v1")
    }
}
