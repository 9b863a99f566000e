//! The stream, as a browser reads it.

use pairwave_api::Notice;
use serde_json::json;

use super::site::{Site, arrived, entry};

#[tokio::test]
async fn the_stream_goes_on_where_it_was_left() {
    let site = Site::open().await;
    let mut stream = site.stream("r:1").await;
    let (name, id, _) = stream.next().await;
    assert_eq!((&*name, &*id), ("ready", "r:1"));
    assert_eq!(stream.texts(2).await, ["two", "three"]);
    site.fake.arrive([entry(4, "four")]);
    site.fake.happen(arrived(4, "four"));
    let (_, id, data) = stream.next().await;
    assert_eq!((&*id, &data["html"]), ("r:4", &json!("<p>four</p>\n")));
}

#[tokio::test]
async fn a_gap_in_what_is_heard_is_read_from_the_log() {
    let site = Site::open().await;
    let mut stream = site.stream("").await;
    assert_eq!(stream.next().await.1, "r:3");
    site.fake.arrive([entry(4, "four"), entry(5, "five")]);
    site.fake.happen(arrived(2, "two"));
    site.fake.happen(arrived(5, "five"));
    assert_eq!(stream.texts(2).await, ["four", "five"]);
    site.fake.arrive([entry(6, "six")]);
    site.fake.happen(Notice::Missed {});
    site.fake.happen(Notice::Joined { room: "r".into() });
    assert_eq!(stream.next().await.2["notice"], "missed");
    assert_eq!(stream.texts(1).await, ["six"]);
    assert_eq!(stream.next().await.2["notice"], "joined");
}

#[tokio::test]
async fn a_room_that_cannot_be_read_is_told_of_from_where_it_was_left() {
    let site = Site::open().await;
    site.fake.close(true);
    let mut stream = site.stream("r:1").await;
    assert_eq!(stream.next().await.1, "r:1");
    site.fake.close(false);
    site.fake.happen(Notice::Reopened { room: "r".into() });
    assert_eq!(stream.next().await.2, json!({ "notice": "reopened", "room": "r" }));
    assert_eq!(stream.texts(2).await, ["two", "three"]);
}

#[tokio::test]
async fn a_room_that_nothing_was_told_of_is_not_told_from_its_beginning() {
    let site = Site::open().await;
    site.fake.close(true);
    let mut stream = site.stream("").await;
    assert_eq!(stream.next().await.1, "");
    site.fake.close(false);
    site.fake.happen(Notice::Reopened { room: "r".into() });
    assert_eq!(stream.next().await.2["notice"], "reopened");
    site.fake.arrive([entry(4, "four"), entry(5, "five")]);
    site.fake.happen(arrived(5, "five"));
    assert_eq!(stream.texts(2).await, ["four", "five"]);
}

#[tokio::test]
async fn the_first_that_is_heard_of_a_room_begins_it() {
    let site = Site::open().await;
    site.fake.close(true);
    let mut stream = site.stream("").await;
    stream.next().await;
    site.fake.close(false);
    site.fake.arrive([entry(4, "four")]);
    site.fake.happen(arrived(4, "four"));
    let (_, id, data) = stream.next().await;
    assert_eq!((&*id, &data["text"]), ("r:4", &json!("four")));
}

#[tokio::test]
async fn a_room_that_came_unheard_is_told_of() {
    let site = Site::open().await;
    site.fake.close(true);
    let mut stream = site.stream("").await;
    stream.next().await;
    site.fake.close(false);
    site.fake.happen(Notice::Missed {});
    assert_eq!(stream.next().await.2["notice"], "missed");
    site.fake.arrive([entry(4, "four"), entry(5, "five")]);
    site.fake.happen(arrived(5, "five"));
    assert_eq!(stream.texts(2).await, ["four", "five"]);
}

#[tokio::test]
async fn an_id_that_is_too_long_is_said_to_be_missed() {
    let site = Site::open().await;
    let mut stream = site.stream(&"r:1,".repeat(70_000)).await;
    assert_eq!(stream.next().await.1, "r:3");
    assert_eq!(stream.next().await.2["notice"], "missed");
}

#[tokio::test]
async fn the_oldest_of_too_many_streams_is_ended() {
    let site = Site::open().await;
    let mut streams = Vec::new();
    for _ in 0..5 {
        let mut stream = site.stream("").await;
        assert_eq!(stream.next().await.0, "ready");
        streams.push(stream);
    }
    assert_eq!(streams[0].next().await, ("replaced".into(), String::new(), json!({})));
    assert!(streams[0].has_ended().await);
    site.fake.happen(Notice::Joined { room: "r".into() });
    for stream in &mut streams[1..] {
        assert_eq!(stream.next().await.2["notice"], "joined");
    }
}
