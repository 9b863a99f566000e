//! Passwords and tokens in URLs.

use std::ops::Range;

use super::alphabet::{DOTTED, Kinds, entropy};
use super::hit::{Hit, Rank};
use super::stop::{is_name, is_stand_in};

/// Who stands in URLs of documentation, and where they lead.
const NOBODY: &[&str] = &["user", "username", "usr", "name", "login", "foo", "u", "me", "you", "someone", "a", "x"];
const NOWHERE: &[&str] = &["localhost", "127.", "[::1]", "0.0.0.0", "host", "example", "server", "..."];
const WEAK: &[&str] =
    &["pass", "password", "passwd", "pwd", "pw", "secret", "postgres", "root", "admin", "test", "guest"];

/// Looks at the URL whose `://` stands at `mark`.
pub fn find(text: &str, mark: Range<usize>) -> Option<Hit> {
    const LONGEST: usize = 512;
    let bytes = text.as_bytes();
    if DOTTED.run_before(bytes, mark.start, 2) < 2 {
        return None;
    }
    let rest = &bytes[mark.end..bytes.len().min(mark.end + LONGEST)];
    let ends = |byte: &u8| {
        byte.is_ascii_whitespace() || matches!(byte, b'/' | b'?' | b'#' | b'"' | b'\'' | b'`' | b'<' | b'>' | b'\\')
    };
    let authority = &rest[..rest.iter().position(ends).unwrap_or(rest.len())];
    let at = authority.iter().rposition(|byte| *byte == b'@')?;
    let host = text.get(mark.end + at + 1..mark.end + authority.len())?;
    let access = text.get(mark.end..mark.end + at)?;
    let Some((user, password)) = access.split_once(':') else { return token(access, host, mark.end) };
    let start = mark.end + user.len() + 1;
    is_password(user, password, host).then(|| Hit {
        rule: "url-password",
        what: "a password in a URL",
        place: start..start + password.len(),
        rank: Rank::Named,
    })
}

fn is_password(user: &str, password: &str, host: &str) -> bool {
    const LEAST: usize = 4;
    let lower = password.to_ascii_lowercase();
    if password.len() < LEAST || host.is_empty() {
        return false;
    }
    let user = user.trim_start_matches(['[', '(']).to_ascii_lowercase();
    let host = host.trim_start_matches([']', ')']).to_ascii_lowercase();
    if WEAK.contains(&lower.as_str()) || lower == user {
        let nowhere = NOWHERE.iter().any(|word| host.starts_with(word)) || host.contains("example.");
        return !(nowhere || reserved(&host) || NOBODY.contains(&user.as_str()));
    }
    !is_stand_in(password) && !reserved(&host)
}

/// Whether no host of that name can exist (RFC 2606).
fn reserved(host: &str) -> bool {
    let name = host.split(':').next().unwrap_or(host);
    [".example", ".invalid", ".test"].iter().any(|ending| name.ends_with(ending))
}

/// A token where a name is expected.
fn token(user: &str, host: &str, start: usize) -> Option<Hit> {
    const LEAST: usize = 20;
    let kinds = Kinds::of(user.as_bytes());
    let random = kinds.digits && kinds.letters() && entropy(user.as_bytes()) >= 2.9 && !is_name(user);
    // What stands there in the address of a Sentry project is public.
    let public = host.contains("sentry");
    (user.len() >= LEAST && random && !public && !is_stand_in(user)).then(|| Hit {
        rule: "url-token",
        what: "a token in a URL",
        place: start..start + user.len(),
        rank: Rank::Named,
    })
}
