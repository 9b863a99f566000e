//! `pairwave relay-node`: it needs no companion and leaves no home behind.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, ChildStdout, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::run::{Person, code, stderr, stdout};

const LISTEN: [&str; 4] = ["--listen", "/ip4/127.0.0.1/udp/0/quic-v1", "--listen", "/ip4/127.0.0.1/tcp/0"];

struct Relay {
    process: Child,
    stdout: BufReader<ChildStdout>,
}

impl Relay {
    fn start(person: &Person, more: &[&str]) -> Self {
        let arguments = [&["relay-node", "--data", "relay"], &LISTEN[..], more].concat();
        let mut command = person.command(&arguments);
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary runs");
        let stdout = BufReader::new(process.stdout.take().expect("its output"));
        Self { process, stdout }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("a line");
        line.trim().to_owned()
    }

    /// Tells it to stop. Answers what else it has said.
    fn stop(mut self) -> (bool, String) {
        let pid = Pid::from_child(&self.process);
        kill_process(pid, Signal::TERM).expect("it runs");
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).expect("its output");
        (self.process.wait().expect("it ends").success(), rest)
    }
}

#[test]
fn a_relay_says_where_it_is_until_it_is_told_to_stop() {
    let person = Person::new();
    let mut relay = Relay::start(&person, &["--json"]);
    let said: Value = serde_json::from_str(&relay.line()).expect("an object");
    let peer = said["peer_id"].as_str().expect("a peer id").to_owned();
    let listening = said["listening"].as_array().expect("addresses");
    assert_eq!(listening.len(), 2, "{said}");
    let end = format!("/p2p/{peer}");
    assert!(listening.iter().all(|address| address.as_str().is_some_and(|address| address.ends_with(&end))), "{said}");
    assert_eq!(relay.stop(), (true, String::new()));

    let mut relay = Relay::start(&person, &[]);
    for _ in 0..2 {
        let line = relay.line();
        assert!(line.starts_with("/ip4/127.0.0.1/") && line.ends_with(&peer), "it stays who it was: {line}");
    }
    assert_eq!(relay.stop(), (true, String::new()));
    assert!(!person.home().exists(), "it has no home");
}

#[test]
fn what_goes_into_a_journal_has_no_colours() {
    let person = Person::new();
    let arguments = [&["relay-node", "--data", "relay"], &LISTEN[..]].concat();
    let mut command = person.command(&arguments);
    command.env_remove("NO_COLOR").stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().expect("the binary runs");
    let mut first = String::new();
    BufReader::new(process.stdout.take().expect("its output")).read_line(&mut first).expect("it listens");
    kill_process(Pid::from_child(&process), Signal::TERM).expect("it runs");
    let log = stderr(&process.wait_with_output().expect("it ends"));
    assert!(log.contains("the relay listens") && !log.contains('\u{1b}'), "{log}");
}

#[test]
fn a_taken_port_is_a_failure_with_a_next_step() {
    let person = Person::new();
    let other = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("/ip4/127.0.0.1/tcp/{}", other.local_addr().expect("a port").port());
    let output = person.run(&["relay-node", "--data", "relay", "--listen", &address]);
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains(&address) && stderr(&output).contains("--listen"), "{}", stderr(&output));
}

#[test]
fn tokens_are_made_listed_and_revoked() {
    let person = Person::new();
    let on = |arguments: &[&str]| [&["relay-node", "token"], arguments, &["--data", "relay"]].concat().join(" ");
    let json = |arguments: &[&str]| {
        let line = on(arguments);
        person.json(&line.split(' ').collect::<Vec<_>>())
    };
    let (code, made) = json(&["new", "--label", "alice"]);
    let token = made["token"].as_str().expect("a token").to_owned();
    assert!(code == 0 && token.starts_with("prt-"), "{made}");
    let (_, listed) = json(&["list"]);
    let id = listed["tokens"][0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(listed["tokens"][0]["label"], "alice");
    assert!(!listed.to_string().contains(&token), "a token is shown once");
    let prose = person.run(&["relay-node", "token", "list", "--data", "relay"]);
    assert!(stdout(&prose).contains(&id) && stdout(&prose).contains("alice"), "{}", stdout(&prose));
    assert_eq!(json(&["revoke", &id]).0, 0);
    let (code, error) = json(&["revoke", &id]);
    assert!(code == 1 && error["error"]["next"].as_str().is_some_and(|next| next.contains("token list")), "{error}");
    assert!(!person.home().exists(), "tokens need no home");
}
