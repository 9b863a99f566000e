//! The MCP server: what a host asks, routed.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use pairwave_api::{Companion, Failure};
use rmcp::model::*;
use rmcp::service::{RequestContext, RunningService, ServerInitializeError};
use rmcp::transport::IntoTransport;
use rmcp::{ErrorData, RoleServer, ServerHandler, ServiceExt};

use crate::connection::Connection;
use crate::handover::Handover;
use crate::instructions::INSTRUCTIONS;
use crate::{prompts, resources, tools};

/// What an agent session is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The folder it works in, where a room is opened or joined.
    pub dir: PathBuf,
}

/// The server could not go on serving.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("the host did not open the session as MCP asks: {0}. Start `pairwave mcp` from an MCP host, not by hand")]
    Handshake(#[from] Box<ServerInitializeError>),
    #[error("the server stopped: {0}")]
    Stopped(#[from] tokio::task::JoinError),
}

/// Serves one agent session on stdin and stdout until the host closes them.
///
/// `connect` makes the connection to the companion. It is called at once and in the background, so
/// that `initialize` is answered meanwhile, and again by a later call should it fail.
pub async fn serve_stdio<F>(connect: impl Fn() -> F + Send + Sync + 'static, binding: Binding) -> Result<(), ServeError>
where
    F: Future<Output = Result<Arc<dyn Companion>, Failure>> + Send + 'static,
{
    let server = Server::new(connect, binding);
    server.connect_in_background();
    let running = match server.serve_on(rmcp::transport::stdio_pipes()).await {
        Ok(running) => running,
        // The host went away before it said anything: nothing to serve, nothing wrong.
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => return Err(Box::new(error).into()),
    };
    running.waiting().await?;
    Ok(())
}

#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) companion: Arc<Connection>,
    pub(crate) handover: Handover,
    pub(crate) binding: Binding,
}

impl Server {
    pub(crate) fn new<F>(connect: impl Fn() -> F + Send + Sync + 'static, binding: Binding) -> Self
    where
        F: Future<Output = Result<Arc<dyn Companion>, Failure>> + Send + 'static,
    {
        Self { companion: Arc::new(Connection::new(connect)), handover: Handover::default(), binding }
    }

    pub(crate) async fn serve_on<E, A>(
        self,
        transport: impl IntoTransport<RoleServer, E, A>,
    ) -> Result<RunningService<RoleServer, Self>, ServerInitializeError>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let transport = self.handover.over(transport.into_transport());
        self.serve(transport).await
    }

    fn connect_in_background(&self) {
        let companion = self.companion.clone();
        tokio::spawn(async move {
            // Who needs it asks again and gets the failure told.
            let _ = companion.companion().await;
        });
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().enable_resources().enable_prompts().build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("pairwave", env!("CARGO_PKG_VERSION")).with_title("pairwave"))
            .with_instructions(INSTRUCTIONS)
    }

    /// Later revisions have no `initialize` and forbid a server to speak unasked.
    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Borrowed(ProtocolVersion::known_up_to(&ProtocolVersion::V_2025_11_25))
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(tools::all().to_vec()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let arguments = request.arguments.unwrap_or_default();
        match tools::call(self, &context, &request.name, arguments).await {
            Some(result) => Ok(result.into()),
            None => {
                let names: Vec<&str> = tools::all().iter().map(|tool| tool.name.as_ref()).collect();
                let message = format!("There is no tool `{}`; there are {}.", request.name, names.join(", "));
                Err(ErrorData::invalid_params(message, None))
            }
        }
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        Ok(ListResourcesResult::with_all_items(resources::list(&self.companion).await?))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Ok(ListResourceTemplatesResult::with_all_items(resources::templates()))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        Ok(resources::read(&self.companion, &request.uri).await?.into())
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Ok(ListPromptsResult::with_all_items(prompts::all()))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        Ok(prompts::get(request)?.into())
    }
}
