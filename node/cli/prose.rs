//! How people read what the companion says.

pub mod charter;
pub mod inbox;
pub mod page;
pub mod plain;
pub mod requests;
pub mod status;
pub mod transcript;
pub mod when;

pub use pairwave_api::words::count;

/// `a`, `a and b`, `a, b and c`.
pub fn list<S: AsRef<str>>(items: &[S]) -> String {
    match items {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}

/// The part of an id that people type: unique enough in a room, short enough to read out.
pub fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

/// A folder as its owner writes it, `~` for the home folder.
pub fn folder(path: &str) -> String {
    let home = std::env::var("HOME").unwrap_or_default();
    match path.strip_prefix(&home) {
        Some(rest) if home.len() > 1 && (rest.is_empty() || rest.starts_with('/')) => plain::line(&format!("~{rest}")),
        _ => plain::line(path),
    }
}

/// Where the page in the browser is, in a line of its own.
pub fn dashboard(address: Option<&str>) -> String {
    address
        .map(|address| format!("The room in your browser: {address} (`pairwave dashboard` opens it)\n"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_read_like_speech() {
        assert_eq!(list::<&str>(&[]), "");
        assert_eq!(list(&["a"]), "a");
        assert_eq!(list(&["a", "b"]), "a and b");
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
    }
}
