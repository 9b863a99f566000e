//! One sentence on what happened in a room, for what is no message.

use pairwave_core::artifacts::Shared;
use pairwave_core::event::{Body, Event};
use pairwave_core::log::Log;
use pairwave_core::relays::without_token;
use pairwave_core::time::Timestamp;

use super::{Viewer, instant};

/// What kind of event it is, and what happened.
pub fn of<L: Log>(viewer: &Viewer<'_, L>, event: &Event, body: &Body) -> (String, String) {
    let by = viewer.name(&event.author);
    let (kind, text) = match body {
        Body::Genesis(_) => ("genesis", format!("{by} opened the room “{}”", viewer.title())),
        Body::Invited(invited) => {
            let people = if invited.uses == 1 { "one person".to_owned() } else { format!("{} people", invited.uses) };
            ("invited", format!("{by} made an invite for {people}, good until {}", moment(invited.expires_at)))
        }
        Body::InviteClosed(_) => ("invite_closed", format!("{by} revoked an invite")),
        Body::Admitted(admitted) => ("admitted", format!("{by} let {} in", viewer.name(&admitted.member))),
        Body::Removed(removed) => {
            let reason = removed.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            ("removed", format!("{by} removed {}{reason}", viewer.name(&removed.member)))
        }
        Body::Left(_) => ("left", format!("{by} left")),
        Body::Rotated(_) => ("rotated", format!("{by} renewed the room key")),
        Body::Verified(verified) => ("verified", format!("{by} verified {}", viewer.name(&verified.member))),
        Body::Named(named) => match &named.session {
            Some(_) => ("named", format!("a session of {by} is now called {}", named.name)),
            None => ("named", format!("{by} chose the name {}", named.name)),
        },
        Body::LetterKeys(_) => ("letter_keys", format!("{by} can get letters while away")),
        Body::RelayAdded(added) => ("relay_added", format!("{by} added the relay {}", without_token(&added.relay))),
        Body::RelayRemoved(removed) => {
            ("relay_removed", format!("{by} removed the relay {}", without_token(&removed.relay)))
        }
        Body::CharterProposed(proposed) => {
            ("charter_proposed", format!("{by} proposed the charter “{}”", proposed.charter.title))
        }
        Body::CharterAccepted(_) => ("charter_accepted", format!("{by} accepted the charter")),
        Body::CharterDeclined(declined) => {
            ("charter_declined", format!("{by} declined the charter{}", because(declined.reason.as_deref())))
        }
        Body::FloorClaimed(claimed) => {
            ("floor_claimed", format!("{by} claimed the floor{}", because(claimed.reason.as_deref())))
        }
        Body::FloorYielded(yielded) => match &yielded.to {
            Some(to) => ("floor_yielded", format!("{by} yielded the floor to {}", viewer.addressee(to))),
            None => ("floor_yielded", format!("{by} yielded the floor")),
        },
        Body::FloorTaken(_) => ("floor_taken", format!("{by} took the floor, for its claim stayed unanswered")),
        Body::FloorReleased(_) => ("floor_released", format!("{by} released the floor of somebody who is away")),
        Body::Requested(requested) => ("action", requested.summary.clone()),
        Body::Approved(approved) => {
            let always = if approved.always { ", and its kind for always" } else { "" };
            let how = if approved.under.is_some() { " by what was agreed" } else { "" };
            ("approved", format!("{by} approved {}{how}{always}", viewer.request_name(&approved.request)))
        }
        Body::Denied(denied) => {
            let request = viewer.request_name(&denied.request);
            ("denied", format!("{by} denied {request}{}", because(denied.reason.as_deref())))
        }
        Body::Handed(handed) => ("handed", format!("{by} handed {} to an agent", viewer.request_name(&handed.request))),
        Body::Completed(completed) => {
            let (request, detail) = (viewer.request_name(&completed.request), because(completed.detail.as_deref()));
            let what = if completed.ok { "did" } else { "could not do" };
            ("completed", format!("{by} {what} {request}{detail}"))
        }
        Body::Expired(expired) => {
            ("expired", format!("{} waited too long and expired", viewer.request_name(&expired.request)))
        }
        Body::Overridden(overridden) => {
            ("overridden", format!("{by} let a finding of the secret scan pass ({})", overridden.rule))
        }
        Body::GitSetUp(said) => {
            let base = said.base_commit.as_deref().map(|sha| format!(", and has {sha}")).unwrap_or_default();
            ("git_setup", format!("{by} works on {} in {}{base}", said.branch, said.repo))
        }
        Body::Committed(said) => ("committed", format!("{by} committed {}: {}", said.sha, said.message)),
        Body::PathsClaimed(claimed) => {
            let note = because(claimed.note.as_deref());
            ("paths_claimed", format!("{by} claimed {}{note}", claimed.paths.join(", ")))
        }
        Body::PathsReleased(released) if released.paths.is_empty() => {
            ("paths_released", format!("{by} released what it had claimed"))
        }
        Body::PathsReleased(released) => ("paths_released", format!("{by} released {}", released.paths.join(", "))),
        Body::ClaimsExpired(_) => ("claims_expired", "claims expired whose session is gone".to_owned()),
        Body::Prompted(_) => ("prompted", format!("{by} gave its agent a prompt")),
        Body::Foreign { kind } => ("foreign", format!("{by} did something that this version does not know: {kind}")),
        Body::Remembered(remembered) => ("remembered", remembered.content.clone()),
        Body::Shared(shared) => ("code", format!("{by} shared {}: {}", what(shared), shared.headline)),
        Body::Message(message) => (message.kind.name(), message.text.clone()),
    };
    (kind.to_owned(), text)
}

/// `: ` and why, where somebody says so.
fn because(reason: Option<&str>) -> String {
    reason.filter(|reason| !reason.is_empty()).map(|reason| format!(": {reason}")).unwrap_or_default()
}

fn what(shared: &Shared) -> &'static str {
    if shared.is_patch { "a patch" } else { "code" }
}

/// `26 November 2026, 16:43 UTC`: the same for everybody who reads it.
fn moment(at: Timestamp) -> String {
    instant(at).strftime("%-d %B %Y, %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_reads_like_a_date() {
        assert_eq!(moment(Timestamp(1_700_000_000_123)), "14 November 2023, 22:13 UTC");
    }
}
