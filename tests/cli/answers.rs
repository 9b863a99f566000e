//! Answers that need no other person.

use std::io::Write;
use std::process::Stdio;

use crate::run::{Person, code, only_object, stderr, stdout};

#[test]
fn settings_are_shown_with_their_source() {
    let person = Person::new();
    assert_eq!(code(&person.run(&["config", "set", "network.mdns", "false"])), 0);
    let source = |variable: Option<&str>| {
        let mut command = person.command(&["config", "show", "--json"]);
        command.envs(variable.map(|value| ("PAIRWAVE_NETWORK_MDNS", value)));
        let answer = only_object(&command.output().expect("the binary runs"));
        let settings = answer["settings"].as_array().expect("a list").clone();
        let mdns = settings.into_iter().find(|setting| setting["key"] == "network.mdns").expect("the setting");
        (mdns["value"].clone(), mdns["source"].as_str().expect("a source").to_owned())
    };
    assert_eq!(source(None), (false.into(), "file".into()));
    assert_eq!(source(Some("true")), (true.into(), "environment".into()));
}

#[test]
fn every_shell_gets_its_completions() {
    let person = Person::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = stdout(&person.run(&["completions", shell]));
        assert!(script.contains("pairwave") && script.contains("verify"), "{shell}");
    }
}

#[test]
fn a_reader_that_leaves_is_not_complained_about() {
    let person = Person::new();
    let mut child =
        person.command(&["completions", "zsh"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((code(&output), stderr(&output).as_str()), (0, ""));
}

#[test]
fn down_without_a_companion_is_done_already() {
    let person = Person::new();
    let (code, answer) = person.json(&["down"]);
    assert_eq!((code, &answer["pid"]), (0, &serde_json::Value::Null));
    assert!(!person.home().exists());
}

#[test]
fn doctor_names_a_home_that_cannot_be_written() {
    let person = Person::new();
    std::fs::write(person.home(), "a file where a folder should be").expect("a file");
    let (code, answer) = person.json(&["doctor"]);
    assert_eq!(code, 4);
    let home = &answer["checks"][0];
    assert_eq!((home["name"].as_str(), home["ok"].as_bool()), (Some("home"), Some(false)));
    assert!(home["next"].as_str().is_some_and(|next| !next.is_empty()));
}

#[test]
fn mcp_says_nothing_to_a_host_that_says_nothing() {
    let output = Person::new().run(&["mcp"]);
    assert_eq!((code(&output), stdout(&output).as_str()), (0, ""));
}

#[test]
fn a_look_up_that_finds_nothing_is_an_answer() {
    let person = Person::new();
    assert_eq!(person.json(&["init", "--name", "alice", "--title", "lab", "--no-wire"]).0, 0);
    for (look_up, candidate) in [
        (&["read", "--from", "alcie"][..], Some("alice")),
        (&["read", "--event", "zzzzzzzz"], None),
        (&["read", "--after", "zzzzzzzz"], None),
        (&["status", "--room", "lba"], Some("lab")),
        (&["read", "--room", "lba"], Some("lab")),
    ] {
        let (code, answer) = person.json(look_up);
        assert_eq!((code, answer["found"].as_bool()), (0, Some(false)), "{look_up:?}: {answer}");
        assert_eq!(answer["candidates"][0].as_str(), candidate, "{look_up:?}: {answer}");
        assert!(stdout(&person.run(look_up)).contains("There is no"), "{look_up:?}");
    }
    for (act, candidate) in [
        (&["send", "hello", "--to", "alcie"][..], Some("alice")),
        (&["verify", "alcie"], Some("alice")),
        (&["rename", "scout", "--session", "nobody"], None),
        (&["invite", "revoke", "zzzzzzzz"], None),
        (&["send", "hello", "--room", "lba"], Some("lab")),
    ] {
        let (code, answer) = person.json(act);
        assert_eq!(code, 2, "{act:?}: {answer}");
        let found = answer["error"]["candidates"][0].as_str();
        assert!(candidate.is_none_or(|candidate| found == Some(candidate)), "{act:?}: {answer}");
    }
}

#[test]
fn what_was_undone_is_named() {
    let person = Person::new();
    person.json(&["init", "--name", "alice", "--no-wire"]);
    let (_, made) = person.json(&["invite"]);
    let (code, revoked) = person.json(&["invite", "revoke", made["id"].as_str().expect("an id")]);
    assert_eq!((code, &revoked["id"], revoked["state"].as_str()), (0, &made["id"], Some("revoked")));
}

#[test]
fn secrets_are_taken_from_stdin() {
    let person = Person::new();
    let with = |arguments: &[&str], input: &str| {
        let mut command = person.command(&[arguments, &["--json"]].concat());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it runs");
        child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("it is read");
        let output = child.wait_with_output().expect("it ends");
        (code(&output), only_object(&output)["error"]["rule"].clone())
    };
    assert_eq!(with(&["join", "-"], "no such line\n"), (2, "not_an_invite".into()));
    assert_eq!(with(&["join", "-"], "\n"), (2, "stdin".into()));
    person.json(&["init", "--name", "alice", "--no-wire"]);
    assert_eq!(with(&["verify", "alice", "--heard", "-"], ""), (2, "stdin".into()));
    assert_ne!(with(&["verify", "alice", "--heard", "-"], "apple river stone\n").1, "stdin");
}

#[test]
fn what_is_no_relay_is_refused_before_a_room_is_made() {
    let person = Person::new();
    let (code, answer) = person.json(&["init", "--relay", "/ip4/192.0.2.1/tcp/4011"]);
    assert_eq!((code, answer["error"]["rule"].as_str()), (2, Some("not_a_relay")));
    assert!(answer["error"]["next"].as_str().is_some_and(|next| next.contains("relay-node")), "{answer}");
    assert_eq!(person.json(&["rooms"]).1["rooms"], serde_json::json!([]));
    person.json(&["down"]);
}

#[test]
fn a_room_is_opened_with_its_relays_and_shows_no_token() {
    let person = Person::new();
    let relay =
        |host: u8| format!("/ip4/192.0.2.{host}/tcp/4011/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN");
    let named = |answer: &serde_json::Value| {
        let relays = answer["relays"].as_array().expect("relays").iter();
        relays.map(|relay| relay["address"].as_str().expect("an address").to_owned()).collect::<Vec<_>>()
    };
    let token = format!("{}#prt-planted", relay(1));
    let (code, opened) = person.json(&["init", "--no-wire", "--relay", &token]);
    assert_eq!(code, 0, "{opened}");
    let (code, answer) = person.json(&["relay", "list"]);
    assert_eq!((code, named(&answer)), (0, vec![relay(1)]), "{answer}");
    let (code, answer) = person.json(&["relay", "add", &relay(2)]);
    if answer["error"]["rule"] == "humans_only" {
        eprintln!("skipped: these tests were started by an agent host, so nobody here counts as a human");
        return;
    }
    assert_eq!((code, named(&answer)), (0, vec![relay(1), relay(2)]), "{answer}");
    assert_eq!(person.json(&["relay", "add", &relay(2)]).1["error"]["rule"], "relay_there");
    let (code, answer) = person.json(&["relay", "remove", &relay(1)]);
    assert_eq!((code, named(&answer)), (0, vec![relay(2)]), "{answer}");
    assert_eq!(person.json(&["relay", "remove", &relay(1)]).0, 3);
    for command in [&["relay"][..], &["status"], &["doctor"], &["read"]] {
        assert!(!stdout(&person.run(command)).contains("planted"), "{command:?}");
    }
    person.json(&["down"]);
}
