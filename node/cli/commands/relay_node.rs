use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use etcetera::BaseStrategy;
use pairwave_api::Code;
use relay_node::process::{self, Stopped};
use relay_node::{CertificateFiles, Options, Relay};
use serde_json::json;

use crate::caller::Caller;
use crate::output::{Ended, Output, Stop, failure};

/// Run a relay for companions that cannot reach each other
///
/// It passes on what it cannot read: circuits, letters for companions that are away, and where
/// companions are. It runs here until Ctrl-C or SIGTERM; it needs no room and no companion.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pairwave relay-node
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
    #[arg(long, value_name = "DIR")]
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
}

pub async fn run(args: Args, caller: &Caller) -> Ended {
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
        Ok(Options {
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
