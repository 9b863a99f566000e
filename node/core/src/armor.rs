//! Bytes as one word that survives shells and messengers: a prefix with a version digit, then the
//! lower-case base32 (RFC 4648 §6, no padding) of length ‖ payload ‖ CRC-32.
//!
//! The length (u16, big endian) says where the word ends, so that the reader may skip the white
//! space, quotes and line breaks that messengers put in, and ignore what follows. The CRC (IEEE,
//! big endian, over length and payload) finds typing and copying errors; it is no protection.

use data_encoding::BASE32_NOPAD;

/// Longest text that is searched for a word, in bytes.
pub const TEXT: usize = 32 * 1024;

const LENGTH: usize = 2;
const CHECKSUM: usize = 4;

/// Why a text holds no word of the kind that was looked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArmorError {
    /// No prefix.
    #[error("nothing in the text begins with `{prefix}`")]
    Absent {
        /// What the word begins with, without the version digit.
        prefix: &'static str,
    },
    /// The prefix with a higher version digit.
    #[error("version {theirs} where we know {ours}")]
    Newer {
        /// The version that this program reads.
        ours: u8,
        /// The version of the word.
        theirs: u8,
    },
    /// The text ends before the word does.
    #[error("cut short: {got} of {expected} characters")]
    CutShort {
        /// Characters that are there, prefix excluded.
        got: usize,
        /// Characters that the length field asks for.
        expected: usize,
    },
    /// A character that base32 does not have, or a checksum that does not fit.
    #[error("damaged: the checksum does not fit")]
    Damaged,
    /// A text, or a payload, longer than allowed.
    #[error("{got} bytes where at most {max} are allowed")]
    TooLong {
        /// Length found, in bytes.
        got: usize,
        /// Length allowed, in bytes.
        max: usize,
    },
}

/// Writes `payload` (at most 65,535 bytes) as `prefix`, `version` (one digit) and the armor.
pub fn encode(prefix: &str, version: u8, payload: &[u8]) -> Result<String, ArmorError> {
    let max = usize::from(u16::MAX);
    let too_long = || ArmorError::TooLong { got: payload.len(), max };
    let length = u16::try_from(payload.len()).map_err(|_| too_long())?;
    let mut bytes = [&length.to_be_bytes(), payload].concat();
    let checksum = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&checksum.to_be_bytes());
    Ok(format!("{prefix}{version}{}", BASE32_NOPAD.encode(&bytes).to_ascii_lowercase()))
}

/// Finds the first word of this prefix and version in `text` and returns its payload of at most
/// `max` bytes.
pub fn decode(prefix: &'static str, version: u8, text: &str, max: usize) -> Result<Vec<u8>, ArmorError> {
    if text.len() > TEXT {
        return Err(ArmorError::TooLong { got: text.len(), max: TEXT });
    }
    let letters: Vec<u8> = text.chars().filter(|letter| !is_noise(*letter)).map(to_byte).collect();
    let body = find(prefix, version, &letters)?;
    let length = length(body, max)?;
    let expected = characters(LENGTH + length + CHECKSUM);
    let Some(word) = body.get(..expected) else {
        return Err(ArmorError::CutShort { got: body.len(), expected });
    };
    let bytes = BASE32_NOPAD.decode(word).map_err(|_| ArmorError::Damaged)?;
    let (content, checksum) = bytes.split_last_chunk::<CHECKSUM>().ok_or(ArmorError::Damaged)?;
    if crc32fast::hash(content).to_be_bytes() == *checksum {
        Ok(content[LENGTH..].to_vec())
    } else {
        Err(ArmorError::Damaged)
    }
}

/// What messengers, mail programs and terminals put into a long word.
fn is_noise(letter: char) -> bool {
    let invisible = matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}');
    let quote = matches!(letter, '"' | '\'' | '`' | '*' | '>' | '<' | '\\' | '“' | '”' | '„' | '‘' | '’' | '«' | '»');
    letter.is_whitespace() || letter.is_control() || invisible || quote
}

/// Upper case as the base32 decoder wants it; a letter beyond ASCII becomes one that it refuses.
fn to_byte(letter: char) -> u8 {
    u8::try_from(letter).map_or(b'!', |byte| byte.to_ascii_uppercase())
}

fn find<'a>(prefix: &'static str, version: u8, letters: &'a [u8]) -> Result<&'a [u8], ArmorError> {
    let wanted = prefix.to_ascii_uppercase().into_bytes();
    let mut newer = None;
    for start in 0..letters.len() {
        let Some(rest) = letters[start..].strip_prefix(wanted.as_slice()) else { continue };
        let Some((digit @ b'0'..=b'9', body)) = rest.split_first() else { continue };
        match digit - b'0' {
            theirs if theirs == version => return Ok(body),
            theirs if theirs > version => newer = newer.or(Some(theirs)),
            _ => {}
        }
    }
    Err(newer.map_or(ArmorError::Absent { prefix }, |theirs| ArmorError::Newer { ours: version, theirs }))
}

fn length(body: &[u8], max: usize) -> Result<usize, ArmorError> {
    // Five bytes are eight characters: the smallest piece of base32 that decodes by itself.
    let first =
        body.get(..8).ok_or(ArmorError::CutShort { got: body.len(), expected: characters(LENGTH + CHECKSUM) })?;
    let first = BASE32_NOPAD.decode(first).map_err(|_| ArmorError::Damaged)?;
    let (length, _) = first.split_first_chunk::<LENGTH>().ok_or(ArmorError::Damaged)?;
    let got = usize::from(u16::from_be_bytes(*length));
    if got > max { Err(ArmorError::TooLong { got, max }) } else { Ok(got) }
}

fn characters(bytes: usize) -> usize {
    (bytes * 8).div_ceil(5)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<u8>, ArmorError> {
        decode("word", 1, text, 100)
    }

    #[test]
    fn every_length_round_trips() {
        for length in 0..=100u8 {
            let payload: Vec<u8> = (0..length).collect();
            assert_eq!(read(&encode("word", 1, &payload).unwrap()), Ok(payload));
        }
    }

    #[test]
    fn what_messengers_do_to_it_does_no_harm() {
        let word = encode("word", 1, b"some payload that is long").unwrap();
        let (left, right) = word.split_at(20);
        let spoiled = [
            format!("  {word}\n"),
            format!("\"{word}\""),
            format!("“{word}”, said she"),
            format!("{left}\r\n{right}"),
            format!("> {left}\n> {right}\n"),
            format!("{left}\u{200b}{right}"),
            format!("program join {word} --name bob"),
            format!("program join {word} bob and what else there is"),
            word.to_uppercase(),
        ];
        for text in spoiled {
            assert_eq!(read(&text).as_deref(), Ok(&b"some payload that is long"[..]), "{text}");
        }
    }

    #[test]
    fn one_changed_character_is_found() {
        let word = encode("word", 1, b"payload").unwrap();
        for at in "word1".len()..word.len() {
            let mut letters = word.clone().into_bytes();
            letters[at] = if letters[at] == b'b' { b'c' } else { b'b' };
            assert!(read(&String::from_utf8(letters).unwrap()).is_err(), "at {at}");
        }
    }

    #[test]
    fn each_fault_has_its_own_error() {
        let word = encode("word", 1, b"payload").unwrap();
        assert_eq!(read("hello"), Err(ArmorError::Absent { prefix: "word" }));
        assert_eq!(read("word"), Err(ArmorError::Absent { prefix: "word" }));
        assert_eq!(read(&word.replace("word1", "word2")), Err(ArmorError::Newer { ours: 1, theirs: 2 }));
        assert_eq!(read(&word[..word.len() - 1]), Err(ArmorError::CutShort { got: 20, expected: 21 }));
        assert_eq!(read("word1"), Err(ArmorError::CutShort { got: 0, expected: 10 }));
        assert_eq!(read(&word.replace("word1", "word1!")), Err(ArmorError::Damaged));
        let long = encode("word", 1, &[0; 101]).unwrap();
        assert_eq!(read(&long), Err(ArmorError::TooLong { got: 101, max: 100 }));
        assert_eq!(read(&" ".repeat(TEXT + 1)), Err(ArmorError::TooLong { got: TEXT + 1, max: TEXT }));
    }
}
