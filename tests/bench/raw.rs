//! What the machine can do at best: a TCP round trip, and an append with its sync on the disk that
//! the companions write to.

use std::io::Write;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::FOLDER;
use crate::samples::Samples;
use crate::table::Row;

const ROUNDS: usize = 2_000;
/// Bytes of a short message, signed and sealed.
const BYTES: usize = 500;

/// Milliseconds, as median and p95.
#[derive(Clone, Copy)]
pub struct Raw {
    pub sync: (f64, f64),
    pub round_trip: (f64, f64),
}

impl Raw {
    pub fn rows(&self) -> Vec<Row> {
        let micros = |(median, p95): (f64, f64)| format!("{:.0} / {:.0} µs", median * 1e3, p95 * 1e3);
        vec![
            Row::plain("TCP ping-pong over loopback, 500 bytes, median / p95", micros(self.round_trip)),
            Row::plain("append of 500 bytes and fsync, median / p95", micros(self.sync)),
        ]
    }
}

pub async fn measure() -> Raw {
    let both = |samples: Samples| (samples.median(), samples.p95());
    let synced = tokio::task::spawn_blocking(appends).await.expect("the disk takes it");
    Raw { sync: both(synced), round_trip: both(round_trips().await) }
}

fn appends() -> Samples {
    let mut file = tempfile::tempfile_in(FOLDER).expect("a temporary file");
    let append = |_| {
        let began = Instant::now();
        file.write_all(&[7; BYTES]).and_then(|()| file.sync_all()).expect("the disk takes it");
        began.elapsed()
    };
    Samples::of_millis(&(0..ROUNDS / 2).map(append).collect::<Vec<Duration>>())
}

async fn round_trips() -> Samples {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let echo = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        let mut bytes = [0; BYTES];
        while stream.read_exact(&mut bytes).await.is_ok() {
            stream.write_all(&bytes).await.expect("it is taken");
        }
    });
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.set_nodelay(true).expect("a socket");
    let mut bytes = [7; BYTES];
    let mut taken = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let began = Instant::now();
        stream.write_all(&bytes).await.expect("it is taken");
        stream.read_exact(&mut bytes).await.expect("it comes back");
        taken.push(began.elapsed());
    }
    drop(stream);
    echo.await.expect("the echo ends");
    Samples::of_millis(&taken)
}
