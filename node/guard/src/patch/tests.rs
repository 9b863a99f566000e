use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Patch {
    Patch::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn only(text: &str) -> FilePatch {
    let mut files = parse(text).files;
    assert_eq!(files.len(), 1, "{text}");
    files.remove(0)
}

const MODIFIED: &str = "\
diff --git a/src/main.rs b/src/main.rs
index 1234567..89abcde 100644
--- a/src/main.rs
+++ b/src/main.rs
@@ -1,3 +1,4 @@ fn main() {
 one
-two
+2
+3
 four
";

#[test]
fn a_modified_file_has_its_hunks_counted_and_numbered() {
    let file = only(MODIFIED);
    assert_eq!((file.old.as_deref(), file.new.as_deref()), (Some("src/main.rs"), Some("src/main.rs")));
    assert_eq!((file.change, file.old_mode, file.new_mode), (Change::Modified, Some(0o100_644), Some(0o100_644)));
    assert_eq!((file.added(), file.removed(), file.binary), (2, 1, false));
    let hunk = &file.hunks[0];
    assert_eq!(hunk.section, "fn main() {");
    let numbers: Vec<_> = hunk.lines.iter().map(|line| (line.old_number, line.new_number)).collect();
    let expected = [(Some(1), Some(1)), (Some(2), None), (None, Some(2)), (None, Some(3)), (Some(3), Some(4))];
    assert_eq!(numbers, expected);
}

#[test]
fn new_deleted_renamed_and_copied_files_are_told_apart() {
    let patch = parse(
        "From: alice\nSubject: several\n---\n 5 files\n
diff --git a/new b/new
new file mode 100755
index 0000000..e69de29
diff --git a/gone b/gone
deleted file mode 100644
index 257cc56..0000000
--- a/gone
+++ /dev/null
@@ -1 +0,0 @@
-foo
diff --git a/old name b/new name
similarity index 100%
rename from old name
rename to new name
diff --git a/x b/y
similarity index 90%
copy from x
copy to y
index 1..2 100644
--- a/x
+++ b/y
@@ -1 +1 @@
-a
+b
diff --git a/run b/run
old mode 100644
new mode 100755
-- \n2.47.0\n",
    );
    use Change::*;
    let seen: Vec<_> = patch.files.iter().map(|file| (file.change, file.old.as_deref(), file.new.as_deref())).collect();
    let expected = [
        (Added, None, Some("new")),
        (Deleted, Some("gone"), None),
        (Renamed, Some("old name"), Some("new name")),
        (Copied, Some("x"), Some("y")),
        (Modified, Some("run"), Some("run")),
    ];
    assert_eq!(seen, expected);
    assert_eq!(patch.paths(), ["new", "gone", "old name", "new name", "x", "y", "run"]);
    assert_eq!((patch.added(), patch.removed()), (1, 2));
    let executable: Vec<_> = patch.files.iter().map(FilePatch::becomes_executable).collect();
    assert_eq!(executable, [true, false, false, false, true]);
}

#[test]
fn a_plain_diff_may_have_times_and_no_prefixes() {
    for (old, new) in [
        ("--- lao\t2002-02-21 23:30:39.942229878 -0800", "+++ lao\t2002-02-21 23:30:50.442260588 -0800"),
        ("--- lao 2002-02-21 23:30:39 -0800", "+++ lao 2002-02-21 23:30:50 -0800"),
        ("--- a/lao", "+++ b/lao"),
    ] {
        let file = only(&format!("{old}\n{new}\n@@ -1 +1 @@\n-a\n+b\n"));
        assert_eq!((file.old.as_deref(), file.new.as_deref()), (Some("lao"), Some("lao")), "{old}");
    }
    let patch = parse("--- a.orig\n+++ a\n@@ -1 +1 @@\n-a\n+b\n--- /dev/null\n+++ c\n@@ -0,0 +1 @@\n+c\n");
    assert_eq!(patch.paths(), ["a.orig", "a", "c"]);
}

#[test]
fn a_plain_diff_behind_one_of_git_is_not_lost() {
    let patch = parse(&format!("{MODIFIED}--- a/.env\n+++ b/.env\n@@ -0,0 +1 @@\n+x\n"));
    assert_eq!(patch.paths(), ["src/main.rs", ".env"]);
}

#[test]
fn quoted_paths_are_unescaped() {
    let file = only("diff --git \"a/caf\\303\\251\\t\\\"\" \"b/caf\\303\\251\\t\\\"\"\nnew file mode 100644\n");
    assert_eq!(file.new.as_deref(), Some("café\t\""));
    let text = "--- \"a/x\\ny\"\n+++ \"b/x\\ny\"\n@@ -1 +1 @@\n-a\n+b\n";
    assert_eq!(only(text).path(), "x\ny");
    let renamed = "diff --git a/x \"b/\\303\\251\"\nsimilarity index 100%\nrename from x\nrename to \"\\303\\251\"\n";
    assert_eq!(only(renamed).path(), "é");
}

#[test]
fn ends_of_lines_are_kept_as_facts() {
    let text = MODIFIED.replace('\n', "\r\n");
    let file = only(&text);
    assert!(file.hunks[0].lines.iter().all(|line| line.crlf && !line.text.ends_with('\r')));
    assert_eq!(file.path(), "src/main.rs");
    let text = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n";
    let file = only(text);
    assert!(file.hunks[0].lines.iter().all(|line| line.unterminated));
}

#[test]
fn binary_files_are_named_and_their_bytes_passed_over() {
    let text = "\
diff --git a/image.png b/image.png
new file mode 100644
index 0000000..7c4530c
GIT binary patch
literal 67
zcmV-J0KET+

literal 0
KcmV+b0RR6000031

diff --git a/old.png b/old.png
index 1..2 100644
Binary files a/old.png and b/old.png differ
";
    let patch = parse(text);
    assert_eq!(patch.paths(), ["image.png", "old.png"]);
    assert!(patch.files.iter().all(|file| file.binary && file.hunks.is_empty()));
    let hides = text.replace("zcmV-J0KET+\n\n", "zcmV-J0KET+\n");
    assert!(matches!(Patch::parse(&hides), Err(PatchError::BadBinary { .. })));
}

#[test]
fn what_could_be_read_in_two_ways_is_refused() {
    let header = "--- a/x\n+++ b/x\n";
    let refused = |text: String| Patch::parse(&text).expect_err("is refused");
    assert!(matches!(
        refused("diff --cc x\nindex 1,2..3\n--- a/x\n+++ b/x\n".into()),
        PatchError::Combined { line: 1 }
    ));
    assert!(matches!(refused(format!("{header}@@@ -1 -1 +1 @@@\n")), PatchError::Combined { line: 3 }));
    assert!(matches!(refused("*** a\n--- b\n***************\n".into()), PatchError::ContextDiff { line: 3 }));
    assert!(matches!(refused("@@ -1 +1 @@\n-a\n+b\n".into()), PatchError::Nameless { line: 1 }));
    assert!(matches!(refused(format!("{header}@@ -1 +1 @@\n-a\n")), PatchError::BadCount { .. }));
    assert!(matches!(refused(format!("{header}@@ -1 +1 @@\n-a\n+b\n+c\n")), PatchError::BadCount { line: 6 }));
    assert!(matches!(refused(format!("{header}@@ -1,x +1 @@\n-a\n")), PatchError::BadHunk { line: 3 }));
    assert!(matches!(refused("diff --git a/x b/x\nold mode 9\n".into()), PatchError::BadMode { line: 2 }));
    assert!(matches!(refused("--- \"a/x\n+++ b/x\n".into()), PatchError::BadPath { line: 1 }));
    let two = "diff --git a/x b/x\n--- a/x\n+++ b/.env\n@@ -1 +1 @@\n-a\n+b\n";
    assert!(matches!(refused(two.into()), PatchError::Inconsistent { .. }));
    let moved = "diff --git a/x b/x\nsimilarity index 100%\nrename from x\nrename to .env\n";
    assert!(matches!(refused(moved.into()), PatchError::Inconsistent { .. }));
    assert_eq!(refused("hello".into()), PatchError::Empty);
    assert!(matches!(refused("x".repeat(MAX_BYTES + 1)), PatchError::TooLarge(_)));
}

/// Pieces of patches, in any order, reach further than any text would.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("diff --git a/x b/x\n".to_owned()),
        Just("diff --git \"a/\\303\\251\" b/x\n".to_owned()),
        Just("--- a/x\n".to_owned()),
        Just("+++ b/x\n".to_owned()),
        Just("--- /dev/null\n".to_owned()),
        Just("@@ -1,2 +1,2 @@\n".to_owned()),
        Just("@@ -4294967295 +4294967295 @@\n".to_owned()),
        Just("-a\n+b\n".to_owned()),
        Just(" c\n".to_owned()),
        Just("\\ No newline\n".to_owned()),
        Just("rename from x\nrename to y\n".to_owned()),
        Just("new mode 100755\n".to_owned()),
        Just("GIT binary patch\nliteral 3\nabc\n\n".to_owned()),
        "[ -~é\"\\\\]{0,12}\n?",
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn reading_never_panics_and_counts_what_it_shows(text in pieces()) {
        if let Ok(patch) = Patch::parse(&text) {
            prop_assert!(!patch.files.is_empty());
            for file in &patch.files {
                prop_assert!(file.old.is_some() || file.new.is_some());
                for hunk in &file.hunks {
                    let old = hunk.lines.iter().filter(|line| line.old_number.is_some()).count();
                    let new = hunk.lines.iter().filter(|line| line.new_number.is_some()).count();
                    prop_assert_eq!((old, new), (hunk.old_lines as usize, hunk.new_lines as usize));
                }
            }
        }
    }

    #[test]
    fn any_text_is_survived(text in "\\PC{0,200}") {
        let _ = Patch::parse(&text);
    }
}
