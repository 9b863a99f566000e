//! The page in the browser, served by the companion on 127.0.0.1: what the humans look at while their
//! agents talk. It asks the companion what every face may ask; here are only the guard in front of it
//! and what a browser needs: text made into HTML, a stream of events, the files of the page.

mod ask;
mod guard;
mod highlight;
mod listener;
mod markdown;
mod passes;
mod qr;
mod rendering;
mod routes;
mod stream;
#[cfg(test)]
mod tests;
mod ui;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use pairwave_api::{Companion, Dashboard};

use passes::Passes;

/// Serves the page until the process ends. `port` is tried first after the one that was used last;
/// `memory` is the file that keeps that port and who was let in, so that an open page goes on after
/// the companion was started again.
pub async fn open(companion: Arc<dyn Companion>, port: u16, memory: PathBuf) -> io::Result<Arc<dyn Dashboard>> {
    let passes = Arc::new(Passes::load(memory));
    let listener = listener::bind(passes.last_port(), port).await?;
    let address = listener.local_addr()?;
    passes.moved_to(address.port());
    let app = routes::router(companion, passes.clone(), address);
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, app).await {
            tracing::error!(%error, "the page is not served any more");
        }
    });
    Ok(Arc::new(Page { address, passes }))
}

/// The page, as the companion sees it.
struct Page {
    address: SocketAddr,
    passes: Arc<Passes>,
}

impl Dashboard for Page {
    fn address(&self) -> String {
        format!("http://{}/", self.address)
    }

    fn link(&self) -> String {
        format!("http://{}/#code={}", self.address, self.passes.code())
    }
}
