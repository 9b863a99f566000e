//! Clocks that jump: only the shown time follows them.

use std::path::PathBuf;

use crate::lab::Lab;
use crate::patience::until;
use crate::person::Person;
use crate::story::{agree, invite, join, open};

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_changes_no_order() {
    let lab = Lab::new().await;
    let (mut alice, bob) = (lab.person("alice").await, lab.person("bob").await);
    let clock = Clock::of(&mut alice);
    open(&alice).await;
    join(&alice, &bob).await;
    let mut said = Vec::new();
    for (number, offset) in ["+0d", "+3d", "-400d", "+20y", "-5s"].into_iter().enumerate() {
        clock.jump(offset);
        for (person, name) in [(&alice, "alice"), (&bob, "bob")] {
            let text = format!("{name} {number}");
            person.ask(&["send", &text]).await;
            let other = if name == "alice" { &bob } else { &alice };
            other.reads(&text).await;
            said.push(text);
        }
    }
    agree(&[&alice, &bob]).await;
    assert_eq!(bob.texts("chat").await, said, "what answers stands after what it answers, whatever the clocks say");
    alice.kill().await;
    clock.jump("-30d");
    alice.up().await;
    alice.meets(&bob).await;
    assert_eq!(alice.texts("chat").await, said);
    clock.was_believed(&alice).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invite_expires_by_the_clock_of_who_admits() {
    let lab = Lab::new().await;
    let (mut alice, bob) = (lab.person("alice").await, lab.person("bob").await);
    let clock = Clock::of(&mut alice);
    open(&alice).await;
    let old = invite(&alice).await;
    clock.jump("+25h");
    let ran = bob.run(&["join", &old, "--name", "bob", "--no-wire"]).await;
    let refused = ran.failure(ran.code);
    assert!(refused["message"].as_str().is_some_and(|message| message.contains("expired")), "{refused}");
    // What is made now is good now, though bob's clock is a day behind.
    join(&alice, &bob).await;
}

/// A clock that is set from outside: libfaketime reads its offset from a file at every look.
pub struct Clock(PathBuf);

impl Clock {
    pub fn of(person: &mut Person) -> Self {
        let file = person.dir.with_file_name("clock");
        let library =
            ["/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/aarch64-linux-gnu/faketime", "/usr/lib/faketime"]
                .iter()
                .map(|folder| PathBuf::from(folder).join("libfaketimeMT.so.1"))
                .find(|library| library.exists())
                .expect("libfaketime: see tests/README.md");
        let settings = [
            ("LD_PRELOAD", library.to_str().expect("UTF-8")),
            ("FAKETIME_TIMESTAMP_FILE", file.to_str().expect("UTF-8")),
            ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ];
        person.environment.extend(settings.map(|(key, value)| (key.to_owned(), value.to_owned())));
        let clock = Self(file);
        clock.jump("+0d");
        clock
    }

    pub fn jump(&self, offset: &str) {
        // Replaced, not rewritten: a reader sees the old offset or the new one.
        let new = self.0.with_extension("new");
        std::fs::write(&new, format!("{offset}\n")).expect("written");
        std::fs::rename(new, &self.0).expect("replaced");
    }

    /// The faults would prove nothing if the library had not been loaded.
    async fn was_believed(&self, person: &Person) {
        let times = person.transcript().await;
        let years: std::collections::BTreeSet<&str> =
            times.iter().filter_map(|entry| entry["at"].as_str()?.get(..4)).collect();
        // A companion's clock goes forward with the jumps, and never back.
        assert!(years.len() >= 2, "times from several years: {years:?}");
        until("the companion is up", async || person.pid()).await;
    }
}
