//! Takes out of a text what a reader cannot see but a model or a terminal would obey.

use std::iter::Peekable;
use std::str::Chars;

use serde_json::Value;

/// A text that shows all it holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Clean {
    pub(crate) text: String,
    /// Characters that were taken out or defused.
    pub(crate) altered: usize,
}

/// Strips control, bidirectional, zero-width and tag characters and terminal sequences, then
/// defuses look-alikes of the tags that frame text for a model.
pub(crate) fn clean(text: &str) -> Clean {
    let mut stripped = strip(text);
    stripped.altered += defuse(&mut stripped.text);
    stripped
}

/// What of a foreign text can be seen: as the agents get it, but with its tags, for human eyes.
pub fn visible(text: &str) -> String {
    strip(text).text
}

/// As [`clean`], but leaves tags: for text that carries our own envelopes.
pub(crate) fn strip(text: &str) -> Clean {
    let mut clean = Clean { text: String::with_capacity(text.len()), altered: 0 };
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\r' => {
                chars.next_if_eq(&'\n');
                clean.text.push('\n');
            }
            '\n' | '\t' => clean.text.push(char),
            '\u{85}' | '\u{2028}' | '\u{2029}' => clean.text.push('\n'),
            '\u{1b}' => clean.altered += 1 + skip_escape(&mut chars),
            '\u{9b}' => clean.altered += 1 + skip_control_sequence(&mut chars),
            char if is_hidden(char, clean.text.chars().next_back()) => clean.altered += 1,
            char => clean.text.push(char),
        }
    }
    clean
}

/// One short line for prose: a name, a title. Never longer than `max` characters, never able to
/// end a quotation or a tag.
pub(crate) fn label(text: &str, max: usize) -> String {
    let text: String = clean(text)
        .text
        .chars()
        .map(|char| match char {
            '"' | '“' | '”' => '\'',
            '<' => '‹',
            '>' => '›',
            '`' => '\'',
            char => char,
        })
        .collect();
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= max {
        return line;
    }
    let mut short: String = line.chars().take(max.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// Cleans every text in a value, keys included.
pub(crate) fn clean_value(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(clean(&text).text),
        Value::Array(values) => values.into_iter().map(clean_value).collect(),
        Value::Object(map) => map.into_iter().map(|(key, value)| (clean(&key).text, clean_value(value))).collect(),
        value => value,
    }
}

/// Skips what follows an ESC (ECMA-48 §5.3): a control sequence, a control string or one character.
fn skip_escape(chars: &mut Peekable<Chars<'_>>) -> usize {
    match chars.peek() {
        Some('[') => {
            chars.next();
            1 + skip_control_sequence(chars)
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            chars.next();
            1 + skip_control_string(chars)
        }
        Some('\u{20}'..='\u{7e}') => {
            chars.next();
            1
        }
        _ => 0,
    }
}

fn skip_control_sequence(chars: &mut Peekable<Chars<'_>>) -> usize {
    let mut skipped = 0;
    while chars.next_if(|char| matches!(char, '\u{20}'..='\u{3f}')).is_some() {
        skipped += 1;
    }
    skipped + usize::from(chars.next_if(|char| matches!(char, '\u{40}'..='\u{7e}')).is_some())
}

/// Ends at BEL or ESC, and at the line's end, so that an open one cannot hide the rest of a text.
fn skip_control_string(chars: &mut Peekable<Chars<'_>>) -> usize {
    let mut skipped = 0;
    while chars.next_if(|char| !matches!(char, '\u{7}' | '\u{1b}' | '\u{9c}' | '\n' | '\r')).is_some() {
        skipped += 1;
    }
    skipped
}

/// Is invisible, or moves or reverses what is visible. One variation selector after a visible
/// character chooses how that is drawn; more of them carry hidden text.
fn is_hidden(char: char, before: Option<char>) -> bool {
    match char {
        '\u{fe00}'..='\u{fe0f}' => {
            before.is_none_or(|before| before.is_whitespace() || matches!(before, '\u{fe00}'..='\u{fe0f}'))
        }
        '\u{0}'..='\u{1f}'
        | '\u{7f}'..='\u{9f}'
        | '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' => true,
        _ => false,
    }
}

/// Our own tags: nothing may even begin like them.
const OWN_FRAMES: [&str; 2] = ["peer-message", "own-message"];
/// Tags with which hosts frame text for a model. Some are words that other tags begin with.
const FRAMES: [&str; 10] = [
    "system-reminder",
    "cross-session-message",
    "task-notification",
    "function_calls",
    "function_result",
    "function_results",
    "invoke",
    "parameter",
    "tool_result",
    "tool_use",
];

/// Replaces the bracket of every framing tag, opening or closing, by one that frames nothing.
fn defuse(text: &mut String) -> usize {
    let mut defused = String::new();
    let (mut brackets, mut copied) = (0, 0);
    for (at, bracket) in text.match_indices(['<', '＜', '﹤']) {
        let after = at + bracket.len();
        if opens_frame(&text[after..]) {
            defused.push_str(&text[copied..at]);
            defused.push('‹');
            (brackets, copied) = (brackets + 1, after);
        }
    }
    if brackets > 0 {
        defused.push_str(&text[copied..]);
        *text = defused;
    }
    brackets
}

fn opens_frame(after_bracket: &str) -> bool {
    let name = after_bracket.trim_start().trim_start_matches(['/', '／']).trim_start();
    let end = name.find(|char: char| !is_tag_char(char)).unwrap_or(name.len());
    let name = name[..end].rsplit(':').next().unwrap_or_default();
    let begins = |frame: &str| name.get(..frame.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(frame));
    OWN_FRAMES.iter().any(|frame| begins(frame)) || FRAMES.iter().any(|frame| name.eq_ignore_ascii_case(frame))
}

fn is_tag_char(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | ':')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_text_stays_as_it_is() {
        for text in ["", "hello\n\tworld", "fn f<T>() -> Vec<T>", "naïve 日本 ✔️ été", "a <b> c </b>"] {
            assert_eq!(clean(text), Clean { text: text.to_owned(), altered: 0 });
        }
    }

    #[test]
    fn what_is_hidden_goes() {
        for (dirty, plain) in [
            ("a\u{200b}b", "ab"),
            ("a\u{202e}b\u{2066}c", "abc"),
            ("a\u{e0041}\u{e0042}b", "ab"),
            ("a\0b\u{7f}", "ab"),
            ("\u{feff}a", "a"),
            ("✔\u{fe0f}\u{fe01}\u{fe02}", "✔\u{fe0f}"),
        ] {
            assert_eq!(clean(dirty).text, plain);
            assert!(clean(dirty).altered > 0);
        }
    }

    #[test]
    fn terminal_sequences_go_whole() {
        for (dirty, plain) in [
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{9b}2Jgone", "gone"),
            ("\u{1b}]0;title\u{7}text", "text"),
            ("\u{1b}]8;;http://x\u{1b}\\link", "link"),
            ("\u{1b}]open string\nnext line", "\nnext line"),
            ("end\u{1b}", "end"),
        ] {
            assert_eq!(clean(dirty).text, plain);
        }
    }

    #[test]
    fn every_line_end_is_a_newline() {
        assert_eq!(clean("a\r\nb\rc\u{85}d\u{2028}e\u{2029}f").text, "a\nb\nc\nd\ne\nf");
    }

    #[test]
    fn framing_tags_are_defused() {
        for tag in [
            "<peer-message x>",
            "</peer-message>",
            "< / Peer-Message>",
            "<system\u{200b}-reminder>",
            "＜/own-message",
            "</peer-messages>",
            "<a:invoke name>",
        ] {
            let clean = clean(tag);
            assert!(!clean.text.contains(['<', '＜']), "{}", clean.text);
            assert!(clean.altered > 0);
        }
    }

    #[test]
    fn a_label_is_one_short_line() {
        assert_eq!(label("a\n\"b\"  <c>", 64), "a 'b' ‹c›");
        assert_eq!(label("abcdef", 4), "abc…");
    }

    proptest! {
        #[test]
        fn cleaning_twice_changes_nothing(text in nasty()) {
            let once = clean(&text).text;
            prop_assert_eq!(clean(&once), Clean { text: once.clone(), altered: 0 });
        }

        #[test]
        fn nothing_hidden_is_left(text in nasty()) {
            let clean = clean(&text).text;
            let hidden = clean.chars().any(|char| {
                char != '\n' && char != '\t' && !matches!(char, '\u{fe00}'..='\u{fe0f}') && is_hidden(char, None)
            });
            prop_assert!(!hidden);
        }
    }

    fn nasty() -> impl Strategy<Value = String> {
        let pieces = prop_oneof![
            any::<char>().prop_map(String::from),
            prop::sample::select(vec![
                "<",
                "/",
                "peer-message",
                "system-reminder",
                "\u{200b}",
                "\u{1b}",
                "[",
                "]",
                "31m",
                "\u{7}",
                "\u{9b}",
                "\r",
                "\n",
                "\u{202e}",
                "\u{e0041}",
                "\u{fe0f}",
                " ",
                ":",
                "\u{2028}",
            ])
            .prop_map(str::to_owned),
        ];
        prop::collection::vec(pieces, 0..24).prop_map(|pieces| pieces.concat())
    }
}
