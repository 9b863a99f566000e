//! What reaches whoever goes on: all that was summed up, handed over, done and decided.

use super::*;

#[tokio::test]
async fn all_that_a_summary_and_a_handoff_list_is_passed_on() {
    let (_table, alice, bob) = two_who_agreed().await;
    let list = |name: &str, lines: &[&str]| {
        (name.to_owned(), Field::List(lines.iter().map(|line| (*line).to_owned()).collect()))
    };
    let text = |name: &str, text: &str| (name.to_owned(), Field::Text(text.to_owned()));
    let lists = [
        list("headlines", &["commas parse"]),
        list("decisions", &["a tab is four columns"]),
        list("open_questions", &["what of the formatter?"]),
    ];
    alice.ask(Handoff::default()).await.unwrap();
    alice.ask(Send { kind: "summary".into(), fields: lists.into(), ..say("the lexer is half done") }).await.unwrap();
    let fields = [
        text("work_completed", "parser and lexer"),
        text("remaining_work", "the formatter"),
        list("files_modified", &["src/lexer.rs"]),
        list("decisions_made", &["commas are dropped"]),
    ];
    alice.ask(Send { kind: "handoff".into(), fields: fields.into(), ..say("it is yours") }).await.unwrap();
    let summed =
        ["- Decided: “a tab is four columns”", "- Open: “what of the formatter?”", "- To know: “commas parse”"];
    let handed = [
        "> the formatter",
        "- Done: “parser and lexer”",
        "- Decided: “commas are dropped”",
        "- Changed: “src/lexer.rs”",
    ];

    let resumed = alice.ask(Resume::default()).await.unwrap().markdown;
    let hers = alice.ask(Handoff::default()).await.unwrap().markdown;
    let report = alice.ask(Report::default()).await.unwrap().markdown;
    let arrived = |handoff: HandoffView| handoff.markdown.contains("it is yours").then_some(handoff.markdown);
    let his = bob.until(Handoff::default(), arrived).await;
    for (part, pages) in summed
        .iter()
        .map(|part| (part, vec![&resumed, &hers, &his, &report]))
        .chain(handed.iter().map(|part| (part, vec![&hers, &his])))
    {
        for page in pages {
            assert!(page.contains(part), "{part} in {page}");
        }
    }
    let section = |page: &str, title: &str| {
        let found = page.split("\n## ").find(|part| part.starts_with(title)).map(str::to_owned);
        found.unwrap_or_else(|| panic!("{title} in {page}"))
    };
    assert!(section(&his, "What to do next").contains("“alice” handed over, "), "{his}");
    assert!(!section(&hers, "What to do next").contains("the formatter"), "her own is not hers to do: {hers}");
    assert!(section(&hers, "What each side was doing").contains("You handed over to the others, "), "{hers}");
    assert_eq!(his.matches("it is yours").count(), 1, "{his}");
    let ledger = alice.ask(ShowLedger::default()).await.unwrap();
    assert_eq!(ledger.summed_up.open_questions, ["what of the formatter?"]);
}

#[tokio::test]
async fn who_resumes_is_not_sent_to_resume() {
    let alice = Person::new(&Table::default(), "alice").await;
    alice.opens().await;
    let written = alice.ask(Handoff::default()).await.unwrap().markdown;
    assert!(written.contains("Call `pair_resume`"), "{written}");
    let (log, last) = written.split_once("## Log check").expect("a log check");
    assert!(!last.contains("## ") && log.contains("## Artifacts"), "what a person reads comes first: {written}");
    let resumed = alice.ask(Resume::default()).await.unwrap().markdown;
    assert!(!resumed.contains("pair_resume") && resumed.contains("Call `pair_inbox`"), "{resumed}");
    let at = written.split("Written ").nth(1).and_then(|rest| rest.split(" for ").next()).expect("a time");
    assert_eq!((at.len(), &at[19..]), (23, " UTC"), "to the second: {at}");
}

#[tokio::test]
async fn a_report_names_what_was_done_and_what_the_brain_decided() {
    let (_table, alice, bob) = two_who_agreed().await;
    let request = |summary: &str| RequestAction {
        action: "run_command".into(),
        risk: "high".into(),
        summary: summary.into(),
        payload: "true".into(),
        ..RequestAction::default()
    };
    let [done, denied] = ["run the tests", "run it again"].map(request);
    let done = alice.ask(done).await.unwrap().request;
    let denied = alice.ask(denied).await.unwrap().request;
    let respond = |request: &str, decision: &str| Respond {
        request: request.into(),
        decision: decision.into(),
        reason: (decision == "deny").then(|| "not today".to_owned()),
        ..Respond::default()
    };
    bob.until(Requests::default(), |list| (list.requests.len() == 2).then_some(())).await;
    bob.ask(respond(&done, "approve")).await.unwrap();
    bob.ask(respond(&denied, "deny")).await.unwrap();
    bob.ask(Apply { request: done.clone(), room: None }).await.unwrap();
    let complete = Complete { request: done, ok: true, detail: Some("214 pass".into()), room: None };
    bob.ask(complete).await.unwrap();
    let remember = |headline: &str, supersedes: Option<String>| Remember {
        headline: headline.into(),
        content: "three times".into(),
        kind: Some("decision".into()),
        supersedes,
        ..Remember::default()
    };
    let old = bob.ask(remember("Retries, first", None)).await.unwrap().event;
    bob.ask(remember("Retries, now", Some(old))).await.unwrap();
    let report = bob.ask(Report::default()).await.unwrap().markdown;
    for part in [
        "“alice” asked “bob”: “run the tests”. Done: “214 pass”.",
        "“alice” asked “bob”: “run it again” (denied: “not today”)",
        "1 denied, 1 done.",
        "decision: “Retries, now”: “three times”.",
        "## Summary\n\nNone.",
        "2 requests",
    ] {
        assert!(report.contains(part), "{part} in {report}");
    }
    assert!(!report.contains("Retries, first"), "it was superseded: {report}");
    assert_eq!(report.matches("“run the tests”").count(), 1, "{report}");
}
