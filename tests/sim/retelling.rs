//! What a companion with a wrong rule would keep of a room: its saved state, changed as that rule
//! would have it.

use ciborium::Value;
use pairwave_core::epochs::EpochKeys;
use pairwave_core::event::Body;
use pairwave_core::id::{EventId, RoomId};
use pairwave_core::log::{Log, MemoryLog};
use pairwave_wire::cbor;

use crate::fault::Fault;

/// The saved state as it is with this fault. `first` is the first one that was saved.
pub fn state(fault: Option<Fault>, saved: &[u8], first: &[u8], log: &MemoryLog, room: RoomId) -> Vec<u8> {
    let mut value: Value = cbor::decode(saved, usize::MAX).expect("a saved state");
    if fault == Some(Fault::KeepsTheFirstState) {
        let mut first: Value = cbor::decode(first, usize::MAX).expect("a saved state");
        *at(&mut value, "fold") = at(&mut first, "fold").clone();
    }
    let checkpoints = at(at(&mut value, "fold"), "checkpoints").as_array_mut().expect("a list");
    for checkpoint in checkpoints {
        retell(fault, at(checkpoint, "state"), log, room);
    }
    cbor::encode(&value).expect("it was decoded")
}

/// All epochs with the key of one of them, the first that anybody ever had.
pub fn keys(saved: &[u8], room: RoomId) -> Vec<u8> {
    let keys = EpochKeys::decode(saved).expect("saved keys");
    let Some(first) = keys.get(&EventId::from(room)).cloned() else { return saved.to_vec() };
    let mut retold = EpochKeys::default();
    for (epoch, _) in keys.iter() {
        retold.insert(*epoch, first.clone());
    }
    retold.encode()
}

fn retell(fault: Option<Fault>, state: &mut Value, log: &MemoryLog, room: RoomId) {
    match fault {
        Some(Fault::TellsAnotherStory) => *at(state, "title") = Value::Text("lexers".into()),
        Some(Fault::ForgivesForks) => *at(state, "equivocations") = Value::Map(Vec::new()),
        Some(Fault::BreaksTiesTheOtherWay) => {
            let authors = at(state, "marks").as_map_mut().expect("a map").iter_mut();
            let reasons = authors.flat_map(|(_, author)| at(author, "reasons").as_map_mut().expect("a map"));
            for (marked, mark) in reasons {
                if *mark == Value::Text("NameTaken".into()) {
                    *marked = rival(marked, log, room);
                }
            }
        }
        Some(Fault::IgnoresRemovals) => {
            for (_, member) in at(at(state, "members"), "members").as_map_mut().expect("a map") {
                *at(member, "gone") = Value::Null;
            }
        }
        Some(Fault::StartsNoEpoch) => at(at(state, "members"), "epochs").as_array_mut().expect("a list").truncate(1),
        _ => (),
    }
}

/// Another event that takes the same name.
fn rival(loser: &Value, log: &MemoryLog, room: RoomId) -> Value {
    let order = log.ascending(&room, None, usize::MAX).expect("a log in memory");
    let named = order.iter().filter_map(|position| {
        let body = log.get(&room, &position.id).ok()??.event()?.body;
        let Body::Named(named) = body else { return None };
        Some((Value::serialized(&position.id).expect("bytes"), named.name))
    });
    let named: Vec<(Value, String)> = named.collect();
    let wanted = named.iter().find(|(id, _)| id == loser).map(|(_, name)| name);
    let rival = named.iter().find(|(id, name)| id != loser && Some(name) == wanted);
    rival.map_or_else(|| loser.clone(), |(id, _)| id.clone())
}

fn at<'a>(value: &'a mut Value, field: &str) -> &'a mut Value {
    let fields = value.as_map_mut().expect("a map");
    let found = fields.iter_mut().find(|(name, _)| name.as_text() == Some(field));
    found.map(|(_, value)| value).unwrap_or_else(|| panic!("no field {field}"))
}
