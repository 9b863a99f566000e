//! The tools. Each is one file that says what it takes, what it answers and how it is done; a new
//! one is a file and a line in the table below.

mod apply;
mod charter;
mod claim;
mod complete_action;
mod floor;
mod git;
mod handoff;
mod inbox;
mod live_mode;
mod read;
mod recall;
mod remember;
mod report;
mod request_action;
mod respond_permission;
mod room;
mod send;
mod share;
mod status;
mod summarize;
mod verify;
mod wait;
mod yielding;

use std::sync::{Arc, LazyLock};

use pairwave_api::{Code, Failure};
use rmcp::RoleServer;
use rmcp::model::{CallToolResult, ContentBlock, JsonObject, MetaObject, Tool, ToolAnnotations};
use rmcp::service::RequestContext;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::bounded::cut;
use crate::clean::{clean, clean_value, strip};
use crate::server::Server;

/// One tool. Names, descriptions and schemas are constants: nothing a peer wrote is in them.
trait PairTool {
    const NAME: &'static str;
    const TITLE: &'static str;
    const ABOUT: &'static str;
    /// The host shows it to its model from the start, not only after a search for tools.
    const ALWAYS_LOADED: bool = false;
    /// The host asks its human on every call, whatever it was told to allow.
    const ASKS_HUMAN: bool = false;
    /// Fields of the answer that are handed over as they are, with what cannot be seen in them.
    const EXACT: &'static [&'static str] = &[];
    type Parameters: DeserializeOwned + JsonSchema;
    type Answer: Serialize + JsonSchema;

    fn hints(hints: ToolAnnotations) -> ToolAnnotations;

    fn meta(_meta: &mut MetaObject) {}

    /// What others said that led to a refusal, sealed.
    fn why(_call: Call<'_>, _failure: &Failure) -> impl Future<Output = Option<String>> + Send {
        async { None }
    }

    fn call(
        call: Call<'_>,
        parameters: Self::Parameters,
    ) -> impl Future<Output = Result<Answered<Self::Answer>, Failure>> + Send;
}

/// The circumstances of one call.
#[derive(Clone, Copy)]
struct Call<'a> {
    server: &'a Server,
    context: &'a RequestContext<RoleServer>,
}

/// An answer: for programs, and for hosts that show only this part; and as text, for the others.
struct Answered<T> {
    value: T,
    text: String,
}

macro_rules! tools {
    ($($tool:ty),* $(,)?) => {
        static ALL: LazyLock<Vec<Tool>> = LazyLock::new(|| vec![$(definition::<$tool>()),*]);

        /// Calls a tool; `None` if there is none of that name.
        pub(crate) async fn call(
            server: &Server,
            context: &RequestContext<RoleServer>,
            name: &str,
            arguments: JsonObject,
        ) -> Option<CallToolResult> {
            let call = Call { server, context };
            match name {
                $(<$tool>::NAME => Some(run::<$tool>(call, arguments).await),)*
                _ => None,
            }
        }
    };
}

tools! {
    status::Status,
    room::Room,
    verify::Verify,
    send::Send,
    read::Read,
    inbox::Inbox,
    wait::Wait,
    charter::Charter,
    claim::Claim,
    yielding::Yield,
    request_action::RequestAction,
    respond_permission::RespondPermission,
    apply::Apply,
    complete_action::CompleteAction,
    summarize::Summarize,
    share::ShareCode,
    git::Git,
    remember::Remember,
    recall::Recall,
    remember::Restore,
    handoff::Handoff,
    handoff::Resume,
    report::Report,
    live_mode::LiveMode,
}

/// All tools, always in this order.
pub(crate) fn all() -> &'static [Tool] {
    &ALL
}

fn definition<T: PairTool>() -> Tool {
    let mut meta = MetaObject::new();
    if T::ALWAYS_LOADED {
        meta.0.insert("anthropic/alwaysLoad".into(), true.into());
    }
    if T::ASKS_HUMAN {
        meta.0.insert("anthropic/requiresUserInteraction".into(), true.into());
    }
    T::meta(&mut meta);
    let mut tool = Tool::new(T::NAME, T::ABOUT, parameters_schema::<T::Parameters>())
        .with_title(T::TITLE)
        .with_annotations(T::hints(ToolAnnotations::with_title(T::TITLE)))
        .with_raw_output_schema(answer_schema::<T::Answer>());
    if !meta.0.is_empty() {
        tool = tool.with_meta(meta);
    }
    tool
}

async fn run<T: PairTool>(call: Call<'_>, mut arguments: JsonObject) -> CallToolResult {
    // Models write null for what they leave out.
    arguments.retain(|_, value| !value.is_null());
    let answered = match serde_json::from_value(Value::Object(arguments)) {
        Ok(parameters) => T::call(call, parameters).await,
        Err(error) => Err(wrong_parameters::<T>(&error)),
    };
    match answered.and_then(|answered| Ok((value_of::<T>(&answered.value)?, answered.text))) {
        Ok((value, text)) => {
            let mut result = CallToolResult::success(vec![ContentBlock::text(strip(&text).text)]);
            result.structured_content = Some(value);
            result
        }
        Err(failure) => {
            let mut result = refusal(&failure);
            result.content.extend(T::why(call, &failure).await.map(ContentBlock::text));
            result
        }
    }
}

fn value_of<T: PairTool>(answer: &T::Answer) -> Result<Value, Failure> {
    let value = serde_json::to_value(answer).map(|value| match value {
        Value::Object(fields) => {
            let cleaned = fields.into_iter().map(|(name, field)| match T::EXACT.contains(&name.as_str()) {
                true => (name, field),
                false => (name, clean_value(field)),
            });
            cleaned.collect()
        }
        value => clean_value(value),
    });
    value.map_err(|error| {
        let message = format!("The answer could not be written: {error}.");
        Failure::new(
            Code::Failed,
            "answer_unwritable",
            message,
            "Please report this with the version from pair_status.",
        )
    })
}

/// Says all of it twice: some hosts show their model only the text of an error.
fn refusal(failure: &Failure) -> CallToolResult {
    let short = |text: &str| cut(&clean(text).text, SENTENCES).0;
    let failure = Failure { message: short(&failure.message), next: short(&failure.next), ..failure.clone() };
    let value = json!({
        "code": failure.code,
        "rule": failure.rule,
        "message": failure.message,
        "next": failure.next,
    });
    let code = value["code"].as_str().unwrap_or_default();
    let text = format!("{}\nNext: {}\n(code: {code}, rule: {})", failure.message, failure.next, failure.rule);
    let mut result = CallToolResult::error(vec![ContentBlock::text(text)]);
    result.structured_content = Some(value);
    result
}

/// Most characters of what a refusal says: it may quote what it was called with.
const SENTENCES: usize = 1_000;

fn wrong_parameters<T: PairTool>(error: &serde_json::Error) -> Failure {
    let schema = parameters_schema::<T::Parameters>();
    let names: Vec<&str> = schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(|p| p.keys().map(String::as_str))
        .collect();
    Failure::new(
        Code::Usage,
        "wrong_parameters",
        format!("{} was called wrongly: {error}.", T::NAME),
        format!("Call {} again; its parameters are {}.", T::NAME, names.join(", ")),
    )
}

fn parameters_schema<T: JsonSchema>() -> Arc<JsonObject> {
    let mut schema = schema::<T>(SchemaSettings::draft2020_12());
    schema.entry("properties").or_insert_with(|| json!({}));
    let mut schema = Value::Object(schema);
    drop_null(&mut schema);
    Arc::new(object(schema))
}

/// An answer or a refusal. Some clients hold refusals, too, against this schema, so it admits both.
fn answer_schema<T: JsonSchema>() -> Arc<JsonObject> {
    let mut schema = schema::<T>(SchemaSettings::draft2020_12().for_serialize());
    let answered = schema.remove("required").unwrap_or_else(|| json!([]));
    let refused = json!(REFUSAL.map(|(name, _)| name));
    schema.insert("anyOf".into(), json!([{ "required": answered }, { "required": refused }]));
    if let Some(properties) = schema.entry("properties").or_insert_with(|| json!({})).as_object_mut() {
        for (name, about) in REFUSAL {
            properties.entry(name).or_insert_with(|| json!({ "type": "string", "description": about }));
        }
    }
    Arc::new(schema)
}

const REFUSAL: [(&str, &str); 4] = [
    ("code", "Of a refusal: `failed`, `usage`, `refused`, `companion_unreachable` or `peer_unreachable`"),
    ("rule", "Of a refusal: the rule's stable name"),
    ("message", "Of a refusal: what happened and why"),
    ("next", "Of a refusal: what to do about it"),
];

/// In full, without references: not every client follows them.
fn schema<T: JsonSchema>(mut settings: SchemaSettings) -> JsonObject {
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    let mut schema = SchemaGenerator::new(settings).into_root_schema_for::<T>().to_value();
    tidy(&mut schema);
    let mut schema = object(schema);
    schema.remove("title");
    schema.remove("description");
    schema.insert("type".into(), "object".into());
    schema
}

/// Drops formats that validators do not know, and the line ends of our comments.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if object.get("format").is_some_and(Value::is_string) {
                object.remove("format");
            }
            if let Some(Value::String(about)) = object.get_mut("description") {
                *about = about.replace('\n', " ");
            }
            object.values_mut().for_each(tidy);
        }
        Value::Array(schemas) => schemas.iter_mut().for_each(tidy),
        _ => {}
    }
}

/// A parameter may be left out, so nobody needs to be told that it may be null.
fn drop_null(schema: &mut Value) {
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for property in properties.into_iter().flat_map(|properties| properties.values_mut()) {
        for keyword in ["type", "enum"] {
            let Some(Value::Array(choices)) = property.get_mut(keyword) else { continue };
            choices.retain(|choice| !choice.is_null() && choice != "null");
            if let ("type", [only]) = (keyword, choices.as_slice()) {
                property[keyword] = only.clone();
            }
        }
    }
}

/// The name that a value has on the wire.
fn name(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(name)) => name,
        _ => String::new(),
    }
}

fn object(value: Value) -> JsonObject {
    match value {
        Value::Object(object) => object,
        _ => JsonObject::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_the_contracts() {
        let mut names: Vec<&str> = all().iter().map(|tool| tool.name.as_ref()).collect();
        names.retain(|name| !MORE.contains(name));
        let contract = [
            "pair_status",
            "pair_room",
            "pair_verify",
            "pair_send",
            "pair_read",
            "pair_inbox",
            "pair_wait",
            "pair_charter",
            "pair_claim",
            "pair_yield",
            "pair_request_action",
            "pair_respond_permission",
            "pair_apply",
            "pair_complete_action",
            "pair_summarize",
            "pair_share_code",
            "pair_git",
            "pair_remember",
            "pair_recall",
            "pair_handoff",
            "pair_resume",
            "pair_report",
            "pair_live_mode",
        ];
        assert_eq!(names, contract);
    }

    /// Tools besides those of the contract.
    const MORE: [&str; 1] = ["pair_restore"];

    #[test]
    fn every_tool_is_described_within_what_hosts_show() {
        for tool in all() {
            let about = tool.description.as_deref().unwrap_or_default();
            assert!((80..2_000).contains(&about.len()), "{}: {}", tool.name, about.len());
            let hints = tool.annotations.as_ref().expect("annotations");
            for hint in [hints.read_only_hint, hints.destructive_hint, hints.idempotent_hint, hints.open_world_hint] {
                assert!(hint.is_some(), "{} leaves a hint open", tool.name);
            }
        }
    }

    #[test]
    fn every_schema_is_whole_and_takes_a_room() {
        for tool in all() {
            assert_eq!(tool.input_schema["type"], "object");
            assert_eq!(tool.input_schema["additionalProperties"], false, "{}", tool.name);
            assert!(tool.input_schema["properties"].get("room").is_some(), "{}", tool.name);
            let output = tool.output_schema.as_ref().expect("an output schema");
            assert_eq!(output["type"], "object");
            for schema in [&tool.input_schema, output] {
                let text = serde_json::to_string(schema).unwrap();
                assert!(!text.contains("$ref") && !text.contains("\"format\""), "{text}");
            }
        }
    }

    #[test]
    fn every_parameter_is_described() {
        for tool in all() {
            for (name, schema) in tool.input_schema["properties"].as_object().unwrap() {
                assert!(schema.get("description").is_some(), "{}.{name}", tool.name);
                assert!(schema["type"].is_string(), "{}.{name}: {schema}", tool.name);
            }
        }
    }

    #[test]
    fn a_refusal_says_all_in_both_parts() {
        let result = refusal(&Failure::new(Code::Refused, "wrong_words", "These are not the words.", "Start again."));
        let text = result.content[0].as_text().unwrap().text.clone();
        for part in ["refused", "wrong_words", "These are not the words.", "Start again."] {
            assert!(text.contains(part));
        }
        assert_eq!(result.structured_content.unwrap()["next"], "Start again.");
        assert_eq!(result.is_error, Some(true));
    }
}
