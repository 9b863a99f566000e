//! How large the binary is that somebody downloads.

use std::process::Command;

use crate::person::{BINARY, stage};
use crate::table::Row;

const WHAT: &str = "binary, stripped";

pub async fn run() -> Vec<Row> {
    let stage = stage();
    let copy = stage.path().join("pairwave");
    let stripped = Command::new("strip").arg("-o").arg(&copy).arg(BINARY).status();
    if !stripped.is_ok_and(|status| status.success()) {
        return vec![Row::not_run(WHAT, "there is no `strip` here")];
    }
    let size = std::fs::metadata(&copy).expect("a copy").len() as f64 / f64::from(1 << 20);
    vec![Row::judged(WHAT, format!("{size:.1} MB"), "≤ 25 MB".into(), size <= 25.0)]
}
