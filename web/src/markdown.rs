//! Markdown into HTML that a page may show: what a peer wrote must not run, load or imitate anything.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

use ammonia::Builder;
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd, html};

use crate::highlight::{self, Budget};

/// How deep quotes, lists and emphasis may stand in one another. Reading the HTML takes a time that
/// grows with the square of it, and nobody reads further in.
const DEEPEST: usize = 32;

/// Renders a text and cleans what came out.
pub fn to_html(text: &str) -> String {
    rendered(text, Budget::default())
}

/// Code in colours, as the inner HTML of a block.
pub fn code(code: &str, language: &str) -> String {
    CLEANER.clean(&highlight::to_html(code, language, &mut Budget::default())).to_string()
}

/// Drops what changes how the text around it reads without being seen itself: bidirectional controls
/// and control characters (CVE-2021-42574).
pub fn visible(text: &str) -> Cow<'_, str> {
    let turns =
        |c| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let hidden = |c: char| turns(c) || (c.is_control() && !matches!(c, '\n' | '\t'));
    if text.contains(hidden) { Cow::Owned(text.replace(hidden, "")) } else { Cow::Borrowed(text) }
}

fn rendered(text: &str, budget: Budget) -> String {
    let text = visible(text);
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let events = Parser::new_ext(&text, options).map(breaks_stay).filter(shallow());
    let mut rendered = String::with_capacity(text.len() * 2);
    html::push_html(&mut rendered, Highlighted { events, budget });
    CLEANER.clean(&rendered).to_string()
}

/// People and agents break lines where they mean it.
fn breaks_stay(event: Event<'_>) -> Event<'_> {
    match event {
        Event::SoftBreak => Event::HardBreak,
        // Markup inside the text is text.
        Event::Html(raw) | Event::InlineHtml(raw) => Event::Text(raw),
        event => event,
    }
}

/// Passes what nests only so deep, and the text alone of a picture.
fn shallow() -> impl FnMut(&Event<'_>) -> bool {
    let mut depth = 0;
    move |event| match event {
        Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => false,
        Event::Start(tag) if nests(tag.to_end()) => {
            depth += 1;
            depth <= DEEPEST
        }
        Event::End(tag) if nests(*tag) => {
            depth -= 1;
            depth < DEEPEST
        }
        _ => true,
    }
}

fn nests(tag: TagEnd) -> bool {
    use TagEnd::{BlockQuote, Emphasis, Item, List, Strikethrough, Strong};
    matches!(tag, BlockQuote(_) | Emphasis | Item | List(_) | Strikethrough | Strong)
}

/// Code blocks become highlighted HTML; everything else passes.
struct Highlighted<I> {
    events: I,
    budget: Budget,
}

impl<'a, I: Iterator<Item = Event<'a>>> Iterator for Highlighted<I> {
    type Item = Event<'a>;

    fn next(&mut self) -> Option<Event<'a>> {
        match self.events.next()? {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => Some(self.block(&language)),
            Event::Start(Tag::CodeBlock(CodeBlockKind::Indented)) => Some(self.block("")),
            event => Some(event),
        }
    }
}

impl<'a, I: Iterator<Item = Event<'a>>> Highlighted<I> {
    fn block(&mut self, language: &str) -> Event<'a> {
        let mut code = String::new();
        for event in self.events.by_ref() {
            match event {
                Event::Text(text) => code.push_str(&text),
                Event::End(TagEnd::CodeBlock) => break,
                _ => {}
            }
        }
        let language = language.split([' ', ',', '{']).next().unwrap_or_default();
        let inner = highlight::to_html(&code, language, &mut self.budget);
        let class: String = language.chars().filter(|c| c.is_ascii_alphanumeric() || "+-#_".contains(*c)).collect();
        Event::Html(format!("<pre><code class=\"language-{class}\">{inner}</code></pre>\n").into())
    }
}

static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut cleaner = Builder::default();
    cleaner
        // Loading a picture would tell its server who reads when.
        .rm_tags(["img", "map", "area", "figure", "figcaption"])
        .add_tags(["input"])
        .add_tag_attributes("input", ["type", "checked", "disabled"])
        .add_tag_attributes("code", ["class"])
        .add_tag_attributes("span", ["class"])
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(ammonia::UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer nofollow"))
        .attribute_filter(|element, attribute, value| match (element, attribute) {
            ("code" | "span", "class") => Some(Cow::Owned(classes(value))),
            // A task of a list, and nothing that could be typed into.
            ("input", "type") => (value == "checkbox").then_some(Cow::Borrowed(value)),
            _ => Some(Cow::Borrowed(value)),
        });
    cleaner
});

/// Only the classes that are ours.
fn classes(value: &str) -> String {
    let ours = value.split_whitespace().filter(|class| class.starts_with("hl-") || class.starts_with("language-"));
    ours.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn markdown_becomes_html() {
        assert_eq!(to_html("a *b*\nc"), "<p>a <em>b</em><br>\nc</p>\n");
        assert!(to_html("| a |\n|---|\n| b |").contains("<td>b</td>"));
        assert!(to_html("- [x] done").contains("checkbox"));
    }

    #[test]
    fn nothing_runs_and_nothing_is_loaded() {
        let attacks = [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "![a](http://evil.example/x.png)",
            "[a](javascript:alert(1))",
            "[a](data:text/html;base64,eA==)",
            "<svg onload=alert(1)>",
            "<a href=\"http://a.example\" onclick=\"x()\" style=\"position:fixed\">b</a>",
            "```\"><script>alert(1)</script>\nx\n```",
            "<form action=http://evil.example><input name=a></form>",
            "<iframe src=http://evil.example></iframe>",
            "```html\n<script>alert(1)</script>\n```",
        ];
        for attack in attacks {
            let html = to_html(attack);
            let lower = html.to_lowercase();
            for tag in ["<script", "<img", "<svg", "<iframe", "<form", "<style", "href=\"javascript", "href=\"data"] {
                assert!(!lower.contains(tag), "{attack:?} became {html:?}");
            }
            let quoted = lower.replace("&lt;", "").replace("&gt;", "");
            assert!(!quoted.contains("<a onclick"), "{html:?}");
        }
    }

    #[test]
    fn raw_markup_is_shown_as_text() {
        assert_eq!(to_html("a <b>c</b>"), "<p>a &lt;b&gt;c&lt;/b&gt;</p>\n");
    }

    #[test]
    fn links_give_nothing_away() {
        let html = to_html("[a](https://b.example)");
        assert_eq!(html, "<p><a href=\"https://b.example\" rel=\"noopener noreferrer nofollow\">a</a></p>\n");
        assert!(!to_html("[a](/api/ask)").contains("href"));
    }

    #[test]
    fn code_is_highlighted_and_stays_what_it_is() {
        let patient = Budget { time: Duration::MAX, ..Budget::default() };
        let html = rendered("```rust\nfn main() { \"<b>\" }\n```", patient);
        assert!(html.contains("language-rust") && html.contains("hl-keyword") || html.contains("hl-storage"), "{html}");
        assert!(html.contains("&lt;b&gt;") && !html.contains("<b>"), "{html}");
        assert!(to_html("```nonsense\na < b\n```").contains("a &lt; b"));
    }

    #[test]
    fn nothing_is_nested_without_end() {
        for (deep, tag) in
            [(">".repeat(190_000), "<blockquote>"), ("1. ".repeat(5_000), "<ol>"), (nested("*a **b "), "<em>")]
        {
            let html = to_html(&deep);
            let levels = html.matches(tag).count();
            assert!((8..=DEEPEST).contains(&levels), "{levels} of {tag}");
            assert_eq!(levels, html.matches(&tag.replace('<', "</")).count());
        }
        assert_eq!(to_html("> a\n\nb"), "<blockquote>\n<p>a</p>\n</blockquote>\n<p>b</p>\n");
    }

    fn nested(open: &str) -> String {
        let times = 5_000;
        open.repeat(times) + &"c** d*".repeat(times)
    }

    #[test]
    fn code_that_takes_too_long_is_shown_plain() {
        let hasty = Budget { time: Duration::ZERO, ..Budget::default() };
        let html = rendered("```rust\nfn main() {}\n```", hasty);
        assert_eq!(html, "<pre><code class=\"language-rust\">fn main() {}\n</code></pre>\n");
    }

    #[test]
    fn a_picture_is_what_it_says() {
        assert_eq!(to_html("see ![the *plan*](http://evil.example/x.png)"), "<p>see the <em>plan</em></p>\n");
    }

    #[test]
    fn text_cannot_turn_around() {
        assert_eq!(to_html("a\u{202e}\u{61c}b\u{200f}\u{0}c"), "<p>abc</p>\n");
    }
}
