use std::process::ExitCode;

use clap::Subcommand;
use owo_colors::OwoColorize;
use pairwave_api::{Code, Failure};
use pairwave_daemon::config::{Config, ConfigError, Setting, Source};
use serde_json::json;

use crate::caller::Caller;
use crate::output::Ended;
use crate::prose::page;

/// Show or change settings
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pairwave config show
  pairwave config set network.mdns false
  $EDITOR \"$(pairwave config path)\"")]
pub struct Args {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Every setting, its value, and where that came from
    #[command(after_help = "Example:\n  pairwave config show --json")]
    Show,
    /// Write one setting into the file
    #[command(after_help = "\
Examples:
  pairwave config set name alice
  pairwave config set network.certificates /etc/relay.pem,/etc/company.pem")]
    Set {
        /// Name of the setting
        key: String,
        /// Its value; a list is separated by commas, without brackets
        value: String,
    },
    /// Where the file is
    #[command(after_help = "Example:\n  cat \"$(pairwave config path)\"")]
    Path,
}

pub fn run(args: Args, caller: &Caller) -> Ended {
    match args.action.unwrap_or(Action::Show) {
        Action::Show => show(caller),
        Action::Set { key, value } => set(&key, &value, caller),
        Action::Path => {
            let path = caller.home.config();
            caller.output.answer(&json!({ "path": path }), |_| path.display().to_string())
        }
    }
}

fn show(caller: &Caller) -> Ended {
    let settings = Config::load_here(&caller.home, &[]).map_err(failure)?.show();
    if caller.output.json() {
        let settings: Vec<_> = settings.iter().map(as_json).collect();
        caller.output.object(&json!({ "settings": settings }))?;
    } else {
        caller.output.prose(&page::table(&settings.iter().map(row).collect::<Vec<_>>()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn set(key: &str, value: &str, caller: &Caller) -> Ended {
    Config::set(&caller.home, key, value).map_err(failure)?;
    let path = caller.home.config();
    caller.output.answer(&json!({ "key": key, "value": value, "path": path }), |_| {
        format!("{key} is set in {}.\nA running companion takes it up after `pairwave down`.", path.display())
    })
}

fn as_json(setting: &Setting) -> serde_json::Value {
    json!({
        "key": setting.key,
        "value": setting.value.to_json(),
        "source": source(setting),
        "about": setting.about,
    })
}

fn row(setting: &Setting) -> Vec<String> {
    vec![
        setting.key.bold().to_string(),
        setting.value.to_string(),
        source(setting).dimmed().to_string(),
        setting.about.dimmed().to_string(),
    ]
}

fn source(setting: &Setting) -> &'static str {
    match setting.source {
        Source::Default => "default",
        Source::File => "file",
        Source::Environment => "environment",
        Source::Flag => "flag",
    }
}

fn failure(error: ConfigError) -> Failure {
    let code = if matches!(error, ConfigError::Io { .. } | ConfigError::Home(_)) { Code::Failed } else { Code::Usage };
    crate::output::failure(code, "config", &error)
}
