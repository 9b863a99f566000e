//! What members ask each other to do, for a human who decides in a terminal.

use jiff::Timestamp;
use owo_colors::OwoColorize;
use pairwave_api::{RequestDetail, RequestList, RequestView};

use super::{page, plain, short, when};

/// A line for each.
pub fn listed(list: &RequestList, now: Timestamp, width: usize) -> String {
    if list.requests.is_empty() {
        return "Nobody asks for anything to be done.".into();
    }
    let mut out = String::new();
    for request in &list.requests {
        let (who, id) = (parties(request), short(&request.id));
        let head = format!("{}  {who}, {}: {}", id.bold(), when::ago(&request.at, now), action(&request.action));
        let line = format!("{head} ({}), {}. {}", risk(&request.risk), state(request), plain::line(&request.summary));
        out.push_str(&page::paragraph(&line, width));
    }
    if let Some(pending) = list.requests.iter().find(|request| request.for_me && request.state == "pending") {
        let id = short(&pending.id);
        let next = format!("`pairwave requests {id}` shows the whole, `pairwave approve {id}` or `deny {id}` decides.");
        out.push_str(&page::paragraph(&next, width));
    }
    out
}

/// Everything that an approval binds: nothing is wrapped, shortened or hidden.
pub fn shown(detail: &RequestDetail, now: Timestamp, width: usize) -> String {
    let request = &detail.request;
    let mut out = page::paragraph(
        &format!("{}, {}: {}", parties(request).bold(), when::ago(&request.at, now), state(request)),
        width,
    );
    out.push_str(&page::paragraph(&format!("What for: {}", plain::line(&request.summary)), width));
    out.push_str(&page::paragraph(&risks(request), width));
    for warning in &request.warnings {
        let (reason, rule) = (plain::line(&warning.reason), plain::line(&warning.rule));
        let line = format!("{} {reason} ({}, {rule})", "Careful:".red().bold(), risk(&warning.risk));
        out.push_str(&page::paragraph(&line, width));
        out.push_str(&format!("    {}\n", exact_line(&warning.excerpt)));
    }
    if let Some(target) = &request.target_path {
        out.push_str(&format!("File: {}\n", exact_line(target)));
    }
    if !request.paths.is_empty() {
        out.push_str(&format!("It touches {} path(s):\n", request.paths.len()));
        request.paths.iter().for_each(|path| out.push_str(&format!("    {}\n", exact_line(path))));
    }
    if let Some(artifact) = &request.artifact {
        out.push_str(&format!("Shared in event {}\n", short(artifact)));
    }
    if let Some(why) = &detail.diff_error {
        let line = format!("{} It cannot be read as a patch: {}", "Careful:".red().bold(), plain::line(why));
        out.push_str(&page::paragraph(&line, width));
    }
    out.push_str(&match &detail.payload {
        Some(text) => format!(
            "Exactly this would be handed to your agent to {}:\n\n{}\nHash {}\n",
            action(&request.action),
            payload(text),
            plain::line(&request.hash)
        ),
        None => page::paragraph("What it would do is not all here; `pairwave quarantine` shows how far it is.", width),
    });
    out
}

/// `apply_patch` → `apply a patch`.
pub fn action(action: &str) -> String {
    match action {
        "apply_patch" => "apply a patch".into(),
        "write_file" => "write a file".into(),
        "run_command" => "run a command".into(),
        "fetch_url" => "fetch a URL".into(),
        other => plain::line(other),
    }
}

/// With its colour.
pub fn risk(risk: &str) -> String {
    match risk {
        "high" => "high risk".red().bold().to_string(),
        "medium" => "medium risk".yellow().to_string(),
        "low" => "low risk".into(),
        other => plain::line(other),
    }
}

fn parties(request: &RequestView) -> String {
    let from = match (request.mine, request.from_session.as_str()) {
        (true, _) => "You".to_owned(),
        (false, "") => plain::line(&request.from),
        (false, session) => format!("{} ({})", plain::line(&request.from), plain::line(session)),
    };
    let ask = if request.mine { "ask" } else { "asks" };
    let to = if request.for_me { "you".to_owned() } else { plain::line(&request.to) };
    format!("{from} {ask} {to}")
}

fn risks(request: &RequestView) -> String {
    let human = match request.needs_human && request.state == "pending" {
        true => " Only a human can approve it.",
        false => "",
    };
    let judged = risk(&request.risk);
    match request.risk == request.claimed_risk {
        true => format!("Risk: {judged}.{human}"),
        false => format!("Risk: {judged}; who asks calls it {}.{human}", risk(&request.claimed_risk)),
    }
}

fn state(request: &RequestView) -> String {
    let because = |text: &Option<String>| match text.as_deref().map(plain::line) {
        Some(text) if !text.is_empty() => format!(": {text}"),
        _ => String::new(),
    };
    match request.state.as_str() {
        "pending" if request.for_me => "waits for your yes or no".into(),
        "pending" => "waits".into(),
        "approved" => "approved, not handed over yet".into(),
        "denied" => format!("denied{}", because(&request.reason)),
        "handed" => "handed to an agent, without a report so far".into(),
        "done" => format!("done{}", because(&request.detail)),
        "failed" => format!("not done{}", because(&request.detail)),
        other => plain::line(other),
    }
}

/// Line by line, behind a mark that none of its own can imitate; the last one says where no line end is.
fn payload(payload: &str) -> String {
    let mut out = String::new();
    for line in payload.split_inclusive('\n') {
        let end = if line.ends_with('\n') { "" } else { " (no line end)" };
        let text = line.strip_suffix('\n').unwrap_or(line);
        out.push_str(&format!("  {} {}{}\n", "|".dimmed(), exact_line(text), end.dimmed()));
    }
    out
}

/// What a terminal would not show, or would obey, stands as its code.
fn exact_line(text: &str) -> String {
    let mut out = String::new();
    for char in text.chars() {
        let shown = char.to_string();
        match char {
            '\t' => out.push_str("    "),
            char if char.is_control() || plain::text(&shown) != shown => {
                out.push_str(&format!("<U+{:04X}>", u32::from(char)).reversed().to_string());
            }
            char => out.push(char),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use pairwave_api::WarningView;

    use super::*;

    fn told(detail: &RequestDetail) -> String {
        let now = "2026-11-21T12:00:00Z".parse().expect("a time");
        anstream::adapter::strip_str(&shown(detail, now, 100)).to_string()
    }

    fn detail() -> RequestDetail {
        RequestDetail {
            request: RequestView {
                id: "abcdefghijkl".into(),
                action: "run_command".into(),
                risk: "high".into(),
                claimed_risk: "low".into(),
                summary: "clean up".into(),
                hash: "h4sh".into(),
                from: "bob".into(),
                from_session: "winter-bay".into(),
                to: "alice".into(),
                for_me: true,
                state: "pending".into(),
                at: "2026-11-21T11:59:00Z".into(),
                needs_human: true,
                warnings: vec![WarningView {
                    rule: "rm-recursive".into(),
                    risk: "high".into(),
                    reason: "It deletes a folder.".into(),
                    excerpt: "rm -rf".into(),
                }],
                ..RequestView::default()
            },
            payload: Some("ls\nrm -rf build".into()),
            ..RequestDetail::default()
        }
    }

    #[test]
    fn all_that_an_approval_binds_is_shown() {
        assert_eq!(
            told(&detail()),
            "bob (winter-bay) asks you, 1 minute ago: waits for your yes or no\nWhat for: clean up\n\
             Risk: high risk; who asks calls it low risk. Only a human can approve it.\n\
             Careful: It deletes a folder. (high risk, rm-recursive)\n    rm -rf\n\
             Exactly this would be handed to your agent to run a command:\n\n  | ls\n  | rm -rf build (no line end)\n\nHash h4sh\n"
        );
    }

    #[test]
    fn what_would_be_hidden_is_shown_as_its_code() {
        let hidden = "a\u{202e}b\r\n\u{1b}[2Jc\u{200b}\n  | fake";
        let said = told(&RequestDetail { payload: Some(hidden.into()), ..detail() });
        assert!(said.contains("  | a<U+202E>b<U+000D>\n  | <U+001B>[2Jc<U+200B>\n  |   | fake"), "{said}");
    }

    #[test]
    fn what_is_not_all_here_is_not_shown_as_if_it_were() {
        let said = told(&RequestDetail { payload: None, diff_error: Some("no hunks".into()), ..detail() });
        assert!(said.contains("It cannot be read as a patch: no hunks\n"), "{said}");
        assert!(said.ends_with("not all here; `pairwave quarantine` shows how far it is.\n"), "{said}");
    }

    #[test]
    fn a_list_says_what_can_be_decided() {
        let now = "2026-11-21T12:00:00Z".parse().expect("a time");
        let list = RequestList { requests: vec![detail().request] };
        let said = anstream::adapter::strip_str(&listed(&list, now, 200)).to_string();
        assert_eq!(
            said,
            "abcdefgh  bob (winter-bay) asks you, 1 minute ago: run a command (high risk), waits for your yes or no. clean up\n\
             `pairwave requests abcdefgh` shows the whole, `pairwave approve abcdefgh` or `deny abcdefgh` decides.\n"
        );
        assert!(listed(&RequestList::default(), now, 100).contains("Nobody asks"));
    }
}
