//! Tokens of a relay: who shows one is given more. The relay keeps only their hashes.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use blake2::digest::consts::U32;
use blake2::{Blake2b, Digest};
use data_encoding::{BASE32_NOPAD, HEXLOWER};
use serde::{Deserialize, Serialize};

use crate::error::RelayError;
use crate::identity;

const FILE: &str = "tokens";
const PREFIX: &str = "prt-";
const DOMAIN: &[u8] = b"pairwave-relay-token-v1";
/// Characters of a hash that name its token.
const ID: usize = 8;
/// Longest label in bytes.
const LABEL: usize = 64;

/// What is kept of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// BLAKE2b-256 of the token under a domain of its own, in hex.
    hash: String,
    /// For whom it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Seconds since 1970.
    pub created: u64,
}

/// The tokens of the relay that keeps its things in a folder.
#[derive(Debug, Clone)]
pub struct Tokens {
    folder: PathBuf,
}

impl Token {
    /// The short name that `list` shows and `revoke` takes.
    pub fn id(&self) -> &str {
        self.hash.get(..ID).unwrap_or(&self.hash)
    }
}

impl Tokens {
    pub fn of(folder: &Path) -> Self {
        Self { folder: folder.into() }
    }

    /// Makes a token, which is shown this once, and what is kept of it.
    pub fn create(&self, label: Option<String>) -> Result<(String, Token), RelayError> {
        if label.as_ref().is_some_and(|label| label.len() > LABEL || label.chars().any(char::is_control)) {
            return Err(RelayError::Label { max: LABEL });
        }
        let mut random = [0; 20];
        getrandom::fill(&mut random).map_err(|error| self.failed(io::Error::other(error)))?;
        let shown = format!("{PREFIX}{}", BASE32_NOPAD.encode(&random).to_lowercase());
        let token = Token { hash: hash(&shown), label, created: now() };
        self.edit(|tokens| tokens.push(token.clone()))?;
        Ok((shown, token))
    }

    pub fn list(&self) -> Result<Vec<Token>, RelayError> {
        let text = match fs::read_to_string(self.path()) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.failed(error)),
        };
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        lines.map(|line| serde_json::from_str(line).map_err(|error| self.failed(error.into()))).collect()
    }

    /// Takes a token back; its holders are strangers from now on.
    pub fn revoke(&self, id: &str) -> Result<Token, RelayError> {
        let mut revoked = None;
        self.edit(|tokens| {
            let found = tokens.iter().position(|token| token.id() == id);
            revoked = found.map(|index| tokens.remove(index));
        })?;
        revoked.ok_or_else(|| RelayError::NoToken { id: id.into() })
    }

    /// Says whether the list may have changed since it said the same.
    pub(crate) fn version(&self) -> Option<(SystemTime, u64)> {
        let metadata = fs::metadata(self.path()).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    }

    fn edit(&self, change: impl FnOnce(&mut Vec<Token>)) -> Result<(), RelayError> {
        identity::make_folder(&self.folder)?;
        // Held until the end, so that two who edit at once lose nothing.
        let lock = File::create(self.folder.join("tokens.lock")).map_err(|error| self.failed(error))?;
        lock.lock().map_err(|error| self.failed(error))?;
        let mut tokens = self.list()?;
        change(&mut tokens);
        let mut text = String::new();
        for token in &tokens {
            text.push_str(&serde_json::to_string(token).map_err(|error| self.failed(error.into()))?);
            text.push('\n');
        }
        identity::write_new(&self.folder, FILE, text.as_bytes()).map_err(|error| self.failed(error))
    }

    fn path(&self) -> PathBuf {
        self.folder.join(FILE)
    }

    fn failed(&self, why: io::Error) -> RelayError {
        RelayError::Data { path: self.path(), why }
    }
}

/// Says which token of a list this is.
pub(crate) fn recognised<'t>(tokens: &'t [Token], shown: &str) -> Option<&'t Token> {
    let hash = hash(shown);
    tokens.iter().find(|token| token.hash == hash)
}

fn hash(shown: &str) -> String {
    let mut hasher = Blake2b::<U32>::new();
    hasher.update(DOMAIN);
    hasher.update(shown.as_bytes());
    HEXLOWER.encode(&hasher.finalize())
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_shown_once_and_kept_as_a_hash() {
        let folder = tempfile::tempdir().unwrap();
        let tokens = Tokens::of(folder.path());
        assert_eq!(tokens.list().unwrap(), []);
        let (shown, token) = tokens.create(Some("alice".into())).unwrap();
        assert!(shown.len() <= pairwave_wire::limits::TOKEN);
        assert!(shown.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-')), "{shown}");
        assert!(!fs::read_to_string(folder.path().join(FILE)).unwrap().contains(&shown[PREFIX.len()..]));
        let (other, _) = tokens.create(None).unwrap();
        let list = tokens.list().unwrap();
        assert_eq!(recognised(&list, &shown), Some(&token));
        assert_ne!(recognised(&list, &other), Some(&token));
        assert_eq!(recognised(&list, &shown[1..]), None);
    }

    #[test]
    fn a_revoked_token_is_gone_and_the_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let tokens = Tokens::of(folder.path());
        let (_, alices) = tokens.create(Some("alice".into())).unwrap();
        let (_, bobs) = tokens.create(Some("bob".into())).unwrap();
        assert_eq!(tokens.revoke(alices.id()).unwrap(), alices);
        assert_eq!(tokens.list().unwrap(), [bobs]);
        assert!(matches!(tokens.revoke(alices.id()), Err(RelayError::NoToken { .. })));
        assert!(matches!(tokens.create(Some("\n".into())), Err(RelayError::Label { .. })));
    }
}
