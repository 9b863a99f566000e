//! The charter, for those who decide on it.

use owo_colors::OwoColorize;
use pairwave_api::{CharterAnswer, CharterText};

use super::{list, page, plain};

pub fn told(answer: &CharterAnswer, width: usize) -> String {
    let mut out = page::paragraph(&standing(answer), width);
    if let Some(charter) = &answer.charter {
        out.push_str(&text(charter, width));
    }
    if let Some(declined) = &answer.declined {
        let reason = declined.reason.as_deref().map(|reason| format!(": {}", plain::line(reason))).unwrap_or_default();
        let (title, by) = (plain::line(&declined.title), plain::line(&declined.by));
        out.push_str(&page::paragraph(&format!("{by} declined a newer one, “{title}”{reason}"), width));
    }
    if answer.needs_human && answer.state == "proposed" {
        let note = "It lets agents do more than a room without it, so only humans can accept it.";
        out.push_str(&page::paragraph(&note.yellow().to_string(), width));
    }
    out.push_str(&page::paragraph(&plain::text(&answer.next), width));
    out
}

fn standing(answer: &CharterAnswer) -> String {
    let by = answer.by.as_deref().map(plain::line).unwrap_or_default();
    let names = |names: &[String]| list(&names.iter().map(|name| plain::line(name)).collect::<Vec<_>>());
    match answer.state.as_str() {
        "agreed" => format!("{} by {}, proposed by {by}.", "Agreed".green().bold(), names(&answer.accepted)),
        "proposed" => {
            let accepted = if answer.accepted.is_empty() { "nobody".into() } else { names(&answer.accepted) };
            let missing = match answer.missing.as_slice() {
                [] => String::new(),
                missing => format!(", missing {}", names(missing)),
            };
            format!("{} by {by}: accepted by {accepted}{missing}.", "Proposed".yellow().bold())
        }
        _ => "There is no charter. Until one is agreed, agents only chat, ask, answer and report status.".into(),
    }
}

fn text(charter: &CharterText, width: usize) -> String {
    let mut out = page::indented(&plain::line(&charter.title).bold().to_string(), MARGIN, width);
    out.push_str(&page::indented(&plain::text(&charter.purpose), MARGIN, width));
    let lists = [
        ("In scope", &charter.scope),
        ("Out of scope", &charter.out_of_scope),
        ("Must not", &charter.must_nots),
        ("Answers", &charter.response_contract),
    ];
    for (name, entries) in lists.into_iter().filter(|(_, entries)| !entries.is_empty()) {
        out.push_str(&page::indented(&format!("{name}:").dimmed().to_string(), MARGIN, width));
        for entry in entries {
            out.push_str(&page::indented(&format!("- {}", plain::line(entry)), MARGIN, width));
        }
    }
    out.push_str(&page::indented(&bounds(charter), MARGIN, width));
    out
}

const MARGIN: &str = "    ";

fn bounds(charter: &CharterText) -> String {
    let approved = match charter.auto_approve.as_deref().unwrap_or("none") {
        "none" => "Every request takes a human".to_owned(),
        "low" => "Requests of low risk take no human".to_owned(),
        "all" => "Requests take no human unless their risk is high".to_owned(),
        other => format!("Without a human: {}", plain::line(other)),
    };
    let hops = charter.max_hops.map(|hops| format!("; {hops} messages of agents without a human between"));
    let minutes = charter.live_minutes.map(|minutes| format!("; live mode for {minutes} minutes"));
    format!("{approved}{}{}.", hops.unwrap_or_default(), minutes.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proposal_shows_all_of_its_text_and_steers_no_terminal() {
        let charter = CharterText {
            title: "Parser\u{1b}[2J".into(),
            purpose: "Commas".into(),
            must_nots: vec!["No new\ndependencies".into()],
            auto_approve: Some("low".into()),
            max_hops: Some(5),
            live_minutes: Some(20),
            ..CharterText::default()
        };
        let answer = CharterAnswer {
            state: "proposed".into(),
            charter: Some(charter),
            by: Some("bob".into()),
            accepted: vec!["bob".into()],
            missing: vec!["alice".into()],
            needs_human: true,
            next: "Read it.".into(),
            ..CharterAnswer::default()
        };
        assert_eq!(
            anstream::adapter::strip_str(&told(&answer, 100)).to_string(),
            "Proposed by bob: accepted by bob, missing alice.\n    Parser\n    Commas\n    Must not:\n    \
             - No new dependencies\n    Requests of low risk take no human; 5 messages of agents without a human between; live mode for\n    \
             20 minutes.\nIt lets agents do more than a room without it, so only humans can accept it.\nRead it.\n"
        );
    }

    #[test]
    fn without_a_charter_what_goes_is_said() {
        let answer = CharterAnswer { state: "none".into(), next: "Propose one.".into(), ..CharterAnswer::default() };
        assert!(told(&answer, 100).ends_with("report status.\nPropose one.\n"));
    }
}
