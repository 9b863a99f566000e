use std::fs;

use super::*;

#[test]
fn a_fresh_folder_gets_an_entry_and_a_skill() {
    let dir = tempfile::tempdir().unwrap();
    let changes = wire(dir.path(), Path::new("/opt/pairwave"), None).unwrap();
    assert!(changes.iter().all(|change| change.kind == ChangeKind::Created));
    let config = config(dir.path());
    assert_eq!(config, json!({ "mcpServers": { "pairwave": { "command": "/opt/pairwave", "args": ["mcp"] } } }));
    assert_eq!(fs::read_to_string(&changes[1].path).unwrap(), SKILL);
}

#[test]
fn the_name_is_enough_where_it_leads_to_this_program() {
    let folder = tempfile::tempdir().unwrap();
    let exe = folder.path().join(format!("pairwave{}", std::env::consts::EXE_SUFFIX));
    fs::write(&exe, "").unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let command = |exe: &Path, path: &Path| launch(exe, None, Some(path.as_os_str())).command;
    assert_eq!(command(&exe, folder.path()), "pairwave");
    assert_eq!(command(&exe, elsewhere.path()), exe.display().to_string());
    assert_eq!(
        command(&elsewhere.path().join("other"), folder.path()),
        elsewhere.path().join("other").display().to_string()
    );
}

#[test]
fn a_second_time_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    wire(dir.path(), Path::new("/opt/pairwave"), None).unwrap();
    let before = fs::read(dir.path().join(".mcp.json")).unwrap();
    let changes = wire(dir.path(), Path::new("/opt/pairwave"), None).unwrap();
    assert!(changes.iter().all(|change| change.kind == ChangeKind::Unchanged));
    assert_eq!(fs::read(dir.path().join(".mcp.json")).unwrap(), before);
}

#[test]
fn other_entries_and_further_keys_stay() {
    let dir = tempfile::tempdir().unwrap();
    let old = r#"{"mcpServers":{"pairwave":{"command":"/old","args":[],"timeout":9},"z":{"command":"z"}},"a":[1, 2]}"#;
    fs::write(dir.path().join(".mcp.json"), old).unwrap();
    let changes = wire(dir.path(), Path::new("/new"), Some(Path::new("/home/a b"))).unwrap();
    assert_eq!(changes[0].kind, ChangeKind::Updated);
    let new = fs::read_to_string(dir.path().join(".mcp.json")).unwrap();
    assert!(new.ends_with(r#","z":{"command":"z"}},"a":[1, 2]}"#), "{new}");
    let entry = &config(dir.path())["mcpServers"]["pairwave"];
    assert_eq!(*entry, json!({ "command": "/new", "args": ["mcp", "--home", "/home/a b"], "timeout": 9 }));
}

#[test]
fn a_broken_file_is_refused_and_left_as_it_is() {
    for (text, says) in [
        ("{ // comment\n}", "not valid JSON"),
        ("[]", "the whole file"),
        (r#"{"mcpServers": []}"#, "mcpServers"),
        (r#"{"mcpServers": {"pairwave": 1}}"#, "mcpServers.pairwave"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(".mcp.json"), text).unwrap();
        let error = wire(dir.path(), Path::new("/p"), None).unwrap_err().to_string();
        assert!(error.contains(says) && error.contains("--no-wire"), "{error}");
        assert_eq!(fs::read_to_string(dir.path().join(".mcp.json")).unwrap(), text);
    }
}

#[test]
fn an_empty_file_is_filled() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(".mcp.json"), "\n").unwrap();
    wire(dir.path(), Path::new("/p"), None).unwrap();
    assert_eq!(config(dir.path())["mcpServers"]["pairwave"]["command"], "/p");
}

#[test]
fn a_skill_that_is_not_ours_is_left_alone_and_an_older_one_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(".claude/skills/pairwave/SKILL.md");
    fs::create_dir_all(path.parent().unwrap()).unwrap();

    fs::write(&path, "my own").unwrap();
    assert_eq!(wire(dir.path(), Path::new("/p"), None).unwrap()[1].kind, ChangeKind::LeftAlone);
    assert_eq!(fs::read_to_string(&path).unwrap(), "my own");

    fs::write(&path, format!("{OURS}\nolder")).unwrap();
    assert_eq!(wire(dir.path(), Path::new("/p"), None).unwrap()[1].kind, ChangeKind::Updated);
    assert_eq!(fs::read_to_string(&path).unwrap(), SKILL);
}

#[test]
fn the_skill_carries_its_mark_and_a_description() {
    assert!(SKILL.contains(OURS));
    assert!(SKILL.starts_with("---\nname: pairwave\ndescription: "));
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_is_not_followed() {
    use std::os::unix::fs::symlink;
    let elsewhere = tempfile::tempdir().unwrap();
    let target = elsewhere.path().join("target");
    fs::write(&target, "{}").unwrap();

    let dir = tempfile::tempdir().unwrap();
    symlink(&target, dir.path().join(".mcp.json")).unwrap();
    assert!(matches!(wire(dir.path(), Path::new("/p"), None), Err(WireError::LeadsAway { .. })));
    assert_eq!(fs::read_to_string(&target).unwrap(), "{}");

    let dir = tempfile::tempdir().unwrap();
    symlink(elsewhere.path(), dir.path().join(".claude")).unwrap();
    assert!(matches!(wire(dir.path(), Path::new("/p"), None), Err(WireError::LeadsAway { .. })));
    assert!(!elsewhere.path().join("skills").exists());
}

#[cfg(unix)]
#[test]
fn the_mode_of_a_file_stays() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(".mcp.json");
    fs::write(&path, "{}").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    wire(dir.path(), Path::new("/p"), None).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
}

fn config(dir: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(dir.join(".mcp.json")).unwrap()).unwrap()
}
