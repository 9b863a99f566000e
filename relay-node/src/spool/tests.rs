use std::sync::atomic::AtomicU64;

use pairwave_wire::limits;
use tempfile::TempDir;

use super::*;

const ALICE: BlindedTag = BlindedTag([1; 32]);
const BOB: BlindedTag = BlindedTag([2; 32]);

struct Bench {
    folder: TempDir,
    now: Arc<AtomicU64>,
    quotas: Quotas,
}

impl Bench {
    fn new() -> Self {
        let quotas = Quotas { per_tag: 1 << 20, total: 2 << 20 };
        Self { folder: tempfile::tempdir().unwrap(), now: Arc::new(AtomicU64::new(1_000_000)), quotas }
    }

    /// Opens it; a former one closes in its own time.
    async fn open(&self) -> Spool {
        let now = Arc::clone(&self.now);
        let clock: Clock = Arc::new(move || now.load(Ordering::Relaxed));
        loop {
            match Spool::open(&self.folder.path().join("spool"), self.quotas, Arc::clone(&clock)) {
                Ok(spool) => return spool,
                Err(error) => assert!(error.to_string().contains("Locked"), "{error}"),
            }
            tokio::task::yield_now().await;
        }
    }
}

fn letter(first: u8, size: usize) -> Vec<u8> {
    let mut letter = vec![0; size];
    letter[0] = first;
    letter
}

async fn firsts(spool: &Spool, at: &[BlindedTag], besides: &[LetterId]) -> (Vec<u8>, bool) {
    let (letters, more) = spool.collect(at.to_vec(), besides.to_vec()).await.unwrap();
    (letters.iter().map(|waiting| waiting.letter[0]).collect(), more)
}

#[tokio::test]
async fn letters_wait_in_order_over_a_restart() {
    let bench = Bench::new();
    let spool = bench.open().await;
    for first in 0..10 {
        spool.deposit(if first % 2 == 0 { ALICE } else { BOB }, letter(first, 1024)).await.unwrap();
    }
    drop(spool);
    let spool = bench.open().await;
    assert_eq!(firsts(&spool, &[BOB, ALICE, BOB], &[]).await, ((0..10).collect(), false));
    assert_eq!(firsts(&spool, &[BOB], &[]).await.0, [1, 3, 5, 7, 9]);
    assert_eq!(spool.waiting(), (10 * 1024, 10));
    spool.deposit(ALICE, letter(10, 1024)).await.unwrap();
    assert_eq!(firsts(&spool, &[ALICE], &[]).await.0, [0, 2, 4, 6, 8, 10]);
}

#[tokio::test]
async fn a_letter_is_discarded_only_under_its_own_tag() {
    let bench = Bench::new();
    let spool = bench.open().await;
    spool.deposit(ALICE, letter(1, 1024)).await.unwrap();
    let id = spool.collect(vec![ALICE], vec![]).await.unwrap().0[0].id;
    assert_eq!(spool.discard(vec![(BOB, id)]).await, Ok(0));
    assert_eq!(firsts(&spool, &[ALICE], &[]).await.0, [1]);
    assert_eq!(firsts(&spool, &[ALICE], &[id]).await.0, [0; 0], "what is held already is passed over");
    assert_eq!(spool.discard(vec![(ALICE, id), (ALICE, id)]).await, Ok(1));
    assert_eq!(firsts(&spool, &[ALICE], &[]).await.0, [0; 0]);
    assert_eq!(spool.waiting(), (0, 0));
}

#[tokio::test]
async fn what_does_not_fit_into_one_message_is_announced() {
    let bench = Bench::new();
    let spool = bench.open().await;
    let largest = limits::LETTERS[4];
    for first in 0..3 {
        spool.deposit(ALICE, letter(first, largest)).await.unwrap();
    }
    assert_eq!(firsts(&spool, &[ALICE], &[]).await, (vec![0], true));
    let small = limits::LETTERS[0];
    for first in 0..=255 {
        spool.deposit(BOB, letter(first, small)).await.unwrap();
    }
    let (letters, more) = spool.collect(vec![BOB], vec![]).await.unwrap();
    assert!(letters.len() == 256 && !more);
    let answer = pairwave_wire::mailbox::MailboxAnswer::Letters { letters, more }.encode();
    assert!(answer.len() < limits::RELAY_MESSAGE);
}

#[tokio::test]
async fn full_is_full_until_something_goes() {
    let bench = Bench::new();
    let spool = bench.open().await;
    let largest = limits::LETTERS[4];
    for _ in 0..4 {
        spool.deposit(ALICE, letter(1, largest)).await.unwrap();
        spool.deposit(BOB, letter(1, largest)).await.unwrap();
    }
    assert_eq!(spool.deposit(ALICE, letter(1, 1024)).await, Err(RelayRefusal::MailboxFull));
    assert_eq!(spool.deposit(BlindedTag([3; 32]), letter(1, 1024)).await, Err(RelayRefusal::RelayFull));
    let id = spool.collect(vec![BOB], vec![]).await.unwrap().0[0].id;
    spool.discard(vec![(BOB, id)]).await.unwrap();
    assert_eq!(spool.deposit(ALICE, letter(1, 1024)).await, Err(RelayRefusal::MailboxFull));
    assert_eq!(spool.deposit(BOB, letter(1, largest)).await, Ok(()));
}

#[tokio::test]
async fn letters_expire() {
    let bench = Bench::new();
    let spool = bench.open().await;
    spool.deposit(ALICE, letter(1, 1024)).await.unwrap();
    bench.now.fetch_add(limits::LETTER_SECONDS - 1, Ordering::Relaxed);
    spool.deposit(ALICE, letter(2, 1024)).await.unwrap();
    assert_eq!(spool.sweep().await, Ok(0));
    bench.now.fetch_add(1, Ordering::Relaxed);
    assert_eq!(spool.sweep().await, Ok(1));
    assert_eq!(firsts(&spool, &[ALICE], &[]).await.0, [2]);
    assert_eq!(spool.waiting(), (1024, 1));
}

#[tokio::test]
async fn letters_that_come_together_are_counted_one_by_one() {
    let bench = Bench::new();
    let spool = bench.open().await;
    let all = (0..100).map(|first| spool.deposit(ALICE, letter(first, limits::LETTERS[2])));
    let outcomes = futures::future::join_all(all).await;
    let stored = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(stored as u64, bench.quotas.per_tag / limits::LETTERS[2] as u64);
    assert_eq!(spool.waiting(), (bench.quotas.per_tag, stored as u64));
}

#[tokio::test]
async fn a_spool_that_cannot_be_written_says_so_and_comes_back() {
    let bench = Bench::new();
    let spool = bench.open().await;
    spool.deposit(ALICE, letter(1, 1024)).await.unwrap();
    let (path, aside) = (bench.folder.path().join("spool"), bench.folder.path().join("aside"));
    spool.shared.tables.write().unwrap().take();
    std::fs::rename(&path, &aside).unwrap();
    std::fs::write(&path, "in the way").unwrap();
    assert_eq!(spool.deposit(ALICE, letter(2, 1024)).await, Err(RelayRefusal::Broken));
    assert_eq!(spool.collect(vec![ALICE], vec![]).await, Err(RelayRefusal::Broken));
    assert!(!spool.is_sound().await);
    std::fs::remove_file(&path).unwrap();
    std::fs::rename(&aside, &path).unwrap();
    while spool.deposit(ALICE, letter(3, 1024)).await.is_err() {
        tokio::task::yield_now().await;
    }
    assert_eq!(firsts(&spool, &[ALICE], &[]).await.0, [1, 3]);
    assert_eq!(spool.waiting(), (2048, 2));
}
