//! The folders and key files of one person on one machine: nobody else may read them.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use pairwave_api::home::Home;
use zeroize::Zeroizing;

/// Bytes of a key file.
const KEY: usize = 32;

/// Why a home cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    #[error("{path} belongs to another user (uid {uid}). Choose a home of your own with --home or PAIRWAVE_HOME.")]
    NotOurs { path: PathBuf, uid: u32 },
    #[error("{path} is no folder. Move it away, or choose another home with --home or PAIRWAVE_HOME.")]
    NotAFolder { path: PathBuf },
    #[error(
        "{path} can be read by others (mode {mode:03o}), so the key in it may have leaked. \
         If it has not, run `chmod 600 {path}` and try again."
    )]
    Readable { path: PathBuf, mode: u32 },
    #[error("{path} holds {got} bytes where a key has {KEY}. Restore it from a copy of this home.")]
    NotAKey { path: PathBuf, got: usize },
    #[error("{path} cannot be used: {source}. Check its permissions and the free space of the disk.")]
    Io { path: PathBuf, source: io::Error },
}

/// Makes the folders of a home, 0700 each. One that is ours but open to others is closed to them.
pub fn prepare(home: &Home) -> Result<(), HomeError> {
    for folder in [home.path().to_path_buf(), home.run(), home.store(), home.rooms()] {
        private_folder(&folder)?;
    }
    Ok(())
}

/// Reads the key at `path`; makes one from the system's randomness where there is none.
pub fn key(path: &Path) -> Result<Zeroizing<[u8; KEY]>, HomeError> {
    match File::open(path) {
        Ok(file) => read_key(path, file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => make_key(path),
        Err(source) => Err(HomeError::Io { path: path.into(), source }),
    }
}

/// Replaces a file in one step: a reader sees the old content or the new, never half of it.
/// Survives a power failure only with `sync`.
pub fn replace(path: &Path, content: &[u8], sync: bool) -> io::Result<()> {
    let new = beside(path);
    let written = write_new(&new, content, sync).and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written?;
    if sync { sync_folder_of(path) } else { Ok(()) }
}

/// Makes a folder and its parents, the folder itself closed to others.
pub fn private_folder(path: &Path) -> Result<(), HomeError> {
    let io = |source| HomeError::Io { path: path.into(), source };
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .or_else(|error| if error.kind() == io::ErrorKind::AlreadyExists { Ok(()) } else { Err(io(error)) })?;
    let metadata = fs::metadata(path).map_err(io)?;
    if !metadata.is_dir() {
        return Err(HomeError::NotAFolder { path: path.into() });
    }
    check_owner(path, &metadata)?;
    if metadata.mode() & 0o077 != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(io)?;
    }
    Ok(())
}

fn check_owner(path: &Path, metadata: &Metadata) -> Result<(), HomeError> {
    let uid = metadata.uid();
    if uid == rustix::process::geteuid().as_raw() { Ok(()) } else { Err(HomeError::NotOurs { path: path.into(), uid }) }
}

fn read_key(path: &Path, mut file: File) -> Result<Zeroizing<[u8; KEY]>, HomeError> {
    let io = |source| HomeError::Io { path: path.into(), source };
    let metadata = file.metadata().map_err(io)?;
    check_owner(path, &metadata)?;
    if metadata.mode() & 0o077 != 0 {
        return Err(HomeError::Readable { path: path.into(), mode: metadata.mode() & 0o777 });
    }
    let got = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
    if got != KEY {
        return Err(HomeError::NotAKey { path: path.into(), got });
    }
    let mut key = Zeroizing::new([0; KEY]);
    file.read_exact(&mut *key).map_err(io)?;
    Ok(key)
}

fn make_key(path: &Path) -> Result<Zeroizing<[u8; KEY]>, HomeError> {
    let io = |source| HomeError::Io { path: path.into(), source };
    let mut key = Zeroizing::new([0; KEY]);
    getrandom::fill(&mut *key).map_err(|error| io(io::Error::other(error)))?;
    let new = beside(path);
    // A link fails where a rename would replace: no key that somebody else just made is ever lost.
    let made = write_new(&new, &*key, true).and_then(|()| fs::hard_link(&new, path));
    let _ = fs::remove_file(&new);
    made.and_then(|()| sync_folder_of(path)).map_err(io)?;
    Ok(key)
}

fn write_new(path: &Path, content: &[u8], sync: bool) -> io::Result<()> {
    let _ = fs::remove_file(path);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content)?;
    if sync { file.sync_all() } else { Ok(()) }
}

fn sync_folder_of(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".new");
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> (tempfile::TempDir, Home) {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::new(dir.path().join("deep/home"));
        (dir, home)
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn folders_are_closed_to_others() {
        let (_dir, home) = home();
        prepare(&home).unwrap();
        assert_eq!([home.path(), &home.run(), &home.store()].map(mode), [0o700; 3]);
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
        prepare(&home).unwrap();
        assert_eq!(mode(home.path()), 0o700);
    }

    #[test]
    fn a_key_is_made_once() {
        let (_dir, home) = home();
        prepare(&home).unwrap();
        let first = key(&home.identity_key()).unwrap();
        assert_eq!(mode(&home.identity_key()), 0o600);
        assert_eq!(*key(&home.identity_key()).unwrap(), *first);
        assert_ne!(*key(&home.transport_key()).unwrap(), *first);
        assert_eq!(fs::read_dir(home.path()).unwrap().filter(|e| e.as_ref().unwrap().path().is_file()).count(), 2);
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let (_dir, home) = home();
        prepare(&home).unwrap();
        key(&home.identity_key()).unwrap();
        fs::set_permissions(home.identity_key(), fs::Permissions::from_mode(0o640)).unwrap();
        let error = key(&home.identity_key()).unwrap_err();
        assert!(matches!(error, HomeError::Readable { mode: 0o640, .. }));
        assert!(error.to_string().contains("chmod 600"));
    }

    #[test]
    fn a_damaged_key_is_not_replaced() {
        let (_dir, home) = home();
        prepare(&home).unwrap();
        replace(&home.identity_key(), b"short", true).unwrap();
        assert!(matches!(key(&home.identity_key()), Err(HomeError::NotAKey { got: 5, .. })));
        assert_eq!(fs::read(home.identity_key()).unwrap(), b"short");
    }

    #[test]
    fn a_file_in_the_place_of_a_folder_is_named() {
        let (_dir, home) = home();
        fs::create_dir_all(home.path()).unwrap();
        fs::write(home.run(), b"").unwrap();
        assert!(matches!(prepare(&home), Err(HomeError::NotAFolder { path }) if path == home.run()));
    }
}
