//! Help, wrong usage, and the shape of both.

use crate::run::{Person, code, only_object, stderr, stdout};

const COMMANDS: [&[&str]; 68] = [
    &["init"],
    &["join"],
    &["answer"],
    &["invite"],
    &["invite", "list"],
    &["invite", "revoke"],
    &["verify"],
    &["status"],
    &["send"],
    &["read"],
    &["inbox"],
    &["wait"],
    &["charter"],
    &["charter", "show"],
    &["charter", "propose"],
    &["charter", "accept"],
    &["charter", "decline"],
    &["floor"],
    &["floor", "claim"],
    &["floor", "yield"],
    &["git"],
    &["git", "status"],
    &["git", "setup"],
    &["git", "claim"],
    &["git", "release"],
    &["git", "commit"],
    &["requests"],
    &["approve"],
    &["deny"],
    &["override"],
    &["recall"],
    &["brain"],
    &["brain", "export"],
    &["brain", "import"],
    &["rooms"],
    &["whoami"],
    &["rename"],
    &["relay"],
    &["relay", "list"],
    &["relay", "add"],
    &["relay", "remove"],
    &["quarantine"],
    &["quarantine", "list"],
    &["quarantine", "show"],
    &["quarantine", "export"],
    &["quarantine", "remove"],
    &["handoff"],
    &["report"],
    &["export"],
    &["remove"],
    &["leave"],
    &["up"],
    &["down"],
    &["dashboard"],
    &["doctor"],
    &["mcp"],
    &["hook"],
    &["demo"],
    &["relay-node"],
    &["relay-node", "token"],
    &["relay-node", "token", "new"],
    &["relay-node", "token", "list"],
    &["relay-node", "token", "revoke"],
    &["config"],
    &["config", "show"],
    &["config", "set"],
    &["config", "path"],
    &["completions"],
];

#[test]
fn every_command_explains_itself_with_an_example() {
    let person = Person::new();
    for command in COMMANDS {
        let output = person.run(&[command, &["--help"]].concat());
        let help = stdout(&output);
        assert_eq!(code(&output), 0, "{command:?}");
        assert!(help.contains("Example"), "{command:?}: {help}");
        assert!(help.contains("--json") && help.contains("--home"), "{command:?}: {help}");
    }
    assert!(!person.home().exists(), "asking for help leaves nothing behind");
}

#[test]
fn the_list_of_commands_is_complete() {
    let help = stdout(&Person::new().run(&["--help"]));
    let listed = help.split("Commands:").nth(1).expect("a list of commands");
    let listed: Vec<&str> = listed
        .lines()
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    let known: Vec<&str> = COMMANDS.iter().filter(|command| command.len() == 1).map(|command| command[0]).collect();
    assert_eq!(listed, known);
}

#[test]
fn a_mistyped_command_is_wrong_usage_with_a_suggestion() {
    let output = Person::new().run(&["stauts"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("'status'"), "{}", stderr(&output));
    assert_eq!(stdout(&output), "");
}

#[test]
fn wrong_usage_in_json_is_an_error_object() {
    for arguments in [&["stauts"][..], &["join"], &["wait", "--timeout", "soon"], &["config", "set", "no.such", "1"]] {
        let (code, answer) = Person::new().json(arguments);
        assert_eq!(code, 2, "{arguments:?}");
        let error = answer["error"].as_object().expect("an error");
        assert_eq!(error["code"], "usage");
        for field in ["rule", "message", "next"] {
            assert!(error[field].as_str().is_some_and(|text| !text.is_empty()), "{arguments:?}: {field} in {answer}");
        }
    }
}

#[test]
fn a_hook_never_holds_its_host_up() {
    let person = Person::new();
    for arguments in [&["hook", "prompt"][..], &["hook", "prompt", "--json"]] {
        let output = person.run(arguments);
        assert_eq!((code(&output), stdout(&output), stderr(&output)), (0, String::new(), String::new()));
    }
    assert!(!person.home().exists(), "it starts no companion");
    assert_eq!(code(&person.run(&["hook", "sunrise"])), 2, "what is wired wrongly is said");
}

#[test]
fn a_folder_that_is_not_there_is_wrong_usage() {
    let person = Person::new();
    let (code, answer) = person.json(&["init", "--dir", "no/such/folder"]);
    assert_eq!((code, answer["error"]["rule"].as_str()), (2, Some("no_folder")));
    assert!(!person.home().exists(), "nothing was started for it");
}

#[test]
fn json_is_assumed_without_a_terminal_only_on_request() {
    let person = Person::new();
    assert!(!stdout(&person.run(&["config", "path"])).starts_with('{'));
    let output = person.command(&["config", "path"]).env("PAIRWAVE_JSON", "1").output().expect("the binary runs");
    assert_eq!(only_object(&output)["path"].as_str(), person.home().join("config.toml").to_str());
}
