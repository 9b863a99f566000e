//! A scripted agent: an MCP client on the stdio of a real `pairwave mcp`.

use std::process::Stdio;
use std::time::Duration;

use pairwave_api::{Code, Failure};
use rmcp::ServiceExt;
use rmcp::model::CallToolRequestParams;
use rmcp::service::{RoleClient, RunningService};
use serde_json::{Value, json};
use tokio::process::Child;
use tokio::time::timeout;

use super::host;
use super::person::Person;
use crate::prose::plain;

pub struct Agent {
    owner: &'static str,
    /// What the room calls this session, with its emoji.
    pub name: String,
    client: RunningService<RoleClient, ()>,
    /// Ends with the agent.
    _server: Child,
}

const PATIENCE: Duration = Duration::from_secs(60);

impl Agent {
    /// Starts an agent session in a person's folder.
    pub async fn start(owner: &Person) -> Result<Self, Failure> {
        let mut command = owner.command(host::PLAY);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut server = command.spawn().map_err(|error| broken(owner.name, &error))?;
        let (Some(stdout), Some(stdin)) = (server.stdout.take(), server.stdin.take()) else {
            return Err(broken(owner.name, &"the server has no stdio"));
        };
        let client = timeout(PATIENCE, ().serve((stdout, stdin))).await.map_err(|_| slow(owner.name, "initialize"))?;
        let client = client.map_err(|error| broken(owner.name, &error))?;
        let mut agent = Self { owner: owner.name, name: String::new(), client, _server: server };
        agent.name = named(&agent.call("pair_status", json!({})).await?);
        // What happened before is not part of the talk.
        agent.call("pair_inbox", json!({})).await?;
        Ok(agent)
    }

    /// Calls a tool; gives its structured result.
    pub async fn call(&self, tool: &'static str, arguments: Value) -> Result<Value, Failure> {
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        let called = self.client.call_tool(CallToolRequestParams::new(tool).with_arguments(arguments));
        let result = timeout(PATIENCE, called).await.map_err(|_| slow(self.owner, tool))?;
        let result = result.map_err(|error| broken(self.owner, &error))?;
        let content = result.structured_content.unwrap_or_default();
        match result.is_error {
            Some(true) => Err(serde_json::from_value(content.clone()).unwrap_or_else(|_| broken(self.owner, &content))),
            _ => Ok(content),
        }
    }

    /// Says something; gives the event's id and how far it has got.
    pub async fn send(&self, message: Value) -> Result<(String, String), Failure> {
        let sent = self.call("pair_send", message).await?;
        Ok((text(&sent["event"]), text(&sent["state"])))
    }

    /// Waits for messages and gives their events as they came.
    pub async fn wait(&self) -> Result<Vec<String>, Failure> {
        let inbox = self.call("pair_wait", json!({ "timeout_s": 30 })).await?;
        if inbox["timed_out"] == true {
            return Err(broken(self.owner, &"nothing arrived in 30 seconds"));
        }
        let items = inbox["items"].as_array().cloned().unwrap_or_default();
        // What has no entry is a reminder of something that came before.
        Ok(items.iter().filter_map(|item| item["entry"]["event"].as_str()).map(str::to_owned).collect())
    }

    /// Waits until this message has come.
    pub async fn hear(&self, event: &str) -> Result<(), Failure> {
        while !self.wait().await?.iter().any(|heard| heard == event) {}
        Ok(())
    }
}

fn named(status: &Value) -> String {
    let me = &status["me"];
    let sessions = status["rooms"][0]["members"].as_array().into_iter().flatten();
    let mut sessions = sessions.flat_map(|member| member["sessions"].as_array().into_iter().flatten());
    let emoji = sessions.find(|session| session["session"] == me["session"]).map(|session| text(&session["emoji"]));
    plain::line(&format!("{} {}", emoji.unwrap_or_default(), text(&me["session_name"])))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn slow(owner: &str, what: &str) -> Failure {
    let message = format!("`{what}` of {owner}’s agent did not come back in {} seconds.", PATIENCE.as_secs());
    Failure::new(
        Code::Failed,
        "demo_stuck",
        message,
        "Try again; if it stays so, `pairwave doctor` checks this machine.",
    )
}

fn broken(owner: &str, why: &dyn std::fmt::Display) -> Failure {
    let next = "`pairwave doctor` checks this machine layer by layer.";
    Failure::new(Code::Failed, "demo_failed", format!("Something went wrong with {owner}’s agent: {why}."), next)
}
