//! From an event that is durable to its letters on the page of B's browser.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::StreamExt;
use pairwave_api::{Companion, CompanionExt, Notice, Notices, OpenDashboard, Send};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{ChildStdout, Command};
use tokio::time::sleep;

use crate::person::{Person, stage, two};
use crate::samples::Samples;
use crate::table::Row;

const WHAT: &str = "dashboard: event durable at B → painted in B's browser, median / p95";
const MESSAGES: usize = 60;
/// The first ones warm up.
const WARM_UP: usize = 5;
/// Between two messages, so that each is alone.
const PAUSE: Duration = Duration::from_millis(150);
const BROWSER: &str = "/usr/bin/chromium";

pub async fn run() -> Vec<Row> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let driver = tests.join("browser/node_modules/playwright-core");
    if !driver.exists() || !Path::new(BROWSER).exists() {
        return vec![Row::not_run(WHAT, "tests/browser is not installed, or there is no /usr/bin/chromium")];
    }
    let stage = stage();
    let (alice, bob) = two(stage.path()).await;
    let client = bob.person().await;
    let Ok(link) = client.ask(OpenDashboard {}).await else {
        return vec![Row::not_run(WHAT, "an agent host started this, and only a human may open the page")];
    };
    let (mut page, _browser) = browser(&driver, &tests.join("bench/painted.mjs"), &link.url).await;
    let taken = messages(&alice, client.notices().await.expect("notices"), &mut page).await;
    let taken = Samples::new(taken);
    let (median, p95) = (taken.median(), taken.p95());
    let figure = format!("{median:.1} / {p95:.1} ms");
    vec![Row::judged(WHAT, figure, "≤ 50 ms".into(), median <= 50.0)]
}

/// A browser with the page open: what it paints, and its process.
async fn browser(driver: &Path, script: &Path, url: &str) -> (Lines<BufReader<ChildStdout>>, tokio::process::Child) {
    let arguments: [PathBuf; 3] = [script.into(), driver.into(), BROWSER.into()];
    let mut command = Command::new("node");
    command.args(arguments).arg(url).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut browser = command.spawn().expect("node starts");
    let mut page = BufReader::new(browser.stdout.take().expect("piped")).lines();
    let ready = page.next_line().await.expect("a line");
    assert_eq!(ready.as_deref(), Some("ready"), "the page opens");
    (page, browser)
}

/// Milliseconds from the notice of each message to its paint.
async fn messages(alice: &Person, mut notices: Notices, page: &mut Lines<BufReader<ChildStdout>>) -> Vec<f64> {
    let client = alice.client("speaks").await;
    let mut taken = Vec::new();
    for number in 0..WARM_UP + MESSAGES {
        sleep(PAUSE).await;
        let chat = Send { kind: "chat".into(), text: format!("Step {number} is done."), ..Send::default() };
        let said = client.ask(chat).await.unwrap_or_else(|failure| panic!("{failure}")).event;
        let durable = durable(&mut notices, &said).await;
        let line = page.next_line().await.expect("a line").expect("a line");
        let painted: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(painted["event"], said.as_str(), "each is painted once, in order");
        if number >= WARM_UP {
            taken.push(painted["at"].as_f64().expect("a time") - durable);
        }
    }
    taken
}

/// When this event was told of, in milliseconds of the system's clock. The page is told in the same
/// moment.
async fn durable(notices: &mut Notices, said: &str) -> f64 {
    while let Some(notice) = notices.next().await {
        if matches!(&notice, Notice::Event { event, .. } if event == said) {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock");
            return since.as_secs_f64() * 1e3;
        }
    }
    panic!("the companion ended");
}
