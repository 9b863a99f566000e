//! Handoffs as files: a dated one for each, and `latest.md`, which is always the newest one, whole.
//!
//! `rooms/<room>/handoff/` belongs to its user alone. `latest.json` says what of the log the newest
//! one rests on, so that what has happened since can be told.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use pairwave_api::home::Home;
use pairwave_core::id::{EventId, RoomId};
use serde::{Deserialize, Serialize};

use crate::home::{private_folder, replace};

/// Most dated handoffs that are kept of a room.
const KEPT: usize = 20;
/// Version of the notes; those of another one are not read.
const VERSION: u32 = 1;

/// The handoffs of all rooms.
#[derive(Debug, Clone)]
pub struct Handoffs {
    home: Home,
}

/// What a handoff rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Basis {
    version: u32,
    /// When it was written, as RFC 3339.
    pub at: String,
    /// How many events there were.
    pub events: u64,
    /// The last arrival.
    pub arrival: u64,
    pub heads: Vec<String>,
}

impl Basis {
    pub fn new(at: String, events: u64, arrival: u64, heads: Vec<EventId>) -> Self {
        let heads = heads.iter().map(ToString::to_string).collect();
        Self { version: VERSION, at, events, arrival, heads }
    }
}

impl Handoffs {
    pub fn new(home: Home) -> Self {
        Self { home }
    }

    /// Where the newest handoff of a room lies.
    pub fn latest(&self, room: &RoomId) -> PathBuf {
        self.folder(room).join("latest.md")
    }

    /// The newest handoff and what it rests on, if there is one.
    pub fn read(&self, room: &RoomId) -> Option<(Basis, String)> {
        let markdown = fs::read_to_string(self.latest(room)).ok()?;
        Some((self.basis(room)?, markdown))
    }

    /// What the newest handoff rests on.
    pub fn basis(&self, room: &RoomId) -> Option<Basis> {
        let bytes = fs::read(self.folder(room).join("latest.json")).ok()?;
        serde_json::from_slice(&bytes).ok().filter(|basis: &Basis| basis.version == VERSION)
    }

    /// Writes a handoff. Gives the path of the newest one, which this is now.
    pub fn write(&self, room: &RoomId, basis: &Basis, markdown: &str) -> io::Result<PathBuf> {
        let folder = self.folder(room);
        self.prepare(room, &folder)?;
        let dated = folder.join(format!("{}.md", dated(&basis.at)));
        replace(&dated, markdown.as_bytes(), false)?;
        let latest = self.latest(room);
        replace(&latest, markdown.as_bytes(), true)?;
        // After what it is about: without it, more counts as new than is.
        replace(&folder.join("latest.json"), &serde_json::to_vec_pretty(basis)?, true)?;
        forget_the_oldest(&folder)?;
        Ok(latest)
    }

    /// A folder for what is exported of a room.
    pub fn exports(&self, room: &RoomId) -> io::Result<PathBuf> {
        let folder = self.home.room(&room.to_string()).join("exports");
        self.prepare(room, &folder)?;
        Ok(folder)
    }

    fn prepare(&self, room: &RoomId, folder: &Path) -> io::Result<()> {
        for folder in [self.home.room(&room.to_string()).as_path(), folder] {
            private_folder(folder).map_err(io::Error::other)?;
            if fs::symlink_metadata(folder)?.is_symlink() {
                return Err(io::Error::other(format!("{} is a link to elsewhere", folder.display())));
            }
        }
        Ok(())
    }

    fn folder(&self, room: &RoomId) -> PathBuf {
        self.home.room(&room.to_string()).join("handoff")
    }
}

/// A moment as a name for a file: `2026-11-20T101500.123Z`.
pub fn dated(at: &str) -> String {
    at.chars().filter(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.')).collect()
}

fn forget_the_oldest(folder: &Path) -> io::Result<()> {
    let mut dated: Vec<PathBuf> = fs::read_dir(folder)?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name.ends_with(".md") && name.starts_with(|first: char| first.is_ascii_digit())
        })
        .collect();
    dated.sort_unstable();
    let surplus = dated.len().saturating_sub(KEPT);
    dated.iter().take(surplus).try_for_each(fs::remove_file)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, symlink};

    use super::*;

    const ROOM: RoomId = RoomId([1; 32]);

    fn handoffs() -> (tempfile::TempDir, Handoffs) {
        let folder = tempfile::tempdir().unwrap();
        let handoffs = Handoffs::new(Home::new(folder.path()));
        (folder, handoffs)
    }

    fn basis(second: u32) -> Basis {
        Basis::new(format!("2026-11-20T10:15:{second:02}Z"), 7, 7, vec![EventId([2; 32])])
    }

    #[test]
    fn the_newest_is_read_back_and_the_dated_ones_are_bounded() {
        let (_folder, handoffs) = handoffs();
        assert_eq!(handoffs.read(&ROOM), None);
        for second in 0..30 {
            handoffs.write(&ROOM, &basis(second), &format!("handoff {second}")).unwrap();
        }
        assert_eq!(handoffs.read(&ROOM), Some((basis(29), "handoff 29".into())));
        let folder = handoffs.folder(&ROOM);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), KEPT + 2);
        assert!(folder.join("2026-11-20T101529Z.md").is_file());
        assert!(!folder.join("2026-11-20T101500Z.md").exists());
    }

    #[test]
    fn nobody_else_can_read_them_and_links_are_not_followed() {
        let (folder, handoffs) = handoffs();
        let latest = handoffs.write(&ROOM, &basis(0), "private").unwrap();
        assert_eq!(fs::metadata(&latest).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(latest.parent().unwrap()).unwrap().mode() & 0o777, 0o700);
        let elsewhere = folder.path().join("elsewhere");
        fs::write(&elsewhere, "precious").unwrap();
        fs::remove_file(&latest).unwrap();
        symlink(&elsewhere, &latest).unwrap();
        handoffs.write(&ROOM, &basis(1), "new").unwrap();
        assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "precious");
        assert_eq!(fs::read_to_string(&latest).unwrap(), "new");
    }
}
