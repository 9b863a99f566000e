//! The one writer of `docs/PERFORMANCE.md`.

use crate::table::Table;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/PERFORMANCE.md");

const ABOUT: &str = "\
Written by `cargo bench --bench figures -- --write` and by nobody else: the release build, default settings, two
companions on one machine (over its loopback, or in network namespaces where they have to find each other), clients and
companions sharing its cores. `tests/bench` says how each figure is taken. p95 is what one in twenty exceeds.";

pub fn write(table: &Table) {
    let text = format!("# Performance\n\n{ABOUT}\n\nMeasured on {}.\n\n{}\n", table.machine(), table.markdown());
    std::fs::write(PATH, text).expect("docs/PERFORMANCE.md can be written");
}
