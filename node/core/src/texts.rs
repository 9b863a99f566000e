//! Every text that an event carries, with the name of the field it stands in: what is looked
//! through before it is signed.

use crate::actions::Requested;
use crate::artifacts::Shared;
use crate::brain::Remembered;
use crate::charter::Charter;
use crate::claims::PathsClaimed;
use crate::event::Body;
use crate::git::{Committed, GitSetUp};
use crate::talk::{Field, Message};

impl Body {
    /// The texts that somebody wrote, with their fields.
    pub fn texts(&self) -> Vec<(&str, &str)> {
        match self {
            Self::Genesis(genesis) => vec![("title", &genesis.title), ("name", &genesis.name)],
            Self::Message(message) => of_message(message),
            Self::Shared(shared) => of_shared(shared),
            Self::Remembered(remembered) => of_entry(remembered),
            Self::GitSetUp(said) => of_setup(said),
            Self::Committed(said) => of_commit(said),
            Self::PathsClaimed(claimed) => of_claim(claimed),
            Self::PathsReleased(released) => released.paths.iter().map(|path| ("paths", path.as_str())).collect(),
            Self::Named(named) => vec![("name", &named.name)],
            Self::Removed(removed) => optional("reason", removed.reason.as_deref()),
            Self::Admitted(admitted) => vec![("name", &admitted.name)],
            Self::CharterProposed(proposed) => of_charter(&proposed.charter),
            Self::CharterDeclined(declined) => optional("reason", declined.reason.as_deref()),
            Self::FloorClaimed(claimed) => optional("reason", claimed.reason.as_deref()),
            Self::Requested(requested) => of_request(requested),
            Self::Denied(denied) => optional("reason", denied.reason.as_deref()),
            Self::Completed(completed) => optional("detail", completed.detail.as_deref()),
            Self::Invited(_)
            | Self::InviteClosed(_)
            | Self::Left(_)
            | Self::Rotated(_)
            | Self::Verified(_)
            | Self::LetterKeys(_)
            | Self::RelayAdded(_)
            | Self::RelayRemoved(_)
            | Self::CharterAccepted(_)
            | Self::FloorYielded(_)
            | Self::FloorTaken(_)
            | Self::FloorReleased(_)
            | Self::Approved(_)
            | Self::Handed(_)
            | Self::Expired(_)
            | Self::ClaimsExpired(_)
            | Self::Overridden(_)
            | Self::Prompted(_)
            | Self::Foreign { .. } => Vec::new(),
        }
    }
}

fn optional<'a>(field: &'a str, text: Option<&'a str>) -> Vec<(&'a str, &'a str)> {
    text.map(|text| (field, text)).into_iter().collect()
}

fn of_message(message: &Message) -> Vec<(&str, &str)> {
    let mut texts = vec![("text", message.text.as_str())];
    texts.extend(optional("headline", message.headline.as_deref()));
    texts.extend(optional("rationale", message.rationale.as_deref()));
    texts.extend(optional("key", message.key.as_deref()));
    texts.extend(message.provenance.iter().map(|entry| ("provenance", entry.as_str())));
    for (name, field) in &message.fields {
        texts.push(("fields", name));
        match field {
            Field::Text(text) => texts.push((name, text)),
            Field::List(list) => texts.extend(list.iter().map(|entry| (name.as_str(), entry.as_str()))),
        }
    }
    texts
}

fn of_shared(shared: &Shared) -> Vec<(&str, &str)> {
    let mut texts = vec![("headline", shared.headline.as_str())];
    texts.extend(optional("language", shared.language.as_deref()));
    texts.extend(optional("path_hint", shared.path_hint.as_deref()));
    texts
}

fn of_entry(remembered: &Remembered) -> Vec<(&str, &str)> {
    let mut texts = vec![("headline", remembered.headline.as_str()), ("content", &remembered.content)];
    texts.extend(remembered.tags.iter().map(|tag| ("tags", tag.as_str())));
    texts.extend(remembered.provenance.iter().map(|entry| ("provenance", entry.as_str())));
    texts
}

fn of_setup(said: &GitSetUp) -> Vec<(&str, &str)> {
    let mut texts = vec![("repo", said.repo.as_str()), ("branch", &said.branch)];
    texts.extend(optional("base_commit", said.base_commit.as_deref()));
    texts
}

fn of_commit(said: &Committed) -> Vec<(&str, &str)> {
    let mut texts = vec![("sha", said.sha.as_str()), ("message", &said.message)];
    texts.extend(optional("branch", said.branch.as_deref()));
    texts.extend(said.paths.iter().map(|path| ("paths", path.as_str())));
    texts
}

fn of_claim(claimed: &PathsClaimed) -> Vec<(&str, &str)> {
    let mut texts = optional("note", claimed.note.as_deref());
    texts.extend(claimed.paths.iter().map(|path| ("paths", path.as_str())));
    texts
}

fn of_charter(charter: &Charter) -> Vec<(&str, &str)> {
    let Charter { title, purpose, scope, out_of_scope, must_nots, response_contract, .. } = charter;
    let mut texts = vec![("title", title.as_str()), ("purpose", purpose.as_str())];
    let lists = [
        ("scope", scope),
        ("out_of_scope", out_of_scope),
        ("must_nots", must_nots),
        ("response_contract", response_contract),
    ];
    for (field, list) in lists {
        texts.extend(list.iter().map(|entry| (field, entry.as_str())));
    }
    texts
}

fn of_request(requested: &Requested) -> Vec<(&str, &str)> {
    let mut texts = vec![("summary", requested.summary.as_str()), ("payload", requested.payload.as_str())];
    texts.extend(optional("target_path", requested.target_path.as_deref()));
    texts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::brain::Kind;
    use crate::charter::CharterProposed;

    #[test]
    fn every_text_of_an_entry_is_looked_through() {
        let mut entry = Remembered::new(Kind::Fact, "a", "b");
        (entry.tags, entry.provenance) = (vec!["c".into()], vec!["d".into()]);
        let body = Body::Remembered(entry);
        let words: Vec<&str> = body.texts().into_iter().map(|(_, word)| word).collect();
        assert_eq!(words, ["a", "b", "c", "d"]);
    }

    #[test]
    fn every_text_of_a_charter_is_looked_through() {
        let text = |word: &str| word.to_owned();
        let charter = Charter {
            title: text("a"),
            purpose: text("b"),
            scope: vec![text("c"), text("d")],
            out_of_scope: vec![text("e")],
            must_nots: vec![text("f")],
            response_contract: vec![text("g")],
            ..Charter::default()
        };
        let body = Body::CharterProposed(CharterProposed { charter });
        let words: Vec<&str> = body.texts().into_iter().map(|(_, word)| word).collect();
        assert_eq!(words, ["a", "b", "c", "d", "e", "f", "g"]);
    }
}
