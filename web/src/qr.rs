//! An invite as a picture, for the camera of a phone.

use std::fmt::Write;

use qrcode::{Color, EcLevel, QrCode};
use serde_json::{Value, json};

/// Light modules around the code, as the standard asks for (ISO/IEC 18004).
const QUIET: usize = 4;

/// The dark modules as the path of an SVG with sides of `size`. `None` where the text is too long.
pub fn code(text: &str) -> Option<Value> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let width = code.width();
    let mut path = String::new();
    for (at, _) in code.to_colors().iter().enumerate().filter(|(_, color)| **color == Color::Dark) {
        // A text takes every letter.
        let _ = write!(path, "M{} {}h1v1h-1z", at % width + QUIET, at / width + QUIET);
    }
    Some(json!({ "size": width + 2 * QUIET, "path": path }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_corners_and_a_quiet_zone() {
        let code = code("pairwave1abc").unwrap();
        let (size, path) = (code["size"].as_u64().unwrap(), code["path"].as_str().unwrap());
        assert!(path.starts_with("M4 4h1v1h-1z"), "the first corner is dark");
        let right = size - 5;
        assert!(path.contains(&format!("M{right} 4h")) && path.contains(&format!("M4 {right}h")));
        assert!(!path.contains("M3 ") && !path.contains(" 3h"));
    }

    #[test]
    fn what_is_too_long_has_no_code() {
        assert!(code(&"x".repeat(4000)).is_none());
    }
}
