use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;

use owo_colors::OwoColorize;
use pairwave_api::{Check, Checks, Code, CompanionExt, Diagnose, Failure, home::Home};

use crate::args::RoomArg;
use crate::caller::Caller;
use crate::output::Ended;
use crate::prose::{page, plain};

/// Check every layer, name the one that fails, and say what to do
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pairwave doctor
  pairwave doctor --member bob")]
pub struct Args {
    /// Look at the way to this member in particular
    #[arg(long)]
    member: Option<String>,
    #[command(flatten)]
    room: RoomArg,
}

pub async fn run(args: Args, caller: &Caller) -> Ended {
    let mut checks = vec![home_check(&caller.home)];
    let asked = Diagnose { room: args.room.room, member: args.member };
    let reached = caller.patiently("Looking at every layer …", diagnose(asked, caller, &mut checks)).await;
    let checks = Checks { checks };
    let healthy = checks.checks.iter().all(|check| check.ok);
    caller.output.answer(&checks, told)?;
    Ok(match reached {
        Err(code) => ExitCode::from(code.exit()),
        Ok(()) if healthy => ExitCode::SUCCESS,
        Ok(()) => ExitCode::from(Code::Failed.exit()),
    })
}

/// The companion's part, or why there is none.
async fn diagnose(question: Diagnose, caller: &Caller, checks: &mut Vec<Check>) -> Result<(), Code> {
    let companion = caller.companion().await.map_err(|failure| {
        checks.push(lock_check(&caller.home));
        checks.push(failed("companion", failure))
    });
    let companion = companion.map_err(|()| Code::CompanionUnreachable)?;
    match companion.ask(question).await {
        Ok(theirs) => checks.extend(theirs.checks),
        Err(failure) => {
            let code = failure.code;
            checks.push(failed("companion", failure));
            return Err(code);
        }
    }
    Ok(())
}

/// Can this home be written, by us alone?
fn home_check(home: &Home) -> Check {
    let path = home.path();
    let name = "home";
    match tried(path) {
        Ok(()) => passed(name, format!("{} can be written", path.display())),
        Err(error) => {
            let why =
                if error.kind() == ErrorKind::StorageFull { "the disk is full".into() } else { error.to_string() };
            let next =
                "Give it back to yourself with chown and chmod 700, free some space, or name another with --home.";
            broken(name, format!("{} cannot be written: {why}", path.display()), next)
        }
    }
}

/// Writes where the companion would, and takes it away again.
fn tried(home: &Path) -> std::io::Result<()> {
    let folder = home.ancestors().find(|folder| folder.exists()).unwrap_or(home);
    let probe = folder.join(format!(".pairwave-doctor-{}", std::process::id()));
    let written =
        File::create_new(&probe).and_then(|mut file| file.write_all(&[0; 4096]).and_then(|()| file.sync_all()));
    // Only what this call made may be removed.
    if !matches!(&written, Err(error) if error.kind() == ErrorKind::AlreadyExists) {
        let _ = fs::remove_file(&probe);
    }
    written
}

/// Does somebody hold this home although no companion answers?
fn lock_check(home: &Home) -> Check {
    let name = "lock";
    let held = File::open(home.lock()).is_ok_and(|file| file.try_lock_shared().is_err());
    if !held {
        return passed(name, "no companion holds this home");
    }
    let pid = fs::read_to_string(home.pid()).unwrap_or_default();
    let pid = pid.trim().parse::<u32>().map_or_else(|_| "an unknown process".into(), |pid| format!("process {pid}"));
    let next = format!("Read {}; if it goes on, end that process and try again.", home.log().display());
    broken(name, format!("{pid} holds this home but does not answer"), next)
}

fn passed(name: &str, detail: impl Into<String>) -> Check {
    Check { name: name.into(), ok: true, detail: detail.into(), next: String::new() }
}

fn broken(name: &str, detail: impl Into<String>, next: impl Into<String>) -> Check {
    Check { name: name.into(), ok: false, detail: detail.into(), next: next.into() }
}

fn failed(name: &str, failure: Failure) -> Check {
    broken(name, failure.message, failure.next)
}

fn told(checks: &Checks) -> String {
    let width = page::width();
    let mut out = String::new();
    for check in &checks.checks {
        let mark = match check.ok {
            true if check.next.is_empty() => "✓".green().to_string(),
            true => "!".yellow().bold().to_string(),
            false => "✗".red().bold().to_string(),
        };
        let line = format!("{mark} {}: {}", plain::line(&check.name).bold(), plain::line(&check.detail));
        out.push_str(&page::paragraph(&line, width));
        if !check.next.is_empty() {
            out.push_str(&page::indented(&plain::text(&check.next), "    → ", width));
        }
    }
    let failing = checks.checks.iter().find(|check| !check.ok);
    let hinted = checks.checks.iter().any(|check| !check.next.is_empty());
    out.push_str(&match failing {
        Some(first) => format!("\nIt fails at: {}\n", plain::line(&first.name).bold()),
        None if hinted => "\nNothing fails. What is marked with ! could be better.\n".to_owned(),
        None => "\nEverything is as it should be.\n".to_owned(),
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_that_cannot_be_written_is_named_with_a_next_step() {
        let dir = tempfile::tempdir().expect("a folder");
        assert!(home_check(&Home::new(dir.path().join("not/made/so/far"))).ok);
        let file = dir.path().join("file");
        fs::write(&file, "").expect("a file");
        let check = home_check(&Home::new(file.join("home")));
        assert!(!check.ok && !check.next.is_empty(), "{check:?}");
        assert_eq!(fs::read_dir(dir.path()).expect("the folder").count(), 1, "nothing is left behind");
    }

    #[test]
    fn who_holds_a_silent_home_is_named() {
        let dir = tempfile::tempdir().expect("a folder");
        let home = Home::new(dir.path());
        assert!(lock_check(&home).ok);
        fs::create_dir(home.run()).expect("run/");
        let held = File::create(home.lock()).expect("the lock");
        held.lock().expect("nobody else has it");
        fs::write(home.pid(), "4711\n").expect("the pid");
        assert!(lock_check(&home).detail.starts_with("process 4711 holds"));
    }

    #[test]
    fn the_first_failing_layer_is_named() {
        let checks =
            Checks { checks: vec![passed("home", "fine"), broken("multicast", "no interface", "Turn the wifi on.")] };
        let said = anstream::adapter::strip_str(&told(&checks)).to_string();
        assert!(said.contains("✗ multicast: no interface\n    → Turn the wifi on.\n"), "{said}");
        assert!(said.ends_with("It fails at: multicast\n"));
    }

    #[test]
    fn what_could_be_better_is_no_failure() {
        let hint = Check { next: "Name a relay.".into(), ..passed("reachability", "only your own network") };
        let said = |checks: Vec<Check>| anstream::adapter::strip_str(&told(&Checks { checks })).to_string();
        let hinted = said(vec![passed("home", "fine"), hint]);
        assert!(hinted.starts_with("✓ home: fine\n! reachability: only your own network\n    → Name"), "{hinted}");
        assert!(hinted.ends_with("Nothing fails. What is marked with ! could be better.\n"), "{hinted}");
        assert!(said(vec![passed("home", "fine")]).ends_with("Everything is as it should be.\n"));
    }
}
