//! Opening rooms, and which there are.

use std::path::Path;
use std::time::Duration;

use pairwave_api::{
    CloseInvite, Code, Create, Created, Failure, Invite, InviteClosed, InviteList, InviteMade, InviteView, Invites,
    Leave, LeftRoom, RoomList,
};
use pairwave_core::command::{Command, Outcome};
use pairwave_core::id::{EventId, RoomId};
use pairwave_core::invite::Invite as InviteLine;
use pairwave_core::log::Log;
use pairwave_core::members;
use pairwave_core::seat::Standing;
use pairwave_core::time::Timestamp;
use pairwave_wire::limits;
use tokio::time::{sleep, timeout};

use super::{Answers, for_humans, project_folder, relays, unexpected};
use crate::caller::Caller;
use crate::refusals::{room_closed, unwritable};
use crate::resolve;
use crate::view::{self, Viewer};

/// How long an invite is good where nothing is said.
const EXPIRES_IN: Duration = Duration::from_secs(24 * 3600);

/// Longest life of an invite: who has not come in a month should be asked again.
const EXPIRES_IN_MAX: Duration = Duration::from_secs(31 * 24 * 3600);

/// How long an invite waits for what the router says, and how often it is looked for.
const ROUTER: Duration = Duration::from_secs(2);
const LOOKS: Duration = Duration::from_millis(20);

impl Answers {
    /// Opens a room for a folder. In a folder that has one, nothing changes but that there is a new
    /// invite: whoever runs `init` again wants the line to send.
    pub(super) async fn create(&self, by: &Caller, ask: &Create) -> Result<Created, Failure> {
        project_folder(&ask.dir)?;
        ask.relays.iter().try_for_each(|relay| relays::check(relay))?;
        // What another one is opening is no orphan.
        let _one_at_a_time = self.creating.lock().await;
        let there = self.room_of(&ask.dir).await?;
        let room = match there {
            Some(room) => room,
            None => {
                self.scan_relays(by, None, &ask.relays).await?;
                self.open(by, ask).await?
            }
        };
        self.attend(by, room).await;
        self.name_relays(by, room, &ask.relays, there.is_some()).await?;
        let title = self.look(room, |viewer| Ok(viewer.title().to_owned())).await?;
        let (_, invite) = self.make_invite(by, room, EXPIRES_IN, 1).await?;
        let invite = invite.to_string();
        Ok(Created {
            room: room.to_string(),
            title,
            join_command: format!("pairwave join {invite}"),
            invite,
            dashboard: self.dashboard_address(),
            already: there.is_some(),
        })
    }

    async fn open(&self, by: &Caller, ask: &Create) -> Result<RoomId, Failure> {
        let title = ask.title.clone().unwrap_or_else(|| title_of(&ask.dir));
        let name = ask.name.clone().unwrap_or_else(|| self.parts.name.clone());
        self.scan(by, None, &[("title", &title), ("name", &name)]).await?;
        let room = match self.orphan(&title, &name).await {
            Some(orphan) => orphan,
            None => match self.command(Command::Create { by: by.speaker, title, name }).await? {
                Outcome::Created { room } => room,
                other => return Err(unexpected(&other)),
            },
        };
        self.parts.bindings.bind(&ask.dir, room).await.map_err(|error| unwritable(&error))?;
        Ok(room)
    }

    /// A room just as it is to be opened, of which nobody was told: the companion ended after it had
    /// made the room and before it had bound the folder.
    async fn orphan(&self, title: &str, name: &str) -> Option<RoomId> {
        let (bindings, title, name) = (self.parts.bindings.clone(), title.to_owned(), name.to_owned());
        let find = move |node: &pairwave_core::node::Node<_>| {
            let mut orphans = node.rooms().filter(|room| {
                let (me, viewer) = (node.me(), Viewer::new(node, room));
                let is_new = room.count() == 1 && room.is_member(&me) && bindings.folder_of(&room.id()).is_none();
                is_new && viewer.title() == title && viewer.name(&me) == name
            });
            orphans.next().map(|room| room.id())
        };
        self.parts.driver.query(find).await
    }

    /// The room that this very folder has and that is not over for us.
    async fn room_of(&self, dir: &Path) -> Result<Option<RoomId>, Failure> {
        let Some(room) = self.bound_exactly(dir) else { return Ok(None) };
        match self.standing(room).await {
            Some(Standing::Member) => Ok(Some(room)),
            Some(Standing::Waiting) => Err(Failure::new(
                Code::Refused,
                "folder_waits",
                "This folder waits to be let into a room",
                "Wait for it, or give it up with `pairwave leave`.",
            )),
            Some(Standing::Left | Standing::Removed) => Ok(None),
            None if self.is_closed(room).await => Err(room_closed()),
            None => Ok(None),
        }
    }

    /// The room of this very folder, not of a parent.
    pub(super) fn bound_exactly(&self, dir: &Path) -> Option<RoomId> {
        let canonical = dir.canonicalize().ok()?;
        self.parts.bindings.bound(dir).filter(|(folder, _)| *folder == canonical).map(|(_, room)| room)
    }

    /// Something is kept of the room, but it is not open: its log could not be read.
    pub(super) async fn is_closed(&self, room: RoomId) -> bool {
        self.parts.driver.query(move |node| !is_open(node, &room) && node.log().keeps(&room)).await
    }

    /// Where we stand in a room; `None` if it is not open here.
    pub(super) async fn standing(&self, room: RoomId) -> Option<Standing> {
        let standing = move |node: &pairwave_core::node::Node<_>| is_open(node, &room).then(|| node.standing(&room));
        self.parts.driver.query(standing).await
    }

    pub(super) async fn invite(&self, by: &Caller, ask: &Invite) -> Result<InviteMade, Failure> {
        let room = self.room(by, &ask.room).await?;
        let expires_in = ask.expires_s.map_or(EXPIRES_IN, Duration::from_secs);
        if expires_in.is_zero() || expires_in > EXPIRES_IN_MAX {
            let days = EXPIRES_IN_MAX.as_secs() / (24 * 3600);
            let message = format!("An invite cannot be good for {} s", expires_in.as_secs());
            return Err(Failure::new(Code::Usage, "expiry", message, format!("Choose at most {days} days.")));
        }
        let uses = ask.uses.unwrap_or(1);
        if !(1..=limits::MEMBERS as u32).contains(&uses) {
            let message = format!("An invite cannot be good for {uses} people");
            let next = format!("Choose from 1 to {}: a room has no more members.", limits::MEMBERS);
            return Err(Failure::new(Code::Usage, "uses", message, next));
        }
        let (id, invite) = self.make_invite(by, room, expires_in, uses).await?;
        Ok(InviteMade {
            invite: invite.to_string(),
            id: id.to_string(),
            expires_at: view::time(invite.expires_at),
            uses: invite.uses,
        })
    }

    async fn make_invite(
        &self,
        by: &Caller,
        room: RoomId,
        expires_in: Duration,
        uses: u32,
    ) -> Result<(EventId, InviteLine), Failure> {
        self.hear_the_router().await;
        match self.command(Command::Invite { room, by: by.speaker, expires_in, uses }).await? {
            Outcome::Invited { id, invite } => Ok((id, invite)),
            other => Err(unexpected(&other)),
        }
    }

    /// An invite says where we can be reached, and a companion that has just started may not know it yet:
    /// what the router lends is the only way in from outside where no relay is named.
    async fn hear_the_router(&self) {
        let asked = (self.parts.network)().await;
        if !asked.asks_router || !asked.relays.is_empty() {
            return;
        }
        let heard = async {
            loop {
                sleep(LOOKS).await;
                let network = (self.parts.network)().await;
                let known = self.parts.driver.query(|node| node.addresses().to_vec()).await;
                if !network.asks_router && known == network.listening {
                    return;
                }
            }
        };
        // One that takes longer lends nothing, most likely.
        let _ = timeout(ROUTER, heard).await;
    }

    pub(super) async fn invites(&self, by: &Caller, ask: &Invites) -> Result<InviteList, Failure> {
        let room = self.room(by, &ask.room).await?;
        let list = |viewer: &Viewer<'_, _>| {
            let now = now();
            let mut invites: Vec<_> = viewer.invites().collect();
            invites.sort_by_key(|invite| (invite.expires_at, invite.id));
            Ok(InviteList { invites: invites.into_iter().map(|invite| invite_view(viewer, invite, now)).collect() })
        };
        self.look(room, list).await
    }

    pub(super) async fn close_invite(&self, by: &Caller, ask: &CloseInvite) -> Result<InviteClosed, Failure> {
        let room = self.room(by, &ask.room).await?;
        let wanted = ask.id.clone();
        let invite = self.look(room, move |viewer| resolve::invite(viewer, &wanted)).await?;
        self.command(Command::CloseInvite { room, by: by.speaker, invite }).await?;
        Ok(InviteClosed { id: invite.to_string(), state: "revoked".to_owned() })
    }

    /// Leaves a room, or gives up waiting for one.
    pub(super) async fn leave(&self, by: &Caller, ask: &Leave) -> Result<LeftRoom, Failure> {
        for_humans(by)?;
        let room = self.room(by, &ask.room).await?;
        let waited = self.standing(room).await == Some(Standing::Waiting);
        self.command(Command::Leave { room, by: by.speaker }).await?;
        self.unbind_unless_here(room).await?;
        let state = if waited { "given_up" } else { "left" };
        Ok(LeftRoom { room: room.to_string(), state: state.to_owned() })
    }

    /// Frees every folder of a room that is not here. One whose log is here stays readable in them.
    pub(super) async fn unbind_unless_here(&self, room: RoomId) -> Result<(), Failure> {
        if self.standing(room).await.is_some() {
            return Ok(());
        }
        while let Some(folder) = self.parts.bindings.folder_of(&room) {
            self.parts.bindings.unbind(&folder).await.map_err(|error| unwritable(&error))?;
        }
        Ok(())
    }

    pub(super) async fn rooms(&self, by: &Caller) -> Result<RoomList, Failure> {
        let (bindings, speaker) = (self.parts.bindings.clone(), by.speaker);
        let list = move |node: &pairwave_core::node::Node<_>| {
            let folder = |room: &RoomId| bindings.folder_of(room).map(|folder| folder.display().to_string());
            let here =
                node.rooms().map(|room| view::room_summary(&Viewer::new(node, room), &speaker, folder(&room.id())));
            let waiting =
                waiting_rooms(node).map(|joining| view::waiting_summary(joining, folder(&joining.invite.room)));
            RoomList { rooms: here.chain(waiting).collect() }
        };
        Ok(self.parts.driver.query(list).await)
    }
}

/// A room, or a wish to join one, that the node has taken up.
pub(super) fn is_open<L: Log>(node: &pairwave_core::node::Node<L>, room: &RoomId) -> bool {
    node.room(room).is_some() || node.joins().any(|joining| joining.invite.room == *room)
}

/// Wishes to join a room in which we are not a former member, which would be listed already.
pub(super) fn waiting_rooms<L: Log>(
    node: &pairwave_core::node::Node<L>,
) -> impl Iterator<Item = &pairwave_core::joining::Joining> {
    node.joins().filter(|joining| node.rooms().all(|room| room.id() != joining.invite.room))
}

fn invite_view<L: Log>(viewer: &Viewer<'_, L>, invite: &members::Invite, now: Timestamp) -> InviteView {
    let state = if invite.closed.is_some() {
        "revoked"
    } else if invite.used >= invite.uses {
        "used_up"
    } else if invite.expires_at <= now {
        "expired"
    } else {
        "open"
    };
    InviteView {
        id: invite.id.to_string(),
        by: viewer.name(&invite.by),
        expires_at: view::time(invite.expires_at),
        uses: invite.uses,
        used: invite.used,
        state: state.to_owned(),
    }
}

fn now() -> Timestamp {
    Timestamp(u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or_default())
}

/// A room is called as its folder where nothing else is said.
fn title_of(dir: &Path) -> String {
    let name = dir.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
    if name.trim().is_empty() { "room".to_owned() } else { name.trim().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_called_as_its_folder() {
        assert_eq!(title_of(Path::new("/home/alice/parser")), "parser");
        assert_eq!(title_of(Path::new("/")), "room");
        assert_eq!(title_of(Path::new("/a\nb")), "ab");
    }
}
