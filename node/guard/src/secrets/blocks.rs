//! Private keys as files hold them: in blocks of lines.

use std::ops::Range;

use super::alphabet::{BASE64, BOTH64, Kinds, URL64};

/// How a block of a private key is recognised.
#[derive(Debug)]
pub struct Block {
    pub id: &'static str,
    pub what: &'static str,
    pub start: &'static str,
    /// What the line goes on with, somewhere.
    label: &'static str,
    /// What ends the block.
    end: &'static str,
}

pub const BLOCKS: &[Block] = &[
    Block {
        id: "private-key",
        what: "a private key",
        start: "-----BEGIN ",
        label: "PRIVATE KEY",
        end: "PRIVATE KEY-----",
    },
    Block {
        id: "pgp-private-key",
        what: "a PGP private key",
        start: "-----BEGIN PGP",
        label: "PRIVATE KEY BLOCK",
        end: "PRIVATE KEY BLOCK-----",
    },
    Block {
        id: "ssh2-private-key",
        what: "a private SSH key",
        start: "---- BEGIN SSH2 ENCRYPTED",
        label: "PRIVATE KEY",
        end: "PRIVATE KEY ----",
    },
    Block {
        id: "putty-private-key",
        what: "a PuTTY private key",
        start: "PuTTY-User-Key-File-",
        label: ":",
        end: "Private-MAC:",
    },
    Block {
        id: "minisign-secret-key",
        what: "a minisign secret key",
        start: "minisign encrypted secret key",
        label: "",
        end: "\n\n",
    },
];

/// Longest block: an RSA key of 16,384 bits with its headers.
const LONGEST: usize = 16 * 1024;
/// How far behind the first line the key begins at the latest.
const HEADERS: usize = 512;
/// Shortest line of a key; less is a sketch of one.
const LINE: usize = 24;

impl Block {
    /// The block that begins at `start`, if a key is in it.
    pub fn find(&self, text: &[u8], start: Range<usize>) -> Option<Range<usize>> {
        const LABEL: usize = 64;
        let rest = &text[start.end..text.len().min(start.start + LONGEST)];
        // Up to the next one: many beginnings without an end are not searched again and again.
        let rest = &rest[..position(rest, self.start).unwrap_or(rest.len())];
        let line = &rest[..rest.iter().take(LABEL).position(|byte| *byte == b'\n').unwrap_or(rest.len().min(LABEL))];
        let label = position(line, self.label)? + self.label.len();
        let body = &rest[label..];
        let key = first_line(&body[..body.len().min(HEADERS)])?;
        let end = match position(&body[key.end..], self.end) {
            Some(at) => key.end + at + self.end.len(),
            None => key.end,
        };
        Some(start.start..start.end + label + end)
    }
}

/// The first run that is long and mixed enough to be part of a key.
fn first_line(body: &[u8]) -> Option<Range<usize>> {
    // Where code begins the header was only spoken of.
    let code = |byte: &u8| matches!(byte, b'(' | b')' | b'{' | b'}' | b'[' | b']' | b';' | b'<' | b'>');
    let body = &body[..body.iter().position(code).unwrap_or(body.len())];
    let mut at = 0;
    while at < body.len() {
        let length = BASE64.run(body, at, usize::MAX);
        let run = at..at + length;
        if length >= LINE && Kinds::of(&body[run.clone()]).count() >= 3 {
            return Some(run);
        }
        at = run.end + 1;
    }
    None
}

fn position(text: &[u8], wanted: &str) -> Option<usize> {
    if wanted.is_empty() {
        return Some(0);
    }
    text.windows(wanted.len()).position(|window| window == wanted.as_bytes())
}

/// A JSON web token: three parts, of which the first two begin as JSON in base64 does.
pub fn web_token(text: &[u8], start: Range<usize>) -> Option<Range<usize>> {
    const LONGEST: usize = 8 * 1024;
    const LEAST: usize = 10;
    if start.start > 0 && BOTH64.has(text[start.start - 1]) && text[start.start - 1] != b'/' {
        return None;
    }
    let header = start.start + URL64.run(text, start.start, 2048);
    let rest = text.get(header..)?.strip_prefix(b".eyJ")?;
    let claims = header + 4 + URL64.run(rest, 0, LONGEST);
    let signature = text.get(claims..)?.strip_prefix(b".")?;
    let length = URL64.run(signature, 0, 1024);
    (length >= LEAST && claims - header > LEAST).then_some(start.start..claims + 1 + length)
}
