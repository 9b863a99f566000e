use super::*;

const RELAY: &str = "/ip4/203.0.113.7/udp/4011/quic-v1/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";

fn named(list: RelayList) -> Vec<String> {
    list.relays.into_iter().map(|relay| relay.address).collect()
}

fn add(relay: &str) -> AddRelay {
    AddRelay { room: None, relay: relay.to_owned() }
}

fn remove(relay: &str) -> RemoveRelay {
    RemoveRelay { room: None, relay: relay.to_owned() }
}

#[tokio::test]
async fn members_share_the_relays_of_a_room_and_nobody_is_shown_a_token() {
    let (_table, alice, bob) = two().await;
    assert_eq!(alice.ask(add(&format!("{RELAY}#prt-planted"))).await.map(named).unwrap(), [RELAY]);
    let heard = bob.until(Relays::default(), |list| (!list.relays.is_empty()).then_some(list)).await;
    assert_eq!(named(heard), [RELAY]);
    assert_eq!(refused(&alice, add(&format!("{RELAY}#prt-planted"))).await.rule, "relay_there");
    let invite = alice.ask(Invite::default()).await.unwrap().invite;
    let invite: pairwave_core::invite::Invite = invite.parse().unwrap();
    assert_eq!(invite.relays, [format!("{RELAY}#prt-planted")]);
    let read = alice.ask(Read { kind: Some("relay_added".into()), ..Read::default() }).await.unwrap();
    let status = alice.ask(ShowStatus::default()).await.unwrap();
    assert_eq!(read.events[0].text, format!("alice added the relay {RELAY}"));
    assert!(!format!("{status:?}").contains("planted"));
    assert_eq!(bob.ask(remove(RELAY)).await.map(named).unwrap(), [""; 0]);
    assert_eq!(refused(&bob, remove(RELAY)).await.rule, "no_such_relay");
}

#[tokio::test]
async fn an_agent_sees_relays_and_changes_none() {
    let (_table, alice, _bob) = two().await;
    let hello = Hello { agent: true, dir: Some(alice.dir.clone()), ..Hello::new(Face::Mcp) };
    let agent = alice.answers.welcome(hello, None).await.unwrap();
    let create = || Create { dir: alice.dir.clone(), relays: vec![RELAY.to_owned()], ..Create::default() };
    assert_eq!(alice.ask_as(&agent, add(RELAY)).await.unwrap_err().rule, "humans_only");
    assert_eq!(alice.ask_as(&agent, create()).await.unwrap_err().rule, "humans_only");
    assert!(alice.ask(create()).await.unwrap().already);
    assert_eq!(alice.ask_as(&agent, Relays::default()).await.map(named).unwrap(), [RELAY]);
    assert_eq!(alice.ask_as(&agent, remove(RELAY)).await.unwrap_err().rule, "humans_only");
}

#[tokio::test]
async fn what_names_no_relay_opens_no_room() {
    let table = Table::default();
    let alice = Person::new(&table, "alice").await;
    let relays = vec![RELAY.to_owned(), "relay.example.org".to_owned()];
    let create = Create { dir: alice.dir.clone(), relays, ..Create::default() };
    let failure = refused(&alice, create).await;
    assert_eq!((failure.code, failure.rule.as_str()), (Code::Usage, "not_a_relay"));
    assert!(alice.ask(Rooms {}).await.unwrap().rooms.is_empty());
}

#[tokio::test]
async fn a_line_that_a_joiner_sent_back_brings_it_in() {
    let table = Table::default();
    let (alice, bob) = (Person::new(&table, "alice").await, Person::new(&table, "bob").await);
    let invite = alice.opens().await.invite;
    let transport = table.hide(&alice);
    let waiting = bob.tries(&invite, 0).await.unwrap();
    let line = waiting.answer.expect("a line to send back");
    table.show(&alice, transport);
    let answer = |line: &str| Answer { line: line.to_owned(), wait_s: 600 };
    assert_eq!(refused(&alice, answer(&invite)).await.rule, "not_an_answer");
    assert_eq!(refused(&alice, answer(&line[..line.len() - 4])).await.rule, "answer_cut_short");
    assert_eq!(refused(&bob, answer(&line)).await.rule, "own_answer");
    let answered = alice.ask(answer(&format!("pairwave answer {line}"))).await.unwrap();
    assert_eq!((answered.member, answered.waiting), (Some(waiting.member), false));
    assert_eq!(answered.name.as_deref(), Some("bob"));
    assert_eq!(alice.ask(answer(&line)).await.unwrap().name.as_deref(), Some("bob"), "again is as good as once");
}

#[tokio::test]
async fn a_joiner_that_does_not_come_is_waited_for() {
    let table = Table::default();
    let (alice, bob) = (Person::new(&table, "alice").await, Person::new(&table, "bob").await);
    let invite = alice.opens().await.invite;
    let _inputs = table.hide(&alice);
    let line = bob.tries(&invite, 0).await.unwrap().answer.expect("a line to send back");
    table.leave(&bob);
    let answered = alice.ask(Answer { line, wait_s: 0 }).await.unwrap();
    assert_eq!((answered.member, answered.name, answered.waiting), (None, None, true));
}
