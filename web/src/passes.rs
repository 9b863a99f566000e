//! Who may use the page. A one-time code out of a terminal buys a token, and the token is shown with
//! every call. The file keeps hashes alone: whoever reads it cannot use the page.
//!
//! Whoever sits on the port while the companion is away must not be shown a token, so a page asks for
//! a proof first that only who keeps its hash can give.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use hmac::{Hmac, KeyInit, Mac};
use pairwave_api::home::Home;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// How long a code waits to be used.
const CODE_LIVES: Duration = Duration::from_secs(10 * 60);
/// Codes that wait at a time; beyond it the oldest goes.
const CODES: usize = 16;
/// How long a token is good after it was bought.
const TOKEN_LIVES: Duration = Duration::from_secs(30 * 24 * 3600);
/// Tokens at a time; beyond it the oldest goes.
const TOKENS: usize = 32;
/// What a proof is about, before the nonce.
const PROOF: &[u8] = b"pairwave-dashboard-proof-v1";
/// Largest file that is believed, in bytes.
const MAX_FILE: u64 = 64 * 1024;

type Hash = [u8; 32];

/// The codes and tokens of one companion.
pub struct Passes {
    file: PathBuf,
    way_in: PathBuf,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    codes: Vec<(Hash, Instant)>,
    kept: Kept,
}

/// What outlives the companion.
#[derive(Default, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    port: Option<u16>,
    /// The port that was wanted when that one was found.
    wanted: Option<u16>,
    tokens: Vec<Token>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    /// Says which one it is, and is no secret.
    id: String,
    /// SHA-256 of its secret, in hex.
    hash: String,
    /// Seconds since 1970.
    until: u64,
}

impl Passes {
    /// Reads what was kept; from anything else it starts anew, and pages must be opened again.
    pub fn load(home: &Home) -> Self {
        let (file, way_in) = (home.dashboard(), home.way_in());
        let fits = fs::metadata(&file).is_ok_and(|metadata| metadata.len() <= MAX_FILE);
        let text = if fits { fs::read_to_string(&file).unwrap_or_default() } else { String::new() };
        let kept = serde_json::from_str(&text).unwrap_or_default();
        // Codes end with the companion that gave them.
        let _ = fs::remove_file(&way_in);
        Self { file, way_in, held: Mutex::new(Held { codes: Vec::new(), kept }) }
    }

    /// The port of the last run, if it was found for the one that is wanted now.
    pub fn last_port(&self, wanted: u16) -> Option<u16> {
        let kept = &self.lock().kept;
        kept.port.filter(|_| kept.wanted == Some(wanted))
    }

    /// Remembers the port. Tokens are bound to it as the browser's storage is.
    pub fn moved_to(&self, port: u16, wanted: u16) {
        let mut held = self.lock();
        if (held.kept.port, held.kept.wanted) == (Some(port), Some(wanted)) {
            return;
        }
        let stays = held.kept.port == Some(port);
        let tokens = if stays { std::mem::take(&mut held.kept.tokens) } else { Vec::new() };
        held.kept = Kept { port: Some(port), wanted: Some(wanted), tokens };
        self.keep(&held.kept);
    }

    /// A fresh code that is good once.
    pub fn code(&self) -> String {
        let code = BASE64URL_NOPAD.encode(&random::<32>());
        let mut held = self.lock();
        held.codes.push((hash(&code), Instant::now()));
        if held.codes.len() > CODES {
            held.codes.remove(0);
        }
        code
    }

    /// Takes a code and gives a token for it.
    pub fn redeem(&self, code: &str) -> Option<String> {
        let wanted = hash(code);
        let mut held = self.lock();
        held.codes.retain(|(_, since)| since.elapsed() < CODE_LIVES);
        let at = held.codes.iter().position(|(known, _)| bool::from(known.ct_eq(&wanted)))?;
        held.codes.remove(at);
        let _ = fs::remove_file(&self.way_in);
        let (id, secret) = (HEXLOWER.encode(&random::<8>()), BASE64URL_NOPAD.encode(&random::<32>()));
        let token = format!("{id}.{secret}");
        let until = now() + TOKEN_LIVES.as_secs();
        held.kept.tokens.push(Token { id, hash: HEXLOWER.encode(&hash(&secret)), until });
        if held.kept.tokens.len() > TOKENS {
            held.kept.tokens.remove(0);
        }
        self.keep(&held.kept);
        Some(token)
    }

    /// Is this a token that was given and is still good?
    pub fn is_good(&self, token: &str) -> bool {
        let Some((id, secret)) = token.split_once('.') else { return false };
        let shown = HEXLOWER.encode(&hash(secret));
        self.hash_of(id).is_some_and(|known| known.as_bytes().ct_eq(shown.as_bytes()).into())
    }

    /// Shows whoever holds the token of this id that its hash is kept here.
    pub fn proof(&self, id: &str, nonce: &str) -> Option<String> {
        let key = HEXLOWER.decode(self.hash_of(id)?.as_bytes()).ok()?;
        let mut proof = Hmac::<Sha256>::new_from_slice(&key).ok()?;
        proof.update(PROOF);
        proof.update(nonce.as_bytes());
        Some(BASE64URL_NOPAD.encode(&proof.finalize().into_bytes()))
    }

    /// The hash of a token that is still good.
    fn hash_of(&self, id: &str) -> Option<String> {
        let now = now();
        let held = self.lock();
        let mut good = held.kept.tokens.iter().filter(|token| token.until > now);
        good.find(|token| token.id == id).map(|token| token.hash.clone())
    }

    fn keep(&self, kept: &Kept) {
        if let Err(error) = self.write(kept) {
            tracing::warn!(%error, "who may use the page cannot be kept; pages must be opened again after a restart");
        }
    }

    fn write(&self, kept: &Kept) -> io::Result<()> {
        let folder = self.file.parent().ok_or(io::ErrorKind::NotFound)?;
        // Made with mode 0600.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&serde_json::to_vec(kept)?)?;
        file.persist(&self.file)?;
        Ok(())
    }

    /// Each change is whole within one statement, so a panic elsewhere leaves nothing half done.
    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // Without randomness nobody may be let in, and nothing else of the companion works either.
    getrandom::fill(&mut bytes).expect("the system gives randomness");
    bytes
}

fn hash(secret: &str) -> Hash {
    Sha256::digest(secret.as_bytes()).into()
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes() -> (tempfile::TempDir, Home, Passes) {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path());
        fs::create_dir(home.run()).unwrap();
        let passes = Passes::load(&home);
        (folder, home, passes)
    }

    #[test]
    fn a_code_is_good_once() {
        let (_folder, _home, passes) = passes();
        let code = passes.code();
        let token = passes.redeem(&code).unwrap();
        assert!(passes.is_good(&token));
        assert_eq!(passes.redeem(&code), None);
        assert!(!passes.is_good(&code) && !passes.is_good(""));
        assert_eq!(passes.redeem("made up"), None);
    }

    #[test]
    fn only_so_many_codes_wait() {
        let (_folder, _home, passes) = passes();
        let first = passes.code();
        for _ in 0..CODES {
            passes.code();
        }
        assert_eq!(passes.redeem(&first), None);
    }

    #[test]
    fn a_token_outlives_the_companion_and_its_secret_is_not_kept() {
        let (_folder, home, passes) = passes();
        passes.moved_to(7591, 7591);
        let token = passes.redeem(&passes.code()).unwrap();
        let (id, secret) = token.split_once('.').unwrap();
        assert_eq!(id.len(), 16);
        let kept = fs::read_to_string(home.dashboard()).unwrap();
        assert!(kept.contains(id) && !kept.contains(secret));
        let again = Passes::load(&home);
        assert!(again.is_good(&token));
        assert!(!again.is_good(&format!("{id}.")) && !again.is_good(secret));
        again.moved_to(7592, 7591);
        assert!(!again.is_good(&token), "another port is another page");
        fs::write(home.dashboard(), "{").unwrap();
        assert!(!Passes::load(&home).is_good(&token));
    }

    #[test]
    fn the_last_port_counts_for_the_wanted_one_alone() {
        let (_folder, home, passes) = passes();
        passes.moved_to(7592, 7591);
        let token = passes.redeem(&passes.code()).unwrap();
        let again = Passes::load(&home);
        assert_eq!((again.last_port(7591), again.last_port(8000)), (Some(7592), None));
        again.moved_to(7592, 7592);
        assert_eq!(again.last_port(7592), Some(7592));
        assert!(again.is_good(&token), "it is the same page");
    }

    #[test]
    fn a_proof_can_be_checked_by_whoever_holds_the_token() {
        let (_folder, _home, passes) = passes();
        let token = passes.redeem(&passes.code()).unwrap();
        let (id, secret) = token.split_once('.').unwrap();
        let mut expected = Hmac::<Sha256>::new_from_slice(&Sha256::digest(secret)).unwrap();
        expected.update(b"pairwave-dashboard-proof-v1nonce");
        let expected = BASE64URL_NOPAD.encode(&expected.finalize().into_bytes());
        assert_eq!(passes.proof(id, "nonce"), Some(expected));
        assert_ne!(passes.proof(id, "nonce"), passes.proof(id, "other"));
        assert_eq!(passes.proof("0123456789abcdef", "nonce"), None);
        passes.lock().kept.tokens[0].until = now();
        assert_eq!(passes.proof(id, "nonce"), None);
        assert!(!passes.is_good(&token));
    }

    #[test]
    fn the_way_in_goes_with_its_code() {
        let (_folder, home, passes) = passes();
        let code = passes.code();
        fs::write(home.way_in(), &code).unwrap();
        assert_eq!(passes.redeem("made up"), None);
        assert!(home.way_in().exists());
        passes.redeem(&code).unwrap();
        assert!(!home.way_in().exists());
        fs::write(home.way_in(), &code).unwrap();
        Passes::load(&home);
        assert!(!home.way_in().exists(), "no code outlives its companion");
    }

    #[test]
    fn the_file_is_for_its_owner() {
        use std::os::unix::fs::PermissionsExt;
        let (_folder, home, passes) = passes();
        passes.moved_to(1, 1);
        let mode = fs::metadata(home.dashboard()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
