//! What stands where a secret could, and is none.

use super::alphabet::Kinds;

/// Whether this is what people write in place of a secret: a word that says so, a variable, a call, a
/// path.
pub fn is_stand_in(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    is_reference(value)
        || WORDS.iter().any(|word| lower.contains(word))
        || EXACT.contains(&lower.as_str())
        || repeats(value.as_bytes())
        || counts(value)
}

/// Words that no secret holds but by a chance that may be neglected.
const WORDS: &[&str] = &[
    "example",
    "changeme",
    "change-me",
    "change_me",
    "change-it",
    "changeit",
    "placeholder",
    "dummy",
    "sample",
    "redacted",
    "xxxx",
    "your-",
    "your_",
    "yourpass",
    "yoursecret",
    "yourtoken",
    "yourkey",
    "my-secret",
    "my_secret",
    "my-token",
    "insert",
    "replace",
    "undefined",
    "not-a-real",
    "notreal",
    "foobar",
    "foo-bar",
    "lorem",
    "deadbeef",
    "fixture",
    "process.env",
    "getenv",
    "environ",
    "....",
    "****",
    "____",
    "----",
    "<",
    ">",
    "…",
    "${",
    "{{",
    "}}",
    "$(",
    "%(",
    "%s",
    "{}",
    "0123456789",
    "abcdefgh",
    "mysecret",
    "mytoken",
    "testtest",
    "unittest",
];

const EXACT: &[&str] = &[
    "true",
    "false",
    "none",
    "null",
    "nil",
    "string",
    "str",
    "secret",
    "password",
    "passwd",
    "token",
    "test",
    "testing",
    "default",
    "required",
    "optional",
    "hidden",
    "hunter",
    "admin",
    "root",
    "user",
    "value",
    "empty",
    "unset",
    "disabled",
    "enabled",
    "bearer",
    "basic",
    "number",
    "object",
    "boolean",
    "bytes",
    "text",
    "base64",
    "sha256",
    "sha512",
    "sha1",
    "md5",
    "bcrypt",
    "argon2",
    "argon2id",
    "ed25519",
    "x25519",
    "utf-8",
    "utf8",
    "passwort",
    "kennwort",
    "wachtwoord",
    "contrasena",
    "senha",
    "heslo",
    "parola",
    "salasana",
    "clave",
    "hex",
];

/// A variable, a template, a path, a member of something.
fn is_reference(value: &str) -> bool {
    const NUMBER: usize = 18;
    let first = value.as_bytes().first().copied().unwrap_or_default();
    matches!(first, b'$' | b'{' | b'<' | b'[' | b'(' | b'*' | b'/' | b'~')
        || (first == b'%' && value.ends_with('%'))
        || value.starts_with("./")
        || value.starts_with("../")
        || value.starts_with("env.")
        || value.starts_with("secrets.")
        || value.starts_with("vars.")
        || value.contains("::")
        || value.contains("://")
        || (value.starts_with("0x") && value.len() <= NUMBER)
}

/// One or two characters again and again.
fn repeats(value: &[u8]) -> bool {
    let Some(first) = value.first() else { return true };
    value.iter().all(|byte| byte == first) || (value.len() > 4 && value.chunks(2).all(|pair| value.starts_with(pair)))
}

/// Bytes in hexadecimal of which each is one more than the one before.
fn counts(value: &str) -> bool {
    const LEAST: usize = 6;
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = value.as_bytes().chunks(2).map(byte).collect();
    bytes.is_some_and(|bytes| bytes.len() >= LEAST && bytes.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1)))
}

/// Whether this is written in a language, not drawn: many of its letters are not of ASCII.
pub fn is_foreign(value: &str) -> bool {
    let foreign = value.chars().filter(|letter| !letter.is_ascii() && letter.is_alphabetic()).count();
    foreign * 4 > value.chars().count()
}

/// Words of small letters: as many as make a good passphrase.
pub fn is_passphrase(value: &str) -> bool {
    const WORDS: usize = 4;
    const PROSE: &[&str] =
        &["the", "your", "is", "a", "to", "and", "or", "for", "of", "in", "must", "be", "at", "with", "not", "please"];
    let words: Vec<&str> = value.split(['-', ' ', '_', '.']).collect();
    let plain = |word: &&str| word.len() >= 2 && word.bytes().all(|byte| byte.is_ascii_lowercase());
    words.len() >= WORDS && words.iter().all(plain) && !words.iter().any(|word| PROSE.contains(word))
}

/// Whether this could be a name in a program, a sentence's word, or several joined: letters, with
/// `_`, `-` or `.` between them.
pub fn is_name(value: &str) -> bool {
    value.split(['_', '-', '.', ':', ' ', '/']).all(|word| {
        let letters = word.trim_end_matches(|letter: char| letter.is_ascii_digit());
        word.len() - letters.len() <= 2 && is_word(letters)
    })
}

/// Letters whose case changes only where a word begins.
fn is_word(word: &str) -> bool {
    const LONGEST: usize = 40;
    let bytes = word.as_bytes();
    let kinds = Kinds::of(bytes);
    if kinds.digits || kinds.others || bytes.len() > LONGEST {
        return false;
    }
    if !kinds.lower || !kinds.upper {
        return true;
    }
    // In `getTokenFromEnv` a capital begins each word; in what was drawn at random there are many.
    let capitals = bytes.iter().filter(|byte| byte.is_ascii_uppercase()).count();
    capitals * 3 <= bytes.len() + 2
}

#[cfg(test)]
mod tests {
    use super::{is_name, is_stand_in};

    #[test]
    fn what_is_written_in_place_of_a_secret() {
        for value in
            ["changeme", "<token>", "${TOKEN}", "your-api-key", "xxxxxxxx", "%TOKEN%", "./path/to", "process.env.X"]
        {
            assert!(is_stand_in(value), "{value}");
        }
        for value in ["S3cr3t!pw", "hunter2", "kJ8wq2Zx7Lp0Vb3T"] {
            assert!(!is_stand_in(value), "{value}");
        }
    }

    #[test]
    fn names_of_programs() {
        for value in ["getTokenFromEnv", "self.token", "relay_token", "TOKEN", "session2", "ParseTokenError"] {
            assert!(is_name(value), "{value}");
        }
        for value in ["kJwqZxLpVbTrMn", "hunter22a", "a8f5f167f44f"] {
            assert!(!is_name(value), "{value}");
        }
    }
}
