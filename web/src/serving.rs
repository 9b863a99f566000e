//! Connections: any program of this machine may open some, in a process that has better uses for its
//! files. So there are only so many, and one that asks nothing is closed.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// Connections at a time; whoever comes then waits.
const CONNECTIONS: usize = 64;

/// How long a connection may take to say what it wants.
const HEAD: Duration = Duration::from_secs(10);

/// Pause when the system has no connection to give.
const EXHAUSTED: Duration = Duration::from_secs(1);

/// Serves for ever.
pub async fn serve(listener: TcpListener, app: Router) {
    let free = Arc::new(Semaphore::new(CONNECTIONS));
    while let Ok(place) = free.clone().acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => {
                let answering = answer(stream, app.clone());
                tokio::spawn(async move {
                    answering.await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection to the page could not be taken");
                tokio::time::sleep(EXHAUSTED).await;
            }
        }
    }
}

async fn answer(stream: TcpStream, app: Router) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD);
    // A browser that hangs up needs nothing more.
    let _ = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(app)).await;
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::timeout;

    use super::*;

    async fn page() -> std::net::SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, Router::new()));
        address
    }

    /// The clock runs ahead as soon as everybody waits for it.
    #[tokio::test(start_paused = true)]
    async fn a_connection_that_asks_nothing_is_closed() {
        let address = page().await;
        for half in ["", "GET / HTTP/1.1\r\nhost: "] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(half.as_bytes()).await.unwrap();
            let mut said = Vec::new();
            let _ = stream.read_to_end(&mut said).await;
            assert!(!said.starts_with(b"HTTP/1.1 2"), "{said:?}");
        }
    }

    #[tokio::test]
    async fn only_so_many_are_served_at_a_time() {
        let address = page().await;
        let mut busy = Vec::new();
        for _ in 0..CONNECTIONS {
            busy.push(asked(address).await);
        }
        for stream in &mut busy {
            assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 8);
        }
        let mut waits = asked(address).await;
        // A clock that stands runs ahead only when nothing else is left to do.
        tokio::time::pause();
        let mut said = [0; 8];
        assert!(timeout(HEAD / 2, waits.read_exact(&mut said)).await.is_err());
        busy.pop();
        waits.read_exact(&mut said).await.unwrap();
    }

    async fn asked(address: std::net::SocketAddr) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        stream
    }
}
