//! What can be wrong with a companion, its disk or its driver. The core knows nothing of it: the
//! tests show that the simulation would notice.

use pairwave_core::effect::Effect;
use pairwave_core::event::Body;
use pairwave_core::id::{MemberId, RoomId};
use pairwave_core::log::{Log, MemoryLog, Record};

/// The message of somebody else that [`Fault::LosesAMessage`] swallows.
pub const PRECIOUS: &str = "the one that matters";
/// The own message whose append [`Fault::ForgetsAnAppend`] forgets.
pub const ACKNOWLEDGED: &str = "acknowledged";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// `Durable` is said, and replies leave, half a second before anything is written.
    SaysDurableTooEarly,
    /// Frames and replies do not wait for the writes before them.
    SpeaksBeforeWriting,
    /// `Durable` is said half a second too early of what others said.
    ClaimsDelivery,
    /// Depth is not written, so that the log's order is that of ids.
    OrdersById,
    /// Every event arrives twice in the log.
    DoublesEvents,
    /// One message never reaches the platter.
    LosesAMessage,
    /// An append of one's own never does.
    ForgetsAnAppend,
    /// Removals never do.
    SwallowsRemovals,
    /// With the next epoch, all keys are lost.
    LosesKeys,
    /// Every epoch has the first one's key.
    KeepsTheFirstKey,
    /// Of two events of one author and seq only the first is written.
    HidesForks,
    /// What was shown is written once and never again.
    KeepsTheFirstReading,
    /// The saved state has another room's title.
    TellsAnotherStory,
    /// The saved state is the first one, with the date of the newest.
    KeepsTheFirstState,
    /// Of two who take one name at once, the other one gets it.
    BreaksTiesTheOtherWay,
    /// Who was removed stays a member.
    IgnoresRemovals,
    /// A removal starts no epoch.
    StartsNoEpoch,
    /// Who said two things in one place is none the worse for it.
    ForgivesForks,
    /// The marker outside the store is gone.
    ForgetsTheMarker,
    /// Frames go to a stream of somebody else.
    Misdelivers,
}

impl Fault {
    pub const ALL: [Self; 20] = [
        Self::SaysDurableTooEarly,
        Self::SpeaksBeforeWriting,
        Self::ClaimsDelivery,
        Self::OrdersById,
        Self::DoublesEvents,
        Self::LosesAMessage,
        Self::ForgetsAnAppend,
        Self::SwallowsRemovals,
        Self::LosesKeys,
        Self::KeepsTheFirstKey,
        Self::HidesForks,
        Self::KeepsTheFirstReading,
        Self::TellsAnotherStory,
        Self::KeepsTheFirstState,
        Self::BreaksTiesTheOtherWay,
        Self::IgnoresRemovals,
        Self::StartsNoEpoch,
        Self::ForgivesForks,
        Self::ForgetsTheMarker,
        Self::Misdelivers,
    ];

    /// Does this record not reach the log?
    pub fn swallows(self, log: &MemoryLog, room: RoomId, record: &Record) -> bool {
        let body = || record.event().map(|event| event.body);
        let says = |text| matches!(body(), Some(Body::Message(message)) if message.text == text);
        match self {
            Self::LosesAMessage => says(PRECIOUS),
            Self::ForgetsAnAppend => says(ACKNOWLEDGED),
            Self::SwallowsRemovals => matches!(body(), Some(Body::Removed(_))),
            Self::HidesForks => {
                let same = log.chain(&room, &record.author, record.seq, 1).expect("a log in memory");
                same.first().is_some_and(|(seq, id)| *seq == record.seq && *id != record.position.id)
            }
            _ => false,
        }
    }

    /// Is something said or sent half a second before it is written?
    pub fn is_hasty(self) -> bool {
        matches!(self, Self::SaysDurableTooEarly | Self::SpeaksBeforeWriting | Self::ClaimsDelivery)
    }

    /// Does this effect not wait for the writes before it?
    pub fn overtakes(self, effect: &Effect) -> bool {
        self.is_hasty() && (self != Self::ClaimsDelivery || matches!(effect, Effect::Send { .. }))
    }

    /// Is this called durable before it is written?
    pub fn lies_about(self, effect: &Effect, me: MemberId) -> bool {
        let Effect::Append { records, .. } = effect else { return false };
        match self {
            Self::SaysDurableTooEarly => true,
            Self::ClaimsDelivery => records.iter().all(|record| record.author != me),
            _ => false,
        }
    }
}
