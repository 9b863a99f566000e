//! Sets one entry in a JSON text and leaves every other byte as it is, because the text belongs to
//! somebody: its order, its indentation, its line ends.

use std::ops::Range;

use serde_json::Value;

/// Sets `text[outer][inner]`. The text must be a JSON object, and `outer`, if there, an object in it.
pub(super) fn set_entry(text: &str, outer: &str, inner: &str, value: &Value) -> String {
    let root = skip_space(text, 0);
    let indent = indent_of(text);
    let Some(outer_value) = member(text, root, outer) else {
        let value = serde_json::json!({ inner: value });
        return set_member(text, root, outer, &value, &indent, 1);
    };
    set_member(text, outer_value.start, inner, value, &indent, 2)
}

/// Sets a member of the object that begins at `object`, whose members stand `depth` indents deep.
fn set_member(text: &str, object: usize, key: &str, value: &Value, indent: &str, depth: usize) -> String {
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let written = written(value, indent, depth, newline);
    if let Some(old) = member(text, object, key) {
        return format!("{}{written}{}", &text[..old.start], &text[old.end..]);
    }
    let line = format!("{newline}{}{}: {written}", indent.repeat(depth), Value::from(key));
    match members(text, object).last() {
        Some((_, last)) => format!("{},{line}{}", &text[..last.end], &text[last.end..]),
        None => {
            let end = skip_space(text, object + 1);
            format!("{}{line}{newline}{}{}", &text[..=object], indent.repeat(depth - 1), &text[end..])
        }
    }
}

fn written(value: &Value, indent: &str, depth: usize, newline: &str) -> String {
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(indent.as_bytes());
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    if serde::Serialize::serialize(value, &mut serializer).is_err() {
        return value.to_string();
    }
    let text = String::from_utf8_lossy(&bytes);
    text.replace('\n', &format!("{newline}{}", indent.repeat(depth)))
}

/// What the first indented line begins with; two spaces if there is none.
fn indent_of(text: &str) -> String {
    let first = text.lines().skip(1).find(|line| line.starts_with([' ', '\t']) && !line.trim().is_empty());
    first.map_or_else(|| "  ".to_owned(), |line| line[..line.len() - line.trim_start().len()].to_owned())
}

/// Where the value of a member stands; of members with the same key the last, as parsers have it.
fn member(text: &str, object: usize, key: &str) -> Option<Range<usize>> {
    members(text, object).into_iter().filter(|(name, _)| name == key).map(|(_, value)| value).next_back()
}

/// The members of the object that begins at `object`, with the place of their values.
fn members(text: &str, object: usize) -> Vec<(String, Range<usize>)> {
    let mut members = Vec::new();
    let mut at = skip_space(text, object + 1);
    while text.as_bytes().get(at) == Some(&b'"') {
        let key_end = value_end(text, at);
        let key = serde_json::from_str(&text[at..key_end]).unwrap_or_default();
        let start = skip_space(text, skip_space(text, key_end) + 1);
        let end = value_end(text, start);
        members.push((key, start..end));
        at = skip_space(text, end);
        if text.as_bytes().get(at) == Some(&b',') {
            at = skip_space(text, at + 1);
        }
    }
    members
}

/// Where the value that begins at `start` ends. The text is valid JSON.
fn value_end(text: &str, start: usize) -> usize {
    let mut depth = 0_usize;
    let mut quoted = false;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(start) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => continue,
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth > 0 => depth -= 1,
            b'}' | b']' | b',' | b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => return at,
            _ => continue,
        }
        if depth == 0 && !quoted && matches!(byte, b'"' | b'}' | b']') {
            return at + 1;
        }
    }
    text.len()
}

fn skip_space(text: &str, start: usize) -> usize {
    let rest = &text.as_bytes()[start.min(text.len())..];
    start + rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_there_stays_as_it_is_written() {
        let text = "{\n    \"z\": [1,2],\n    \"mcpServers\": {\n        \"b\": {\"command\":\"x\"}\n    }\n}\n";
        let new = set_entry(text, "mcpServers", "pairwave", &json!({ "command": "p" }));
        let expected = "{\n    \"z\": [1,2],\n    \"mcpServers\": {\n        \"b\": {\"command\":\"x\"},\n        \"pairwave\": {\n            \"command\": \"p\"\n        }\n    }\n}\n";
        assert_eq!(new, expected);
    }

    #[test]
    fn an_entry_is_replaced_in_its_place() {
        let text = r#"{"mcpServers":{"pairwave":{"a":"}\""},"b":1}}"#;
        let new = set_entry(text, "mcpServers", "pairwave", &json!(7));
        assert_eq!(new, r#"{"mcpServers":{"pairwave":7,"b":1}}"#);
    }

    #[test]
    fn line_ends_and_tabs_are_kept() {
        let text = "{\r\n\t\"a\": 1\r\n}\r\n";
        let new = set_entry(text, "m", "p", &json!({}));
        assert_eq!(new, "{\r\n\t\"a\": 1,\r\n\t\"m\": {\r\n\t\t\"p\": {}\r\n\t}\r\n}\r\n");
    }

    proptest! {
        /// Whatever the text: afterwards it parses to the same with the entry set, and all of it is
        /// still there around one insertion.
        #[test]
        fn a_splice_is_an_insert(root in object(), servers in prop::option::of(object()), pretty: bool) {
            let mut root = root;
            if let Some(servers) = servers {
                root["mcpServers"] = servers;
            }
            let text = if pretty { format!("{root:#}") } else { root.to_string() };
            let value = json!({ "command": "p", "args": ["mcp"] });
            let new = set_entry(&text, "mcpServers", "pairwave", &value);
            let mut expected = root.clone();
            expected["mcpServers"]["pairwave"] = value.clone();
            prop_assert_eq!(serde_json::from_str::<Value>(&new).unwrap(), expected);
            let head = new.bytes().zip(text.bytes()).take_while(|(new, old)| new == old).count();
            let tail = new.bytes().rev().zip(text.bytes().rev()).take_while(|(new, old)| new == old).count();
            prop_assert!(head + tail >= text.len());
        }
    }

    fn object() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            r#"[a-z{}\[\],:"\\ é]{0,8}"#.prop_map(Value::from)
        ];
        let value = leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(r#"[a-z"\\}]{0,6}"#, inner, 0..4).prop_map(|map| map.into_iter().collect()),
            ]
        });
        prop::collection::btree_map(r#"[a-z"\\}]{0,6}"#, value, 0..4).prop_map(|map| map.into_iter().collect())
    }
}
