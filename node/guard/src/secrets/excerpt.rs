//! A line around a secret, with the secret masked.

use std::ops::Range;

use super::decoded::boundary;

/// How much of the line is shown on each side, in bytes.
const AROUND: usize = 32;
const MASK: &str = "•••";
/// Of a secret at least this long the first characters are shown, so that a human can tell which it is.
const LONG: usize = 20;
const SHOWN: usize = 4;

/// Shows where `secret` stands. Nothing of `masked`, which is in order and without overlaps, is shown.
pub fn excerpt(text: &str, secret: &Range<usize>, masked: &[Range<usize>]) -> String {
    let line = around(text, secret);
    let first = masked.partition_point(|range| range.end <= line.start);
    let mut shown = String::new();
    let mut at = line.start;
    for range in masked[first..].iter().take_while(|range| range.start < line.end) {
        shown.push_str(&text[at..range.start.max(at)]);
        if range.start <= secret.start && secret.end <= range.end {
            shown.push_str(beginning(&text[range.clone()], &text[secret.clone()]));
        }
        shown.push_str(MASK);
        at = range.end;
    }
    shown.push_str(text.get(at..line.end).unwrap_or_default());
    // It may stand in the line again, where no rule saw it.
    let readable: String = shown.replace(&text[secret.clone()], MASK).chars().map(visible).collect();
    let readable = readable.trim();
    if readable.contains(&text[secret.clone()]) { MASK.to_owned() } else { readable.to_owned() }
}

/// Was this masked before it came here? Then it gives nothing away.
pub fn is_masked(text: &str) -> bool {
    text.chars().all(|letter| MASK.contains(letter))
}

fn visible(letter: char) -> char {
    if letter.is_control() { ' ' } else { letter }
}

fn beginning<'a>(masked: &'a str, secret: &str) -> &'a str {
    let plain = masked.as_bytes().iter().take(SHOWN).all(u8::is_ascii_graphic);
    if plain && secret.len() >= LONG && masked.starts_with(secret) { &masked[..SHOWN] } else { "" }
}

fn around(text: &str, secret: &Range<usize>) -> Range<usize> {
    let before = &text[boundary(text, secret.start.saturating_sub(AROUND))..secret.start];
    let after = &text[secret.end..boundary(text, (secret.end + AROUND).min(text.len())).max(secret.end)];
    let start = secret.start - before.rsplit('\n').next().map_or(0, str::len);
    let end = secret.end + after.split('\n').next().map_or(0, str::len);
    start..end
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    #[test]
    fn only_the_secret_is_masked() {
        let text = "one\nlogin: bob, key: 0a1b2c\ntwo";
        let place = 21..27;
        assert_eq!(excerpt(text, &place, std::slice::from_ref(&place)), "login: bob, key: •••");
    }

    #[test]
    fn of_a_long_secret_the_beginning_is_shown() {
        let text = "0123456789abcdefghijklmnopqrstuvwxyz";
        let place = 0..text.len();
        assert_eq!(excerpt(text, &place, std::slice::from_ref(&place)), "0123•••");
    }

    #[test]
    fn what_is_masked_already_is_no_secret() {
        assert_eq!(crate::secrets::scan("look at db://bob:•••@host"), []);
    }

    #[test]
    fn neighbours_and_copies_are_masked_too() {
        let text = "a1b2c3 d4e5f6 a1b2c3";
        assert_eq!(excerpt(text, &(0..6), &[0..6, 7..13]), "••• ••• •••");
    }
}
