//! Who we are, how we are called, and removing members.

use pairwave_api::{EventDone, Failure, Me, Named, Remove, Rename, Whoami};
use pairwave_core::command::{Command, Outcome};

use super::{Answers, for_humans, unexpected};
use crate::caller::Caller;
use crate::resolve;
use crate::view;

impl Answers {
    pub(super) async fn whoami(&self, by: &Caller, ask: &Whoami) -> Result<Me, Failure> {
        let speaker = by.speaker;
        match self.room(by, &ask.room).await {
            Ok(room) => self.look(room, move |viewer| Ok(viewer.me_as(&speaker))).await,
            Err(failure) if ask.room.is_some() => Err(failure),
            // Somebody without a room is somebody all the same.
            Err(_) => Ok(Me {
                member: self.parts.me.to_string(),
                name: self.parts.name.clone(),
                session: speaker.session.to_string(),
                session_name: String::new(),
                origin: view::origin(speaker.origin).to_owned(),
            }),
        }
    }

    /// Renames the member, or one of its sessions; `this` is the one that asks.
    pub(super) async fn rename(&self, by: &Caller, ask: &Rename) -> Result<Named, Failure> {
        let room = self.room(by, &ask.room).await?;
        self.scan(by, Some(room), &[("name", &ask.name)]).await?;
        let session = match ask.session.clone() {
            None => None,
            Some(this) if this == "this" => Some(by.speaker.session),
            Some(wanted) => Some(self.look(room, move |viewer| resolve::own_session(viewer, &wanted)).await?),
        };
        self.command(Command::Name { room, by: by.speaker, session, name: ask.name.clone() }).await?;
        let named = move |viewer: &view::Viewer<'_, _>| {
            let name = match &session {
                Some(session) => viewer.session_name(&viewer.me(), session),
                None => viewer.name(&viewer.me()),
            };
            Ok(Named { member: viewer.me().to_string(), name, session: session.map(|session| session.to_string()) })
        };
        self.look(room, named).await
    }

    pub(super) async fn remove(&self, by: &Caller, ask: &Remove) -> Result<EventDone, Failure> {
        for_humans(by)?;
        let room = self.room(by, &ask.room).await?;
        let wanted = ask.member.clone();
        let member = self.look(room, move |viewer| resolve::member(viewer, &wanted)).await?;
        let reason = ask.reason.clone().filter(|reason| !reason.is_empty());
        if let Some(reason) = &reason {
            self.scan(by, Some(room), &[("reason", reason)]).await?;
        }
        match self.command(Command::Remove { room, by: by.speaker, member, reason }).await? {
            Outcome::Said { event, .. } => Ok(EventDone { event: event.to_string() }),
            other => Err(unexpected(&other)),
        }
    }
}
