//! Secrets in texts.
//!
//! Tokens are known by the form that their provider documents (`rules`) or by the provider's name beside
//! them (`keyed`); private keys by their blocks (`blocks`); everything else by what it is assigned to
//! (`assigned`), by where it stands in a URL (`urls`), or by its look. All of them look at the text as it
//! is and as it reads once decoded (`decoded`); places are always those of the text that was given.
//!
//! The work grows with the text and not faster: automata find the beginnings, and each look from there is
//! bounded.

mod alphabet;
mod assigned;
mod blocks;
mod decoded;
mod excerpt;
mod hit;
mod keyed;
mod look;
mod names;
mod rule;
mod rules;
mod search;
mod stop;
mod urls;

use std::collections::BTreeSet;
use std::ops::Range;

use hit::Hit;

/// Something that looks like a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Id of the rule, as in its table.
    pub rule: &'static str,
    /// What it is, for a human: "a GitHub personal access token".
    pub what: &'static str,
    /// The secret itself, as bytes of the text.
    pub place: Range<usize>,
    /// Around it, the secret masked: at most four characters of it are shown.
    pub excerpt: String,
}

/// Finds what looks like a secret, in the order of the text. Findings do not overlap.
pub fn scan(text: &str) -> Vec<Finding> {
    let mut hits = search::search(text);
    hits.retain(|hit| !excerpt::is_masked(&text[hit.place.clone()]));
    let masked = union(&hits);
    hit::sort_out(hits).into_iter().map(|hit| tell(text, &masked, hit)).collect()
}

/// The same for bytes of any kind: places are bytes of these. Text in UTF-16 is read as well.
pub fn scan_bytes(bytes: &[u8]) -> Vec<Finding> {
    match std::str::from_utf8(bytes) {
        Ok(text) => scan(text),
        Err(_) => scan(&as_text(bytes)),
    }
}

/// The same for the path or name of a file, which may also be secret for what such files hold. Such a name
/// is told as it is: what is secret is in the file.
pub fn scan_name(path: &str) -> Vec<Finding> {
    let mut findings = scan(path);
    let start = path.rfind(['/', '\\']).map_or(0, |at| at + 1);
    let name = &path[start..];
    if let Some((rule, what)) = names::holds(name) {
        findings.push(Finding { rule, what, place: start..path.len(), excerpt: name.to_owned() });
    }
    findings
}

/// Whose tokens are known by their form, in the order of the alphabet.
pub fn providers() -> Vec<&'static str> {
    let providers: BTreeSet<&str> = rules::all().map(|rule| rule.provider).collect();
    providers.into_iter().collect()
}

fn tell(text: &str, masked: &[Range<usize>], hit: Hit) -> Finding {
    let excerpt = excerpt::excerpt(text, &hit.place, masked);
    Finding { rule: hit.rule, what: hit.what, place: hit.place, excerpt }
}

/// Everything that was found, however sure: none of it is shown.
fn union(hits: &[Hit]) -> Vec<Range<usize>> {
    let mut places: Vec<Range<usize>> = hits.iter().map(|hit| hit.place.clone()).collect();
    places.sort_by_key(|place| (place.start, place.end));
    let mut union: Vec<Range<usize>> = Vec::new();
    for place in places {
        match union.last_mut() {
            Some(last) if place.start < last.end => last.end = last.end.max(place.end),
            _ => union.push(place),
        }
    }
    union
}

/// Each byte that is no text becomes one that nobody writes, so that places stay.
fn as_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '\u{1}'));
    }
    text
}

#[cfg(test)]
mod tests;
