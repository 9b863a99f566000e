//! The binary: arguments in, one companion asked, an answer and an exit code out.

mod args;
mod caller;
mod commands;
mod demo;
mod output;
mod prose;
mod wiring;

fn main() -> std::process::ExitCode {
    commands::main()
}
