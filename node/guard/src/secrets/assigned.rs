//! Secrets that only their name gives away: assignments, `.env` lines, headers, arguments, sentences.

use std::ops::Range;

use super::alphabet::{BEARER, DOTTED, Kinds, NAME, PADDED64, URL64, entropy};
use super::decoded;
use super::hit::{Hit, Rank};
use super::stop::{is_foreign, is_name, is_passphrase, is_stand_in};

/// A word that names secrets.
#[derive(Debug)]
pub struct Word {
    pub word: &'static str,
    sense: Sense,
    /// No letter stands before it.
    whole: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sense {
    /// Chosen by a human: short and guessable ones too.
    Password,
    /// Drawn by a machine.
    Key,
    /// In front of the token of a header.
    Bearer,
    /// In front of a name and a password in base64.
    Basic,
}

const fn word(word: &'static str, sense: Sense) -> Word {
    Word { word, sense, whole: false }
}

const fn whole(word: &'static str, sense: Sense) -> Word {
    Word { word, sense, whole: true }
}

/// Found in any case.
pub const WORDS: &[Word] = &[
    word("password", Sense::Password),
    word("passwd", Sense::Password),
    word("passphrase", Sense::Password),
    word("passwort", Sense::Password),
    whole("pass", Sense::Password),
    whole("pwd", Sense::Password),
    word("secret", Sense::Key),
    word("token", Sense::Key),
    word("credential", Sense::Key),
    word("apikey", Sense::Key),
    word("api_key", Sense::Key),
    word("api-key", Sense::Key),
    word("api key", Sense::Key),
    word("accesskey", Sense::Key),
    word("access_key", Sense::Key),
    word("access-key", Sense::Key),
    word("authkey", Sense::Key),
    word("auth_key", Sense::Key),
    word("privatekey", Sense::Key),
    word("private_key", Sense::Key),
    word("private-key", Sense::Key),
    word("signing_key", Sense::Key),
    word("signingkey", Sense::Key),
    word("encryption_key", Sense::Key),
    word("encryptionkey", Sense::Key),
    word("master_key", Sense::Key),
    word("masterkey", Sense::Key),
    word("account_key", Sense::Key),
    word("accountkey", Sense::Key),
    whole("bearer ", Sense::Bearer),
    whole("basic ", Sense::Basic),
    whole("auth", Sense::Basic),
];

/// What may follow the word in a name.
const ENDINGS: &[&str] =
    &["", "key", "keybase", "accesskey", "value", "base", "prod", "production", "staging", "live", "dev", "test"];

/// A value, and how it is given.
#[derive(Debug)]
pub struct Value {
    pub place: Range<usize>,
    pub quoted: bool,
    sentence: bool,
    /// After a comma.
    listed: bool,
}

/// Where the name of a value stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Setting {
    /// First in its line, as in a file of settings.
    line: bool,
    /// In capitals, as in `.env`.
    capitals: bool,
    /// After two dashes, or after a login: the value follows without a sign.
    argument: bool,
    /// Beside a user, or alone in its braces.
    credentials: bool,
}

/// The secret that this word names.
pub fn find(text: &str, word: &Word, place: Range<usize>) -> Option<Hit> {
    let bytes = text.as_bytes();
    if word.whole && place.start > 0 && bytes[place.start - 1].is_ascii_alphanumeric() {
        return None;
    }
    match word.sense {
        Sense::Bearer => bearer(text, place.end),
        Sense::Basic if word.word == "auth" => basic(text, value_after(bytes, place.end, || false)?.place.start),
        Sense::Basic => basic(text, place.end),
        Sense::Password | Sense::Key => named(text, word, place),
    }
}

fn named(text: &str, word: &Word, place: Range<usize>) -> Option<Hit> {
    let bytes = text.as_bytes();
    let end = end_of_name(bytes, place.end)?;
    let value = value_after(bytes, end, || is_argument(bytes, place.start));
    if value.is_none() && bytes.get(end) != Some(&b'=') {
        return None;
    }
    let setting = setting(bytes, place.start, end);
    let value = match value {
        Some(value) if value.quoted => value,
        value if setting.line && setting.capitals => environment(bytes, end).or(value)?,
        value => value?,
    };
    if value.listed && !is_pair(bytes, place.start) {
        return None;
    }
    let found = text.get(value.place.clone())?;
    let line = setting.line && (value.quoted || ends_line(bytes, value.place.end));
    let setting = Setting { line, credentials: is_credentials(bytes, &place, &value), ..setting };
    let fits = match word.sense {
        Sense::Password => is_password(found, &value, setting),
        _ => is_key(found, &value, setting),
    };
    let (rule, what) = match (word.sense, setting.line && setting.capitals) {
        (Sense::Password, true) => ("env-password", "a password in an environment variable"),
        (Sense::Password, false) => ("password", "a password"),
        (_, true) => ("env-key", "a key or token in an environment variable"),
        (_, false) => ("key", "a key or token"),
    };
    fits.then_some(Hit { rule, what, place: value.place, rank: Rank::Named })
}

/// Whether nothing but a remark follows.
fn ends_line(text: &[u8], at: usize) -> bool {
    let rest = &text[at + count(text, at, 64, |byte| matches!(byte, b' ' | b'\t' | b';'))..];
    rest.is_empty() || [&b"\n"[..], b"\r", b"#", b"//"].iter().any(|end| rest.starts_with(end))
}

/// Whether this is the password of an object that is a login: of somebody, or nothing else.
fn is_credentials(text: &[u8], name: &Range<usize>, value: &Value) -> bool {
    const NEAR: usize = 96;
    if !value.quoted || name.start == 0 || !matches!(text[name.start - 1], b'"' | b'\'') {
        return false;
    }
    let before = &text[name.start.saturating_sub(NEAR)..name.start - 1];
    let after = &text[value.place.end..text.len().min(value.place.end + NEAR)];
    let alone = before.trim_ascii_end().ends_with(b"{")
        && after.get(1..).unwrap_or_default().trim_ascii_start().starts_with(b"}");
    let somebody = [&b"\"user"[..], b"\"login\"", b"\"email\"", b"\"host\""];
    let near =
        [before, after].iter().any(|side| somebody.iter().any(|word| side.windows(word.len()).any(|w| w == *word)));
    alone || near
}

fn bearer(text: &str, start: usize) -> Option<Hit> {
    const LEAST: usize = 16;
    let end = start + BEARER.run(text.as_bytes(), start, 4096);
    let token = &text[start..end];
    let kinds = Kinds::of(token.as_bytes());
    let fits = token.len() >= LEAST && kinds.digits && kinds.letters() && entropy(token.as_bytes()) >= 3.2;
    (fits && !is_stand_in(token) && !is_name(token)).then_some(Hit {
        rule: "bearer-token",
        what: "a bearer token",
        place: start..end,
        rank: Rank::Named,
    })
}

fn basic(text: &str, start: usize) -> Option<Hit> {
    let end = start + PADDED64.run(text.as_bytes(), start, 512);
    let letters = text.as_bytes()[start..end].trim_ascii_end();
    let length = letters.iter().rposition(|byte| *byte != b'=')? + 1;
    let (view, _) = decoded::base64(letters, 0..length)?;
    let (name, password) = view.text.split_once(':')?;
    let readable = view.text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    (readable && !name.is_empty() && password.len() >= 4 && !is_stand_in(password)).then_some(Hit {
        rule: "basic-auth",
        what: "a name and a password for HTTP",
        place: start..end,
        rank: Rank::Named,
    })
}

fn is_password(value: &str, given: &Value, setting: Setting) -> bool {
    const LEAST: usize = 6;
    let bytes = value.as_bytes();
    let kinds = Kinds::of(bytes);
    if bytes.len() < LEAST || !kinds.letters() || is_stand_in(value) {
        return false;
    }
    if value.contains(char::is_whitespace) && !(setting.credentials && is_passphrase(value)) {
        return false;
    }
    if names_itself(value) && kinds.count() < 3 || is_foreign(value) {
        return false;
    }
    if setting.credentials && (kinds.count() == 1 || is_passphrase(value)) {
        return true;
    }
    let plain = given.quoted || setting.line || setting.argument || given.sentence;
    let varied = kinds.digits || kinds.count() >= 3 || kinds.others || entropy(bytes) >= 3.3 && bytes.len() >= 16;
    let word = is_name(value) && !(plain && kinds.digits && !kinds.others);
    match (plain, setting.line && setting.capitals) {
        (true, true) => !word || (bytes.len() >= 8 && !kinds.others),
        (true, false) => varied && !word,
        (false, _) => kinds.digits && kinds.count() >= 3 && bytes.len() >= 8 && !word,
    }
}

fn is_key(value: &str, given: &Value, setting: Setting) -> bool {
    let bytes = value.as_bytes();
    let kinds = Kinds::of(bytes);
    let plain = given.quoted || setting.line || setting.argument;
    // `ed25519.PrivateKey` in code.
    let member = !plain && value.contains('.');
    let (least, variety) = if plain { (10, 3.0) } else { (16, 3.2) };
    let mixed = (kinds.digits && kinds.letters()) || (bytes.len() >= 20 && kinds.lower && kinds.upper);
    let code = |byte: &u8| matches!(byte, b'(' | b')' | b'{' | b'}' | b';' | b',' | b'"' | b'\'' | b'\\' | b'`');
    let written = bytes.iter().all(|byte| byte.is_ascii_graphic() && !code(byte));
    bytes.len() >= least
        && written
        && mixed
        && entropy(bytes) >= variety
        && !member
        && !value.contains("abc123")
        && !is_stand_in(value)
        && !is_name(value)
        && !(names_itself(value) && kinds.count() < 4)
}

/// Whether the name is the first of two arguments, as in `set("password", "…")`.
fn is_pair(text: &[u8], word: usize) -> bool {
    let start = word - DOTTED.run_before(text, word, 64);
    start >= 2 && matches!(text[start - 1], b'"' | b'\'') && text[start - 2] == b'('
}

/// `my-secret-token` is none.
fn names_itself(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    ["pass", "pwd", "secret", "token", "key"].iter().any(|word| lower.contains(word))
}

/// Where the name ends that the word is in, if it is the end of what it names.
fn end_of_name(text: &[u8], start: usize) -> Option<usize> {
    const LONGEST: usize = 24;
    let length = URL64.run(text, start, LONGEST);
    let ending = || text[start..start + length].iter().filter(|byte| byte.is_ascii_alphabetic());
    let fits = |known: &&str| ending().map(u8::to_ascii_lowercase).eq(known.bytes());
    ENDINGS.iter().any(fits).then_some(start + length)
}

fn setting(text: &[u8], word: usize, end: usize) -> Setting {
    const LONGEST: usize = 64;
    let start = word - DOTTED.run_before(text, word, LONGEST);
    let before = &text[start.saturating_sub(LONGEST)..start];
    let line = before.rsplit(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or(before);
    let begins = line.len() < before.len() || start <= LONGEST;
    let name = &text[start..end];
    let words = line.trim_ascii();
    let first = [&b""[..], b"export", b"set", b"ENV", b"-", b"+", b"#", b"-e", b"$env:", b"*", b">", b"//"];
    Setting {
        line: begins && first.contains(&words) && !name.starts_with(b"--"),
        capitals: !name.iter().any(u8::is_ascii_lowercase),
        credentials: false,
        argument: is_argument(text, word),
    }
}

fn is_argument(text: &[u8], word: usize) -> bool {
    const NEAR: usize = 64;
    let start = word - DOTTED.run_before(text, word, NEAR);
    let before = &text[start.saturating_sub(NEAR)..start];
    let line = before.rsplit(|byte| *byte == b'\n').next().unwrap_or(before);
    text[start..].starts_with(b"--") || line.windows(6).any(|window| window == b"login ")
}

/// The value that is given after a name, in one of the many ways.
pub fn value_after(text: &[u8], name: usize, argument: impl FnOnce() -> bool) -> Option<Value> {
    let closed = name + count(text, name, 4, |byte| matches!(byte, b'"' | b'\'' | b'`' | b'\\' | b']'));
    let at = closed + spaces(text, closed);
    let listed = text[at..].starts_with(b",");
    let (at, mut sentence) = match operator(text, at) {
        Some(end) => (end, false),
        None if text[at..].starts_with(b"is ") => (at + 3, true),
        None if text[at..].starts_with(b"is: ") => (at + 4, true),
        None if text[at..].starts_with(b",") && closed > name => (at + 1, false),
        None if at > closed && argument() => (at, false),
        None => return None,
    };
    let at = at + spaces(text, at);
    let inner = quoted(text, at).or_else(|| quoted(text, wrapped(text, at)?)).or_else(|| annotated(text, at));
    if let Some(place) = inner {
        return Some(Value { place, quoted: true, sentence: false, listed });
    }
    sentence |= text[at.saturating_sub(2)..at] == *b": ";
    bare(text, at).filter(|_| !listed).map(|place| Value { place, quoted: false, sentence, listed })
}

/// `=`, `:`, `:=`, `=>`, `==`, `!=`, `>` and the like.
fn operator(text: &[u8], at: usize) -> Option<usize> {
    let length = count(text, at, 3, |byte| matches!(byte, b'=' | b':' | b'>' | b'?' | b'!' | b'+' | b'~'));
    let operator = &text[at..at + length];
    let assigns = operator.iter().any(|byte| matches!(byte, b'=' | b':' | b'>')) && !operator.starts_with(b"::");
    assigns.then_some(at + length)
}

/// The text in quotes that begins here, perhaps with the letters that some languages put before.
fn quoted(text: &[u8], at: usize) -> Option<Range<usize>> {
    const LONGEST: usize = 400;
    let at = at + count(text, at, 3, |byte| matches!(byte, b'b' | b'r' | b'f' | b'u' | b'@' | b'#'));
    let escaped = usize::from(text.get(at) == Some(&b'\\'));
    let quote = *text.get(at + escaped)?;
    if !matches!(quote, b'"' | b'\'' | b'`') {
        return None;
    }
    let start = at + escaped + 1;
    let rest = &text[start..text.len().min(start + LONGEST)];
    let closes = |at: usize| rest[at] == quote && (at > 0 && rest[at - 1] == b'\\') == (escaped == 1);
    let end = (0..rest.len()).find(|at| rest[*at] == b'\n' || closes(*at))?;
    (rest[end] != b'\n').then_some(start..start + end - escaped)
}

/// Where the argument of `Some(`, `String::from(`, `Secret::new(` begins.
fn wrapped(text: &[u8], at: usize) -> Option<usize> {
    let length = count(text, at, 32, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'_'));
    let wrapper = &text[at..at + length];
    let known = ["Some", "from", "new"].iter().any(|known| wrapper.ends_with(known.as_bytes()));
    (known && text.get(at + length) == Some(&b'(')).then_some(at + length + 1)
}

/// What is assigned after a type: `password: &str = "…"`.
fn annotated(text: &[u8], at: usize) -> Option<Range<usize>> {
    let is_type = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'&' | b'\'' | b'<' | b'>' | b':' | b'_' | b' ' | b'?' | b'|')
    };
    let end = at + count(text, at, 40, is_type);
    let start = end + text[end..].starts_with(b"= ").then_some(2)?;
    quoted(text, start)
}

/// A value without quotes, up to what ends it. Before a bracket it is code.
fn bare(text: &[u8], start: usize) -> Option<Range<usize>> {
    const LONGEST: usize = 400;
    let ends = |byte: u8| {
        byte.is_ascii_whitespace()
            || byte.is_ascii_control()
            || matches!(byte, b'"' | b'\'' | b'`' | b',' | b';' | b'&' | b'|' | b'\\')
            || matches!(byte, b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'<' | b'>')
    };
    let end = start + count(text, start, LONGEST, |byte| !ends(byte));
    let code = text.get(end).is_some_and(|byte| matches!(byte, b'(' | b'[' | b'{'));
    let value = &text[start..end];
    let kept = value.iter().rposition(|byte| !matches!(byte, b'.' | b':' | b'?' | b'!'))? + 1;
    (!code && end - start < LONGEST).then_some(start..start + kept)
}

/// A value as in `.env`: right behind the sign, up to the first space, brackets and all.
fn environment(text: &[u8], name: usize) -> Option<Value> {
    const LONGEST: usize = 400;
    let start = name + 1;
    let length = count(text, start, LONGEST, |byte| !byte.is_ascii_whitespace());
    let call = NAME.run(text, start, LONGEST);
    let written = text.get(name) == Some(&b'=') && length > 0 && text.get(start + call) != Some(&b'(');
    written.then_some(Value { place: start..start + length, quoted: false, sentence: false, listed: false })
}

fn spaces(text: &[u8], at: usize) -> usize {
    count(text, at, 16, |byte| matches!(byte, b' ' | b'\t'))
}

fn count(text: &[u8], at: usize, most: usize, is: impl Fn(u8) -> bool) -> usize {
    text.get(at..).unwrap_or_default().iter().take(most).take_while(|byte| is(**byte)).count()
}
