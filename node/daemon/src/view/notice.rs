//! What happens in the rooms, as faces hear it.

use pairwave_api::Notice as Told;
use pairwave_core::log::Log;
use pairwave_core::node::Node;
use pairwave_core::notice::{Notice, VerificationStep};

use super::Viewer;

/// A notice of the core; `None` where there is nothing that a face could show.
pub fn notice<L: Log>(node: &Node<L>, notice: &Notice) -> Option<Told> {
    let warning = |room: &dyn ToString, text: String| Told::Warning { room: room.to_string(), text };
    let name = |room, member| {
        let viewer = node.room(room).map(|room| Viewer::new(node, room));
        viewer.map_or_else(|| "somebody".to_owned(), |viewer| viewer.name(member))
    };
    Some(match notice {
        Notice::Arrived { room, event, arrival } => {
            let entry = Viewer::new(node, node.room(room)?).entry(event).ok()??;
            Told::Event { room: room.to_string(), event: event.to_string(), arrival: *arrival, entry: Box::new(entry) }
        }
        Notice::Artifact { room, artifact } => {
            Told::Artifact { room: room.to_string(), artifact: artifact.to_string() }
        }
        Notice::Undone { room, event } => Told::Undone { room: room.to_string(), event: event.to_string() },
        Notice::Delivery { room, member } => Told::Delivery { room: room.to_string(), member: member.to_string() },
        Notice::Presence { room, member } => Told::Presence { room: room.to_string(), member: member.to_string() },
        Notice::Joined { room } => Told::Joined { room: room.to_string() },
        Notice::JoinRefused { room, reason } => {
            Told::JoinRefused { room: room.to_string(), reason: reason.to_string() }
        }
        Notice::Verification { room, member, step } => {
            Told::Verification { room: room.to_string(), member: member.to_string(), step: step_name(*step).to_owned() }
        }
        Notice::Equivocation { room, member } => {
            let name = name(room, member);
            warning(
                room,
                format!("{name} has said two different things in one place: somebody holds a copy of that key"),
            )
        }
        Notice::Intruder { room, claimed: Some(member) } => {
            warning(room, format!("Somebody claimed to be {} and could not prove it", name(room, member)))
        }
        Notice::Intruder { room, claimed: None } => {
            warning(room, "Somebody with a key of this room came who is no member".to_owned())
        }
        Notice::Out { room } => warning(room, "You are no longer a member of this room".to_owned()),
        Notice::Reopened { room } => Told::Reopened { room: room.to_string() },
        Notice::Reopening { room, why } => {
            warning(room, format!("The room is read again, for it could not be kept: {why}"))
        }
    })
}

fn step_name(step: VerificationStep) -> &'static str {
    match step {
        VerificationStep::Asked => "asked",
        VerificationStep::WordsReady => "words_ready",
        VerificationStep::Verified => "verified",
        VerificationStep::VerifiedByPeer => "verified_by_peer",
        VerificationStep::Failed => "failed",
    }
}
