//! The half of a stream that frames leave by.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::{AsyncWrite, AsyncWriteExt};
use pairwave_core::input::LinkId;
use pairwave_wire::frame;
use tokio::sync::{mpsc, oneshot};

use crate::net::NetEvent;
use crate::net::outlet::Outlet;

/// Frames that are written at a time, if they are there: one flush for all of them.
const BATCH: usize = 64;
/// Bytes of buffer that a quiet stream keeps.
const KEPT: usize = 32 * 1024;

/// Writes frames in the order they were asked for.
pub struct Writing {
    pub link: LinkId,
    pub frames: mpsc::UnboundedReceiver<Vec<u8>>,
    /// Bytes in `frames`.
    pub backlog: Arc<AtomicUsize>,
    pub outlet: Outlet,
    /// Fires before the first frame leaves, so that whoever gets it finds us reading.
    pub answered: Option<oneshot::Sender<()>>,
}

impl Writing {
    /// Writes until nobody can ask for more, then ends our half of the stream.
    pub async fn run(mut self, sink: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        let mut batch = Vec::with_capacity(BATCH);
        let mut bytes = Vec::new();
        while self.frames.recv_many(&mut batch, BATCH).await > 0 {
            if let Some(answered) = self.answered.take() {
                let _ = answered.send(());
            }
            let count = batch.len();
            self.encode(&mut batch, &mut bytes)?;
            sink.write_all(&bytes).await?;
            sink.flush().await?;
            bytes.clear();
            bytes.shrink_to(KEPT);
            for _ in 0..count {
                // A network that stops still writes what it was asked to before.
                let _ = self.outlet.emit(NetEvent::Sent { link: self.link }).await;
            }
        }
        sink.close().await
    }

    fn encode(&self, batch: &mut Vec<Vec<u8>>, bytes: &mut Vec<u8>) -> io::Result<()> {
        for payload in batch.drain(..) {
            self.backlog.fetch_sub(payload.len(), Ordering::Relaxed);
            let frame = frame::encode(&payload).map_err(io::Error::other)?;
            bytes.extend_from_slice(&frame);
        }
        Ok(())
    }
}
