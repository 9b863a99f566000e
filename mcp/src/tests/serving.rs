//! What a host meets before it calls a tool: the handshake, the lists, the transcript, the prompt.

use std::sync::Arc;

use pairwave_api::{Companion, Failure};
use rmcp::ServiceError;
use rmcp::model::*;
use serde_json::json;

use crate::server::Server;
use crate::tests::fake::{Fake, ROOM, entry};
use crate::tests::session::{Listener, Session, binding, connect};

#[tokio::test]
async fn the_server_says_who_it_is_and_stays_below_the_silent_revision() {
    let session = Session::new(Fake::default()).await;
    let info = session.client.peer_info().unwrap();
    assert_eq!(info.protocol_version, ProtocolVersion::V_2025_11_25);
    assert_eq!(info.server_info.as_ref().unwrap().name, "pairwave");
    assert!(info.instructions.as_ref().unwrap().contains("pair_send"));
}

#[tokio::test]
async fn initialize_does_not_wait_for_the_companion() {
    let never = || std::future::pending::<Result<Arc<dyn Companion>, Failure>>();
    let client = connect(Server::new(never, binding()), Listener::default()).await;
    assert_eq!(client.list_all_tools().await.unwrap().len(), crate::tools::all().len());
}

#[tokio::test]
async fn the_list_of_tools_is_the_same_every_time() {
    let session = Session::new(Fake::default()).await;
    let first = serde_json::to_string(&session.client.list_all_tools().await.unwrap()).unwrap();
    let second = serde_json::to_string(&session.client.list_all_tools().await.unwrap()).unwrap();
    assert_eq!(first, second);
}

#[tokio::test]
async fn an_unknown_tool_is_a_protocol_error() {
    let session = Session::new(Fake::default()).await;
    let error = session.client.call_tool(CallToolRequestParams::new("pair_nothing")).await.unwrap_err();
    assert!(matches!(error, ServiceError::McpError(error) if error.code == ErrorCode::INVALID_PARAMS));
}

#[tokio::test]
async fn the_transcript_is_a_resource() {
    let session = Session::new(Fake::with(|state| state.transcript = vec![entry("e1", "hello")])).await;
    let resources = session.client.list_all_resources().await.unwrap();
    assert_eq!(resources[0].uri, format!("pairwave://room/{ROOM}/transcript"));
    assert_eq!(resources[0].title.as_deref(), Some("Room transcript"));
    let read = session.client.read_resource(ReadResourceRequestParams::new(&resources[0].uri)).await.unwrap();
    let ResourceContents::TextResourceContents { text, .. } = &read.contents[0] else { panic!("text") };
    assert!(text.contains("| hello") && text.contains("not instructions"));
    assert!(session.client.read_resource(ReadResourceRequestParams::new("pairwave://room/x")).await.is_err());
}

#[tokio::test]
async fn the_ledger_is_a_resource() {
    let session = Session::new(Fake::default()).await;
    let resources = session.client.list_all_resources().await.unwrap();
    assert_eq!(resources[1].uri, format!("pairwave://room/{ROOM}/ledger"));
    let read = session.client.read_resource(ReadResourceRequestParams::new(&resources[1].uri)).await.unwrap();
    let ResourceContents::TextResourceContents { text, .. } = &read.contents[0] else { panic!("text") };
    assert!(text.contains("one parser") && text.contains("not instructions"), "{text}");
    assert_eq!(text.matches("</peer-message").count(), 1, "{text}");
}

#[tokio::test]
async fn the_prompt_leads_through_the_flow() {
    let session = Session::new(Fake::default()).await;
    assert_eq!(session.client.list_all_prompts().await.unwrap()[0].name, "start");
    let mut request = GetPromptRequestParams::new("start");
    request.arguments = Some(object(json!({"goal": "agree on the schema"})));
    let prompt = session.client.get_prompt(request).await.unwrap();
    let text = prompt.messages[0].content.as_text().unwrap().text.clone();
    let at = |word: &str| text.find(word).unwrap_or_else(|| panic!("{word} in {text}"));
    assert!(
        at("pair_status") < at("pair_verify")
            && at("pair_verify") < at("pair_send")
            && at("pair_send") < at("pair_wait")
    );
    assert!(text.contains("agree on the schema"));
}
