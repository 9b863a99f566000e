//! Reading and replacing files of a folder that somebody else may have prepared.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::WireError;

/// The text of a file inside `dir`; `None` if there is none. Refuses what a symbolic link would turn
/// into a file elsewhere.
pub(super) fn read_within(dir: &Path, path: &Path) -> Result<Option<String>, WireError> {
    let failed = |source| WireError::Io { path: path.to_owned(), source };
    let leads_away = || WireError::LeadsAway { path: path.to_owned() };
    let dir = dir.canonicalize().map_err(failed)?;
    if !nearest_existing(path).canonicalize().map_err(failed)?.starts_with(&dir) {
        return Err(leads_away());
    }
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error)),
        Ok(metadata) if !metadata.is_file() => Err(leads_away()),
        Ok(metadata) if metadata.len() > LARGEST => Err(failed(io::Error::new(
            ErrorKind::FileTooLarge,
            format!("it has {} bytes, at most {LARGEST} are read", metadata.len()),
        ))),
        Ok(_) => fs::read_to_string(path).map(Some).map_err(failed),
    }
}

/// Replaces a file in one step, or creates it and its folders. Its mode stays.
pub(super) fn write_atomically(path: &Path, text: &str) -> Result<(), WireError> {
    write(path, text).map_err(|source| WireError::Io { path: path.to_owned(), source })
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().ok_or(ErrorKind::InvalidInput)?;
    fs::create_dir_all(folder)?;
    let mut new = builder().tempfile_in(folder)?;
    new.write_all(text.as_bytes())?;
    if let Ok(old) = fs::metadata(path) {
        new.as_file().set_permissions(old.permissions())?;
    }
    new.as_file().sync_all()?;
    new.persist(path)?;
    Ok(())
}

/// A new file gets what the user's umask leaves: it is part of a project that others read.
#[cfg(unix)]
fn builder() -> tempfile::Builder<'static, 'static> {
    use std::os::unix::fs::PermissionsExt;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".pairwave-").permissions(fs::Permissions::from_mode(0o666));
    builder
}

#[cfg(not(unix))]
fn builder() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".pairwave-");
    builder
}

fn nearest_existing(path: &Path) -> PathBuf {
    let mut folders = path.ancestors().skip(1);
    folders.find(|folder| fs::symlink_metadata(folder).is_ok()).unwrap_or(path).to_owned()
}

/// No configuration that a person writes is longer.
const LARGEST: u64 = 1 << 20;
