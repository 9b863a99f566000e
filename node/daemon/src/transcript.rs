//! A whole transcript as a file: Markdown, JSON, or one HTML page that needs nothing else. What
//! members wrote stands in it as text and can be nothing more.

use std::fmt::Write;

use pairwave_api::{Entry, Field};

use crate::markdown;
use crate::view::{is_a_companions, kind};
use pairwave_api::words::second;

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
                "# Transcript of the room {}\n\nRoom `{room}`, written {}. Times are what the authors' clocks said. What stands \
                 between “ ” or behind > was written by members and their agents.\n",
                markdown::inline(title, 200),
                second(at)
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
                 <style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n<p>Room {room}, written {at}. Times are what the authors’ clocks said.</p>\n",
                title = escaped(title),
                room = escaped(room),
                at = escaped(&second(at)),
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
const LEADING: &[&str] = &["answers", "artifact", "in the place of", "request"];

const STYLE: &str = "body{font:17px/1.55 Charter,Palatino,\"Noto Serif\",Georgia,serif;max-width:46rem;margin:3rem auto;\
    padding:0 1.25rem;color-scheme:light dark;background:light-dark(#fbf8f2,#191815);color:light-dark(#231f1a,#e8e2d6)}\
    h1{font-size:1.75rem;line-height:1.2;margin:0}h1+p,header,dt{font:.8rem/1.5 system-ui,sans-serif;\
    color:light-dark(#6b6255,#9d9586)}h1+p{margin:.5rem 0 2rem;overflow-wrap:anywhere}\
    article{border-top:1px solid light-dark(#ddd5c5,#35322c);padding:.9rem 0 1rem}\
    article:target{box-shadow:-1rem 0 light-dark(#fbf8f2,#191815),-1.2rem 0 light-dark(#0d5b66,#7fc6cb)}\
    header b{color:light-dark(#231f1a,#e8e2d6)}h2{font-size:1.1rem;margin:.25rem 0 0}\
    pre{white-space:pre-wrap;overflow-wrap:anywhere;font:inherit;margin:.25rem 0 0}dl{margin:.5rem 0 0}dt{margin-top:.25rem}\
    dd{margin:0}dd pre{margin:0;font-size:.95rem}a{color:light-dark(#0d5b66,#7fc6cb)}.void{opacity:.55}";

/// Letters of what stands in one line in Markdown.
const LINE: usize = 200;

fn in_markdown(entry: &Entry) -> String {
    let name = markdown::inline(&entry.name, 64);
    let by = by(entry, |session| markdown::inline(session, 64));
    let to = entry.to.as_deref().map(|to| format!(" to {}", markdown::inline(to, 140))).unwrap_or_default();
    let kind = kind(&entry.kind);
    let mut out = format!("\n## {} {name} ({by}), {kind}{to}\n\n`{}`\n\n", second(&entry.at), entry.event);
    if let Some(headline) = headline(entry) {
        let _ = writeln!(out, "**{}**\n", markdown::inline(headline, usize::MAX));
    }
    let _ = writeln!(out, "{}", markdown::block(&entry.text, usize::MAX));
    let (short, long): (Vec<_>, Vec<_>) = particulars(entry)
        .into_iter()
        .partition(|(_, value)| value.chars().count() <= LINE && value.lines().count() == 1);
    if !short.is_empty() {
        out.push('\n');
    }
    for (what, value) in short {
        let is_id = LEADING.contains(&&*what) && value.chars().all(|letter| letter.is_ascii_alphanumeric());
        let value = if is_id { format!("`{value}`") } else { markdown::inline(&value, usize::MAX) };
        let _ = writeln!(out, "- {}: {value}", named(&what));
    }
    for (what, value) in long {
        let _ = writeln!(out, "\n{}:\n\n{}", named(&what), markdown::block(&value, usize::MAX));
    }
    out
}

/// The name of a particular, which may be a member's word.
fn named(what: &str) -> String {
    let is_plain = what.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == ' ');
    if is_plain { what.to_owned() } else { markdown::inline(what, 64) }
}

fn in_html(entry: &Entry) -> String {
    let class = if entry.void.is_some() { " class=\"void\"" } else { "" };
    let to = entry.to.as_deref().map(|to| format!(" to {}", escaped(to))).unwrap_or_default();
    let mut out = format!(
        "<article{class} id=\"{event}\">\n<header>{at} · <b>{name}</b> ({by}) · {kind}{to}</header>\n",
        event = escaped(&entry.event),
        at = escaped(&second(&entry.at)),
        name = escaped(&entry.name),
        by = by(entry, escaped),
        kind = escaped(&kind(&entry.kind)),
    );
    if let Some(headline) = headline(entry) {
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

/// Which session said it, or that the companion did it by itself.
fn by(entry: &Entry, quoted: impl Fn(&str) -> String) -> String {
    if is_a_companions(entry) {
        return "the companion".to_owned();
    }
    match &entry.origin[..] {
        "human" => "human".to_owned(),
        origin => format!("{origin} {}", quoted(&entry.session_name)),
    }
}

/// The headline, where the text does not say it.
fn headline(entry: &Entry) -> Option<&str> {
    entry.headline.as_deref().map(str::trim).filter(|headline| !entry.text.trim_end().ends_with(headline))
}

/// What an event says beside its text; nothing twice, and nothing that is empty.
fn particulars(entry: &Entry) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut add = |what: &str, value: &Option<String>| all.extend(value.iter().map(|it| (what.to_owned(), it.clone())));
    add("answers", &entry.answers);
    add("claim", &entry.claim);
    add("rationale", &entry.rationale);
    add("request", &entry.request.clone().filter(|request| *request != entry.event));
    add("artifact", &entry.artifact.clone().filter(|artifact| *artifact != entry.event));
    add("without effect", &entry.void);
    if !entry.provenance.is_empty() {
        all.push(("provenance".to_owned(), entry.provenance.join("\n")));
    }
    let left_out = |name: &str| match (&entry.request, &entry.kind[..]) {
        (None, _) => false,
        (Some(_), "action") => name == "risk",
        (Some(_), _) => OF_REQUESTS.contains(&name),
    };
    let fields = entry.fields.iter().filter(|(name, _)| !left_out(name));
    all.extend(fields.map(|(name, field)| {
        let value = match field {
            Field::Text(text) => text.clone(),
            Field::List(list) => list.join("\n"),
        };
        let is_ours = entry.request.is_some() || entry.kind == "remembered";
        (if is_ours { called(name) } else { told(name) }, value)
    }));
    all.retain(|(what, value)| !value.trim().is_empty() && (what != "expected format" || value != ANY_FORMAT));
    all
}

/// The form of an answer that goes without saying.
const ANY_FORMAT: &str = "free text";

/// What is true of a request now stands where it was made, and not at each step.
const OF_REQUESTS: &[&str] = &["action", "state"];

/// The name of a field that its author named, which may be anything.
fn told(name: &str) -> String {
    const OURS: [&str; 7] = ["answers", "artifact", "claim", "provenance", "rationale", "request", "without effect"];
    let name = name.replace('_', " ");
    if OURS.contains(&&*name) { format!("“{name}”") } else { name }
}

/// The name of a field in words.
fn called(name: &str) -> String {
    match name {
        "remembered_as" => "kind of entry".to_owned(),
        "supersedes" => "in the place of".to_owned(),
        "state" => "state by now".to_owned(),
        "claimed_risk" => "risk in the eyes of whoever asks".to_owned(),
        name => name.replace('_', " "),
    }
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
    use pairwave_core::id::SessionId;

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
    fn nothing_is_said_twice_or_left_blank() {
        let request = Entry {
            event: "r1".into(),
            at: "2026-11-26T05:00:58.506193251Z".into(),
            name: "alice".into(),
            session_name: "winter-bay".into(),
            origin: "agent".into(),
            kind: "action".into(),
            text: "apply it".into(),
            headline: Some("apply it".into()),
            request: Some("r1".into()),
            fields: [("payload", ""), ("target_path", "src/a.rs"), ("state", "done")]
                .map(|(name, text)| (name.to_owned(), Field::Text(text.into())))
                .into(),
            ..Entry::default()
        };
        let expected = "\n## 2026-11-26 05:00:58 UTC “alice” (agent “winter-bay”), request\n\n`r1`\n\n> apply it\n\n\
                        - state by now: “done”\n- target path: “src/a.rs”\n";
        assert_eq!(Format::Markdown.entry(&request, true), expected);
        let done = Entry { kind: "completed".into(), event: "c1".into(), headline: Some("tests".into()), ..request };
        let page = Format::Markdown.entry(&done, true);
        assert!(!page.contains("state") && page.contains("\n- request: `r1`\n"), "{page}");
        assert!(page.contains("\n**“tests”**\n"), "{page}");
        let own = Entry { session: SessionId::COMPANION.to_string(), kind: "admitted".into(), ..done };
        for page in [Format::Markdown.entry(&own, true), Format::Html.entry(&own, true)] {
            assert!(page.contains("(the companion)") && !page.contains("winter-bay"), "{page}");
        }
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
