//! What members share: kept as inert files, shown, exported and removed by the human.

use std::io;
use std::path::Path;

use pairwave_api::{
    ArtifactExported, ArtifactItem, ArtifactRemoved, ArtifactView, Code, CodeShared, ExportArtifact, Failure,
    ListArtifacts, QuarantineList, RemoveArtifact, Share, ShowArtifact,
};
use pairwave_core::artifacts::Draft;
use pairwave_core::blobs::{Blob, Stage};
use pairwave_core::command::{Command, Outcome, Refusal};
use pairwave_core::event::{Body, Origin};
use pairwave_core::id::{EventId, RoomId};
use pairwave_core::log::Log;
use pairwave_core::notice::Notice;
use pairwave_guard::patch::Patch;

use super::{Answers, for_humans, project_folder, unexpected};
use crate::caller::Caller;
use crate::quarantine::{Note, Quarantine};
use crate::refusals::{refused, unreadable};
use crate::resolve;
use crate::view::{self, Found, Viewer};

/// Bytes of the content that are shown.
const SHOWN: usize = 256 << 10;

impl Answers {
    pub(super) async fn share(&self, by: &Caller, ask: Share) -> Result<CodeShared, Failure> {
        let room = self.room(by, &ask.room).await?;
        let Share { headline, content, language, is_patch, path_hint, .. } = ask;
        let some = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        let draft = Draft { headline, language: some(language), is_patch, path_hint: some(path_hint) };
        let body = Body::Shared(draft.clone().with(Blob::of(content.as_bytes())));
        let cleared = self.clear_with(by, room, &body, &[("content", &content)]).await?;
        let paths = touched(&draft, &content);
        let content = content.into_bytes();
        let size = content.len() as u64;
        let shared = self.command(Command::Share { room, by: by.speaker, draft, content }).await;
        match self.settle(cleared, shared)? {
            Outcome::Said { event, .. } => {
                self.note_act(by, room);
                let warnings = self.claimed(room, paths).await.unwrap_or_default();
                Ok(CodeShared { event: event.to_string(), artifact: event.to_string(), size, warnings })
            }
            other => Err(unexpected(&other)),
        }
    }

    pub(super) async fn list_artifacts(&self, by: &Caller, ask: &ListArtifacts) -> Result<QuarantineList, Failure> {
        let (room, mut found) = self.look_in(by, &ask.room, all).await?;
        found.sort_by_key(|found| std::cmp::Reverse(found.position));
        let items = found.into_iter().map(|found| self.with_note(&room, found)).collect();
        Ok(QuarantineList { items })
    }

    /// To an agent only where somebody marks it as another's words.
    pub(super) async fn show_artifact(&self, by: &Caller, ask: &ShowArtifact) -> Result<ArtifactView, Failure> {
        if by.speaker.origin == Origin::Agent && by.live.is_none() {
            return Err(refused(Refusal::HumansOnly));
        }
        let (room, found) = self.found(by, &ask.room, &ask.artifact).await?;
        if found.stage != Stage::Complete {
            let item = self.with_note(&room, found);
            return Ok(ArtifactView { item, content: None, cut: false, diff: None, diff_error: None });
        }
        let content = self.content(room, &found).await?;
        let item = self.with_note(&room, found);
        blocking(move || Ok(whole(item, &content))).await.map_err(|error| unwritable(&error))
    }

    pub(super) async fn export_artifact(&self, by: &Caller, ask: &ExportArtifact) -> Result<ArtifactExported, Failure> {
        for_humans(by)?;
        project_folder(&ask.dir)?;
        let (room, found) = self.found(by, &ask.room, &ask.artifact).await?;
        if found.stage != Stage::Complete {
            return Err(not_here(&found.item));
        }
        let content = self.content(room, &found).await?;
        let (dir, is_patch, id) = (ask.dir.clone(), found.item.is_patch, found.position.id);
        let exported = blocking(move || Quarantine::export(&dir, &id, is_patch, &content)).await;
        match exported {
            Ok(path) => Ok(ArtifactExported { id: found.item.id, path: path.display().to_string() }),
            Err(error) => Err(not_exported(&ask.dir, &error)),
        }
    }

    pub(super) async fn remove_artifact(&self, by: &Caller, ask: &RemoveArtifact) -> Result<ArtifactRemoved, Failure> {
        for_humans(by)?;
        let (room, found) = self.found(by, &ask.room, &ask.artifact).await?;
        let artifact = found.position.id;
        let _turn = self.quarantining.lock().await;
        self.command(Command::RemoveArtifact { room, by: by.speaker, artifact }).await?;
        self.quarantine.remove(&room, &artifact).map_err(|error| unwritable(&error))?;
        Ok(ArtifactRemoved { id: artifact.to_string() })
    }

    /// Writes what is complete into the quarantine, and deletes what is there no more.
    pub(super) async fn keep_artifact(&self, room: RoomId, artifact: EventId) {
        let _turn = self.quarantining.lock().await;
        let Ok(Some(found)) = self.look(room, move |viewer| one(viewer, &artifact)).await else { return };
        let quarantine = self.quarantine.clone();
        let kept = match found.stage {
            Stage::Complete if quarantine.has(&room, &artifact) => return,
            Stage::Complete => self.write(room, found).await,
            Stage::Removed | Stage::Broken => return drop(quarantine.remove(&room, &artifact)),
            Stage::Fetching | Stage::Full => return,
        };
        match kept {
            Ok(()) => self.parts.driver.tell(Notice::Artifact { room, artifact }),
            Err(error) => tracing::warn!(%room, %artifact, %error, "what was shared cannot be kept in the quarantine"),
        }
    }

    /// As [`Self::keep_artifact`], for all that there are: at the start, and where notices were missed.
    pub(super) async fn keep_artifacts(&self) {
        let all = |node: &pairwave_core::node::Node<_>| {
            let rooms: Vec<RoomId> = node.rooms().map(pairwave_core::room::Room::id).collect();
            let artifacts = |room: RoomId| node.artifacts(&room).into_iter().map(move |artifact| (room, artifact));
            rooms.into_iter().flat_map(artifacts).collect::<Vec<_>>()
        };
        for (room, artifact) in self.parts.driver.query(all).await {
            self.keep_artifact(room, artifact).await;
        }
    }

    async fn write(&self, room: RoomId, found: Found) -> io::Result<()> {
        let content = self.content(room, &found).await.map_err(io::Error::other)?;
        let quarantine = self.quarantine.clone();
        blocking(move || {
            let note = Note::of(found.item).judged(&content);
            quarantine.keep(&room, &found.position.id, &content, &note)
        })
        .await
    }

    async fn found(&self, by: &Caller, room: &Option<String>, wanted: &str) -> Result<(RoomId, Found), Failure> {
        let wanted = wanted.to_owned();
        let find = move |viewer: &Viewer<'_, _>| {
            let id = resolve::artifact(viewer, &wanted)?;
            one(viewer, &id)?.ok_or_else(|| refused(Refusal::NoSuchArtifact))
        };
        self.look_in(by, room, find).await
    }

    /// Reads the chunks where nobody waits for the node.
    pub(super) async fn content(&self, room: RoomId, found: &Found) -> Result<Vec<u8>, Failure> {
        let blob = found.shared.blob.clone();
        let log = self.parts.driver.query(|node| node.log().clone()).await;
        let read = tokio::task::spawn_blocking(move || blob.read(&log, &room)).await;
        let content = read.unwrap_or(Ok(None)).map_err(|error| unreadable(&error))?;
        content.ok_or_else(|| not_here(&found.item))
    }

    /// It is complete once a human would be warned of what is in it.
    fn with_note(&self, room: &RoomId, found: Found) -> ArtifactItem {
        let Found { position, mut item, stage, .. } = found;
        if stage != Stage::Complete {
            return item;
        }
        match self.quarantine.note(room, &position.id) {
            Some(note) => {
                item.file = Some(self.quarantine.path(room, &position.id).display().to_string());
                (item.paths, item.warnings) = (note.paths, note.warnings);
            }
            None => item.state = "fetching".to_owned(),
        }
        item
    }
}

/// What an artifact holds, looked at by the rules of today.
/// The files that what is shared would change.
fn touched(draft: &Draft, content: &str) -> Vec<String> {
    let patch = if draft.is_patch { Patch::parse(content).ok() } else { None };
    let paths = patch.map(|patch| patch.paths().into_iter().map(str::to_owned).collect());
    paths.unwrap_or_else(|| draft.path_hint.iter().cloned().collect())
}

fn whole(item: ArtifactItem, content: &[u8]) -> ArtifactView {
    let note = Note::of(item.clone()).judged(content);
    let text = String::from_utf8_lossy(content);
    let shown = beginning(&text);
    let patch = item.is_patch.then(|| Patch::parse(&text));
    let diff_error = patch.as_ref().and_then(|patch| patch.as_ref().err().map(ToString::to_string));
    let (diff, diff_cut) = patch.and_then(Result::ok).map(|patch| view::diff(&patch)).unzip();
    let cut = shown.len() < text.len() || diff_cut == Some(true);
    let item = ArtifactItem { paths: note.paths, warnings: note.warnings, ..item };
    ArtifactView { item, content: Some(shown.to_owned()), cut, diff, diff_error }
}

pub(super) fn one<L: Log>(viewer: &Viewer<'_, L>, artifact: &EventId) -> Result<Option<Found>, Failure> {
    viewer.artifact(artifact).map_err(|error| unreadable(&error))
}

pub(super) fn all<L: Log>(viewer: &Viewer<'_, L>) -> Result<Vec<Found>, Failure> {
    let artifacts = viewer.node().artifacts(&viewer.room().id());
    artifacts.iter().filter_map(|artifact| one(viewer, artifact).transpose()).collect()
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

fn beginning(text: &str) -> &str {
    let end = (0..=SHOWN.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

fn not_here(item: &ArtifactItem) -> Failure {
    let message = match &item.waits {
        Some(waits) => format!("This artifact is not all here: it {waits}"),
        None => format!("This artifact is not all here; its state is `{}`", item.state),
    };
    Failure::new(Code::Refused, "artifact_incomplete", message, "See how far it is with `pairwave quarantine`.")
}

fn not_exported(dir: &Path, error: &io::Error) -> Failure {
    let (rule, next) = match error.kind() {
        io::ErrorKind::AlreadyExists => ("file_exists", "Move the file there away, or name another folder."),
        _ => ("not_exported", "Name a folder in which you may write."),
    };
    let message = format!("The artifact cannot be written into {}: {error}", dir.display());
    Failure::new(Code::Failed, rule, message, next)
}

fn unwritable(error: &io::Error) -> Failure {
    let message = format!("The quarantine cannot be changed: {error}");
    Failure::new(Code::Failed, "quarantine_failed", message, "See `pairwave doctor` and the log it names.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_ends_between_characters() {
        let text = "ä".repeat(SHOWN);
        assert_eq!(beginning(&text).len(), SHOWN);
        assert_eq!(beginning(&format!("x{text}")).len(), SHOWN - 1);
        assert_eq!(beginning("short"), "short");
    }
}
