//! An agent: an MCP client of the official SDK, talking to `pairwave mcp` over its stdio.

use rmcp::ServiceExt;
use rmcp::model::{CallToolRequest, CallToolRequestParams, CallToolResult, ClientRequest};
use rmcp::service::{PeerRequestOptions, RoleClient, RunningService, ServiceError};
use serde_json::Value;
use std::process::Stdio;
use tokio::process::{Child, Command};

use crate::patience::until;
use crate::person::{BINARY, Person};

pub struct Agent {
    pub client: RunningService<RoleClient, ()>,
    _server: Child,
}

impl Agent {
    pub async fn start(person: &Person, session: Option<&str>) -> Self {
        Self::start_with(person.command(&["mcp"]), person, session).await
    }

    /// An agent whose host is a process of its own, so that its person's commands do not descend from it.
    pub async fn start_apart(person: &Person) -> Self {
        let host = person.home.with_file_name("host");
        // Not by its own name, which stands for a shell between a host and what it starts.
        if !host.exists() {
            std::os::unix::fs::symlink("/bin/sh", &host).expect("a name for a shell");
        }
        let mut host = person.program(host.to_str().expect("a path in UTF-8"));
        // Not the last thing it does, or it would become the server.
        host.args(["-c", "\"$0\" mcp; true", BINARY]);
        Self::start_with(host, person, None).await
    }

    async fn start_with(mut command: Command, person: &Person, session: Option<&str>) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        if let Some(session) = session {
            command.env("CLAUDE_CODE_SESSION_ID", session);
        }
        let mut server = person.start(command);
        let pipes = (server.stdout.take().expect("piped"), server.stdin.take().expect("piped"));
        let client = ().serve(pipes).await.expect("the server answers to initialize");
        Self { client, _server: server }
    }

    /// Calls a tool, whatever comes of it.
    pub async fn call(&self, tool: &str, arguments: Value) -> Result<CallToolResult, ServiceError> {
        let arguments = arguments.as_object().expect("arguments are an object").clone();
        self.client.call_tool(CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments)).await
    }

    /// Calls a tool and gives up on it once the server has answered a later call.
    pub async fn gives_up(&self, tool: &str, arguments: Value) {
        let arguments = arguments.as_object().expect("arguments are an object").clone();
        let params = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
        let request = ClientRequest::CallToolRequest(CallToolRequest::new(params));
        let call = self.client.send_cancellable_request(request, PeerRequestOptions::no_options()).await;
        let call = call.expect("it is sent");
        self.ask("pair_status", serde_json::json!({})).await;
        call.cancel(None).await.expect("it is cancelled");
    }

    /// Calls a tool that must succeed, and gives its structured result.
    pub async fn ask(&self, tool: &str, arguments: Value) -> Value {
        let result = self.call(tool, arguments).await.expect("an answer");
        assert_ne!(result.is_error, Some(true), "{tool}: {result:?}");
        result.structured_content.unwrap_or_else(|| panic!("{tool} answers with structure"))
    }

    /// Calls a tool that must be refused, and gives the refusal.
    pub async fn refusal(&self, tool: &str, arguments: Value) -> Value {
        let result = self.call(tool, arguments).await.expect("an answer");
        assert_eq!(result.is_error, Some(true), "{tool}: {result:?}");
        let refusal = result.structured_content.unwrap_or_else(|| panic!("{tool} refuses with structure"));
        for field in ["code", "rule", "message", "next"] {
            assert!(refusal[field].as_str().is_some_and(|text| !text.is_empty()), "`{field}` in {refusal}");
        }
        refusal
    }

    /// The rule by which a call is refused.
    pub async fn rule(&self, tool: &str, arguments: Value) -> String {
        self.refusal(tool, arguments).await["rule"].as_str().expect("a rule").to_owned()
    }

    /// Waits until its inbox holds such an item, and takes nothing out of it.
    pub async fn finds(&self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        until(&format!("an inbox holds {what}"), async || {
            let inbox = self.ask("pair_inbox", serde_json::json!({ "peek": true })).await;
            inbox["items"].as_array().expect("items").iter().find(|item| is_it(item)).cloned()
        })
        .await
    }

    /// Everything that needs this agent, until it has seen this text.
    pub async fn hears(&self, text: &str) -> Vec<Value> {
        let mut heard = Vec::new();
        loop {
            let inbox = self.ask("pair_wait", serde_json::json!({ "timeout_s": 60 })).await;
            assert_ne!(inbox["timed_out"], true, "nobody said {text:?}; heard {heard:?}");
            heard.extend(inbox["items"].as_array().expect("items").clone());
            if heard.iter().any(|item| said(item) == Some(text)) {
                return heard;
            }
        }
    }
}

/// The text of an inbox item that is a message.
pub fn said(item: &Value) -> Option<&str> {
    item["entry"]["text"].as_str()
}
