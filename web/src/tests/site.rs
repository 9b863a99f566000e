//! A page over a companion that is played, asked over a socket.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use futures::future::BoxFuture;
use pairwave_api::{
    ArrivalPage, Code, Companion, Dashboard, Entry, ExportPart, Failure, Notice, Notices, Request, RoomList,
    RoomSummary, home::Home,
};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::broadcast;

/// A companion with one room, whose log is a list.
pub struct Fake {
    pub log: Mutex<Vec<Entry>>,
    /// The room cannot be read, and is not listed.
    pub is_closed: AtomicBool,
    pub asked: Mutex<Vec<Request>>,
    notices: broadcast::Sender<Notice>,
}

impl Companion for Fake {
    fn call(&self, request: Request) -> BoxFuture<'_, Result<Value, Failure>> {
        self.asked.lock().unwrap().push(request.clone());
        let answer = match request {
            Request::Rooms(_) if self.is_closed() => serde_json::to_value(RoomList { rooms: Vec::new() }),
            Request::Rooms(_) => serde_json::to_value(RoomList { rooms: vec![room()] }),
            Request::Arrivals(_) if self.is_closed() => {
                let closed = Failure::new(Code::Refused, "unknown_room", "There is no such room.", "Wait.");
                return std::future::ready(Err(closed)).boxed();
            }
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
            Request::ExportPart(ask) => return std::future::ready(part(&ask)).boxed(),
            _ => Ok(json!({ "events": [entry(1, "**hi**")] })),
        };
        std::future::ready(Ok(answer.unwrap())).boxed()
    }

    fn notices(&self) -> BoxFuture<'_, Result<Notices, Failure>> {
        let notices = futures::stream::unfold(self.notices.subscribe(), |mut receiver| async {
            let notice = receiver.recv().await.ok()?;
            Some((notice, receiver))
        });
        std::future::ready(Ok(Box::pin(notices) as Notices)).boxed()
    }
}

impl Fake {
    fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::SeqCst)
    }

    pub fn close(&self, closed: bool) {
        self.is_closed.store(closed, Ordering::SeqCst);
    }

    pub fn happen(&self, notice: Notice) {
        self.notices.send(notice).unwrap();
    }

    /// Everything that stands in the log from now on.
    pub fn arrive(&self, entries: impl IntoIterator<Item = Entry>) {
        self.log.lock().unwrap().extend(entries);
    }
}

/// A transcript of two parts; of the room `cut` the second cannot be read.
fn part(ask: &ExportPart) -> Result<Value, Failure> {
    match (ask.room.as_deref(), ask.format.as_deref(), ask.next.as_deref()) {
        (_, Some("md"), None) => Ok(json!({ "text": "one <b>,", "next": "1" })),
        (Some("r"), Some("md"), Some("1")) => Ok(json!({ "text": "two", "next": null })),
        _ => Err(Failure::new(Code::Usage, "no_such_format", "There is no such format.", "Use md.")),
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

pub fn entry(arrival: u64, text: &str) -> Entry {
    let event = format!("e{arrival}");
    Entry { event, room: "r".into(), arrival, kind: "chat".into(), text: text.into(), ..Entry::default() }
}

pub fn arrived(arrival: u64, text: &str) -> Notice {
    let entry = Box::new(entry(arrival, text));
    Notice::Event { room: "r".into(), event: entry.event.clone(), arrival, entry }
}

pub struct Site {
    pub fake: Arc<Fake>,

    page: Arc<dyn Dashboard>,
    pub address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Site {
    pub async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path());
        std::fs::create_dir(home.run()).unwrap();
        let log = vec![entry(1, "one"), entry(2, "two"), entry(3, "three")];
        let fake = Arc::new(Fake {
            log: log.into(),
            is_closed: AtomicBool::default(),
            asked: Mutex::default(),
            notices: broadcast::channel(64).0,
        });
        let page = crate::open(fake.clone(), 0, &home).await.unwrap();
        let address = page.address().strip_prefix("http://").unwrap().trim_end_matches('/').parse().unwrap();
        Self { fake, page, address, _folder: folder }
    }

    pub fn code(&self) -> String {
        self.page.link().split_once("#code=").unwrap().1.to_owned()
    }

    pub async fn token(&self) -> String {
        let (status, body) = self.post("/api/login", &[], &json!({ "code": self.code() }).to_string()).await;
        assert_eq!(status, 200, "{body}");
        serde_json::from_str::<Value>(&body).unwrap()["token"].as_str().unwrap().to_owned()
    }

    /// As the page itself asks, but for what `headers` say instead.
    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
        let (head, body) = self.whole(path, headers, body).await;
        (status(&head), body)
    }

    /// As [`Site::post`], with everything that stands before the body of the answer.
    pub async fn whole(&self, path: &str, headers: &[(&str, &str)], body: &str) -> (String, String) {
        let (host, length) = (self.address.to_string(), body.len().to_string());
        let mut all = vec![("host", &*host), ("content-type", "application/json"), ("content-length", &*length)];
        all.retain(|(name, _)| !headers.iter().any(|(other, _)| other == name));
        all.extend(headers.iter().filter(|(_, value)| !value.is_empty()));
        self.send("POST", path, &all, body).await
    }

    pub async fn get(&self, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
        let host = self.address.to_string();
        let mut all = vec![("host", &*host)];
        all.retain(|(name, _)| !headers.iter().any(|(other, _)| other == name));
        all.extend(headers);
        let (head, body) = self.send("GET", path, &all, "").await;
        (status(&head), body)
    }

    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> (String, String) {
        let answer = self.heard(method, path, headers, body).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        assert!(head.contains("content-security-policy: default-src 'none'"), "{head}");
        assert!(!head.to_lowercase().contains("access-control"), "{head}");
        (head.to_owned(), body.to_owned())
    }

    /// All that came over the wire, whether or not it is an answer.
    pub async fn heard(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> String {
        let mut stream = self.connect(method, path, headers).await;
        // A server that has seen enough may hang up before it has read all.
        let _ = stream.write_all(body.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    pub async fn connect(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!("{method} {path} HTTP/1.1\r\n{headers}connection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    }

    pub async fn ask(&self, question: Value) -> (u16, Value) {
        let bearer = format!("Bearer {}", self.token().await);
        let (status, body) = self.post("/api/ask", &[("authorization", &bearer)], &question.to_string()).await;
        (status, serde_json::from_str(&body).unwrap())
    }

    /// The stream from here on, a block at a time.
    pub async fn stream(&self, last: &str) -> Stream {
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

fn status(head: &str) -> u16 {
    head.split(' ').nth(1).unwrap().parse().unwrap()
}

pub struct Stream(BufReader<TcpStream>);

impl Stream {
    /// The next event: its name, its id, its data.
    pub async fn next(&mut self) -> (String, String, Value) {
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

    /// Is there nothing more to come but the end of the body?
    pub async fn has_ended(&mut self) -> bool {
        let mut rest = String::new();
        self.0.read_to_string(&mut rest).await.unwrap();
        rest.lines().all(|line| line.is_empty() || line == "0")
    }

    pub async fn texts(&mut self, count: usize) -> Vec<String> {
        let mut texts = Vec::new();
        while texts.len() < count {
            let (name, _, data) = self.next().await;
            assert_eq!(name, "entry");
            texts.push(data["text"].as_str().unwrap().to_owned());
        }
        texts
    }
}
