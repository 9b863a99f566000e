//! Whatever is about to be sent: places lie in it, and no excerpt gives away what was found.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pairwave_guard::secrets::{scan, scan_bytes, scan_name};

fuzz_target!(|bytes: &[u8]| {
    for finding in scan_bytes(bytes) {
        assert!(finding.place.start < finding.place.end && finding.place.end <= bytes.len());
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    scan_name(text);
    let findings = scan(text);
    for finding in &findings {
        assert!(!finding.excerpt.contains(&text[finding.place.clone()]), "{finding:?}");
    }
    assert!(findings.windows(2).all(|pair| pair[0].place.end <= pair[1].place.start));
});
