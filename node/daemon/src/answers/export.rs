//! The whole transcript into a file, which must be new.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use pairwave_api::{Code, Export, ExportView, Failure};
use pairwave_core::id::RoomId;

use super::{Answers, for_humans};
use crate::caller::Caller;
use crate::handoffs::dated;
use crate::transcript::Format;

impl Answers {
    pub(super) async fn export(&self, by: &Caller, ask: &Export) -> Result<ExportView, Failure> {
        for_humans(by)?;
        let name = ask.format.as_deref().unwrap_or("md");
        let format = Format::named(name).ok_or_else(no_such_format)?;
        let (room, title) = self.look_in(by, &ask.room, |viewer| Ok(viewer.title().to_owned())).await?;
        let at = jiff::Timestamp::now().to_string();
        let path = match &ask.out {
            Some(path) if path.is_absolute() => path.clone(),
            Some(path) => return Err(unwritten(path, &io::Error::other("the path is not absolute"))),
            None => self.place(&room, &at, format)?,
        };
        let mut file = create(&path).map_err(|error| unwritten(&path, &error))?;
        let begin = format.begin(&room.to_string(), &title, &at);
        match self.write_transcript(room, format, begin, &mut file).await {
            Ok(events) => Ok(ExportView { path: path.display().to_string(), events }),
            Err(failure) => {
                let _ = fs::remove_file(&path);
                Err(match failure {
                    Unwritten::Failure(failure) => failure,
                    Unwritten::Io(error) => unwritten(&path, &error),
                })
            }
        }
    }

    fn place(&self, room: &RoomId, at: &str, format: Format) -> Result<PathBuf, Failure> {
        let folder = self.handoffs.exports(room).map_err(|error| unwritten(Path::new("exports"), &error))?;
        Ok(folder.join(format!("transcript-{}.{}", dated(at), format.extension())))
    }

    async fn write_transcript(
        &self,
        room: RoomId,
        format: Format,
        begin: String,
        file: &mut BufWriter<File>,
    ) -> Result<u64, Unwritten> {
        file.write_all(begin.as_bytes())?;
        let (mut events, mut after) = (0, None);
        loop {
            let (entries, last) = self.entries_after(room, after).await.map_err(Unwritten::Failure)?;
            if last.is_none() {
                break;
            }
            after = last;
            for entry in &entries {
                file.write_all(format.entry(entry, events == 0).as_bytes())?;
                events += 1;
            }
        }
        file.write_all(format.end().as_bytes())?;
        file.flush()?;
        file.get_ref().sync_all()?;
        Ok(events)
    }
}

/// Why a transcript is not in its file.
enum Unwritten {
    Failure(Failure),
    Io(io::Error),
}

impl From<io::Error> for Unwritten {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn create(path: &Path) -> io::Result<BufWriter<File>> {
    Ok(BufWriter::new(OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?))
}

fn no_such_format() -> Failure {
    let message = "There is no such format of a transcript";
    Failure::new(Code::Usage, "no_such_format", message, "Use md, json or html.")
}

fn unwritten(path: &Path, error: &io::Error) -> Failure {
    let (rule, next) = match error.kind() {
        io::ErrorKind::AlreadyExists => {
            ("file_exists", "Nothing is overwritten: name another file, or move that one away.")
        }
        _ => ("not_exported", "Name a file in a folder in which you may write."),
    };
    let message = format!("The transcript cannot be written into {}: {error}", path.display());
    Failure::new(Code::Failed, rule, message, next)
}
