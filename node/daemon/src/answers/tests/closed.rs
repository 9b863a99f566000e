//! A folder whose room cannot be opened.

use pairwave_core::input::Input;
use pairwave_core::notice::Notice as Told;

use super::*;

/// Closes a room as one whose log cannot be read, and waits until it is.
async fn close(table: &Table, person: &Person, room: &str) {
    let mut notices = person.answers.parts.driver.notices();
    let room: RoomId = room.parse().unwrap();
    table.tell(person, Input::AppendFailed { room, number: 0, why: "unreadable".into() });
    while !matches!(notices.recv().await.unwrap(), Told::Reopening { .. }) {}
}

async fn another_room(person: &Person) -> Created {
    let dir = person.dir.with_file_name("another");
    std::fs::create_dir_all(&dir).unwrap();
    person.ask(Create { dir, title: Some("another".into()), name: None, relays: Vec::new() }).await.unwrap()
}

#[tokio::test]
async fn a_folder_whose_room_is_closed_acts_on_no_other_room() {
    let table = Table::default();
    let alice = Person::new(&table, "alice").await;
    let (own, other) = (alice.opens().await, another_room(&alice).await);
    close(&table, &alice, &own.room).await;
    let refusals = [
        refused(&alice, say("for the lab alone")).await,
        refused(&alice, Leave::default()).await,
        refused(&alice, Invite::default()).await,
    ];
    for failure in refusals {
        assert_eq!((&failure.rule[..], failure.code), ("room_closed", Code::Failed));
        assert!(failure.next.contains("pairwave doctor"), "{failure}");
    }
    let read = alice.ask(Read { room: Some(other.room), ..Read::default() }).await.unwrap();
    assert!(read.events.iter().all(|entry| !["chat", "left"].contains(&&entry.kind[..])), "{read:?}");
}

#[tokio::test]
async fn a_doctor_names_the_room_that_is_closed() {
    let table = Table::default();
    let alice = Person::new(&table, "alice").await;
    let own = alice.opens().await;
    another_room(&alice).await;
    close(&table, &alice, &own.room).await;
    let checks = alice.ask(Diagnose::default()).await.unwrap().checks;
    let rooms: Vec<_> = checks.iter().filter(|check| check.name == "room").collect();
    assert!(rooms.len() == 1 && !rooms[0].ok, "{checks:?}");
    assert!(rooms[0].detail.contains("project") && rooms[0].next.contains("pairwave.log"), "{checks:?}");
}

#[tokio::test]
async fn a_folder_whose_room_is_closed_is_not_free() {
    let table = Table::default();
    let (alice, bob) = (Person::new(&table, "alice").await, Person::new(&table, "bob").await);
    let (own, invite) = (alice.opens().await, bob.opens().await.invite);
    close(&table, &alice, &own.room).await;
    let create = Create { dir: alice.dir.clone(), title: None, name: None, relays: Vec::new() };
    assert_eq!(refused(&alice, create).await.rule, "room_closed");
    assert_eq!(alice.tries(&invite, 1).await.unwrap_err().rule, "room_closed");
    assert!(alice.ask(Rooms {}).await.unwrap().rooms.is_empty(), "no room takes its place");
    let bound = alice.answers.parts.bindings.bound(&alice.dir).unwrap().1;
    assert_eq!(bound.to_string(), own.room);
}
