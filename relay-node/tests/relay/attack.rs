//! What a relay's owner could read: everything it has stored and logged, at the finest level.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use futures::{AsyncReadExt, AsyncWriteExt};
use pairwave_wire::hello::BlindedTag;
use pairwave_wire::limits;
use pairwave_wire::lookup::{LookupAnswer, LookupRequest};
use pairwave_wire::mailbox::{MailboxAnswer, MailboxRequest};
use relay_node::tokens::Tokens;

use crate::client::{Client, look, post};
use crate::world::World;

const SAID: &str = "alice says: the launch code is twelve";
const RECORD: &str = "sealed-record-6f1d0c";
const LETTER: &str = "sealed-letter-91ab77";
const TAG: &[u8; 32] = b"blinded-tag-of-a-room-1234567890";
const PLANTED: &str = "planted-4d2e";

/// A log in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_keeps_and_logs_nothing_that_it_has_no_right_to() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false);
    subscriber.with_writer(move || writer.clone()).init();

    let world = World::new().await;
    let token = use_everything(&world).await;
    fs::write(world.data().join("spool").join("planted"), PLANTED).unwrap();
    tracing::trace!("{PLANTED}");

    let stored = everything_in(&world.data());
    let logged = log.0.lock().unwrap().clone();
    let is_in = |haystack: &[u8], needle: &[u8]| haystack.windows(needle.len()).any(|window| window == needle);
    assert!(is_in(&stored, PLANTED.as_bytes()) && is_in(&logged, PLANTED.as_bytes()), "what is there is found");
    assert!(is_in(&stored, LETTER.as_bytes()), "a letter is kept as it came");
    assert!(is_in(&logged, b"circuits"), "it logs at the finest level");

    for (what, needle) in [("what was said", SAID), ("a record", RECORD), ("a token", &token)] {
        assert!(!is_in(&stored, needle.as_bytes()), "{what} is stored");
        assert!(!is_in(&logged, needle.as_bytes()), "{what} is logged");
    }
    let hex = data_encoding::HEXLOWER.encode(TAG);
    let listed = format!("{TAG:?}");
    for tag in [&TAG[..], hex.as_bytes(), &listed.as_bytes()[1..20], LETTER.as_bytes()] {
        assert!(!is_in(&logged, tag), "a tag or a letter is logged");
    }
}

/// Uses all that a relay offers, and says with which token.
async fn use_everything(world: &World) -> String {
    let relay = world.address("/quic-v1/");
    let (token, _) = Tokens::of(&world.data()).create(None).expect("a token");
    let (alice, mut bob) = (Client::new(), Client::new());
    bob.reserve(&relay).await.expect("a reservation");
    alice.call(&relay, &bob).await.expect("a circuit");
    let mut to_bob = alice.talk(&bob).await;
    to_bob.write_all(SAID.as_bytes()).await.unwrap();
    to_bob.flush().await.unwrap();
    let mut heard = vec![0; SAID.len()];
    bob.accept().await.read_exact(&mut heard).await.unwrap();
    assert_eq!(heard, SAID.as_bytes());

    let mut mailbox = alice.mailbox(&relay).await;
    let at = BlindedTag(*TAG);
    let mut letter = LETTER.as_bytes().to_vec();
    letter.resize(limits::LETTERS[0], 0);
    assert_eq!(post(&mut mailbox, &MailboxRequest::Present { token: token.clone() }).await, MailboxAnswer::Welcome);
    assert_eq!(post(&mut mailbox, &MailboxRequest::Deposit { at, letter: letter.into() }).await, MailboxAnswer::Stored);
    let collect = MailboxRequest::Collect { at: vec![at], besides: Vec::new() };
    assert!(matches!(post(&mut mailbox, &collect).await, MailboxAnswer::Letters { .. }));
    let mut lookup = alice.lookup(&relay).await;
    let publish = LookupRequest::Publish { at, record: RECORD.as_bytes().to_vec().into() };
    assert_eq!(look(&mut lookup, &publish).await, LookupAnswer::Published);
    assert!(matches!(look(&mut lookup, &LookupRequest::Find { at: vec![at] }).await, LookupAnswer::Found(_)));
    token
}

fn everything_in(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            all.extend(everything_in(&path));
        } else {
            // Files are laid out in advance, with much nothing in them.
            let file = fs::read(&path).expect("a file");
            file.split(|byte| *byte == 0).filter(|piece| !piece.is_empty()).for_each(|piece| all.extend(piece));
        }
    }
    all
}
