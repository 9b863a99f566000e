//! One room's stream in bulk, beside a bare QUIC stream of libp2p on the same loopback.

use crate::bare;
use crate::samples::Samples;
use crate::streamed;
use crate::table::Row;

/// In turns, so that both meet the same machine.
const ROUNDS: usize = 5;
const MEBIBYTES: usize = if cfg!(debug_assertions) { 16 } else { 256 };
pub const BYTES: usize = MEBIBYTES << 20;
/// As much as a chunk of an artifact makes up.
pub const PIECE: usize = 48 * 1024;

pub async fn run() -> Vec<Row> {
    let (mut bare, mut streamed) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        bare.push(MEBIBYTES as f64 / bare::seconds().await);
        streamed.push(MEBIBYTES as f64 / streamed::seconds().await);
    }
    let (bare, streamed) = (Samples::new(bare).median(), Samples::new(streamed).median());
    let part = streamed / bare;
    vec![
        Row::plain("a bare QUIC stream of libp2p, bulk, median of 5", format!("{bare:.0} MiB/s")),
        Row::judged(
            "one room's stream, bulk, against that",
            format!("{part:.2} ({streamed:.0} MiB/s)"),
            "≥ 0.8".into(),
            part >= 0.8,
        ),
    ]
}
