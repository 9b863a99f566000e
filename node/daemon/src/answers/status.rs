//! One screen: who is here, how we are connected, what waits.

use pairwave_api::{Failure, NetworkView, ShowStatus, Status, VERSION};
use pairwave_core::id::RoomId;
use pairwave_core::node::Node;

use super::Answers;
use super::rooms::waiting_rooms;
use crate::caller::Caller;
use crate::net::NetStatus;
use crate::store::Reader;
use crate::view::{self, Viewer};

impl Answers {
    pub(super) async fn status(&self, by: &Caller, ask: &ShowStatus) -> Result<Status, Failure> {
        let only = match &ask.room {
            Some(_) => Some(self.room(by, &ask.room).await?),
            None => None,
        };
        let here = self.room(by, &ask.room).await.ok();
        let network = (self.parts.network)().await;
        let dashboard = self.dashboard_address();
        let (bindings, speaker, me, default) =
            (self.parts.bindings.clone(), by.speaker, self.parts.me, self.parts.name.clone());
        let status = move |node: &Node<Reader>| {
            let folder = |room: &RoomId| bindings.folder_of(room).map(|folder| folder.display().to_string());
            let wanted = |room: &RoomId| only.is_none_or(|only| only == *room);
            let rooms = node.rooms().filter(|room| wanted(&room.id()));
            let rooms =
                rooms.map(|room| view::room_view(&Viewer::new(node, room), &speaker, folder(&room.id()), &network));
            let waiting = waiting_rooms(node).filter(|joining| wanted(&joining.invite.room));
            let waiting =
                waiting.map(|joining| view::waiting_view(joining, &speaker, me, folder(&joining.invite.room)));
            let rooms: Vec<_> = rooms.chain(waiting).collect();
            let named = rooms.iter().find(|room| here.is_some_and(|here| room.room == here.to_string()));
            let name = named.or(rooms.first()).map_or(default, |room| room.me.name.clone());
            Status {
                version: VERSION.to_owned(),
                member: me.to_string(),
                name,
                dashboard,
                network: network_view(network),
                here: here.map(|here| here.to_string()),
                rooms,
            }
        };
        Ok(self.parts.driver.query(status).await)
    }
}

fn network_view(network: NetStatus) -> NetworkView {
    NetworkView {
        listening: network.listening,
        reachability: view::reachability(network.reachability).to_owned(),
        nat: network.nat,
        mdns: network.mdns,
        relays: network.relays.iter().map(view::relay).collect(),
    }
}
