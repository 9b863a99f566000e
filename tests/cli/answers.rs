//! Answers that need no other person.

use std::process::Stdio;

use crate::run::{Person, code, stderr, stdout};

#[test]
fn settings_are_shown_with_their_source() {
    let person = Person::new();
    assert_eq!(code(&person.run(&["config", "set", "network.mdns", "false"])), 0);
    let source = |variable: Option<&str>| {
        let mut command = person.command(&["config", "show", "--json"]);
        command.envs(variable.map(|value| ("PAIRWAVE_NETWORK_MDNS", value)));
        let answer = crate::run::only_object(&command.output().expect("the binary runs"));
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
