use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use etcetera::BaseStrategy;
use jiff::Timestamp;
use pairwave_api::Code;
use relay_node::process::{self, Stopped};
use relay_node::tokens::{Token, Tokens};
use relay_node::{CertificateFiles, Limits, Options, Relay, RelayError};
use serde_json::{Value, json};

use crate::caller::Caller;
use crate::output::{Ended, Output, Stop, failure};
use crate::prose::{page, plain};

/// Run a relay for companions that cannot reach each other
///
/// It passes on what it cannot read: circuits, letters for companions that are away, and where
/// companions are. It runs here until Ctrl-C or SIGTERM; it needs no room and no companion.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pairwave relay-node
  pairwave relay-node token new --label alice
  pairwave relay-node --external /ip4/203.0.113.7/udp/4011/quic-v1 --metrics 127.0.0.1:4012
  pairwave relay-node --listen /ip4/0.0.0.0/tcp/443/tls/ws --certificate chain.pem --key key.pem")]
pub struct Args {
    /// Address to listen at; may be repeated [default: UDP (QUIC) and TCP port 4011]
    #[arg(long, value_name = "MULTIADDR")]
    listen: Vec<String>,
    /// Address that others reach it at; may be repeated [default: those it listens at]
    #[arg(long, value_name = "MULTIADDR")]
    external: Vec<String>,
    /// Folder of its identity, its tokens and the letters that wait
    #[arg(long, value_name = "DIR", global = true)]
    data: Option<PathBuf>,
    /// Serve figures, health and a status page there
    #[arg(long, value_name = "IP:PORT")]
    metrics: Option<SocketAddr>,
    /// Certificate chain in PEM, for addresses that end in /tls/ws
    #[arg(long, value_name = "FILE", requires = "key")]
    certificate: Option<PathBuf>,
    /// Private key of that certificate in PEM
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
    /// Bytes of letters that may wait in all [default: 4 GiB]
    #[arg(long, value_name = "BYTES")]
    spool: Option<u64>,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Tokens: who shows one may work through this relay, not only meet
    #[command(subcommand, arg_required_else_help = true, after_help = "Example:\n  pairwave relay-node token new")]
    Token(TokenAction),
    /// Print the systemd unit that keeps this relay running
    #[command(after_help = "\
Example:
  pairwave relay-node unit | sudo tee /etc/systemd/system/pairwave-relay.service")]
    Unit,
}

#[derive(Debug, Subcommand)]
enum TokenAction {
    /// Make a token, and print it this once
    #[command(after_help = "Example:\n  pairwave relay-node token new --label alice")]
    New {
        /// For whom it is
        #[arg(long)]
        label: Option<String>,
    },
    /// Show which tokens there are
    #[command(after_help = "Example:\n  pairwave relay-node token list")]
    List,
    /// Take a token back; a running relay notices
    #[command(after_help = "Example:\n  pairwave relay-node token revoke 1f00d4e2")]
    Revoke {
        /// As `list` shows it
        id: String,
    },
}

pub async fn run(args: Args, caller: &Caller) -> Ended {
    match args.action {
        Some(Action::Token(action)) => token(action, &Tokens::of(&data(args.data)?), caller.output),
        Some(Action::Unit) => caller.output.answer(&json!({ "unit": process::UNIT }), |_| process::UNIT.into()),
        None => stay(args, caller).await,
    }
}

async fn stay(args: Args, caller: &Caller) -> Ended {
    let options = args.options()?;
    let output = caller.output;
    match process::run(options, |relay| announce(relay, output)).await {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(Stopped::NotReady(stop)) => Err(stop),
        Err(Stopped::Failed(error)) => Err(failure(Code::Failed, "relay_not_started", &error).into()),
    }
}

impl Args {
    fn options(self) -> Result<Options, Stop> {
        let certificate = self.certificate.zip(self.key);
        let limits = Limits { spool: self.spool.unwrap_or(Limits::default().spool), ..Limits::default() };
        Ok(Options {
            limits,
            listen: self.listen,
            external: self.external,
            metrics: self.metrics,
            certificate: certificate.map(|(certificate, key)| CertificateFiles { certificate, key }),
            ..Options::new(data(self.data)?)
        })
    }
}

fn announce(relay: &Relay, output: Output) -> Result<(), Stop> {
    let listening = relay.listening();
    if output.json() {
        output.object(&json!({ "listening": listening, "peer_id": relay.peer_id() }))
    } else {
        output.prose(&listening.join("\n"))
    }
}

fn token(action: TokenAction, tokens: &Tokens, output: Output) -> Ended {
    let failed = |error: RelayError| Stop::from(failure(Code::Failed, "token", &error));
    match action {
        TokenAction::New { label } => {
            let (shown, token) = tokens.create(label).map_err(failed)?;
            output.remark("It is shown this once. Put it behind the relay's address: ADDRESS#TOKEN");
            output.answer(&json!({ "token": shown, "id": token.id() }), |_| shown.clone())
        }
        TokenAction::List => {
            let tokens = tokens.list().map_err(failed)?;
            let as_json: Vec<_> = tokens.iter().map(one).collect();
            output.answer(&json!({ "tokens": as_json }), |_| listed(&tokens))
        }
        TokenAction::Revoke { id } => {
            let token = tokens.revoke(&id).map_err(failed)?;
            output.answer(&one(&token), |_| format!("The token {} counts no longer.", token.id()))
        }
    }
}

fn one(token: &Token) -> Value {
    json!({ "id": token.id(), "label": token.label, "created": token.created })
}

fn listed(tokens: &[Token]) -> String {
    if tokens.is_empty() {
        return "There are no tokens; `pairwave relay-node token new` makes one.".into();
    }
    let row = |token: &Token| {
        let label = token.label.as_deref().unwrap_or_default();
        vec![token.id().to_owned(), day(token.created), plain::line(label)]
    };
    page::table(&tokens.iter().map(row).collect::<Vec<_>>())
}

fn day(seconds: u64) -> String {
    let created = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    created.map_or_else(String::new, |created| created.strftime("%Y-%m-%d").to_string())
}

fn data(named: Option<PathBuf>) -> Result<PathBuf, Stop> {
    if let Some(path) = named {
        return Ok(path);
    }
    let strategy = etcetera::base_strategy::choose_native_strategy().map_err(|error| {
        let message = format!("There is no folder to keep the relay's identity in: {error}.");
        Stop::failed(Code::Failed, "no_data", message, "Name one with `--data DIR`.")
    })?;
    Ok(strategy.data_dir().join("pairwave-relay"))
}
