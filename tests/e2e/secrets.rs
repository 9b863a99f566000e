//! What somebody has no right to, in every form in which it could have been written down.

use std::collections::BTreeSet;

use aho_corasick::AhoCorasick;
use data_encoding::{BASE32_NOPAD, BASE64_NOPAD, BASE64URL_NOPAD, Encoding, HEXLOWER};
use libp2p::identity::{PublicKey, ed25519};

/// So many bytes of an encoded secret are looked for: what is cut short counts, too.
const PART: usize = 10;
/// Encodings that write several bytes together: the bits of a sign, and after how many bytes they begin anew.
const ENCODINGS: [(&str, Encoding, usize, usize); 3] = [
    ("in base32", BASE32_NOPAD, 5, 5),
    ("in base64", BASE64_NOPAD, 6, 3),
    ("in base64 of URLs", BASE64URL_NOPAD, 6, 3),
];

/// Forms of secrets, each with a word for what it is.
#[derive(Debug, Default)]
pub struct Secrets {
    forms: Vec<(String, Vec<u8>)>,
}

impl Secrets {
    /// What can be read as it is.
    pub fn text(&mut self, what: &str, text: &str) {
        self.add(what, "as text", text);
        self.encoded(what, text.as_bytes());
    }

    /// An id in base32, as faces show it; that of a member is a public key.
    pub fn id(&mut self, what: &str, shown: &str) {
        let bytes = BASE32_NOPAD.decode(shown.to_uppercase().as_bytes()).expect("an id in base32");
        self.encoded(what, &bytes);
        if let Ok(key) = ed25519::PublicKey::try_from_bytes(&bytes) {
            self.add(what, "as a peer id", PublicKey::from(key).to_peer_id().to_string());
        }
    }

    /// Which of them stand there, and in which form.
    pub fn found_in(&self, bytes: &[u8]) -> BTreeSet<&str> {
        let mut search = AhoCorasick::builder();
        let search = search.ascii_case_insensitive(true).build(self.forms.iter().map(|(_, form)| form));
        let search = search.expect("few forms");
        search.find_overlapping_iter(bytes).map(|found| self.forms[found.pattern()].0.as_str()).collect()
    }

    /// All there is to find.
    pub fn all(&self) -> BTreeSet<&str> {
        self.forms.iter().map(|(what, _)| what.as_str()).collect()
    }

    /// All of them, each on a line of its own.
    pub fn written_down(&self) -> Vec<u8> {
        self.forms.iter().flat_map(|(_, form)| [b"\n", form.as_slice()].concat()).collect()
    }

    fn encoded(&mut self, what: &str, bytes: &[u8]) {
        let part = &bytes[..PART.min(bytes.len())];
        self.add(what, "in bytes", part);
        self.add(what, "in hex", HEXLOWER.encode(part));
        self.add(what, "as a list", format!("{part:?}").trim_matches(['[', ']']));
        for (name, encoding, bits, cycle) in ENCODINGS {
            for before in 0..cycle {
                // Signs at either end depend on what stands around it, too.
                let signs = encoding.encode(&[&vec![0; before], part].concat());
                let own = (8 * before).div_ceil(bits)..8 * (before + part.len()) / bits;
                self.add(what, &format!("{name}, {before} bytes later"), &signs[own]);
            }
        }
    }

    fn add(&mut self, what: &str, form: &str, bytes: impl AsRef<[u8]>) {
        self.forms.push((format!("{what} {form}"), bytes.as_ref().to_vec()));
    }
}
