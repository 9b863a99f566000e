//! Which folder has which room.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use pairwave_core::id::RoomId;
use pairwave_core::key::{StorageKey, keyed_hash};
use pairwave_core::log::LogError;
use pairwave_core::seal::{self, Place};
use tokio::sync::oneshot;

use super::committer::Committer;
use super::tables::{Tables, meta};
use super::write::{Write, WriteError};
use super::{Shared, Store};

/// The bindings of all folders; cheap to clone.
#[derive(Clone)]
pub struct Bindings {
    rooms: Arc<RwLock<BTreeMap<PathBuf, RoomId>>>,
    committer: Committer,
}

impl Bindings {
    pub fn load(store: &Store, committer: Committer) -> Result<Self, LogError> {
        let rooms = Arc::new(RwLock::new(stored(&store.0)?));
        Ok(Self { rooms, committer })
    }

    /// Binds a folder to a room, durably. A folder has one room; a room may have many folders.
    pub async fn bind(&self, folder: &Path, room: RoomId) -> Result<(), WriteError> {
        self.write(canonical(folder), Some(room)).await
    }

    /// Frees a folder.
    pub async fn unbind(&self, folder: &Path) -> Result<(), WriteError> {
        self.write(canonical(folder), None).await
    }

    /// The room of this folder, or of its nearest parent that has one, and that folder.
    pub fn bound(&self, folder: &Path) -> Option<(PathBuf, RoomId)> {
        let folder = canonical(folder);
        let rooms = self.rooms();
        folder.ancestors().find_map(|folder| Some((folder.into(), *rooms.get(folder)?)))
    }

    /// The rooms of this folder and of those in it; else that of its nearest parent.
    pub fn around(&self, folder: &Path) -> Vec<RoomId> {
        let top = canonical(folder);
        let mut inside: Vec<RoomId> =
            self.rooms().iter().filter(|(folder, _)| folder.starts_with(&top)).map(|(_, room)| *room).collect();
        inside.sort_unstable();
        inside.dedup();
        if inside.is_empty() {
            inside.extend(self.bound(folder).map(|(_, room)| room));
        }
        inside
    }

    /// A folder that has this room.
    pub fn folder_of(&self, room: &RoomId) -> Option<PathBuf> {
        self.rooms().iter().find(|(_, bound)| *bound == room).map(|(folder, _)| folder.clone())
    }

    async fn write(&self, folder: PathBuf, room: Option<RoomId>) -> Result<(), WriteError> {
        let (done, written) = oneshot::channel();
        self.committer.write(Write::Bind { folder: folder.clone(), room, done });
        written.await.map_err(|_| WriteError { why: "the companion is stopping".into() })??;
        let mut rooms = self.rooms.write().unwrap_or_else(PoisonError::into_inner);
        match room {
            Some(room) => rooms.insert(folder, room),
            None => rooms.remove(&folder),
        };
        Ok(())
    }

    fn rooms(&self) -> RwLockReadGuard<'_, BTreeMap<PathBuf, RoomId>> {
        self.rooms.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The key of a folder's binding: whoever has a copy of the store without its key learns no paths.
pub(super) fn binding_key(key: &StorageKey, folder: &Path) -> Vec<u8> {
    let hash = keyed_hash(b"pairwave-binding-v1", key.expose(), &[folder.as_os_str().as_encoded_bytes()]);
    meta::key(meta::BINDING, &hash)
}

pub(super) const PLACE: Place<'static> = Place::Named("binding");

/// `room 32 ‖ path`.
pub(super) fn encode(folder: &Path, room: &RoomId) -> Vec<u8> {
    [&room.0[..], folder.as_os_str().as_bytes()].concat()
}

fn decode(bytes: &[u8]) -> Option<(PathBuf, RoomId)> {
    let (room, folder) = bytes.split_first_chunk()?;
    Some((OsStr::from_bytes(folder).into(), RoomId(*room)))
}

fn stored(shared: &Shared) -> Result<BTreeMap<PathBuf, RoomId>, LogError> {
    let failed = |error: fjall::Error| LogError(error.to_string());
    let state = shared.tables();
    let tables: &Tables = state.as_ref().ok_or_else(|| LogError("the store is being opened again".into()))?;
    let mut rooms = BTreeMap::new();
    for entry in tables.meta.prefix([meta::BINDING]) {
        let sealed = entry.value().map_err(failed)?;
        let value = seal::open(&shared.key, PLACE, &sealed).map_err(|error| LogError(error.to_string()))?;
        let (folder, room) = decode(&value).ok_or_else(|| LogError("a binding is damaged".into()))?;
        rooms.insert(folder, room);
    }
    Ok(rooms)
}

/// One folder has one path; one that is gone keeps the name that it had.
fn canonical(folder: &Path) -> PathBuf {
    folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf())
}
