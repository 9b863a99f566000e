//! The relay's own key: its peer id, under which companions know it.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use libp2p::identity::Keypair;
use zeroize::Zeroizing;

use crate::error::RelayError;

const FILE: &str = "relay.key";

/// Makes the folder that everything is kept in, and shuts out everybody but this user.
pub fn make_folder(path: &Path) -> Result<(), RelayError> {
    let failed = |why| RelayError::Data { path: path.into(), why };
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
    if fs::metadata(path).map_err(failed)?.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    if !is_ours(path).map_err(failed)? {
        return Err(RelayError::Shared { path: path.into() });
    }
    match fs::set_permissions(path, Permissions::from_mode(0o700)) {
        // The folder of somebody else, whose group may write there: it is theirs to shut.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            tracing::warn!(path = %path.display(), "others may read the folder, and it is not ours to shut");
            Ok(())
        }
        set => set.map_err(failed),
    }
}

/// Reads the key of a relay that keeps its things in `folder`; makes one if there is none.
pub fn load_or_create(folder: &Path) -> Result<Keypair, RelayError> {
    let path = folder.join(FILE);
    let failed = |why| RelayError::Data { path: path.clone(), why };
    match fs::read(&path) {
        Ok(bytes) => {
            let bytes = Zeroizing::new(bytes);
            let key = Keypair::from_protobuf_encoding(&bytes);
            key.map_err(|_| RelayError::Key { path: path.clone() })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let key = Keypair::generate_ed25519();
            let bytes =
                key.to_protobuf_encoding().map(Zeroizing::new).map_err(|_| RelayError::Key { path: path.clone() })?;
            write_new(folder, FILE, &bytes).map_err(failed)?;
            Ok(key)
        }
        Err(error) => Err(failed(error)),
    }
}

/// What a file system of its own brings along.
const LOST_AND_FOUND: &str = "lost+found";

/// Whether it holds a relay's things, or nothing so far. What others use must not be shut to them.
fn is_ours(folder: &Path) -> io::Result<bool> {
    let is_other = |entry: io::Result<fs::DirEntry>| entry.map(|entry| entry.file_name() != LOST_AND_FOUND);
    let mut others = fs::read_dir(folder)?.map(is_other);
    Ok(folder.join(FILE).exists() || others.all(|is_other| matches!(is_other, Ok(false))))
}

/// Writes a file that either is there as a whole or not at all, readable for nobody else.
pub fn write_new(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let half = folder.join(format!("{name}.new"));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&half)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&half, folder.join(name))?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_key_is_made_once_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        make_folder(&path).unwrap();
        let first = load_or_create(&path).unwrap();
        assert_eq!(load_or_create(&path).unwrap().public(), first.public());
        assert_eq!((mode(&path), mode(&path.join(FILE))), (0o700, 0o600));
    }

    #[test]
    fn a_folder_that_others_can_enter_is_shut_unless_it_is_theirs() {
        let folder = tempfile::tempdir().unwrap();
        let open = || fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        open();
        fs::create_dir(folder.path().join(LOST_AND_FOUND)).unwrap();
        make_folder(folder.path()).unwrap();
        assert_eq!(mode(folder.path()), 0o700, "there is nothing of anybody's in it");
        fs::write(folder.path().join("letter.txt"), b"to alice").unwrap();
        open();
        assert!(matches!(make_folder(folder.path()), Err(RelayError::Shared { .. })));
        assert_eq!(mode(folder.path()), 0o755);
        load_or_create(folder.path()).unwrap();
        make_folder(folder.path()).unwrap();
        assert_eq!(mode(folder.path()), 0o700, "it is a relay's");
    }

    #[test]
    fn a_damaged_key_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), b"half").unwrap();
        assert!(matches!(load_or_create(folder.path()), Err(RelayError::Key { .. })));
        assert_eq!(fs::read(folder.path().join(FILE)).unwrap(), b"half");
    }
}
