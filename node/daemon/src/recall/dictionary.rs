//! The words that occur, and which of them somebody may mean who writes another one.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use super::words::{LONGEST, Word, Words};

/// Most words that a beginning stands for.
const BEGINNINGS: usize = 64;
/// Fewest letters of a word whose beginning, or whose typos, are looked for.
const BEGINNING: usize = 3;
const TYPO: usize = 4;
/// Fewest letters of a word in which two typos are forgiven.
const TYPOS: usize = 8;

/// How much a term counts that is not the very word.
const LONGER: f32 = 0.7;
const SHORTER: f32 = 0.6;
const ONE_TYPO: f32 = 0.6;
const TWO_TYPOS: f32 = 0.4;

/// Terms are stems; forms are what stands in the texts.
#[derive(Default)]
pub struct Dictionary {
    terms: HashMap<Box<str>, u32>,
    forms: BTreeMap<Box<str>, u32>,
    /// Of each form: what tells at a glance that it cannot be meant, itself, and its term.
    shapes: Vec<(Shape, Box<str>, u32)>,
}

/// The letters that occur, and how many there are.
#[derive(Clone, Copy)]
struct Shape {
    letters: u64,
    length: u8,
}

impl Dictionary {
    /// The number of a word's term; a word that is new gets one.
    pub fn learn(&mut self, word: &Word, words: &Words) -> u32 {
        if let Some(term) = self.forms.get(word.form.as_str()) {
            return *term;
        }
        let (next, stem) = (self.terms.len() as u32, words.stem(word));
        let term = *self.terms.entry(stem.into()).or_insert(next);
        self.forms.insert(word.form.as_str().into(), term);
        if !word.is_sign {
            self.shapes.push((Shape::of(&word.form), word.form.as_str().into(), term));
        }
        term
    }

    /// How many terms there are.
    pub fn terms(&self) -> usize {
        self.terms.len()
    }

    /// The terms that a word may mean, with how sure that is.
    pub fn meant_by(&self, word: &Word, words: &Words) -> BTreeMap<u32, f32> {
        let mut meant = BTreeMap::new();
        let mut may_mean = |term: u32, alike: f32| {
            let known = meant.entry(term).or_insert(alike);
            *known = alike.max(*known);
        };
        let exact = self.terms.get(words.stem(word).as_str()).copied();
        exact.into_iter().for_each(|term| may_mean(term, 1.0));
        if word.is_sign {
            return meant;
        }
        let exact = exact.or_else(|| self.forms.get(word.form.as_str()).copied());
        exact.into_iter().for_each(|term| may_mean(term, 1.0));
        let length = word.form.chars().count();
        if length >= BEGINNING {
            self.longer(&word.form).for_each(|term| may_mean(term, LONGER));
        }
        self.shorter(&word.form, length).for_each(|term| may_mean(term, SHORTER));
        if exact.is_none() && length >= TYPO {
            self.alike(&word.form, length).for_each(|(term, alike)| may_mean(term, alike));
        }
        meant
    }

    /// Words that begin so.
    fn longer<'a>(&'a self, form: &'a str) -> impl Iterator<Item = u32> + 'a {
        let from = self.forms.range::<str, _>((Bound::Excluded(form), Bound::Unbounded));
        from.take_while(move |(longer, _)| longer.starts_with(form)).take(BEGINNINGS).map(|(_, term)| *term)
    }

    /// Words that are most of the beginning of this one.
    fn shorter<'a>(&'a self, form: &'a str, length: usize) -> impl Iterator<Item = u32> + 'a {
        let ends = form.char_indices().map(|(at, _)| at).skip((length * 2).div_ceil(3).max(TYPO));
        ends.filter_map(|end| self.forms.get(&form[..end]).copied())
    }

    /// Words that are one or two typos away.
    fn alike<'a>(&'a self, form: &'a str, length: usize) -> impl Iterator<Item = (u32, f32)> + 'a {
        let most = if length >= TYPOS { 2 } else { 1 };
        let (shape, letters) = (Shape::of(form), form.chars().collect::<Vec<_>>());
        let near = self.shapes.iter().filter(move |(other, ..)| shape.may_be(other, most));
        let mut others = Vec::new();
        near.filter_map(move |(_, other, term)| {
            others.clear();
            others.extend(other.chars());
            match typos(&letters, &others, most as usize)? {
                0 | 1 => Some((*term, ONE_TYPO)),
                _ => Some((*term, TWO_TYPOS)),
            }
        })
    }
}

/// How many letters were left out, put in, changed, or changed places with their neighbours; none if
/// more than `most`. That is the distance of optimal string alignment, looked for only so far from the
/// diagonal.
fn typos(one: &[char], other: &[char], most: usize) -> Option<usize> {
    const FAR: usize = usize::MAX / 2;
    let mut rows = [[FAR; LONGEST + 2]; 3];
    rows[0][..=most.min(other.len())].iter_mut().enumerate().for_each(|(at, typos)| *typos = at);
    for i in 1..=one.len() {
        let [before, last, now] = [(i + 1) % 3, (i + 2) % 3, i % 3];
        rows[now] = [FAR; LONGEST + 2];
        if i <= most {
            rows[now][0] = i;
        }
        let mut least = rows[now][0];
        for j in i.saturating_sub(most).max(1)..=(i + most).min(other.len()) {
            let changed = usize::from(one[i - 1] != other[j - 1]);
            let mut typos = (rows[last][j - 1] + changed).min(rows[last][j] + 1).min(rows[now][j - 1] + 1);
            if i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1] {
                typos = typos.min(rows[before][j - 2] + 1);
            }
            rows[now][j] = typos;
            least = least.min(typos);
        }
        // A change of places reaches over one row.
        if least > most && rows[last].iter().all(|typos| *typos >= most) {
            return None;
        }
    }
    Some(rows[one.len() % 3][other.len()]).filter(|typos| *typos <= most)
}

impl Shape {
    fn of(form: &str) -> Self {
        let letters = form.chars().fold(0, |letters, letter| letters | 1 << (u32::from(letter) % 64));
        Self { letters, length: u8::try_from(form.chars().count()).unwrap_or(u8::MAX) }
    }

    /// A typo takes one letter away, brings one, or both.
    fn may_be(&self, other: &Self, typos: u32) -> bool {
        u32::from(self.length.abs_diff(other.length)) <= typos
            && (self.letters ^ other.letters).count_ones() <= 2 * typos
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alike(known: &[&str], form: &str) -> Vec<f32> {
        let (mut dictionary, words) = (Dictionary::default(), Words::default());
        known.iter().for_each(|known| _ = dictionary.learn(&Word::folded(known, false), &words));
        dictionary.meant_by(&Word::folded(form, false), &words).into_values().collect()
    }

    #[test]
    fn typos_are_counted_as_they_are_everywhere() {
        let words =
            ["", "a", "ab", "ba", "abcd", "acbd", "abdc", "xbcd", "abcdefgh", "bacdefhg", "abxdefgyh", "cdefgh"];
        for (one, other) in words.iter().flat_map(|one| words.iter().map(move |other| (one, other))) {
            let [first, second] = [one, other].map(|word| word.chars().collect::<Vec<_>>());
            for most in 1..=2 {
                let expected = Some(strsim::osa_distance(one, other)).filter(|typos| *typos <= most);
                assert_eq!(typos(&first, &second, most), expected, "{one} {other}");
            }
        }
    }

    #[test]
    fn what_is_meant_counts_by_how_sure_it_is() {
        assert_eq!(alike(&["parser"], "parser"), [1.0]);
        assert_eq!(alike(&["parser"], "pars"), [LONGER]);
        assert_eq!(alike(&["verbindung"], "verbindungen"), [SHORTER]);
        assert_eq!(alike(&["parser"], "prasser"), [0.0; 0]);
        assert_eq!(alike(&["parser"], "prser"), [ONE_TYPO]);
        assert_eq!(alike(&["parser"], "prasre"), [0.0; 0]);
        assert_eq!(alike(&["recursive"], "recusrvie"), [TWO_TYPOS]);
        assert_eq!(alike(&["dog"], "dig"), [0.0; 0]);
    }

    #[test]
    fn who_writes_a_word_that_is_there_means_no_other() {
        assert_eq!(alike(&["form", "from"], "form"), [1.0]);
    }
}
