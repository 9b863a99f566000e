//! Where requests are answered, whoever brings them.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use libp2p::PeerId;
use pairwave_wire::lookup::{LookupAnswer, LookupRequest};
use pairwave_wire::mailbox::{MailboxAnswer, MailboxRequest, RelayRefusal};
use tokio::sync::Semaphore;

use crate::figures::Figures;
use crate::lookup::Lookup;
use crate::rates::Rates;
use crate::spool::Spool;
use crate::standing::Standing;

/// Bytes of requests that are read or answered at a time.
const IN_HAND: usize = 64 << 20;

/// What a stream is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    Mailbox,
    Lookup,
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub struct Guest {
    pub peer: PeerId,
    pub ip: Option<IpAddr>,
}

/// Everything that answering needs.
pub struct Desk {
    pub spool: Spool,
    pub standing: Arc<Standing>,
    pub figures: Arc<Figures>,
    pub in_hand: Semaphore,
    lookup: Mutex<Lookup>,
    rates: Mutex<Rates>,
    stopping: AtomicBool,
}

/// An encoded answer.
pub struct Reply {
    pub bytes: Vec<u8>,
    /// Whether more may be asked on this stream.
    pub goes_on: bool,
}

impl Desk {
    pub fn new(spool: Spool, standing: Arc<Standing>, figures: Arc<Figures>) -> Self {
        Self {
            spool,
            standing,
            figures,
            in_hand: Semaphore::new(IN_HAND),
            lookup: Mutex::default(),
            rates: Mutex::default(),
            stopping: AtomicBool::new(false),
        }
    }

    /// Everything is refused from now on.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    pub fn records(&self) -> usize {
        self.lookup.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    pub async fn answer(&self, service: Service, guest: Guest, request: &[u8]) -> Reply {
        let answered = match service {
            Service::Mailbox => self.mailbox(guest, request).await,
            Service::Lookup => self.find_or_publish(guest, request),
        };
        answered.unwrap_or_else(|refusal| self.refuse(service, refusal))
    }

    pub fn refuse(&self, service: Service, refusal: RelayRefusal) -> Reply {
        self.figures.refused(refusal);
        let bytes = match service {
            Service::Mailbox => MailboxAnswer::Refused(refusal).encode(),
            Service::Lookup => LookupAnswer::Refused(refusal).encode(),
        };
        Reply { bytes, goes_on: refusal != RelayRefusal::Malformed }
    }

    async fn mailbox(&self, guest: Guest, request: &[u8]) -> Result<Reply, RelayRefusal> {
        let request = MailboxRequest::decode(request).map_err(|_| RelayRefusal::Malformed)?;
        let bytes = if let MailboxRequest::Deposit { letter, .. } = &request { letter.len() } else { 0 };
        self.admit(guest, bytes)?;
        let answer = match request {
            MailboxRequest::Present { token } => {
                if !self.standing.present(guest.peer, &token, Instant::now()) {
                    return Err(RelayRefusal::UnknownToken);
                }
                MailboxAnswer::Welcome
            }
            MailboxRequest::Deposit { at, letter } => {
                if !self.holds(guest) && !self.spool.has_room_for_stranger(bytes) {
                    return Err(RelayRefusal::RelayFull);
                }
                self.spool.deposit(at, letter.into_vec()).await?;
                self.figures.stored();
                MailboxAnswer::Stored
            }
            MailboxRequest::Collect { at, besides } => {
                let (letters, more) = self.spool.collect(at, besides).await?;
                self.figures.collected(letters.len());
                MailboxAnswer::Letters { letters, more }
            }
            MailboxRequest::Discard { letters } => {
                self.figures.discarded(self.spool.discard(letters).await?);
                MailboxAnswer::Discarded
            }
        };
        Ok(Reply { bytes: answer.encode(), goes_on: true })
    }

    fn find_or_publish(&self, guest: Guest, request: &[u8]) -> Result<Reply, RelayRefusal> {
        let request = LookupRequest::decode(request).map_err(|_| RelayRefusal::Malformed)?;
        self.admit(guest, 0)?;
        let now = Instant::now();
        let mut lookup = self.lookup.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = match request {
            LookupRequest::Publish { at, record } => {
                lookup.publish(at, guest.peer, record.into_vec(), now)?;
                LookupAnswer::Published
            }
            LookupRequest::Find { at } => {
                let found = lookup.find(&at, now);
                LookupAnswer::Found(found.into_iter().map(|(at, sealed)| (at, sealed.into())).collect())
            }
        };
        Ok(Reply { bytes: answer.encode(), goes_on: true })
    }

    fn admit(&self, guest: Guest, bytes: usize) -> Result<(), RelayRefusal> {
        if self.is_stopping() {
            return Err(RelayRefusal::Stopping);
        }
        let holds = self.holds(guest);
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        let is_there = rates.take(guest.peer, guest.ip, holds, bytes, Instant::now());
        if is_there { Ok(()) } else { Err(RelayRefusal::TooMuch) }
    }

    fn holds(&self, guest: Guest) -> bool {
        self.standing.is_holder(&guest.peer, Instant::now())
    }
}
