//! Saying something, and being given it once.

use super::*;

#[tokio::test]
async fn a_question_wakes_its_reader_and_stays_until_it_is_answered() {
    let (_table, alice, bob) = two().await;
    let agent = bob.caller(Face::Mcp, "s1").await;
    let (heard, asked) = tokio::join!(bob.ask_as(&agent, wait()), alice.ask(ask("Which port?")));
    let (heard, asked) = (heard.unwrap(), asked.unwrap());
    assert_eq!((&heard.items[0].kind[..], &heard.items[0].id), ("question", &asked.event));
    let entry = heard.items[0].entry.as_ref().unwrap();
    assert_eq!(entry.fields, BTreeMap::from([("expected_format".into(), Field::Text("free text".into()))]));
    assert!(!entry.verified && entry.origin == "human" && entry.name == "alice");

    let again = bob.ask_as(&agent, Inbox::default()).await.unwrap();
    assert_eq!((again.items.len(), &again.items[0].kind[..]), (1, "question"));
    assert!(again.items[0].entry.is_none(), "its text was given already");
    let own = alice.ask(Inbox::default()).await.unwrap();
    assert_eq!(&own.items[0].kind[..], "open_question");
    assert_eq!(alice.ask(ShowStatus::default()).await.unwrap().rooms[0].waiting.questions, 0);
    assert_eq!(bob.ask(ShowStatus::default()).await.unwrap().rooms[0].waiting.questions, 1);

    let answer = Send { kind: "answer".into(), answers: Some(asked.event[..12].into()), ..say("4011") };
    let answered = bob.ask_as(&agent, answer).await.unwrap();
    let heard = alice.ask(wait()).await.unwrap();
    assert_eq!(texts(&heard), ["4011"]);
    let read = alice.ask(Read { event: Some(asked.event.clone()), ..Read::default() }).await.unwrap();
    assert_eq!(read.events[0].answered_by, [answered.event]);
    assert!(bob.ask_as(&agent, Inbox::default()).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn each_session_is_given_everything_once() {
    let (_table, alice, bob) = two().await;
    let (first, second) = (bob.caller(Face::Mcp, "s1").await, bob.caller(Face::Mcp, "s2").await);
    for number in 0..60 {
        alice.ask(say(&format!("m{number}"))).await.unwrap();
    }
    bob.until(Read::default(), |read| read.events.last().filter(|last| last.text == "m59").map(drop)).await;
    for session in [&first, &second] {
        let peeked = bob.ask_as(session, Inbox { peek: true, ..Inbox::default() }).await.unwrap();
        let page = bob.ask_as(session, Inbox::default()).await.unwrap();
        assert_eq!(peeked, page, "a look changes nothing");
        assert!(page.more && page.items.len() == 50 && texts(&page)[0] == "m0");
        let rest = bob.ask_as(session, Inbox::default()).await.unwrap();
        assert!(!rest.more && texts(&rest).len() == 10);
        assert!(bob.ask_as(session, Inbox::default()).await.unwrap().items.is_empty());
    }
}

#[tokio::test]
async fn what_could_not_be_written_is_given_again() {
    let (_table, alice, bob) = two().await;
    let agent = bob.caller(Face::Mcp, "s1").await;
    alice.ask(say("hello")).await.unwrap();
    drop(bob.answers.call(&agent, wait().into()).await.unwrap());
    assert_eq!(texts(&bob.ask_as(&agent, wait()).await.unwrap()), ["hello"]);
}

#[tokio::test]
async fn long_messages_are_given_a_few_at_a_time() {
    let (_table, alice, bob) = two().await;
    for _ in 0..3 {
        alice.ask(say(&"x".repeat(15_000))).await.unwrap();
    }
    bob.until(Rooms {}, |list| (list.rooms[0].unread == 3).then_some(())).await;
    let sizes = [bob.ask(Inbox::default()).await.unwrap(), bob.ask(Inbox::default()).await.unwrap()];
    assert_eq!(sizes.map(|inbox| (inbox.items.len(), inbox.more)), [(1, true), (1, true)]);
}

#[tokio::test]
async fn a_wait_ends_in_time() {
    let (_table, _alice, bob) = two().await;
    let waited = bob.ask(Wait::default()).await.unwrap();
    assert!(waited.timed_out && waited.items.is_empty());
}

#[tokio::test]
async fn what_is_said_wrongly_is_refused_by_its_rule() {
    let (_table, alice, _bob) = two().await;
    let rule = async |send: Send| refused(&alice, send).await.rule;
    assert_eq!(rule(Send { kind: "gossip".into(), ..say("x") }).await, "no_such_kind");
    assert_eq!(rule(Send { kind: "decision".into(), ..say("x") }).await, "field_missing");
    assert_eq!(rule(Send { to: Some("dave".into()), ..say("x") }).await, "no_such_member");
    assert_eq!(
        rule(Send { answers: Some("nothing".into()), kind: "answer".into(), ..say("x") }).await,
        "no_such_event"
    );
    assert_eq!(rule(Send { claim: Some("rumour".into()), ..say("x") }).await, "no_such_claim");
    let long = refused(&alice, say(&"x".repeat(300 * 1024))).await;
    assert!(long.message.contains("307200"), "{long}");
}

#[tokio::test]
async fn what_has_a_key_is_said_once() {
    let (_table, alice, _bob) = two().await;
    let say = || Send { key: Some("k".into()), ..say("once") };
    let (first, second) = (alice.ask(say()).await.unwrap(), alice.ask(say()).await.unwrap());
    assert_eq!((first.event, first.repeated, second.repeated), (second.event, false, true));
}

#[tokio::test]
async fn a_message_goes_to_the_session_that_it_names() {
    let (_table, alice, bob) = two().await;
    let (first, second) = (bob.caller(Face::Mcp, "s1").await, bob.caller(Face::Mcp, "s2").await);
    let me = bob.ask_as(&first, Whoami::default()).await.unwrap();
    assert_eq!(me.origin, "agent");
    let known = |status: Status| {
        let bob = status.rooms[0].members.iter().find(|member| !member.me).unwrap();
        bob.sessions.iter().any(|session| session.session == me.session && session.status == "online").then_some(())
    };
    alice.until(ShowStatus::default(), known).await;
    alice.ask(Send { to: Some(me.session_name.clone()), ..say("for one") }).await.unwrap();
    alice.ask(Send { to: Some("everybody".into()), ..say("for all") }).await.unwrap();
    bob.until(Read::default(), |read| read.events.last().filter(|last| last.text == "for all").map(drop)).await;
    assert_eq!(texts(&bob.ask_as(&first, Inbox::default()).await.unwrap()), ["for one", "for all"]);
    assert_eq!(texts(&bob.ask_as(&second, Inbox::default()).await.unwrap()), ["for all"]);
}

#[tokio::test]
async fn a_session_is_there_as_long_as_it_is_connected() {
    let (_table, alice, bob) = two().await;
    let there = |status: Status| status.rooms[0].members.iter().find(|member| !member.me).unwrap().sessions.len();
    let (first, second) = (bob.caller(Face::Mcp, "s1").await, bob.caller(Face::Mcp, "s1").await);
    alice.until(ShowStatus::default(), |status| (there(status) == 1).then_some(())).await;
    bob.answers.farewell(first).await;
    assert_eq!(
        bob.ask(ShowStatus::default()).await.unwrap().rooms[0]
            .members
            .iter()
            .find(|member| member.me)
            .unwrap()
            .sessions
            .len(),
        1
    );
    bob.answers.farewell(second).await;
    alice.until(ShowStatus::default(), |status| (there(status) == 0).then_some(())).await;
}

#[tokio::test]
async fn faces_hear_what_happens() {
    let (_table, alice, bob) = two().await;
    let agent = bob.caller(Face::Mcp, "s1").await;
    let mut notices = bob.answers.notices(&agent);
    alice.ask(say("hello")).await.unwrap();
    loop {
        match notices.next().await.unwrap() {
            Notice::Event { entry, .. } if entry.kind == "chat" => {
                assert_eq!((&entry.text[..], &entry.name[..]), ("hello", "alice"));
                return;
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn what_was_looked_at_is_given_until_it_is_marked_as_read() {
    let (_table, alice, bob) = two().await;
    let (agent, later) = (bob.caller(Face::Mcp, "s1").await, Wait { peek: true, ..Wait::default() });
    alice.ask(say("one")).await.unwrap();
    let seen = bob.ask_as(&agent, Wait { peek: true, ..wait() }).await.unwrap();
    assert_eq!(texts(&seen), ["one"]);
    alice.ask(say("two")).await.unwrap();
    bob.until(Rooms {}, |list| (list.rooms[0].unread == 2).then_some(())).await;
    let both = bob.ask_as(&agent, Inbox { peek: true, ..Inbox::default() }).await.unwrap();
    assert_eq!(texts(&both), ["one", "two"], "what was only looked at is not gone");
    let mark = |view: &InboxView| MarkRead { through: view.through.unwrap(), ..MarkRead::default() };
    bob.ask_as(&agent, mark(&seen)).await.unwrap();
    assert_eq!(texts(&bob.ask_as(&agent, later.clone()).await.unwrap()), ["two"]);
    bob.ask_as(&agent, mark(&both)).await.unwrap();
    assert!(bob.ask_as(&agent, later).await.unwrap().timed_out);
}

#[tokio::test]
async fn what_a_session_did_not_live_to_get_waits_for_the_next_one() {
    let (_table, alice, bob) = two().await;
    let first = bob.caller(Face::Mcp, "s1").await;
    let call = Wait { peek: true, ..wait() }.into();
    let (looked, _) = tokio::join!(bob.answers.call(&first, call), alice.ask(say("hello")));
    drop(looked.unwrap());
    bob.answers.farewell(first).await;
    let delivery = |alice: Transcript| alice.events.last().unwrap().delivery.values().next().copied();
    assert_ne!(delivery(alice.ask(Read::default()).await.unwrap()), Some(DeliveryState::Shown));
    let second = bob.caller(Face::Mcp, "s2").await;
    assert_eq!(texts(&bob.ask_as(&second, wait()).await.unwrap()), ["hello"]);
    alice.until(Read::default(), |read| (delivery(read) == Some(DeliveryState::Shown)).then_some(())).await;
}

#[tokio::test]
async fn who_listens_too_slowly_is_told_that_something_was_missed() {
    let (_table, alice, _bob) = two().await;
    let room = alice.answers.parts.driver.query(|node| node.rooms().next().unwrap().id()).await;
    let (core, notices) = broadcast::channel(1);
    core.send(pairwave_core::notice::Notice::Joined { room }).unwrap();
    core.send(pairwave_core::notice::Notice::Out { room }).unwrap();
    let (told, listening) = next_notice((alice.answers.parts.driver.clone(), notices)).await.unwrap();
    assert_eq!(told, Notice::Missed {});
    let (told, _) = next_notice(listening).await.unwrap();
    assert!(matches!(told, Notice::Warning { .. }), "and hears what comes after: {told:?}");
}
