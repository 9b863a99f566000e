//! A relay that changes, drops and repeats what passes through its circuits.

mod meddler;

use crate::lab::Lab;
use crate::patience::until;
use crate::person::Person;
use crate::relays::reserved;
use crate::story::{agree, invite};
use meddler::{Meddler, Mood};

/// So many pieces have to be spoilt: more than one attempt at a link sends.
const SPOILT: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_meddles_breaks_nothing_but_its_own_service() {
    let lab = Lab::new().await;
    let (alice, bob, host) = (lab.person("alice").await, lab.person("bob").await, lab.person("host").await);
    lab.cut_off(&alice, &host).await;
    let meddler = Meddler::on(&host).await;
    meet(&alice, &bob, &meddler.address).await;
    let companions = [alice.pid(), bob.pid()];

    let mut said = vec![];
    for mood in [Mood::Changes, Mood::Drops, Mood::Repeats] {
        let before = meddler.turn(mood);
        let texts = [&alice, &bob].map(|person| format!("{} while it {mood:?}", person.name));
        for (person, text) in [&alice, &bob].into_iter().zip(&texts) {
            person.ask(&["send", text]).await;
        }
        until("it has meddled", async || (meddler.spoilt() >= before + SPOILT).then_some(())).await;
        meddler.turn(Mood::Honest);
        alice.reads(&texts[1]).await;
        bob.reads(&texts[0]).await;
        said.extend(texts);
    }

    // Each is there once and as it was said, and nobody is held to have done anything.
    agree(&[&alice, &bob]).await;
    let mut heard = alice.texts("chat").await;
    heard.sort_unstable();
    said.sort_unstable();
    assert_eq!(heard, said);
    for (one, other) in [(&alice, &bob), (&bob, &alice)] {
        let seen = one.meets(other).await;
        assert_eq!((&seen["path"], &seen["equivocated"]), (&"relayed".into(), &false.into()), "{seen}");
    }
    assert_eq!([alice.pid(), bob.pid()], companions, "the companions run on");
}

/// Through a circuit, there being no other way.
async fn meet(alice: &Person, bob: &Person, address: &str) {
    alice.ask(&["init", "--name", "alice", "--title", "lab", "--no-wire", "--relay", address]).await;
    reserved(alice, address).await;
    let joined = bob.ask(&["join", &invite(alice).await, "--name", "bob", "--no-wire"]).await;
    assert_eq!(joined["state"], "admitted", "{joined}");
    alice.meets(bob).await;
    let seen = bob.meets(alice).await;
    assert_eq!(seen["path"], "relayed", "{seen}");
}
