//! The guard and the stream, asked as a browser or an attacker would: over a socket.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use futures::future::BoxFuture;
use pairwave_api::{
    ArrivalPage, Code, Companion, Dashboard, Entry, Failure, Notice, Notices, Request, RoomList, RoomSummary,
};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

/// A companion with one room, whose log is a list.
struct Fake {
    log: Mutex<Vec<Entry>>,
    notices: Mutex<Option<mpsc::UnboundedReceiver<Notice>>>,
    asked: Mutex<Vec<Request>>,
}

impl Companion for Fake {
    fn call(&self, request: Request) -> BoxFuture<'_, Result<Value, Failure>> {
        self.asked.lock().unwrap().push(request.clone());
        let answer = match request {
            Request::Rooms(_) => serde_json::to_value(RoomList { rooms: vec![room()] }),
            Request::Arrivals(ask) => {
                let log = self.log.lock().unwrap();
                let events = log.iter().filter(|entry| entry.arrival > ask.after).cloned().collect();
                serde_json::to_value(ArrivalPage { events, last: log.len() as u64 })
            }
            Request::Remove(_) => {
                let refused = Failure::new(Code::Refused, "not_above", "Bob stands above you.", "Ask him.");
                return std::future::ready(Err(refused)).boxed();
            }
            Request::Invite(_) => Ok(json!({ "invite": "pairwave1abc" })),
            _ => Ok(json!({ "events": [entry(1, "**hi**")] })),
        };
        std::future::ready(Ok(answer.unwrap())).boxed()
    }

    fn notices(&self) -> BoxFuture<'_, Result<Notices, Failure>> {
        let receiver = self.notices.lock().unwrap().take();
        let notices = futures::stream::unfold(receiver, |receiver| async {
            let mut receiver = receiver?;
            let notice = receiver.recv().await?;
            Some((notice, Some(receiver)))
        });
        std::future::ready(Ok(Box::pin(notices) as Notices)).boxed()
    }
}

fn room() -> RoomSummary {
    RoomSummary {
        room: "r".into(),
        title: "parser".into(),
        folder: None,
        members: 2,
        online: 1,
        unread: 0,
        state: "member".into(),
    }
}

fn entry(arrival: u64, text: &str) -> Entry {
    let event = format!("e{arrival}");
    Entry { event, room: "r".into(), arrival, kind: "chat".into(), text: text.into(), ..Entry::default() }
}

fn arrived(arrival: u64, text: &str) -> Notice {
    let entry = Box::new(entry(arrival, text));
    Notice::Event { room: "r".into(), event: entry.event.clone(), arrival, entry }
}

struct Site {
    fake: Arc<Fake>,
    page: Arc<dyn Dashboard>,
    address: SocketAddr,
    happen: mpsc::UnboundedSender<Notice>,
    _folder: tempfile::TempDir,
}

impl Site {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (happen, notices) = mpsc::unbounded_channel();
        let log = vec![entry(1, "one"), entry(2, "two"), entry(3, "three")];
        let fake = Arc::new(Fake { log: log.into(), notices: Some(notices).into(), asked: Mutex::default() });
        let page = crate::open(fake.clone(), 0, folder.path().join("dashboard")).await.unwrap();
        let address = page.address().strip_prefix("http://").unwrap().trim_end_matches('/').parse().unwrap();
        Self { fake, page, address, happen, _folder: folder }
    }

    fn code(&self) -> String {
        self.page.link().split_once("#code=").unwrap().1.to_owned()
    }

    async fn token(&self) -> String {
        let (status, body) = self.post("/api/login", &[], &json!({ "code": self.code() }).to_string()).await;
        assert_eq!(status, 200, "{body}");
        serde_json::from_str::<Value>(&body).unwrap()["token"].as_str().unwrap().to_owned()
    }

    /// As the page itself asks, but for what `headers` say instead.
    async fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
        let (host, length) = (self.address.to_string(), body.len().to_string());
        let mut all = vec![("host", &*host), ("content-type", "application/json"), ("content-length", &*length)];
        all.retain(|(name, _)| !headers.iter().any(|(other, _)| other == name));
        all.extend(headers.iter().filter(|(_, value)| !value.is_empty()));
        self.send("POST", path, &all, body).await
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
        let host = self.address.to_string();
        let mut all = vec![("host", &*host)];
        all.retain(|(name, _)| !headers.iter().any(|(other, _)| other == name));
        all.extend(headers);
        self.send("GET", path, &all, "").await
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
        let mut stream = self.connect(method, path, headers).await;
        // A server that has seen enough may hang up before it has read all.
        let _ = stream.write_all(body.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        assert!(head.contains("content-security-policy: default-src 'none'"), "{head}");
        assert!(!head.to_lowercase().contains("access-control"), "{head}");
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    async fn connect(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!("{method} {path} HTTP/1.1\r\n{headers}connection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    }

    async fn ask(&self, question: Value) -> (u16, Value) {
        let bearer = format!("Bearer {}", self.token().await);
        let (status, body) = self.post("/api/ask", &[("authorization", &bearer)], &question.to_string()).await;
        (status, serde_json::from_str(&body).unwrap())
    }

    /// The stream from here on, a block at a time.
    async fn stream(&self, last: &str) -> Stream {
        let (host, bearer) = (self.address.to_string(), format!("Bearer {}", self.token().await));
        let headers = [("host", &*host), ("authorization", &*bearer), ("last-event-id", last)];
        let mut reader = BufReader::new(self.connect("GET", "/api/stream", &headers).await);
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            reader.read_line(&mut line).await.unwrap();
        }
        Stream(reader)
    }
}

struct Stream(BufReader<TcpStream>);

impl Stream {
    /// The next event: its name, its id, its data.
    async fn next(&mut self) -> (String, String, Value) {
        let (mut name, mut id) = (String::new(), String::new());
        loop {
            let mut line = String::new();
            assert_ne!(self.0.read_line(&mut line).await.unwrap(), 0, "the stream ended");
            if let Some(value) = line.strip_prefix("event: ") {
                name = value.trim().to_owned();
            } else if let Some(value) = line.strip_prefix("id: ") {
                id = value.trim().to_owned();
            } else if let Some(value) = line.strip_prefix("data: ") {
                let data = serde_json::from_str(value).unwrap();
                // The id may stand behind the data.
                let mut rest = String::new();
                while rest.trim() != "" || rest.is_empty() {
                    rest.clear();
                    self.0.read_line(&mut rest).await.unwrap();
                    if let Some(value) = rest.strip_prefix("id: ") {
                        id = value.trim().to_owned();
                    } else if let Some(value) = rest.strip_prefix("event: ") {
                        name = value.trim().to_owned();
                    }
                }
                return (name, id, data);
            }
        }
    }

    async fn texts(&mut self, count: usize) -> Vec<String> {
        let mut texts = Vec::new();
        while texts.len() < count {
            let (name, _, data) = self.next().await;
            assert_eq!(name, "entry");
            texts.push(data["text"].as_str().unwrap().to_owned());
        }
        texts
    }
}

#[tokio::test]
async fn the_page_is_there_and_says_nothing() {
    let site = Site::open().await;
    let (status, page) = site.get("/", &[]).await;
    assert_eq!(status, 200);
    assert!(page.contains("<script type=\"module\"") && !page.contains("parser"));
    assert_eq!(site.get("/main.js", &[]).await.0, 200);
    assert_eq!(site.get("/jsconfig.json", &[]).await.0, 404);
    assert_eq!(site.get("/../Cargo.toml", &[]).await.0, 404);
}

#[tokio::test]
async fn a_foreign_name_for_this_address_gets_nothing() {
    let site = Site::open().await;
    let port = site.address.port();
    for host in ["evil.example", "127.0.0.1", "127.0.0.1:1", &format!("evil.example:{port}"), ""] {
        assert_eq!(site.get("/", &[("host", host)]).await.0, 421, "{host}");
    }
    assert_eq!(site.get("/", &[("host", &format!("localhost:{port}"))]).await.0, 200);
}

#[tokio::test]
async fn a_foreign_page_may_not_ask() {
    let site = Site::open().await;
    let bearer = format!("Bearer {}", site.token().await);
    let token = ("authorization", &*bearer);
    let question = r#"{"ask":"rooms"}"#;
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1", "http://localhost", "https://127.0.0.1"] {
        assert_eq!(site.post("/api/ask", &[token, ("origin", origin)], question).await.0, 403, "{origin}");
    }
    assert_eq!(site.post("/api/ask", &[token, ("sec-fetch-site", "cross-site")], question).await.0, 403);
    assert_eq!(site.post("/api/ask", &[token, ("content-type", "text/plain")], question).await.0, 415);
    assert_eq!(site.post("/api/ask", &[token, ("content-type", "")], question).await.0, 415);
    assert_eq!(site.send("OPTIONS", "/api/ask", &[("host", &site.address.to_string())], "").await.0, 405);
    let own = format!("http://{}", site.address);
    assert_eq!(site.post("/api/ask", &[token, ("origin", &own)], question).await.0, 200);
}

#[tokio::test]
async fn without_a_token_there_is_nothing() {
    let site = Site::open().await;
    for headers in [&[][..], &[("authorization", "Bearer made-up")], &[("authorization", "Bearer ")]] {
        let (status, body) = site.post("/api/ask", headers, r#"{"ask":"rooms"}"#).await;
        assert_eq!(status, 401);
        assert!(body.contains("\"locked\"") && !body.contains("parser"));
        assert_eq!(site.get("/api/stream", headers).await.0, 401);
    }
    assert!(site.fake.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_code_that_was_used_opens_nothing() {
    let site = Site::open().await;
    let login = json!({ "code": site.code() }).to_string();
    assert_eq!(site.post("/api/login", &[], &login).await.0, 200);
    let (status, body) = site.post("/api/login", &[], &login).await;
    assert_eq!(status, 403);
    assert!(body.contains("pairwave dashboard"), "{body}");
}

#[tokio::test]
async fn a_question_is_answered_with_html() {
    let site = Site::open().await;
    let (status, answer) = site.ask(json!({ "ask": "read" })).await;
    assert_eq!(status, 200);
    assert_eq!(answer["events"][0]["html"], "<p><strong>hi</strong></p>\n");
    let (_, invite) = site.ask(json!({ "ask": "invite" })).await;
    assert_eq!(invite["join_command"], "pairwave join pairwave1abc");
    assert!(invite["qr"]["size"].as_u64() > Some(20));
}

#[tokio::test]
async fn what_cannot_be_done_says_why() {
    let site = Site::open().await;
    let (status, answer) = site.ask(json!({ "ask": "remove", "member": "bob" })).await;
    assert_eq!((status, &answer["error"]["rule"]), (409, &json!("not_above")));
    assert_eq!(site.ask(json!({ "ask": "fly" })).await.0, 400);
    for question in [json!({ "ask": "down" }), json!({ "ask": "open_dashboard" })] {
        let (status, answer) = site.ask(question).await;
        assert_eq!((status, &answer["error"]["rule"]), (400, &json!("not_for_a_page")));
    }
    let long = json!({ "ask": "send", "kind": "chat", "text": "x".repeat(600 * 1024) });
    assert_eq!(site.ask(long).await.0, 413);
}

#[tokio::test]
async fn the_stream_goes_on_where_it_was_left() {
    let site = Site::open().await;
    let mut stream = site.stream("r:1").await;
    let (name, id, _) = stream.next().await;
    assert_eq!((&*name, &*id), ("ready", "r:1"));
    assert_eq!(stream.texts(2).await, ["two", "three"]);
    site.fake.log.lock().unwrap().push(entry(4, "four"));
    site.happen.send(arrived(4, "four")).unwrap();
    let (_, id, data) = stream.next().await;
    assert_eq!((&*id, &data["html"]), ("r:4", &json!("<p>four</p>\n")));
}

#[tokio::test]
async fn a_gap_in_what_is_heard_is_read_from_the_log() {
    let site = Site::open().await;
    let mut stream = site.stream("").await;
    assert_eq!(stream.next().await.1, "r:3");
    site.fake.log.lock().unwrap().extend([entry(4, "four"), entry(5, "five")]);
    site.happen.send(arrived(2, "two")).unwrap();
    site.happen.send(arrived(5, "five")).unwrap();
    assert_eq!(stream.texts(2).await, ["four", "five"]);
    site.fake.log.lock().unwrap().push(entry(6, "six"));
    site.happen.send(Notice::Missed {}).unwrap();
    site.happen.send(Notice::Joined { room: "r".into() }).unwrap();
    assert_eq!(stream.texts(1).await, ["six"]);
    assert_eq!(stream.next().await.2["notice"], "joined");
}
