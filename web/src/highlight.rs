//! Colours for code: classes on spans, which the page's style sheet knows.

use std::sync::LazyLock;

use syntect::html::{ClassStyle, ClassedHTMLGenerator};
use syntect::parsing::{SyntaxReference, SyntaxSet};
use syntect::util::LinesWithEndings;

/// Bytes of one text's code that are highlighted; what is longer is shown plain.
pub const BUDGET: usize = 64 * 1024;

/// A longer line is no code that somebody reads, and slow to look through.
const LINE: usize = 2_000;

const CLASSES: ClassStyle = ClassStyle::SpacedPrefixed { prefix: "hl-" };

/// Read on first use: a companion without a reader needs none of it.
static SYNTAXES: LazyLock<SyntaxSet> = LazyLock::new(SyntaxSet::load_defaults_newlines);

/// The code as HTML; plain where the language is not known, the code too long, or the budget used up.
pub fn to_html(code: &str, language: &str, budget: &mut usize) -> String {
    let fits = code.len() <= *budget && code.lines().all(|line| line.len() <= LINE);
    let syntax = syntax(language).filter(|_| fits);
    let highlighted = syntax.and_then(|syntax| highlighted(code, syntax));
    match highlighted {
        Some(html) => {
            *budget -= code.len();
            html
        }
        None => ammonia::clean_text(code),
    }
}

fn syntax(language: &str) -> Option<&'static SyntaxReference> {
    if language.is_empty() { None } else { SYNTAXES.find_syntax_by_token(language) }
}

fn highlighted(code: &str, syntax: &SyntaxReference) -> Option<String> {
    let mut generator = ClassedHTMLGenerator::new_with_class_style(syntax, &SYNTAXES, CLASSES);
    for line in LinesWithEndings::from(code) {
        generator.parse_html_for_line_which_includes_newline(line).ok()?;
    }
    Some(generator.finalize())
}
