//! Opening rooms, joining, leaving, and what a doctor sees.

use super::*;

#[tokio::test]
async fn a_folder_has_one_room_however_often_it_is_opened() {
    let table = Table::default();
    let alice = Person::new(&table, "alice").await;
    assert_eq!(refused(&alice, say("hi")).await.rule, "no_room");
    let first = alice.opens().await;
    assert!(!first.already && first.join_command == format!("pairwave join {}", first.invite));
    let again = alice
        .ask(Create {
            dir: alice.dir.clone(),
            title: Some("other".into()),
            name: Some("eve".into()),
            relays: Vec::new(),
        })
        .await
        .unwrap();
    assert!(again.already && again.room == first.room && again.title == "lab" && again.invite != first.invite);
    let rooms = alice.ask(Rooms {}).await.unwrap().rooms;
    assert_eq!((rooms.len(), &rooms[0].state[..]), (1, "member"));
    assert_eq!(rooms[0].folder.as_deref(), Some(alice.dir.canonicalize().unwrap().to_str().unwrap()));
    let inside = alice.dir.join("src");
    std::fs::create_dir(&inside).unwrap();
    let nested = alice.ask(Create { dir: inside, title: None, name: None, relays: Vec::new() }).await.unwrap();
    assert!(!nested.already && nested.title == "src");
}

#[tokio::test]
async fn a_room_without_its_folder_is_found_when_it_is_asked_for_again() {
    let table = Table::default();
    let alice = Person::new(&table, "alice").await;
    let by = alice.caller(Face::Cli, "s1").await.speaker;
    let create = Command::Create { by, title: "lab".into(), name: "alice".into() };
    let Outcome::Created { room } = alice.answers.command(create).await.unwrap() else { panic!() };
    let opened = alice.opens().await;
    assert!(opened.room == room.to_string() && !opened.already);
    let inside = |name: &str| {
        let dir = alice.dir.join(name);
        std::fs::create_dir(&dir).unwrap();
        Create { dir, title: Some("lab".into()), name: Some("alice".into()), relays: Vec::new() }
    };
    let (first, second) = tokio::join!(alice.ask(inside("a")), alice.ask(inside("b")));
    let rooms = [opened.room, first.unwrap().room, second.unwrap().room];
    assert!(rooms[0] != rooms[1] && rooms[1] != rooms[2] && rooms[2] != rooms[0], "{rooms:?}");
}

#[tokio::test]
async fn somebody_joins_and_both_say_who_is_there() {
    let (_table, alice, bob) = two().await;
    let status = alice.ask(ShowStatus::default()).await.unwrap();
    let room = &status.rooms[0];
    assert_eq!((&status.name[..], &room.me.name[..], &room.me.origin[..]), ("alice", "alice", "human"));
    assert_eq!(room.members.len(), 2);
    let other = room.members.iter().find(|member| !member.me).unwrap();
    assert_eq!((&other.name[..], other.online, &other.path[..], other.rtt_ms), ("bob", true, "lan", Some(0.7)));
    assert!(!other.verified && !other.equivocated && other.verified_by.is_none());
    assert_eq!(bob.ask(Whoami::default()).await.unwrap().name, "bob");
    let kinds: Vec<String> =
        bob.ask(Read::default()).await.unwrap().events.into_iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds[..3], ["genesis", "invited", "admitted"]);
}

#[tokio::test]
async fn invites_that_let_nobody_in_say_why() {
    let (table, alice, bob) = two().await;
    let carol = Person::new(&table, "carol").await;
    let own = alice.opens().await.invite;
    assert_eq!(alice.tries(&own, 1).await.unwrap_err().rule, "own_invite");
    assert!(bob.tries(&own, 1).await.unwrap().already);
    assert_eq!(carol.tries("hello", 1).await.unwrap_err().rule, "not_an_invite");
    let cut = &own[..own.len() - 9];
    assert_eq!(carol.tries(cut, 1).await.unwrap_err().rule, "invite_cut_short");
    let closed = alice.ask(Invite::default()).await.unwrap();
    let revoked = alice.ask(CloseInvite { room: None, id: closed.id[..10].into() }).await.unwrap();
    assert_eq!((revoked.id, &revoked.state[..]), (closed.id, "revoked"));
    assert_eq!(carol.tries(&closed.invite, 600).await.unwrap_err().rule, "invite_revoked");
    assert!(carol.ask(Rooms {}).await.unwrap().rooms.is_empty(), "nothing is left behind");
    assert_eq!(carol.answers.parts.bindings.bound(&carol.dir), None);
    let states: Vec<String> =
        alice.ask(Invites::default()).await.unwrap().invites.into_iter().map(|invite| invite.state).collect();
    assert_eq!(states, ["used_up", "open", "revoked"]);
    assert_eq!(carol.tries(&own, 600).await.unwrap().state, JoinState::Admitted);
}

#[tokio::test]
async fn a_folder_keeps_its_room_when_another_invite_comes() {
    let (table, alice, bob) = two().await;
    let carol = Person::new(&table, "carol").await;
    let other = carol.opens().await;
    assert_eq!(bob.tries(&other.invite, 1).await.unwrap_err().rule, "folder_taken");
    assert_eq!(bob.ask(Rooms {}).await.unwrap().rooms.len(), 1);
    let left = bob.ask(Leave::default()).await.unwrap();
    assert_eq!((&left.state[..], left.room), ("left", bob.ask(Rooms {}).await.unwrap().rooms[0].room.clone()));
    assert_eq!(refused(&bob, say("still here?")).await.rule, "not_a_member");
    assert_eq!(bob.tries(&other.invite, 600).await.unwrap().state, JoinState::Admitted);
    alice.until(Read::default(), |read| read.events.iter().any(|entry| entry.kind == "left").then_some(())).await;
}

#[tokio::test]
async fn who_knocks_while_nobody_is_there_waits_and_can_give_up() {
    let table = Table::default();
    let (alice, bob) = (Person::new(&table, "alice").await, Person::new(&table, "bob").await);
    let invite = alice.opens().await.invite;
    table.leave(&alice);
    assert_eq!(bob.tries(&invite, 0).await.unwrap().state, JoinState::Waiting);
    let rooms = bob.ask(Rooms {}).await.unwrap().rooms;
    assert_eq!((&rooms[0].state[..], rooms[0].members), ("waiting", 0));
    assert_eq!(bob.ask(ShowStatus::default()).await.unwrap().rooms[0].state, "waiting");
    assert_eq!(refused(&bob, say("hello?")).await.rule, "not_admitted");
    let create = Create { dir: bob.dir.clone(), ..Create::default() };
    assert_eq!(refused(&bob, create).await.rule, "folder_waits");
    assert_eq!(bob.ask(Leave::default()).await.unwrap().state, "given_up");
    assert!(bob.ask(Rooms {}).await.unwrap().rooms.is_empty());
    assert_eq!(bob.answers.parts.bindings.bound(&bob.dir), None);
}

#[tokio::test]
async fn names_are_changed_and_members_removed() {
    let (_table, alice, bob) = two().await;
    let agent = bob.caller(Face::Mcp, "s1").await;
    let rename = |name: &str, session: Option<&str>| Rename {
        name: name.into(),
        session: session.map(str::to_owned),
        ..Rename::default()
    };
    assert_eq!(bob.ask(rename("robert", None)).await.unwrap().name, "robert");
    let named = bob.ask_as(&agent, rename("scout", Some("this"))).await.unwrap();
    assert_eq!((&named.name[..], named.session), ("scout", Some(agent.speaker.session.to_string())));
    assert_eq!(refused(&bob, rename("alice", None)).await.rule, "name_taken");
    assert_eq!(refused(&bob, Remove { member: "alice".into(), ..Remove::default() }).await.code, Code::Refused);
    alice
        .until(Read::default(), |read| read.events.iter().any(|entry| entry.text.contains("scout")).then_some(()))
        .await;
    alice.ask(Remove { member: "robert".into(), reason: Some("done".into()), ..Remove::default() }).await.unwrap();
    bob.until(Rooms {}, |list| (list.rooms[0].state == "removed").then_some(())).await;
    assert_eq!(refused(&bob, say("still here?")).await.rule, "not_a_member");
    assert_eq!(refused(&bob, wait()).await.rule, "not_a_member");
}

#[tokio::test]
async fn a_doctor_sees_every_layer() {
    let (table, alice, bob) = two().await;
    let check = |checks: Checks, name: &str| checks.checks.into_iter().find(|check| check.name == name).unwrap();
    let diagnose = || Diagnose { member: Some("bob".into()), ..Diagnose::default() };
    let healthy = alice.ask(diagnose()).await.unwrap();
    for layer in ["identity", "store", "listening", "member bob", "version of bob", "clock of bob"] {
        assert!(check(healthy.clone(), layer).ok, "{layer}: {healthy:?}");
    }
    table.leave(&bob);
    alice.until(Rooms {}, |list| (list.rooms[0].online == 0).then_some(())).await;
    let away = check(alice.ask(diagnose()).await.unwrap(), "member bob");
    assert!(!away.ok && away.detail.contains("last here") && !away.next.is_empty(), "{away:?}");
    let way = check(alice.ask(diagnose()).await.unwrap(), "reachable bob");
    assert!(!way.ok && !way.next.is_empty(), "{way:?}");
    assert_eq!(
        refused(&alice, Diagnose { member: Some("dave".into()), ..Diagnose::default() }).await.rule,
        "no_such_member"
    );
}

#[tokio::test]
async fn asked_to_end_the_companion_answers_first() {
    let table = Table::default();
    let alice = Person::new(&table, "alice").await;
    alice.ask(Down {}).await.unwrap();
    tokio::time::timeout(Duration::from_secs(60), alice.answers.asked_down()).await.unwrap();
}

#[tokio::test]
async fn a_name_that_nobody_can_bear_is_refused_at_once() {
    let table = Table::default();
    let (alice, bob) = (Person::new(&table, "alice").await, Person::new(&table, "bob").await);
    let invite = alice.opens().await.invite;
    for (name, rule) in [("b".repeat(65), "too_long"), ("bo\u{200b}b".into(), "field_shape"), (" ".into(), "empty")] {
        let join = Join { invite: invite.clone(), dir: bob.dir.clone(), name: Some(name), wait_s: 600 };
        let failure = refused(&bob, join).await;
        assert_eq!((&failure.rule[..], failure.code), (rule, Code::Refused));
    }
    assert!(bob.ask(Rooms {}).await.unwrap().rooms.is_empty(), "nothing is left behind");
    assert_eq!(bob.answers.parts.bindings.bound(&bob.dir), None);
}

#[tokio::test]
async fn leaving_is_for_good_and_what_was_said_stays() {
    let (_table, alice, bob) = two().await;
    alice.ask(say("before")).await.unwrap();
    bob.until(Read::default(), |read| read.events.last().filter(|last| last.text == "before").map(drop)).await;
    bob.ask(Leave::default()).await.unwrap();
    alice.until(Read::default(), |read| read.events.iter().any(|entry| entry.kind == "left").then_some(())).await;
    let again = alice.ask(Invite::default()).await.unwrap().invite;
    let failure = bob.tries(&again, 600).await.unwrap_err();
    assert_eq!((&failure.rule[..], failure.code), ("left", Code::Refused));
    assert!(failure.message.contains("for good"), "{failure}");
    let elsewhere = bob.dir.join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    let join = Join { invite: again, dir: elsewhere.clone(), name: None, wait_s: 600 };
    assert_eq!(refused(&bob, join).await.rule, "left");
    let folder = |dir| bob.answers.parts.bindings.bound(dir).map(|(folder, _)| folder);
    assert_eq!(folder(&bob.dir), Some(bob.dir.canonicalize().unwrap()), "the folder keeps its transcript");
    assert_eq!(folder(&elsewhere), folder(&bob.dir), "another folder gets none");
    let read = bob.ask(Read::default()).await.unwrap();
    assert!(read.events.iter().any(|entry| entry.text == "before"));
}

#[tokio::test]
async fn an_agent_neither_removes_nor_leaves() {
    let (_table, alice, bob) = two().await;
    for face in [Face::Mcp, Face::Cli] {
        let hello = Hello { agent: true, dir: Some(alice.dir.clone()), ..Hello::new(face) };
        let agent = alice.answers.welcome(hello, None).await.unwrap();
        let remove = Remove { member: "bob".into(), ..Remove::default() };
        for failure in
            [alice.ask_as(&agent, remove).await.unwrap_err(), alice.ask_as(&agent, Leave::default()).await.unwrap_err()]
        {
            assert_eq!((&failure.rule[..], failure.code), ("humans_only", Code::Refused));
            assert!(failure.next.contains("terminal"), "{failure}");
        }
    }
    assert_eq!(bob.ask(Rooms {}).await.unwrap().rooms[0].state, "member");
}
