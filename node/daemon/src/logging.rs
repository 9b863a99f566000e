//! What the companion tells of itself: `run/pairwave.log`, and stderr when it runs in front.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::panic;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use pairwave_api::home::Home;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

/// The libraries below report much that no user would tell a friend.
const DEFAULT: &str = "info,libp2p=warn,libp2p_mdns=error,quinn=warn,fjall=warn,lsm_tree=warn,rustls=warn";

/// Why nothing can be logged.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    #[error("PAIRWAVE_LOG is no filter: {0}. Try `info` or `info,pairwave_daemon=debug`.")]
    Filter(#[from] ParseError),
    #[error("{path} cannot be written: {source}. Check its permissions and the free space of the disk.")]
    Io { path: PathBuf, source: io::Error },
}

/// Starts to log, once per process; a process that logs already goes on as it does.
pub fn start(home: &Home, foreground: bool, max_size: u64) -> Result<(), LoggingError> {
    let path = home.log();
    let file = RotatingFile::open(&path, max_size).map_err(|source| LoggingError::Io { path, source })?;
    let to_file = fmt::layer().with_ansi(false).with_writer(LogFile(Arc::new(Mutex::new(file)))).with_filter(filter()?);
    let to_person = foreground.then(filter).transpose()?;
    let has_colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|wish| wish.is_empty());
    let in_front = || fmt::layer().with_target(false).with_ansi(has_colours).with_writer(io::stderr);
    let to_person = to_person.map(|filter| in_front().with_filter(filter));
    if tracing_subscriber::registry().with(to_file).with(to_person).try_init().is_ok() {
        // A companion in the background has no stderr that anybody reads.
        panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
    }
    Ok(())
}

fn filter() -> Result<EnvFilter, ParseError> {
    match std::env::var("PAIRWAVE_LOG") {
        Ok(directives) if !directives.trim().is_empty() => EnvFilter::builder().parse(directives),
        _ => EnvFilter::builder().parse(DEFAULT),
    }
}

/// A file that is put aside under `.1` when it has grown too large.
#[derive(Debug)]
struct RotatingFile {
    path: PathBuf,
    file: File,
    size: u64,
    max: u64,
}

impl RotatingFile {
    fn open(path: &Path, max: u64) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        let size = file.metadata()?.len();
        Ok(Self { path: path.into(), file, size, max })
    }

    fn rotate(&mut self) -> io::Result<()> {
        let mut aside = self.path.clone().into_os_string();
        aside.push(".1");
        fs::rename(&self.path, aside)?;
        *self = Self::open(&self.path, self.max)?;
        Ok(())
    }
}

impl Write for RotatingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.size > 0 && self.size + bytes.len() as u64 > self.max {
            self.rotate()?;
        }
        let written = self.file.write(bytes)?;
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[derive(Clone)]
struct LogFile(Arc<Mutex<RotatingFile>>);

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full disk must not stop the companion: a line that cannot be kept is dropped.
        let _ = self.0.lock().unwrap_or_else(PoisonError::into_inner).write_all(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogFile {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn the_log_is_private_and_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pairwave.log");
        let mut log = LogFile(Arc::new(Mutex::new(RotatingFile::open(&path, 100).unwrap())));
        for line in 0..50 {
            log.write_all(format!("line {line:04}\n").as_bytes()).unwrap();
        }
        let files: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().metadata().unwrap()).collect();
        assert_eq!(files.len(), 2);
        assert!(files.iter().all(|file| file.len() <= 100 && file.mode() & 0o777 == 0o600));
        assert!(fs::read_to_string(&path).unwrap().ends_with("line 0049\n"));
    }

    #[test]
    fn the_default_filter_parses() {
        EnvFilter::builder().parse(DEFAULT).unwrap();
    }
}
