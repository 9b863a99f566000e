//! Who calls: which home, from which folder, and how to reach the companion that belongs to it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use etcetera::BaseStrategy;
use indicatif::ProgressBar;
use pairwave_api::{Ask, Client, Code, CompanionExt, Face, Failure, Hello, home::Home};

use crate::args::Common;
use crate::output::{Output, Stop};

/// One run of the command line.
pub struct Caller {
    pub home: Home,
    pub output: Output,
    /// The folder that it runs in.
    pub dir: PathBuf,
    home_is_chosen: bool,
}

impl Caller {
    pub fn new(common: Common, output: Output) -> Result<Self, Failure> {
        let dir = std::env::current_dir().map_err(|error| no_folder(Path::new("."), &error))?;
        let chosen = common.home.filter(|path| !path.as_os_str().is_empty());
        let home_is_chosen = chosen.is_some();
        Ok(Self { home: home(chosen)?, output, dir, home_is_chosen })
    }

    /// The home, if it is another than the one that everybody has who chooses none.
    pub fn chosen_home(&self) -> Option<&Path> {
        self.home_is_chosen.then(|| self.home.path())
    }

    /// How this run introduces itself.
    pub fn hello(&self) -> Hello {
        Hello { dir: Some(self.dir.clone()), ..Hello::new(Face::Cli) }
    }

    /// The companion of this home; starts it if none is running.
    pub async fn companion(&self) -> Result<Client, Failure> {
        Client::connect_or_start(&self.home, self.hello()).await
    }

    /// Asks the companion one thing.
    pub async fn ask<A: Ask>(&self, question: A) -> Result<A::Answer, Stop> {
        Ok(self.companion().await?.ask(question).await?)
    }

    /// Shows that something takes its time, if somebody watches.
    pub async fn patiently<T>(&self, what: &str, work: impl Future<Output = T>) -> T {
        if self.output.json() {
            return work.await;
        }
        // Drawn on stderr, and only where that is a terminal.
        let spinner = ProgressBar::new_spinner().with_message(what.to_owned());
        spinner.enable_steady_tick(Duration::from_millis(100));
        let outcome = work.await;
        spinner.finish_and_clear();
        outcome
    }

    /// A folder that was named, or the one this runs in, in its one true form.
    pub fn folder(&self, named: Option<&Path>) -> Result<PathBuf, Failure> {
        let path = named.unwrap_or(&self.dir);
        let path = path.canonicalize().map_err(|error| no_folder(path, &error))?;
        if path.is_dir() { Ok(path) } else { Err(no_folder(&path, &"it is a file")) }
    }
}

fn home(chosen: Option<PathBuf>) -> Result<Home, Failure> {
    let path = match chosen {
        Some(path) => path,
        None => etcetera::base_strategy::choose_native_strategy()
            .map_err(|error| no_home(&error))?
            .data_dir()
            .join("pairwave"),
    };
    Ok(Home::new(std::path::absolute(path).map_err(|error| no_home(&error))?))
}

fn no_home(why: &dyn std::fmt::Display) -> Failure {
    let message = format!("There is no folder to keep this person's identity in: {why}.");
    Failure::new(Code::Failed, "no_home", message, "Name one with `--home DIR` or PAIRWAVE_HOME.")
}

fn no_folder(path: &Path, why: &dyn std::fmt::Display) -> Failure {
    let message = format!("The folder {} cannot be used: {why}.", path.display());
    Failure::new(Code::Usage, "no_folder", message, "Name a folder that exists, or make it first.")
}
