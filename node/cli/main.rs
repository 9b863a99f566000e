//! The binary: arguments in, one companion asked, an answer and an exit code out.

mod args;
mod browser;
mod caller;
mod commands;
mod demo;
mod lookup;
mod output;
mod project;
mod prose;
mod stdin;
mod wiring;

fn main() -> std::process::ExitCode {
    commands::main()
}
