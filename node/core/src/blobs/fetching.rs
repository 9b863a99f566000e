//! Sharing, fetching and removing: which chunks to ask of whom, and what becomes of those that come.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use pairwave_wire::limits;
use serde_bytes::ByteBuf;

use super::{Blob, Blobs, Fetch, Kept, Progress, STALLED, Stage, Waits, chunk_id};
use crate::artifacts::Draft;
use crate::command::{Refusal, Speaker};
use crate::context::Context;
use crate::effect::Slot;
use crate::event::Body;
use crate::id::{ChunkId, EventId, MemberId};
use crate::live::LiveLink;
use crate::log::{LogError, Position};
use crate::message::LinkMessage;
use crate::notice::Notice;
use crate::seat::Seat;
use crate::signals::EndLink;
use crate::time::Timestamp;

/// Most artifacts that are fetched at a time.
const ACTIVE: usize = 4;
/// Most artifacts that are here or on their way, in one room.
const KEPT: usize = 256;
/// Most chunks that may be on their way from one member, or to the disk.
const WINDOW: usize = 8;
/// How long a member that has no such chunk is not asked for the artifact.
const LACKS_IT: Duration = Duration::from_secs(30);
/// How long a member is left alone that sent a wrong chunk, or none.
const AT_FAULT: Duration = Duration::from_secs(3600);
/// An artifact's progress is told so often.
const STEPS: usize = 16;

impl Seat {
    /// Keeps the content and signs the event that names it, in this order.
    pub(crate) fn share(
        &mut self,
        by: Speaker,
        draft: Draft,
        content: &[u8],
        context: &mut Context<'_>,
    ) -> Result<EventId, Refusal> {
        if content.len() as u64 > limits::BLOB {
            return Err(Refusal::TooLong { field: "content", got: content.len(), max: limits::BLOB as usize });
        }
        self.check_recovered(context.now)?;
        let shared = draft.with(Blob::of(content));
        shared.check()?;
        let (taken, _) = self.blobs.taken(&self.me());
        let max = context.limits.blobs_per_room;
        if taken + shared.blob.size > max || self.blobs.count() >= KEPT {
            return Err(Refusal::BlobsFull { max });
        }
        let chunks = shared.blob.chunks.clone();
        let body = Body::Shared(shared);
        let text = String::from_utf8_lossy(content);
        if self.comparing.is_own_half(&body) || self.comparing.says_own_half(&text) {
            return Err(Refusal::OwnWords);
        }
        let record = self.author(by, body, context)?;
        let id = record.position.id;
        for ((at, chunk), bytes) in (0u32..).zip(chunks).zip(content.chunks(limits::CHUNK)) {
            let number = context.outbox.chunk(self.id(), chunk, Some(bytes.to_vec()));
            self.blobs.writing.push_back((number, id, at));
        }
        self.append(vec![record], context);
        self.settle(context);
        self.pump(context);
        Ok(id)
    }

    /// Deletes an artifact here. It is not fetched again.
    pub(crate) fn remove_artifact(&mut self, artifact: EventId, context: &mut Context<'_>) -> Result<(), Refusal> {
        let kept = self.blobs.kept.get_mut(&artifact).filter(|kept| kept.stage != Stage::Removed);
        kept.ok_or(Refusal::NoSuchArtifact)?.stage = Stage::Removed;
        let dropped = self.drop_chunks(artifact, context);
        dropped.map_err(|error| Refusal::StoreFailed { why: error.to_string() })?;
        self.blobs.look_again();
        self.tell_artifact(artifact, context);
        self.mind_blobs(context);
        Ok(())
    }

    /// How far an artifact has come here; `None` if it is not among those that are or were wanted.
    pub fn progress(&self, artifact: &EventId) -> Option<Progress> {
        let kept = self.blobs.kept.get(artifact)?;
        let here = match kept.stage {
            Stage::Complete => kept.size,
            Stage::Fetching => self.blobs.active.get(artifact).map_or(0, Fetch::here),
            Stage::Removed | Stage::Full | Stage::Broken => 0,
        };
        let waits = match kept.stage {
            Stage::Full => Some(Waits::ForRoom),
            Stage::Fetching => self.waits(artifact),
            _ => None,
        };
        Some(Progress { stage: kept.stage, here, waits })
    }

    /// The artifacts that are here, on their way, or were.
    pub fn artifacts(&self) -> impl Iterator<Item = EventId> + '_ {
        self.blobs.kept.keys().copied()
    }

    fn waits(&self, artifact: &EventId) -> Option<Waits> {
        let coming = self.blobs.asked.keys().any(|(of, _)| of == artifact)
            || self.blobs.writing.iter().any(|(_, of, _)| of == artifact);
        let mut links = self.links.values().filter(|link| self.room.is_member(&link.member())).peekable();
        if coming {
            None
        } else if links.peek().is_some() && links.all(|link| link.small) {
            Some(Waits::ForAWiderPath)
        } else {
            let asked = |link: &LiveLink| !link.small && !self.blobs.shunned.contains_key(&(link.member(), *artifact));
            let somebody = self.links.values().any(asked);
            (!somebody).then_some(Waits::ForSomebody)
        }
    }

    /// Asks for what is missing, of those who may have it. Cheap when nothing is.
    pub(crate) fn mind_blobs(&mut self, context: &mut Context<'_>) {
        if self.failed().is_some() {
            return;
        }
        let minded = self.look_at_state(context).and_then(|()| self.begin_fetching(context));
        if let Err(error) = minded {
            return self.fail(&error);
        }
        self.blobs.give_up_on_stalled(context.now);
        self.blobs.shunned.retain(|_, until| *until > context.now);
        let members: Vec<MemberId> = self.links.keys().copied().collect();
        if !self.blobs.active.is_empty() {
            members.iter().for_each(|member| self.ask_for_chunks(member, context));
        }
    }

    /// A chunk, or the word that there is none. What was not asked for is none of ours.
    pub(crate) fn on_chunk(
        &mut self,
        member: MemberId,
        of: EventId,
        chunk: u32,
        bytes: Option<ByteBuf>,
        context: &mut Context<'_>,
    ) -> Result<(), EndLink> {
        if self.blobs.asked.get(&(of, chunk)).is_none_or(|(asked, _)| *asked != member) {
            return Ok(());
        }
        self.blobs.asked.remove(&(of, chunk));
        match (self.blobs.wanted(&of, chunk), bytes) {
            (None, _) => (),
            (Some(_), None) => self.blobs.shun(member, of, context.now + LACKS_IT),
            (Some((id, _)), Some(bytes)) if chunk_id(&bytes) != id => {
                self.blobs.shun(member, of, context.now + AT_FAULT);
            }
            (Some((_, length)), Some(bytes)) if bytes.len() != length => self.give_up_broken(of, context),
            (Some((id, _)), Some(bytes)) => {
                let number = context.outbox.chunk(self.id(), id, Some(bytes.into_vec()));
                self.blobs.writing.push_back((number, of, chunk));
            }
        }
        self.mind_blobs(context);
        Ok(())
    }

    /// Every chunk up to this number is durable.
    pub(crate) fn chunks_durable(&mut self, number: u64, context: &mut Context<'_>) {
        let mut news = BTreeSet::new();
        while self.blobs.writing.front().is_some_and(|(written, ..)| *written <= number) {
            let Some((_, of, chunk)) = self.blobs.writing.pop_front() else { break };
            if let Some(fetch) = self.blobs.active.get_mut(&of) {
                fetch.missing.remove(&chunk);
                news.insert(of);
            }
        }
        for artifact in news {
            self.tell_progress(artifact, context);
        }
        if !self.blobs.active.is_empty() {
            self.mind_blobs(context);
        }
    }

    fn tell_progress(&mut self, artifact: EventId, context: &mut Context<'_>) {
        let Some(fetch) = self.blobs.active.get_mut(&artifact) else { return };
        if fetch.missing.is_empty() {
            self.complete(artifact, context);
        } else if fetch.told.saturating_sub(fetch.missing.len()) >= fetch.blob.chunks.len().div_ceil(STEPS) {
            fetch.told = fetch.missing.len();
            context.outbox.notify(Notice::Artifact { room: self.room.id(), artifact });
        }
    }

    fn complete(&mut self, artifact: EventId, context: &mut Context<'_>) {
        self.blobs.active.remove(&artifact);
        if let Some(kept) = self.blobs.kept.get_mut(&artifact) {
            kept.stage = Stage::Complete;
        }
        self.tell_artifact(artifact, context);
    }

    /// Saves what became of an artifact, and tells of it.
    fn tell_artifact(&mut self, artifact: EventId, context: &mut Context<'_>) {
        self.save_blobs(context);
        context.outbox.notify(Notice::Artifact { room: self.id(), artifact });
    }

    fn save_blobs(&self, context: &mut Context<'_>) {
        context.outbox.save(self.id(), Slot::Artifacts, Some(self.blobs.encode()));
    }

    /// Takes note of what the state names, and forgets what it does not and nobody keeps.
    fn look_at_state(&mut self, context: &mut Context<'_>) -> Result<(), LogError> {
        if !std::mem::take(&mut self.blobs.look) {
            return Ok(());
        }
        let named = &self.room.state().artifacts;
        let gone = self.blobs.kept.iter().filter(|(id, kept)| named.get(id).is_none() && kept.stage != Stage::Complete);
        let gone: Vec<(EventId, Stage)> = gone.map(|(id, kept)| (*id, kept.stage)).collect();
        let mut new: Vec<(Position, MemberId, u64)> =
            named.iter().map(|(_, artifact)| (artifact.position, artifact.by, artifact.size)).collect();
        new.retain(|(position, ..)| !self.blobs.waits_in_vain(&position.id));
        new.sort_unstable();
        let before = self.blobs.kept.clone();
        for (position, by, size) in new {
            let stage = self.blobs.fits(by, size, self.room.me(), context.limits.blobs_per_room);
            self.blobs.kept.insert(position.id, Kept { by, size, stage });
        }
        for (artifact, stage) in gone {
            self.blobs.kept.remove(&artifact);
            if stage == Stage::Fetching {
                self.drop_chunks(artifact, context)?;
            }
        }
        if self.blobs.kept != before {
            self.save_blobs(context);
            let changed = self.blobs.kept.iter().filter(|(id, kept)| before.get(id) != Some(kept));
            for (artifact, _) in changed {
                context.outbox.notify(Notice::Artifact { room: self.room.id(), artifact: *artifact });
            }
        }
        Ok(())
    }

    /// Reads what is missing of the artifacts that come next, the oldest first.
    fn begin_fetching(&mut self, context: &mut Context<'_>) -> Result<(), LogError> {
        if self.blobs.active.len() >= ACTIVE {
            return Ok(());
        }
        let next = self
            .blobs
            .kept
            .iter()
            .filter(|(id, kept)| kept.stage == Stage::Fetching && !self.blobs.active.contains_key(*id));
        let order = |id: &EventId| self.room.state().artifacts.get(id).map(|artifact| artifact.position);
        let mut next: Vec<(Option<Position>, EventId)> = next.map(|(id, _)| (order(id), *id)).collect();
        next.sort_unstable();
        for (_, artifact) in next {
            if self.blobs.active.len() >= ACTIVE {
                break;
            }
            let Some(blob) = self.blob_of(&artifact, context.log)? else { continue };
            match blob.missing(context.log, &self.room.id())? {
                None => self.give_up_broken(artifact, context),
                Some(missing) if missing.is_empty() => self.complete(artifact, context),
                Some(missing) => {
                    let told = missing.len();
                    self.blobs.active.insert(artifact, Fetch { blob, missing, told });
                }
            }
        }
        Ok(())
    }

    fn ask_for_chunks(&mut self, member: &MemberId, context: &mut Context<'_>) {
        let Some(link) = self.links.get_mut(member) else { return };
        if link.small || !link.sync.heard() || !self.room.is_member(member) {
            return;
        }
        for (of, chunks) in self.blobs.next_for(member, context.now) {
            link.say(&LinkMessage::WantChunks { of, chunks }, context);
        }
    }

    /// Its author named chunks that cannot be: nobody can have it.
    fn give_up_broken(&mut self, artifact: EventId, context: &mut Context<'_>) {
        if let Some(kept) = self.blobs.kept.get_mut(&artifact) {
            kept.stage = Stage::Broken;
        }
        if let Err(error) = self.drop_chunks(artifact, context) {
            self.fail(&error);
        }
        self.blobs.look_again();
        self.tell_artifact(artifact, context);
    }

    /// Deletes the chunks of an artifact that no other one here has.
    fn drop_chunks(&mut self, artifact: EventId, context: &mut Context<'_>) -> Result<(), LogError> {
        self.blobs.forget_fetch(&artifact);
        let Some(blob) = self.blob_of(&artifact, context.log)? else { return Ok(()) };
        let mut dropped: BTreeSet<ChunkId> = blob.chunks.into_iter().collect();
        let others = self
            .blobs
            .kept
            .iter()
            .filter(|(id, kept)| **id != artifact && matches!(kept.stage, Stage::Fetching | Stage::Complete));
        for other in others.map(|(id, _)| *id).collect::<Vec<_>>() {
            if let Some(blob) = self.blob_of(&other, context.log)? {
                blob.chunks.iter().for_each(|id| _ = dropped.remove(id));
            }
        }
        for id in dropped {
            context.outbox.chunk(self.id(), id, None);
        }
        Ok(())
    }
}

impl Blobs {
    fn count(&self) -> usize {
        self.kept.values().filter(|kept| matches!(kept.stage, Stage::Fetching | Stage::Complete)).count()
    }

    /// Is it known, and does it not wait for room?
    fn waits_in_vain(&self, artifact: &EventId) -> bool {
        self.kept.get(artifact).is_some_and(|kept| kept.stage != Stage::Full)
    }

    /// Our own is here already. Another's must leave room for those of others.
    fn fits(&self, by: MemberId, size: u64, me: MemberId, max: u64) -> Stage {
        let (all, theirs) = self.taken(&by);
        let fits = all + size <= max && theirs + size <= max / 2 && self.count() < KEPT;
        if by == me || fits { Stage::Fetching } else { Stage::Full }
    }

    /// The id and the length of a chunk, if it is still missing.
    fn wanted(&self, of: &EventId, chunk: u32) -> Option<(ChunkId, usize)> {
        let fetch = self.active.get(of)?;
        let id = fetch.missing.get(&chunk)?;
        Some((*id, fetch.blob.length(chunk)))
    }

    fn shun(&mut self, member: MemberId, of: EventId, until: Timestamp) {
        self.shunned.insert((member, of), until);
        self.asked.retain(|(artifact, _), (asked, _)| *artifact != of || *asked != member);
    }

    /// Who says neither yes nor no is left alone.
    fn give_up_on_stalled(&mut self, now: Timestamp) {
        let stalled = self.asked.iter().filter(|(_, (_, since))| *since + STALLED <= now);
        let stalled: Vec<(MemberId, EventId)> = stalled.map(|((of, _), (member, _))| (*member, *of)).collect();
        for (member, of) in stalled {
            self.shun(member, of, now + AT_FAULT);
        }
    }

    fn forget_fetch(&mut self, artifact: &EventId) {
        self.active.remove(artifact);
        self.asked.retain(|(of, _), _| of != artifact);
    }

    /// What to ask a member for now, and notes that it was asked.
    fn next_for(&mut self, member: &MemberId, now: Timestamp) -> BTreeMap<EventId, Vec<u32>> {
        let asked = self.asked.values().filter(|(of, _)| of == member).count();
        let free = WINDOW.saturating_sub(asked + self.writing.len());
        let writing: BTreeSet<(EventId, u32)> = self.writing.iter().map(|(_, of, chunk)| (*of, *chunk)).collect();
        let mut next: BTreeMap<EventId, Vec<u32>> = BTreeMap::new();
        let mut count = 0;
        for (of, fetch) in &self.active {
            if self.shunned.contains_key(&(*member, *of)) {
                continue;
            }
            for chunk in fetch.missing.keys() {
                if count >= free {
                    return next;
                }
                let place = (*of, *chunk);
                if !writing.contains(&place) && !self.asked.contains_key(&place) {
                    self.asked.insert(place, (*member, now));
                    next.entry(*of).or_default().push(*chunk);
                    count += 1;
                }
            }
        }
        next
    }
}
