//! What can be wrong with a disk or a driver. The core knows nothing of it: the tests show that the
//! simulation would notice.

use pairwave_core::event::Body;
use pairwave_core::id::RoomId;
use pairwave_core::log::{Log, MemoryLog, Record};

/// The message that [`Fault::LosesAMessage`] swallows.
pub const PRECIOUS: &str = "the one that matters";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// `Durable` is said, and replies leave, half a second before anything is written.
    SaysDurableTooEarly,
    /// Frames and replies do not wait for the writes before them.
    SpeaksBeforeWriting,
    /// Depth is not written, so that the log's order is that of ids.
    OrdersById,
    /// Every event arrives twice in the log.
    DoublesEvents,
    /// One message never reaches the platter.
    LosesAMessage,
    /// Removals never do.
    SwallowsRemovals,
    /// With the next epoch, all keys are lost.
    LosesKeys,
    /// Of two events of one author and seq only the first is written.
    HidesForks,
    /// What was shown is written once and never again.
    KeepsTheFirstReading,
    /// The saved state has another room's title.
    TellsAnotherStory,
    /// The marker outside the store is gone.
    ForgetsTheMarker,
    /// Frames go to a stream of somebody else.
    Misdelivers,
}

impl Fault {
    pub const ALL: [Self; 12] = [
        Self::SaysDurableTooEarly,
        Self::SpeaksBeforeWriting,
        Self::OrdersById,
        Self::DoublesEvents,
        Self::LosesAMessage,
        Self::SwallowsRemovals,
        Self::LosesKeys,
        Self::HidesForks,
        Self::KeepsTheFirstReading,
        Self::TellsAnotherStory,
        Self::ForgetsTheMarker,
        Self::Misdelivers,
    ];

    /// Does this record not reach the log?
    pub fn swallows(self, log: &MemoryLog, room: RoomId, record: &Record) -> bool {
        let body = || record.event().map(|event| event.body);
        match self {
            Self::LosesAMessage => matches!(body(), Some(Body::Message(message)) if message.text == PRECIOUS),
            Self::SwallowsRemovals => matches!(body(), Some(Body::Removed(_))),
            Self::HidesForks => {
                let same = log.chain(&room, &record.author, record.seq, 1).expect("a log in memory");
                same.first().is_some_and(|(seq, id)| *seq == record.seq && *id != record.position.id)
            }
            _ => false,
        }
    }
}
