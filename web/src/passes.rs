//! Who may use the page. A one-time code out of a terminal buys a token, and the token is shown with
//! every call. The file keeps hashes alone: whoever reads it cannot use the page.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use blake2::digest::consts::U32;
use blake2::{Blake2b, Digest};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

/// How long a code waits to be used.
const CODE_LIVES: Duration = Duration::from_secs(10 * 60);
/// Codes that wait at a time; beyond it the oldest goes.
const CODES: usize = 16;
/// How long a token is good after it was bought.
const TOKEN_LIVES: Duration = Duration::from_secs(30 * 24 * 3600);
/// Tokens at a time; beyond it the oldest goes.
const TOKENS: usize = 32;
/// Largest file that is believed, in bytes.
const MAX_FILE: u64 = 64 * 1024;

type Hash = [u8; 32];

/// The codes and tokens of one companion.
pub struct Passes {
    file: PathBuf,
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
    tokens: Vec<Token>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    /// BLAKE2b-256 of the token, in hex.
    hash: String,
    /// Seconds since 1970.
    until: u64,
}

impl Passes {
    /// Reads what was kept; from anything else it starts anew, and pages must be opened again.
    pub fn load(file: PathBuf) -> Self {
        let fits = fs::metadata(&file).is_ok_and(|metadata| metadata.len() <= MAX_FILE);
        let text = if fits { fs::read_to_string(&file).unwrap_or_default() } else { String::new() };
        let kept = serde_json::from_str(&text).unwrap_or_default();
        Self { file, held: Mutex::new(Held { codes: Vec::new(), kept }) }
    }

    /// The port of the last run.
    pub fn last_port(&self) -> Option<u16> {
        self.lock().kept.port
    }

    /// Remembers the port. Tokens are bound to it as the browser's storage is.
    pub fn moved_to(&self, port: u16) {
        let mut held = self.lock();
        if held.kept.port != Some(port) {
            held.kept = Kept { port: Some(port), tokens: Vec::new() };
            self.keep(&held.kept);
        }
    }

    /// A fresh code that is good once.
    pub fn code(&self) -> String {
        let code = secret();
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
        let token = secret();
        let until = now() + TOKEN_LIVES.as_secs();
        held.kept.tokens.push(Token { hash: HEXLOWER.encode(&hash(&token)), until });
        if held.kept.tokens.len() > TOKENS {
            held.kept.tokens.remove(0);
        }
        self.keep(&held.kept);
        Some(token)
    }

    /// Is this a token that was given and is still good?
    pub fn is_good(&self, token: &str) -> bool {
        let wanted = HEXLOWER.encode(&hash(token));
        let now = now();
        let held = self.lock();
        held.kept
            .tokens
            .iter()
            .any(|known| known.until > now && bool::from(known.hash.as_bytes().ct_eq(wanted.as_bytes())))
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

/// 256 bits in letters that a URL takes.
fn secret() -> String {
    let mut bytes = [0; 32];
    // Without randomness nobody may be let in, and nothing else of the companion works either.
    getrandom::fill(&mut bytes).expect("the system gives randomness");
    BASE64URL_NOPAD.encode(&bytes)
}

fn hash(secret: &str) -> Hash {
    let mut hash = Blake2b::<U32>::new_with_prefix(b"pairwave-dashboard-v1");
    hash.update(secret.as_bytes());
    hash.finalize().into()
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes() -> (tempfile::TempDir, Passes) {
        let folder = tempfile::tempdir().unwrap();
        let passes = Passes::load(folder.path().join("dashboard"));
        (folder, passes)
    }

    #[test]
    fn a_code_is_good_once() {
        let (_folder, passes) = passes();
        let code = passes.code();
        let token = passes.redeem(&code).unwrap();
        assert!(passes.is_good(&token));
        assert_eq!(passes.redeem(&code), None);
        assert!(!passes.is_good(&code) && !passes.is_good(""));
        assert_eq!(passes.redeem("made up"), None);
    }

    #[test]
    fn only_so_many_codes_wait() {
        let (_folder, passes) = passes();
        let first = passes.code();
        for _ in 0..CODES {
            passes.code();
        }
        assert_eq!(passes.redeem(&first), None);
    }

    #[test]
    fn a_token_outlives_the_companion_and_its_secret_is_not_kept() {
        let (folder, passes) = passes();
        passes.moved_to(7591);
        let token = passes.redeem(&passes.code()).unwrap();
        let file = folder.path().join("dashboard");
        assert!(!fs::read_to_string(&file).unwrap().contains(&token));
        let again = Passes::load(file.clone());
        assert!(again.is_good(&token));
        assert_eq!(again.last_port(), Some(7591));
        again.moved_to(7592);
        assert!(!again.is_good(&token), "another port is another page");
        fs::write(&file, "{").unwrap();
        assert!(!Passes::load(file).is_good(&token));
    }

    #[test]
    fn the_file_is_for_its_owner() {
        use std::os::unix::fs::PermissionsExt;
        let (folder, passes) = passes();
        passes.moved_to(1);
        let mode = fs::metadata(folder.path().join("dashboard")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
