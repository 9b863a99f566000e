//! Ranked search in texts of any script, tolerant of typos and word forms. It holds nothing that the
//! log does not, so it is thrown away and made again at will.

mod dictionary;
mod words;

use std::collections::BTreeMap;

use self::dictionary::Dictionary;
use self::words::{Word, Words};

/// BM25: how soon further occurrences count for little, and how much the length of a text does.
const SATURATION: f32 = 1.2;
const LENGTH: f32 = 0.6;

/// Most words of a query that are looked for.
const QUERY: usize = 32;

/// Texts, by number, and where which words stand.
#[derive(Default)]
pub struct Index {
    words: Words,
    dictionary: Dictionary,
    /// Of each term: the texts that have it, and how much of it.
    postings: Vec<Vec<(u32, f32)>>,
    /// How long each text is.
    lengths: Vec<f32>,
    total: f32,
}

impl Index {
    /// Takes a text in parts that weigh differently. Texts are numbered from 0 as they come.
    pub fn add(&mut self, parts: &[(&str, f32)]) {
        let number = self.lengths.len() as u32;
        let (mut found, mut length) = (BTreeMap::<u32, f32>::new(), 0.0);
        for (text, weight) in parts {
            for word in self.words.of_text(text) {
                let term = self.dictionary.learn(&word, &self.words);
                *found.entry(term).or_default() += weight;
                length += 1.0;
            }
        }
        self.postings.resize_with(self.dictionary.terms(), Vec::new);
        for (term, weight) in found {
            self.postings[term as usize].push((number, weight));
        }
        self.lengths.push(length);
        self.total += length;
    }

    /// The texts that have some of these words, with how well they fit, in no order.
    pub fn search(&self, query: &str) -> Vec<(u32, f32)> {
        let mut words = self.words.of_query(query);
        words.truncate(QUERY);
        let mut fits = vec![Fit::default(); self.lengths.len()];
        for (at, word) in words.iter().enumerate() {
            self.look_for(word, at, &mut fits);
        }
        let asked = words.len() as f32;
        let fits = fits.into_iter().zip(0..).filter(|(fit, _)| fit.words > 0);
        fits.map(|(fit, number)| (number, (fit.before + fit.now) * fit.words as f32 / asked)).collect()
    }

    /// Of the terms that a word may mean, the one that fits a text best counts there.
    fn look_for(&self, word: &Word, at: usize, fits: &mut [Fit]) {
        let (count, average) = (self.lengths.len() as f32, self.total / self.lengths.len().max(1) as f32);
        for (term, alike) in self.dictionary.meant_by(word, &self.words) {
            let postings = &self.postings[term as usize];
            let having = postings.len() as f32;
            let rare = (1.0 + (count - having + 0.5) / (having + 0.5)).ln();
            for (number, weight) in postings {
                let long = 1.0 - LENGTH + LENGTH * self.lengths[*number as usize] / average;
                let much = weight * (SATURATION + 1.0) / (weight + SATURATION * long);
                fits[*number as usize].take(at, rare * much * alike);
            }
        }
    }
}

/// How well a text fits the words that were looked for so far.
#[derive(Clone, Default)]
struct Fit {
    words: u32,
    /// Which word fitted last, and how well.
    last: usize,
    now: f32,
    before: f32,
}

impl Fit {
    fn take(&mut self, at: usize, score: f32) {
        if self.words > 0 && self.last == at {
            self.now = self.now.max(score);
            return;
        }
        self.before += self.now;
        (self.words, self.last, self.now) = (self.words + 1, at, score);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [&str; 10] = [
        "The parser reads tokens and never backtracks",
        "Configuration is merged from the file and the environment",
        "データベースの接続は再試行される",
        "قاعدة البيانات تُعاد محاولة الاتصال بها",
        "Das Café führt die Größe der Verbindungen an",
        "Подключение к базе данных повторяется",
        "parse_request lives in src/auth/tokenStore.rs",
        "We decided on PostgreSQL for authentication",
        "인증은 데이터베이스를 사용한다",
        "数据库连接会重试",
    ];

    fn index() -> Index {
        let mut index = Index::default();
        TEXTS.iter().for_each(|text| index.add(&[(text, 1.0)]));
        index
    }

    fn best(index: &Index, query: &str) -> Option<u32> {
        let found = index.search(query);
        found.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).map(|(number, _)| number)
    }

    #[test]
    fn words_are_found_in_any_script_form_and_with_typos() {
        let index = index();
        let expected = [
            ("parser", 0),
            ("tokens read", 0),
            ("backtracking", 0),
            ("configure", 1),
            ("configuraton", 1),
            ("enviroment", 1),
            ("データベース", 2),
            ("再試行", 2),
            ("البيانات", 3),
            ("تعاد", 3),
            ("بيانات", 3),
            ("cafe", 4),
            ("GROSSE", 4),
            ("Verbindung", 4),
            ("подключения", 5),
            ("базы", 5),
            ("request", 6),
            ("token store", 6),
            ("postgers", 7),
            ("postgressql", 7),
            ("authenticate", 7),
            ("데이터베이스", 8),
            ("인증을", 8),
            ("数据库", 9),
        ];
        for (query, number) in expected {
            assert_eq!(best(&index, query), Some(number), "{query}");
        }
    }

    #[test]
    fn nothing_is_found_where_nothing_is_alike() {
        let index = index();
        for query in ["", "...", "zebra", "犬", "xyzzy"] {
            assert!(index.search(query).is_empty(), "{query}");
        }
        assert!(Index::default().search("parser").is_empty());
    }

    #[test]
    fn who_has_more_of_the_words_comes_first_and_a_headline_weighs_more() {
        let mut index = Index::default();
        index.add(&[("retry", 3.0), ("of the link", 1.0)]);
        index.add(&[("the link", 3.0), ("has a retry after a while", 1.0)]);
        index.add(&[("a cache", 3.0), ("nothing else", 1.0)]);
        assert_eq!(best(&index, "retry"), Some(0));
        assert_eq!(best(&index, "retry link while"), Some(1));
    }
}
