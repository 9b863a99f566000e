//! Opens the page in a browser. The arguments of a program can be read by everybody on the machine, so
//! the browser is given a file that is its owner's alone and leads to the address with the code.

use std::io::{self, Write};
use std::path::Path;

use pairwave_api::home::Home;

/// Was a browser found? The companion removes the file when the code was used.
pub fn open(home: &Home, url: &str) -> bool {
    open_with(home, url, |file| opener::open_browser(file).is_ok())
}

fn open_with(home: &Home, url: &str, open: impl FnOnce(&Path) -> bool) -> bool {
    let way_in = home.way_in();
    let opened = lead(home, url).is_ok() && open(&way_in);
    if !opened {
        let _ = std::fs::remove_file(way_in);
    }
    opened
}

fn lead(home: &Home, url: &str) -> io::Result<()> {
    // Made with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(home.run())?;
    let url = url.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    write!(
        file,
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>pairwave</title>\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<meta http-equiv=\"refresh\" content=\"0; url={url}\">\n\
         <p><a href=\"{url}\">Open the page</a></p>\n"
    )?;
    file.persist(home.way_in())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const URL: &str = "http://127.0.0.1:7591/#code=abc";

    fn home() -> (tempfile::TempDir, Home) {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path());
        fs::create_dir(home.run()).unwrap();
        (folder, home)
    }

    #[test]
    fn the_code_is_in_a_file_of_its_owner_and_in_no_argument() {
        let (_folder, home) = home();
        let seen = |file: &Path| {
            let text = fs::read_to_string(file).unwrap();
            assert!(text.contains("content=\"0; url=http://127.0.0.1:7591/#code=abc\""), "{text}");
            assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
            !file.to_string_lossy().contains("abc")
        };
        assert!(open_with(&home, URL, seen));
        assert!(home.way_in().exists(), "the browser may not have read it yet");
    }

    #[test]
    fn without_a_browser_nothing_is_left() {
        let (_folder, home) = home();
        assert!(!open_with(&home, URL, |_| false));
        assert!(!home.way_in().exists());
    }
}
