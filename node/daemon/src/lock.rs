//! One companion per home.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use pairwave_api::home::Home;

use crate::home::replace;

/// Holds the home until it is dropped, or its process ends in whatever way.
#[derive(Debug)]
pub struct Lock {
    _file: File,
    pid: PathBuf,
}

/// Why this process may not be the home's companion.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("a companion is running for this home already{}. Stop it with `pairwave down`.", named(.pid))]
    Held { pid: Option<u32> },
    #[error("{path} cannot be locked: {source}. Check its permissions and the free space of the disk.")]
    Io { path: PathBuf, source: io::Error },
}

impl Lock {
    /// Takes the home, or says who has it. Leaves our process id for others to read.
    pub fn take(home: &Home) -> Result<Self, LockError> {
        let path = home.lock();
        let io = |source| LockError::Io { path: path.clone(), source };
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LockError::Held { pid: holder(&home.pid()) }),
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        // On a full disk there is nothing to leave, but everything to read.
        let _ = replace(&home.pid(), format!("{}\n", std::process::id()).as_bytes(), false);
        Ok(Self { _file: file, pid: home.pid() })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // While the lock is still ours, so that a successor's file is never the one removed.
        let _ = fs::remove_file(&self.pid);
    }
}

fn holder(path: &Path) -> Option<u32> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn named(pid: &Option<u32>) -> String {
    pid.map_or_else(String::new, |pid| format!(" (process {pid})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_was_first() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::new(dir.path());
        crate::home::prepare(&home).unwrap();
        let first = Lock::take(&home).unwrap();
        let refused = Lock::take(&home).unwrap_err();
        assert!(matches!(refused, LockError::Held { pid: Some(pid) } if pid == std::process::id()));
        assert!(refused.to_string().contains(&std::process::id().to_string()));
        drop(first);
        assert!(!home.pid().exists());
        Lock::take(&home).unwrap();
    }
}
