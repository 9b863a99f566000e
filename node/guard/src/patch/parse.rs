//! Reading patches, line by line, each line once.

use super::names;
use super::{Change, FilePatch, Hunk, Line, LineKind, MAX_BYTES, MAX_FILES, MAX_HUNKS, Patch, PatchError};

pub fn parse(text: &str) -> Result<Patch, PatchError> {
    if text.len() > MAX_BYTES {
        return Err(PatchError::TooLarge(text.len()));
    }
    let mut reader = Reader { lines: text.split('\n').collect(), at: 0, hunks: 0 };
    let mut files = Vec::new();
    while let Some(line) = reader.peek() {
        if let Some(file) = reader.file(line)? {
            files.push(file);
        }
        if files.len() > MAX_FILES {
            return Err(PatchError::TooManyFiles);
        }
    }
    if files.is_empty() { Err(PatchError::Empty) } else { Ok(Patch { files }) }
}

struct Reader<'a> {
    lines: Vec<&'a str>,
    at: usize,
    hunks: usize,
}

/// What git says of a file before its hunks.
#[derive(Default)]
struct Header {
    old: Option<String>,
    new: Option<String>,
    /// Number of the `diff --git` line.
    line: usize,
    change: Option<Change>,
    old_mode: Option<u32>,
    new_mode: Option<u32>,
    from: Option<String>,
    to: Option<String>,
}

impl<'a> Reader<'a> {
    /// The line without its end.
    fn peek(&self) -> Option<&'a str> {
        self.ahead(0)
    }

    fn ahead(&self, by: usize) -> Option<&'a str> {
        self.lines.get(self.at + by).map(|line| line.strip_suffix('\r').unwrap_or(line))
    }

    /// Number of the line, as a human counts.
    fn line(&self) -> usize {
        self.at + 1
    }

    /// A file's part, or one line that is none.
    fn file(&mut self, line: &str) -> Result<Option<FilePatch>, PatchError> {
        let number = self.line();
        if let Some(names) = line.strip_prefix("diff --git ") {
            return self.git_file(names).map(Some);
        }
        if line.starts_with("diff --cc ") || line.starts_with("diff --combined ") || line.starts_with("@@@ ") {
            return Err(PatchError::Combined { line: number });
        }
        if line.starts_with("***************") {
            return Err(PatchError::ContextDiff { line: number });
        }
        if line.starts_with("@@ -") || line == "GIT binary patch" {
            return Err(PatchError::Nameless { line: number });
        }
        if line.starts_with("--- ") && self.ahead(1).is_some_and(|next| next.starts_with("+++ ")) {
            return self.plain_file().map(Some);
        }
        self.at += 1;
        Ok(None)
    }

    fn plain_file(&mut self) -> Result<FilePatch, PatchError> {
        let line = self.line();
        let (old, new) = self.side_names()?;
        let hunks = self.hunks()?;
        let change = match (&old, &new) {
            (None, None) => return Err(PatchError::Nameless { line }),
            (None, _) => Change::Added,
            (_, None) => Change::Deleted,
            _ => Change::Modified,
        };
        Ok(FilePatch { old, new, change, old_mode: None, new_mode: None, binary: false, hunks })
    }

    /// Reads `---` and `+++`.
    fn side_names(&mut self) -> Result<(Option<String>, Option<String>), PatchError> {
        let line = self.line();
        let read =
            |text: Option<&str>, mark: &str| text.and_then(|text| text.strip_prefix(mark)).and_then(names::of_side);
        let (old, new) = (read(self.peek(), "--- "), read(self.ahead(1), "+++ "));
        let (Some(old), Some(new)) = (old, new) else { return Err(PatchError::BadPath { line }) };
        self.at += 2;
        Ok(names::sides(&old, &new))
    }

    fn git_file(&mut self, rest: &str) -> Result<FilePatch, PatchError> {
        let mut header = Header { line: self.line(), ..Header::default() };
        let named = names::of_git_line(rest);
        self.at += 1;
        while let Some(line) = self.peek() {
            if !header.read(line, self.line())? {
                break;
            }
            self.at += 1;
        }
        header.name(named)?;
        let (binary, hunks) = match self.peek() {
            Some(line) if line.starts_with("Binary files ") => {
                self.at += 1;
                (true, Vec::new())
            }
            Some("GIT binary patch") => {
                self.binary()?;
                (true, Vec::new())
            }
            Some(line) if line.starts_with("--- ") => {
                let number = self.line();
                let (old, new) = self.side_names()?;
                header.sides(old, new, number)?;
                (false, self.hunks()?)
            }
            Some(line) if line.starts_with("@@") => return Err(PatchError::Nameless { line: self.line() }),
            _ => (false, Vec::new()),
        };
        header.finish(binary, hunks)
    }

    /// Passes over the bytes of a binary file: `literal` or `delta`, lines of one word, an empty line.
    fn binary(&mut self) -> Result<(), PatchError> {
        self.at += 1;
        let marks = |line: &str| line.starts_with("literal ") || line.starts_with("delta ");
        if !self.peek().is_some_and(marks) {
            return Err(PatchError::BadBinary { line: self.line() });
        }
        while self.peek().is_some_and(marks) {
            self.at += 1;
            while let Some(line) = self.peek().filter(|line| !line.is_empty()) {
                if line.contains(' ') {
                    return Err(PatchError::BadBinary { line: self.line() });
                }
                self.at += 1;
            }
            self.at += 1;
        }
        Ok(())
    }

    fn hunks(&mut self) -> Result<Vec<Hunk>, PatchError> {
        let mut hunks = Vec::new();
        while let Some(line) = self.peek() {
            if line.starts_with("@@@") {
                return Err(PatchError::Combined { line: self.line() });
            }
            if !line.starts_with("@@") {
                break;
            }
            self.hunks += 1;
            if self.hunks > MAX_HUNKS {
                return Err(PatchError::TooManyHunks);
            }
            hunks.push(self.hunk(line)?);
        }
        Ok(hunks)
    }

    fn hunk(&mut self, line: &str) -> Result<Hunk, PatchError> {
        let mut hunk = hunk_header(line).ok_or(PatchError::BadHunk { line: self.line() })?;
        self.at += 1;
        let (mut old, mut new) = (0, 0);
        while (old, new) != (hunk.old_lines, hunk.new_lines) {
            let raw = self.lines.get(self.at).ok_or(PatchError::BadCount { line: self.line() })?;
            let Some(line) = self.hunk_line(raw, &hunk, (&mut old, &mut new))? else {
                self.mark_unterminated(&mut hunk)?;
                continue;
            };
            hunk.lines.push(line);
            self.at += 1;
        }
        while self.peek().is_some_and(|line| line.starts_with('\\')) {
            self.mark_unterminated(&mut hunk)?;
        }
        self.ends_here()?;
        Ok(hunk)
    }

    /// A line of a hunk; none for what is said of the line before.
    fn hunk_line(&self, raw: &str, hunk: &Hunk, count: (&mut u32, &mut u32)) -> Result<Option<Line>, PatchError> {
        let (text, crlf) = raw.strip_suffix('\r').map_or((raw, false), |text| (text, true));
        let (kind, text) = match text.as_bytes().first() {
            // Some mailers cut the space from an empty line of context.
            None => (LineKind::Context, text),
            Some(b' ') => (LineKind::Context, &text[1..]),
            Some(b'+') => (LineKind::Added, &text[1..]),
            Some(b'-') => (LineKind::Removed, &text[1..]),
            Some(b'\\') => return Ok(None),
            Some(_) => return Err(PatchError::BadCount { line: self.line() }),
        };
        let (old, new) = count;
        let old_number = (kind != LineKind::Added).then(|| hunk.old_start.saturating_add(*old));
        let new_number = (kind != LineKind::Removed).then(|| hunk.new_start.saturating_add(*new));
        *old += u32::from(old_number.is_some());
        *new += u32::from(new_number.is_some());
        if *old > hunk.old_lines || *new > hunk.new_lines {
            return Err(PatchError::BadCount { line: self.line() });
        }
        Ok(Some(Line { kind, text: text.to_owned(), old_number, new_number, crlf, unterminated: false }))
    }

    fn mark_unterminated(&mut self, hunk: &mut Hunk) -> Result<(), PatchError> {
        let last = hunk.lines.last_mut().ok_or(PatchError::BadCount { line: self.line() })?;
        last.unterminated = true;
        self.at += 1;
        Ok(())
    }

    /// What looks like a line of the hunk that has just ended was left out of its counts.
    fn ends_here(&self) -> Result<(), PatchError> {
        let Some(line) = self.peek() else { return Ok(()) };
        let header = line.starts_with("--- ") && self.ahead(1).is_some_and(|next| next.starts_with("+++ "));
        let signature = line == "-- " || line == "--";
        if line.starts_with(['+', '-', ' ']) && !header && !signature {
            return Err(PatchError::BadCount { line: self.line() });
        }
        Ok(())
    }
}

impl Header {
    /// Takes a line of the header; says whether it was one.
    fn read(&mut self, line: &str, number: usize) -> Result<bool, PatchError> {
        let mode = |text: &str| {
            let known = text.len() == 6 && text.bytes().all(|byte| (b'0'..b'8').contains(&byte));
            u32::from_str_radix(text, 8).ok().filter(|_| known).ok_or(PatchError::BadMode { line: number }).map(Some)
        };
        let path = |text: &str| names::whole(text).ok_or(PatchError::BadPath { line: number }).map(Some);
        if let Some(text) = line.strip_prefix("old mode ") {
            self.old_mode = mode(text)?;
        } else if let Some(text) = line.strip_prefix("new mode ") {
            self.new_mode = mode(text)?;
        } else if let Some(text) = line.strip_prefix("new file mode ") {
            (self.new_mode, self.change) = (mode(text)?, Some(Change::Added));
        } else if let Some(text) = line.strip_prefix("deleted file mode ") {
            (self.old_mode, self.change) = (mode(text)?, Some(Change::Deleted));
        } else if let Some(text) = line.strip_prefix("rename from ").or_else(|| line.strip_prefix("rename old ")) {
            (self.from, self.change) = (path(text)?, Some(Change::Renamed));
        } else if let Some(text) = line.strip_prefix("copy from ") {
            (self.from, self.change) = (path(text)?, Some(Change::Copied));
        } else if let Some(text) =
            ["rename to ", "rename new ", "copy to "].iter().find_map(|mark| line.strip_prefix(mark))
        {
            self.to = path(text)?;
        } else if let Some(text) = line.strip_prefix("index ") {
            self.index(text, mode);
        } else {
            return Ok(line.starts_with("similarity index ") || line.starts_with("dissimilarity index "));
        }
        Ok(true)
    }

    /// `index 1234567..89abcde 100644`: the mode of a file that keeps it.
    fn index(&mut self, text: &str, mode: impl Fn(&str) -> Result<Option<u32>, PatchError>) {
        if let Some(kept) = text.split(' ').nth(1).and_then(|text| mode(text).ok().flatten()) {
            self.old_mode = self.old_mode.or(Some(kept));
            self.new_mode = self.new_mode.or(Some(kept));
        }
    }

    /// Settles the names, from the first line or from what is renamed.
    fn name(&mut self, named: Option<(String, String)>) -> Result<(), PatchError> {
        let named = named.map(|(old, new)| names::sides(&old, &new));
        let moved = (self.from.take(), self.to.take());
        (self.old, self.new) = match (named, moved) {
            (_, (Some(_), None) | (None, Some(_))) => return Err(PatchError::Inconsistent { line: self.line }),
            (Some((old, new)), (Some(from), Some(to))) if (old.as_ref(), new.as_ref()) != (Some(&from), Some(&to)) => {
                return Err(PatchError::Inconsistent { line: self.line });
            }
            (_, (Some(from), Some(to))) => (Some(from), Some(to)),
            (Some(names), _) => names,
            (None, _) => (None, None),
        };
        Ok(())
    }

    /// The names of `---` and `+++` must be the ones that are known already.
    fn sides(&mut self, old: Option<String>, new: Option<String>, line: usize) -> Result<(), PatchError> {
        match (&old, &new) {
            (None, None) => return Err(PatchError::Nameless { line }),
            (None, _) => self.change = self.change.or(Some(Change::Added)),
            (_, None) => self.change = self.change.or(Some(Change::Deleted)),
            _ => {}
        }
        let other = |known: &Option<String>, said: &Option<String>| known.is_some() && said.is_some() && known != said;
        if other(&self.old, &old) || other(&self.new, &new) {
            return Err(PatchError::Inconsistent { line });
        }
        self.old = self.old.take().or(old);
        self.new = self.new.take().or(new);
        Ok(())
    }

    fn finish(self, binary: bool, hunks: Vec<Hunk>) -> Result<FilePatch, PatchError> {
        let change = self.change.unwrap_or(Change::Modified);
        let (mut old, mut new) = (self.old, self.new);
        match change {
            Change::Added => old = None,
            Change::Deleted => new = None,
            Change::Modified if old != new => return Err(PatchError::Inconsistent { line: self.line }),
            _ => {}
        }
        if old.is_none() && new.is_none() {
            return Err(PatchError::Nameless { line: self.line });
        }
        Ok(FilePatch { old, new, change, old_mode: self.old_mode, new_mode: self.new_mode, binary, hunks })
    }
}

/// `@@ -1,2 +3,4 @@ section`.
fn hunk_header(line: &str) -> Option<Hunk> {
    let (ranges, section) = line.strip_prefix("@@ -")?.split_once(" @@")?;
    let (old, new) = ranges.split_once(" +")?;
    let range = |text: &str| match text.split_once(',') {
        Some((start, lines)) => Some((number(start)?, number(lines)?)),
        None => Some((number(text)?, 1)),
    };
    let ((old_start, old_lines), (new_start, new_lines)) = (range(old)?, range(new)?);
    old_start.checked_add(old_lines)?;
    new_start.checked_add(new_lines)?;
    let section = section.strip_prefix(' ').unwrap_or(section).to_owned();
    Some(Hunk { old_start, old_lines, new_start, new_lines, section, lines: Vec::new() })
}

fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}
