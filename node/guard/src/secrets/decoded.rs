//! What a text says once it is decoded: without escapes, invisible characters and broken lines, or
//! out of base64. Each knows where its bytes came from.

use std::ops::Range;

use super::alphabet::BOTH64;

/// A decoded text.
#[derive(Debug)]
pub struct View {
    pub text: String,
    /// In the order of the text. The first begins at 0.
    pieces: Vec<Piece>,
}

/// Bytes that came from one place.
#[derive(Debug, Clone, Copy)]
struct Piece {
    /// Where it begins in the decoded text.
    at: usize,
    /// Where it began in the text that was decoded.
    from: usize,
    /// How long it was there. A copied piece is as long here.
    taken: usize,
    copied: bool,
}

impl View {
    /// Where a range of the decoded text came from.
    pub fn origin(&self, range: Range<usize>) -> Range<usize> {
        let first = self.piece(range.start);
        let start = if first.copied { first.from + (range.start - first.at) } else { first.from };
        let last = range.end.saturating_sub(1).max(range.start);
        let piece = self.piece(last);
        let end = if piece.copied { piece.from + (last - piece.at) + 1 } else { piece.from + piece.taken };
        start..end
    }

    fn piece(&self, at: usize) -> Piece {
        self.pieces[self.pieces.partition_point(|piece| piece.at <= at) - 1]
    }
}

/// Undoes one level of escapes as JSON, source code, URLs and HTML have them, takes out what cannot be
/// seen, and joins lines that a backslash continues. Nothing if there is none of that. What is far from
/// all of that reads the same as before, and is left out.
pub fn unescape(text: &str) -> Option<View> {
    let bytes = text.as_bytes();
    let mut view = View { text: String::new(), pieces: Vec::new() };
    let mut copied = 0;
    let mut at = 0;
    while let Some(skipped) = bytes[at..].iter().position(|byte| SPECIAL[usize::from(*byte)]) {
        at += skipped;
        let Some((length, letter)) = escape(&text[at..]) else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
            continue;
        };
        view.go_on(text, copied, at);
        if let Some(letter) = letter {
            view.pieces.push(Piece { at: view.text.len(), from: at, taken: length, copied: false });
            view.text.push(letter);
        }
        at += length;
        copied = at;
    }
    if copied == 0 {
        return None;
    }
    view.copy(text, copied..boundary(text, (copied + NEAR).min(text.len())));
    Some(view).filter(|view| !view.text.is_empty())
}

/// How much text around an escape is kept: what is longer than a token, its name and its line.
const NEAR: usize = 1024;

impl View {
    /// Copies what lies between two escapes; if that is much, only what is near to them.
    fn go_on(&mut self, text: &str, copied: usize, at: usize) {
        let before = if copied == 0 { 0 } else { NEAR };
        if at - copied <= before + NEAR {
            return self.copy(text, copied..at);
        }
        self.copy(text, copied..boundary(text, copied + before));
        self.pieces.push(Piece { at: self.text.len(), from: copied, taken: 0, copied: false });
        self.text.push('\n');
        let start = boundary(text, at - NEAR);
        // Not from the middle of a word: its end could look like a token.
        let words = text[start..at].find([' ', '\n', '"']).map_or(start, |space| start + space);
        self.copy(text, words..at);
    }

    fn copy(&mut self, text: &str, range: Range<usize>) {
        if !range.is_empty() {
            self.pieces.push(Piece { at: self.text.len(), from: range.start, taken: range.len(), copied: true });
            self.text.push_str(&text[range]);
        }
    }
}

/// The last boundary of characters up to `at`.
pub fn boundary(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Bytes that an escape or something invisible can begin with.
static SPECIAL: [bool; 256] = {
    let mut special = [false; 256];
    let first = [0, b'\\', b'%', b'&', 0x1b, 0xc2, 0xcd, 0xe1, 0xe2, 0xef, 0xf3];
    let mut index = 0;
    while index < first.len() {
        special[first[index] as usize] = true;
        index += 1;
    }
    special
};

/// How long the escape is that the text begins with, and what it stands for.
fn escape(text: &str) -> Option<(usize, Option<char>)> {
    match text.as_bytes()[0] {
        b'\\' => backslash(text),
        b'%' => {
            let code = hexadecimal(text.get(1..3)?)?;
            (0x20..0x7f).contains(&code).then(|| (3, char::from_u32(code)))
        }
        b'&' => entity(text),
        0x1b => color(text.as_bytes()).map(|length| (length, None)),
        _ => {
            let letter = text.chars().next()?;
            is_invisible(letter).then(|| (letter.len_utf8(), None))
        }
    }
}

fn backslash(text: &str) -> Option<(usize, Option<char>)> {
    let letter = match text.as_bytes().get(1)? {
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        mark @ (b'"' | b'\'' | b'\\' | b'/') => char::from(*mark),
        b'\n' | b'\r' => return Some((text.len() - text[1..].trim_start_matches([' ', '\t', '\r', '\n']).len(), None)),
        b'x' => return number(text.get(2..4)?, 4),
        b'u' if text.as_bytes().get(2) == Some(&b'{') => {
            let digits = text[3..].bytes().take(8).position(|byte| byte == b'}')?;
            return number(&text[3..3 + digits], digits + 4);
        }
        b'u' => return number(text.get(2..6)?, 6),
        _ => return None,
    };
    Some((2, Some(letter)))
}

fn entity(text: &str) -> Option<(usize, Option<char>)> {
    for (name, letter) in [("&quot;", '"'), ("&amp;", '&'), ("&apos;", '\''), ("&lt;", '<'), ("&gt;", '>')] {
        if text.starts_with(name) {
            return Some((name.len(), Some(letter)));
        }
    }
    let digits = text.strip_prefix("&#")?;
    let end = digits.bytes().take(8).position(|byte| byte == b';')?;
    let length = end + 3;
    match digits[..end].strip_prefix(['x', 'X']) {
        Some(digits) => number(digits, length),
        None => readable(digits[..end].parse().ok()?, length),
    }
}

fn number(digits: &str, length: usize) -> Option<(usize, Option<char>)> {
    readable(hexadecimal(digits)?, length)
}

/// Only what tokens consist of, and what cannot be seen: nothing else has to be decoded.
fn readable(code: u32, length: usize) -> Option<(usize, Option<char>)> {
    let letter = char::from_u32(code)?;
    match letter {
        '\n' | '\t' | ' '..='~' => Some((length, Some(letter))),
        _ => is_invisible(letter).then_some((length, None)),
    }
}

fn hexadecimal(digits: &str) -> Option<u32> {
    let all = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    all.then(|| u32::from_str_radix(digits, 16).ok()).flatten()
}

/// Length of the escape sequence by which a terminal is told a colour.
fn color(text: &[u8]) -> Option<usize> {
    const MOST: usize = 24;
    let rest = text.strip_prefix(b"\x1b[")?;
    let end = rest.iter().take(MOST).position(|byte| !matches!(byte, b'0'..=b'9' | b';' | b':'))?;
    (rest[end] == b'm').then_some(end + 3)
}

/// NUL too: it makes UTF-16 of ASCII readable.
fn is_invisible(letter: char) -> bool {
    matches!(letter,
        '\0' | '\u{ad}' | '\u{34f}' | '\u{180b}'..='\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e01ef}')
}

/// Shortest base64 that is decoded.
const LEAST: usize = 24;

/// Every long run of base64 letters.
pub fn runs(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at + LEAST <= text.len() {
            // Backwards, so that ordinary text is mostly skipped.
            let window = &text[at..at + LEAST];
            if let Some(stop) = window.iter().rposition(|byte| !BOTH64.has(*byte)) {
                at += stop + 1;
                continue;
            }
            let start = at;
            at += BOTH64.run(text, start, usize::MAX);
            return Some(start..at);
        }
        None
    })
}

/// What a run of base64 letters says, if that begins like a text, and where it ends: the lines of a
/// block are one run.
pub fn base64(text: &[u8], run: Range<usize>) -> Option<(View, usize)> {
    let start = (run.start..run.start + 4).find(|start| begins_like_text(&text[*start..run.end]))?;
    let letters = block(text, start..run.end);
    let mut view = View { text: String::with_capacity(letters.len() / 4 * 3), pieces: Vec::new() };
    for group in letters.chunks(4) {
        let (bytes, count) = decode(group.iter().map(|at| text[*at]));
        for (index, byte) in bytes.into_iter().take(count).enumerate() {
            let (first, last) = (group[index], group[index + 1]);
            view.pieces.push(Piece { at: view.text.len(), from: first, taken: last + 1 - first, copied: false });
            view.text.push(if byte.is_ascii() { char::from(byte) } else { '\u{1}' });
        }
    }
    Some((view, letters.last()? + 1))
}

/// Where the letters of a block stand that begins with this run. It goes on in the next line if this
/// one is as long as the lines of such blocks are.
fn block(text: &[u8], run: Range<usize>) -> Vec<usize> {
    const LINE: usize = 60;
    let mut letters: Vec<usize> = run.clone().collect();
    let mut line = run;
    while line.len() >= LINE {
        let space = text[line.end..].iter().take_while(|byte| matches!(byte, b'\n' | b'\r' | b' ' | b'\t')).count();
        let start = line.end + space;
        line = start..start + BOTH64.run(text, start, usize::MAX);
        if space > 0 {
            letters.extend(line.clone());
        }
    }
    letters
}

/// Whether base64 begins with what can be read.
pub fn begins_like_text(letters: &[u8]) -> bool {
    let printable = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~');
    letters.chunks(4).take(4).all(|group| {
        let (bytes, count) = decode(group.iter().copied());
        bytes[..count].iter().all(printable)
    })
}

/// Up to four letters are up to three bytes.
fn decode(letters: impl ExactSizeIterator<Item = u8>) -> ([u8; 3], usize) {
    let count = letters.len() * 3 / 4;
    let bits = letters.fold(0, |bits, letter| bits << 6 | value(letter)) << (6 * (4 - (count + 1).min(4)));
    let [_, first, second, third] = u32::to_be_bytes(bits);
    ([first, second, third], count)
}

fn value(letter: u8) -> u32 {
    u32::from(match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' | b'-' => 62,
        _ => 63,
    })
}

#[cfg(test)]
mod tests {
    use super::{base64, runs, unescape};

    fn unescaped(text: &str) -> Option<String> {
        unescape(text).map(|view| view.text)
    }

    #[test]
    fn escapes_are_undone_one_level() {
        assert_eq!(unescaped("plain ünd, 100% & more\\q"), None);
        assert_eq!(unescaped(r"a\u0067\x68\u{69}%6A&#107;&#x6c;&amp;m").as_deref(), Some("aghijkl&m"));
        assert_eq!(unescaped(r"a\nb\\nc").as_deref(), Some("a\nb\\nc"));
    }

    #[test]
    fn invisible_characters_and_continued_lines_are_taken_out() {
        assert_eq!(unescaped("a\u{200b}b\u{feff}c\0d").as_deref(), Some("abcd"));
        assert_eq!(unescaped("ab\\\n    cd").as_deref(), Some("abcd"));
        assert_eq!(unescaped("\u{1b}[31mab\u{1b}[0mcd").as_deref(), Some("abcd"));
    }

    #[test]
    fn a_place_leads_back() {
        let text = "é ab%63d\u{200b}e.";
        let view = unescape(text).expect("a view");
        let place = view.text.find("abcde").expect("there");
        let origin = view.origin(place..place + 5);
        assert_eq!(&text[origin], "ab%63d\u{200b}e");
        let place = view.text.find('c').expect("there");
        assert_eq!(&text[view.origin(place..place + 1)], "%63");
    }

    #[test]
    fn base64_leads_back_too() {
        let text = b"= dGhlIHF1aWNrIGJyb3duIGZveA==";
        let run = runs(text).next().expect("a run");
        let (view, end) = base64(text, run).expect("text");
        assert_eq!((view.text.as_str(), end), ("the quick brown fox", 28));
        assert_eq!(view.origin(0..3), 2..6);
        assert_eq!(view.origin(16..19), 23..28);
    }

    #[test]
    fn a_block_is_read_over_its_lines() {
        let line = "YWJj".repeat(16);
        let text = format!("{line}\n{line}\nbW5v");
        let (view, end) = base64(text.as_bytes(), 0..line.len()).expect("text");
        assert!(view.text.ends_with("abcabcmno"), "{}", view.text);
        assert_eq!(end, text.len());
    }

    #[test]
    fn words_are_no_base64() {
        let text = b"some_rather_long_identifier_of_a_function";
        assert!(runs(text).all(|run| base64(text, run).is_none()));
    }
}
