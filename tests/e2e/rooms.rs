//! Two rooms, two members and two sessions never get mixed up.

use crate::lab::Lab;
use crate::patience::until;
use crate::story::open;

#[tokio::test(flavor = "multi_thread")]
async fn two_rooms_never_mix() {
    let lab = Lab::new().await;
    let (alice, bob, carol) = (lab.person("alice").await, lab.person("bob").await, lab.person("carol").await);
    let with_bob = open(&alice).await;
    let other = alice.dir.parent().expect("a folder").join("other/inner");
    std::fs::create_dir_all(&other).expect("another project");
    let opened = alice.run_in(other.parent().expect("other"), &["init", "--title", "second", "--no-wire"]).await.done();
    let with_carol = opened["invite"].as_str().expect("an invite");
    bob.ask(&["join", &with_bob, "--name", "bob", "--no-wire"]).await;
    carol.ask(&["join", with_carol, "--name", "carol", "--no-wire"]).await;

    alice.ask(&["send", "to the first"]).await;
    // The room of the nearest parent that has one.
    alice.run_in(&other, &["send", "to the second"]).await.done();
    bob.reads("to the first").await;
    carol.reads("to the second").await;
    bob.ask(&["send", "from bob"]).await;
    carol.ask(&["send", "from carol"]).await;
    alice.reads("from bob").await;
    until("alice has both", async || {
        let second = alice.run_in(&other, &["read", "--limit", "500"]).await;
        second.out.contains("from carol").then_some(())
    })
    .await;

    assert_eq!(alice.texts("chat").await, ["to the first", "from bob"]);
    let second = alice.run_in(&other, &["read", "--limit", "500"]).await;
    assert!(!second.out.contains("from bob") && !second.out.contains("to the first"), "{second:?}");
    assert_eq!(bob.texts("chat").await, ["to the first", "from bob"]);
    assert_eq!(carol.texts("chat").await, ["to the second", "from carol"]);
    assert!(bob.sees(&carol).await.is_none() && carol.sees(&bob).await.is_none());

    // With two rooms and no folder that tells, a command asks instead of guessing.
    let nowhere = alice.dir.parent().expect("a folder");
    let lost = alice.run_in(nowhere, &["send", "to whom?"]).await;
    assert_ne!(lost.code, 0, "{lost:?}");
    alice.run_in(nowhere, &["send", "by its title", "--room", "second"]).await.done();
    carol.reads("by its title").await;
}
