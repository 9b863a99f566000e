//! The socket itself: where it stands, and that it is for our own user alone.

use std::fs::{DirBuilder, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use pairwave_api::Home;
use pairwave_api::control::{SOCKET_PATH_MAX, socket_path};
use tokio::net::{UnixListener, UnixStream};

/// The control socket cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    #[error("the control socket {path:?} cannot be opened: {error}")]
    Open { path: PathBuf, error: io::Error },
    #[error("{path:?} is in the way of the control socket")]
    InTheWay { path: PathBuf },
    #[error("no folder of the system is short enough for a socket: {tried:?}")]
    NoShortFolder { tried: Vec<PathBuf> },
}

/// The open control socket; removed when dropped.
pub struct Listener {
    listener: UnixListener,
    /// What to remove, in this order.
    files: Vec<PathBuf>,
    folder: Option<PathBuf>,
}

impl Listener {
    /// Opens the socket of this home, whose lock the caller holds: what is there now is stale.
    pub fn bind(home: &Home) -> Result<Self, BindError> {
        let named = home.socket();
        clear(home)?;
        if named.as_os_str().len() <= SOCKET_PATH_MAX {
            let listener = listen(&named)?;
            return Ok(Self { listener, files: vec![named], folder: None });
        }
        let folder = short_folder()?;
        let real = folder.join("s");
        let made = listen(&real).and_then(|listener| {
            name(&named, &real).map_err(|error| BindError::Open { path: named.clone(), error })?;
            Ok(listener)
        });
        let (files, folder) = (vec![named, real], Some(folder));
        match made {
            Ok(listener) => Ok(Self { listener, files, folder }),
            Err(error) => {
                remove(&files, folder.as_deref());
                Err(error)
            }
        }
    }

    /// The next connection of our own user, with its process. Those of others are closed unanswered.
    pub(super) async fn accept(&self) -> io::Result<(UnixStream, Option<u32>)> {
        loop {
            let (stream, _) = self.listener.accept().await?;
            let theirs = stream.peer_cred()?;
            if may_connect(theirs.uid(), rustix::process::geteuid().as_raw()) {
                let pid = theirs.pid().and_then(|pid| u32::try_from(pid).ok());
                return Ok((stream, pid));
            }
            tracing::warn!(uid = theirs.uid(), "another user tried the control socket");
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        remove(&self.files, self.folder.as_deref());
    }
}

/// Only our own user; not even root, whose processes have no business here.
fn may_connect(theirs: u32, ours: u32) -> bool {
    theirs == ours
}

/// Removes the socket of a companion that did not end cleanly, and the folder that it made for it.
fn clear(home: &Home) -> Result<(), BindError> {
    let named = home.socket();
    let Ok(metadata) = std::fs::symlink_metadata(&named) else { return Ok(()) };
    let is_socket = metadata.file_type().is_socket();
    if !is_socket && !metadata.is_file() {
        return Err(BindError::InTheWay { path: named });
    }
    if let Some(real) = socket_path(home).ok().filter(|_| !is_socket) {
        remove(std::slice::from_ref(&real), real.parent().filter(|folder| is_ours(folder)));
    }
    std::fs::remove_file(&named).map_err(|error| BindError::Open { path: named, error })
}

fn listen(path: &Path) -> Result<UnixListener, BindError> {
    let listener = UnixListener::bind(path).and_then(|listener| {
        std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
        Ok(listener)
    });
    listener.map_err(|error| BindError::Open { path: path.to_owned(), error })
}

/// A new folder for ourselves alone in a place with a short name.
fn short_folder() -> Result<PathBuf, BindError> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").filter(|dir| !dir.is_empty()).map(PathBuf::from);
    let places = runtime.into_iter().chain([std::env::temp_dir(), PathBuf::from("/tmp")]);
    let mut tried = Vec::new();
    for place in places {
        let folder = place.join(format!("{PREFIX}{:016x}", random()));
        let fits = folder.as_os_str().len() + 2 <= SOCKET_PATH_MAX;
        if fits && DirBuilder::new().mode(0o700).create(&folder).is_ok() {
            return Ok(folder);
        }
        tried.push(place);
    }
    Err(BindError::NoShortFolder { tried })
}

const PREFIX: &str = "pairwave-";

fn is_ours(folder: &Path) -> bool {
    folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX))
}

/// Unpredictable enough not to collide; the folder's mode is what protects it.
fn random() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

/// Leaves a note at `named` that the socket is at `real`; complete or not at all.
fn name(named: &Path, real: &Path) -> io::Result<()> {
    let draft = named.with_extension("new");
    let _ = std::fs::remove_file(&draft);
    let mut file: File = File::options().write(true).create_new(true).mode(0o600).open(&draft)?;
    writeln!(file, "{}", real.display())?;
    std::fs::rename(draft, named)
}

fn remove(files: &[PathBuf], folder: Option<&Path>) {
    for file in files {
        let _ = std::fs::remove_file(file);
    }
    if let Some(folder) = folder {
        let _ = std::fs::remove_dir(folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn home(under: &Path) -> Home {
        let home = Home::new(under);
        std::fs::create_dir_all(home.run()).unwrap();
        home
    }

    #[tokio::test]
    async fn the_socket_is_private_and_goes_with_its_listener() {
        let folder = tempfile::tempdir().unwrap();
        let home = home(folder.path());
        let listener = Listener::bind(&home).unwrap();
        assert_eq!(mode(&home.socket()), 0o600);
        drop(listener);
        assert!(!home.socket().exists());
    }

    #[tokio::test]
    async fn a_long_path_is_served_from_a_short_one() {
        let folder = tempfile::tempdir().unwrap();
        let home = home(&folder.path().join("x".repeat(SOCKET_PATH_MAX)));
        let listener = Listener::bind(&home).unwrap();
        let real = socket_path(&home).unwrap();
        assert_ne!(real, home.socket());
        assert_eq!((mode(&home.socket()), mode(&real), mode(real.parent().unwrap())), (0o600, 0o600, 0o700));
        drop(listener);
        assert!(!real.parent().unwrap().exists() && !home.socket().exists());
    }

    #[tokio::test]
    async fn what_a_killed_companion_left_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        for home in [home(&folder.path().join("a")), home(&folder.path().join("x".repeat(SOCKET_PATH_MAX)))] {
            let killed = Listener::bind(&home).unwrap();
            let left = socket_path(&home).unwrap();
            let files = std::mem::ManuallyDrop::new(killed);
            let _again = Listener::bind(&home).unwrap();
            let now = socket_path(&home).unwrap();
            assert!(now.exists());
            assert!(now == left || !left.parent().unwrap().exists());
            drop(std::mem::ManuallyDrop::into_inner(files));
        }
    }

    #[test]
    fn another_user_may_not_connect() {
        assert!(may_connect(1000, 1000));
        assert!(!may_connect(1001, 1000));
        assert!(!may_connect(0, 1000));
    }
}
