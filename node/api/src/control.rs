//! The control socket: where it is and what goes over it.
//!
//! A frame is its length as a 32-bit big-endian number, then that many bytes of JSON, at most
//! [`FRAME_MAX`]. A face opens with a [`Hello`](crate::Hello) and gets a [`Greeting`]; from then on
//! it sends [`FromFace`] and gets [`FromCompanion`], many at a time and in any order. Ending the
//! connection ends everything that was asked on it.

use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::{Failure, Home, Notice, Request};

/// Most bytes that a frame may have.
pub const FRAME_MAX: usize = 4 << 20;

/// The longest path that a socket may have on every platform (`sun_path` has 104 bytes on macOS).
pub const SOCKET_PATH_MAX: usize = 100;

/// First answer of a companion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Greeting {
    /// The companion is at the face's service.
    Welcome(Welcome),
    /// It is not; the connection ends.
    Failure(Failure),
}

/// Who answers. A companion of another version than the face's does nothing for it but end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// Version of the companion's program.
    pub version: String,
    /// The companion's process.
    pub pid: u32,
}

/// What a face sends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FromFace {
    /// The face's name for it, unique within the connection while it is under way.
    pub id: u64,
    /// What it wants.
    #[serde(flatten)]
    pub what: Wish,
}

/// What a face wants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// An answer to this.
    Request(Box<Request>),
    /// All notices from now on, once it was answered.
    Subscribe(bool),
    /// Nobody waits any more for the request of this id; what was not answered yet has no effect on
    /// what counts as shown.
    Cancel(bool),
}

/// What a companion sends. Notices have no id, nor has the failure that ends a broken connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FromCompanion {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    /// What it answers.
    pub id: Option<u64>,
    /// What it says.
    #[serde(flatten)]
    pub what: Said,
}

/// What a companion says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// The answer of the type that belongs to the request.
    Answer(Value),
    /// Why there is none.
    Failure(Failure),
    /// Something that happened.
    Notice(Notice),
}

/// Why a frame could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The other side is gone.
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
    /// Refused before it is read or written.
    #[error("the frame has {got} bytes, at most {FRAME_MAX} are allowed")]
    TooLong {
        /// Length, in bytes.
        got: usize,
    },
    /// Not JSON, or not of this shape.
    #[error("the frame is not what is expected here: {0}")]
    Malformed(serde_json::Error),
}

/// Reads one frame; `None` where the other side ended the connection between two frames.
pub async fn read_frame<R: AsyncRead + Unpin>(reader: &mut R) -> Result<Option<Vec<u8>>, FrameError> {
    let mut length = [0; 4];
    if reader.read(&mut length[..1]).await? == 0 {
        return Ok(None);
    }
    reader.read_exact(&mut length[1..]).await?;
    let length = u32::from_be_bytes(length) as usize;
    if length > FRAME_MAX {
        return Err(FrameError::TooLong { got: length });
    }
    let mut frame = Vec::with_capacity(length.min(64 << 10));
    reader.take(length as u64).read_to_end(&mut frame).await?;
    if frame.len() < length {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok(Some(frame))
}

/// Writes one frame.
pub async fn write_frame<W: AsyncWrite + Unpin>(writer: &mut W, frame: &[u8]) -> Result<(), FrameError> {
    let length = u32::try_from(frame.len()).ok().filter(|_| frame.len() <= FRAME_MAX);
    let length = length.ok_or(FrameError::TooLong { got: frame.len() })?;
    writer.write_all(&[&length.to_be_bytes()[..], frame].concat()).await?;
    Ok(writer.flush().await?)
}

/// Reads what a frame says.
pub fn decode<T: DeserializeOwned>(frame: &[u8]) -> Result<T, FrameError> {
    serde_json::from_slice(frame).map_err(FrameError::Malformed)
}

/// Writes down what a frame says.
pub fn encode<T: Serialize>(what: &T) -> Result<Vec<u8>, FrameError> {
    serde_json::to_vec(what).map_err(FrameError::Malformed)
}

/// Where the companion of this home listens: `run/control.sock` itself, or what that file names.
///
/// Whoever owns the run folder must own the socket's folder too, and alone: another user could
/// otherwise put a socket of theirs where ours was.
pub fn socket_path(home: &Home) -> io::Result<PathBuf> {
    let named = home.socket();
    let metadata = std::fs::symlink_metadata(&named)?;
    if metadata.file_type().is_socket() {
        return Ok(named);
    }
    if !metadata.is_file() || metadata.len() > 4096 {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "control.sock is neither a socket nor names one"));
    }
    let real = PathBuf::from(std::fs::read_to_string(&named)?.trim_end());
    let folder = std::fs::symlink_metadata(real.parent().unwrap_or(Path::new("/")))?;
    if !folder.is_dir() || folder.uid() != metadata.uid() || folder.mode() & 0o077 != 0 {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the socket's folder belongs to somebody else"));
    }
    Ok(real)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Rooms, Wait};

    fn json<T: Serialize>(what: &T) -> String {
        String::from_utf8(encode(what).unwrap()).unwrap()
    }

    #[test]
    fn frames_have_the_shape_that_is_written_down() {
        let ask = FromFace { id: 7, what: Wish::Request(Box::new(Wait { timeout_s: 5, ..Wait::default() }.into())) };
        assert_eq!(json(&ask), r#"{"id":7,"request":{"ask":"wait","room":null,"timeout_s":5,"peek":false}}"#);
        assert_eq!(decode::<FromFace>(json(&ask).as_bytes()).unwrap(), ask);
        let subscribe: FromFace = decode(br#"{"id":8,"subscribe":true}"#).unwrap();
        assert_eq!(subscribe.what, Wish::Subscribe(true));
        let answer = FromCompanion { id: Some(7), what: Said::Answer(serde_json::json!({"rooms": []})) };
        assert_eq!(json(&answer), r#"{"id":7,"answer":{"rooms":[]}}"#);
        let notice = FromCompanion { id: None, what: Said::Notice(Notice::Joined { room: "r".into() }) };
        assert_eq!(json(&notice), r#"{"notice":{"notice":"joined","room":"r"}}"#);
        assert_eq!(decode::<FromCompanion>(json(&notice).as_bytes()).unwrap(), notice);
    }

    #[test]
    fn unknown_questions_and_fields_are_refused() {
        assert!(decode::<FromFace>(br#"{"id":1,"request":{"ask":"fly"}}"#).is_err());
        assert!(decode::<FromFace>(br#"{"id":1,"request":{"ask":"rooms","all":true}}"#).is_err());
        assert!(decode::<FromFace>(br#"{"id":1}"#).is_err());
        let rooms: FromFace = decode(br#"{"id":1,"request":{"ask":"rooms"}}"#).unwrap();
        assert_eq!(rooms.what, Wish::Request(Box::new(Rooms {}.into())));
    }

    #[tokio::test]
    async fn a_frame_is_bounded_and_whole() {
        let mut sent = Vec::new();
        write_frame(&mut sent, b"{}").await.unwrap();
        assert_eq!(sent, [0, 0, 0, 2, b'{', b'}']);
        assert_eq!(read_frame(&mut &sent[..]).await.unwrap().unwrap(), b"{}");
        assert!(read_frame(&mut &sent[..0]).await.unwrap().is_none());
        assert!(matches!(read_frame(&mut &sent[..5]).await, Err(FrameError::Io(_))));
        assert!(matches!(read_frame(&mut &[0xff; 8][..]).await, Err(FrameError::TooLong { .. })));
        assert!(matches!(write_frame(&mut sent, &vec![0; FRAME_MAX + 1]).await, Err(FrameError::TooLong { .. })));
    }

    #[test]
    fn a_named_socket_must_lie_in_a_folder_of_ours() {
        use std::os::unix::fs::PermissionsExt;
        let home = std::env::temp_dir().join(format!("pw-named-{}", std::process::id()));
        let (run, real) = (home.join("run"), home.join("elsewhere"));
        std::fs::create_dir_all(&run).unwrap();
        std::fs::create_dir_all(&real).unwrap();
        std::fs::write(run.join("control.sock"), format!("{}\n", real.join("s").display())).unwrap();
        let at = |mode| std::fs::set_permissions(&real, std::fs::Permissions::from_mode(mode)).unwrap();
        at(0o700);
        assert_eq!(socket_path(&Home::new(&home)).unwrap(), real.join("s"));
        at(0o755);
        assert_eq!(socket_path(&Home::new(&home)).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        std::fs::remove_dir_all(home).unwrap();
    }
}
