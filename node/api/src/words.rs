//! How people read counts, times and what others wrote, the same on every face.

/// `1 message`, `2 messages`.
pub fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// `2026-11-20 10:15 UTC`, of a time in RFC 3339 and UTC.
pub fn minute(at: &str) -> String {
    cut_to(at, "2026-11-20T10:15".len())
}

/// `2026-11-20 10:15:00 UTC`, of a time in RFC 3339 and UTC.
pub fn second(at: &str) -> String {
    cut_to(at, "2026-11-20T10:15:00".len())
}

/// The text as a sentence: with a full stop, unless it has an end of its own, be it inside quotes.
pub fn sentence(text: &str) -> String {
    let text = text.trim_end();
    let last = text.trim_end_matches(['”', '"', '\'', '’', '»', ')']).chars().next_back();
    let ended = last.is_none_or(|last| matches!(last, '.' | '!' | '?' | '…'));
    format!("{text}{}", if ended { "" } else { "." })
}

fn cut_to(at: &str, letters: usize) -> String {
    format!("{} UTC", at.chars().take(letters).collect::<String>().replace('T', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_agree_with_their_noun() {
        assert_eq!(count(1, "message", "messages"), "1 message");
        assert_eq!(count(0, "message", "messages"), "0 messages");
    }

    #[test]
    fn a_sentence_ends_once() {
        for (text, ended) in [
            ("timed out", "timed out."),
            ("timed out.\n", "timed out."),
            ("Done: “214 tests pass.”", "Done: “214 tests pass.”"),
            ("Done: “214 tests pass”", "Done: “214 tests pass”."),
            ("It works (here)", "It works (here)."),
            ("Does it?", "Does it?"),
            ("", ""),
        ] {
            assert_eq!(sentence(text), ended);
        }
    }

    #[test]
    fn times_are_as_exact_as_they_are_read() {
        let at = "2023-11-14T22:13:20.123Z";
        assert_eq!((minute(at), second(at)), ("2023-11-14 22:13 UTC".into(), "2023-11-14 22:13:20 UTC".into()));
    }
}
