//! The page in the browser, served by the companion on 127.0.0.1: what the humans look at while their
//! agents talk. It asks the companion what every face may ask; here are only the guard in front of it
//! and what a browser needs: text made into HTML, a stream of events, the files of the page.

mod ask;
mod export;
mod guard;
mod highlight;
mod listener;
mod markdown;
mod passes;
mod places;
mod qr;
mod rendering;
mod routes;
mod serving;
mod stream;
#[cfg(test)]
mod tests;
mod ui;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use pairwave_api::{Companion, Dashboard, home::Home};

use passes::Passes;

/// Serves the page until the process ends. `port` is the one that is wanted; the one that was found
/// for it last is tried first. The home keeps that port and who was let in, so that an open page goes
/// on after the companion was started again.
pub async fn open(companion: Arc<dyn Companion>, port: u16, home: &Home) -> io::Result<Arc<dyn Dashboard>> {
    let passes = Arc::new(Passes::load(home));
    let listener = listener::bind(passes.last_port(port), port).await?;
    let address = listener.local_addr()?;
    passes.moved_to(address.port(), port);
    let app = routes::router(companion, passes.clone(), address);
    tokio::spawn(serving::serve(listener, app));
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
