//! How fast texts are searched for secrets: `cargo bench -p pairwave-guard --bench scan`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use pairwave_guard::secrets::scan;

const MIB: usize = 1024 * 1024;
const ROUNDS: usize = 20;

fn main() {
    let source: String = [include_str!("../src/secrets.rs"), include_str!("../src/secrets/assigned.rs")].concat();
    for (name, piece) in [
        ("source code", source.as_str()),
        ("JSON in JSON", r#"{\"id\": \"a\\u0062c\", \"text\": \"two\\nlines\", \"token\": \"none\"}, "#),
        ("base64", "TG9yZW0gaXBzdW0gZG9sb3Igc2l0IGFtZXQsIGNvbnNlY3RldHVyIGFkaXBpc2Np\n"),
        ("assignments", "password = secret; token: String, api_key = key;\n"),
        ("prefixes", "sk-ant-api03-glpat-xoxb-eyJ"),
    ] {
        let text = piece.repeat(MIB / piece.len() + 1);
        let best = (0..ROUNDS).map(|_| time(&text[..MIB])).min().unwrap_or_default();
        println!("{name:14} 1 MiB in {:6.2} ms, {:5.0} MiB/s", best.as_secs_f64() * 1e3, 1.0 / best.as_secs_f64());
    }
}

fn time(text: &str) -> Duration {
    let start = Instant::now();
    black_box(scan(black_box(text)));
    start.elapsed()
}
