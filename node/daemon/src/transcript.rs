//! A whole transcript as a file: Markdown, JSON, or one HTML page that needs nothing else. What
//! members wrote stands in it as text and can be nothing more.

use std::fmt::Write;

use pairwave_api::{Entry, Field};

use crate::markdown;

/// How a transcript is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Markdown,
    Json,
    Html,
}

impl Format {
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "md" => Some(Self::Markdown),
            "json" => Some(Self::Json),
            "html" => Some(Self::Html),
            _ => None,
        }
    }

    pub fn extension(self) -> &'static str {
        match self {
            Self::Markdown => "md",
            Self::Json => "json",
            Self::Html => "html",
        }
    }

    /// What stands before the first event.
    pub fn begin(self, room: &str, title: &str, at: &str) -> String {
        match self {
            Self::Markdown => format!(
                "# Transcript of the room {}\n\nRoom `{room}`, written {at}. What stands behind > was written by members.\n",
                markdown::inline(title, 200)
            ),
            Self::Json => {
                let head = serde_json::json!({ "room": room, "title": title, "exported_at": at }).to_string();
                format!("{},\"events\":[\n", head.trim_end_matches('}'))
            }
            Self::Html => format!(
                "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
                 <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
                 <meta name=\"referrer\" content=\"no-referrer\">\n\
                 <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
                 <style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n<p>Room {room}, written {at}.</p>\n",
                title = escaped(title),
                room = escaped(room),
                at = escaped(at),
            ),
        }
    }

    /// One event; `first` of them all or not.
    pub fn entry(self, entry: &Entry, first: bool) -> String {
        match self {
            Self::Markdown => in_markdown(entry),
            Self::Json => {
                let separator = if first { "" } else { ",\n" };
                // Of texts and numbers alone.
                format!("{separator}{}", serde_json::to_string(entry).unwrap_or_else(|_| "null".to_owned()))
            }
            Self::Html => in_html(entry),
        }
    }

    /// What stands after the last event.
    pub fn end(self) -> &'static str {
        match self {
            Self::Markdown => "",
            Self::Json => "\n]}\n",
            Self::Html => "</body>\n</html>\n",
        }
    }
}

/// Nothing is loaded and nothing runs; the one style is the page's own.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// What names another event, to which it leads.
const LEADING: &[&str] = &["answers", "request"];

const STYLE: &str = "body{font:17px/1.55 Charter,Palatino,\"Noto Serif\",Georgia,serif;max-width:46rem;margin:3rem auto;\
    padding:0 1.25rem;color-scheme:light dark;background:light-dark(#fbf8f2,#191815);color:light-dark(#231f1a,#e8e2d6)}\
    h1{font-size:1.75rem;line-height:1.2;margin:0}h1+p,header,dt{font:.8rem/1.5 system-ui,sans-serif;\
    color:light-dark(#6b6255,#9d9586)}h1+p{margin:.5rem 0 2rem;overflow-wrap:anywhere}\
    article{border-top:1px solid light-dark(#ddd5c5,#35322c);padding:.9rem 0 1rem}\
    article:target{box-shadow:-1rem 0 light-dark(#fbf8f2,#191815),-1.2rem 0 light-dark(#0d5b66,#7fc6cb)}\
    header b{color:light-dark(#231f1a,#e8e2d6)}h2{font-size:1.1rem;margin:.25rem 0 0}\
    pre{white-space:pre-wrap;overflow-wrap:anywhere;font:inherit;margin:.25rem 0 0}dl{margin:.5rem 0 0}dt{margin-top:.25rem}\
    dd{margin:0}dd pre{margin:0;font-size:.95rem}a{color:light-dark(#0d5b66,#7fc6cb)}.void{opacity:.55}";

fn in_markdown(entry: &Entry) -> String {
    let name = markdown::inline(&entry.name, 64);
    let session = markdown::inline(&entry.session_name, 64);
    let to = entry.to.as_deref().map(|to| format!(" to {}", markdown::inline(to, 140))).unwrap_or_default();
    let mut out = format!(
        "\n## {} {name} ({session}, {}), {}{to}\n\n`{}`\n\n",
        entry.at,
        entry.origin,
        entry.kind.replace('_', " "),
        entry.event
    );
    if let Some(headline) = &entry.headline {
        let _ = writeln!(out, "{}\n", markdown::block(headline, usize::MAX));
    }
    let _ = writeln!(out, "{}", markdown::block(&entry.text, usize::MAX));
    for (what, value) in particulars(entry) {
        let _ = writeln!(out, "\n{}:\n\n{}", markdown::inline(&what, 64), markdown::block(&value, usize::MAX));
    }
    out
}

fn in_html(entry: &Entry) -> String {
    let class = if entry.void.is_some() { " class=\"void\"" } else { "" };
    let to = entry.to.as_deref().map(|to| format!(" to {}", escaped(to))).unwrap_or_default();
    let mut out = format!(
        "<article{class} id=\"{event}\">\n<header>{at} · <b>{name}</b> ({session}, {origin}) · {kind}{to}</header>\n",
        event = escaped(&entry.event),
        at = escaped(&entry.at),
        name = escaped(&entry.name),
        session = escaped(&entry.session_name),
        origin = escaped(&entry.origin),
        kind = escaped(&entry.kind.replace('_', " ")),
    );
    if let Some(headline) = &entry.headline {
        let _ = writeln!(out, "<h2>{}</h2>", escaped(headline));
    }
    let _ = writeln!(out, "<pre>{}</pre>", escaped(&entry.text));
    let particulars = particulars(entry);
    if !particulars.is_empty() {
        out.push_str("<dl>\n");
        for (what, value) in particulars {
            let (what, value) = (escaped(&what), escaped(&value));
            let value = if LEADING.contains(&&*what) { format!("<a href=\"#{value}\">{value}</a>") } else { value };
            let _ = writeln!(out, "<dt>{what}</dt><dd><pre>{value}</pre></dd>");
        }
        out.push_str("</dl>\n");
    }
    out.push_str("</article>\n");
    out
}

/// What an event says beside its text.
fn particulars(entry: &Entry) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut add = |what: &str, value: &Option<String>| all.extend(value.iter().map(|it| (what.to_owned(), it.clone())));
    add("answers", &entry.answers);
    add("claim", &entry.claim);
    add("rationale", &entry.rationale);
    add("request", &entry.request);
    add("artifact", &entry.artifact);
    add("without effect", &entry.void);
    if !entry.provenance.is_empty() {
        all.push(("provenance".to_owned(), entry.provenance.join("\n")));
    }
    all.extend(entry.fields.iter().map(|(name, field)| {
        let value = match field {
            Field::Text(text) => text.clone(),
            Field::List(list) => list.join("\n"),
        };
        (name.clone(), value)
    }));
    all
}

/// A text that is a text in HTML, between tags and in a quoted attribute. What reorders or hides what
/// stands around it is left out.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(letter),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            letter if letter.is_control() => {}
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hostile() -> Entry {
        Entry {
            event: "e1".into(),
            name: "bob</title><script>alert(1)</script>".into(),
            kind: "decision".into(),
            text: "one\n# two\n<script>alert(1)</script>\n\"' onload=x\u{202e}".into(),
            headline: Some("<img src=x onerror=alert(1)>".into()),
            rationale: Some("</pre></article>".into()),
            answers: Some("\"><img src=x>".into()),
            fields: [("<b>".to_owned(), Field::List(vec!["<i>".into(), "## h".into()]))].into(),
            ..Entry::default()
        }
    }

    #[test]
    fn nothing_a_member_wrote_is_a_tag() {
        let page = format!(
            "{}{}{}",
            Format::Html.begin("room", "</title><script>x</script>", "now"),
            Format::Html.entry(&hostile(), true),
            Format::Html.end()
        );
        for tag in ["<script", "<img", "<i>", "\u{202e}"] {
            assert!(!page.contains(tag), "{tag} in {page}");
        }
        assert_eq!(page.matches("</article>").count(), 1);
        assert!(page.contains("default-src 'none'"));
        assert!(!page.contains("http://") && !page.contains("https://"));
    }

    #[test]
    fn nothing_a_member_wrote_is_a_heading() {
        let page = Format::Markdown.begin("room", "t\n# x", "now") + &Format::Markdown.entry(&hostile(), true);
        assert_eq!(page.lines().filter(|line| line.starts_with('#')).count(), 2, "{page}");
        assert!(!page.contains('<'));
    }

    #[test]
    fn json_is_one_object_with_every_event() {
        let page = [
            &Format::Json.begin("room", "a \"title\"}", "now"),
            &Format::Json.entry(&hostile(), true),
            &Format::Json.entry(&hostile(), false),
            Format::Json.end(),
        ]
        .map(|part: &str| part.to_owned())
        .concat();
        let value: serde_json::Value = serde_json::from_str(&page).unwrap();
        assert_eq!(value["title"], "a \"title\"}");
        assert_eq!(value["events"].as_array().unwrap().len(), 2);
        assert_eq!(value["events"][1]["text"], hostile().text);
    }
}
