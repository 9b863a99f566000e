//! The one writer of `docs/PERFORMANCE.md`.

use crate::table::Table;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/PERFORMANCE.md");

const ABOUT: &str = "\
Written by `cargo bench --bench figures -- --write` and by nobody else: the release build, default settings, two
companions on one machine (over its loopback, or in network namespaces where they have to find each other), clients and
companions sharing its cores. `tests/bench` says how each figure is taken. p95 is what one in twenty exceeds.";

const BOUNDS: &str = "\
## What bounds what is not reached

- **A call handed over.** The disk is a small part of it: two syncs. Half of the time has passed when A's own call is
  answered; between the two agents lie eight hops among four processes and their threads, which share the cores with
  both clients.
- **The binary.** A release is built without link-time optimisation, so that it builds in minutes, and QUIC brings a second
  cryptographic library beside the one of TCP. `cargo build --profile dist` builds what is shipped, and takes its time.";

pub fn write(table: &Table) {
    let (machine, rows) = (table.machine(), table.markdown());
    let text = format!("# Performance\n\n{ABOUT}\n\nMeasured on {machine}.\n\n{rows}\n\n{BOUNDS}\n");
    std::fs::write(PATH, text).expect("docs/PERFORMANCE.md can be written");
}
