//! How far we have written in a room, kept beside the database: a home restored from an older copy
//! of the database is noticed by it. Written after the fact, so it never claims what is not stored.
//!
//! `seq member`: a marker outlives the identity that it speaks of, and says nothing of another one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use pairwave_core::id::{MemberId, RoomId};

use crate::home::{private_folder, replace};

/// This member's highest seq in the room; 0 where there is no marker of it, or none that can be read.
pub(super) fn read(folder: &Path, room: &RoomId, me: &MemberId) -> u64 {
    let text = fs::read_to_string(path(folder, room)).unwrap_or_default();
    let Some((seq, member)) = text.trim().split_once(' ') else { return 0 };
    if member.parse() == Ok(*me) { seq.parse().unwrap_or(0) } else { 0 }
}

/// A power failure may take the newest marker away again: that is why peers are asked as well.
pub(super) fn write(folder: &Path, room: &RoomId, me: &MemberId, seq: u64) -> io::Result<()> {
    let path = path(folder, room);
    if let Some(room) = path.parent()
        && !room.is_dir()
    {
        private_folder(room).map_err(io::Error::other)?;
    }
    replace(&path, format!("{seq} {me}\n").as_bytes(), false)
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

#[cfg(test)]
mod tests {
    use super::super::samples::{ME, room};
    use super::*;

    #[test]
    fn a_marker_speaks_of_its_own_member_alone() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path(), &room(1), &ME), 0);
        write(folder.path(), &room(1), &ME, 7).unwrap();
        let made_anew = MemberId([6; 32]);
        assert_eq!((read(folder.path(), &room(1), &ME), read(folder.path(), &room(1), &made_anew)), (7, 0));
        write(folder.path(), &room(1), &made_anew, 2).unwrap();
        assert_eq!((read(folder.path(), &room(1), &ME), read(folder.path(), &room(1), &made_anew)), (0, 2));
        remove(folder.path(), &room(1));
        assert_eq!(read(folder.path(), &room(1), &made_anew), 0);
    }
}
