//! The brain as Markdown that people can read, edit and bring back: a heading of the second level for
//! each entry, a list of what is known of it, and its content as a quotation, or as code.

use std::iter::Peekable;
use std::str::Lines;

use pairwave_api::Recollection;

/// One entry of a text. The list below its heading may lack, and other lines in it are passed over.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    pub headline: String,
    pub content: String,
    pub tags: Vec<String>,
    pub kind: String,
    pub provenance: Vec<String>,
    /// The entry that it was written from.
    pub event: Option<String>,
}

/// The beginning of the text.
pub fn title(room: &str) -> String {
    format!("# What we know: {}\n", line(room))
}

/// One entry.
pub fn written(entry: &Recollection) -> String {
    let headline = entry.headline.as_deref().unwrap_or_default();
    let mut text = format!("\n## {}\n\n- kind: {}\n", line(headline), line(&entry.kind));
    if !entry.tags.is_empty() {
        text.push_str(&format!("- tags: {}\n", line(&entry.tags.join(", "))));
    }
    for from in &entry.provenance {
        text.push_str(&format!("- provenance: {}\n", line(from)));
    }
    text.push_str(&format!("- by: {}, {}\n- event: {}\n\n", line(&entry.name), line(&entry.at), line(&entry.event)));
    let content = content(&entry.content);
    if entry.kind == "snippet" {
        let fence = fence(&content);
        text.push_str(&format!("{fence}\n{content}\n{fence}\n"));
    } else {
        let quoted = |line: &str| if line.is_empty() { ">\n".to_owned() } else { format!("> {line}\n") };
        text.extend(content.split('\n').map(quoted));
    }
    text
}

/// The entries of a text.
pub fn read(text: &str) -> Vec<Note> {
    let mut lines = text.lines().peekable();
    let (mut notes, mut fence) = (Vec::new(), None);
    while let Some(line) = lines.next() {
        match fence {
            None if line.starts_with("```") => fence = Some(ticks(line)),
            Some(open) if ticks(line) >= open => fence = None,
            None if line.starts_with("## ") => notes.push(note(&line[3..], &mut lines)),
            _ => (),
        }
    }
    notes.retain(|note| !note.content.is_empty());
    notes
}

fn note(headline: &str, lines: &mut Peekable<Lines<'_>>) -> Note {
    let (headline, kind) = (headline.trim().to_owned(), "fact".to_owned());
    let mut note = Note { headline, kind, ..Note::default() };
    while lines.next_if(|line| line.trim().is_empty()).is_some() {}
    while let Some(line) = lines.next_if(|line| is_known_of(line)) {
        let (name, value) = line[2..].split_once(": ").unwrap_or_default();
        match name {
            "kind" => note.kind = value.trim().to_owned(),
            "tags" => note.tags = value.split(',').map(|tag| tag.trim().to_owned()).collect(),
            "provenance" => note.provenance.push(value.trim().to_owned()),
            "event" => note.event = Some(value.trim().to_owned()).filter(|event| !event.is_empty()),
            _ => (),
        }
    }
    let body = body(lines);
    note.content = content(&unwrapped(&body));
    note
}

/// Is this a line of the list below a heading?
fn is_known_of(line: &str) -> bool {
    let names = ["kind", "tags", "provenance", "by", "event"];
    let name = line.strip_prefix("- ").and_then(|rest| rest.split_once(": "));
    name.is_some_and(|(name, _)| names.contains(&name))
}

/// The lines up to the next heading that is not part of some code.
fn body<'a>(lines: &mut Peekable<Lines<'a>>) -> Vec<&'a str> {
    let (mut body, mut fence) = (Vec::new(), None);
    while let Some(line) = lines.next_if(|line| fence.is_some() || !(line.starts_with("## ") || line.starts_with("# ")))
    {
        match fence {
            None if line.starts_with("```") => fence = Some(ticks(line)),
            Some(open) if ticks(line) >= open && line.trim_matches('`').trim().is_empty() => fence = None,
            _ => (),
        }
        body.push(line);
    }
    while body.first().is_some_and(|line| line.trim().is_empty()) {
        body.remove(0);
    }
    while body.last().is_some_and(|line| line.trim().is_empty()) {
        body.pop();
    }
    body
}

/// What is quoted as a whole, or code as a whole, without what is around it.
fn unwrapped(body: &[&str]) -> String {
    if !body.is_empty() && body.iter().all(|line| line.starts_with('>')) {
        let bare = |line: &&str| line.strip_prefix("> ").or_else(|| line.strip_prefix('>')).unwrap_or(line).to_owned();
        return body.iter().map(bare).collect::<Vec<_>>().join("\n");
    }
    if let [first, inner @ .., last] = body
        && first.starts_with("```")
        && last.trim() == "`".repeat(ticks(first))
        && !inner.iter().any(|line| ticks(line) >= ticks(first))
    {
        return inner.join("\n");
    }
    body.join("\n")
}

/// Ends of lines in one way, and none around it.
fn content(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let from = text.split('\n').take_while(|line| line.trim().is_empty()).map(|line| line.len() + 1).sum::<usize>();
    text.get(from..).unwrap_or_default().trim_end().to_owned()
}

fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// More of them than stand anywhere in the content.
fn fence(content: &str) -> String {
    let longest = content.split(|sign| sign != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

/// How many a line begins with.
fn ticks(line: &str) -> usize {
    line.bytes().take_while(|sign| *sign == b'`').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: &str, content: &str) -> Recollection {
        Recollection {
            headline: Some("The parser\nis recursive".into()),
            content: content.into(),
            kind: kind.into(),
            tags: vec!["parser".into(), "design".into()],
            provenance: vec!["src/lib.rs:10".into()],
            name: "bob".into(),
            ..Recollection::default()
        }
    }

    #[test]
    fn what_is_written_is_read_again_whatever_it_holds() {
        let contents = [
            "one line",
            "two\n\nparagraphs with\r\n- kind: link\n## a heading",
            "```\n## not a heading\n```",
            "# a\n> quoted\n````\n    indented",
            "fn main() {\n    println!(\"```\");\n}",
            "日本語 и العربية",
            "- kind: decision",
        ];
        let kinds = ["fact", "snippet", "link"];
        let all: Vec<_> = kinds.iter().flat_map(|kind| contents.map(|content| entry(kind, content))).collect();
        let text = title("a\nroom") + &all.iter().map(written).collect::<String>();
        let read = read(&text);
        assert_eq!(read.len(), all.len(), "{text}");
        for (note, entry) in read.iter().zip(&all) {
            assert_eq!(note.content, entry.content.replace("\r\n", "\n"), "{text}");
            assert_eq!((note.headline.as_str(), &note.kind), ("The parser is recursive", &entry.kind));
            assert_eq!((&note.tags, &note.provenance), (&entry.tags, &entry.provenance));
        }
    }

    #[test]
    fn a_text_of_a_person_needs_nothing_but_headings() {
        let read = read(
            "# Notes\nintro\n\n## One\nfirst\nline\n\n```sh\n## comment\n```\n## Empty\n\n## Two\n- tags: a, b\nsecond\n",
        );
        let seen: Vec<_> = read.iter().map(|note| (note.headline.as_str(), note.content.as_str())).collect();
        assert_eq!(seen, [("One", "first\nline\n\n```sh\n## comment\n```"), ("Two", "second")]);
        assert_eq!((read[1].tags.as_slice(), read[1].kind.as_str()), (&["a".to_owned(), "b".to_owned()][..], "fact"));
    }
}
