//! What members shared, in the api's words.

use pairwave_api::{ArtifactItem, DiffFile, DiffHunk, DiffLine};
use pairwave_core::artifacts::Shared;
use pairwave_core::blobs::{Progress, Stage, Waits};
use pairwave_core::event::Body;
use pairwave_core::id::EventId;
use pairwave_core::log::{Log, LogError, Position};
use pairwave_guard::patch::{Change, FilePatch, Hunk, Line, LineKind, Patch};

use super::{Viewer, time};

/// Bytes of a diff's lines that are shown.
const DIFF: usize = 512 << 10;

/// One artifact, and where it stands in the room's order.
pub struct Found {
    pub position: Position,
    pub item: ArtifactItem,
    pub shared: Shared,
    pub stage: Stage,
}

impl<L: Log> Viewer<'_, L> {
    /// An artifact by its id, if it is or was wanted here.
    pub fn artifact(&self, id: &EventId) -> Result<Option<Found>, LogError> {
        let Some(progress) = self.node.artifact(&self.room.id(), id) else { return Ok(None) };
        let Some((record, event)) = self.event(id)? else { return Ok(None) };
        let Body::Shared(shared) = event.body else { return Ok(None) };
        let item = ArtifactItem {
            id: id.to_string(),
            headline: shared.headline.clone(),
            from: self.name(&event.author),
            member: event.author.to_string(),
            me: event.author == self.me(),
            at: time(event.claimed_time),
            size: shared.blob.size,
            state: state(&progress).to_owned(),
            progress: progress.here,
            waits: progress.waits.map(|waits| words(waits).to_owned()),
            is_patch: shared.is_patch,
            language: shared.language.clone(),
            path_hint: shared.path_hint.clone(),
            ..ArtifactItem::default()
        };
        Ok(Some(Found { position: record.position, item, shared, stage: progress.stage }))
    }
}

fn state(progress: &Progress) -> &'static str {
    match (progress.stage, progress.waits) {
        (Stage::Complete, _) => "complete",
        (Stage::Removed, _) => "removed",
        (Stage::Broken, _) => "broken",
        (Stage::Full, _) | (Stage::Fetching, Some(_)) => "waiting",
        (Stage::Fetching, None) => "fetching",
    }
}

fn words(waits: Waits) -> &'static str {
    match waits {
        Waits::ForRoom => "waits for room: remove something with `pairwave quarantine remove ID`",
        Waits::ForAWiderPath => "waits for a direct path or a relay with a token",
        Waits::ForSomebody => "waits for somebody who has it",
    }
}

/// A patch, taken apart, as far as it is shown. Says whether there is more.
pub fn diff(patch: &Patch) -> (Vec<DiffFile>, bool) {
    let mut left = DIFF;
    let files = patch.files.iter().map(|file| diff_file(file, &mut left)).collect();
    (files, left == 0)
}

fn diff_file(file: &FilePatch, left: &mut usize) -> DiffFile {
    let change = match file.change {
        Change::Added => "added",
        Change::Deleted => "deleted",
        Change::Modified => "modified",
        Change::Renamed => "renamed",
        Change::Copied => "copied",
    };
    DiffFile {
        old: file.old.clone(),
        new: file.new.clone(),
        change: change.to_owned(),
        executable: file.becomes_executable(),
        binary: file.binary,
        added: file.added(),
        removed: file.removed(),
        hunks: file.hunks.iter().map_while(|hunk| diff_hunk(hunk, left)).collect(),
    }
}

fn diff_hunk(hunk: &Hunk, left: &mut usize) -> Option<DiffHunk> {
    if *left == 0 {
        return None;
    }
    Some(DiffHunk {
        old_start: hunk.old_start,
        old_lines: hunk.old_lines,
        new_start: hunk.new_start,
        new_lines: hunk.new_lines,
        section: hunk.section.clone(),
        lines: hunk.lines.iter().map_while(|line| diff_line(line, left)).collect(),
    })
}

fn diff_line(line: &Line, left: &mut usize) -> Option<DiffLine> {
    // What stands around a line in an answer costs more than a short one.
    *left = left.saturating_sub(line.text.len() + 64);
    if *left == 0 {
        return None;
    }
    let kind = match line.kind {
        LineKind::Context => "context",
        LineKind::Added => "added",
        LineKind::Removed => "removed",
    };
    let (old, new) = (line.old_number, line.new_number);
    Some(DiffLine { kind: kind.to_owned(), text: line.text.clone(), old, new })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_patch_is_cut_and_says_so() {
        let line = format!("+{}\n", "x".repeat(1000));
        let text = format!("--- /dev/null\n+++ b/one\n@@ -0,0 +1,1000 @@\n{}", line.repeat(1000));
        let (files, cut) = diff(&Patch::parse(&text).unwrap());
        assert!(cut);
        assert_eq!((files[0].added, files[0].old.as_deref(), files[0].change.as_str()), (1000, None, "added"));
        let lines = &files[0].hunks[0].lines;
        assert!(lines.len() < 500 && lines.len() > 400 && lines[0].new == Some(1));
    }
}
