//! Keeps the database's journal short.
//!
//! At a start the database reads its journals again, entry by entry, also what has long been moved
//! into tables, and it shortens them only when they have grown large. With an empty journal a store
//! of any size opens at once.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::Shared;
use super::tables::Tables;

/// How the database's journal ends a batch: the number 3, a checksum of 8 bytes, and these.
const MAGIC: &[u8] = b"FJL\x03";
const END: usize = 13;
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

/// A power failure can leave a hole in the batch that was being synced. Nobody was told that it is
/// durable, but the database, which finds it complete and wrong, would not open any more. Cuts off the last batch
/// of the newest journal and keeps a copy; says whether there was one.
pub(super) fn cut_last_batch(store: &Path) -> io::Result<bool> {
    let number = |path: &PathBuf| path.file_stem().and_then(|stem| stem.to_str()?.parse::<u64>().ok());
    let Some(journal) = journals(store)?.into_iter().max_by_key(number) else { return Ok(false) };
    let bytes = fs::read(&journal)?;
    let ends = bytes.windows(END).enumerate().filter(|(_, window)| window[0] == 3 && window.ends_with(MAGIC));
    let mut ends = ends.map(|(at, _)| at + END).rev();
    let Some(_damaged) = ends.next() else { return Ok(false) };
    fs::copy(&journal, journal.with_extension("damaged"))?;
    let file = File::options().write(true).open(journal)?;
    file.set_len(ends.next().unwrap_or(0) as u64)?;
    file.sync_all()?;
    Ok(true)
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
    use std::os::unix::fs::FileExt;

    use pairwave_core::log::Log;

    use super::super::round::{Part, commit};
    use super::super::samples::{ME, Sample, record, room};
    use super::*;

    #[test]
    fn a_hole_in_the_last_batch_costs_that_batch_alone() {
        let sample = Sample::new();
        let store = sample.open();
        for arrivals in [1..=3, 4..=40] {
            let records: Vec<_> = arrivals.map(record).collect();
            commit(&store.0, ME, &[Part::Append(room(1), &records)]).unwrap();
        }
        drop(store);
        let journal = sample.path().join("0.jnl");
        let end = fs::read(&journal).unwrap().iter().rposition(|byte| *byte != 0).unwrap() as u64;
        File::options().write(true).open(&journal).unwrap().write_all_at(&[0; 512], end - 4096).unwrap();
        let reader = sample.open().reader();
        assert_eq!(reader.arrivals(&room(1), 0, 100).unwrap().len(), 3);
        let records = [record(4)];
        commit(&reader.0, ME, &[Part::Append(room(1), &records)]).unwrap();
        drop(reader);
        assert_eq!(sample.open().reader().arrivals(&room(1), 0, 100).unwrap().len(), 4);
    }
}
