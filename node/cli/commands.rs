//! From the typed command to its answer.

use std::ffi::OsStr;
use std::process::ExitCode;

use clap::Parser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use pairwave_api::{Code, Failure};
use tokio::runtime::Builder;

use crate::args::{Cli, Verb};
use crate::caller::Caller;
use crate::output::{Ended, Output};

pub mod answer;
pub mod approve;
pub mod brain;
pub mod charter;
pub mod completions;
pub mod config;
pub mod dashboard;
pub mod demo;
pub mod deny;
pub mod doctor;
pub mod down;
pub mod export;
pub mod floor;
pub mod git;
pub mod handoff;
pub mod hook;
pub mod inbox;
pub mod init;
pub mod invite;
pub mod join;
pub mod leave;
pub mod mcp;
pub mod overriding;
pub mod quarantine;
pub mod read;
pub mod recall;
pub mod relay;
pub mod relay_node;
pub mod remove;
pub mod rename;
pub mod report;
pub mod requests;
pub mod rooms;
pub mod send;
pub mod status;
pub mod up;
pub mod verify;
pub mod wait;
pub mod whoami;

/// Runs the command that this process was started with.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misunderstood(&error),
    };
    let output = Output::new(cli.common.json);
    let is_hook = matches!(cli.verb, Verb::Hook(_));
    let ended = Caller::new(cli.common, output).map_err(Into::into).and_then(|caller| run(cli.verb, &caller));
    // A host must not be held up by its hook, whatever is wrong here.
    ended.unwrap_or_else(|stop| if is_hook { ExitCode::SUCCESS } else { output.stopped(stop) })
}

fn run(verb: Verb, caller: &Caller) -> Ended {
    // Only a relay serves many at a time.
    let mut builder =
        if matches!(verb, Verb::RelayNode(_)) { Builder::new_multi_thread() } else { Builder::new_current_thread() };
    let runtime = builder.enable_all().build().map_err(|error| {
        let next = "The system gives this process no more threads or files; close other programs and try again.";
        Failure::new(Code::Failed, "no_runtime", format!("The command could not start: {error}."), next)
    })?;
    let ended = runtime.block_on(route(verb, caller));
    // Something may still be reading the terminal; nothing that matters waits for it.
    runtime.shutdown_background();
    ended
}

async fn route(verb: Verb, caller: &Caller) -> Ended {
    match verb {
        Verb::Init(args) => init::run(args, caller).await,
        Verb::Join(args) => join::run(args, caller).await,
        Verb::Answer(args) => answer::run(args, caller).await,
        Verb::Invite(args) => invite::run(args, caller).await,
        Verb::Verify(args) => verify::run(args, caller).await,
        Verb::Status(args) => status::run(args, caller).await,
        Verb::Send(args) => send::run(args, caller).await,
        Verb::Read(args) => read::run(args, caller).await,
        Verb::Inbox(args) => inbox::run(args, caller).await,
        Verb::Wait(args) => wait::run(args, caller).await,
        Verb::Charter(args) => charter::run(args, caller).await,
        Verb::Floor(args) => floor::run(args, caller).await,
        Verb::Git(args) => git::run(args, caller).await,
        Verb::Requests(args) => requests::run(args, caller).await,
        Verb::Approve(args) => approve::run(args, caller).await,
        Verb::Deny(args) => deny::run(args, caller).await,
        Verb::Override(args) => overriding::run(args, caller).await,
        Verb::Recall(args) => recall::run(args, caller).await,
        Verb::Brain(args) => brain::run(args, caller).await,
        Verb::Rooms(args) => rooms::run(args, caller).await,
        Verb::Whoami(args) => whoami::run(args, caller).await,
        Verb::Rename(args) => rename::run(args, caller).await,
        Verb::Relay(args) => relay::run(args, caller).await,
        Verb::Quarantine(args) => quarantine::run(args, caller).await,
        Verb::Handoff(args) => handoff::run(args, caller).await,
        Verb::Report(args) => report::run(args, caller).await,
        Verb::Export(args) => export::run(args, caller).await,
        Verb::Remove(args) => remove::run(args, caller).await,
        Verb::Leave(args) => leave::run(args, caller).await,
        Verb::Up(args) => up::run(args, caller).await,
        Verb::Down(args) => down::run(args, caller).await,
        Verb::Dashboard(args) => dashboard::run(args, caller).await,
        Verb::Doctor(args) => doctor::run(args, caller).await,
        Verb::Mcp(args) => mcp::run(args, caller).await,
        Verb::Hook(args) => hook::run(args, caller).await,
        Verb::Demo(args) => demo::run(args, caller).await,
        Verb::RelayNode(args) => relay_node::run(args, caller).await,
        Verb::Config(args) => config::run(args, caller),
        Verb::Completions(args) => completions::run(args, caller),
    }
}

/// Help that was asked for, or a command that cannot be understood, in the form that was asked for.
fn misunderstood(error: &clap::Error) -> ExitCode {
    let before_text = std::env::args_os().take_while(|arg| arg != OsStr::new("--"));
    let output = Output::new(before_text.into_iter().any(|arg| arg == OsStr::new("--json")));
    let is_answer = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if output.json() && !is_answer {
        return output.stopped(usage(error).into());
    }
    // Whoever stopped reading has seen enough.
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Code::Usage.exit()))
}

fn usage(error: &clap::Error) -> Failure {
    let rendered = error.render().to_string();
    let first = rendered.split("\n\n").next().unwrap_or_default();
    let message = first.trim_start_matches("error:").split_whitespace().collect::<Vec<_>>().join(" ");
    let suggested = [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue]
        .into_iter()
        .find_map(|kind| error.get(kind).map(spelled));
    let next = suggested.map_or_else(String::new, |name| format!("Did you mean `{name}`? "));
    let rule = format!("{:?}", error.kind()).chars().fold(String::new(), snake);
    Failure::new(Code::Usage, &rule, message, format!("{next}`pairwave --help` shows what there is."))
}

fn spelled(value: &ContextValue) -> String {
    match value {
        ContextValue::Strings(several) => several.join("` or `"),
        other => other.to_string(),
    }
}

fn snake(mut name: String, next: char) -> String {
    if next.is_uppercase() && !name.is_empty() {
        name.push('_');
    }
    name.push(next.to_ascii_lowercase());
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn misread(arguments: &[&str]) -> Failure {
        usage(&Cli::try_parse_from(arguments).expect_err("wrong usage"))
    }

    #[test]
    fn wrong_usage_becomes_a_failure_with_a_suggestion() {
        let failure = misread(&["pairwave", "stauts"]);
        assert_eq!((failure.code, failure.rule.as_str()), (Code::Usage, "invalid_subcommand"));
        assert_eq!(failure.message, "unrecognized subcommand 'stauts'");
        assert!(failure.next.starts_with("Did you mean `status`? "), "{}", failure.next);
    }

    #[test]
    fn a_missing_argument_is_named() {
        let failure = misread(&["pairwave", "join"]);
        assert_eq!(failure.rule, "missing_required_argument");
        assert!(failure.message.contains("<INVITE>"), "{}", failure.message);
    }
}
