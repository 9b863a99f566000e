//! Certificates that count for `/tls/ws` beside the public ones: of a relay with its own, or of a
//! company that looks into everything that leaves it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use libp2p::websocket::tls;

/// Largest file that is read, in bytes.
const MAX_FILE: u64 = 1024 * 1024;
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// Why a file does not count.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("is larger than {} KiB", MAX_FILE / 1024)]
    TooLong,
    #[error("holds no certificate (PEM) that can be used")]
    Empty,
}

/// What dialling by TLS trusts. A file that cannot be used is left out, with a word in the log.
pub fn config(files: &[PathBuf]) -> tls::Config {
    let mut builder = tls::Config::builder();
    for file in files {
        if let Err(why) = add(&mut builder, file) {
            tracing::warn!(file = %file.display(), %why, "certificates are left out");
        }
    }
    builder.finish()
}

/// Does this file hold a certificate?
pub fn check(file: &Path) -> Result<(), Unusable> {
    add(&mut tls::Config::builder(), file)
}

/// The files that hold none, and why.
pub fn unusable(files: &[PathBuf]) -> Vec<(PathBuf, String)> {
    files.iter().filter_map(|file| Some((file.clone(), check(file).err()?.to_string()))).collect()
}

fn add(builder: &mut tls::Builder, file: &Path) -> Result<(), Unusable> {
    let mut added = Err(Unusable::Empty);
    for certificate in read(file)? {
        match builder.add_trust(&tls::Certificate::new(certificate)) {
            Ok(_) => added = Ok(()),
            Err(error) => tracing::warn!(file = %file.display(), %error, "a certificate cannot be used"),
        }
    }
    added
}

fn read(file: &Path) -> Result<Vec<Vec<u8>>, Unusable> {
    if fs::metadata(file)?.len() > MAX_FILE {
        return Err(Unusable::TooLong);
    }
    Ok(certificates(&fs::read_to_string(file)?))
}

/// PEM (RFC 7468).
fn certificates(text: &str) -> Vec<Vec<u8>> {
    let bodies = text.split(BEGIN).skip(1).filter_map(|rest| rest.split_once(END));
    let bare = |body: &str| body.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    bodies.filter_map(|(body, _)| BASE64.decode(bare(body).as_bytes()).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_certificate_of_a_file_counts() {
        let text = format!("comment\n{BEGIN}\nAQID\n{END}\n{BEGIN}\r\nBA\r\nUG\r\n{END}\n{BEGIN}\n!\n{END}\n{BEGIN}\n");
        assert_eq!(certificates(&text), [vec![1, 2, 3], vec![4, 5, 6]]);
        assert!(certificates("").is_empty());
    }

    #[test]
    fn a_file_that_gives_nothing_says_why() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("c.pem");
        let why = |file: &Path| check(file).unwrap_err().to_string();
        assert!(why(&file).starts_with("cannot be read: "), "{}", why(&file));
        fs::write(&file, format!("{BEGIN}\nAQID\n{END}\n")).unwrap();
        assert_eq!(why(&file), "holds no certificate (PEM) that can be used");
        fs::write(&file, vec![b' '; 1024 * 1024 + 1]).unwrap();
        assert_eq!(why(&file), "is larger than 1024 KiB");
        fs::write(&file, include_str!("trust/sample.pem")).unwrap();
        check(&file).unwrap();
    }
}
