//! Where a companion keeps its things.

use std::path::{Path, PathBuf};

/// The state of one person on one machine, `$PAIRWAVE_HOME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home(PathBuf);

impl Home {
    /// A home at this path, whether it exists or not.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The secret key that signs events, links and knocks.
    pub fn identity_key(&self) -> PathBuf {
        self.0.join("identity.key")
    }

    /// The secret key that libp2p knows us by.
    pub fn transport_key(&self) -> PathBuf {
        self.0.join("transport.key")
    }

    /// The key that seals the store.
    pub fn storage_key(&self) -> PathBuf {
        self.0.join("storage.key")
    }

    /// The settings, as TOML.
    pub fn config(&self) -> PathBuf {
        self.0.join("config.toml")
    }

    /// The database's folder.
    pub fn store(&self) -> PathBuf {
        self.0.join("store")
    }

    /// What is kept of rooms outside the database.
    pub fn rooms(&self) -> PathBuf {
        self.0.join("rooms")
    }

    /// What is kept of one room outside the database.
    pub fn room(&self, room: &str) -> PathBuf {
        self.rooms().join(room)
    }

    /// What belongs to a running companion.
    pub fn run(&self) -> PathBuf {
        self.0.join("run")
    }

    /// The process id of the companion, as text.
    pub fn pid(&self) -> PathBuf {
        self.run().join("pid")
    }

    /// Locked as long as a companion runs.
    pub fn lock(&self) -> PathBuf {
        self.run().join("lock")
    }

    /// What the companion notes down.
    pub fn log(&self) -> PathBuf {
        self.run().join("pairwave.log")
    }

    /// The ports that the companion listened on last.
    pub fn ports(&self) -> PathBuf {
        self.run().join("ports")
    }

    /// Who may use the page in the browser, and where it was last.
    pub fn dashboard(&self) -> PathBuf {
        self.run().join("dashboard")
    }

    /// Leads a browser into the page, with a code that is good once. There only until the code was used.
    pub fn way_in(&self) -> PathBuf {
        self.run().join("open-dashboard.html")
    }

    /// The control socket, or a file that names it where this path is too long for a socket.
    pub fn socket(&self) -> PathBuf {
        self.run().join("control.sock")
    }
}
