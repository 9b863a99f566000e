//! What the skill teaches, done: every call that it names, in its order, between two agents who
//! begin with nothing but their folders.

#[path = "../../mcp/src/tests/calls.rs"]
mod calls;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use self::calls::{SKILL, blanks, named};
use crate::agent::Agent;
use crate::agreement::unrated;
use crate::lab::Lab;
use crate::patience::until;
use crate::person::{Person, no_human_here};

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_the_skill_says_can_be_done() {
    if no_human_here() {
        return;
    }
    let lab = Lab::new().await;
    let mut play = Play::new(&lab).await;
    for call in named(SKILL) {
        if let Some(arguments) = call.arguments {
            play.does(&call.tool, arguments).await;
        }
    }
    assert!(play.requests.is_empty(), "the skill says what becomes of each request: {:?}", play.requests);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_that_the_skill_names_are_there() {
    let lab = Lab::new().await;
    let alice = lab.person("alice").await;
    let words = |text: &'static str| text.split_whitespace().take_while(|word| word.chars().all(char::is_alphabetic));
    let mut commands: Vec<Vec<&str>> = SKILL
        .split("`pairwave ")
        .skip(1)
        .map(|text| {
            let command = text.split('`').next().unwrap_or_default();
            words(command).collect()
        })
        .collect();
    commands.sort_unstable();
    commands.dedup();
    for command in commands {
        let mut arguments = command.clone();
        arguments.push("--help");
        let ran = alice.run(&arguments).await;
        assert_eq!(ran.code, 0, "{command:?}: {ran:?}");
    }
}

/// Alice's agent follows the skill; where it speaks of what is "theirs", Bob's does, to whom Alice's
/// is theirs.
struct Play {
    alice: (Person, Agent),
    bob: (Person, Agent),
    /// What Alice's agent has made, by what the skill calls it.
    made: BTreeMap<&'static str, Value>,
    /// What Alice's agent has asked for and nobody has settled, the newest last.
    requests: Vec<Value>,
}

impl Play {
    async fn new(lab: &Lab) -> Self {
        let (mut alice, mut bob) = (lab.person("alice").await, lab.person("bob").await);
        unrated(&mut alice);
        unrated(&mut bob);
        let (hers, his) = (alice.agent_apart().await, bob.agent_apart().await);
        Self { alice: (alice, hers), bob: (bob, his), made: BTreeMap::new(), requests: Vec::new() }
    }

    async fn does(&mut self, tool: &str, arguments: Value) {
        if tool == "pair_verify" {
            return self.both_verify(&arguments).await;
        }
        let is_theirs = blanks(&arguments).iter().any(|blank| blank.starts_with("their"));
        let arguments = self.filled(&arguments, is_theirs);
        self.humans_do_their_part(tool, &arguments).await;
        let (_, agent) = if is_theirs { &self.bob } else { &self.alice };
        let answer = agent.ask(tool, arguments.clone()).await;
        self.keep(tool, &arguments, &answer);
        self.all_arrives().await;
    }

    /// It takes two; each enters what the other reads out.
    async fn both_verify(&self, arguments: &Value) {
        let says = async |agent: &Agent| {
            until("there are words to read out", async || {
                let say = agent.ask("pair_verify", json!({})).await["say"].clone();
                let say: Vec<&str> = say.as_array()?.iter().filter_map(Value::as_str).collect();
                (say.len() == 3).then(|| say.join(" "))
            })
            .await
        };
        let ((_, hers), (_, his)) = (&self.alice, &self.bob);
        let (by_alice, by_bob) = (says(hers).await, says(his).await);
        if arguments.get("heard").is_none() {
            return;
        }
        for (agent, heard) in [(hers, by_bob), (his, by_alice)] {
            agent.ask("pair_verify", json!({ "heard": heard })).await;
        }
        for agent in [hers, his] {
            until("both are verified", async || {
                (agent.ask("pair_charter", json!({ "op": "read" })).await["verified"] == true).then_some(())
            })
            .await;
        }
    }

    fn filled(&self, arguments: &Value, is_theirs: bool) -> Value {
        match arguments {
            Value::String(_) => match blanks(arguments).first() {
                None => arguments.clone(),
                Some(&"your human's name") => json!(if is_theirs { "bob" } else { "alice" }),
                Some(&"their request") => self.requests.last().expect("something was asked for").clone(),
                Some(blank) => {
                    let what = blank.strip_prefix("their ").or(blank.strip_prefix("your ")).expect("whose it is");
                    self.made.get(what).unwrap_or_else(|| panic!("nobody has made <{blank}>")).clone()
                }
            },
            Value::Array(values) => values.iter().map(|value| self.filled(value, is_theirs)).collect(),
            Value::Object(fields) => {
                fields.iter().map(|(name, value)| (name.clone(), self.filled(value, is_theirs))).collect()
            }
            other => other.clone(),
        }
    }

    /// Bob approves before his agent is handed something; and he says something before Alice's waits
    /// for it, or the agents' hops are spent.
    async fn humans_do_their_part(&self, tool: &str, arguments: &Value) {
        let (bob, _) = &self.bob;
        match tool {
            "pair_apply" => _ = bob.ask(&["approve", arguments["request"].as_str().expect("an id")]).await,
            "pair_room" | "pair_status" | "pair_resume" => {}
            _ => {
                bob.ask(&["send", "go on"]).await;
                self.all_arrives().await;
            }
        }
    }

    fn keep(&mut self, tool: &str, arguments: &Value, answer: &Value) {
        let mut keep = |what, field: &str| _ = self.made.insert(what, answer[field].clone());
        match tool {
            "pair_room" if arguments["op"] == "create" => keep("invite", "invite"),
            "pair_charter" if arguments["op"] == "propose" => keep("hash", "hash"),
            "pair_send" if arguments["kind"] == "question" => keep("question", "event"),
            "pair_share_code" => keep("artifact", "artifact"),
            "pair_remember" if arguments.get("supersedes").is_none() => keep("first entry", "event"),
            "pair_request_action" => self.requests.push(answer["request"].clone()),
            "pair_respond_permission" | "pair_complete_action" => _ = self.requests.pop(),
            "pair_wait" => assert_eq!(answer["timed_out"], false, "{answer}"),
            _ => {}
        }
    }

    /// Both have everything, once both are in the room.
    async fn all_arrives(&self) {
        let counted = async |(_, agent): &(Person, Agent)| {
            agent.ask("pair_status", json!({})).await["rooms"][0]["events"].as_u64().unwrap_or(0)
        };
        until("both have the same events", async || {
            let (hers, his) = (counted(&self.alice).await, counted(&self.bob).await);
            (hers == his || his == 0).then_some(())
        })
        .await;
    }
}
