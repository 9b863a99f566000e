//! What others wrote, made harmless for a terminal: no escape sequences, no control characters, no
//! characters that reorder or hide what stands around them.

/// Several lines; tabs become spaces.
pub fn text(foreign: &str) -> String {
    mcp::visible(foreign).replace('\t', "    ")
}

/// One line: every run of white space is one space.
pub fn line(foreign: &str) -> String {
    text(foreign).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escape_sequences_vanish() {
        assert_eq!(text("a\u{1b}[2J\u{1b}]0;title\u{7}b\u{1b}[31mc"), "abc");
    }

    #[test]
    fn names_stay_on_one_line() {
        assert_eq!(line("bob\n10:15\t alice\u{2028}says"), "bob 10:15 alice says");
    }

    #[test]
    fn other_scripts_stay() {
        for kept in ["❤️", "שלום", "नमस्ते", "日本語"] {
            assert_eq!(text(kept), kept);
        }
    }

    proptest! {
        #[test]
        fn nothing_a_peer_writes_steers_the_terminal(foreign in any::<String>()) {
            prop_assert!(!text(&foreign).chars().any(|c| c.is_control() && c != '\n'));
            prop_assert!(!line(&foreign).contains('\n'));
        }
    }
}
