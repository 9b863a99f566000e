//! Keeps the database's journal short.
//!
//! At a start the database reads its journals again, entry by entry, also what has long been moved
//! into tables, and it shortens them only when they have grown large. With an empty journal a store
//! of any size opens at once.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::Shared;
use super::tables::Tables;

/// How the database's journal ends a batch: the number 3, a checksum of 8 bytes, and these.
const MAGIC: &[u8] = b"FJL\x03";
const END: usize = 13;
/// A new journal has its space set aside: blocks of this size at the end with nothing in them.
const BLOCK: usize = 4096;
/// Most copies of one damaged journal.
const COPIES: u32 = 1000;
/// How long the database may take to move what is in memory into tables.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes of all journals.
pub(super) fn size(store: &Path) -> u64 {
    let sizes =
        journals(store).map(|paths| paths.iter().filter_map(|path| path.metadata().ok()).map(|m| m.len()).sum());
    sizes.unwrap_or(0)
}

/// Moves everything into tables and empties the journal. Whatever goes wrong, the journal stays as it
/// is and the store as full as before; then this says why.
pub(super) fn fold(shared: &Shared) -> Result<(), String> {
    shared.tables().as_ref().map_or(Ok(()), flush)?;
    shared.reopen_after(|| empty(&shared.path).map_err(|error| error.to_string()))
}

/// The newest journal as it was before the database read it, which shortens it where it sees damage.
pub(super) struct Snapshot {
    path: PathBuf,
    bytes: Vec<u8>,
    copy: Option<PathBuf>,
}

impl Snapshot {
    /// `None` where there is no journal, or nothing in it.
    pub fn take(store: &Path) -> io::Result<Option<Self>> {
        let number = |path: &PathBuf| path.file_stem().and_then(|stem| stem.to_str()?.parse::<u64>().ok());
        let Some(path) = journals(store)?.into_iter().max_by_key(number) else { return Ok(None) };
        let mut bytes = fs::read(&path)?;
        while bytes.ends_with(&[0; BLOCK]) {
            bytes.truncate(bytes.len() - BLOCK);
        }
        Ok((!bytes.is_empty()).then_some(Self { path, bytes, copy: None }))
    }

    /// A power failure can leave a hole in the batch that was being synced. Nobody was told that it
    /// is durable, but the database, which finds it complete and wrong, would not open any more.
    /// Cuts off the last batch and keeps a copy; says whether there was one.
    pub fn cut_last_batch(&mut self) -> io::Result<bool> {
        let ends: Vec<usize> = self.ends(0).collect();
        if ends.is_empty() {
            return Ok(false);
        }
        self.copy = Some(keep_copy(&self.path, &self.bytes)?);
        let cut = File::options().write(true).open(&self.path).and_then(|file| {
            file.set_len(ends.iter().nth_back(1).map_or(0, |end| *end as u64))?;
            file.sync_all()
        });
        cut.inspect_err(|_| drop(self.put_back()))?;
        Ok(true)
    }

    /// What there was before something was cut off.
    pub fn copy(&self) -> Option<&Path> {
        self.copy.as_deref()
    }

    /// More is gone than the one batch that may have been under way: some of it was acknowledged.
    pub fn has_lost_more_than_the_tail(&self) -> bool {
        let Ok(left) = self.path.metadata() else { return false };
        self.ends(usize::try_from(left.len()).unwrap_or(usize::MAX)).nth(1).is_some()
    }

    /// Makes the journal what it was. Only while the database is closed.
    pub fn put_back(&self) -> io::Result<()> {
        match &self.copy {
            // Needs no space, which may be short.
            Some(copy) => fs::rename(copy, &self.path),
            None => {
                let file = File::options().write(true).open(&self.path)?;
                file.write_all_at(&self.bytes, 0)?;
                file.sync_all()
            }
        }
    }

    /// Where batches end behind a place.
    fn ends(&self, behind: usize) -> impl Iterator<Item = usize> {
        let ends = self.bytes.windows(END).enumerate().skip((behind + 1).saturating_sub(END));
        ends.filter(|(_, window)| window[0] == 3 && window.ends_with(MAGIC)).map(|(at, _)| at + END)
    }
}

/// Writes a copy beside a journal, under a name that is free.
fn keep_copy(journal: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    for number in 0..COPIES {
        let path = match number {
            0 => journal.with_extension("damaged"),
            number => journal.with_extension(format!("damaged-{number}")),
        };
        match File::options().write(true).create_new(true).open(&path) {
            Ok(mut file) => {
                let written = file.write_all(bytes).and_then(|()| file.sync_all());
                written.inspect_err(|_| drop(fs::remove_file(&path)))?;
                return Ok(path);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("there are too many copies of damaged journals"))
}

fn flush(tables: &Tables) -> Result<(), String> {
    let keyspaces = tables.all();
    for keyspace in keyspaces {
        keyspace.rotate_memtable().map_err(|error| error.to_string())?;
    }
    let start = Instant::now();
    while keyspaces.iter().any(|keyspace| keyspace.sealed_memtable_count() > 0) {
        if start.elapsed() > PATIENCE {
            return Err("moving it into tables takes too long".into());
        }
        sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// Only while the database is closed, and after [`flush`]: an empty journal is one from which
/// everything has been moved into tables.
fn empty(store: &Path) -> io::Result<()> {
    match journals(store)?.as_slice() {
        [journal] => {
            let file = File::options().write(true).open(journal)?;
            file.set_len(0)?;
            file.sync_all()
        }
        // An older one still holds something.
        _ => Ok(()),
    }
}

fn journals(store: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(store)?.collect::<io::Result<Vec<_>>>()?;
    Ok(entries.iter().map(fs::DirEntry::path).filter(|path| path.extension().is_some_and(|e| e == "jnl")).collect())
}

#[cfg(test)]
mod tests {
    use pairwave_core::log::Log;

    use super::super::round::{Part, commit};
    use super::super::samples::{ME, Sample, record, room};
    use super::*;

    /// A store with a batch of each of these arrivals, closed, and its journal.
    fn written(batches: &[std::ops::RangeInclusive<u64>]) -> (Sample, PathBuf) {
        let sample = Sample::new();
        let store = sample.open();
        for arrivals in batches {
            let records: Vec<_> = arrivals.clone().map(record).collect();
            commit(&store.0, ME, &[Part::Append(room(1), &records)]).unwrap();
        }
        drop(store);
        let journal = sample.path().join("0.jnl");
        (sample, journal)
    }

    fn overwrite(journal: &Path, at: usize, bytes: &[u8]) {
        File::options().write(true).open(journal).unwrap().write_all_at(bytes, at as u64).unwrap();
    }

    /// All that was written, without the space set aside behind it.
    fn content(journal: &Path) -> Vec<u8> {
        let mut bytes = fs::read(journal).unwrap();
        bytes.truncate(bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1));
        bytes
    }

    fn copies(sample: &Sample) -> usize {
        let names = fs::read_dir(sample.path()).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_str().unwrap().contains("damaged")).count()
    }

    #[test]
    fn damage_in_the_middle_costs_nothing_however_often_it_is_tried() {
        let (sample, journal) = written(&[1..=3, 4..=6, 7..=9, 10..=12]);
        let whole = content(&journal);
        let start = |arrival: u64| {
            let id = record(arrival).position.id.0;
            whole.windows(32).position(|window| window == id).unwrap()
        };
        // In a value, which is found by its checksum, and in the shape of a batch.
        for (at, bytes) in [(start(4) + 200, &[1; 4][..]), (start(4) - 60, &[0xee; 40])] {
            overwrite(&journal, 0, &whole);
            overwrite(&journal, at, bytes);
            let damaged = content(&journal);
            for _ in 0..3 {
                assert!(sample.try_open().is_err());
                assert!(content(&journal) == damaged, "{at}: the journal was changed");
                assert_eq!(copies(&sample), 0);
            }
        }
        overwrite(&journal, 0, &whole);
        assert_eq!(sample.open().reader().arrivals(&room(1), 0, 100).unwrap().len(), 12);
    }

    #[test]
    fn a_torn_tail_is_cut() {
        let (sample, journal) = written(&[1..=3, 4..=6]);
        let length = content(&journal).len() as u64;
        File::options().write(true).open(&journal).unwrap().set_len(length - 100).unwrap();
        assert_eq!(sample.open().reader().arrivals(&room(1), 0, 100).unwrap().len(), 3);
    }

    #[test]
    fn an_earlier_copy_is_never_overwritten() {
        let (sample, journal) = written(&[1..=3, 4..=40]);
        fs::write(journal.with_extension("damaged"), "earlier").unwrap();
        overwrite(&journal, content(&journal).len() - 4096, &[0; 512]);
        let damaged = content(&journal);
        sample.open();
        assert_eq!(fs::read(journal.with_extension("damaged")).unwrap(), b"earlier");
        assert!(fs::read(journal.with_extension("damaged-1")).unwrap().starts_with(&damaged));
    }

    #[test]
    fn a_hole_in_the_last_batch_costs_that_batch_alone() {
        let (sample, journal) = written(&[1..=3, 4..=40]);
        overwrite(&journal, content(&journal).len() - 4096, &[0; 512]);
        let reader = sample.open().reader();
        assert_eq!(reader.arrivals(&room(1), 0, 100).unwrap().len(), 3);
        let records = [record(4)];
        commit(&reader.0, ME, &[Part::Append(room(1), &records)]).unwrap();
        drop(reader);
        assert_eq!(sample.open().reader().arrivals(&room(1), 0, 100).unwrap().len(), 4);
    }
}
