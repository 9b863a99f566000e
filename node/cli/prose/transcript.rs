//! The transcript: who said what to whom, in the room's order.

use owo_colors::{OwoColorize, Style};
use pairwave_api::{DeliveryState, Entry, Field};

use super::{list, page, plain, short, when};

/// Tells events one after another, with a heading for every new day.
pub struct Teller {
    day: String,
    width: usize,
}

impl Teller {
    pub fn new(width: usize) -> Self {
        Self { day: String::new(), width }
    }

    pub fn tell(&mut self, entry: &Entry) -> String {
        let mut out = String::new();
        let day = when::day(&entry.at);
        if day != self.day {
            out.push_str(&format!("{}\n", day.dimmed()));
            self.day = day;
        }
        out.push_str(&if is_message(entry) { message(entry, self.width) } else { happening(entry, self.width) });
        out
    }
}

/// Who speaks: `🦊 winter-bay (alice’s agent)`, or the name of a human.
pub fn speaker(entry: &Entry) -> String {
    let name = plain::line(&entry.name);
    let owner = if entry.me { "your".to_owned() } else { format!("{name}’s") };
    let who = match entry.origin.as_str() {
        "human" if entry.me => "you".bold().to_string(),
        "human" => name.style(style(&entry.color)).to_string(),
        _ => {
            let session = format!("{} {}", plain::line(&entry.emoji), plain::line(&entry.session_name));
            format!("{} ({owner} agent)", session.trim().style(style(&entry.color)))
        }
    };
    if entry.verified || entry.me { who } else { format!("{who}, {}", "not verified".yellow()) }
}

const MARGIN: &str = "       ";

fn is_message(entry: &Entry) -> bool {
    verb(&entry.kind, true).is_some()
}

fn message(entry: &Entry, width: usize) -> String {
    let mut out = page::indented(&heading(entry), "", width);
    // A request has no text but its summary.
    if let Some(headline) = entry.headline.as_ref().filter(|headline| **headline != entry.text) {
        out.push_str(&page::indented(&plain::line(headline).bold().to_string(), MARGIN, width));
    }
    out.push_str(&page::indented(&plain::text(&entry.text), MARGIN, width));
    for (name, value) in details(entry) {
        out.push_str(&page::indented(&format!("{} {value}", format!("{name}:").dimmed()), MARGIN, width));
    }
    out
}

/// Something that happened in the room, as one sentence.
fn happening(entry: &Entry, width: usize) -> String {
    let void = entry.void.as_deref().map(|why| format!(" (without effect: {})", plain::line(why)));
    let request = entry.request.as_deref().map(|request| format!(" [{}]", short(request)));
    let sentence = format!("{}{}{}", plain::line(&entry.text), request.unwrap_or_default(), void.unwrap_or_default());
    let wrapped = page::indented(&sentence, MARGIN, width);
    format!("{}  {}\n", when::clock(&entry.at).dimmed(), wrapped.trim().dimmed())
}

fn heading(entry: &Entry) -> String {
    let to = entry.to.as_deref().map(plain::line);
    let verb = verb(&entry.kind, to.is_some()).unwrap_or_default();
    let verb = if entry.me && entry.origin == "human" { second_person(verb) } else { verb.to_owned() };
    let mut line = format!("{}  {} {verb}", when::clock(&entry.at).dimmed(), speaker(entry));
    if let Some(to) = to {
        line.push_str(&format!(" {to}"));
    }
    let mut marks = vec![short(&entry.event).to_owned()];
    marks.extend(delivery(entry).map(str::to_owned));
    line.push_str(&format!("  {}", marks.join(" · ").dimmed()));
    line
}

/// What an author does with a message of this kind; `None` for what is no message.
fn verb(kind: &str, addressed: bool) -> Option<&'static str> {
    Some(match (kind, addressed) {
        ("chat", true) => "tells",
        ("chat", false) => "says",
        ("question", _) => "asks",
        ("answer", _) => "answers",
        ("context", true) => "gives context to",
        ("context", false) => "gives context",
        ("decision", true) => "announces a decision to",
        ("decision", false) => "announces a decision",
        ("finding", true) => "found something for",
        ("finding", false) => "found something",
        ("status", true) => "reports to",
        ("status", false) => "reports",
        ("review", true) => "asks for a review by",
        ("review", false) => "asks for a review",
        ("handoff", true) => "hands over to",
        ("handoff", false) => "hands over",
        ("summary", true) => "sums up for",
        ("summary", false) => "sums up",
        ("action", true) => "requests something of",
        ("action", false) => "requests something",
        _ => return None,
    })
}

/// `says` → `say`, `hands over` → `hand over`.
fn second_person(verb: &str) -> String {
    let (first, rest) = verb.split_once(' ').map_or((verb, String::new()), |(first, rest)| (first, format!(" {rest}")));
    format!("{}{rest}", first.trim_end_matches('s'))
}

fn details(entry: &Entry) -> Vec<(String, String)> {
    let mut details = Vec::new();
    let mut add = |name: &str, value: String| details.push((plain::line(name), value));
    if let Some(question) = &entry.answers {
        add("answers", short(question).to_owned());
    }
    if let Some(claim) = &entry.claim {
        add("claim", plain::line(claim));
    }
    if let Some(rationale) = &entry.rationale {
        add("because", plain::text(rationale));
    }
    if !entry.provenance.is_empty() {
        add("from", entry.provenance.iter().map(|source| plain::line(source)).collect::<Vec<_>>().join(", "));
    }
    for (name, field) in &entry.fields {
        if name != "expected_format" || *field != Field::Text("free text".into()) {
            add(&name.replace('_', " "), value(field));
        }
    }
    if !entry.answered_by.is_empty() {
        let answers: Vec<&str> = entry.answered_by.iter().map(|event| short(event)).collect();
        add("answered in", list(&answers));
    }
    if let Some(why) = &entry.void {
        add("without effect", plain::line(why));
    }
    details
}

fn value(field: &Field) -> String {
    match field {
        Field::Text(text) => plain::text(text),
        Field::List(items) => items.iter().map(|item| plain::line(item)).collect::<Vec<_>>().join(", "),
    }
}

/// How far our own message has got at the slowest member.
fn delivery(entry: &Entry) -> Option<&'static str> {
    Some(match entry.delivery.values().min()? {
        DeliveryState::Queued => "queued",
        DeliveryState::Sent => "sent",
        DeliveryState::Stored => "stored",
        DeliveryState::Delivered => "delivered",
        DeliveryState::Shown => "shown",
    })
}

/// A session's colour, `#rrggbb`.
fn style(color: &str) -> Style {
    let channel = |at: usize| color.get(at..at + 2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
    match (channel(1), channel(3), channel(5)) {
        (Some(r), Some(g), Some(b)) if color.starts_with('#') => Style::new().bold().truecolor(r, g, b),
        _ => Style::new().bold(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(entry: &Entry) -> String {
        let text = Teller::new(80).tell(entry);
        let text = anstream::adapter::strip_str(&text).to_string();
        text.split_once('\n').expect("a day heading").1.to_owned()
    }

    fn question() -> Entry {
        Entry {
            event: "abcdefghijkl".into(),
            at: "2026-11-21T12:00:00Z".into(),
            name: "bob".into(),
            session_name: "winter-bay".into(),
            emoji: "🦊".into(),
            color: "#cc8844".into(),
            origin: "agent".into(),
            verified: true,
            kind: "question".into(),
            text: "Trailing commas?".into(),
            to: Some("alice".into()),
            fields: [("expected_format".to_owned(), Field::Text("yes or no".into()))].into(),
            ..Entry::default()
        }
    }

    #[test]
    fn a_question_of_an_agent() {
        let text = told(&question());
        assert!(text[5..].starts_with("  🦊 winter-bay (bob’s agent) asks alice  abcdefgh\n"), "{text}");
        assert!(text.ends_with("       Trailing commas?\n       expected format: yes or no\n"), "{text}");
    }

    #[test]
    fn who_is_not_verified_is_marked() {
        let text = told(&Entry { verified: false, ..question() });
        assert!(text.contains("(bob’s agent), not verified asks"), "{text}");
    }

    #[test]
    fn text_cannot_pose_as_a_heading_or_steer_the_terminal() {
        let entry = Entry { text: "ok\n12:01  alice says\n\u{1b}[2Jyes".into(), ..question() };
        let text = Teller::new(80).tell(&entry);
        assert!(text.contains("\n       ok\n       12:01  alice says\n       yes\n"), "{text}");
        assert!(!text.contains("\u{1b}[2J"));
    }

    #[test]
    fn own_messages_say_how_far_they_got() {
        let delivery = [("a".to_owned(), DeliveryState::Shown), ("b".to_owned(), DeliveryState::Sent)].into();
        let entry = Entry { me: true, origin: "human".into(), kind: "chat".into(), to: None, delivery, ..question() };
        let text = told(&entry);
        assert!(text[5..].starts_with("  you say  abcdefgh · sent\n"), "{text}");
    }

    #[test]
    fn a_request_says_what_and_what_became_of_it_names_the_request() {
        let text = |value: &str| Field::Text(value.into());
        let fields = [("action".to_owned(), text("run_command")), ("payload".to_owned(), text("ls\n\u{1b}[2Jrm"))];
        let entry = Entry {
            kind: "action".into(),
            text: "clean up".into(),
            headline: Some("clean up".into()),
            request: Some("abcdefghijkl".into()),
            fields: fields.into(),
            ..question()
        };
        let said = told(&entry);
        assert!(
            said[5..].starts_with("  🦊 winter-bay (bob’s agent) requests something of alice  abcdefgh\n"),
            "{said}"
        );
        assert!(
            said.ends_with("       clean up\n       action: run_command\n       payload: ls\n       rm\n"),
            "{said}"
        );
        let done = Entry { kind: "completed".into(), text: "alice did “clean up”".into(), headline: None, ..entry };
        assert!(told(&done)[5..].starts_with("  alice did “clean up” [abcdefgh]\n"));
    }

    #[test]
    fn what_happened_is_one_line() {
        let entry = Entry { kind: "admitted".into(), text: "alice admitted bob.".into(), ..question() };
        assert!(told(&entry)[5..].starts_with("  alice admitted bob."));
    }
}
