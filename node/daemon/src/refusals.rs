//! What the core refuses, as a face tells it: which rule, why, and what to do next.

use pairwave_api::{Code, Failure};
use pairwave_core::answer::ParseAnswerError;
use pairwave_core::command::Refusal;
use pairwave_core::invite::ParseInviteError;
use pairwave_core::log::LogError;
use pairwave_core::notice::JoinRefusal;

use crate::store::WriteError;

/// What is left to somebody who is out of a room: nobody comes back into it under the same key.
const OTHER_ROOM: &str = "What was said stays readable here. To go on, meet in another room: open one with `pairwave init` in another \
    folder, or join one.";

/// A command that the core refused.
pub fn refused(refusal: Refusal) -> Failure {
    let (rule, next) = rule_and_next(&refusal);
    let code = match refusal {
        Refusal::PeerAway => Code::PeerUnreachable,
        Refusal::StoreFailed { .. } => Code::Failed,
        _ => Code::Refused,
    };
    Failure::new(code, rule, sentence(&refusal), next)
}

fn rule_and_next(refusal: &Refusal) -> (&'static str, String) {
    let (rule, next) = match refusal {
        Refusal::NoSuchRoom => ("no_such_room", "See the rooms with `pairwave rooms`."),
        Refusal::AlreadyHere => ("already_here", "Use it: `pairwave status` shows it."),
        Refusal::NoSuchMember => ("no_such_member", "See who is here with `pairwave status`."),
        Refusal::NoSuchEvent => ("no_such_event", "Look for its id with `pairwave read`."),
        Refusal::NoSuchInvite => ("no_such_invite", "See the open ones with `pairwave invite list`."),
        Refusal::NotAMember => ("not_a_member", OTHER_ROOM),
        Refusal::RoomFull { .. } => ("room_full", "Open a second room with `pairwave init` in another folder."),
        Refusal::NotAbove => ("not_above", "Ask somebody who let this member in, or who let in who did."),
        Refusal::Founder => ("founder", "The founder can only leave; or open a new room without that member."),
        Refusal::FieldMissing { field, .. } => {
            return ("field_missing", format!("Say it again with `{}`.", field.trim_start_matches("fields.")));
        }
        Refusal::FieldShape { field, expected } => {
            return ("field_shape", format!("Give `{field}` as a {expected}."));
        }
        Refusal::TooLong { field: "paths", .. } => {
            ("too_long", "Release what you no longer work on with `pairwave git release`, or claim a folder instead.")
        }
        Refusal::TooLong { field: "content", .. } => ("too_long", "Share it in several parts."),
        Refusal::TooLong { .. } => ("too_long", "Say it in less, or in several messages."),
        Refusal::TooMany { field: "relays", .. } => {
            ("too_many", "Remove one first: `pairwave relay remove MULTIADDR`.")
        }
        Refusal::TooMany { field: "requests", .. } => {
            ("too_many", "Wait for answers to the open ones: `pairwave requests` lists them.")
        }
        Refusal::TooMany { field: "claims", .. } => {
            ("too_many", "Wait for answers to the open ones: `pairwave floor` lists them.")
        }
        Refusal::TooMany { field: "paths", .. } => {
            ("too_many", "Release what you no longer work on with `pairwave git release`, or claim a folder instead.")
        }
        Refusal::TooMany { field: "paths of a commit", .. } => {
            ("too_many", "Name folders instead, with a slash behind each.")
        }
        Refusal::TooMany { .. } => ("too_many", "Leave some of them out, or say it in several messages."),
        Refusal::Empty { field } => return ("empty", format!("Fill in `{field}`.")),
        Refusal::EventTooLong { .. } => ("event_too_long", "Say it in less, or in several messages."),
        Refusal::NotAQuestion => ("not_a_question", "Name the question's event; `pairwave inbox` lists the open ones."),
        Refusal::NameTaken { .. } => ("name_taken", "Choose another name."),
        Refusal::InviteExpired => ("invite_expired", "Make a new one with `pairwave invite`."),
        Refusal::NotARelay(_) => ("not_a_relay", "Give the whole line that `pairwave relay-node` printed."),
        Refusal::RelayThere => ("relay_there", "There is nothing to do."),
        Refusal::NoSuchRelay => ("no_such_relay", "See the relays of the room with `pairwave relay list`."),
        Refusal::InviteRevoked => ("invite_revoked", "Make a new one with `pairwave invite`, and send it to them."),
        Refusal::InviteUsedUp => ("invite_used_up", "Make a new one with `pairwave invite`, and send it to them."),
        Refusal::UnknownInvite => (
            "unknown_invite",
            "Give the line to the one who made the invite; or make a new one with `pairwave invite`.",
        ),
        Refusal::OwnAnswer => ("own_answer", "Send it to the one who invited you."),
        Refusal::Unverified => (
            "unverified",
            "Verify each other first: `pairwave verify` on both sides, or the tool pair_verify. Until then: chat, question, answer and status.",
        ),
        Refusal::NoCharter => (
            "no_charter",
            "Agree on a charter first: `pairwave charter propose FILE`, or the tool pair_charter; the others accept it. Until then: chat, question, answer and status.",
        ),
        Refusal::NoSuchCharter => ("no_such_charter", "See which one is in question with `pairwave charter`."),
        Refusal::NoFloor { .. } => (
            "no_floor",
            "Claim the floor first: `pairwave floor claim`, or the tool pair_claim; yield it when you are done.",
        ),
        Refusal::NotHolding => ("not_holding", "See who has the floor with `pairwave floor`."),
        Refusal::NoSuchClaim => ("no_such_claim", "See who waits for the floor with `pairwave floor`."),
        Refusal::ClaimWaits => {
            ("claim_waits", "Wait for an answer; after a minute without one, claim it again to take it.")
        }
        Refusal::HopsSpent { .. } => (
            "hops_spent",
            "Wait for a human: one who writes, decides or prompts its agent lets agents go on. Ask yours, or pair_wait.",
        ),
        Refusal::NotAnEntry => ("not_an_entry", "Name an entry that `pairwave recall` or the tool pair_recall shows."),
        Refusal::Superseded { by } => {
            return ("superseded", format!("Look at what stands in its place, and supersede that: {by}."));
        }
        Refusal::NoSuchRequest => ("no_such_request", "See the requests with `pairwave requests`."),
        Refusal::NotForYou => {
            ("not_for_you", "Only the side that was asked decides and reports; wait for it with pair_wait.")
        }
        Refusal::OwnRequest => ("own_request", "Name another member."),
        Refusal::OtherPayload => ("other_payload", "Look at the request again: it is not what was shown."),
        Refusal::Settled { .. } => ("settled", "See what became of it with `pairwave requests`."),
        Refusal::NotApproved => (
            "not_approved",
            "Wait until it is approved: by a human with `pairwave approve ID` or on the page, or by a charter or a standing approval that covers it.",
        ),
        Refusal::HandedBefore => {
            ("handed_before", "Do not do it twice; report with pair_complete_action, or ask for a new request.")
        }
        Refusal::NotHanded => ("not_handed", "Take it over first with pair_apply."),
        Refusal::CompletedBefore => ("completed_before", "There is nothing to do."),
        Refusal::DeniedBefore => ("denied_before", "Read why it was denied, and ask for something else."),
        Refusal::NeverAlways => ("never_always", "Approve it this once: leave `always` out."),
        Refusal::TooHigh { field, max, .. } => return ("too_high", format!("Give `{field}` as {max} at most.")),
        Refusal::HumansOnly => {
            ("humans_only", "Ask your human to do it on the page, or in a terminal outside of the agent host.")
        }
        Refusal::NotAPath { .. } => (
            "not_a_path",
            "Name files or folders relative to the top of the repository, such as src/auth, src/*.rs or docs/{a,b}.md.",
        ),
        Refusal::PathTaken { .. } => (
            "path_taken",
            "Work on something else, or ask whoever has it to release it; `pairwave git` and the tool pair_git show who has what.",
        ),
        Refusal::NotClaimed => (
            "not_claimed",
            "`pairwave git` and pair_git status show what your side has claimed: name the paths as they stand there.",
        ),
        Refusal::CommitThere { .. } => ("commit_there", "There is nothing to do: everybody has heard of it or will."),
        Refusal::NoSuchArtifact => ("no_such_artifact", "See what is there with `pairwave quarantine`."),
        Refusal::BlobsFull { .. } => {
            ("blobs_full", "Remove some with `pairwave quarantine remove ID`, or raise `limits.blobs_per_room`.")
        }
        Refusal::OwnWords => ("own_words", "Read them out by voice, on the phone or in person."),
        Refusal::PeerAway => ("peer_away", "Wait until `pairwave status` shows that member online, then try again."),
        Refusal::NoExchange => ("no_exchange", "Begin anew with `pairwave verify MEMBER`, on both sides."),
        Refusal::WrongWords => (
            "wrong_words",
            "Begin anew with `pairwave verify MEMBER`; if it fails again, somebody may stand in between.",
        ),
        Refusal::UnusableWords { .. } => ("unusable_words", "Enter the three words as you heard them, in that order."),
        Refusal::LockedOut { .. } => ("locked_out", "Wait that long, and be sure whom you talk to."),
        Refusal::AlreadyVerified => ("already_verified", "There is nothing to do."),
        Refusal::Recovering { .. } => ("recovering", "Wait until a peer is online; `pairwave status` shows who is."),
        Refusal::StoreFailed { .. } => ("store_failed", "Free some space on the disk and see `pairwave doctor`."),
    };
    (rule, next.to_owned())
}

/// A knock that was turned down for good.
pub fn join_refused(reason: JoinRefusal) -> Failure {
    let ask = "Ask for a new invite.";
    let (rule, next) = match reason {
        JoinRefusal::Expired => ("invite_expired", ask),
        JoinRefusal::UsedUp => ("invite_used_up", ask),
        JoinRefusal::Revoked => ("invite_revoked", ask),
        JoinRefusal::Full => ("room_full", "Ask the others to open a second room."),
        JoinRefusal::Left => ("left", OTHER_ROOM),
        JoinRefusal::Removed => ("removed", OTHER_ROOM),
        JoinRefusal::WrongRoom => ("wrong_room", "Ask for a new invite, over a channel that you trust."),
        JoinRefusal::Version { ours, theirs } if ours < theirs => ("protocol_version", "Update pairwave here."),
        JoinRefusal::Version { .. } => ("protocol_version", "Ask the other side to update pairwave."),
    };
    Failure::new(Code::Refused, rule, sentence(&reason), next)
}

/// A text that is no invite.
pub fn no_invite(error: &ParseInviteError) -> Failure {
    let again = "Copy the whole line once more, or ask for it again.";
    let (rule, next) = match error {
        ParseInviteError::NotAnInvite => ("not_an_invite", "Paste the line that `pairwave init` or `invite` printed."),
        ParseInviteError::Newer { .. } => ("invite_too_new", "Update pairwave here."),
        ParseInviteError::CutShort { .. } => ("invite_cut_short", again),
        ParseInviteError::Damaged => ("invite_damaged", again),
        ParseInviteError::TooLong { .. } => ("invite_too_long", again),
        ParseInviteError::Content(_) => ("invite_malformed", "Ask for a new invite."),
    };
    Failure::new(Code::Usage, rule, sentence(error), next)
}

/// A text that is no answer line.
pub fn no_answer(error: &ParseAnswerError) -> Failure {
    let again = "Copy the whole line once more, or ask for it again.";
    let (rule, next) = match error {
        ParseAnswerError::NotAnAnswer => (
            "not_an_answer",
            "Paste the line that `pairwave join` printed on the other side; it begins with `pairanswer`.",
        ),
        ParseAnswerError::Newer { .. } => ("answer_too_new", "Update pairwave here."),
        ParseAnswerError::CutShort { .. } => ("answer_cut_short", again),
        ParseAnswerError::Damaged => ("answer_damaged", again),
        ParseAnswerError::TooLong { .. } => ("answer_too_long", again),
        ParseAnswerError::Content(_) => {
            ("answer_malformed", "Let them run `pairwave join` again and send the new line.")
        }
    };
    Failure::new(Code::Usage, rule, sentence(error), next)
}

/// The log of a room could not be read.
pub fn unreadable(error: &LogError) -> Failure {
    Failure::new(Code::Failed, "store_unreadable", sentence(error), "See `pairwave doctor` and the log it names.")
}

/// A folder has a room that is not open at the moment.
pub fn room_closed() -> Failure {
    let message = "The room of this folder is not open, so nothing was done";
    Failure::new(Code::Failed, "room_closed", message, "See why with `pairwave doctor`; it is tried again by itself.")
}

/// The store could not be written.
pub fn unwritable(error: &WriteError) -> Failure {
    let next = "Free some space on the disk and see `pairwave doctor`.";
    Failure::new(Code::Failed, "store_failed", format!("The store cannot be written: {}", error.why), next)
}

/// The text of an error as a sentence.
fn sentence(error: &impl std::fmt::Display) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_refusal_of_a_knock_has_a_rule_and_words_of_its_own() {
        let refusals = [
            JoinRefusal::Expired,
            JoinRefusal::UsedUp,
            JoinRefusal::Revoked,
            JoinRefusal::Full,
            JoinRefusal::Left,
            JoinRefusal::Removed,
            JoinRefusal::WrongRoom,
            JoinRefusal::Version { ours: 1, theirs: 2 },
        ];
        let failures: Vec<Failure> = refusals.into_iter().map(join_refused).collect();
        let rules: BTreeSet<&str> = failures.iter().map(|failure| &failure.rule[..]).collect();
        let messages: BTreeSet<&str> = failures.iter().map(|failure| &failure.message[..]).collect();
        assert_eq!((rules.len(), messages.len()), (refusals.len(), refusals.len()));
    }

    #[test]
    fn a_refusal_says_what_is_missing_and_how_to_go_on() {
        let failure = refused(Refusal::FieldMissing { kind: "review", field: "fields.path" });
        assert_eq!((failure.code, &failure.rule[..]), (Code::Refused, "field_missing"));
        assert!(failure.message.contains("review") && failure.next.contains("`path`"), "{failure}");
        assert_eq!(refused(Refusal::PeerAway).code.exit(), 5);
        assert_eq!(refused(Refusal::WrongWords).code.exit(), 3);
    }
}
