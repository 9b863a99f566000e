//! Colours for code: classes on spans, which the page's style sheet knows.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use syntect::html::{ClassStyle, ClassedHTMLGenerator};
use syntect::parsing::{SyntaxReference, SyntaxSet};
use syntect::util::LinesWithEndings;

/// How much highlighting one text may take; what goes beyond is shown plain.
pub struct Budget {
    /// Bytes of code.
    pub bytes: usize,
    /// Some expressions take long for some lines.
    pub time: Duration,
}

impl Default for Budget {
    fn default() -> Self {
        Self { bytes: 64 * 1024, time: Duration::from_millis(200) }
    }
}

/// A longer line is no code that somebody reads, and slow to look through.
const LINE: usize = 2_000;

const CLASSES: ClassStyle = ClassStyle::SpacedPrefixed { prefix: "hl-" };

/// Read on first use: a companion without a reader needs none of it.
static SYNTAXES: LazyLock<SyntaxSet> = LazyLock::new(SyntaxSet::load_defaults_newlines);

/// The code as HTML; plain where the language is not known, the code too long, or the budget used up.
pub fn to_html(code: &str, language: &str, budget: &mut Budget) -> String {
    let fits = code.len() <= budget.bytes && code.lines().all(|line| line.len() <= LINE);
    let syntax = syntax(language).filter(|_| fits);
    let highlighted = syntax.and_then(|syntax| highlighted(code, syntax, budget));
    highlighted.unwrap_or_else(|| ammonia::clean_text(code))
}

fn syntax(language: &str) -> Option<&'static SyntaxReference> {
    if language.is_empty() { None } else { SYNTAXES.find_syntax_by_token(language) }
}

/// What is given up counts too.
fn highlighted(code: &str, syntax: &SyntaxReference, budget: &mut Budget) -> Option<String> {
    budget.bytes -= code.len();
    let mut generator = ClassedHTMLGenerator::new_with_class_style(syntax, &SYNTAXES, CLASSES);
    for line in LinesWithEndings::from(code) {
        let begun = Instant::now();
        if budget.time.is_zero() {
            return None;
        }
        generator.parse_html_for_line_which_includes_newline(line).ok()?;
        budget.time = budget.time.saturating_sub(begun.elapsed());
    }
    Some(generator.finalize())
}
