use pairwave_api::{RoomList, Rooms};

use crate::caller::Caller;
use crate::output::Ended;
use crate::prose::{count, folder, page, plain, short};

/// The rooms that you are in
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  pairwave rooms")]
pub struct Args {}

pub async fn run(_: Args, caller: &Caller) -> Ended {
    let rooms = caller.ask(Rooms {}).await?;
    caller.output.answer(&rooms, told)
}

fn told(list: &RoomList) -> String {
    if list.rooms.is_empty() {
        return "You are in no room. Open one with `pairwave init`, or enter one with `pairwave join INVITE`.".into();
    }
    let rows = list.rooms.iter().map(|room| {
        let people = match room.state.as_str() {
            "member" => format!("{}, {} here", count(room.members.into(), "member", "members"), room.online),
            "waiting" => "waiting to be let in".into(),
            other => plain::line(other),
        };
        let unread = if room.unread > 0 { format!("{} unread", room.unread) } else { String::new() };
        let place = room.folder.as_deref().map(folder).unwrap_or_default();
        vec![plain::line(&room.title), short(&room.room).to_owned(), people, unread, place]
    });
    page::table(&rows.collect::<Vec<_>>())
}
