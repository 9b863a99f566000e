//! The transcript and the ledger of each room as resources. Names and titles are static: a room's title is text
//! that a peer may have written.

use pairwave_api::{Failure, Read, Rooms, ShowLedger};
use rmcp::ErrorData;
use rmcp::model::{ReadResourceResult, Resource, ResourceContents, ResourceTemplate};

use crate::bounded::{ASKED, fitting};
use crate::clean::strip;
use crate::connection::Connection;
use crate::envelope::NOTICE;
use crate::event_view::EventView;
use crate::ledger_view::Ledger;

const MIME: &str = "text/plain";

pub(crate) fn templates() -> Vec<ResourceTemplate> {
    Of::ALL
        .map(|of| {
            ResourceTemplate::new(format!("pairwave://room/{{room}}/{}", of.name()), of.name())
                .with_title(of.title())
                .with_description(format!("{}, by room id", of.about()))
                .with_mime_type(MIME)
        })
        .to_vec()
}

/// Transcript and ledger of each room, in the order of the rooms' ids.
pub(crate) async fn list(companion: &Connection) -> Result<Vec<Resource>, ErrorData> {
    let mut rooms = companion.ask(Rooms {}).await.map_err(error)?.rooms;
    rooms.sort_by(|a, b| a.room.cmp(&b.room));
    Ok(rooms.iter().flat_map(|room| Of::ALL.map(|of| of.resource(&room.room))).collect())
}

pub(crate) async fn read(companion: &Connection, uri: &str) -> Result<ReadResourceResult, ErrorData> {
    let (room, of) = named(uri).ok_or_else(|| {
        let message = format!("No such resource: {uri}. There are pairwave://room/<room id>/transcript and …/ledger.");
        ErrorData::resource_not_found(message, None)
    })?;
    let text = match of {
        Of::Transcript => transcript(companion, room).await?,
        Of::Ledger => {
            let ledger = companion.ask(ShowLedger { room: Some(room.to_owned()) }).await.map_err(error)?;
            format!("{NOTICE}\n\n{}", Ledger::new(ledger).envelope())
        }
    };
    let contents = ResourceContents::text(strip(&text).text, uri).with_mime_type(MIME);
    Ok(ReadResourceResult::new(vec![contents]))
}

async fn transcript(companion: &Connection, room: &str) -> Result<String, ErrorData> {
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
    Ok(text)
}

/// What of a room is a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Transcript,
    Ledger,
}

impl Of {
    const ALL: [Self; 2] = [Self::Transcript, Self::Ledger];

    fn name(self) -> &'static str {
        match self {
            Self::Transcript => "transcript",
            Self::Ledger => "ledger",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Transcript => "Room transcript",
            Self::Ledger => "Room ledger",
        }
    }

    fn about(self) -> &'static str {
        match self {
            Self::Transcript => "What was said in a room, newest last",
            Self::Ledger => "Where a room stands: open questions, decisions, headlines, requests",
        }
    }

    fn resource(self, room: &str) -> Resource {
        let prefix = room.get(..8).unwrap_or(room);
        Resource::new(format!("pairwave://room/{room}/{}", self.name()), format!("{}-{prefix}", self.name()))
            .with_title(self.title())
            .with_description(self.about())
            .with_mime_type(MIME)
    }
}

fn named(uri: &str) -> Option<(&str, Of)> {
    let (room, name) = uri.strip_prefix("pairwave://room/")?.split_once('/')?;
    let is_id = !room.is_empty() && room.len() <= 64 && room.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let of = Of::ALL.into_iter().find(|of| of.name() == name)?;
    is_id.then_some((room, of))
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
    fn only_what_there_is_of_an_id_is_a_resource() {
        assert_eq!(named("pairwave://room/abc234/transcript"), Some(("abc234", Of::Transcript)));
        assert_eq!(named("pairwave://room/abc234/ledger"), Some(("abc234", Of::Ledger)));
        for uri in [
            "pairwave://room//transcript",
            "pairwave://room/a/b/transcript",
            "pairwave://room/a/b",
            "file:///etc/passwd",
            "pairwave://room/a",
        ] {
            assert_eq!(named(uri), None);
        }
    }
}
