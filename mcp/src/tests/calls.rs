//! The calls that a text for agents names: a tool's name, and behind it the JSON of its arguments.

use serde_json::{Deserializer, Value};

/// What an agent is taught.
pub const SKILL: &str = include_str!("../../skill/SKILL.md");

/// A tool that the text names, with its arguments where it is called.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    pub tool: String,
    pub arguments: Option<Value>,
}

/// All tools that a text names, in its order. Panics where arguments are no JSON.
pub fn named(text: &str) -> Vec<Named> {
    let begins = text.match_indices("pair_").map(|(at, _)| at);
    let names = begins.filter(|at| !text[..*at].ends_with(|letter: char| letter.is_alphanumeric() || letter == '_'));
    names.map(|at| tool(&text[at..])).collect()
}

fn tool(text: &str) -> Named {
    let end = text.find(|letter: char| !letter.is_ascii_lowercase() && letter != '_').unwrap_or(text.len());
    let (tool, behind) = text.split_at(end);
    let arguments = behind.strip_prefix(' ').filter(|behind| behind.starts_with('{')).map(|behind| {
        let first = Deserializer::from_str(behind).into_iter::<Value>().next();
        first.expect("something begins").unwrap_or_else(|error| panic!("{tool}: {error}"))
    });
    Named { tool: tool.to_owned(), arguments }
}

/// The names of what is to be filled in: strings like `<their request>`.
pub fn blanks(arguments: &Value) -> Vec<&str> {
    match arguments {
        Value::String(text) => text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).into_iter().collect(),
        Value::Array(values) => values.iter().flat_map(blanks).collect(),
        Value::Object(fields) => fields.values().flat_map(blanks).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn names_and_calls_are_told_apart() {
    let text = "`pair_wait` or mcp__x__pair_wait, `pair_send {\"text\": \"a } b\", \"to\": \"<whom>\"}`, then {x}.";
    let [wait, send] = &named(text)[..] else { panic!("{:?}", named(text)) };
    assert_eq!((&wait.tool[..], &wait.arguments), ("pair_wait", &None));
    let arguments = send.arguments.as_ref().expect("it is called");
    assert_eq!((&send.tool[..], &arguments["text"]), ("pair_send", &Value::from("a } b")));
    assert_eq!(blanks(arguments), ["whom"]);
}
