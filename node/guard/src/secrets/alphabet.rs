//! What tokens are written in.

/// A set of ASCII bytes: one bit a group of `group`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alphabet(u16);

const DIGIT: u16 = 1;
const LOWER_HEX: u16 = 1 << 1;
const LOWER_REST: u16 = 1 << 2;
const UPPER_HEX: u16 = 1 << 3;
const UPPER_REST: u16 = 1 << 4;
const UNDERSCORE: u16 = 1 << 5;
const DASH: u16 = 1 << 6;
const DOT: u16 = 1 << 7;
const PLUS_SLASH: u16 = 1 << 8;
const EQUALS: u16 = 1 << 9;
const TILDE: u16 = 1 << 10;

pub const DIGITS: Alphabet = Alphabet(DIGIT);
pub const HEX: Alphabet = Alphabet(DIGIT | LOWER_HEX);
pub const LOWER: Alphabet = Alphabet(DIGIT | LOWER_HEX | LOWER_REST);
pub const UPPER: Alphabet = Alphabet(DIGIT | UPPER_HEX | UPPER_REST);
pub const ALNUM: Alphabet = Alphabet(LOWER.0 | UPPER.0);
/// Hexadecimal digits and the dashes of a UUID.
pub const UUID: Alphabet = Alphabet(HEX.0 | DASH);
pub const NAME: Alphabet = Alphabet(ALNUM.0 | UNDERSCORE);
/// Base64 as in URLs.
pub const URL64: Alphabet = Alphabet(NAME.0 | DASH);
pub const BASE64: Alphabet = Alphabet(ALNUM.0 | PLUS_SLASH);
pub const PADDED64: Alphabet = Alphabet(BASE64.0 | EQUALS);
pub const BOTH64: Alphabet = Alphabet(URL64.0 | PLUS_SLASH);
pub const DOTTED: Alphabet = Alphabet(URL64.0 | DOT);
/// What RFC 6750 lets a bearer token be written in.
pub const BEARER: Alphabet = Alphabet(DOTTED.0 | PLUS_SLASH | EQUALS | TILDE);
pub const TILDED: Alphabet = Alphabet(DOTTED.0 | TILDE);

impl Alphabet {
    #[inline]
    pub const fn has(self, byte: u8) -> bool {
        GROUPS[byte as usize] & self.0 != 0
    }

    /// How many bytes from `start` on are of this alphabet, `most` at most.
    pub fn run(self, text: &[u8], start: usize, most: usize) -> usize {
        let rest = text.get(start..).unwrap_or_default();
        rest.iter().take(most).take_while(|byte| self.has(**byte)).count()
    }

    /// How many bytes up to `end` are of this alphabet, `most` at most.
    pub fn run_before(self, text: &[u8], end: usize, most: usize) -> usize {
        text[..end].iter().rev().take(most).take_while(|byte| self.has(**byte)).count()
    }
}

/// Shannon's entropy, in bits a byte. Of a long text only the beginning counts.
pub fn entropy(text: &[u8]) -> f32 {
    const ENOUGH: usize = 192;
    let text = &text[..text.len().min(ENOUGH)];
    let mut counts = [0_u8; 256];
    for byte in text {
        counts[usize::from(*byte)] += 1;
    }
    let length = text.len() as f32;
    let share = |count: &u8| f32::from(*count) / length;
    counts.iter().filter(|count| **count > 0).map(|count| -share(count) * share(count).log2()).sum()
}

/// Which kinds of characters a text has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kinds {
    pub digits: bool,
    pub lower: bool,
    pub upper: bool,
    pub others: bool,
}

impl Kinds {
    pub fn of(text: &[u8]) -> Self {
        let mut kinds = Self::default();
        for byte in text {
            match byte {
                b'0'..=b'9' => kinds.digits = true,
                b'a'..=b'z' => kinds.lower = true,
                b'A'..=b'Z' => kinds.upper = true,
                _ => kinds.others = true,
            }
        }
        kinds
    }

    pub fn count(self) -> usize {
        [self.digits, self.lower, self.upper, self.others].into_iter().filter(|has| *has).count()
    }

    pub fn letters(self) -> bool {
        self.lower || self.upper
    }
}

static GROUPS: [u16; 256] = groups();

const fn groups() -> [u16; 256] {
    let mut groups = [0; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        groups[byte as usize] = group(byte);
        byte += 1;
    }
    groups
}

const fn group(byte: u8) -> u16 {
    match byte {
        b'0'..=b'9' => DIGIT,
        b'a'..=b'f' => LOWER_HEX,
        b'g'..=b'z' => LOWER_REST,
        b'A'..=b'F' => UPPER_HEX,
        b'G'..=b'Z' => UPPER_REST,
        b'_' => UNDERSCORE,
        b'-' => DASH,
        b'.' => DOT,
        b'+' | b'/' => PLUS_SLASH,
        b'=' => EQUALS,
        b'~' => TILDE,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::{ALNUM, Kinds, entropy};

    #[test]
    fn runs_end_where_the_alphabet_does() {
        assert_eq!(ALNUM.run(b"abc-def", 0, 100), 3);
        assert_eq!(ALNUM.run(b"abc-def", 4, 2), 2);
        assert_eq!(ALNUM.run_before(b"abc-def", 7, 100), 3);
        assert_eq!(ALNUM.run(b"abc", 9, 100), 0);
    }

    #[test]
    fn entropy_grows_with_variety() {
        assert!(entropy(b"aaaaaaaa") < 0.01);
        assert!((entropy(b"abcdabcd") - 2.0).abs() < 0.01);
        assert!(entropy(b"kJ8wq2Zx7Lp0Vb3T") > 3.9);
    }

    #[test]
    fn kinds_are_counted() {
        assert_eq!(Kinds::of(b"aB3!").count(), 4);
        assert!(!Kinds::of(b"12").letters());
    }
}
