//! How many companions one relay carries: real reservations of many clients, then circuits with traffic,
//! and what each costs in memory.
//!
//! ```text
//! cargo bench -p relay-node --bench scale -- [--clients 2000] [--circuits 200] [--over quic-v1|tcp]
//! ```
//!
//! The relay is a process of its own. Prints one line of JSON, and exits with 1 if a bound is broken.

#[allow(dead_code)]
#[path = "../tests/relay/client.rs"]
mod client;
#[path = "../tests/relay/streams.rs"]
mod streams;

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use client::{Client, peer_of, post};
use futures::stream::{self, StreamExt};
use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::swarm::StreamProtocol;
use pairwave_wire::mailbox::{MailboxAnswer, MailboxRequest};
use pairwave_wire::protocol;
use relay_node::tokens::Tokens;
use relay_node::{Limits, Options, Relay};
use serde_json::json;
use streams::TALK;
use tokio::time::timeout;

/// Clients that connect at the same time.
const TOGETHER: usize = 16;
/// What each circuit carries, in both directions.
const CARRIED: usize = 256 << 10;
const PIECE: usize = 16 * 1024;
const ATTEMPTS: usize = 10;
/// How long a circuit may take for it: all share two cores with everything else.
const CARRIES: Duration = Duration::from_secs(300);
/// What a reservation may cost in memory.
const MOST_KIB_PER_RESERVATION: u64 = 120;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("--relay") => be_a_relay(&arguments[1]).await,
        _ => measure(&arguments).await,
    }
}

/// Prints a token, then its addresses, and goes on until it is killed.
async fn be_a_relay(folder: &str) -> ExitCode {
    let listen = ["/ip4/127.0.0.1/udp/0/quic-v1", "/ip4/127.0.0.1/tcp/0"].map(str::to_owned).to_vec();
    let options = Options { listen, limits: Limits::default(), ..Options::new(folder.into()) };
    let (token, _) = Tokens::of(&options.data).create(None).expect("a token");
    let relay = Relay::spawn(options).await.expect("a relay");
    println!("{token} {}", relay.listening().join(" "));
    std::future::pending().await
}

async fn measure(arguments: &[String]) -> ExitCode {
    let number =
        |name: &str, default: usize| value(arguments, name).map_or(default, |text| text.parse().expect("a number"));
    let (clients, circuits) = (number("--clients", 2000), number("--circuits", 200));
    let over = value(arguments, "--over").unwrap_or("quic-v1").to_owned();
    let folder = tempfile::tempdir().expect("a folder");
    let mut relay = Process::start(folder.path().to_str().expect("a path"));
    let address = relay.addresses.iter().find(|address| address.contains(&over)).expect("it listens so").clone();

    let idle = relay.memory();
    let began = Instant::now();
    let reserved: Vec<Client> =
        stream::iter(0..clients).map(|_| reserve(&address)).buffer_unordered(TOGETHER).collect().await;
    let reserving = began.elapsed();
    let with_reservations = relay.memory();
    let cpu = relay.cpu();
    let watched = Instant::now();
    tokio::time::sleep(Duration::from_secs(10)).await;
    let idle_cpu = (relay.cpu() - cpu).as_secs_f64() / watched.elapsed().as_secs_f64();

    let (token, address) = (relay.token.as_str(), address.as_str());
    let mut called = reserved.into_iter().take(circuits.min(clients)).collect::<Vec<_>>();
    let callers: Vec<Client> =
        stream::iter(0..called.len()).map(|_| holder(address, token)).buffered(TOGETHER).collect().await;
    let calls = callers.iter().zip(&called).map(|(caller, called)| caller.call(address, called));
    let opened =
        stream::iter(calls).buffered(TOGETHER).filter(|called| std::future::ready(called.is_ok())).count().await;
    let with_circuits = relay.memory();
    let began = Instant::now();
    let carried = callers.iter().zip(&mut called).map(|(caller, called)| timeout(CARRIES, carry(caller, called)));
    let carried = futures::future::join_all(carried).await.into_iter().flatten().filter(Result::is_ok).count();
    let carrying = began.elapsed();
    let bytes = 2 * CARRIED * carried;
    let of_each = |more: u64, count: usize| if count == 0 { 0 } else { more / count as u64 };
    let per_reservation = of_each(with_reservations.saturating_sub(idle), clients);
    println!(
        "{}",
        json!({
            "over": over,
            "clients": clients,
            "circuits": called.len(),
            "circuits_opened": opened,
            "circuits_that_held": carried,
            "idle_kib": idle,
            "reservations_kib": with_reservations,
            "kib_per_reservation": per_reservation,
            "seconds_to_reserve": reserving.as_secs_f64(),
            "idle_cpu": idle_cpu,
            "circuits_kib": with_circuits,
            "kib_per_circuit_and_caller": of_each(with_circuits.saturating_sub(with_reservations), called.len()),
            "mib_per_second": bytes as f64 / f64::from(1 << 20) / carrying.as_secs_f64(),
            "most_kib": relay.memory(),
        })
    );
    judge(per_reservation, circuits, opened, carried)
}

/// Says on stderr which bound is broken.
fn judge(kib_per_reservation: u64, asked: usize, opened: usize, carried: usize) -> ExitCode {
    let cheap = kib_per_reservation <= MOST_KIB_PER_RESERVATION;
    if !cheap {
        eprintln!("a reservation costs {kib_per_reservation} KiB, at most {MOST_KIB_PER_RESERVATION} are allowed");
    }
    let held = opened >= asked && carried >= asked;
    if !held {
        eprintln!("of {asked} circuits {opened} opened and {carried} carried everything, all have to");
    }
    if cheap && held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// On a busy machine a handshake may take too long; companions try again, too.
async fn reserve(address: &str) -> Client {
    for _ in 0..ATTEMPTS {
        let client = Client::new();
        if client.reserve(address).await.is_ok() {
            return client;
        }
    }
    panic!("no reservation");
}

/// A client that has shown the token, and whose connection is a holder's.
async fn holder(address: &str, token: &str) -> Client {
    let relay = peer_of(address);
    for _ in 0..ATTEMPTS {
        let client = Client::new();
        if client.dial(address).await.is_ok()
            && let Some(mut mailbox) = client.open(relay, StreamProtocol::new(protocol::MAILBOX)).await
        {
            let shown = post(&mut mailbox, &MailboxRequest::Present { token: token.into() }).await;
            assert_eq!(shown, MailboxAnswer::Welcome);
            drop(mailbox);
            client.hang_up(relay).await;
            return client;
        }
    }
    panic!("no connection");
}

/// Sends there and back.
async fn carry(caller: &Client, called: &mut Client) -> io::Result<()> {
    let mut there = caller.open(called.peer, TALK).await.ok_or(io::ErrorKind::TimedOut)?;
    let piece = vec![7; PIECE];
    there.write_all(&piece).await?;
    there.flush().await?;
    let mut back = called.accept().await;
    let echo = async {
        let mut piece = vec![0; PIECE];
        for _ in 0..CARRIED / PIECE {
            back.read_exact(&mut piece).await?;
            back.write_all(&piece).await?;
            back.flush().await?;
        }
        Ok(())
    };
    let ask = async {
        let mut heard = vec![0; PIECE];
        for left in (0..CARRIED / PIECE).rev() {
            there.read_exact(&mut heard).await?;
            if left > 0 {
                there.write_all(&piece).await?;
                there.flush().await?;
            }
        }
        Ok(())
    };
    futures::try_join!(echo, ask).map(drop)
}

struct Process {
    process: Child,
    token: String,
    addresses: Vec<String>,
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Process {
    fn start(folder: &str) -> Self {
        let own = std::env::current_exe().expect("this program");
        let mut process =
            Command::new(own).args(["--relay", folder]).stdout(Stdio::piped()).spawn().expect("a process");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
        let mut words = line.split_whitespace().map(str::to_owned);
        Self { process, token: words.next().expect("a token"), addresses: words.collect() }
    }

    /// Resident memory in KiB.
    fn memory(&mut self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
        line.split_whitespace().next().and_then(|number| number.parse().ok()).expect("a number")
    }

    /// Time that it has spent computing.
    fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id())).expect("it runs");
        let fields: Vec<&str> = stat.rsplit(") ").next().expect("fields").split(' ').collect();
        let ticks: u64 = fields[11..13].iter().map(|field| field.parse::<u64>().expect("a number")).sum();
        Duration::from_millis(ticks * 10)
    }
}

fn value<'a>(arguments: &'a [String], name: &str) -> Option<&'a str> {
    let at = arguments.iter().position(|argument| argument == name)?;
    arguments.get(at + 1).map(String::as_str)
}
