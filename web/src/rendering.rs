//! What the page gets: strings that turn nothing around, and what was said as HTML. It is made on
//! threads that nothing else waits for, since a peer chooses how much work a text is.

use std::mem;
use std::panic::{UnwindSafe, catch_unwind};

use serde_json::Value;

use crate::markdown;

/// What a yes is about, and where it was found to be dangerous.
const DECIDED: &[&str] = &["payload", "target_path", "paths", "excerpt", "path_hint", "content", "diff"];

/// An answer with the HTML of everything in it that is Markdown: what was said, what was recalled, and
/// what the companion wrote.
pub async fn answer(mut answer: Value) -> Value {
    let (events, recalled) = (taken(&mut answer, "events"), taken(&mut answer, "entries"));
    visible(&mut answer);
    if let Some(events) = events {
        answer["events"] = entries(events).await.into();
    }
    if let Some(recalled) = recalled {
        answer["entries"] = rendered(recalled, recollection).await.into();
    }
    if let Some(written) = answer["markdown"].as_str().map(str::to_owned) {
        let rendering = tokio::task::spawn_blocking(move || survived(|| markdown::to_html(&written)));
        answer["html"] = rendering.await.ok().flatten().into();
    }
    answer
}

fn taken(answer: &mut Value, list: &str) -> Option<Vec<Value>> {
    answer.get_mut(list).and_then(Value::as_array_mut).map(mem::take)
}

/// What a human decides about comes sign by sign: what is handed over later must be what was shown, and
/// the page marks what would not be seen.
pub async fn to_decide(mut answer: Value) -> Value {
    visible_but(&mut answer, DECIDED);
    if let Some(html) = coloured(&answer).await {
        answer["html"] = html.into();
    }
    answer
}

/// The code of an artifact in colours.
async fn coloured(answer: &Value) -> Option<String> {
    let (code, language) = (answer["content"].as_str()?.to_owned(), answer["item"]["language"].as_str()?.to_owned());
    let colouring = tokio::task::spawn_blocking(move || survived(|| markdown::code(&code, &language)));
    colouring.await.ok()?
}

/// Entries with their HTML.
pub async fn entries(events: Vec<Value>) -> Vec<Value> {
    rendered(events, entry).await
}

/// None come back when the companion ends meanwhile.
async fn rendered(mut values: Vec<Value>, render: fn(&mut Value)) -> Vec<Value> {
    let rendering = tokio::task::spawn_blocking(move || {
        values.iter_mut().for_each(render);
        values
    });
    rendering.await.unwrap_or_default()
}

/// Drops from every string in it what changes how the text around it reads.
pub fn visible(value: &mut Value) {
    visible_but(value, &[]);
}

/// As [`visible`], but for the fields of these names.
fn visible_but(value: &mut Value, exact: &[&str]) {
    match value {
        Value::String(text) => *text = markdown::visible(text).into_owned(),
        Value::Array(values) => values.iter_mut().for_each(|value| visible_but(value, exact)),
        Value::Object(fields) => {
            let shown = mem::take(fields).into_iter().map(|(name, mut value)| {
                if !exact.contains(&name.as_str()) {
                    visible_but(&mut value, exact);
                }
                (markdown::visible(&name).into_owned(), value)
            });
            *fields = shown.collect();
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What happened in the room is one sentence; what somebody said is Markdown.
fn entry(entry: &mut Value) {
    visible(entry);
    let said = entry["kind"].as_str().is_some_and(is_markdown);
    let text = entry["text"].as_str().filter(|_| said);
    let html = text.and_then(|text| survived(|| markdown::to_html(text)));
    if let Some(html) = html {
        entry["html"] = html.into();
    }
}

/// Of the brain, or of the transcript: Markdown, whoever wrote it. Lines of an artifact are none.
fn recollection(entry: &mut Value) {
    visible(entry);
    let content = entry["content"].as_str().filter(|_| entry["lines"].is_null());
    let html = content.and_then(|content| survived(|| markdown::to_html(content)));
    if let Some(html) = html {
        entry["html"] = html.into();
    }
}

/// One text that cannot be rendered must not end every stream that comes to it: the page shows it
/// plain.
fn survived(render: impl FnOnce() -> String + UnwindSafe) -> Option<String> {
    catch_unwind(render).ok()
}

fn is_markdown(kind: &str) -> bool {
    matches!(
        kind,
        "answer"
            | "chat"
            | "context"
            | "decision"
            | "finding"
            | "handoff"
            | "question"
            | "remembered"
            | "review"
            | "status"
            | "summary"
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_that_cannot_be_rendered_has_no_html() {
        assert_eq!(survived(|| panic!("a text that nobody thought of")), None);
        assert_eq!(survived(|| "<p>".into()).as_deref(), Some("<p>"));
    }

    #[tokio::test]
    async fn no_string_of_an_entry_turns_its_surroundings_around() {
        let turned = "a\u{202e}\u{2066}\u{200e}\u{200f}\u{61c}b";
        let said = json!({
            "kind": "chat", "text": turned, "headline": turned, "provenance": [turned], "fields": { turned: turned },
        });
        let shown = answer(json!({ "events": [said], "next": turned })).await;
        let clean = json!({
            "kind": "chat", "text": "ab", "headline": "ab", "provenance": ["ab"], "fields": { "ab": "ab" },
            "html": "<p>ab</p>\n",
        });
        assert_eq!(shown, json!({ "events": [clean], "next": "ab" }));
    }

    #[tokio::test]
    async fn code_comes_in_colours_where_its_language_is_known() {
        let shown = json!({ "content": "fn main() { \"<b>\" }", "item": { "language": "rust" } });
        let html = to_decide(shown).await["html"].as_str().unwrap().to_owned();
        assert!(html.contains("&lt;b&gt;") && !html.contains("<b>"), "{html}");
        assert_eq!(to_decide(json!({ "content": "x", "item": {} })).await["html"], Value::Null);
    }

    #[tokio::test]
    async fn what_is_decided_about_is_shown_sign_by_sign() {
        let turned = "rm \u{202e}x\r";
        let request =
            json!({ "summary": turned, "target_path": turned, "paths": [turned], "warnings": [{ "excerpt": turned }] });
        let shown = to_decide(json!({ "payload": turned, "request": request })).await;
        assert_eq!((&shown["payload"], &shown["request"]["target_path"]), (&json!(turned), &json!(turned)));
        assert_eq!(
            (&shown["request"]["paths"][0], &shown["request"]["warnings"][0]["excerpt"]),
            (&json!(turned), &json!(turned))
        );
        assert_eq!(shown["request"]["summary"], "rm x", "what is said about it turns nothing around");
    }

    #[tokio::test]
    async fn what_is_recalled_and_what_is_written_comes_as_clean_html() {
        let hostile = "**so**\u{202e} <script>alert(1)</script>";
        let clean = "<p><strong>so</strong> &lt;script&gt;alert(1)&lt;/script&gt;</p>\n";
        let recalled = answer(json!({ "entries": [{ "kind": "fact", "content": hostile }] })).await;
        assert_eq!(recalled["entries"][0]["html"], clean);
        let lines = answer(json!({ "entries": [{ "lines": "1-2", "content": "# include" }] })).await;
        assert_eq!(lines["entries"][0]["html"], Value::Null);
        let written = answer(json!({ "path": "/handoff/latest.md", "markdown": hostile })).await;
        assert_eq!((&written["html"], &written["path"]), (&json!(clean), &json!("/handoff/latest.md")));
    }

    #[tokio::test]
    async fn what_happened_is_no_markdown() {
        let joined = json!({ "kind": "joined", "text": "*bob* came" });
        assert_eq!(entries(vec![joined.clone()]).await, [joined]);
    }
}
