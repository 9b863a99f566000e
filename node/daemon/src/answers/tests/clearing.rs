//! What is looked at before it is signed, and what agents do not see.

use super::*;

/// It has the form of a token and opens nothing.
fn token() -> String {
    format!("ghp_{}", "a1B2c3D4e5".repeat(4).get(..36).unwrap())
}

#[tokio::test]
async fn no_name_title_or_reason_holds_a_secret() {
    let table = Table::default();
    let (alice, bob) = (Person::new(&table, "alice").await, Person::new(&table, "bob").await);
    let create = |title: Option<String>, name: Option<String>| Create {
        dir: alice.dir.clone(),
        title,
        name,
        relays: Vec::new(),
    };
    for create in [create(Some(token()), None), create(None, Some(token()))] {
        let failure = refused(&alice, create).await;
        assert_eq!(failure.rule, "secret_found");
        assert!(!failure.message.contains(&token()) && !failure.next.contains("override"), "{failure}");
    }
    let opened = alice.opens().await;
    let join = Join { invite: opened.invite, dir: bob.dir.clone(), name: Some(token()), wait_s: 0 };
    assert_eq!(refused(&bob, join).await.rule, "secret_found");
    assert_eq!(refused(&alice, Rename { name: token(), ..Rename::default() }).await.rule, "secret_found");
}

#[tokio::test]
async fn a_reason_for_removing_somebody_holds_no_secret() {
    let (_table, alice, _bob) = two().await;
    let remove = Remove { member: "bob".into(), reason: Some(token()), ..Remove::default() };
    assert_eq!(refused(&alice, remove).await.rule, "secret_found");
}

#[tokio::test]
async fn what_has_a_known_key_is_looked_through_all_the_same() {
    let (_table, alice, _bob) = two().await;
    let say = |text: &str| Send { key: Some("k".into()), ..say(text) };
    alice.ask(say("once")).await.unwrap();
    assert_eq!(refused(&alice, say(&token())).await.rule, "secret_found");
}

#[tokio::test]
async fn many_identical_calls_at_once_are_one() {
    let (_table, alice, _bob) = two().await;
    let agent = alice.caller(Face::Mcp, "s1").await;
    let calls = (0..20).map(|_| alice.ask_as(&agent, say("the same")));
    let said = futures::future::join_all(calls).await;
    assert_eq!(said.iter().filter(|said| said.is_ok()).count(), 1);
}

#[tokio::test]
async fn whoever_has_pushed_much_sums_up_before_going_on() {
    let alice = Person::new(&Table::default(), "alice").await;
    alice.opens().await;
    let finding = |number: u32| Send { kind: "finding".into(), headline: Some("h".into()), ..say(&number.to_string()) };
    let unsummed = async || alice.ask(ShowLedger::default()).await.unwrap().participants[0].unsummed;
    // A session each, since one alone is held to a pace.
    for number in 0..20 {
        let agent = alice.caller(Face::Mcp, &number.to_string()).await;
        alice.ask_as(&agent, finding(number)).await.unwrap();
    }
    assert_eq!(unsummed().await, 20);
    let agent = alice.caller(Face::Mcp, "last").await;
    let failure = alice.ask_as(&agent, finding(20)).await.unwrap_err();
    assert_eq!(failure.rule, "turns_spent");
    assert!(failure.next.contains("pair_summarize"), "{failure}");
    alice.ask_as(&agent, say("what does not push still goes")).await.unwrap();
    let fields = ["headlines", "decisions", "open_questions"].map(|name| (name.to_owned(), Field::List(Vec::new())));
    let summary = Send { kind: "summary".into(), fields: fields.into(), ..say("twenty findings") };
    alice.ask_as(&agent, summary).await.unwrap();
    assert_eq!(unsummed().await, 0);
    let agent = alice.caller(Face::Mcp, "next").await;
    alice.ask_as(&agent, finding(20)).await.unwrap();
}

#[tokio::test]
async fn an_agents_shell_is_not_shown_what_another_asks_for() {
    let (_table, alice, _bob) = two().await;
    let hello =
        Hello { session: Some("s1".into()), agent: true, dir: Some(alice.dir.clone()), ..Hello::new(Face::Cli) };
    let shell = alice.answers.welcome(hello, None).await.unwrap();
    let failure = alice.ask_as(&shell, ShowRequest { request: "abcd".into(), ..ShowRequest::default() }).await;
    assert_eq!(failure.unwrap_err().rule, "humans_only");
}

#[tokio::test]
async fn a_request_is_judged_in_a_list_and_alone() {
    let alice = Person::new(&Table::default(), "alice").await;
    alice.opens().await;
    let ask = RequestAction {
        action: "run_command".into(),
        risk: "low".into(),
        summary: "clean up".into(),
        payload: "rm -rf /".into(),
        ..RequestAction::default()
    };
    let request = alice.ask(ask).await.unwrap().request;
    let listed = alice.ask(Requests::default()).await.unwrap().requests.remove(0);
    assert!(listed.risk == "high" && listed.needs_human && !listed.warnings.is_empty(), "{listed:?}");
    assert_eq!(alice.ask(Requests::default()).await.unwrap().requests, std::slice::from_ref(&listed));
    let shown = alice.ask(ShowRequest { request: request.clone(), ..ShowRequest::default() }).await.unwrap();
    assert_eq!((shown.request, shown.payload.as_deref()), (listed, Some("rm -rf /")));

    alice.ask(Respond { request: request.clone(), decision: "approve".into(), ..Respond::default() }).await.unwrap();
    let read = alice.ask(Read::default()).await.unwrap();
    let approved = read.events.iter().find(|entry| entry.kind == "approved").unwrap();
    assert_eq!(approved.text, format!("alice approved request {}", &request[..8]));

    alice.ask(Apply { request: request.clone(), ..Apply::default() }).await.unwrap();
    let long = "x".repeat(2_000);
    let done = Complete { request: request.clone(), ok: true, detail: Some(long.clone()), ..Complete::default() };
    alice.ask(done).await.unwrap();
    let listed = alice.ask(Requests { all: true, ..Requests::default() }).await.unwrap().requests.remove(0);
    assert!(listed.detail.is_some_and(|detail| detail.len() < 500));
    let shown = alice.ask(ShowRequest { request, ..ShowRequest::default() }).await.unwrap();
    assert_eq!(shown.request.detail, Some(long));
}
