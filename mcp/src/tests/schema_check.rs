//! Holds a value against a JSON schema (2020-12), as far as the tools' schemas go: a keyword that is
//! not known here is a panic, so none is skipped.

use serde_json::{Map, Value};

/// Where a value breaks its schema, and how.
pub(crate) fn problems(schema: &Value, value: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    check(schema, value, "", &mut problems);
    problems
}

fn check(schema: &Value, value: &Value, at: &str, problems: &mut Vec<String>) {
    let schema = match schema {
        Value::Bool(true) => return,
        Value::Object(schema) => schema,
        other => return problems.push(format!("{at}: nothing matches {other}")),
    };
    for (keyword, rule) in schema {
        match keyword.as_str() {
            "type" => check_type(rule, value, at, problems),
            "properties" | "additionalProperties" => {}
            "required" => check_required(rule, value, at, problems),
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(rule, item, &format!("{at}/{index}"), problems);
                }
            }
            "enum" if !list(rule).contains(value) => problems.push(format!("{at}: {value} is none of {rule}")),
            "const" if rule != value => problems.push(format!("{at}: {value} is not {rule}")),
            "anyOf" if matching(rule, value) == 0 => problems.push(format!("{at}: {value} is none of {rule}")),
            "oneOf" if matching(rule, value) != 1 => problems.push(format!("{at}: {value} is not one of {rule}")),
            // Of what is no number they say nothing.
            "minimum" if value.as_f64().is_some_and(|value| Some(value) < rule.as_f64()) => {
                problems.push(format!("{at}: {value} is below {rule}"))
            }
            "maximum" if value.as_f64().is_some_and(|value| Some(value) > rule.as_f64()) => {
                problems.push(format!("{at}: {value} is above {rule}"))
            }
            "enum" | "const" | "anyOf" | "oneOf" | "minimum" | "maximum" => {}
            "description" | "format" | "default" | "title" => {}
            unknown => panic!("{at}: the keyword `{unknown}` is not known here"),
        }
    }
    if let Some(object) = value.as_object() {
        check_properties(schema, object, at, problems);
    }
}

fn check_type(rule: &Value, value: &Value, at: &str, problems: &mut Vec<String>) {
    let fits = |name: &Value| match name.as_str().expect("a type's name") {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        unknown => panic!("{at}: the type `{unknown}` is not known here"),
    };
    let names = rule.as_array().cloned().unwrap_or_else(|| vec![rule.clone()]);
    if !names.iter().any(fits) {
        problems.push(format!("{at}: {value} is not {rule}"));
    }
}

fn check_required(rule: &Value, value: &Value, at: &str, problems: &mut Vec<String>) {
    // Says nothing about what is no object.
    for name in list(rule).iter().filter(|_| value.is_object()) {
        if value.get(name.as_str().expect("a property's name")).is_none() {
            problems.push(format!("{at}: {name} is missing"));
        }
    }
}

fn check_properties(schema: &Map<String, Value>, object: &Map<String, Value>, at: &str, problems: &mut Vec<String>) {
    for (name, value) in object {
        let at = format!("{at}/{name}");
        match (schema.get("properties").and_then(|all| all.get(name)), schema.get("additionalProperties")) {
            (Some(property), _) => check(property, value, &at, problems),
            (None, Some(others)) => check(others, value, &at, problems),
            // What a tool answers stands in its schema, even where JSON schema would let it pass.
            (None, None) if schema.contains_key("properties") => problems.push(format!("{at}: not in the schema")),
            (None, None) => {}
        }
    }
}

fn matching(rules: &Value, value: &Value) -> usize {
    list(rules).iter().filter(|rule| problems(rule, value).is_empty()).count()
}

fn list(rule: &Value) -> &[Value] {
    rule.as_array().expect("a list").as_slice()
}

#[test]
fn a_broken_value_is_noticed() {
    let schema = serde_json::json!({
        "type": "object",
        "required": ["a"],
        "properties": { "a": { "type": ["string", "null"] }, "b": { "type": "array", "items": { "enum": ["x"] } } },
    });
    assert!(problems(&schema, &serde_json::json!({"a": null, "b": ["x"]})).is_empty());
    for broken in ["[]", "{}", r#"{"a": 1}"#, r#"{"a": "", "b": ["y"]}"#, r#"{"a": "", "c": 1}"#] {
        assert_eq!(problems(&schema, &serde_json::from_str(broken).unwrap()).len(), 1, "{broken}");
    }
}
