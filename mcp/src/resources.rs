//! The transcript of each room as a resource. Names and titles are static: a room's title is text
//! that a peer may have written.

use pairwave_api::{Failure, Read, Rooms};
use rmcp::ErrorData;
use rmcp::model::{ReadResourceResult, Resource, ResourceContents, ResourceTemplate};

use crate::bounded::{ASKED, fitting};
use crate::clean::strip;
use crate::connection::Connection;
use crate::envelope::NOTICE;
use crate::event_view::EventView;

const MIME: &str = "text/plain";

pub(crate) fn templates() -> Vec<ResourceTemplate> {
    let transcript = ResourceTemplate::new("pairwave://room/{room}/transcript", "transcript")
        .with_title("Room transcript")
        .with_description("What was said in a room, newest last, by room id")
        .with_mime_type(MIME);
    vec![transcript]
}

/// One transcript per room, in the order of the rooms' ids.
pub(crate) async fn list(companion: &Connection) -> Result<Vec<Resource>, ErrorData> {
    let mut rooms = companion.ask(Rooms {}).await.map_err(error)?.rooms;
    rooms.sort_by(|a, b| a.room.cmp(&b.room));
    Ok(rooms.iter().map(|room| transcript(&room.room)).collect())
}

pub(crate) async fn read(companion: &Connection, uri: &str) -> Result<ReadResourceResult, ErrorData> {
    let room = room_of(uri).ok_or_else(|| {
        let message = format!("No such resource: {uri}. A transcript is pairwave://room/<room id>/transcript.");
        ErrorData::resource_not_found(message, None)
    })?;
    let question = Read { room: Some(room.to_owned()), limit: Some(EVENTS), ..Read::default() };
    let transcript = companion.ask(question).await.map_err(error)?;
    let envelopes: Vec<String> =
        transcript.events.into_iter().map(|entry| EventView::new(entry, Some(TEXT)).envelope()).collect();
    let newest = fitting(envelopes.iter().rev().map(|envelope| envelope.chars().count()), ASKED);
    let older = transcript.next.is_some() || newest < envelopes.len();
    let mut text = format!("{NOTICE}\n\n");
    if older {
        text.push_str("(The newest part; pair_read with `before` gives what was said earlier.)\n\n");
    }
    text.push_str(&envelopes[envelopes.len() - newest..].join("\n\n"));
    let contents = ResourceContents::text(strip(&text).text, uri).with_mime_type(MIME);
    Ok(ReadResourceResult::new(vec![contents]))
}

fn transcript(room: &str) -> Resource {
    let prefix = room.get(..8).unwrap_or(room);
    Resource::new(format!("pairwave://room/{room}/transcript"), format!("transcript-{prefix}"))
        .with_title("Room transcript")
        .with_description("What was said in this room, newest last")
        .with_mime_type(MIME)
}

fn room_of(uri: &str) -> Option<&str> {
    let room = uri.strip_prefix("pairwave://room/")?.strip_suffix("/transcript")?;
    let is_id = !room.is_empty() && room.len() <= 64 && room.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_id.then_some(room)
}

fn error(failure: Failure) -> ErrorData {
    ErrorData::internal_error(strip(&failure.to_string()).text, serde_json::to_value(&failure).ok())
}

const EVENTS: u32 = 200;
const TEXT: usize = 4_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_transcript_of_an_id_is_a_resource() {
        assert_eq!(room_of("pairwave://room/abc234/transcript"), Some("abc234"));
        for uri in
            ["pairwave://room//transcript", "pairwave://room/a/b/transcript", "file:///etc/passwd", "pairwave://room/a"]
        {
            assert_eq!(room_of(uri), None);
        }
    }
}
