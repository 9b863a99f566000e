//! Paths as patches write them.

/// How git marks the two sides: its default, and what `diff.mnemonicPrefix` makes of it.
const SIDES: &[u8] = b"abciow12";

/// What stands for a file that is not there.
const NOTHING: &str = "/dev/null";

/// The path of a `---` or `+++` line, with its side's prefix, without a time behind it.
pub fn of_side(rest: &str) -> Option<String> {
    if rest.starts_with('"') {
        return quoted(rest).map(|(name, _)| name);
    }
    let name = rest.split('\t').next().unwrap_or(rest);
    Some(without_time(name).to_owned())
}

/// The path of a `rename from` line and its like.
pub fn whole(rest: &str) -> Option<String> {
    if rest.starts_with('"') {
        return quoted(rest).filter(|(_, rest)| rest.is_empty()).map(|(name, _)| name);
    }
    Some(rest.to_owned())
}

/// Both paths of a `diff --git` line, where they can be told apart: they are the same, or quoted.
pub fn of_git_line(rest: &str) -> Option<(String, String)> {
    if rest.starts_with('"') {
        let (old, rest) = quoted(rest)?;
        return Some((old, whole(rest.strip_prefix(' ')?)?));
    }
    if rest.ends_with('"') {
        let (old, new) = rest.split_once(" \"")?;
        return Some((old.to_owned(), whole(&format!("\"{new}"))?));
    }
    let middle = rest.len().checked_sub(1)? / 2;
    let (old, new) = (rest.get(..middle)?, rest.get(middle..)?.strip_prefix(' ')?);
    let same = stripped(old) == stripped(new);
    same.then(|| (old.to_owned(), new.to_owned()))
}

/// Both sides without their prefixes, if both have one; nothing for a file that is not there.
pub fn sides(old: &str, new: &str) -> (Option<String>, Option<String>) {
    let both = [old, new].iter().all(|name| *name == NOTHING || prefixed(name));
    let side = |name: &str| (name != NOTHING).then(|| if both { stripped(name).to_owned() } else { name.to_owned() });
    (side(old), side(new))
}

fn prefixed(name: &str) -> bool {
    let bytes = name.as_bytes();
    bytes.len() > 2 && bytes[1] == b'/' && SIDES.contains(&bytes[0])
}

fn stripped(name: &str) -> &str {
    if prefixed(name) { &name[2..] } else { name }
}

/// Some tools put a space, not a tab, before the time.
fn without_time(name: &str) -> &str {
    let date = |rest: &str| {
        let shape: String = rest.chars().take(14).map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        shape == "0000-00-00 00:"
    };
    name.match_indices(' ').find(|(at, _)| date(&name[at + 1..])).map_or(name, |(at, _)| name[..at].trim_end())
}

/// A path in quotes with the escapes of C, and what stands behind it. Bytes that are no UTF-8 show
/// as replacement characters.
fn quoted(text: &str) -> Option<(String, &str)> {
    let bytes = text.as_bytes();
    let (mut name, mut at) = (Vec::new(), 1);
    loop {
        match *bytes.get(at)? {
            b'"' => break,
            b'\\' => {
                let (byte, length) = escape(&bytes[at + 1..])?;
                name.push(byte);
                at += 1 + length;
            }
            byte => {
                name.push(byte);
                at += 1;
            }
        }
    }
    Some((String::from_utf8_lossy(&name).into_owned(), &text[at + 1..]))
}

/// The byte of an escape, and how long it is behind its backslash.
fn escape(bytes: &[u8]) -> Option<(u8, usize)> {
    let simple = match *bytes.first()? {
        b'a' => 7,
        b'b' => 8,
        b't' => b'\t',
        b'n' => b'\n',
        b'v' => 11,
        b'f' => 12,
        b'r' => b'\r',
        byte @ (b'"' | b'\\') => byte,
        _ => {
            let digits = std::str::from_utf8(bytes.get(..3)?).ok()?;
            return u8::from_str_radix(digits, 8).ok().map(|byte| (byte, 3));
        }
    };
    Some((simple, 1))
}
