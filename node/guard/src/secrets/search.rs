//! The search itself: where something could begin, and in which readings of the text.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::alphabet::{BASE64, Kinds, entropy};
use super::assigned::{self, WORDS, Word};
use super::blocks::{self, BLOCKS, Block};
use super::decoded;
use super::hit::{Hit, Rank};
use super::keyed::{self, KEYED, Keyed};
use super::rule::Rule;
use super::{look, rules, urls};

/// How often escapes are undone: JSON in JSON in JSON.
const LEVELS: usize = 3;

/// Everything found in any reading, with places of the text as it is.
pub fn search(text: &str) -> Vec<Hit> {
    read(text, LEVELS)
}

fn read(text: &str, levels: usize) -> Vec<Hit> {
    let mut hits = starts(text, true);
    hits.extend(runs(text));
    if levels > 0
        && let Some(view) = decoded::unescape(text)
    {
        let found = read(&view.text, levels - 1);
        hits.extend(found.into_iter().map(|hit| Hit { place: view.origin(hit.place), ..hit }));
    }
    hits
}

/// What a look begins at.
#[derive(Debug, Clone, Copy)]
enum Start {
    Rule(&'static Rule),
    Block(&'static Block),
    WebToken,
    Url,
    Word(&'static Word),
    Keyed(&'static Keyed),
}

static STARTS: LazyLock<(AhoCorasick, Vec<(&'static str, Start)>)> = LazyLock::new(|| {
    let rules = rules::all().flat_map(|rule| rule.starts.iter().map(move |start| (*start, Start::Rule(rule))));
    let blocks = BLOCKS.iter().map(|block| (block.start, Start::Block(block)));
    let others = [("eyJ", Start::WebToken), ("://", Start::Url)];
    let words = WORDS.iter().map(|word| (word.word, Start::Word(word)));
    let keyed = KEYED.iter().map(|keyed| (keyed.word, Start::Keyed(keyed)));
    let starts: Vec<(&str, Start)> = rules.chain(blocks).chain(others).chain(words).chain(keyed).collect();
    // One automaton for both, since each pass over the text costs: tokens are compared once more.
    let automaton = AhoCorasick::builder()
        .kind(Some(AhoCorasickKind::DFA))
        .ascii_case_insensitive(true)
        .build(starts.iter().map(|(start, _)| *start))
        .expect("the table fits an automaton");
    (automaton, starts)
});

/// What is known by its form, and, if `named`, what is known by a name beside it.
fn starts(text: &str, named: bool) -> Vec<Hit> {
    let (automaton, starts) = &*STARTS;
    let bytes = text.as_bytes();
    let mut hits: Vec<Hit> = Vec::new();
    // What is in a token is part of it.
    let mut done = 0;
    for found in automaton.find_overlapping_iter(text) {
        let (start, kind) = starts[found.pattern().as_usize()];
        let place = found.start()..found.end();
        let hit = match kind {
            Start::Word(word) => named.then(|| assigned::find(text, word, place)).flatten(),
            Start::Keyed(keyed) => named.then(|| keyed::find(text, keyed, place)).flatten(),
            _ if place.start < done || bytes[place.clone()] != *start.as_bytes() => None,
            Start::Rule(rule) => rule.find(bytes, place).map(|place| form(rule.id, rule.what, place)),
            Start::Block(block) => block.find(bytes, place).map(|place| form(block.id, block.what, place)),
            Start::WebToken => blocks::web_token(bytes, place).map(|place| form("jwt", "a JSON web token", place)),
            Start::Url => urls::find(text, place),
        };
        let Some(hit) = hit else { continue };
        if hit.rank == Rank::Form {
            done = hit.place.end;
        }
        if hit.rule == "aws-access-key" {
            hits.extend(beside(bytes, &hit.place));
        }
        hits.push(hit);
    }
    hits
}

fn form(rule: &'static str, what: &'static str, place: Range<usize>) -> Hit {
    Hit { rule, what, place, rank: Rank::Form }
}

/// The secret that belongs to an AWS access key id and stands near it.
fn beside(text: &[u8], id: &Range<usize>) -> Option<Hit> {
    const NEAR: usize = 256;
    const LENGTH: usize = 40;
    let end = text.len().min(id.end + NEAR);
    let mut at = id.start.saturating_sub(NEAR);
    while at < end {
        let length = BASE64.run(text, at, NEAR);
        let value = &text[at..at + length];
        if length == LENGTH && Kinds::of(value).count() >= 3 && entropy(value) >= 4.2 {
            return Some(form("aws-secret-key", "an AWS secret access key", at..at + length));
        }
        at += length + 1;
    }
    None
}

/// What is in long runs of base64 letters, or looks as if drawn.
fn runs(text: &str) -> Vec<Hit> {
    let bytes = text.as_bytes();
    let mut hits = Vec::new();
    let mut done = 0;
    for run in decoded::runs(bytes) {
        if run.start < done {
            continue;
        }
        hits.extend(look::find(text, &run));
        if let Some((view, end)) = decoded::base64(bytes, run) {
            done = end;
            hits.extend(starts(&view.text, false).into_iter().map(|hit| Hit { place: view.origin(hit.place), ..hit }));
        }
    }
    hits
}
