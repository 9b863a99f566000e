use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use mcp::Binding;
use pairwave_api::{Client, Code, Companion, Face, Failure, Hello, host_session};

use crate::caller::Caller;
use crate::output::{Ended, failure};

/// Serve one agent session over MCP on stdio; agent hosts start this
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  claude mcp add pairwave -- pairwave mcp
  pairwave mcp --dir ~/code/parser")]
pub struct Args {
    /// Folder whose room it is about [default: $CLAUDE_PROJECT_DIR, else this folder]
    #[arg(long)]
    dir: Option<PathBuf>,
}

pub async fn run(args: Args, caller: &Caller) -> Ended {
    let project = || std::env::var_os("CLAUDE_PROJECT_DIR").filter(|dir| !dir.is_empty()).map(PathBuf::from);
    let dir = caller.folder(args.dir.or_else(project).as_deref())?;
    let session = match host_session() {
        Some(session) => session,
        None => own_session()?,
    };
    let hello = Hello { session: Some(session), dir: Some(dir.clone()), agent: true, ..Hello::new(Face::Mcp) };
    let home = caller.home.clone();
    let connect = move || {
        let (home, hello) = (home.clone(), hello.clone());
        async move { Ok(Arc::new(Client::connect_or_start(&home, hello).await?) as Arc<dyn Companion>) }
    };
    mcp::serve_stdio(connect, Binding { dir }).await.map_err(|error| failure(Code::Failed, "mcp", &error))?;
    Ok(ExitCode::SUCCESS)
}

/// A session of this process, for a host that names none.
fn own_session() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        let next = "The system's source of randomness does not work; restart the machine.";
        Failure::new(Code::Failed, "no_randomness", format!("No session id could be drawn: {error}."), next)
    })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
