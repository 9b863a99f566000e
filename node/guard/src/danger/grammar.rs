//! The shell's grammar, within bounds: a text that would take the parser too long or too deep is
//! not parsed at all.

use brush_parser::word::{self, BraceExpressionMember, BraceExpressionOrText, WordPieceWithSource};
use brush_parser::{ParserOptions, SourceInfo, Token, ast, parse_tokens, uncached_tokenize_str};

/// Bytes of a text that is read as a program.
pub const MAX_BYTES: usize = 64 << 10;

/// Substitutions of a program: the tokenizer descends into each that stands in another.
const MAX_SUBSTITUTIONS: usize = 64;

/// How deep commands may stand in commands. The parser's stack is ours.
const MAX_NESTING: usize = 40;

/// The parser tries some things twice at each depth, and words thrice: what is long may not be deep.
const EFFORT: usize = 1 << 19;
const WORD_EFFORT: usize = 3_000_000;

/// Words that one word may become by its braces.
const MAX_WORDS: usize = 64;

/// Braces of a word: those that are not closed are tried again and again.
const MAX_BRACES: usize = 10;

/// Reads a program. None if it is none, or too much.
pub fn program(code: &str) -> Option<ast::Program> {
    if code.len() > MAX_BYTES || substitutions(code) > MAX_SUBSTITUTIONS {
        return None;
    }
    careful(|| parse(code))
}

/// The parser is somebody else's: a text that it fails over is one that it cannot read.
fn careful<T>(read: impl FnOnce() -> Option<T>) -> Option<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(read)).ok().flatten()
}

fn parse(code: &str) -> Option<ast::Program> {
    let options = ParserOptions::default();
    let tokens = uncached_tokenize_str(code, &options.tokenizer_options()).ok()?;
    let (nesting, doubled) = nesting(&tokens);
    let effort = tokens.len().checked_shl(u32::try_from(doubled).ok()?).unwrap_or(usize::MAX);
    if nesting > MAX_NESTING || doubled > 18 || effort > EFFORT {
        return None;
    }
    parse_tokens(&tokens, &options, &SourceInfo::default()).ok()
}

/// Reads a program as it stands in a word: the parser hands out the end of a here-document in the
/// quotes of its beginning. Where it is not plain which line is meant, nothing is read.
pub fn substituted(code: &str) -> Option<ast::Program> {
    let mut lines: Vec<&str> = code.split('\n').collect();
    for (at, _) in code.match_indices("<<").take(16) {
        let rest = code[at + 2..].trim_start_matches(['-', ' ']);
        let Some(quote) = rest.chars().next().filter(|c| matches!(c, '\'' | '"')) else { continue };
        let end = rest[1..].find(quote)? + 2;
        let quoted = &rest[..end];
        let mut ends = lines.iter_mut().filter(|line| line.trim_start_matches('\t') == quoted);
        let last = ends.next()?;
        if ends.next().is_some() {
            return None;
        }
        *last = &quoted[1..end - 1];
    }
    program(&lines.join("\n"))
}

/// Reads a word's quotes and substitutions. None if it has none that can be read, or too many.
pub fn pieces(word: &str) -> Option<Vec<WordPieceWithSource>> {
    let effort = 3_usize.checked_pow(u32::try_from(substitutions(word)).ok()?)?.checked_mul(word.len())?;
    if effort > WORD_EFFORT {
        return None;
    }
    careful(|| word::parse(word, &ParserOptions::default()).ok())
}

/// The words that a word's braces make of it.
pub fn braces(word: &str) -> Option<Vec<String>> {
    // In quotes, as in a text of JSON, braces mean nothing.
    let quoted = ['"', '\'']
        .iter()
        .any(|quote| word.matches(*quote).count() == 2 && word.starts_with(*quote) && word.ends_with(*quote));
    if !word.contains('{') || quoted {
        return Some(vec![word.to_owned()]);
    }
    if word.matches('{').count() > MAX_BRACES {
        return None;
    }
    match careful(|| word::parse_brace_expansions(word, &ParserOptions::default()).ok())? {
        Some(parts) => unfold(&parts),
        None => Some(vec![word.to_owned()]),
    }
}

fn unfold(parts: &[BraceExpressionOrText]) -> Option<Vec<String>> {
    let mut words = vec![String::new()];
    for part in parts {
        let ends = match part {
            BraceExpressionOrText::Text(text) => vec![text.clone()],
            BraceExpressionOrText::Expr(members) => {
                members.iter().map(member).collect::<Option<Vec<_>>>()?.into_iter().flatten().collect()
            }
        };
        if words.len() * ends.len() > MAX_WORDS {
            return None;
        }
        words = words.iter().flat_map(|word| ends.iter().map(move |end| format!("{word}{end}"))).collect();
    }
    Some(words)
}

/// Of a sequence, its ends are enough.
fn member(member: &BraceExpressionMember) -> Option<Vec<String>> {
    match member {
        BraceExpressionMember::NumberSequence { start, end, .. } => Some(vec![start.to_string(), end.to_string()]),
        BraceExpressionMember::CharSequence { start, end, .. } => Some(vec![start.to_string(), end.to_string()]),
        BraceExpressionMember::Child(parts) => unfold(parts),
    }
}

fn substitutions(text: &str) -> usize {
    let bytes = text.as_bytes();
    let opens = |pair: &&[u8]| matches!(pair, [b'$', b'(' | b'{' | b'['] | [b'<' | b'>', b'(']);
    // Arithmetic may as well be a command that begins with a parenthesis.
    let either = text.matches("$((").count();
    bytes.windows(2).filter(opens).count() + either + bytes.iter().filter(|byte| **byte == b'`').count().div_ceil(2)
}

/// How deep commands stand in commands, and how often the parser would double its effort; rather too
/// much than too little.
fn nesting(tokens: &[Token]) -> (usize, usize) {
    let (mut open, mut deepest, mut doubled): (Vec<&str>, usize, usize) = (Vec::new(), 0, 0);
    for token in tokens {
        let text = token.to_str();
        match text {
            "(" | "((" | "if" | "while" | "until" | "for" | "select" | "case" | "{" => open.push(text),
            "fi" => close(&mut open, &["if"]),
            "done" => close(&mut open, &["while", "until", "for", "select"]),
            "esac" => close(&mut open, &["case"]),
            "}" => close(&mut open, &["{"]),
            ")" | "))" => close_parenthesis(&mut open),
            _ => continue,
        }
        deepest = deepest.max(open.len());
        if deepest > MAX_NESTING {
            break;
        }
        doubled = doubled.max(
            open.iter()
                .map(|text| if text.starts_with('(') { text.len() } else { 2 * usize::from(*text == "case") })
                .sum(),
        );
    }
    (deepest, doubled)
}

fn close(open: &mut Vec<&str>, by: &[&str]) {
    if open.last().is_some_and(|last| by.contains(last)) {
        open.pop();
    }
}

/// A pattern of `case` ends in a parenthesis that closes none.
fn close_parenthesis(open: &mut Vec<&str>) {
    let last = open.iter().rposition(|text| text.starts_with('(') || *text == "case");
    if let Some(at) = last.filter(|at| open[*at] != "case") {
        open.truncate(at);
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn what_is_deep_is_refused_before_it_is_parsed() {
        let began = Instant::now();
        let opens = [
            "(",
            "( ",
            "((",
            "{ ",
            "if ",
            "if true; then ",
            "while ",
            "case x in a) ",
            "$(",
            "`",
            "${a:-",
            "\"$(",
            "<(",
            "$((",
            "f() ",
            "! ",
            "@(a|",
            "{a,",
            "[[ ( ",
            "echo $( ",
            "(case x in a) ",
            "if (",
            "'",
            "\"",
            "\\",
        ];
        for open in opens {
            for count in [1, 8, 12, 20, 64, 1000, 4000] {
                let code = open.repeat(count);
                let _ = (program(&code), pieces(&code), braces(&code));
                let _ = pieces(&format!("{code}x"));
                let _ = program(&format!("echo '\n{code}\n' {code}"));
                let _ = program(&format!("cat <<E\n'\"\nE\n{code}"));
            }
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    }

    #[test]
    fn an_ordinary_script_is_not_too_much() {
        let part = "if [ -n \"$a\" ]; then\n  for x in a b; do (cd $x && make) || exit 1; done\nfi\n";
        assert!(program(&part.repeat(100)).is_some());
        assert!(program("case $1 in\n a) echo a;;\n b|c) (echo b);;\n *) exit;;\nesac").is_some());
    }
}
