//! What the page in the browser needs beside what every face asks, and the page as a face.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use futures::FutureExt;
use futures::future::BoxFuture;
use pairwave_api::{
    ArrivalPage, Arrivals, Code, Companion, Dashboard, DashboardLink, Deliveries, DeliveryList, Face, Failure, Hello,
    Notices, Request,
};
use pairwave_core::command::Refusal;
use pairwave_core::event::Origin;
use pairwave_core::log::Log;
use serde_json::Value;

use super::Answers;
use super::reading::BYTES;
use crate::caller::Caller;
use crate::control::Service;
use crate::refusals::{refused, unreadable};
use crate::resolve;
use crate::store::Reader;
use crate::view::{Viewer, deliveries};

/// Arrivals of a page where nothing is said, and at most.
const LIMIT: u32 = 100;
const LIMIT_MAX: u32 = 500;

/// Events whose deliveries are told at a time.
const EVENTS: usize = 200;

impl Answers {
    /// Takes up the page that is served from now on. The first one counts.
    pub fn serve_dashboard(&self, dashboard: Arc<dyn Dashboard>) {
        let _ = self.dashboard.set(dashboard);
    }

    pub(super) fn dashboard_address(&self) -> Option<String> {
        self.dashboard.get().map(|dashboard| dashboard.address())
    }

    pub(super) fn open_dashboard(&self, by: &Caller) -> Result<DashboardLink, Failure> {
        if by.speaker.origin != Origin::Human {
            return Err(refused(Refusal::HumansOnly));
        }
        let dashboard = self.dashboard.get().ok_or_else(no_dashboard)?;
        Ok(DashboardLink { url: dashboard.link() })
    }

    pub(super) async fn arrivals(&self, by: &Caller, ask: &Arrivals) -> Result<ArrivalPage, Failure> {
        let room = self.room(by, &ask.room).await?;
        let limit = ask.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX) as usize;
        let after = ask.after;
        let page = move |viewer: &Viewer<'_, Reader>| {
            let last = viewer.room().settled_arrival();
            let found = viewer.node().log().arrivals(&room, after, limit).map_err(|error| unreadable(&error))?;
            let (mut events, mut bytes) = (Vec::new(), 0);
            for (_, id) in found.into_iter().take_while(|(arrival, _)| *arrival <= last) {
                let entry = viewer.entry(&id).map_err(|error| unreadable(&error))?;
                bytes += entry.as_ref().map_or(0, super::reading::written);
                events.extend(entry);
                if bytes >= BYTES {
                    break;
                }
            }
            Ok(ArrivalPage { events, last })
        };
        self.look(room, page).await
    }

    pub(super) async fn deliveries(&self, by: &Caller, ask: &Deliveries) -> Result<DeliveryList, Failure> {
        let room = self.room(by, &ask.room).await?;
        let wanted: Vec<String> = ask.events.iter().take(EVENTS).cloned().collect();
        let list = move |viewer: &Viewer<'_, Reader>| {
            let mut list = BTreeMap::new();
            for wanted in wanted {
                let event = resolve::event(viewer.node(), viewer.room(), &wanted)?;
                let record = viewer.room().record(viewer.node().log(), &event).map_err(|error| unreadable(&error))?;
                if record.is_some_and(|record| record.author == viewer.me()) {
                    let states = viewer.node().delivery(&room, &event).map_err(|error| unreadable(&error))?;
                    list.insert(event.to_string(), deliveries(states));
                }
            }
            Ok(DeliveryList { deliveries: list })
        };
        self.look(room, list).await
    }
}

/// The companion for a face in its own process: the page, behind which a human sits.
pub struct Near {
    /// The page must not keep alive what serves it.
    answers: Weak<Answers>,
    caller: Caller,
}

impl Near {
    pub fn new(answers: &Arc<Answers>) -> Result<Self, Failure> {
        let hello = Hello { agent: false, session: None, ..Hello::new(Face::Web) };
        let caller = Caller::admit(hello, None, answers.parts.me, &answers.live)?;
        Ok(Self { answers: Arc::downgrade(answers), caller })
    }
}

impl Companion for Near {
    fn call(&self, request: Request) -> BoxFuture<'_, Result<Value, Failure>> {
        async move {
            let answers = self.answers.upgrade().ok_or_else(ending)?;
            let reply = answers.route(&self.caller, request).await?;
            if let Some(written) = reply.written {
                written.await;
            }
            Ok(reply.value)
        }
        .boxed()
    }

    fn notices(&self) -> BoxFuture<'_, Result<Notices, Failure>> {
        async move {
            let answers = self.answers.upgrade().ok_or_else(ending)?;
            Ok(Service::notices(&*answers, &self.caller))
        }
        .boxed()
    }
}

fn ending() -> Failure {
    Failure::new(Code::CompanionUnreachable, "companion_ended", "The companion was ended", "Start it: `pairwave up`.")
}

fn no_dashboard() -> Failure {
    Failure::new(
        Code::Failed,
        "no_dashboard",
        "This companion serves no page: `dashboard.port` is 0, or no port was free",
        "Look at `pairwave config show` and the log, then `pairwave down` and `pairwave up`.",
    )
}
