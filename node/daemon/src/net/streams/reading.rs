//! The half of a stream that frames come in by.

use futures::{AsyncRead, AsyncReadExt};
use pairwave_core::input::{LinkId, Protocol};
use pairwave_wire::frame::{Decoder, FrameTooLong};
use pairwave_wire::{TransportId, limits};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::pump::Report;
use crate::net::outlet::{Outlet, Stopped};
use crate::net::paths::Heard;
use crate::net::{NetEvent, Patience};

/// Bytes that are read at a time.
const PIECE: usize = 16 * 1024;

/// Why nothing more is read.
#[derive(Debug, thiserror::Error)]
pub enum EndOfReading {
    #[error("the other side ended it")]
    Finished,
    #[error("it broke: {0}")]
    Broken(#[from] std::io::Error),
    #[error(transparent)]
    TooLong(#[from] FrameTooLong),
    #[error("its first frame did not come in time")]
    Mute,
    #[error("its first frame was not worth an answer")]
    Unanswered,
    #[error("the network stops")]
    Stopped,
}

/// Reads frames and hands them on, one at a time: while nobody takes one, nothing is read.
pub struct Reading {
    link: LinkId,
    accepted: Option<(TransportId, Protocol)>,
    heard: Heard,
    answer: Option<oneshot::Receiver<()>>,
    outlet: Outlet,
    reports: mpsc::UnboundedSender<Report>,
    patience: Patience,
    decoder: Decoder,
    piece: Vec<u8>,
    told: bool,
    small: bool,
}

impl Reading {
    pub fn new(
        link: LinkId,
        accepted: Option<(TransportId, Protocol)>,
        heard: Heard,
        answer: oneshot::Receiver<()>,
        outlet: Outlet,
        reports: mpsc::UnboundedSender<Report>,
        patience: Patience,
    ) -> Self {
        let decoder = Decoder::new(limits::FIRST_FRAME);
        let (answer, piece) = (Some(answer), vec![0; PIECE]);
        Self { link, accepted, heard, answer, outlet, reports, patience, decoder, piece, told: false, small: false }
    }

    /// Says whether the stream runs over a circuit with small limits.
    pub fn is_small(&mut self, small: bool) {
        self.small = small;
    }

    pub fn link(&self) -> LinkId {
        self.link
    }

    /// Whether the link was told of at all: a stream that never brought a frame is nobody's concern.
    pub fn is_told(&self) -> bool {
        self.told
    }

    /// Reads until the stream ends.
    pub async fn run(&mut self, source: &mut (impl AsyncRead + Unpin)) -> EndOfReading {
        match self.read_all(source).await {
            Err(end) => end,
            Ok(never) => match never {},
        }
    }

    async fn read_all(
        &mut self,
        source: &mut (impl AsyncRead + Unpin),
    ) -> Result<std::convert::Infallible, EndOfReading> {
        match self.accepted.take() {
            Some((peer, protocol)) => self.receive_stranger(source, peer, protocol).await?,
            None => self.receive_answer(source).await?,
        }
        self.decoder.allow(limits::FRAME);
        loop {
            let bytes = self.frame(source).await?;
            self.emit(NetEvent::Frame { link: self.link, bytes }).await?;
        }
    }

    /// The link is not told of before its first frame, and nothing more is read before our answer.
    async fn receive_stranger(
        &mut self,
        source: &mut (impl AsyncRead + Unpin),
        peer: TransportId,
        protocol: Protocol,
    ) -> Result<(), EndOfReading> {
        let link = self.link;
        let patience = self.patience;
        let first = timeout(patience.first_frame, self.frame(source)).await;
        let bytes = first.map_err(|_| EndOfReading::Mute)??;
        self.emit(NetEvent::Accepted { link, peer, protocol }).await?;
        self.told = true;
        self.tell_small().await?;
        self.emit(NetEvent::Frame { link, bytes }).await?;
        if let Some(answer) = self.answer.take() {
            let answered = timeout(patience.answer, answer).await;
            answered.ok().and_then(Result::ok).ok_or(EndOfReading::Unanswered)?;
        }
        let _ = self.reports.send(Report::Proved(link));
        Ok(())
    }

    async fn receive_answer(&mut self, source: &mut (impl AsyncRead + Unpin)) -> Result<(), EndOfReading> {
        let link = self.link;
        self.told = true;
        self.emit(NetEvent::Opened { link }).await?;
        self.tell_small().await?;
        let bytes = self.frame(source).await?;
        self.emit(NetEvent::Frame { link, bytes }).await
    }

    async fn tell_small(&mut self) -> Result<(), EndOfReading> {
        if self.small { self.emit(NetEvent::Small { link: self.link }).await } else { Ok(()) }
    }

    async fn frame(&mut self, source: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>, EndOfReading> {
        loop {
            if let Some(frame) = self.decoder.next_frame()? {
                return Ok(frame);
            }
            match source.read(&mut self.piece).await? {
                0 => return Err(EndOfReading::Finished),
                read => self.decoder.push(&self.piece[..read]),
            }
            self.heard.touch();
        }
    }

    async fn emit(&mut self, event: NetEvent) -> Result<(), EndOfReading> {
        self.outlet.emit(event).await.map_err(|Stopped| EndOfReading::Stopped)
    }
}
