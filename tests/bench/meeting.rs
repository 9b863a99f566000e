//! Two companions on one network of their own that find each other by mDNS.

use std::process::Stdio;
use std::time::Instant;

use patchbay::{Lab, RouterPreset};
use serde_json::Value;
use tokio::process::Command;

use crate::person::{Person, linked, meet, stage};
use crate::samples::Samples;
use crate::table::Row;

/// Set in a process of ours that does this measure alone, in a user namespace.
pub const IN_A_NAMESPACE: &str = "PAIRWAVE_FIGURES_IN_A_NAMESPACE";

const WHAT: &str = "both `up` → linked by mDNS, median of 10 / slowest";
const TIMES: u16 = 10;
/// Each round listens elsewhere, so that nobody is met where it was the last time.
const FIRST_PORT: u16 = 4600;

pub async fn run() -> Vec<Row> {
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new(program);
    command.env(IN_A_NAMESPACE, "1").stdin(Stdio::null()).stderr(Stdio::inherit()).kill_on_drop(true);
    let output = command.output().await.expect("it ends");
    let text = String::from_utf8_lossy(&output.stdout);
    let row = text.lines().find_map(|line| Row::from_json(&serde_json::from_str::<Value>(line).ok()?));
    vec![row.unwrap_or_else(|| Row::not_run(WHAT, "network namespaces are not to be had, see tests/README.md"))]
}

/// In the process that has a namespace: prints its row.
pub async fn measure() {
    let stage = stage();
    let lab = Lab::new().await.expect("network namespaces");
    let wifi = lab.add_router("wifi").preset(RouterPreset::Home).build().await.expect("a bridge");
    let mut people = Vec::new();
    for name in ["alice", "bob"] {
        let machine = lab.add_device(name).iface("eth0", wifi.id()).build().await.expect("a machine");
        people.push(Person::on(stage.path(), name, Some(machine)));
    }
    let [alice, bob] = &mut people[..] else { unreachable!("there are two") };
    alice.up().await;
    bob.up().await;
    meet(alice, bob, Vec::new()).await;
    let mut taken = Vec::new();
    for round in 0..TIMES {
        for (person, port) in [(&mut *alice, FIRST_PORT + 2 * round), (&mut *bob, FIRST_PORT + 2 * round + 1)] {
            person.down().await;
            let listen = format!("/ip4/0.0.0.0/udp/{port}/quic-v1,/ip4/0.0.0.0/tcp/{port}");
            person.set("network.listen", &listen).await;
        }
        let began = Instant::now();
        tokio::join!(alice.up(), bob.up());
        linked(alice, bob).await;
        taken.push(began.elapsed());
    }
    let taken = Samples::of_millis(&taken);
    let (median, slowest) = (taken.median() / 1e3, taken.largest() / 1e3);
    let figure = format!("{median:.2} / {slowest:.2} s");
    println!("{}", Row::judged(WHAT, figure, "≤ 1.5 s".into(), median <= 1.5).to_json());
}
