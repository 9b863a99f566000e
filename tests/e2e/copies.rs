//! Homes that were copied back from an older time, and folders that were lost.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::lab::Lab;
use crate::patience::until;
use crate::person::Person;
use crate::story::{agree, invite, two};

#[tokio::test(flavor = "multi_thread")]
async fn an_older_copy_takes_its_later_events_back() {
    let lab = Lab::new().await;
    let (alice, bob) = two(&lab).await;
    let copy = put_by(&bob).await;
    say(&bob, &["one", "two", "three"]).await;
    alice.reads("three").await;
    bring_back(&bob, &copy, "").await;
    bob.meets(&alice).await;
    bob.reads("three").await;
    bob.ask(&["send", "four"]).await;
    alice.reads("four").await;
    agree(&[&alice, &bob]).await;
    assert_eq!(alice.texts("chat").await, ["one", "two", "three", "four"]);
    for (one, other) in [(&alice, &bob), (&bob, &alice)] {
        assert_eq!(one.sees(other).await.expect("a member")["equivocated"], false);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_store_alone_is_noticed_before_it_writes() {
    let lab = Lab::new().await;
    let (alice, bob) = two(&lab).await;
    let copy = put_by(&bob).await;
    say(&bob, &["one", "two", "three"]).await;
    alice.reads("three").await;
    alice.down().await;
    bring_back(&bob, &copy, "store").await;
    let refused = bob.run(&["send", "four"]).await.failure(3);
    assert_eq!(refused["rule"], "recovering", "{refused}");
    alice.up().await;
    bob.reads("three").await;
    bob.ask(&["send", "four"]).await;
    agree(&[&alice, &bob]).await;
    assert_eq!(alice.texts("chat").await, ["one", "two", "three", "four"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_copy_that_wrote_first_is_shown_and_heals() {
    let lab = Lab::new().await;
    let (alice, bob) = two(&lab).await;
    let copy = put_by(&bob).await;
    say(&bob, &["one", "two"]).await;
    alice.reads("two").await;
    alice.down().await;
    bring_back(&bob, &copy, "").await;
    say(&bob, &["another one"]).await;
    alice.up().await;
    alice.reads("another one").await;
    bob.reads("two").await;
    until("the fork is shown", async || alice.sees(&bob).await.filter(|member| member["equivocated"] == true)).await;
    say(&bob, &["after the fork"]).await;
    alice.reads("after the fork").await;
    agree(&[&alice, &bob]).await;
    let mut texts = alice.texts("chat").await;
    texts.sort_unstable();
    assert_eq!(texts, ["after the fork", "another one", "one", "two"], "nothing is lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejoin_from_a_fresh_folder_works() {
    let lab = Lab::new().await;
    let (alice, bob) = two(&lab).await;
    say(&bob, &["before"]).await;
    alice.reads("before").await;
    let room = bob.room().await["room"].clone();
    std::fs::remove_dir_all(&bob.dir).expect("the project is gone");
    let fresh = bob.dir.with_file_name("fresh");
    std::fs::create_dir_all(&fresh).expect("a fresh folder");
    std::fs::create_dir_all(&bob.dir).expect("an empty one");

    let again = invite(&alice).await;
    let joined = bob.run_in(&fresh, &["join", &again, "--no-wire"]).await.done();
    assert_eq!((&joined["room"], &joined["state"]), (&room, &"admitted".into()), "{joined}");
    bob.run_in(&fresh, &["send", "after"]).await.done();
    alice.reads("after").await;
    let members = alice.room().await["members"].as_array().expect("members").len();
    assert_eq!(members, 2, "he is who he was");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_lost_everything_joins_anew() {
    let lab = Lab::new().await;
    let (alice, bob) = two(&lab).await;
    say(&alice, &["before"]).await;
    bob.reads("before").await;
    bob.down().await;
    std::fs::remove_dir_all(&bob.home).expect("the home is gone");
    let again = invite(&alice).await;
    let joined = bob.ask(&["join", &again, "--name", "bob again", "--no-wire"]).await;
    assert_eq!(joined["state"], "admitted", "{joined}");
    bob.reads("before").await;
    bob.ask(&["send", "back"]).await;
    alice.reads("back").await;
    agree(&[&alice, &bob]).await;
}

async fn say(person: &Person, texts: &[&str]) {
    for text in texts {
        person.ask(&["send", text]).await;
    }
}

/// A copy of the home, as a backup makes it, while the companion is down.
async fn put_by(person: &Person) -> PathBuf {
    person.down().await;
    let copy = person.home.with_file_name("copy");
    copy_folder(&person.home, &copy);
    person.up().await;
    copy
}

/// Replaces the home, or a part of it, by its copy and starts the companion again.
async fn bring_back(person: &Person, copy: &Path, part: &str) {
    person.down().await;
    let (from, to) = (copy.join(part), person.home.join(part));
    std::fs::remove_dir_all(&to).expect("the newer one is gone");
    copy_folder(&from, &to);
    person.up().await;
}

fn copy_folder(from: &Path, to: &Path) {
    // Without a trailing slash, which would come from an empty part.
    let copied = Command::new("cp").arg("-a").arg(from.join(".")).arg(to).status().expect("cp runs");
    assert!(copied.success());
}
