//! What the owner of a relay could read of two companions that talk through it, leave each other letters and
//! look each other up: everything that it stored, and everything that it logged at the finest level.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::lab::Lab;
use crate::patience::until;
use crate::person::Person;
use crate::relays::{METRICS, relay_on, reserved};
use crate::secrets::Secrets;
use crate::story::invite;

const TITLE: &str = "Lighthouse keepers 7f31d0";
const HERS: &str = "alice says 2b9e44: the lamp is lit at nine";
const HIS: &str = "bob says c017aa: then the boat comes at ten";
const LETTER: &str = "alice says 90d3e8: bring oil, the cellar is empty";

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_of_a_relay_reads_nothing_of_what_companions_say() {
    let lab = Lab::new().await;
    let (mut alice, mut bob, mut host) = (lab.person("alice").await, lab.person("bob").await, lab.person("host").await);
    // No other name looks like these by chance.
    (alice.name, bob.name) = ("alice of the north pier".into(), "bob of the south pier".into());
    host.environment.push(("PAIRWAVE_LOG".into(), "trace".into()));
    lab.cut_off(&alice, &host).await;
    let mut secrets = Secrets::default();
    let (mut relay, address) = relay_on(&host).await;
    let address = with_token(&host, &address, &mut secrets).await;

    meet(&alice, &bob, &address, &mut secrets).await;
    talk(&alice, &bob).await;
    learn(&[&alice, &bob], &mut secrets).await;
    leave_a_letter(&alice, &bob, &mut secrets).await;
    nothing_is_found(&host, &secrets);
    bob.up().await;
    bob.reads(LETTER).await;
    it_did_all_of_that(&host).await;
    relay.kill().await.expect("the relay ends");

    nothing_is_found(&host, &secrets);
    let log = fs::read_to_string(host.dir.join("relay.log")).expect("a log");
    assert!(log.contains("TRACE") && log.contains("CircuitReqAccepted"), "it logs what it does at the finest level");
    what_is_there_is_found(&host, &secrets);
}

/// As friends of its owner use it.
async fn with_token(host: &Person, address: &str, secrets: &mut Secrets) -> String {
    let data = host.dir.join("relay").display().to_string();
    let made = host.ask(&["relay-node", "token", "new", "--data", &data]).await;
    let token = text_of(&made["token"]);
    secrets.text("the token", token);
    format!("{address}#{token}")
}

/// Through a circuit, there being no other way.
async fn meet(alice: &Person, bob: &Person, address: &str, secrets: &mut Secrets) {
    alice.ask(&["init", "--name", &alice.name, "--title", TITLE, "--no-wire", "--relay", address]).await;
    reserved(alice, address.split('#').next().expect("an address")).await;
    let invite = invite(alice).await;
    // Its first bytes are those of every invite.
    secrets.text("the invite", &invite[40..]);
    let joined = bob.ask(&["join", &invite, "--name", &bob.name, "--no-wire"]).await;
    assert_eq!(joined["state"], "admitted", "{joined}");
    alice.meets(bob).await;
    let seen = bob.meets(alice).await;
    assert_eq!(seen["path"], "relayed", "{seen}");
}

async fn talk(alice: &Person, bob: &Person) {
    alice.ask(&["send", HERS]).await;
    bob.reads(HERS).await;
    bob.ask(&["send", HIS]).await;
    alice.reads(HIS).await;
    for person in [alice, bob] {
        until("both can get letters", async || (person.texts("letter_keys").await.len() == 2).then_some(())).await;
    }
}

/// Bob goes, and what alice says waits for him.
async fn leave_a_letter(alice: &Person, bob: &Person, secrets: &mut Secrets) {
    bob.down().await;
    alice.ask(&["send", LETTER]).await;
    let waiting = until("it waits at the relay", async || {
        let said = alice.reads(LETTER).await;
        said["delivery"].as_object()?.values().all(|state| state == "stored").then_some(said)
    })
    .await;
    secrets.id("the event of the letter", text_of(&waiting["event"]));
}

/// By its own figures: what the test is about took place.
async fn it_did_all_of_that(host: &Person) {
    let figures = host.machine.spawn(async |_| {
        let mut stream = TcpStream::connect(METRICS).await?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\r\n").await?;
        let mut figures = String::new();
        stream.read_to_string(&mut figures).await.map(|_| figures)
    });
    let figures: std::io::Result<String> = figures.expect("it is asked").await.expect("it answers");
    let figures = figures.expect("figures");
    for name in ["circuits_opened_total", "letters_stored_total", "letters_collected_total", "lookup_records"] {
        let line = figures.lines().find_map(|line| line.strip_prefix(&format!("pairwave_relay_{name} ")));
        assert!(line.is_some_and(|count| count != "0"), "{name} in {figures}");
    }
}

/// All that the two know and the relay must not.
async fn learn(people: &[&Person], secrets: &mut Secrets) {
    for (what, text) in [("the title", TITLE), ("hers", HERS), ("his", HIS), ("the letter", LETTER)] {
        secrets.text(what, text);
    }
    for person in people {
        secrets.text(&format!("the name of {}", person.name), &person.name);
        let room = person.room().await;
        for (what, id) in
            [("room", &room["room"]), ("member", &room["me"]["member"]), ("session", &room["me"]["session"])]
        {
            secrets.id(&format!("the {what} of {}", person.name), text_of(id));
        }
        secrets.text(&format!("the session of {}", person.name), text_of(&room["me"]["session_name"]));
    }
    for entry in people[0].transcript().await {
        secrets.id(&format!("the event {}", text_of(&entry["kind"])), text_of(&entry["event"]));
    }
}

fn text_of(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn nothing_is_found(host: &Person, secrets: &Secrets) {
    assert_eq!(secrets.found_in(&kept_by(host)).into_iter().collect::<Vec<_>>(), Vec::<&str>::new());
}

/// In the spool and in the log alike, in every form.
fn what_is_there_is_found(host: &Person, secrets: &Secrets) {
    for at in ["relay/spool/planted", "relay.log"] {
        let path = host.dir.join(at);
        let before = fs::read(&path).unwrap_or_default();
        fs::write(&path, [before.clone(), secrets.written_down()].concat()).expect("it is planted");
        assert_eq!(secrets.found_in(&kept_by(host)), secrets.all(), "planted in {at}");
        fs::write(&path, before).expect("it is taken out");
    }
}

/// Everything that lies in the folder of the relay: its identity, tokens, letters and log.
fn kept_by(host: &Person) -> Vec<u8> {
    let mut all = Vec::new();
    let mut folders = vec![host.dir.clone()];
    while let Some(folder) = folders.pop() {
        for path in entries(&folder) {
            if path.is_dir() {
                folders.push(path);
            } else {
                all.extend(fs::read(path).expect("a file"));
            }
        }
    }
    all
}

fn entries(folder: &Path) -> impl Iterator<Item = std::path::PathBuf> {
    fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path())
}
