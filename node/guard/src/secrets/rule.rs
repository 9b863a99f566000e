//! What a provider's token looks like, and whether one stands at a place.

use std::ops::Range;

use super::alphabet::{ALNUM, Alphabet, BOTH64, entropy};

/// A row of the table: a format of tokens that its provider documents.
#[derive(Debug)]
pub struct Rule {
    pub id: &'static str,
    pub provider: &'static str,
    pub what: &'static str,
    /// What such a token begins with, any of these.
    pub starts: &'static [&'static str],
    /// What stands before that, as many as this.
    pub lead: Option<(Alphabet, usize)>,
    /// What follows.
    pub body: &'static [Part],
    /// How much variety its body has at least, in bits a byte.
    pub entropy: f32,
    /// What may not touch it: otherwise it would be found within words, or within base64.
    pub apart: Option<Alphabet>,
}

/// A piece of a token.
#[derive(Debug, Clone, Copy)]
pub enum Part {
    Text(&'static str),
    /// At least and at most as many of an alphabet.
    Run(Alphabet, usize, usize),
}

/// Exactly as many.
pub const fn exactly(alphabet: Alphabet, count: usize) -> Part {
    Part::Run(alphabet, count, count)
}

pub const fn from_to(alphabet: Alphabet, least: usize, most: usize) -> Part {
    Part::Run(alphabet, least, most)
}

pub const fn text(text: &'static str) -> Part {
    Part::Text(text)
}

impl Rule {
    pub const fn new(
        id: &'static str,
        provider: &'static str,
        what: &'static str,
        starts: &'static [&'static str],
        body: &'static [Part],
    ) -> Self {
        Self { id, provider, what, starts, lead: None, body, entropy: 2.7, apart: None }
    }

    pub const fn lead(mut self, alphabet: Alphabet, count: usize) -> Self {
        self.lead = Some((alphabet, count));
        self
    }

    pub const fn entropy(mut self, least: f32) -> Self {
        self.entropy = least;
        self
    }

    /// No letter or digit touches it.
    pub const fn alone(mut self) -> Self {
        self.apart = Some(ALNUM);
        self
    }

    /// It is no part of base64 either.
    pub const fn apart(mut self) -> Self {
        self.apart = Some(BOTH64);
        self
    }

    /// The token whose beginning stands at `start`.
    pub fn find(&self, text: &[u8], start: Range<usize>) -> Option<Range<usize>> {
        let begin = self.begin(text, start.start)?;
        let end = self.end(text, start.end)?;
        let varied = if self.lead.is_some() { &text[begin..end] } else { &text[start.end..end] };
        let fits = (varied.is_empty() || entropy(varied) >= self.entropy) && !is_made_up(varied);
        fits.then_some(begin..end)
    }

    fn begin(&self, text: &[u8], start: usize) -> Option<usize> {
        let begin = match self.lead {
            Some((alphabet, count)) if alphabet.run_before(text, start, count) < count => return None,
            Some((_, count)) => start - count,
            None => start,
        };
        (begin == 0 || !self.touches(text[begin - 1])).then_some(begin)
    }

    fn end(&self, text: &[u8], start: usize) -> Option<usize> {
        let mut at = start;
        for part in self.body {
            at += part.length(text, at)?;
        }
        (!text.get(at).is_some_and(|byte| self.touches(*byte))).then_some(at)
    }

    fn touches(&self, byte: u8) -> bool {
        self.apart.is_some_and(|alphabet| alphabet.has(byte))
    }
}

impl Part {
    fn length(self, bytes: &[u8], at: usize) -> Option<usize> {
        match self {
            Self::Text(text) => bytes[at..].starts_with(text.as_bytes()).then_some(text.len()),
            Self::Run(alphabet, least, most) => Some(alphabet.run(bytes, at, most)).filter(|length| *length >= least),
        }
    }
}

/// What documentation writes in place of a token.
fn is_made_up(body: &[u8]) -> bool {
    const WORDS: &[&str] = &["example", "placeholder", "redacted", "changeme", "xxxxx", "insert", "your-", "your_"];
    const ENOUGH: usize = 192;
    let body = &body[..body.len().min(ENOUGH)];
    let is = |window: &[u8], word: &str| window.eq_ignore_ascii_case(word.as_bytes());
    WORDS.iter().any(|word| body.windows(word.len()).any(|window| is(window, word)))
}
