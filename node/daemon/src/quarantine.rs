//! What members shared, as files: inert, readable by their user, under names of ours. Nothing that a
//! peer wrote is a name, and nothing here can be executed.
//!
//! `rooms/<room>/quarantine/<artifact>` holds the content, `<artifact>.json` what is known of it. Both
//! can be made again from the store, which has the content sealed and checked.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use pairwave_api::home::Home;
use pairwave_api::{ArtifactItem, WarningView};
use pairwave_core::id::{EventId, RoomId};
use pairwave_guard::danger::{self, Action};
use pairwave_guard::patch::Patch;
use serde::{Deserialize, Serialize};

use crate::home::{private_folder, replace};
use crate::view::warning;

/// Most paths that are noted down.
const PATHS: usize = 256;
/// Bytes of what is no patch that are looked at.
const LOOKED_AT: usize = 1 << 20;
/// Version of the notes: those of another one are made anew.
const VERSION: u32 = 1;

/// The quarantines of all rooms.
#[derive(Debug, Clone)]
pub struct Quarantine {
    home: Home,
}

/// What is known of an artifact, beside its content. What its author said of it is data.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    version: u32,
    pub headline: String,
    pub from: String,
    pub member: String,
    pub is_patch: bool,
    pub language: Option<String>,
    pub path_hint: Option<String>,
    /// Every path that it touches.
    pub paths: Vec<String>,
    pub warnings: Vec<WarningView>,
}

impl Quarantine {
    pub fn new(home: Home) -> Self {
        Self { home }
    }

    /// Where the content of an artifact lies.
    pub fn path(&self, room: &RoomId, artifact: &EventId) -> PathBuf {
        self.folder(room).join(artifact.to_string())
    }

    /// Is there both the content and what is known of it?
    pub fn has(&self, room: &RoomId, artifact: &EventId) -> bool {
        self.path(room, artifact).is_file() && self.note(room, artifact).is_some()
    }

    pub fn note(&self, room: &RoomId, artifact: &EventId) -> Option<Note> {
        let bytes = fs::read(self.note_path(room, artifact)).ok()?;
        serde_json::from_slice(&bytes).ok().filter(|note: &Note| note.version == VERSION)
    }

    /// Writes an artifact, whole or not at all. A link that stands in its place is replaced.
    pub fn keep(&self, room: &RoomId, artifact: &EventId, content: &[u8], note: &Note) -> io::Result<()> {
        let folder = self.folder(room);
        for folder in [&self.home.room(&room.to_string()), &folder] {
            private_folder(folder).map_err(io::Error::other)?;
            if fs::symlink_metadata(folder)?.is_symlink() {
                return Err(io::Error::other(format!("{} is a link to elsewhere", folder.display())));
            }
        }
        let note = serde_json::to_vec_pretty(&Note { version: VERSION, ..note.clone() })?;
        replace(&self.path(room, artifact), content, false)?;
        replace(&self.note_path(room, artifact), &note, false)
    }

    pub fn remove(&self, room: &RoomId, artifact: &EventId) -> io::Result<()> {
        for path in [self.note_path(room, artifact), self.path(room, artifact)] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Writes content into a folder, under a name of ours, where nothing has that name.
    pub fn export(dir: &Path, artifact: &EventId, is_patch: bool, content: &[u8]) -> io::Result<PathBuf> {
        let id: String = artifact.to_string().chars().take(12).collect();
        let path = dir.join(format!("pairwave-{id}.{}", if is_patch { "patch" } else { "txt" }));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        let written = file.write_all(content).and_then(|()| file.sync_all());
        if written.is_err() {
            let _ = fs::remove_file(&path);
        }
        written.map(|()| path)
    }

    fn folder(&self, room: &RoomId) -> PathBuf {
        self.home.room(&room.to_string()).join("quarantine")
    }

    fn note_path(&self, room: &RoomId, artifact: &EventId) -> PathBuf {
        self.folder(room).join(format!("{artifact}.json"))
    }
}

impl Note {
    /// What its author says of an artifact.
    pub fn of(item: ArtifactItem) -> Self {
        let ArtifactItem { headline, from, member, is_patch, language, path_hint, .. } = item;
        Self { headline, from, member, is_patch, language, path_hint, ..Self::default() }
    }

    /// Looks at the content: which paths it touches, and what a human should know.
    pub fn judged(mut self, content: &[u8]) -> Self {
        let beginning = if self.is_patch { content } else { &content[..content.len().min(LOOKED_AT)] };
        let text = String::from_utf8_lossy(beginning);
        let hint = self.path_hint.clone().unwrap_or_default();
        let action = match self.is_patch {
            true => Action::ApplyPatch { patch: &text },
            false => Action::WriteFile { path: &hint, content: &text },
        };
        self.warnings = danger::judge(&action).warnings.iter().map(warning).collect();
        self.paths = match Patch::parse(&text).ok().filter(|_| self.is_patch) {
            Some(patch) => patch.paths().into_iter().take(PATHS).map(str::to_owned).collect(),
            None => self.path_hint.iter().cloned().collect(),
        };
        self
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, symlink};

    use super::*;

    const ROOM: RoomId = RoomId([1; 32]);
    const ID: EventId = EventId([2; 32]);

    fn quarantine() -> (tempfile::TempDir, Quarantine) {
        let folder = tempfile::tempdir().unwrap();
        let quarantine = Quarantine::new(Home::new(folder.path()));
        (folder, quarantine)
    }

    fn note() -> Note {
        Note { headline: "../../etc/passwd".into(), is_patch: true, ..Note::default() }
    }

    #[test]
    fn an_artifact_is_a_private_file_under_a_name_of_ours() {
        let (_folder, quarantine) = quarantine();
        quarantine.keep(&ROOM, &ID, b"content", &note()).unwrap();
        assert!(quarantine.has(&ROOM, &ID));
        let path = quarantine.path(&ROOM, &ID);
        assert_eq!(fs::read(&path).unwrap(), b"content");
        assert_eq!(path.file_name().unwrap().to_str().unwrap(), ID.to_string());
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().mode() & 0o777, 0o700);
        assert_eq!(quarantine.note(&ROOM, &ID).unwrap().headline, "../../etc/passwd");
        quarantine.remove(&ROOM, &ID).unwrap();
        quarantine.remove(&ROOM, &ID).unwrap();
        assert!(!quarantine.has(&ROOM, &ID));
    }

    #[test]
    fn links_are_not_followed() {
        let (folder, quarantine) = quarantine();
        quarantine.keep(&ROOM, &ID, b"first", &note()).unwrap();
        let elsewhere = folder.path().join("elsewhere");
        fs::write(&elsewhere, b"precious").unwrap();
        let path = quarantine.path(&ROOM, &ID);
        fs::remove_file(&path).unwrap();
        symlink(&elsewhere, &path).unwrap();
        quarantine.keep(&ROOM, &ID, b"second", &note()).unwrap();
        assert_eq!((fs::read(&elsewhere).unwrap(), fs::read(&path).unwrap()), (b"precious".into(), b"second".into()));
        let other = folder.path().join("other");
        fs::create_dir(&other).unwrap();
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
        symlink(&other, path.parent().unwrap()).unwrap();
        assert!(quarantine.keep(&ROOM, &ID, b"third", &note()).is_err());
        assert_eq!(fs::read_dir(other).unwrap().count(), 0);
    }

    #[test]
    fn an_export_replaces_nothing_and_cannot_be_executed() {
        let (folder, _) = quarantine();
        let path = Quarantine::export(folder.path(), &ID, true, b"--- a\n").unwrap();
        assert_eq!(path.extension().unwrap(), "patch");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o111, 0);
        let again = Quarantine::export(folder.path(), &ID, true, b"other").unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(path).unwrap(), b"--- a\n");
    }

    #[test]
    fn a_patch_names_every_path_that_it_touches() {
        let patch = b"--- a/src/one.rs\n+++ b/src/two.rs\n@@ -1 +1 @@\n-a\n+b\n";
        assert_eq!(note().judged(patch).paths, ["src/one.rs", "src/two.rs"]);
        let code = Note { is_patch: false, path_hint: Some("src/main.rs".into()), ..note() };
        assert_eq!(code.judged(b"fn main() {}").paths, ["src/main.rs"]);
    }
}
