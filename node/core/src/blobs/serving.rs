//! Giving chunks to members who ask for them: only of what the room's log names and what is kept
//! here, and never before events.

use std::collections::VecDeque;

use serde_bytes::ByteBuf;

use super::{Blob, Stage};
use crate::context::Context;
use crate::event::Body;
use crate::id::{EventId, MemberId};
use crate::log::{Log, LogError};
use crate::message::LinkMessage;
use crate::seat::Seat;
use crate::signals::EndLink;

/// Most chunks that one member may have asked for and not got. Who asks for more is not answered.
const ASKED: usize = 32;

/// What one member asked for.
#[derive(Debug, Default)]
pub(crate) struct Serving {
    asked: VecDeque<(EventId, u32)>,
    /// The blob that was looked up last.
    last: Option<(EventId, Blob)>,
}

impl Seat {
    pub(crate) fn on_want_chunks(
        &mut self,
        member: MemberId,
        of: EventId,
        chunks: Vec<u32>,
        context: &mut Context<'_>,
    ) -> Result<(), EndLink> {
        if let Some(link) = self.links.get_mut(&member) {
            let asked = &mut link.serving.asked;
            let room = ASKED.saturating_sub(asked.len());
            asked.extend(chunks.into_iter().take(room).map(|chunk| (of, chunk)));
        }
        self.serve_chunks(&member, context);
        Ok(())
    }

    /// Sends what was asked for, as far as the link takes it.
    pub(crate) fn serve_chunks(&mut self, member: &MemberId, context: &mut Context<'_>) {
        while let Some((of, chunk)) = self.next_asked(member) {
            match self.look_up(member, of, chunk, context.log) {
                Ok(bytes) => {
                    let bytes = bytes.map(ByteBuf::from);
                    let Some(link) = self.links.get_mut(member) else { return };
                    link.say(&LinkMessage::Chunk { of, chunk, bytes }, context);
                }
                Err(error) => return self.fail(&error),
            }
        }
    }

    fn next_asked(&mut self, member: &MemberId) -> Option<(EventId, u32)> {
        let link = self.links.get_mut(member)?;
        if link.takes_chunks() { link.serving.asked.pop_front() } else { None }
    }

    fn look_up(
        &mut self,
        member: &MemberId,
        of: EventId,
        chunk: u32,
        log: &dyn Log,
    ) -> Result<Option<Vec<u8>>, LogError> {
        let room = self.room.id();
        if !self.may_have(member, &of) || self.room.mark(log, &of)?.is_some() {
            return Ok(None);
        }
        let known = |link: &crate::live::LiveLink| link.serving.last.as_ref().is_some_and(|(last, _)| *last == of);
        if !self.links.get(member).is_some_and(known) {
            let Some(blob) = self.blob_of(&of, log)? else { return Ok(None) };
            if let Some(link) = self.links.get_mut(member) {
                link.serving.last = Some((of, blob));
            }
        }
        let blob = self.links.get(member).and_then(|link| link.serving.last.as_ref());
        let id = blob.and_then(|(_, blob)| blob.chunks.get(chunk as usize));
        id.map_or(Ok(None), |id| log.chunk(&room, id))
    }

    /// Members get what is kept here, over links that bear it.
    fn may_have(&self, member: &MemberId, artifact: &EventId) -> bool {
        let kept = self.blobs.kept.get(artifact);
        let kept = kept.is_some_and(|kept| matches!(kept.stage, Stage::Fetching | Stage::Complete));
        let wide = self.links.get(member).is_some_and(|link| !link.small);
        kept && wide && self.room.is_member(member)
    }

    /// The blob that an event of the log names.
    pub(super) fn blob_of(&self, event: &EventId, log: &dyn Log) -> Result<Option<Blob>, LogError> {
        Ok(self.event(log, event)?.and_then(|(_, event)| match event.body {
            Body::Shared(shared) => Some(shared.blob),
            _ => None,
        }))
    }
}
