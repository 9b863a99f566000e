use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;
use serde_json::json;

use crate::args::Cli;
use crate::caller::Caller;
use crate::output::Ended;

/// Print a script that completes these commands in your shell
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pairwave completions bash > ~/.local/share/bash-completion/completions/pairwave
  pairwave completions fish > ~/.config/fish/completions/pairwave.fish")]
pub struct Args {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

pub fn run(args: Args, caller: &Caller) -> Ended {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "pairwave", &mut script);
    let script = String::from_utf8_lossy(&script);
    if caller.output.json() {
        caller.output.object(&json!({ "shell": args.shell.to_string(), "script": script }))?;
    } else {
        caller.output.prose(&script)?;
    }
    Ok(ExitCode::SUCCESS)
}
