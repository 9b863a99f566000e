//! The certificate with which a relay listens as a web server does (`/tls/ws`).

use std::fs;
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use libp2p::websocket::tls;
use zeroize::Zeroizing;

use crate::error::RelayError;

const CERTIFICATE: &str = "CERTIFICATE";
/// PKCS#8, PKCS#1 and SEC1.
const KEYS: [&str; 3] = ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"];

/// Files in PEM: the chain with the server's own certificate first, and its private key.
#[derive(Debug, Clone)]
pub struct CertificateFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl CertificateFiles {
    pub fn load(&self) -> Result<tls::Config, RelayError> {
        let chain = blocks(&self.certificate, "certificate", &[CERTIFICATE])?;
        let key = blocks(&self.key, "private key", &KEYS)?.swap_remove(0);
        let wrong = |path: &Path, what, why: String| RelayError::Certificate { path: path.into(), what, why };
        // The library panics on what is no key.
        if !looks_like_a_key(&key) {
            return Err(wrong(&self.key, "private key", "it is of no known form".into()));
        }
        let chain = chain.into_iter().map(tls::Certificate::new);
        tls::Config::new(tls::PrivateKey::new(key), chain)
            .map_err(|error| wrong(&self.certificate, "certificate for this key", error.to_string()))
    }
}

/// The contents of all blocks with one of these labels; at least one.
fn blocks(path: &Path, what: &'static str, labels: &[&str]) -> Result<Vec<Vec<u8>>, RelayError> {
    let wrong = |why: String| RelayError::Certificate { path: path.into(), what, why };
    let text = Zeroizing::new(fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?);
    let mut found = Vec::new();
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        let Some(label) = line.strip_prefix("-----BEGIN ").and_then(|line| line.strip_suffix("-----")) else {
            continue;
        };
        let end = format!("-----END {label}-----");
        let inside: String = lines.by_ref().take_while(|line| *line != end).collect();
        let inside = Zeroizing::new(inside);
        if labels.contains(&label) {
            found.push(BASE64.decode(inside.as_bytes()).map_err(|error| wrong(error.to_string()))?);
        }
    }
    if found.is_empty() { Err(wrong(format!("it has no block `{}`", labels.join("` or `")))) } else { Ok(found) }
}

/// A DER sequence that begins with a small version number, as all three forms do.
fn looks_like_a_key(der: &[u8]) -> bool {
    let header = match der {
        [0x30, 0..=0x7f, ..] => 2,
        [0x30, 0x81, ..] => 3,
        [0x30, 0x82, ..] => 4,
        _ => return false,
    };
    matches!(der.get(header..header + 3), Some([0x02, 0x01, 0 | 1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_hold_nothing_of_the_kind_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
        let files = CertificateFiles { certificate: certificate.clone(), key: key.clone() };
        let refused = |why: &str| {
            let error = files.load().expect_err("refused").to_string();
            assert!(error.contains(why), "{error}");
        };
        refused("chain.pem");
        fs::write(&certificate, "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n").unwrap();
        refused("key.pem");
        fs::write(&key, "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n").unwrap();
        refused("PRIVATE KEY");
        fs::write(&key, "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n").unwrap();
        refused("no known form");
    }
}
