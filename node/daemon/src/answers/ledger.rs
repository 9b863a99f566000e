//! Where a room stands.

use pairwave_api::{Failure, LedgerView, ShowLedger};

use super::Answers;
use crate::caller::Caller;
use crate::refusals::unreadable;
use crate::view::Most;

/// What a face is shown of each sort.
const MOST: Most = Most { lines: 12, last: 1 };

impl Answers {
    pub(super) async fn ledger(&self, by: &Caller, ask: &ShowLedger) -> Result<LedgerView, Failure> {
        let speaker = by.speaker;
        let ledger = self
            .look_in(by, &ask.room, move |viewer| viewer.ledger(&speaker, MOST).map_err(|error| unreadable(&error)));
        Ok(ledger.await?.1)
    }
}
