//! How far we have written in a room, kept beside the database: a home restored from an older copy
//! of the database is noticed by it. Written after the fact, so it never claims what is not stored.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use pairwave_core::id::RoomId;

use crate::home::{private_folder, replace};

/// Our highest seq in the room; 0 where there is no marker, or none that can be read.
pub(super) fn read(folder: &Path, room: &RoomId) -> u64 {
    fs::read_to_string(path(folder, room)).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

/// A power failure may take the newest marker away again: that is why peers are asked as well.
pub(super) fn write(folder: &Path, room: &RoomId, seq: u64) -> io::Result<()> {
    let path = path(folder, room);
    if let Some(room) = path.parent()
        && !room.is_dir()
    {
        private_folder(room).map_err(io::Error::other)?;
    }
    replace(&path, format!("{seq}\n").as_bytes(), false)
}

pub(super) fn remove(folder: &Path, room: &RoomId) {
    let path = path(folder, room);
    let _ = fs::remove_file(&path);
    // Only when it is empty: a folder that still holds artifacts stays.
    let _ = path.parent().map(fs::remove_dir);
}

fn path(folder: &Path, room: &RoomId) -> PathBuf {
    folder.join(room.to_string()).join("seq")
}
