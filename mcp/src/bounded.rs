//! No answer grows without bound: a model pays for every character.

use serde::Serialize;

/// Most characters of an answer whose size nobody asked for, both parts together.
pub(crate) const ANSWER: usize = 20_000;
/// Most characters of an answer to a call that named a size.
pub(crate) const ASKED: usize = 200_000;
/// Kept free for what stands around the entries: notice, advice, cursor.
pub(crate) const FRAME: usize = 2_500;

/// Characters that a value takes as JSON.
pub(crate) fn cost(value: &impl Serialize) -> usize {
    serde_json::to_string(value).map_or(usize::MAX, |json| json.chars().count())
}

/// How many of the first costs fit into `budget`; at least one, so that a reader always gets on.
pub(crate) fn fitting(costs: impl IntoIterator<Item = usize>, budget: usize) -> usize {
    let mut left = budget;
    costs
        .into_iter()
        .enumerate()
        .take_while(|(index, cost)| {
            let fits = *cost <= left;
            left = left.saturating_sub(*cost);
            fits || *index == 0
        })
        .count()
}

/// At most `max` characters of a text, and whether it was cut.
pub(crate) fn cut(text: &str, max: usize) -> (String, bool) {
    match text.char_indices().nth(max) {
        None => (text.to_owned(), false),
        Some((end, _)) => (format!("{}…", &text[..end]), true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_a_prefix_and_never_empty() {
        assert_eq!(fitting([4, 4, 4], 8), 2);
        assert_eq!(fitting([9, 1], 8), 1);
        assert_eq!(fitting([4, 9, 1], 8), 1);
        assert_eq!(fitting([], 8), 0);
    }

    #[test]
    fn a_cut_counts_characters() {
        assert_eq!(cut("äöü", 3), ("äöü".to_owned(), false));
        assert_eq!(cut("äöü", 2), ("äö…".to_owned(), true));
    }
}
