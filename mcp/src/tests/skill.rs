//! What agents are taught does not drift from the tools. That the skill's calls come to what it says
//! is tested end to end.

use std::collections::BTreeSet;

use super::calls::{SKILL, named};
use super::schema_check::problems;
use crate::{instructions, prompts, tools};

/// Agents read all of it before they do anything.
const LINES: usize = 300;

fn tools_there_are() -> BTreeSet<String> {
    tools::all().iter().map(|tool| tool.name.to_string()).collect()
}

#[test]
fn the_skill_is_short() {
    assert!(SKILL.lines().count() < LINES, "{}", SKILL.lines().count());
}

#[test]
fn the_skill_shows_a_call_of_every_tool() {
    let called = named(SKILL).into_iter().filter(|named| named.arguments.is_some()).map(|named| named.tool);
    assert_eq!(called.collect::<BTreeSet<_>>(), tools_there_are());
}

#[test]
fn the_skills_calls_fit_the_tools() {
    for call in named(SKILL) {
        let Some(arguments) = call.arguments else { continue };
        let tool = tools::all().iter().find(|tool| tool.name == call.tool);
        let tool = tool.unwrap_or_else(|| panic!("{} is no tool", call.tool));
        let schema = serde_json::Value::Object((*tool.input_schema).clone());
        assert_eq!(problems(&schema, &arguments), Vec::<String>::new(), "{} {arguments}", call.tool);
    }
}

#[test]
fn nobody_is_taught_a_tool_that_is_not_there() {
    let prompt = prompts::get(rmcp::model::GetPromptRequestParams::new("start")).expect("a prompt");
    let prompt = serde_json::to_string(&prompt).expect("JSON");
    let there_are = tools_there_are();
    for text in [SKILL, instructions::INSTRUCTIONS, &prompt] {
        for named in named(text) {
            assert!(there_are.contains(&named.tool), "{} is no tool", named.tool);
        }
    }
}
