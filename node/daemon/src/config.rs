//! What a user can set: defaults < `config.toml` < environment < flag.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use std::{fmt, fs, io};

use libp2p::Multiaddr;
use pairwave_api::home::Home;
use toml_edit::{DocumentMut, Item, Table};

use crate::home::{HomeError, private_folder, replace};
use crate::net::{Proxy, Unusable, check_certificates};
use crate::pace::Rates;

mod keys;

use keys::{KEYS, key};
pub use keys::{Key, Value};

/// Largest `config.toml` that is read, in bytes.
const MAX_FILE: u64 = 256 * 1024;

/// The settings of one companion.
#[derive(Debug, Clone)]
pub struct Config {
    settings: BTreeMap<&'static str, (Value, Source)>,
}

/// Where a value came from; a later one wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    Default,
    File,
    Environment,
    Flag,
}

/// One line of `config show`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    pub key: &'static str,
    pub value: Value,
    pub source: Source,
    /// What it does, one sentence.
    pub about: &'static str,
}

/// A setting that cannot be read or made.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{origin}: there is no setting `{key}`.{} `pairwave config show` lists them all.", suggestion(.nearest))]
    Unknown { origin: Origin, key: String, nearest: Option<&'static str> },
    #[error("{origin}: `{key}` is {expected}, not `{got}`. Correct it and try again.")]
    Shape { origin: Origin, key: &'static str, expected: &'static str, got: String },
    #[error(
        "`network.certificates`: {path} {why}. Name files (PEM) that hold a certificate, separated by commas; nothing was \
         changed."
    )]
    Certificates { path: PathBuf, why: Unusable },
    #[error("{path} is no TOML: {why}. Correct it, or move it away to start from the defaults.")]
    Syntax { path: PathBuf, why: String },
    #[error("{path} has {got} bytes, more than the {MAX_FILE} that a configuration may have. Shorten it.")]
    TooLong { path: PathBuf, got: u64 },
    #[error("{path} cannot be used: {source}. Check its permissions and the free space of the disk.")]
    Io { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Home(#[from] HomeError),
}

/// The place of a mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    File(PathBuf),
    Variable(String),
    Flag,
}

impl Config {
    /// Reads the settings of a home. `variables` is the environment, `flags` are `(key, value)`.
    pub fn load(
        home: &Home,
        variables: impl Fn(&str) -> Option<String>,
        flags: &[(String, String)],
    ) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        config.read_file(home)?;
        config.read_variables(variables)?;
        for (name, text) in flags {
            config.read_text(Origin::Flag, name, text, Source::Flag)?;
        }
        Ok(config)
    }

    /// As [`Config::load`], with this process' environment.
    pub fn load_here(home: &Home, flags: &[(String, String)]) -> Result<Self, ConfigError> {
        Self::load(home, |name| std::env::var(name).ok(), flags)
    }

    /// Every setting with its value and where that came from.
    pub fn show(&self) -> Vec<Setting> {
        let setting = |key: &Key| {
            let (value, source) = self.settings[key.name].clone();
            let value = key.shown(value);
            Setting { key: key.name, value, source, about: key.about }
        };
        KEYS.iter().map(setting).collect()
    }

    /// Writes one setting into `config.toml`; comments and everything else in it stay. What the
    /// environment or a flag says still wins.
    pub fn set(home: &Home, name: &str, text: &str) -> Result<(), ConfigError> {
        let origin = Origin::Flag;
        let key = key(name).ok_or_else(|| unknown(origin.clone(), name))?;
        let value = key.parse(text).map_err(|expected| shape(origin, key, expected, text))?;
        let value = if key.name == keys::CERTIFICATES { files(value)? } else { value };
        let mut document = read_document(home)?;
        let (table, leaf) = place(&mut document, key.name);
        match table.get_mut(leaf) {
            Some(Item::Value(old)) => {
                let decor = old.decor().clone();
                *old = value.to_toml();
                *old.decor_mut() = decor;
            }
            _ => drop(table.insert(leaf, Item::Value(value.to_toml()))),
        }
        let path = home.config();
        private_folder(home.path())?;
        replace(&path, document.to_string().as_bytes(), true).map_err(|source| ConfigError::Io { path, source })
    }

    /// The name that this person goes by where none is given.
    pub fn name(&self) -> String {
        match self.text("name") {
            "" => user_name(),
            name => name.to_owned(),
        }
    }

    /// Where to listen.
    pub fn listen(&self) -> Vec<Multiaddr> {
        self.list("network.listen").iter().filter_map(|address| address.parse().ok()).collect()
    }

    /// Are companions on the local network looked for, and told of this one.
    pub fn mdns(&self) -> bool {
        matches!(self.settings["network.mdns"].0, Value::Bool(true))
    }

    /// Names of the interfaces to use; empty means that the companion chooses.
    pub fn interfaces(&self) -> Vec<String> {
        self.list("network.interfaces").to_vec()
    }

    /// May the router be asked to let others in.
    pub fn upnp(&self) -> bool {
        matches!(self.settings["network.upnp"].0, Value::Bool(true))
    }

    /// May it be asked by PCP and NAT-PMP as well.
    pub fn pcp(&self) -> bool {
        matches!(self.settings["network.pcp"].0, Value::Bool(true))
    }

    /// May relays try whether others can reach this companion.
    pub fn autonat(&self) -> bool {
        matches!(self.settings["network.autonat"].0, Value::Bool(true))
    }

    /// Addresses that lead here although the companion cannot know it.
    pub fn announce(&self) -> Vec<Multiaddr> {
        self.list("network.announce").iter().filter_map(|address| address.parse().ok()).collect()
    }

    /// The proxy that TCP goes through. What `NO_PROXY` names goes past a configured one as well.
    pub fn proxy(&self, variables: impl Fn(&str) -> Option<String>) -> Option<Proxy> {
        match self.text("network.proxy") {
            keys::NONE => None,
            keys::ENVIRONMENT => Proxy::from_environment(variables),
            text => Proxy::parse(text, &Proxy::past(variables)).ok(),
        }
    }

    /// Files of certificates that count for TLS beside the public ones.
    pub fn certificates(&self) -> Vec<PathBuf> {
        self.list(keys::CERTIFICATES).iter().map(PathBuf::from).collect()
    }

    /// Where the page in the browser is served first; 0 for no page.
    pub fn dashboard_port(&self) -> u16 {
        u16::try_from(self.number("dashboard.port")).unwrap_or(0)
    }

    /// Size in bytes at which the log is put aside and a new one begun.
    pub fn log_size(&self) -> u64 {
        self.number("log.max_mib") << 20
    }

    /// How fast agents may speak here.
    pub fn rates(&self) -> Rates {
        Rates {
            per_minute: self.number("limits.agent_per_minute"),
            push_interval: Duration::from_secs(self.number("limits.push_interval")),
            max_turns: self.number("limits.max_turns"),
            wakes: self.number("limits.wakes"),
        }
    }

    /// Bytes of the store that are kept in memory for reading.
    pub fn store_cache(&self) -> u64 {
        self.number("store.cache_mib") << 20
    }

    /// Bytes that the blobs of one room may take up.
    pub fn blobs_per_room(&self) -> u64 {
        match self.number("limits.blobs_per_room") {
            0 => u64::MAX,
            mib => mib << 20,
        }
    }

    fn text(&self, name: &'static str) -> &str {
        if let Value::Text(text) = &self.settings[name].0 { text } else { "" }
    }

    fn list(&self, name: &'static str) -> &[String] {
        if let Value::List(list) = &self.settings[name].0 { list } else { &[] }
    }

    fn number(&self, name: &'static str) -> u64 {
        if let Value::Number(number) = self.settings[name].0 { number } else { 0 }
    }

    fn read_file(&mut self, home: &Home) -> Result<(), ConfigError> {
        let document = read_document(home)?;
        self.read_table(&Origin::File(home.config()), "", document.as_table())
    }

    fn read_table(&mut self, origin: &Origin, prefix: &str, table: &Table) -> Result<(), ConfigError> {
        for (name, item) in table {
            let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") };
            let inner = item.as_table_like().map(|table| Table::from_iter(table.iter().map(|(k, v)| (k, v.clone()))));
            if let Some(inner) = inner {
                self.read_table(origin, &path, &inner)?;
                continue;
            }
            let key = key(&path).ok_or_else(|| unknown(origin.clone(), &path))?;
            let value =
                key.read(item).map_err(|expected| shape(origin.clone(), key, expected, item.to_string().trim()))?;
            self.settings.insert(key.name, (value, Source::File));
        }
        Ok(())
    }

    fn read_variables(&mut self, variables: impl Fn(&str) -> Option<String>) -> Result<(), ConfigError> {
        for key in KEYS {
            let name = key.variable();
            if let Some(text) = variables(&name) {
                self.read_text(Origin::Variable(name), key.name, &text, Source::Environment)?;
            }
        }
        Ok(())
    }

    fn read_text(&mut self, origin: Origin, name: &str, text: &str, source: Source) -> Result<(), ConfigError> {
        let key = key(name).ok_or_else(|| unknown(origin.clone(), name))?;
        let value = key.parse(text).map_err(|expected| shape(origin, key, expected, text))?;
        self.settings.insert(key.name, (value, source));
        Ok(())
    }
}

impl Default for Config {
    fn default() -> Self {
        let default = |key: &Key| (key.name, ((key.default)(), Source::Default));
        Self { settings: KEYS.iter().map(default).collect() }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "default",
            Self::File => "file",
            Self::Environment => "environment",
            Self::Flag => "flag",
        })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Variable(name) => f.write_str(name),
            Self::Flag => f.write_str("on the command line"),
        }
    }
}

/// Files that can be used, each by its whole path: the companion runs in another folder.
fn files(value: Value) -> Result<Value, ConfigError> {
    let Value::List(files) = value else { return Ok(value) };
    let usable = |file: String| {
        let path = std::path::absolute(&file).unwrap_or_else(|_| file.into());
        match check_certificates(&path) {
            Ok(()) => Ok(path.display().to_string()),
            Err(why) => Err(ConfigError::Certificates { path, why }),
        }
    };
    Ok(Value::List(files.into_iter().map(usable).collect::<Result<_, _>>()?))
}

fn read_document(home: &Home) -> Result<DocumentMut, ConfigError> {
    let path = home.config();
    let io = |source| ConfigError::Io { path: path.clone(), source };
    let text = match fs::metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(DocumentMut::new()),
        Err(error) => return Err(io(error)),
        Ok(metadata) if metadata.len() > MAX_FILE => {
            return Err(ConfigError::TooLong { path, got: metadata.len() });
        }
        Ok(_) => fs::read_to_string(&path).map_err(io)?,
    };
    text.parse().map_err(|error: toml_edit::TomlError| ConfigError::Syntax { path, why: error.to_string() })
}

/// The table that a dotted key lies in, made where it is missing, and the key's last part.
fn place<'d>(document: &'d mut DocumentMut, name: &'static str) -> (&'d mut Table, &'static str) {
    let Some((outer, leaf)) = name.split_once('.') else { return (document.as_table_mut(), name) };
    let item = document.entry(outer).or_insert_with(toml_edit::table);
    if !item.is_table() {
        let inner = item.as_table_like().map(|table| Table::from_iter(table.iter().map(|(k, v)| (k, v.clone()))));
        *item = Item::Table(inner.unwrap_or_default());
    }
    (item.as_table_mut().expect("it was just made one"), leaf)
}

fn unknown(origin: Origin, name: &str) -> ConfigError {
    let distance = |key: &&Key| strsim::damerau_levenshtein(key.name, name);
    let nearest = KEYS.iter().min_by_key(distance).filter(|key| distance(key) <= 1 + name.len() / 3);
    ConfigError::Unknown { origin, key: name.chars().take(80).collect(), nearest: nearest.map(|key| key.name) }
}

fn shape(origin: Origin, key: &Key, expected: &'static str, got: &str) -> ConfigError {
    ConfigError::Shape { origin, key: key.name, expected, got: got.chars().take(80).collect() }
}

fn suggestion(nearest: &Option<&'static str>) -> String {
    nearest.map_or_else(String::new, |name| format!(" Did you mean `{name}`?"))
}

fn user_name() -> String {
    let names = ["USER", "LOGNAME", "USERNAME"].into_iter().filter_map(|name| std::env::var(name).ok());
    names.into_iter().find(|name| !name.trim().is_empty()).unwrap_or_else(|| "somebody".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(text: &str) -> (tempfile::TempDir, Home) {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::new(dir.path());
        fs::write(home.config(), text).unwrap();
        (dir, home)
    }

    fn load(text: &str) -> Result<Config, ConfigError> {
        Config::load(&home(text).1, |_| None, &[])
    }

    #[test]
    fn the_later_source_wins_and_is_named() {
        let (_dir, home) = home("name = \"file\"\n[network]\nmdns = false\ninterfaces = [\"eth0\"]\n");
        let variables = |name: &str| match name {
            "PAIRWAVE_NAME" => Some("environment".to_owned()),
            "PAIRWAVE_NETWORK_INTERFACES" => Some("eth1, eth2".to_owned()),
            _ => None,
        };
        let config = Config::load(&home, variables, &[("name".into(), "flag".into())]).unwrap();
        assert_eq!(config.name(), "flag");
        assert!(!config.mdns());
        assert_eq!(config.interfaces(), ["eth1", "eth2"]);
        let sources: BTreeMap<_, _> = config.show().into_iter().map(|setting| (setting.key, setting.source)).collect();
        assert_eq!(sources["name"], Source::Flag);
        assert_eq!(sources["network.mdns"], Source::File);
        assert_eq!(sources["network.interfaces"], Source::Environment);
        assert_eq!(sources["network.listen"], Source::Default);
    }

    #[test]
    fn the_login_of_a_proxy_counts_and_is_not_shown() {
        let config = load("[network]\nproxy = \"http://alice:secret@proxy.example:3128\"\n").unwrap();
        let shown = config.show().into_iter().find(|setting| setting.key == "network.proxy").unwrap().value;
        assert_eq!(shown, Value::Text("http://…@proxy.example:3128".into()));
        let past = |name: &str| (name == "NO_PROXY").then(|| "relay.example".to_owned());
        assert!(!config.proxy(past).unwrap().serves("relay.example"));
        let environment = |name: &str| (name == "HTTPS_PROXY").then(|| "proxy.example".to_owned());
        assert!(load("").unwrap().proxy(environment).is_some());
        assert!(load("[network]\nproxy = \"none\"\n").unwrap().proxy(environment).is_none());
        assert!(matches!(load("[network]\nproxy = \"socks5://x\"\n"), Err(ConfigError::Shape { .. })));
    }

    #[test]
    fn an_unknown_setting_is_an_error_with_a_suggestion() {
        let error = load("[network]\nmdsn = true\n").unwrap_err();
        assert!(matches!(error, ConfigError::Unknown { nearest: Some("network.mdns"), .. }));
        assert!(error.to_string().contains("Did you mean `network.mdns`?"));
        assert!(matches!(load("zzzzzzzz = 1"), Err(ConfigError::Unknown { nearest: None, .. })));
    }

    #[test]
    fn a_wrong_shape_is_named() {
        assert!(matches!(load("network.mdns = \"yes\""), Err(ConfigError::Shape { key: "network.mdns", .. })));
        assert!(matches!(load("network = { listen = [\"nonsense\"] }"), Err(ConfigError::Shape { .. })));
        assert!(matches!(load("store.cache_mib = -1"), Err(ConfigError::Shape { .. })));
        assert!(matches!(load("name = "), Err(ConfigError::Syntax { .. })));
    }

    #[test]
    fn set_keeps_the_rest_of_the_file() {
        let (_dir, home) = home("# mine\nname = \"a\" # short\n");
        Config::set(&home, "name", "b").unwrap();
        Config::set(&home, "network.mdns", "false").unwrap();
        Config::set(&home, "network.listen", "/ip4/127.0.0.1/tcp/0").unwrap();
        let text = fs::read_to_string(home.config()).unwrap();
        assert!(text.starts_with("# mine\nname = \"b\" # short\n"), "{text}");
        let config = Config::load(&home, |_| None, &[]).unwrap();
        assert!(!config.mdns());
        assert_eq!(config.listen(), ["/ip4/127.0.0.1/tcp/0".parse().unwrap()]);
    }

    #[test]
    fn set_refuses_certificates_that_are_not_there() {
        let (dir, home) = home("");
        let set = |text: &str| Config::set(&home, keys::CERTIFICATES, text);
        let missing = set("/nonexistent.pem").unwrap_err().to_string();
        assert!(missing.contains("/nonexistent.pem cannot be read") && missing.contains("Name files"), "{missing}");
        let brackets = set("[\"/x/c.pem\"]").unwrap_err().to_string();
        assert!(brackets.contains("separated by commas, without brackets"), "{brackets}");
        assert_eq!(fs::read_to_string(home.config()).unwrap(), "");
        let file = dir.path().join("c.pem");
        fs::write(&file, include_str!("net/trust/sample.pem")).unwrap();
        set(&file.display().to_string()).unwrap();
        assert_eq!(Config::load(&home, |_| None, &[]).unwrap().certificates(), [file]);
    }

    #[test]
    fn set_refuses_what_load_would() {
        let (_dir, home) = home("");
        assert!(matches!(Config::set(&home, "nmae", "x"), Err(ConfigError::Unknown { nearest: Some("name"), .. })));
        assert!(matches!(Config::set(&home, "log.max_mib", "much"), Err(ConfigError::Shape { .. })));
        assert_eq!(fs::read_to_string(home.config()).unwrap(), "");
    }
}
