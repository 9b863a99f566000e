//! What settles a request where two sides, or two branches of a fork, say so without knowing of each
//! other.

use super::*;

#[test]
fn every_end_that_its_author_knew_settles_a_request() {
    let mut table = Table::set();
    let (request, what) = table.ask(1);
    table.hear(BOB, ALL);
    table.tell(ALICE, expire(request));
    let chat = || Body::Message(Message::new(Kind::Chat, "later in the order"));
    for _ in 0..2 {
        table.say(BOB, human(BOB), chat());
    }
    let second = table.say(BOB, human(BOB), expire(request));
    assert_eq!(table.mark(second), None, "bob could not know");
    let late = table.say(BOB, human(BOB), Body::Approved(approve(request, &what)));
    assert_eq!(table.mark(late), Some(Mark::Settled), "he gave it up himself");
}

#[test]
fn who_forks_settles_a_request_on_each_branch_and_at_most_eight_times() {
    let mut table = Table::set();
    let (request, what) = table.ask(1);
    table.hear(BOB, ALL);
    let mut denials = Vec::new();
    for number in 0..9 {
        let denied = Denied { request, reason: Some(format!("no, {number}")) };
        let denial = table.say(BOB, human(BOB), Body::Denied(denied));
        let late = table.say(BOB, human(BOB), Body::Approved(approve(request, &what)));
        // Somebody who stands needs each branch.
        table.hear(MALLORY, 1 << BOB);
        table.say(MALLORY, human(MALLORY), Body::Message(Message::new(Kind::Chat, "I heard it")));
        denials.push((denial, late));
        table.forget(BOB, denial);
    }
    let void = denials.iter().filter(|(denial, _)| table.mark(*denial).is_some()).count();
    assert_eq!(void, 1);
    assert!(denials.iter().all(|(_, late)| table.mark(*late) == Some(Mark::Settled)));
    assert_eq!(table.state(request), RequestState::Denied);
}
