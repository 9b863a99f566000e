//! A session for tests: the official client, in process, against the server.

use std::path::PathBuf;
use std::sync::Arc;

use pairwave_api::Companion;
use rmcp::model::*;
use rmcp::service::{NotificationContext, PeerRequestOptions, RequestHandle, RunningService};
use rmcp::{ClientHandler, RoleClient, ServiceExt};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::server::{Binding, Server};
use crate::tests::fake::Fake;
use crate::tests::schema_check::problems;

/// A client connected to a server whose companion is a [`Fake`].
pub(crate) struct Session {
    pub(crate) client: RunningService<RoleClient, Listener>,
    pub(crate) fake: Arc<Fake>,
}

impl Session {
    pub(crate) async fn new(fake: Fake) -> Self {
        Self::listening(fake, Listener::default()).await
    }

    pub(crate) async fn listening(fake: Fake, listener: Listener) -> Self {
        let fake = Arc::new(fake);
        let companion = fake.clone();
        let server = Server::new(
            move || {
                let companion: Arc<dyn Companion> = companion.clone();
                async move { Ok(companion) }
            },
            binding(),
        );
        Self { client: connect(server, listener).await, fake }
    }

    pub(crate) async fn call(&self, tool: &'static str, arguments: Value) -> CallToolResult {
        let request = CallToolRequestParams::new(tool).with_arguments(object(arguments));
        self.client.call_tool(request).await.unwrap()
    }

    pub(crate) async fn request(
        &self,
        tool: &'static str,
        arguments: Value,
        token: Option<&str>,
    ) -> RequestHandle<RoleClient> {
        let params = CallToolRequestParams::new(tool).with_arguments(object(arguments));
        let request = ClientRequest::CallToolRequest(CallToolRequest::new(params));
        let mut options = PeerRequestOptions::no_options();
        if let Some(token) = token {
            let mut meta = RequestMetaObject::new();
            meta.set_progress_token(ProgressToken(NumberOrString::String(token.into())));
            options = options.with_meta(meta);
        }
        self.client.send_cancellable_request(request, options).await.unwrap()
    }

    pub(crate) async fn validate(&self, tool: &str, result: &CallToolResult) {
        let tools = self.client.list_all_tools().await.unwrap();
        let tool = tools.into_iter().find(|listed| listed.name == tool).unwrap();
        let schema = Value::Object(tool.output_schema.unwrap().as_ref().clone());
        let problems = problems(&schema, structured(result));
        assert!(problems.is_empty(), "{problems:?} in {}", structured(result));
    }
}

pub(crate) async fn connect(server: Server, listener: Listener) -> RunningService<RoleClient, Listener> {
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    tokio::spawn(async move {
        let running = server.serve_on(theirs).await.expect("a handshake");
        running.waiting().await
    });
    listener.serve(ours).await.expect("a handshake")
}

pub(crate) fn binding() -> Binding {
    Binding { dir: PathBuf::from("/work") }
}

pub(crate) fn structured(result: &CallToolResult) -> &Value {
    result.structured_content.as_ref().expect("a structured part")
}

pub(crate) fn text(result: &CallToolResult) -> String {
    result.content[0].as_text().unwrap().text.clone()
}

/// Hands on the progress that it is told.
#[derive(Clone, Default)]
pub(crate) struct Listener(Option<mpsc::UnboundedSender<ProgressNotificationParam>>);

impl Listener {
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<ProgressNotificationParam>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(Some(sender)), receiver)
    }
}

impl ClientHandler for Listener {
    async fn on_progress(&self, progress: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        if let Some(sender) = &self.0 {
            let _ = sender.send(progress);
        }
    }
}
