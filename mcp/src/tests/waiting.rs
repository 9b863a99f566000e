//! What is given to a session reaches its agent: in parts, late, after a cancelled call.

use pairwave_api::{Code, Failure, Item, Request};
use serde_json::{Value, json};

use crate::bounded::ANSWER;
use crate::tests::fake::{Fake, message, messages};
use crate::tests::session::{Listener, Session, structured};

#[tokio::test]
async fn a_long_inbox_comes_in_parts_and_whole() {
    let items = messages(100, &"text ".repeat(500));
    let session = Session::new(Fake::with(|state| state.inbox = items)).await;
    let mut ids = Vec::new();
    loop {
        let result = session.call("pair_inbox", json!({})).await;
        assert!(serde_json::to_string(&result).unwrap().chars().count() < ANSWER);
        ids.extend(structured(&result)["items"].as_array().unwrap().iter().map(|item| item["id"].clone()));
        if structured(&result)["more"] == false {
            break;
        }
    }
    let all: Vec<Value> = (0..100).map(|n| json!(format!("e{n:03}"))).collect();
    assert_eq!(ids, all);
    assert!(session.fake.inbox_is_empty(), "all of it counts as given");
}

#[tokio::test]
async fn wait_returns_what_arrives() {
    let session = Session::new(Fake::default()).await;
    let fake = session.fake.clone();
    tokio::spawn(async move {
        fake.waiting.notified().await;
        fake.arrive(message("e1", "here"));
    });
    let result = session.call("pair_wait", json!({"timeout_s": 600})).await;
    assert_eq!(structured(&result)["items"][0]["id"], "e1");
    assert_eq!(structured(&result)["timed_out"], false);
    session.validate("pair_wait", &result).await;
}

#[tokio::test(start_paused = true)]
async fn wait_times_out() {
    let session = Session::new(Fake::default()).await;
    let began = tokio::time::Instant::now();
    let result = session.call("pair_wait", json!({"timeout_s": 42})).await;
    assert_eq!(structured(&result)["timed_out"], true);
    assert_eq!(structured(&result)["items"], json!([]));
    assert_eq!(began.elapsed().as_secs(), 42);
    session.validate("pair_wait", &result).await;
}

#[tokio::test]
async fn a_cancelled_wait_ends_at_the_companion_and_takes_nothing() {
    let session = Session::new(Fake::default()).await;
    let wait = session.request("pair_wait", json!({"timeout_s": 600}), None).await;
    session.fake.waiting.notified().await;
    wait.cancel(Some("the agent has something better to do".into())).await.unwrap();
    session.fake.given_up.notified().await;
    session.fake.arrive(message("e1", "came after the cancelled wait"));
    let result = session.call("pair_wait", json!({"timeout_s": 600})).await;
    assert_eq!(structured(&result)["items"][0]["id"], "e1");
}

#[tokio::test]
async fn what_was_not_handed_over_stays_with_the_companion() {
    let session = Session::new(Fake::with(|state| state.inbox = messages(100, &"text ".repeat(500)))).await;
    let result = session.call("pair_inbox", json!({})).await;
    let given = structured(&result)["items"].as_array().unwrap().len();
    assert!(given < 100 && structured(&result)["more"] == true);
    session.fake.marked.notified().await;
    let marks: Vec<u64> = session.fake.marks().iter().map(|mark| mark.through).collect();
    assert_eq!(marks, [given as u64], "what was cut off for its size is not marked");
}

#[tokio::test]
async fn a_wish_to_verify_is_marked_by_its_member() {
    let wish = Item { entry: None, kind: "verification".into(), ..message("bobbobbob", "compare") };
    let session = Session::new(Fake::with(|state| state.inbox = vec![wish])).await;
    session.call("pair_wait", json!({})).await;
    session.fake.marked.notified().await;
    let [mark] = &session.fake.marks()[..] else { panic!("one mark") };
    assert_eq!((mark.through, &mark.verifications[..]), (0, &["bobbobbob".to_owned()][..]));
}

#[tokio::test]
async fn two_calls_at_once_are_not_handed_the_same() {
    let session = Session::new(Fake::with(|state| state.inbox = messages(3, "text"))).await;
    let (one, other) = tokio::join!(session.call("pair_inbox", json!({})), session.call("pair_inbox", json!({})));
    let count = |result| structured(result)["items"].as_array().unwrap().len();
    assert_eq!(count(&one) + count(&other), 3);
}

#[tokio::test]
async fn two_waits_at_once_are_not_handed_the_same() {
    let session = Session::new(Fake::with(|state| state.inbox = messages(1, "text"))).await;
    let wait = || session.call("pair_wait", json!({"timeout_s": 1}));
    let (one, other) = tokio::join!(wait(), wait());
    let count = |result| structured(result)["items"].as_array().unwrap().len();
    assert_eq!(count(&one) + count(&other), 1);
}

#[tokio::test]
async fn a_wait_that_nobody_interferes_with_looks_once() {
    let session = Session::new(Fake::with(|state| state.inbox = messages(1, "text"))).await;
    session.call("pair_wait", json!({"timeout_s": 600})).await;
    session.fake.marked.notified().await;
    let looks = session.fake.asked().into_iter().filter(|asked| matches!(asked, Request::Wait(_)));
    assert_eq!(looks.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn wait_tells_that_it_goes_on() {
    let (listener, mut progress) = Listener::new();
    let session = Session::listening(Fake::default(), listener).await;
    let wait = session.request("pair_wait", json!({"timeout_s": 25}), Some("p1")).await;
    wait.await_response().await.unwrap();
    let first = progress.recv().await.unwrap();
    let second = progress.recv().await.unwrap();
    assert!(first.progress < second.progress);
    assert_eq!(first.total, Some(25.0));
}

#[tokio::test]
async fn a_failed_wait_is_told_once() {
    let failure = Failure::new(Code::CompanionUnreachable, "connection_lost", "It ended.", "Ask again.");
    let session = Session::new(Fake::with(|state| drop(state.refusals.insert("wait", failure)))).await;
    let first = session.call("pair_wait", json!({})).await;
    assert_eq!(structured(&first)["rule"], "connection_lost");
    session.fake.arrive(message("e1", "here"));
    let second = session.call("pair_wait", json!({})).await;
    assert_eq!(structured(&second)["items"][0]["id"], "e1");
}

#[tokio::test]
async fn a_peek_takes_nothing() {
    let session = Session::new(Fake::with(|state| state.inbox = messages(40, &"text ".repeat(500)))).await;
    let peeked = session.call("pair_inbox", json!({"peek": true})).await;
    assert!(session.fake.marks().is_empty());
    let taken = session.call("pair_inbox", json!({})).await;
    assert_eq!(structured(&peeked)["items"], structured(&taken)["items"]);
}
