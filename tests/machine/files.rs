//! What stands on the disk, and who may read it.

use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;

use crate::home::Home;

#[test]
fn every_file_is_0600_and_every_folder_0700() {
    let home = Home::with_room("");
    home.done(&["send", "hello"]);
    home.done(&["down"]);
    home.done(&["up"]);
    let mut open = Vec::new();
    let mut seen = 0;
    walk(&home.path, &mut |path| {
        let metadata = std::fs::symlink_metadata(path).expect("metadata");
        let wanted = if metadata.is_dir() { 0o700 } else { 0o600 };
        let mode = metadata.permissions().mode() & 0o7777;
        seen += 1;
        if mode != wanted {
            open.push(format!("{}: {mode:o}, not {wanted:o}", path.display()));
        }
    });
    assert!(seen > 8, "the whole home was looked at");
    assert!(open.is_empty(), "{open:#?}");
}

#[test]
fn a_home_that_others_may_read_is_refused() {
    let home = Home::with_room("");
    home.done(&["down"]);
    let key = home.path.join("identity.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).expect("opened");
    let refused = home.run(&["status"]);
    assert!(!refused.status.success(), "{refused:?}");
    let told = String::from_utf8_lossy(&refused.stdout);
    assert!(told.contains("identity.key") && told.contains("\"next\""), "{told}");
}

#[test]
fn what_was_said_and_the_keys_stand_nowhere_in_clear() {
    let home = Home::with_room("");
    let text = "a sentence that nobody else should find";
    home.done(&["send", text]);
    home.done(&["down"]);
    let key = std::fs::read(home.path.join("identity.key")).expect("a key");
    let secret = &key[..key.len().min(32)];
    walk(&home.path, &mut |path| {
        if !path.is_file() {
            return;
        }
        let bytes = std::fs::read(path).expect("readable");
        assert!(!contains(&bytes, text.as_bytes()), "{} holds what was said", path.display());
        let own = path.ends_with("identity.key");
        assert!(own || !contains(&bytes, secret), "{} holds the identity key", path.display());
    });
}

#[test]
fn a_home_with_a_long_path_works() {
    let home = Home::with_room(&"a-folder-with-a-long-name/".repeat(8));
    assert!(home.path.as_os_str().len() > 150);
    home.done(&["send", "hello"]);
    let named = std::fs::symlink_metadata(home.path.join("run/control.sock")).expect("a file that names the socket");
    assert!(!named.file_type().is_socket());
    let real = std::fs::read_to_string(home.path.join("run/control.sock")).expect("readable");
    let folder = Path::new(real.trim()).parent().expect("a folder");
    let mode = std::fs::metadata(folder).expect("metadata").permissions().mode() & 0o777;
    assert_eq!(mode, 0o700, "{}", folder.display());
    home.done(&["down"]);
}

#[test]
fn init_writes_nothing_secret_into_the_project() {
    let home = Home::with_room("");
    let fresh = home.folder().join("wired");
    std::fs::create_dir_all(&fresh).expect("a folder");
    std::fs::write(fresh.join(".mcp.json"), "{\n  \"mcpServers\": { \"other\": { \"command\": \"other\" } }\n}\n")
        .unwrap();
    let output = home.command(&["init", "--title", "wired"]).current_dir(&fresh).output().expect("it runs");
    assert!(output.status.success(), "{output:?}");
    let merged: serde_json::Value =
        serde_json::from_slice(&std::fs::read(fresh.join(".mcp.json")).expect("written")).expect("JSON");
    assert_eq!(merged["mcpServers"]["other"]["command"], "other", "what stood there stands there");
    assert!(merged["mcpServers"]["pairwave"].is_object(), "{merged}");
    assert!(fresh.join(".claude/skills/pairwave/SKILL.md").is_file());
    let made: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let invite = made["invite"].as_str().expect("an invite");
    walk(&fresh, &mut |path| {
        if path.is_file() {
            assert!(!contains(&std::fs::read(path).expect("readable"), invite.as_bytes()), "{}", path.display());
        }
    });
}

fn walk(folder: &Path, visit: &mut impl FnMut(&Path)) {
    visit(folder);
    for entry in std::fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() { walk(&path, visit) } else { visit(&path) }
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
