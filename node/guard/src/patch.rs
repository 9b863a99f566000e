//! Patches: which files they touch, and how.
//!
//! Reads what `git diff` and `diff -u` write, for one file or several. It is stricter than the
//! tools that apply patches: where two of them could disagree about which file is meant, or about
//! where a hunk ends, the patch is refused, as what is shown must be all that would happen.

mod names;
mod parse;
#[cfg(test)]
mod tests;

/// Bytes of a patch.
pub const MAX_BYTES: usize = 8 << 20;
/// Files of a patch.
pub const MAX_FILES: usize = 4096;
/// Hunks of a patch, all files together.
pub const MAX_HUNKS: usize = 65_536;

/// File modes, as git writes them.
pub const EXECUTABLE: u32 = 0o100_755;
pub const SYMLINK: u32 = 0o120_000;
pub const SUBMODULE: u32 = 0o160_000;

/// Changes to several files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Patch {
    /// In the order of the text; never empty.
    pub files: Vec<FilePatch>,
}

/// What happens to one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePatch {
    /// Path before, without git's `a/`; none for a new file.
    pub old: Option<String>,
    /// Path after, without git's `b/`; none for a deleted file.
    pub new: Option<String>,
    pub change: Change,
    /// Mode before, where the patch tells it, as in [`EXECUTABLE`].
    pub old_mode: Option<u32>,
    pub new_mode: Option<u32>,
    /// Its bytes are in the patch, or only said to differ; there are no hunks.
    pub binary: bool,
    pub hunks: Vec<Hunk>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Added,
    Deleted,
    Modified,
    Renamed,
    Copied,
}

/// Lines that change together, with some around them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunk {
    /// Number of the first line, from 1; 0 where there are none.
    pub old_start: u32,
    pub old_lines: u32,
    pub new_start: u32,
    pub new_lines: u32,
    /// What stands behind the second `@@`: the function that it is in.
    pub section: String,
    /// As many as the counts say.
    pub lines: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub kind: LineKind,
    /// Without `+`, `-` or space, and without its end.
    pub text: String,
    /// Number before the patch; none for an added line.
    pub old_number: Option<u32>,
    /// Number after the patch; none for a removed line.
    pub new_number: Option<u32>,
    /// It ends in CR LF.
    pub crlf: bool,
    /// It ends without a newline, at the end of its file.
    pub unterminated: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    Context,
    Added,
    Removed,
}

/// Why a text is not taken for a patch. Lines are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    #[error("it has {0} bytes, more than {MAX_BYTES}: split it")]
    TooLarge(usize),
    #[error("it has more than {MAX_FILES} files: split it")]
    TooManyFiles,
    #[error("it has more than {MAX_HUNKS} hunks: split it")]
    TooManyHunks,
    #[error("there is no diff in it: send what `git diff` or `diff -u` writes")]
    Empty,
    #[error("line {line}: a combined diff of a merge cannot be applied: send the diff against one parent")]
    Combined { line: usize },
    #[error("line {line}: a context diff is not read: send a unified one, as `diff -u` writes it")]
    ContextDiff { line: usize },
    #[error("line {line}: no file is named for what follows: begin it with `diff --git`, or with `---` and `+++`")]
    Nameless { line: usize },
    #[error("line {line}: the header names different files: make the diff anew")]
    Inconsistent { line: usize },
    #[error("line {line}: the quotes of a path are not right: make the diff anew")]
    BadPath { line: usize },
    #[error("line {line}: this is no file mode: make the diff anew")]
    BadMode { line: usize },
    #[error("line {line}: this is no header of a hunk: make the diff anew")]
    BadHunk { line: usize },
    #[error("line {line}: the hunk's lines are not as many as its header says: make the diff anew")]
    BadCount { line: usize },
    #[error("line {line}: the bytes of a binary file are not written as git does: use `git diff --binary`")]
    BadBinary { line: usize },
}

impl Patch {
    /// Reads a patch. What stands around it, such as a commit's message, is passed over.
    pub fn parse(text: &str) -> Result<Self, PatchError> {
        parse::parse(text)
    }

    /// Every path that it touches, both sides, in order, once each.
    pub fn paths(&self) -> Vec<&str> {
        let mut seen = std::collections::HashSet::new();
        let all = self.files.iter().flat_map(|file| [&file.old, &file.new]).flatten();
        all.map(String::as_str).filter(|path| seen.insert(*path)).collect()
    }

    /// Lines that it adds.
    pub fn added(&self) -> usize {
        self.files.iter().map(FilePatch::added).sum()
    }

    /// Lines that it removes.
    pub fn removed(&self) -> usize {
        self.files.iter().map(FilePatch::removed).sum()
    }
}

impl FilePatch {
    /// The path to show: the one after the patch, or the deleted one.
    pub fn path(&self) -> &str {
        self.new.as_deref().or(self.old.as_deref()).unwrap_or_default()
    }

    pub fn added(&self) -> usize {
        self.count(LineKind::Added)
    }

    pub fn removed(&self) -> usize {
        self.count(LineKind::Removed)
    }

    /// It was not executable, or not there, and is to be.
    pub fn becomes_executable(&self) -> bool {
        let executable =
            |mode: Option<u32>| mode.is_some_and(|mode| mode & 0o170_000 == 0o100_000 && mode & 0o111 != 0);
        executable(self.new_mode) && !executable(self.old_mode)
    }

    fn count(&self, kind: LineKind) -> usize {
        self.hunks.iter().flat_map(|hunk| &hunk.lines).filter(|line| line.kind == kind).count()
    }
}
