//! Three words: how they come out of a hash, how they are entered and how they are found in a text.

use bip39::Language;
use subtle::ConstantTimeEq;

/// Bits of a word: the BIP-39 English list has 2,048.
const BITS: usize = 11;
/// How many letters tell any two words of the list apart (BIP-39).
const UNIQUE: usize = 4;
/// How many other words may stand between two for [`Half::is_in`].
const GAP: usize = 3;

/// Three words to read out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words(pub [&'static str; 3]);

/// Why the words that were entered did not verify anybody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeardError {
    /// No exchange, or its words are not there yet.
    #[error("there are no words to be heard at the moment")]
    NotReady,
    /// Not three words. Nothing was lost.
    #[error("{got} words were entered, three are needed")]
    NotThree {
        /// How many there were.
        got: usize,
    },
    /// A word that nobody can have read out. Nothing was lost.
    #[error("{word:?} is not a word of the list")]
    NoSuchWord {
        /// The word, cut to 32 characters.
        word: String,
    },
    /// The words that this side reads out itself. Nothing was lost.
    #[error("these are the words to read out, not the words to be heard")]
    OwnWords,
    /// Other words: the exchange is over.
    #[error("these are not the three words that were expected")]
    Wrong,
}

/// Three words as numbers of the list.
#[derive(Clone)]
pub(super) struct Half([u16; 3]);

/// The first 66 bits of `hash` as two times three words.
pub(super) fn halves(hash: &[u8; 32]) -> (Half, Half) {
    let word = |number: usize| {
        let first_bit = number * BITS;
        let window = hash[first_bit / 8..][..4].iter().fold(0u32, |window, byte| window << 8 | u32::from(*byte));
        ((window >> (32 - BITS - first_bit % 8)) & 0x7ff) as u16
    };
    (Half([0, 1, 2].map(word)), Half([3, 4, 5].map(word)))
}

impl Half {
    /// Three words in any case, each whole or by at least its first four letters, with anything
    /// but letters between them.
    pub(super) fn parse(text: &str) -> Result<Self, HeardError> {
        let words: Vec<_> = letters(text).collect();
        let numbers: Vec<_> = words.iter().map(|word| number(word)).collect::<Result<_, _>>()?;
        numbers.try_into().map(Self).map_err(|_| HeardError::NotThree { got: words.len() })
    }

    pub(super) fn words(&self) -> Words {
        Words(self.0.map(|number| Language::English.word_list()[usize::from(number)]))
    }

    pub(super) fn is_in(&self, text: &str) -> bool {
        self.is_spelt_in(text) || self.is_told_in(text)
    }

    /// The letters of the words in one row, whatever stands between any two of them.
    fn is_spelt_in(&self, text: &str) -> bool {
        letters(text).collect::<String>().contains(&self.words().0.concat())
    }

    /// The words, perhaps shortened, with few others between them.
    fn is_told_in(&self, text: &str) -> bool {
        let words = self.words().0;
        // How many words ago the first, and the first two, of the three were told.
        let (mut first, mut second) = (None, None);
        for told in letters(text) {
            if second.is_some() && means(&told, words[2]) {
                return true;
            }
            let next = if first.is_some() && means(&told, words[1]) { Some(0) } else { grow(second) };
            first = if means(&told, words[0]) { Some(0) } else { grow(first) };
            second = next;
        }
        false
    }
}

impl PartialEq for Half {
    fn eq(&self, other: &Self) -> bool {
        let pairs = self.0.iter().zip(&other.0);
        pairs.fold(subtle::Choice::from(1), |same, (one, other)| same & one.ct_eq(other)).into()
    }
}

/// The words of a text in lower case: what stands between anything but letters.
fn letters(text: &str) -> impl Iterator<Item = String> {
    text.split(|letter: char| !letter.is_alphabetic()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

fn grow(distance: Option<usize>) -> Option<usize> {
    distance.map(|distance| distance + 1).filter(|distance| *distance <= GAP)
}

fn number(word: &str) -> Result<u16, HeardError> {
    let list = Language::English.word_list();
    let found = Language::English.find_word(word).map(usize::from);
    let found = found.or_else(|| list.iter().position(|entry| means(word, entry)));
    let no_such_word = || HeardError::NoSuchWord { word: word.chars().take(32).collect() };
    found.and_then(|number| u16::try_from(number).ok()).ok_or_else(no_such_word)
}

/// Whether `told` is this word of the list, whole or shortened.
fn means(told: &str, word: &str) -> bool {
    told == word || (told.len() >= UNIQUE && word.starts_with(told))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn half(text: &str) -> Half {
        Half::parse(text).unwrap()
    }

    #[test]
    fn the_words_are_the_first_66_bits() {
        let mut hash = [0; 32];
        // 11 bits each: 0, 1, 2047, 2, 1024, 3; the last two bits of the ninth byte belong to none.
        let bits = [0u16, 1, 2047, 2, 1024, 3].iter().fold(0u128, |bits, word| bits << BITS | u128::from(*word));
        hash[..9].copy_from_slice(&((bits << 6) | 0x3f).to_be_bytes()[7..]);
        let (first, second) = halves(&hash);
        assert_eq!((first.0, second.0), ([0, 1, 2047], [2, 1024, 3]));
        assert_eq!(first.words().0, ["abandon", "ability", "zoo"]);
    }

    #[test]
    fn words_survive_case_punctuation_and_shortening() {
        let expected = half("abandon ability zoo");
        for text in [
            "ABANDON Ability zoo",
            " abandon, ability,zoo.",
            "abandon-ability-zoo",
            "aban abil zoo",
            "aband\nabili\tzoo",
        ] {
            assert!(half(text) == expected, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_three_words_says_why() {
        let refused = |text: &str| Half::parse(text).err();
        assert_eq!(refused(""), Some(HeardError::NotThree { got: 0 }));
        assert_eq!(refused("abandon zoo"), Some(HeardError::NotThree { got: 2 }));
        assert_eq!(refused("abandon zoo zoo zoo"), Some(HeardError::NotThree { got: 4 }));
        let no_such_word = |word: &str| Some(HeardError::NoSuchWord { word: word.into() });
        assert_eq!(refused("aba ability zoo"), no_such_word("aba"));
        assert_eq!(refused("abandoned ability zoo"), no_such_word("abandoned"));
        assert_eq!(refused("abandon ability größe"), no_such_word("größe"));
    }

    #[test]
    fn four_letters_tell_every_word_apart() {
        for word in Language::English.word_list() {
            let short = &word[..word.len().min(UNIQUE)];
            assert_eq!(number(short), number(word), "{short}");
        }
    }

    #[test]
    fn the_words_are_found_however_they_are_written() {
        let words = half("abandon ability zoo");
        let hidden = [
            "the words are abandon ability zoo, ok?",
            "ABANDON / Ability / ZOO",
            "1. abandon 2. ability 3. zoo",
            "first abandon and then ability and then zoo",
            "aban-abil-zoo",
            "abandonabilityzoo",
            "a b a n d o n a b i l i t y z o o",
            "abandon abandon ability zoo",
            "{\"w\":[\"abandon\",\"ability\",\"zoo\"]}",
        ];
        for text in hidden {
            assert!(words.is_in(text), "{text}");
        }
    }

    #[test]
    fn other_texts_pass() {
        let words = half("abandon ability zoo");
        let harmless = [
            "",
            "zoo ability abandon",
            "abandon ability",
            "we went to the zoo",
            "abandon all hope but keep the ability to visit a zoo",
            "the ability to abandon a zoo",
        ];
        for text in harmless {
            assert!(!words.is_in(text), "{text}");
        }
    }
}
