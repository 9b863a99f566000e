//! An agent: an MCP client of the official SDK on the stdio of `pairwave mcp`.

use std::process::Stdio;

use rmcp::ServiceExt;
use rmcp::model::CallToolRequestParams;
use rmcp::service::{RoleClient, RunningService};
use serde_json::Value;
use tokio::process::Child;

use crate::person::Person;

pub struct Agent {
    client: RunningService<RoleClient, ()>,
    _server: Child,
}

impl Agent {
    pub async fn start(person: &Person) -> Self {
        let mut command = person.command(&["mcp"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut server = person.start(command);
        let pipes = (server.stdout.take().expect("piped"), server.stdin.take().expect("piped"));
        Self { client: ().serve(pipes).await.expect("the server answers to initialize"), _server: server }
    }

    /// Calls a tool and gives its structured result.
    pub async fn ask(&self, tool: &'static str, arguments: Value) -> Value {
        let arguments = arguments.as_object().expect("arguments are an object").clone();
        let call = CallToolRequestParams::new(tool).with_arguments(arguments);
        let result = self.client.call_tool(call).await.expect("an answer");
        assert_ne!(result.is_error, Some(true), "{tool}: {result:?}");
        result.structured_content.expect("a tool answers with structure")
    }
}
