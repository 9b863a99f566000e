use pairwave_wire::hello::{LinkChoice, LinkHello};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::*;

const ROOM: RoomId = RoomId([9; 32]);

/// One end, before it is known which.
struct Person {
    identity: Identity,
    transport: TransportId,
    epochs: Vec<(EventId, EpochKey)>,
}

fn person(number: u8, epochs: &[u8]) -> Person {
    Person {
        identity: Identity::from_secret(&[number; 32]),
        transport: TransportId::new([number; 38]).unwrap(),
        epochs: epochs.iter().map(|epoch| (EventId([*epoch; 32]), EpochKey::new([*epoch; 32]))).collect(),
    }
}

impl Person {
    fn member(&self) -> MemberId {
        self.identity.member()
    }

    fn open(&self, peer: &Person) -> (Opener, Vec<u8>) {
        let epochs = self.epochs.iter().map(|(id, key)| (*id, key));
        Opener::new(ROOM, &self.transport, &peer.transport, epochs, &mut rng(self.transport.as_bytes()[0]))
    }

    fn greet(&self, peer: &Person, frame: &[u8]) -> Result<Greeting, LinkError> {
        let epochs = self.epochs.iter().map(|(id, key)| (ROOM, *id, key));
        Acceptor::greet(&self.transport, &peer.transport, frame, epochs, &mut rng(100))
    }

    fn accept(&self, peer: &Person, frame: &[u8]) -> (Acceptor, Vec<u8>) {
        match self.greet(peer, frame).unwrap() {
            Greeting::Common { acceptor, frame } => (acceptor, frame),
            Greeting::Stranger { .. } => panic!("no common epoch"),
        }
    }
}

fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

fn sent(step: Result<Step, LinkError>) -> Vec<u8> {
    match step.unwrap() {
        Step::Send(frame) => frame,
        other => panic!("{other:?}"),
    }
}

fn proved(step: Result<Step, LinkError>) -> MemberId {
    match step.unwrap() {
        Step::PeerProved { member } => member,
        other => panic!("{other:?}"),
    }
}

/// Plays a link to its end; `spoil` may change any frame on its way, by its number.
fn play(
    alice: &Person,
    bob: &Person,
    spoil: impl Fn(usize, Vec<u8>) -> Vec<u8>,
) -> Result<[Established; 2], LinkError> {
    let step = |step: Step| match step {
        Step::Send(frame) => frame,
        other => panic!("{other:?}"),
    };
    let (mut opener, frame) = alice.open(bob);
    let Greeting::Common { mut acceptor, frame } = bob.greet(alice, &spoil(0, frame))? else {
        return Err(LinkError::NoCommonEpoch);
    };
    let frame = step(opener.receive(&alice.identity, &spoil(1, frame))?);
    let frame = step(acceptor.receive(&bob.identity, &spoil(2, frame))?);
    let frame = step(opener.receive(&alice.identity, &spoil(3, frame))?);
    acceptor.receive(&bob.identity, &spoil(4, frame))?;
    let frame = acceptor.admit(&bob.identity)?;
    opener.receive(&alice.identity, &spoil(5, frame))?;
    let (frame, at_alice) = opener.admit()?;
    match acceptor.receive(&bob.identity, &spoil(6, frame))? {
        Step::Established(at_bob) => Ok([at_alice, at_bob]),
        other => panic!("{other:?}"),
    }
}

#[test]
fn two_members_get_a_channel_under_the_newest_epoch_that_both_know() {
    let (alice, bob) = (person(1, &[7, 6, 5]), person(2, &[8, 6, 5]));
    let [mut at_alice, mut at_bob] = play(&alice, &bob, |_, frame| frame).unwrap();
    assert_eq!((at_alice.member, at_bob.member), (bob.member(), alice.member()));
    assert_eq!((at_alice.room, at_bob.room), (ROOM, ROOM));
    assert_eq!((at_alice.epoch, at_bob.epoch), (EventId([6; 32]), EventId([6; 32])));
    let frames = at_alice.channel.seal(b"hello").unwrap();
    assert_eq!(at_bob.channel.open(&frames[0]).unwrap(), Some(b"hello".to_vec()));
    let frames = at_bob.channel.seal(b"hello yourself").unwrap();
    assert_eq!(at_alice.channel.open(&frames[0]).unwrap(), Some(b"hello yourself".to_vec()));
}

#[test]
fn every_changed_byte_ends_the_link() {
    let (alice, bob) = (person(1, &[7]), person(2, &[7]));
    let lengths = std::cell::RefCell::new(Vec::new());
    let measure = |_, frame: Vec<u8>| {
        lengths.borrow_mut().push(frame.len());
        frame
    };
    play(&alice, &bob, measure).unwrap();
    for (number, length) in lengths.into_inner().into_iter().enumerate() {
        for at in 0..length {
            let spoil = |frame_number, mut frame: Vec<u8>| {
                if frame_number == number {
                    frame[at] ^= 0x01;
                }
                frame
            };
            assert!(play(&alice, &bob, spoil).is_err(), "frame {number}, byte {at}");
        }
    }
}

#[test]
fn every_cut_frame_ends_the_link() {
    let (alice, bob) = (person(1, &[7]), person(2, &[7]));
    for number in 0..7 {
        for keep in [0, 1, 15, 16, 31] {
            let cut = |frame_number, mut frame: Vec<u8>| {
                if frame_number == number {
                    frame.truncate(keep.min(frame.len() - 1));
                }
                frame
            };
            assert!(play(&alice, &bob, cut).is_err(), "frame {number} cut to {keep}");
        }
    }
}

#[test]
fn a_strangers_tags_match_nothing_and_the_answer_is_always_the_same() {
    let (alice, stranger) = (person(1, &[7]), person(3, &[99]));
    let (mut opener, hello) = stranger.open(&alice);
    let Greeting::Stranger { frame, version: None } = alice.greet(&stranger, &hello).unwrap() else { panic!() };
    assert_eq!(frame, LinkChoice { version: protocol::VERSION, tag: None }.encode());
    assert_eq!(opener.receive(&stranger.identity, &frame).unwrap_err(), LinkError::NoCommonEpoch);
    assert_eq!(opener.receive(&stranger.identity, &frame).unwrap_err(), LinkError::OutOfTurn);
}

#[test]
fn tags_do_not_show_how_many_epochs_there_are_and_are_no_good_elsewhere() {
    let (alice, bob, carol) = (person(1, &[7, 6]), person(2, &[7]), person(3, &[7]));
    let (_, hello) = alice.open(&bob);
    assert_eq!(LinkHello::decode(&hello).unwrap().tags.len(), limits::TAGS);
    assert_eq!(hello.len(), bob.open(&alice).1.len());
    // Carol shows Bob what Alice showed him.
    assert!(matches!(bob.greet(&carol, &hello), Ok(Greeting::Stranger { .. })));
    // And what Bob would show Alice is another tag than what Alice shows Bob.
    assert!(matches!(alice.greet(&bob, &hello), Ok(Greeting::Stranger { .. })));
}

#[test]
fn another_version_is_told_ours() {
    let (alice, bob) = (person(1, &[7]), person(2, &[7]));
    let (mut opener, hello) = alice.open(&bob);
    let newer = LinkHello { version: 2, ..LinkHello::decode(&hello).unwrap() }.encode();
    let greeting = bob.greet(&alice, &newer).unwrap();
    assert!(matches!(greeting, Greeting::Stranger { version: Some(2), .. }));
    let answer = LinkChoice { version: 2, tag: None }.encode();
    let refused = opener.receive(&alice.identity, &answer).unwrap_err();
    assert_eq!(refused, LinkError::Version { ours: protocol::VERSION, theirs: 2 });
}

#[test]
fn a_choice_among_the_random_tags_is_refused() {
    let (alice, bob) = (person(1, &[7, 6]), person(2, &[]));
    for got in [2, 15, 16, 255] {
        let (mut opener, _) = alice.open(&bob);
        let choice = LinkChoice { version: protocol::VERSION, tag: Some(got) }.encode();
        let refused = opener.receive(&alice.identity, &choice).unwrap_err();
        assert_eq!(refused, LinkError::NoSuchTag { got, offered: 2 });
    }
}

#[test]
fn who_knows_the_tag_but_not_the_key_gets_nowhere() {
    let (alice, bob, mallory) = (person(1, &[7]), person(2, &[7]), person(2, &[8]));
    let (mut opener, hello) = alice.open(&bob);
    let (_, choice) = bob.accept(&alice, &hello);
    let first = sent(opener.receive(&alice.identity, &choice));
    let prologue = prologue(&alice.transport, &mallory.transport, &hello, &choice);
    let key = mallory.epochs[0].1.expose();
    let mut handshake = noise::Handshake::respond(key, &prologue, noise::Seed::draw(&mut rng(3)));
    assert_eq!(handshake.read(&first), Err(HandshakeError::Rejected));
}

/// Both channels and the handshake hash, right after the handshake; `as_opener` is Mallory's.
fn keyed(mallory: &Person, bob: &Person) -> (Channel, HandshakeHash, Acceptor) {
    let (_, hello) = mallory.open(bob);
    let (mut acceptor, choice) = bob.accept(mallory, &hello);
    let prologue = prologue(&mallory.transport, &bob.transport, &hello, &choice);
    let key = mallory.epochs[0].1.expose();
    let mut handshake = noise::Handshake::initiate(key, &prologue, noise::Seed::draw(&mut rng(3)));
    let answer = sent(acceptor.receive(&bob.identity, &handshake.write()));
    handshake.read(&answer).unwrap();
    let (channel, hash) = handshake.finish();
    (channel, hash, acceptor)
}

#[test]
fn a_proof_must_be_ones_own_fresh_and_in_ones_role() {
    let (mallory, bob, alice) = (person(3, &[7]), person(2, &[7]), person(1, &[7]));
    let refuse = |proof: &dyn Fn(&HandshakeHash) -> Message| {
        let (mut channel, hash, mut acceptor) = keyed(&mallory, &bob);
        let frame = seal(&mut channel, &proof(&hash));
        let refused = acceptor.receive(&bob.identity, &frame).unwrap_err();
        assert_eq!(acceptor.admit(&bob.identity).unwrap_err(), LinkError::OutOfTurn);
        refused
    };
    let as_alice = |hash: &HandshakeHash| match prove(&mallory.identity, Domain::LinkOpener, hash) {
        Message::Proof { signature, .. } => Message::Proof { member: alice.member(), signature },
        other => other,
    };
    assert_eq!(refuse(&as_alice), LinkError::BadProof { claimed: alice.member() });
    let swapped_role = |hash: &HandshakeHash| prove(&mallory.identity, Domain::LinkAcceptor, hash);
    assert_eq!(refuse(&swapped_role), LinkError::BadProof { claimed: mallory.member() });
    let (_, other_hash, _) = keyed(&alice, &bob);
    let replayed = |_: &HandshakeHash| prove(&alice.identity, Domain::LinkOpener, &other_hash);
    assert_eq!(refuse(&replayed), LinkError::BadProof { claimed: alice.member() });
    let reflected = |hash: &HandshakeHash| prove(&bob.identity, Domain::LinkOpener, hash);
    assert_eq!(refuse(&reflected), LinkError::OwnKey);
    assert_eq!(refuse(&|_| Message::Admitted), LinkError::OutOfTurn);
}

#[test]
fn nobody_is_let_in_before_it_has_proved_who_it_is() {
    let (alice, bob) = (person(1, &[7]), person(2, &[7]));
    let (mut opener, hello) = alice.open(&bob);
    assert_eq!(opener.admit().unwrap_err(), LinkError::OutOfTurn);
    let (mut acceptor, choice) = bob.accept(&alice, &hello);
    assert_eq!(acceptor.admit(&bob.identity).unwrap_err(), LinkError::OutOfTurn);
    let first = sent(opener.receive(&alice.identity, &choice));
    sent(acceptor.receive(&bob.identity, &first));
    assert_eq!(acceptor.admit(&bob.identity).unwrap_err(), LinkError::OutOfTurn);
    assert_eq!(acceptor.refuse(Refused::Unknown).unwrap_err(), LinkError::OutOfTurn);
}

#[test]
fn a_removed_opener_is_told_so_and_learns_nobodys_name() {
    let (removed, bob) = (person(3, &[7]), person(2, &[8, 7]));
    let (mut opener, hello) = removed.open(&bob);
    let (mut acceptor, choice) = bob.accept(&removed, &hello);
    let frame = sent(opener.receive(&removed.identity, &choice));
    let frame = sent(acceptor.receive(&bob.identity, &frame));
    let frame = sent(opener.receive(&removed.identity, &frame));
    assert_eq!(proved(acceptor.receive(&bob.identity, &frame)), removed.member());
    let goodbye = acceptor.refuse(Refused::Removed).unwrap();
    let step = opener.receive(&removed.identity, &goodbye).unwrap();
    assert!(matches!(step, Step::TurnedAway(Refused::Removed)), "{step:?}");
    assert_eq!(acceptor.receive(&bob.identity, &frame).unwrap_err(), LinkError::OutOfTurn);
    assert_eq!(opener.admit().unwrap_err(), LinkError::OutOfTurn);
}

#[test]
fn a_removed_acceptor_is_told_so() {
    let (alice, removed) = (person(1, &[8, 7]), person(3, &[7]));
    let (mut opener, hello) = alice.open(&removed);
    let (mut acceptor, choice) = removed.accept(&alice, &hello);
    let frame = sent(opener.receive(&alice.identity, &choice));
    let frame = sent(acceptor.receive(&removed.identity, &frame));
    let frame = sent(opener.receive(&alice.identity, &frame));
    assert_eq!(proved(acceptor.receive(&removed.identity, &frame)), alice.member());
    let proof = acceptor.admit(&removed.identity).unwrap();
    assert_eq!(proved(opener.receive(&alice.identity, &proof)), removed.member());
    let goodbye = opener.refuse(Refused::Removed).unwrap();
    let step = acceptor.receive(&removed.identity, &goodbye).unwrap();
    assert!(matches!(step, Step::TurnedAway(Refused::Removed)), "{step:?}");
}

#[test]
fn two_copies_of_one_key_do_not_link() {
    let (alice, mut copy) = (person(1, &[7]), person(2, &[7]));
    copy.identity = Identity::from_secret(&[1; 32]);
    assert_eq!(play(&alice, &copy, |_, frame| frame).unwrap_err(), LinkError::OwnKey);
}
