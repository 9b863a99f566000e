//! The whole transcript: into a file, which must be new, or a part at a time.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::iter;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use pairwave_api::{Code, Export, ExportPart, ExportView, ExportedPart, Failure};
use pairwave_core::id::RoomId;
use pairwave_core::log::Position;

use super::handoff::now;
use super::{Answers, for_humans};
use crate::caller::Caller;
use crate::handoffs::dated;
use crate::refusals::unreadable;
use crate::store::Reader;
use crate::transcript::Format;
use crate::view::Viewer;

impl Answers {
    pub(super) async fn export(&self, by: &Caller, ask: &Export) -> Result<ExportView, Failure> {
        for_humans(by)?;
        let format = format(ask.format.as_deref())?;
        let (room, title) = self.look_in(by, &ask.room, |viewer| Ok(viewer.title().to_owned())).await?;
        let at = now();
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
        let named = |more: &str| folder.join(format!("transcript-{}{more}.{}", dated(at), format.extension()));
        let further = (2..).map(|number| named(&format!("-{number}")));
        let mut places = iter::once(named("")).chain(further);
        Ok(places.find(|place| !place.exists()).expect("there is always a further number"))
    }

    /// The whole, a part at a time.
    pub(super) async fn export_part(&self, by: &Caller, ask: &ExportPart) -> Result<ExportedPart, Failure> {
        for_humans(by)?;
        let format = format(ask.format.as_deref())?;
        let after = ask.next.clone();
        let begin = move |viewer: &Viewer<'_, Reader>| match after {
            Some(after) => Ok((String::new(), Some(position(viewer, &after)?))),
            None => Ok((format.begin(&viewer.room().id().to_string(), viewer.title(), &now()), None)),
        };
        let (room, (mut text, after)) = self.look_in(by, &ask.room, begin).await?;
        let (entries, last) = self.entries_after(room, after).await?;
        if last.is_none() {
            text.push_str(format.end());
        }
        for (number, entry) in entries.iter().enumerate() {
            text.push_str(&format.entry(entry, number == 0 && after.is_none()));
        }
        Ok(ExportedPart { text, next: last.map(|last| last.id.to_string()) })
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

fn format(name: Option<&str>) -> Result<Format, Failure> {
    Format::named(name.unwrap_or("md")).ok_or_else(no_such_format)
}

/// Where an event stands that a part ended with.
fn position(viewer: &Viewer<'_, Reader>, event: &str) -> Result<Position, Failure> {
    let id = event.parse().map_err(|_| no_such_part())?;
    let found = viewer.event(&id).map_err(|error| unreadable(&error))?;
    found.map(|(record, _)| record.position).ok_or_else(no_such_part)
}

fn create(path: &Path) -> io::Result<BufWriter<File>> {
    Ok(BufWriter::new(OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?))
}

fn no_such_format() -> Failure {
    let message = "There is no such format of a transcript";
    Failure::new(Code::Usage, "no_such_format", message, "Use md, json or html.")
}

fn no_such_part() -> Failure {
    let message = "No part of the transcript ended there";
    Failure::new(Code::Usage, "no_such_part", message, "Begin again without `next`.")
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
