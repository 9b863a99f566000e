//! The relay's own key: its peer id, under which companions know it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use libp2p::identity::Keypair;
use zeroize::Zeroizing;

use crate::error::RelayError;

const FILE: &str = "relay.key";

/// Makes the folder that everything is kept in, for nobody but this user.
pub fn make_folder(path: &Path) -> Result<(), RelayError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|why| RelayError::Data { path: path.into(), why })
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
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_key_is_made_once_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        make_folder(&path).unwrap();
        let first = load_or_create(&path).unwrap();
        assert_eq!(load_or_create(&path).unwrap().public(), first.public());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&path.join(FILE))), (0o700, 0o600));
    }

    #[test]
    fn a_damaged_key_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), b"half").unwrap();
        assert!(matches!(load_or_create(folder.path()), Err(RelayError::Key { .. })));
        assert_eq!(fs::read(folder.path().join(FILE)).unwrap(), b"half");
    }
}
