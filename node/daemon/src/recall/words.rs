//! From a text to the words that are looked up: folded (case, accents, widths), cut to their stems,
//! and in scripts that put no space between words pairs of signs.

use snowball_stemmers_rs::{Algorithm, Stemmer};
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

/// Most words of one text that are looked at, and most bytes of a word.
const WORDS: usize = 50_000;
pub const LONGEST: usize = 64;

/// A word as it stands there, but for its case, and folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    word: String,
    pub form: String,
    /// Signs of a script without spaces: neither typos nor forms of it are looked for.
    pub is_sign: bool,
}

/// Knows word forms by script.
pub struct Words {
    latin: Stemmer,
    cyrillic: Stemmer,
    greek: Stemmer,
    arabic: Stemmer,
}

impl Default for Words {
    fn default() -> Self {
        Self {
            latin: Stemmer::create(Algorithm::English),
            cyrillic: Stemmer::create(Algorithm::Russian),
            greek: Stemmer::create(Algorithm::Greek),
            arabic: Stemmer::create(Algorithm::Arabic),
        }
    }
}

impl Words {
    /// The words of a text that is searched.
    pub fn of_text(&self, text: &str) -> Vec<Word> {
        self.words(text, true)
    }

    /// The words that are looked for.
    pub fn of_query(&self, query: &str) -> Vec<Word> {
        let mut words = self.words(query, false);
        let mut seen = std::collections::BTreeSet::new();
        words.retain(|word| seen.insert(self.stem(word)));
        words
    }

    fn words(&self, text: &str, whole: bool) -> Vec<Word> {
        let text: String = text.nfkc().collect();
        let mut words = Vec::new();
        for run in runs(&text) {
            if words.len() >= WORDS {
                break;
            }
            if run.starts_with(is_unspaced) {
                signs(run, whole, &mut words);
            } else {
                run.unicode_words().for_each(|word| take(word, whole, &mut words));
            }
        }
        words.truncate(WORDS);
        words
    }

    /// What the forms of a word have in common.
    pub fn stem(&self, word: &Word) -> String {
        let Word { word, form, .. } = word;
        let stem = match form.chars().next() {
            _ if word.chars().all(is_hangul) => folded(without_particle(word)),
            Some('a'..='z') => self.latin.stem(form).into_owned(),
            Some('\u{370}'..='\u{3ff}') => folded(&self.greek.stem(word)),
            Some('\u{400}'..='\u{52f}') => folded(&self.cyrillic.stem(word)),
            Some('\u{620}'..='\u{6ff}') => folded(&self.arabic.stem(without_article(word))),
            _ => String::new(),
        };
        if stem.is_empty() { form.clone() } else { stem }
    }
}

impl Word {
    /// One that is folded.
    pub fn folded(form: &str, is_sign: bool) -> Self {
        Self { word: form.to_owned(), form: form.to_owned(), is_sign }
    }
}

/// A name as `parse_request` or `tokenStore.rs` is found by its parts, too.
fn take(word: &str, whole: bool, words: &mut Vec<Word>) {
    let parts = parts(word);
    if parts.len() == 1 || whole {
        words.extend(taken(word));
    }
    if parts.len() > 1 {
        words.extend(parts.into_iter().filter_map(taken));
    }
}

fn taken(word: &str) -> Option<Word> {
    let word = word.to_lowercase();
    let form = folded(&word);
    let fits = !form.is_empty() && form.len() <= LONGEST;
    fits.then_some(Word { word, form, is_sign: false })
}

/// Stretches of signs without spaces between words, and of the others.
fn runs(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let kind = is_unspaced(rest.chars().next()?);
        let end = rest.find(|sign| is_unspaced(sign) != kind).unwrap_or(rest.len());
        let (run, others) = rest.split_at(end);
        rest = others;
        Some(run)
    })
}

/// Pairs; each sign alone where it is alone, and in what is searched.
fn signs(run: &str, whole: bool, words: &mut Vec<Word>) {
    let signs: Vec<char> = run.chars().collect();
    if whole || signs.len() == 1 {
        words.extend(signs.iter().map(|one| Word::folded(&one.to_string(), true)));
    }
    words.extend(signs.windows(2).map(|pair| Word::folded(&String::from_iter(pair), true)));
}

/// A syllable of Korean.
fn is_hangul(sign: char) -> bool {
    ('\u{ac00}'..='\u{d7a3}').contains(&sign)
}

/// Korean appends particles to nouns; of short words nothing would be left.
fn without_particle(word: &str) -> &str {
    const PARTICLES: [&str; 16] =
        ["에서", "으로", "에게", "까지", "을", "를", "이", "가", "은", "는", "에", "의", "로", "와", "과", "도"];
    let syllables = |word: &str| word.chars().count();
    let bare = PARTICLES.iter().filter_map(|particle| word.strip_suffix(particle));
    bare.filter(|bare| syllables(bare) >= 2).min_by_key(|bare| syllables(bare)).unwrap_or(word)
}

/// Thai, Lao, Myanmar, Khmer, Japanese and Chinese.
fn is_unspaced(sign: char) -> bool {
    matches!(sign, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3005}'..='\u{3007}'
        | '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// The parts of a name: between other signs than letters and digits, and where a capital begins one.
fn parts(word: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    for part in word.split(|sign: char| !sign.is_alphanumeric() && !is_mark(sign)) {
        let (mut from, mut small) = (0, false);
        for (at, sign) in part.char_indices() {
            if small && sign.is_uppercase() {
                parts.push(&part[from..at]);
                from = at;
            }
            small = sign.is_lowercase();
        }
        parts.push(&part[from..]);
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// Arabic writes its article, and what stands before that, together with the word.
fn without_article(word: &str) -> &str {
    let bare = ["وال", "بال", "كال", "فال", "ال", "لل"].iter().find_map(|article| word.strip_prefix(article));
    bare.filter(|bare| bare.chars().count() >= 3).unwrap_or(word)
}

/// Without accents and points, and with what is written in two ways written in one.
fn folded(word: &str) -> String {
    if word.bytes().all(|sign| sign.is_ascii_alphanumeric()) {
        return word.to_owned();
    }
    let mut folded = String::with_capacity(word.len());
    for sign in word.nfd().filter(|sign| !is_mark(*sign)).nfc() {
        match sign {
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' => folded.push('d'),
            'ı' => folded.push('i'),
            'ς' => folded.push('σ'),
            'ة' => folded.push('ه'),
            'ى' => folded.push('ي'),
            'ـ' | '\'' | '’' => (),
            other => folded.push(other),
        }
    }
    folded
}

/// Accents of European scripts, points of Hebrew and Arabic: words are written with and without.
/// In other scripts such signs are vowels.
fn is_mark(sign: char) -> bool {
    matches!(sign, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}'
        | '\u{670}' | '\u{6d6}'..='\u{6dc}' | '\u{6df}'..='\u{6e4}' | '\u{6e7}'..='\u{6e8}' | '\u{6ea}'..='\u{6ed}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(text: &str) -> Vec<String> {
        Words::default().of_text(text).into_iter().map(|word| word.form).collect()
    }

    #[test]
    fn a_name_is_found_whole_and_by_its_parts() {
        assert_eq!(forms("parseRequest"), ["parserequest", "parse", "request"]);
        assert_eq!(forms("snake_case x2"), ["snake_case", "snake", "case", "x2"]);
        let asked = Words::default().of_query("parse_request parse");
        assert_eq!(asked.into_iter().map(|word| word.form).collect::<Vec<_>>(), ["parse", "request"]);
    }

    #[test]
    fn what_is_written_in_two_ways_is_one() {
        for (one, other) in
            [("Größe", "GROSSE"), ("Éclair", "eclair"), ("ｗｉｄｅ", "wide"), ("مُحَمَّد", "محمد"), ("Ёлка", "елка")]
        {
            assert_eq!(forms(one), forms(other), "{one}");
        }
    }

    #[test]
    fn scripts_without_spaces_go_by_pairs() {
        assert_eq!(forms("東京都 a"), ["東", "京", "都", "東京", "京都", "a"]);
        assert_eq!(Words::default().of_query("東京都").len(), 2);
        assert_eq!(Words::default().of_query("東").len(), 1);
    }

    #[test]
    fn a_text_without_an_end_of_a_word_comes_to_nothing() {
        assert_eq!(forms(&"x".repeat(10_000)), Vec::<String>::new());
        assert_eq!(Words::default().of_text(&"a ".repeat(WORDS + 9)).len(), WORDS);
    }
}
