//! A full disk: a clear error, nothing acknowledged is lost, and space again is all it takes.

use std::io::Write;
use std::path::PathBuf;

use crate::lab::Lab;
use crate::person::Person;
use crate::story::{agree, join, open};

/// Of the disk, in MiB: room for a store, and soon full.
const DISK: u32 = 96;

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_loses_nothing_that_was_acknowledged() {
    let lab = Lab::new().await;
    let (alice, bob) = (lab.person("alice").await, lab.person("bob").await);
    small_disk(&alice).await;
    open(&alice).await;
    join(&alice, &bob).await;
    let mut acknowledged = Vec::new();
    for number in 0..20 {
        let text = format!("before {number}");
        alice.ask(&["send", &text]).await;
        acknowledged.push(text);
    }

    let filler = fill(&alice);
    // A store may have room of its own left: what is acknowledged counts, until something is refused.
    let mut refusal = None;
    for number in 0..2_000 {
        let text = format!("while full {number} {}", "x".repeat(100 * 1024));
        let answer = alice.run(&["send", &text]).await;
        if answer.code != 0 {
            refusal = Some(answer.failure(answer.code));
            break;
        }
        acknowledged.push(text);
    }
    let refusal = refusal.expect("a full disk is noticed");
    let told = refusal.to_string().to_lowercase();
    assert!(told.contains("space") || told.contains("disk"), "says what is wrong: {refusal}");
    assert!(refusal["next"].as_str().is_some_and(|next| !next.is_empty()), "{refusal}");
    alice.ask(&["status"]).await;

    empty(&alice, filler);
    crate::patience::until("it works again", async || {
        let answer = alice.run(&["send", "space again"]).await;
        (answer.code == 0).then_some(())
    })
    .await;
    bob.reads("space again").await;
    alice.kill().await;
    alice.up().await;
    alice.meets(&bob).await;
    agree(&[&alice, &bob]).await;
    let texts = alice.texts("chat").await;
    for text in &acknowledged {
        let count = texts.iter().filter(|found| *found == text).count();
        assert_eq!(count, 1, "{:.40}… was acknowledged and is there {count} times", text);
    }
}

/// Mounts a small file system where the home will be. Only this machine sees it.
async fn small_disk(person: &Person) {
    std::fs::create_dir_all(&person.home).expect("a place to mount");
    let mut mount = person.program("mount");
    mount.args(["-t", "tmpfs", "-o", &format!("size={DISK}m,mode=0700"), "tmpfs"]).arg(&person.home);
    let mounted = person.finish(mount).await;
    assert_eq!(mounted.code, 0, "{mounted:?}");
}

/// Takes all the space there is; gives the file that holds it.
fn fill(person: &Person) -> PathBuf {
    let path = person.home.join("filler");
    let filler = path.clone();
    let fill = move || {
        let mut file = std::fs::File::create(filler)?;
        // In ever smaller pieces, so that not a page is left.
        for size in [1 << 20, 1 << 12, 1] {
            let piece = vec![0; size];
            while file.write_all(&piece).is_ok() {}
        }
        Ok(())
    };
    person.machine.run_sync(fill).expect("filled");
    path
}

fn empty(person: &Person, filler: PathBuf) {
    person.machine.run_sync(move || Ok(std::fs::remove_file(filler)?)).expect("emptied");
}
