//! Two pathspecs and a path: whatever is read has something in common with itself, overlaps either way
//! or not at all, and overlaps where both mean the path.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pairwave_core::pathspec::Pathspec;

fuzz_target!(|text: &str| {
    let mut lines = text.splitn(3, '\n');
    let (Some(Ok(a)), Some(Ok(b))) = (lines.next().map(Pathspec::parse), lines.next().map(Pathspec::parse)) else {
        return;
    };
    assert!(a.overlaps(&a));
    assert_eq!(a.overlaps(&b), b.overlaps(&a));
    let path = lines.next().unwrap_or_default();
    // A name with an extension stands for a folder where it is certain that it is one.
    if !path.contains('/') && a.covers(path) && b.covers(path) {
        assert!(a.overlaps(&b));
    }
});
