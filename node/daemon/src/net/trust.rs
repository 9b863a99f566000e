//! Certificates that count for `/tls/ws` beside the public ones: of a relay with its own, or of a
//! company that looks into everything that leaves it.

use std::fs;
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use libp2p::websocket::tls;

/// Largest file that is read, in bytes.
const MAX_FILE: u64 = 1024 * 1024;
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// What dialling by TLS trusts. A file that holds no certificate is left out, with a word in the log.
pub fn config(files: &[PathBuf]) -> tls::Config {
    let mut builder = tls::Config::builder();
    for file in files {
        let read = read(file);
        if read.is_empty() {
            tracing::warn!(file = %file.display(), "there is no certificate in this file");
        }
        for certificate in read {
            if let Err(error) = builder.add_trust(&tls::Certificate::new(certificate)) {
                tracing::warn!(file = %file.display(), %error, "a certificate cannot be used");
            }
        }
    }
    builder.finish()
}

fn read(file: &Path) -> Vec<Vec<u8>> {
    let fits = fs::metadata(file).is_ok_and(|metadata| metadata.len() <= MAX_FILE);
    let text = fits.then(|| fs::read_to_string(file).ok()).flatten().unwrap_or_default();
    certificates(&text)
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
}
