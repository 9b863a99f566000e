//! What happens in the demo.

use std::time::{Duration, Instant};

use owo_colors::OwoColorize;
use pairwave_api::{Code, Failure};
use serde_json::{Value, json};

use super::Pages;
use super::agent::Agent;
use super::narrator::{Narrator, spoken};
use super::person::Person;
use super::{remembering, side_by_side};
use crate::output::Stop;

const TITLE: &str = "parser rewrite";
const QUESTION: &str = "Does your tokenizer keep trailing commas, or drop them before the parser sees them?";
const ANSWER: &str = "It keeps them, as Comma tokens with their span. Drop them in the parser.";
const HEADLINE: &str = "Spans are off by one after a tab";
const FINDING: &str = "lexer.rs counts a tab as one column, the editor as four. I have a test for it.";

const CHARTER: &str = r#"{
  "title": "Parser rewrite",
  "purpose": "Trailing commas everywhere, with correct spans",
  "scope": ["src/parser", "src/lexer", "their tests"],
  "must_nots": ["No new dependencies"],
  "response_contract": ["Answer with file and line"],
  "max_hops": 40
}
"#;
const SUMMARY: &str = "Count a tab as four columns";
const PATCH: &str = "\
--- a/src/lexer.rs
+++ b/src/lexer.rs
@@ -1,3 +1,3 @@
 fn width(letter: char) -> usize {
-    1
+    if letter == '\\t' { 4 } else { 1 }
 }
";

/// The whole story, act by act.
pub async fn tell(narrator: &Narrator, [alice, bob]: &mut [Person; 2], pages: &Pages) -> Result<(), Stop> {
    narrator.aside("Two people, each with a companion and an agent, on this machine. Everything is real: processes of this program, keys, and a libp2p link over loopback.")?;
    meet(narrator, alice, bob).await?;
    look(narrator, [alice, bob], pages).await?;
    compare_words(narrator, alice, bob).await?;
    agree(narrator, alice, bob).await?;
    let agents = [Agent::start(alice).await?, Agent::start(bob).await?];
    talk(narrator, &agents).await?;
    side_by_side::claim(narrator, &agents).await?;
    patch(narrator, bob, &agents).await?;
    side_by_side::commit(narrator, &agents).await?;
    remembering::remember(narrator, &agents).await?;
    remembering::hand_off(narrator, &agents).await?;
    survive(narrator, bob, &agents).await?;
    remembering::resume(narrator, &agents).await?;
    look_again(narrator, bob, pages).await?;
    let events = same_transcript(alice, bob).await?;
    narrator.step("both", &format!("read the same {events} events, in the same order, each once"), None)?;
    narrator.aside(&format!(
        "\nThat took {}. For real: `pairwave init` in a project folder, and send the line that it prints.",
        spoken(narrator.elapsed())
    ))
}

async fn meet(narrator: &Narrator, alice: &mut Person, bob: &mut Person) -> Result<(), Stop> {
    narrator.act("They meet")?;
    let begun = Instant::now();
    tokio::try_join!(alice.settle(), bob.settle())?;
    let (hers, his) = tokio::try_join!(alice.wake(), bob.wake())?;
    narrator.step("both", &format!("start their companions: processes {hers} and {his}"), Some(begun.elapsed()))?;

    let begun = Instant::now();
    let opened = alice.ask(&["init", "--name", alice.name, "--title", TITLE, "--no-wire"]).await?;
    let invite = text(&opened["invite"]);
    narrator.step(alice.name, &typed(&format!("init --title \"{TITLE}\"")), Some(begun.elapsed()))?;
    narrator.step("", &format!("and sends bob one line:  pairwave join {}", shortened(&invite)), None)?;

    let begun = Instant::now();
    let joined = bob.ask(&["join", &invite, "--name", bob.name, "--no-wire"]).await?;
    if joined["state"] != "admitted" {
        return Err(unexpected("bob was not let in", &joined).into());
    }
    narrator.step(bob.name, &typed(&format!("join {}", shortened(&invite))), Some(begun.elapsed()))?;
    let link = tokio::try_join!(linked(alice), linked(bob))?.1;
    narrator.step("", &format!("and is in “{TITLE}”, linked to alice at {link}"), None)
}

/// Both open the room in a browser.
async fn look(narrator: &Narrator, people: [&Person; 2], pages: &Pages) -> Result<(), Stop> {
    for person in people {
        let link = person.page().await?;
        if pages.opens && person.opens(&link) {
            narrator.step(person.name, "looks at the room in a browser", None)?;
        } else {
            narrator.step(person.name, &format!("can look at the room in a browser: {link}"), None)?;
        }
        pages.links.borrow_mut().push(link);
    }
    narrator.pages(&pages.links.borrow())
}

/// A way into a page that nobody took ended with the companion that gave it.
async fn look_again(narrator: &Narrator, bob: &Person, pages: &Pages) -> Result<(), Stop> {
    if pages.opens {
        return Ok(());
    }
    let link = bob.page().await?;
    narrator.step(bob.name, &format!("can look at the room again: {link}"), None)?;
    if let Some(last) = pages.links.borrow_mut().last_mut() {
        *last = link;
    }
    narrator.pages(&pages.links.borrow())
}

async fn compare_words(narrator: &Narrator, alice: &Person, bob: &Person) -> Result<(), Stop> {
    narrator.act("They compare words, by voice")?;
    let (hers, his) = tokio::try_join!(words(alice, bob), words(bob, alice))?;
    narrator.step(alice.name, &format!("reads out:  {}", hers.bold()), None)?;
    narrator.step(bob.name, &format!("reads out:  {}", his.bold()), None)?;
    let begun = Instant::now();
    let heard = tokio::try_join!(enter(alice, bob, &his), enter(bob, alice, &hers))?;
    if let Some(not) = [&heard.0, &heard.1].into_iter().find(|outcome| outcome["verified"] != true) {
        return Err(unexpected("the words did not verify", not).into());
    }
    narrator.step("both", "enter what they heard: verified. Nobody sits between them.", Some(begun.elapsed()))
}

/// What they are about to do, and how far their agents may go by themselves.
async fn agree(narrator: &Narrator, alice: &Person, bob: &Person) -> Result<(), Stop> {
    narrator.act("They agree on what to do")?;
    let begun = Instant::now();
    let charter = alice.writes("charter.json", CHARTER)?;
    let proposed = alice.ask(&["charter", "propose", &charter]).await?;
    narrator.step(alice.name, &typed("charter propose charter.json"), Some(begun.elapsed()))?;
    let (begun, hash) = (Instant::now(), text(&proposed["hash"]));
    wait_for(|| bob.ask(&["charter"]), |shown| shown["hash"] == proposed["hash"]).await?;
    bob.ask(&["charter", "accept", "--hash", &hash]).await?;
    wait_for(|| alice.ask(&["charter"]), |shown| shown["state"] == "agreed").await?;
    narrator.step(bob.name, &typed("charter accept"), Some(begun.elapsed()))?;
    narrator.step("", "From now on their agents may push: one at a time, and so far without a human.", None)
}

async fn talk(narrator: &Narrator, [hers, his]: &[Agent; 2]) -> Result<(), Stop> {
    narrator.act("Their agents talk")?;
    let question = json!({ "kind": "question", "text": QUESTION, "to": "bob" });
    let (question, took) = say(hers, his, question).await?;
    narrator.step("alice", &format!("{} asks:  {}", hers.name.bold(), QUESTION.italic()), None)?;
    narrator.step("bob", &format!("{} was waiting and has it", his.name.bold()), Some(took))?;
    let (_, took) = say(his, hers, json!({ "kind": "answer", "text": ANSWER, "answers": question })).await?;
    narrator.step("bob", &format!("{} answers:  {}", his.name.bold(), ANSWER.italic()), Some(took))?;
    his.call("pair_claim", json!({ "reason": "a bug that I found" })).await?;
    let finding = json!({ "kind": "finding", "headline": HEADLINE, "text": FINDING });
    let (_, took) = say(his, hers, finding).await?;
    his.call("pair_yield", json!({ "to": "alice" })).await?;
    narrator.step("bob", &format!("{} found:  {HEADLINE}. {}", his.name.bold(), FINDING.italic()), Some(took))
}

/// A patch goes through both gates.
async fn patch(narrator: &Narrator, bob: &Person, [hers, his]: &[Agent; 2]) -> Result<(), Stop> {
    narrator.act("A patch goes through both gates")?;
    let begun = Instant::now();
    let asked = json!({ "action": "apply_patch", "risk": "medium", "summary": SUMMARY, "payload": PATCH });
    let request = text(&hers.call("pair_request_action", asked).await?["request"]);
    narrator.step("alice", &format!("{} asks:  {}", hers.name.bold(), SUMMARY.italic()), Some(begun.elapsed()))?;
    let begun = Instant::now();
    let is_there = |list: &Value| list["requests"].as_array().is_some_and(|all| !all.is_empty());
    wait_for(|| bob.ask(&["requests"]), is_there).await?;
    bob.ask(&["approve", &request]).await?;
    narrator.step("bob", &typed(&format!("approve {}…   (gate 1: a human)", &request[..8])), Some(begun.elapsed()))?;
    let begun = Instant::now();
    let task = his.call("pair_apply", json!({ "request": request })).await?;
    if task["payload"] != PATCH {
        return Err(unexpected("what is applied is not what was approved", &task).into());
    }
    let what = format!("{} gets exactly that, once; its host asks again (gate 2)", his.name.bold());
    narrator.step("bob", &what, Some(begun.elapsed()))?;
    let begun = Instant::now();
    let done = json!({ "request": request, "ok": true, "detail": "Applied; 214 tests pass." });
    let done = his.call("pair_complete_action", done).await?;
    hers.hear(&text(&done["event"])).await?;
    narrator.step("alice", &format!("{} hears: applied, 214 tests pass", hers.name.bold()), Some(begun.elapsed()))
}

/// Messages of the last act, and how many of them are said before the power fails.
const NOTES: usize = 12;
const BEFORE: usize = 5;

async fn survive(narrator: &Narrator, bob: &mut Person, [hers, his]: &[Agent; 2]) -> Result<(), Stop> {
    narrator.act("The power fails")?;
    let begun = Instant::now();
    let mut said = Vec::new();
    let mut kept = 0;
    for number in 1..=NOTES {
        if number == BEFORE + 1 {
            bob.kill().await?;
            narrator.step("bob", &format!("his companion is killed (-9) after {BEFORE} of {NOTES} notes"), None)?;
        }
        let note = json!({ "kind": "status", "text": format!("Migrated grammar file {number} of {NOTES}.") });
        let (event, state) = hers.send(note).await?;
        kept += usize::from(state == "queued");
        said.push(event);
    }
    narrator.step("alice", &format!("goes on: {NOTES} notes said, {kept} kept for bob"), Some(begun.elapsed()))?;
    let begun = Instant::now();
    let pid = bob.wake().await?;
    let mut heard = Vec::new();
    while !said.iter().all(|event| heard.contains(event)) {
        heard.extend(his.wait().await?);
    }
    if heard.iter().filter(|event| said.contains(event)).ne(said.iter()) {
        return Err(unexpected("bob’s agent was not given each note once, in order", &json!(heard)).into());
    }
    let what = format!("is back as process {pid}; his agent gets all {NOTES} notes, once each, in order");
    narrator.step("bob", &what, Some(begun.elapsed()))
}

/// One says it while the other waits; gives the event and the time from the call to the other's hands.
async fn say(from: &Agent, to: &Agent, message: Value) -> Result<(String, Duration), Failure> {
    let begun = Instant::now();
    let (event, _) = from.send(message).await?;
    to.hear(&event).await?;
    Ok((event, begun.elapsed()))
}

async fn words(reader: &Person, listener: &Person) -> Result<String, Failure> {
    let shown = reader.ask(&["verify", listener.name]).await?;
    let words: Vec<String> = shown["say"].as_array().into_iter().flatten().map(text).collect();
    if words.len() == 3 { Ok(words.join(" ")) } else { Err(unexpected("there are no words to read out", &shown)) }
}

async fn enter(listener: &Person, reader: &Person, heard: &str) -> Result<Value, Failure> {
    listener.ask(&["verify", reader.name, "--heard", heard]).await
}

/// Longer than it takes two companions on one machine to find each other again.
const SOON: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Waits until the other one is here; gives the link's address and round trip.
async fn linked(person: &Person) -> Result<String, Failure> {
    let give_up = Instant::now() + SOON;
    loop {
        let status = person.ask(&["status"]).await?;
        let members = status["rooms"][0]["members"].as_array().into_iter().flatten();
        if let Some(other) = members.into_iter().find(|member| member["me"] == false && member["online"] == true) {
            let distance = other["rtt_ms"].as_f64().map(|ms| format!(", {ms:.1} ms away")).unwrap_or_default();
            return Ok(format!("{}{distance}", text(&other["address"])));
        }
        if Instant::now() > give_up {
            return Err(unexpected("the two did not see each other", &status));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Waits until both have the same events, and compares their order. Gives their number.
async fn same_transcript(alice: &Person, bob: &Person) -> Result<usize, Failure> {
    let give_up = Instant::now() + SOON;
    loop {
        let (hers, his) = tokio::try_join!(transcript(alice), transcript(bob))?;
        if hers == his && !hers.is_empty() {
            return Ok(hers.len());
        }
        if Instant::now() > give_up {
            return Err(unexpected("the two transcripts differ", &json!({ "alice": hers, "bob": his })));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Asks again until what is seen is so.
pub async fn wait_for<F: Future<Output = Result<Value, Failure>>>(
    ask: impl Fn() -> F,
    is_so: impl Fn(&Value) -> bool,
) -> Result<(), Failure> {
    let give_up = Instant::now() + SOON;
    loop {
        let seen = ask().await?;
        if is_so(&seen) {
            return Ok(());
        }
        if Instant::now() > give_up {
            return Err(unexpected("something did not come across in time", &seen));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn transcript(person: &Person) -> Result<Vec<String>, Failure> {
    let events = person.ask_for_lines(&["read", "--limit", "500"]).await?;
    Ok(events.iter().map(|event| text(&event["event"])).collect())
}

fn typed(command: &str) -> String {
    format!("{} pairwave {command}", "$".dimmed())
}

fn shortened(invite: &str) -> String {
    format!("{}…", invite.get(..16).unwrap_or(invite))
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

pub fn unexpected(what: &str, seen: &Value) -> Failure {
    let next = "Try again with PAIRWAVE_LOG=debug; `pairwave doctor` checks this machine layer by layer.";
    Failure::new(Code::Failed, "demo_failed", format!("The demo went wrong: {what}. Seen: {seen}"), next)
}
