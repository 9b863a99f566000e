//! Other processes and other users of this machine.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;

use crate::home::{BINARY, Home};

/// `nobody`, in every distribution.
const NOBODY: u32 = 65_534;

#[test]
fn another_local_user_gets_nothing_from_the_control_socket() {
    if !rustix::process::geteuid().is_root() {
        // Only root can become somebody else. CI runs as root.
        println!("skipped: becoming another user needs root");
        return;
    }
    let home = Home::with_room("");
    let room = home.done(&["status"])["rooms"][0]["room"].as_str().expect("a room").to_owned();
    // They cannot even look, as it is …
    let program = home.folder().join("pairwave");
    std::fs::copy(BINARY, &program).expect("a copy that everybody may run");
    open(home.folder(), 0o755);
    open(&program, 0o755);
    let nothing = as_nobody(&home, &program);
    assert!(!nothing.contains(&room) && !nothing.contains("alice"), "{nothing}");
    // … and if every door of the file system stood open, the companion would still look who asks.
    for folder in [&home.path, &home.path.join("run")] {
        open(folder, 0o755);
    }
    open(&home.path.join("run/control.sock"), 0o666);
    let nothing = as_nobody(&home, &program);
    assert!(!nothing.contains(&room) && !nothing.contains("alice"), "{nothing}");
    assert!(home.done(&["status"])["rooms"][0]["room"] == room.as_str(), "its owner is served as before");
}

#[test]
fn a_second_companion_says_who_has_the_home() {
    let home = Home::with_room("");
    let pid = std::fs::read_to_string(home.path.join("run/pid")).expect("a pid");
    let second = home.run(&["up", "--foreground"]);
    assert!(!second.status.success(), "{second:?}");
    let told = String::from_utf8_lossy(&second.stdout) + String::from_utf8_lossy(&second.stderr);
    assert!(told.contains(pid.trim()), "names the process {pid}: {told}");
    home.done(&["status"]);
}

#[test]
fn two_homes_on_one_machine_are_two_people() {
    let (alice, bob) = (Home::with_room(""), Home::with_room(""));
    let invite = alice.done(&["invite"])["invite"].as_str().expect("an invite").to_owned();
    let project = bob.folder().join("second");
    std::fs::create_dir_all(&project).expect("a folder");
    let output = bob.command(&["join", &invite, "--name", "bob", "--no-wire"]).current_dir(&project).output();
    let output = output.expect("it runs");
    let joined: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(joined["state"], "admitted", "{output:?}");
    let members = |home: &Home| home.done(&["status"])["member"].clone();
    assert_ne!(members(&alice), members(&bob));
}

#[test]
fn down_ends_the_companion_and_leaves_no_socket() {
    let home = Home::with_room("");
    home.done(&["down"]);
    assert!(!home.path.join("run/control.sock").exists());
    assert!(!home.path.join("run/pid").exists());
    home.done(&["down"]);
}

/// What `pairwave status` comes to for another user.
fn as_nobody(home: &Home, program: &Path) -> String {
    let mut command = std::process::Command::new(program);
    command.args(["status", "--json", "--home"]).arg(&home.path).env_clear().env("HOME", "/nonexistent");
    let output = command.current_dir("/").uid(NOBODY).gid(NOBODY).output().expect("it runs");
    assert!(!output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn open(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("opened");
}
