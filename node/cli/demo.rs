//! Two people, their companions and their agents on this machine: separate processes of this very
//! program, driven through the doors that everybody has, told as it happens.

mod agent;
pub mod host;
mod narrator;
mod person;
mod remembering;
mod side_by_side;
mod story;

use std::cell::{Cell, RefCell};
use std::io::IsTerminal;
use std::time::Duration;

use pairwave_api::{Code, Failure};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use crate::output::{Output, Stop};
use narrator::Narrator;
use person::Person;

/// How the demo ended when nothing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The story was told to its end.
    Told,
    /// The time that was given is over.
    TimeIsUp,
    /// Somebody asked it to stop.
    Interrupted,
}

/// Tells the story, with both pages open where `opens` says so, and cleans up, whatever happens.
pub async fn play(output: Output, opens: bool, at_most: Option<Duration>) -> Result<Ending, Stop> {
    // Removed when it goes out of scope, with everything that the two wrote.
    let stage = tempfile::Builder::new().prefix("pairwave-").tempdir().map_err(no_stage)?;
    let mut people = [Person::new(stage.path(), "alice"), Person::new(stage.path(), "bob")];
    let narrator = Narrator::new(output);
    let pages = Pages { opens: opens && watched(output), links: RefCell::default() };
    let ending = until_end(&narrator, &mut people, &pages, at_most).await;
    if let Err(Stop::Failed(_)) = &ending {
        people.iter().for_each(|person| person.last_words(output));
    }
    for person in &mut people {
        person.stop().await;
    }
    let ending = ending?;
    if output.json() {
        let complete = ending == Ending::Told;
        output.object(&json!({ "event": "end", "complete": complete, "dashboards": pages.links.take() }))?;
    }
    Ok(ending)
}

/// Where the two look at the room.
struct Pages {
    opens: bool,
    links: RefCell<Vec<String>>,
}

/// Is somebody there who would look at a page?
fn watched(output: Output) -> bool {
    !output.json() && std::io::stdout().is_terminal()
}

async fn until_end(
    narrator: &Narrator,
    people: &mut [Person; 2],
    pages: &Pages,
    at_most: Option<Duration>,
) -> Result<Ending, Stop> {
    let mut terminated = signal(SignalKind::terminate()).map_err(no_stage)?;
    let told = Cell::new(false);
    let story = async {
        story::tell(narrator, people, pages).await?;
        told.set(true);
        if at_most.is_some() || watched(narrator.output()) {
            narrator.aside("Both pages stay live for you to click around. Ctrl-C ends it.")?;
            std::future::pending::<()>().await;
        }
        Ok(Ending::Told)
    };
    let time_is_up = async {
        match at_most {
            Some(time) => tokio::time::sleep(time).await,
            None => std::future::pending().await,
        }
    };
    let ending = tokio::select! {
        ending = story => return ending,
        () = time_is_up => Ending::TimeIsUp,
        _ = tokio::signal::ctrl_c() => Ending::Interrupted,
        _ = terminated.recv() => Ending::Interrupted,
    };
    Ok(if told.get() { Ending::Told } else { ending })
}

fn no_stage(error: std::io::Error) -> Failure {
    let next = "Free some space in the folder for temporary files, or name another one with TMPDIR.";
    Failure::new(Code::Failed, "no_stage", format!("The demo has no place to play: {error}."), next)
}
