//! What the guard says of requests. It looks at up to a MiB each, so it does that beside the node, once.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use pairwave_api::{Code, Failure, RequestView};
use pairwave_core::id::{EventId, RoomId};

use super::Answers;
use super::watch::locked;
use crate::refusals::unreadable;
use crate::view::{Asked, Judged, Unjudged, Viewer, judged};

/// Judgements that are remembered, over all rooms.
const JUDGEMENTS: usize = 256;

/// The newest judgements, the newest last. What an event asks for never changes.
#[derive(Default)]
pub(super) struct Judgements(Mutex<VecDeque<(EventId, Arc<Judged>)>>);

impl Judgements {
    fn known(&self) -> BTreeMap<EventId, Arc<Judged>> {
        locked(&self.0).iter().cloned().collect()
    }

    fn remember(&self, id: EventId, judged: Arc<Judged>) {
        let mut known = locked(&self.0);
        known.retain(|(other, _)| *other != id);
        if known.len() == JUDGEMENTS {
            known.pop_front();
        }
        known.push_back((id, judged));
    }
}

impl Answers {
    /// Requests as a face may see them.
    pub(super) async fn judged_views(&self, room: RoomId, asked: Vec<Asked>) -> Result<Vec<RequestView>, Failure> {
        let mut known = self.judgements.known();
        let open = asked.iter().filter(|asked| asked.is_open).map(|asked| asked.id);
        for id in open.filter(|id| !known.contains_key(id)).collect::<Vec<_>>() {
            // One after another: not all that is asked for has to be held at a time.
            let find = move |viewer: &Viewer<'_, _>| viewer.unjudged(&id).map_err(|error| unreadable(&error));
            if let Some(unjudged) = self.look(room, find).await? {
                known.insert(id, self.judge(unjudged).await?.0);
            }
        }
        let view = |asked: Asked| {
            let judged = known.get(&asked.id).filter(|_| asked.is_open).cloned();
            asked.judged(judged.as_deref())
        };
        let mut views: Vec<RequestView> = asked.into_iter().map(view).collect();
        for view in views.iter_mut().filter(|view| !view.paths.is_empty()) {
            view.warnings.extend(self.claimed(room, view.paths.clone()).await?);
        }
        Ok(views)
    }

    /// What the guard says, and what it was said of.
    pub(super) async fn judge(&self, unjudged: Unjudged) -> Result<(Arc<Judged>, Unjudged), Failure> {
        let id = unjudged.id;
        let judge = move || (Arc::new(judged(&unjudged.requested, unjudged.payload.as_deref())), unjudged);
        let (judged, unjudged) = blocking(judge).await?;
        // What is not here may come.
        if unjudged.payload.is_some() {
            self.judgements.remember(id, judged.clone());
        }
        Ok((judged, unjudged))
    }
}

/// Does what takes its time where nobody waits behind it.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        Failure::new(
            Code::Failed,
            "not_judged",
            error,
            "Try again; if it stays so, please report this as a bug of pairwave.",
        )
    })
}

#[cfg(test)]
mod tests {
    use pairwave_core::actions::Risk;

    use super::*;

    #[test]
    fn so_many_judgements_are_remembered() {
        let judgements = Judgements::default();
        let id = |number: usize| {
            EventId([u8::try_from(number % 256).unwrap(), u8::from(number > 255)].repeat(16).try_into().unwrap())
        };
        for number in 0..=JUDGEMENTS {
            let judged = Judged { risk: Risk::Low, warnings: Vec::new(), paths: Vec::new() };
            judgements.remember(id(number), Arc::new(judged));
        }
        let known = judgements.known();
        assert!(known.len() == JUDGEMENTS && !known.contains_key(&id(0)) && known.contains_key(&id(JUDGEMENTS)));
    }
}
