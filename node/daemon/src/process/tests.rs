use std::path::PathBuf;

use pairwave_api::{
    Client, CompanionExt, Create, DeliveryState, Down, Face, Hello, Inbox, Join, JoinState, Read, Send, ShowStatus,
    Wait,
};

use super::*;

/// A person with a companion that runs in this process, on loopback alone.
struct Person {
    folder: tempfile::TempDir,
    client: Client,
    running: JoinHandle<Result<(), RunError>>,
}

impl Person {
    async fn new() -> Self {
        Self::start(tempfile::tempdir().unwrap()).await
    }

    async fn start(folder: tempfile::TempDir) -> Self {
        let home = Home::new(folder.path().join("home"));
        std::fs::create_dir_all(folder.path().join("project")).unwrap();
        home::prepare(&home).unwrap();
        let flags =
            [("network.listen", "/ip4/127.0.0.1/udp/0/quic-v1,/ip4/127.0.0.1/tcp/0"), ("network.mdns", "false")];
        let flags = flags.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let config = Config::load(&home, |_| None, &flags).unwrap();
        let lock = Lock::take(&home).unwrap();
        let mut companion = Companion::start(&home, &config).unwrap();
        companion.reachable().await;
        let at = home.clone();
        let running = tokio::spawn(async move {
            let ended = companion.serve_until(&mut Signals::listen().unwrap(), &at).await;
            drop(lock);
            ended
        });
        let hello = Hello { dir: Some(folder.path().join("project")), ..Hello::new(Face::Cli) };
        let client = Client::connect(&home, hello).await.unwrap();
        Self { folder, client, running }
    }

    fn project(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    async fn say(&self, text: &str) -> pairwave_api::Sent {
        self.client.ask(Send { kind: "chat".into(), text: text.into(), ..Send::default() }).await.unwrap()
    }

    /// Texts of what waits, once there is something.
    async fn hears(&self) -> Vec<String> {
        let inbox = self.client.ask(Wait { timeout_s: 30, ..Wait::default() }).await.unwrap();
        assert!(!inbox.timed_out);
        inbox.items.into_iter().filter_map(|item| item.entry).map(|entry| entry.text).collect()
    }

    async fn transcript(&self) -> Vec<String> {
        let page = self.client.ask(Read { limit: Some(100), ..Read::default() }).await.unwrap();
        page.events.into_iter().map(|entry| entry.event).collect()
    }

    async fn ends(self) -> tempfile::TempDir {
        self.client.ask(Down {}).await.unwrap();
        self.running.await.unwrap().unwrap();
        assert!(!self.folder.path().join("home/run/pid").exists());
        assert!(!self.folder.path().join("home/run/control.sock").exists());
        self.folder
    }
}

async fn pair() -> (Person, Person) {
    let (alice, bob) = (Person::new().await, Person::new().await);
    let create = Create { dir: alice.project(), title: None, name: Some("alice".into()), relays: Vec::new() };
    let invite = alice.client.ask(create).await.unwrap().invite;
    let join = Join { invite, dir: bob.project(), name: Some("bob".into()), wait_s: 30 };
    assert_eq!(bob.client.ask(join).await.unwrap().state, JoinState::Admitted);
    (alice, bob)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_homes_meet_talk_part_and_catch_up() {
    let (alice, bob) = pair().await;
    alice.say("hello bob").await;
    assert_eq!(bob.hears().await, ["hello bob"]);
    bob.say("hello alice").await;
    assert_eq!(alice.hears().await, ["hello alice"]);

    let away = bob.ends().await;
    for n in 0..20 {
        let sent = alice.say(&format!("while you were away {n}")).await;
        assert_eq!(sent.state, DeliveryState::Queued);
    }
    let alice = Person::start(alice.ends().await).await;
    let bob = Person::start(away).await;
    let mut heard = Vec::new();
    while heard.len() < 20 {
        heard.extend(bob.hears().await);
    }
    assert_eq!(heard, (0..20).map(|n| format!("while you were away {n}")).collect::<Vec<_>>());
    assert_eq!(alice.transcript().await, bob.transcript().await);
    assert!(bob.client.ask(Inbox::default()).await.unwrap().items.is_empty());
    let status = alice.client.ask(ShowStatus::default()).await.unwrap();
    assert_eq!(status.rooms[0].members.iter().filter(|member| member.online).count(), 2);
}

#[tokio::test]
async fn files_and_folders_of_a_running_home_are_private() {
    use std::os::unix::fs::MetadataExt;

    // The process sets this for itself; the test is another process.
    rustix::process::umask(Mode::from_raw_mode(0o077));
    let alice = Person::new().await;
    let create = Create { dir: alice.project(), title: None, name: Some("alice".into()), relays: Vec::new() };
    alice.client.ask(create).await.unwrap();
    let mut folders = vec![alice.folder.path().join("home")];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        assert_eq!(folder.metadata().unwrap().mode() & 0o777, 0o700, "{}", folder.display());
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let metadata = path.metadata().unwrap();
            if metadata.is_dir() {
                folders.push(path);
            } else {
                assert_eq!(metadata.mode() & 0o777, 0o600, "{}", path.display());
                files += 1;
            }
        }
    }
    assert!(files > 10);
}

#[tokio::test]
async fn a_second_start_says_who_was_first() {
    let alice = Person::new().await;
    let home = Home::new(alice.folder.path().join("home"));
    let refused = run(home, Options::default()).await.unwrap_err();
    assert!(matches!(refused, RunError::Lock(LockError::Held { pid: Some(pid) }) if pid == std::process::id()));
    alice.ends().await;
}

#[tokio::test]
async fn a_setting_that_does_not_exist_ends_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let settings = vec![("network.mdsn".to_owned(), "true".to_owned())];
    let refused = run(Home::new(folder.path()), Options { settings, ..Options::default() }).await.unwrap_err();
    assert!(refused.to_string().contains("network.mdns"), "{refused}");
    assert!(!folder.path().join("run/pid").exists());
}
