use pairwave_wire::hello::KnockHello;
use pairwave_wire::protocol;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::*;
use crate::key::{Domain, Identity, KnockKey};
use crate::noise::{Handshake, HandshakeHash, Seed};

const ROOM: RoomId = RoomId([9; 32]);
const LABEL: InviteLabel = InviteLabel([8; 16]);

fn identity(number: u8) -> Identity {
    Identity::from_secret(&[number; 32])
}

fn transport(number: u8) -> TransportId {
    TransportId::new([number; 38]).unwrap()
}

fn key(number: u8) -> KnockKey {
    KnockKey::new([number; 32])
}

fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

fn welcome() -> Welcome {
    Welcome { room: ROOM, epoch: EventId([1; 32]), key: EpochKey::new([2; 32]), admission: EventId([3; 32]) }
}

/// Alice's porter and Bob's knocker; Bob's first frame.
fn bob_knocks() -> (Knocker, Vec<u8>) {
    Knocker::new(ROOM, LABEL, &key(1), &transport(2), &transport(1), "bob", &mut rng(2)).unwrap()
}

fn sent(answer: Result<Answer, KnockError>) -> Vec<u8> {
    match answer.unwrap() {
        Answer::Send(frame) => frame,
        other => panic!("{other:?}"),
    }
}

fn said(answer: Result<Answer, KnockError>) -> (MemberId, Verdict) {
    match answer.unwrap() {
        Answer::Said { from, verdict } => (from, verdict),
        other => panic!("{other:?}"),
    }
}

/// Plays a knock up to the decision; `spoil` may change any frame on its way, by its number.
fn knock(spoil: impl Fn(usize, Vec<u8>) -> Vec<u8>) -> Result<(Knocker, Porter, Knock), KnockError> {
    let (mut knocker, frame) = bob_knocks();
    let mut porter = Porter::greet(transport(1), transport(2), &spoil(0, frame))?;
    let frame = porter.unlock(&key(1), &mut rng(1))?;
    let Answer::Send(frame) = knocker.receive(&identity(2), &spoil(1, frame))? else { panic!() };
    match porter.receive(&identity(1), &spoil(2, frame))? {
        Heard::Knock(knock) => Ok((knocker, porter, knock)),
        Heard::OtherVersion { theirs, .. } => panic!("version {theirs}"),
    }
}

fn unspoilt(_: usize, frame: Vec<u8>) -> Vec<u8> {
    frame
}

#[test]
fn a_newcomer_is_welcomed() {
    let (mut knocker, mut porter, knock) = knock(unspoilt).unwrap();
    assert_eq!(knock, Knock { member: identity(2).member(), name: "bob".into() });
    let frame = porter.welcome(&identity(1), welcome()).unwrap();
    assert_eq!(said(knocker.receive(&identity(2), &frame)), (identity(1).member(), Verdict::Welcome(welcome())));
}

#[test]
fn every_refusal_arrives_as_what_it_is() {
    let reasons = [
        Refused::Expired,
        Refused::UsedUp,
        Refused::Revoked,
        Refused::Full,
        Refused::Left,
        Refused::Removed,
        Refused::Version { theirs: 7 },
    ];
    for why in reasons {
        let (mut knocker, mut porter, _) = knock(unspoilt).unwrap();
        let frame = porter.refuse(&identity(1), why).unwrap();
        assert_eq!(said(knocker.receive(&identity(2), &frame)), (identity(1).member(), Verdict::Refused(why)));
        assert_eq!(porter.welcome(&identity(1), welcome()), Err(KnockError::OutOfTurn));
    }
}

#[test]
fn every_changed_byte_ends_the_knock() {
    let lengths = std::cell::RefCell::new(Vec::new());
    let measure = |_, frame: Vec<u8>| {
        lengths.borrow_mut().push(frame.len());
        frame
    };
    knock(measure).unwrap();
    for (number, length) in lengths.into_inner().into_iter().enumerate() {
        for at in 0..length {
            let spoil = |frame_number, mut frame: Vec<u8>| {
                if frame_number == number {
                    frame[at] ^= 0x01;
                }
                frame
            };
            assert!(knock(spoil).is_err(), "frame {number}, byte {at}");
            let cut = |frame_number, mut frame: Vec<u8>| {
                if frame_number == number {
                    frame.truncate(at);
                }
                frame
            };
            assert!(knock(cut).is_err(), "frame {number} cut to {at}");
        }
    }
}

#[test]
fn every_changed_byte_of_the_answer_is_noticed() {
    let (_, mut porter, _) = knock(unspoilt).unwrap();
    let frame = porter.welcome(&identity(1), welcome()).unwrap();
    for at in 0..frame.len() {
        let (mut knocker, ..) = knock(unspoilt).unwrap();
        let mut changed = frame.clone();
        changed[at] ^= 0x80;
        assert!(knocker.receive(&identity(2), &changed).is_err(), "byte {at}");
        assert_eq!(knocker.receive(&identity(2), &frame).unwrap_err(), KnockError::OutOfTurn);
    }
}

#[test]
fn a_wrong_secret_gets_no_frame_at_all() {
    let (_, frame) = bob_knocks();
    let mut porter = Porter::greet(transport(1), transport(2), &frame).unwrap();
    assert_eq!(porter.label(), LABEL);
    assert_eq!(porter.unlock(&key(7), &mut rng(1)), Err(KnockError::Handshake(HandshakeError::Rejected)));
    assert_eq!(porter.unlock(&key(1), &mut rng(1)), Err(KnockError::OutOfTurn));
}

#[test]
fn a_knock_is_good_for_one_door_only() {
    let (_, frame) = bob_knocks();
    for (own, peer) in [(3, 2), (1, 3), (2, 1)] {
        let mut porter = Porter::greet(transport(own), transport(peer), &frame).unwrap();
        assert!(porter.unlock(&key(1), &mut rng(1)).is_err(), "at {own} from {peer}");
    }
}

#[test]
fn nothing_is_said_to_one_who_replays_a_first_frame() {
    let (_, frame) = bob_knocks();
    let mut porter = Porter::greet(transport(1), transport(2), &frame).unwrap();
    porter.unlock(&key(1), &mut rng(1)).unwrap();
    assert_eq!(porter.refuse(&identity(1), Refused::Expired), Err(KnockError::OutOfTurn));
    assert_eq!(porter.welcome(&identity(1), welcome()), Err(KnockError::OutOfTurn));
    // The second half of another run does not fit this one.
    let (mut other, first) =
        Knocker::new(ROOM, LABEL, &key(1), &transport(2), &transport(1), "bob", &mut rng(5)).unwrap();
    let mut other_porter = Porter::greet(transport(1), transport(2), &first).unwrap();
    let second = other_porter.unlock(&key(1), &mut rng(6)).unwrap();
    let proof = sent(other.receive(&identity(2), &second));
    assert_eq!(porter.receive(&identity(1), &proof).unwrap_err(), KnockError::Channel(OpenError::Rejected));
}

/// What the porter makes of `message`, from one who holds the invite.
fn heard(message: impl FnOnce(&HandshakeHash) -> Message) -> Result<Heard, KnockError> {
    let prologue = prologue(protocol::VERSION, &LABEL, &transport(2), &transport(1));
    let mut handshake = Handshake::initiate(key(1).expose(), &prologue, Seed::draw(&mut rng(4)));
    let hello = KnockHello { version: protocol::VERSION, label: LABEL, noise: handshake.write() }.encode();
    let mut porter = Porter::greet(transport(1), transport(2), &hello).unwrap();
    handshake.read(&porter.unlock(&key(1), &mut rng(1)).unwrap()).unwrap();
    let (mut channel, hash) = handshake.finish();
    let frame = seal(&mut channel, &message(&hash));
    porter.receive(&identity(1), &frame)
}

#[test]
fn a_newcomer_must_hold_the_key_that_it_names() {
    let signed = |by: u8, domain, name: usize, member: MemberId| {
        move |hash: &HandshakeHash| Message::Knock {
            member,
            name: "b".repeat(name),
            signature: identity(by).sign(domain, hash.as_bytes()),
        }
    };
    let bob = identity(2).member();
    assert!(heard(signed(2, Domain::Knock, limits::NAME, bob)).is_ok());
    let refused = |message| heard(message).unwrap_err();
    assert_eq!(refused(signed(3, Domain::Knock, 3, bob)), KnockError::BadProof { claimed: bob });
    assert_eq!(refused(signed(2, Domain::LinkOpener, 3, bob)), KnockError::BadProof { claimed: bob });
    assert_eq!(refused(signed(1, Domain::Knock, 3, identity(1).member())), KnockError::OwnKey);
    let (got, max) = (limits::NAME + 1, limits::NAME);
    assert_eq!(refused(signed(2, Domain::Knock, got, bob)), KnockError::NameTooLong { got, max });
    let answers = |hash: &HandshakeHash| answer(1, Domain::KnockAnswer, identity(1).member(), hash);
    assert_eq!(heard(answers).unwrap_err(), KnockError::OutOfTurn);
}

fn answer(by: u8, domain: Domain, member: MemberId, hash: &HandshakeHash) -> Message {
    let signature = identity(by).sign(domain, hash.as_bytes());
    Message::Answer { member, signature, verdict: Verdict::Welcome(welcome()) }
}

/// What bob makes of an answer of one who holds the invite.
fn answered(message: impl FnOnce(&HandshakeHash) -> Message) -> Result<Answer, KnockError> {
    let (mut knocker, first) = bob_knocks();
    let hello = KnockHello::decode(&first).unwrap();
    let prologue = prologue(protocol::VERSION, &LABEL, &transport(2), &transport(1));
    let mut handshake = Handshake::respond(key(1).expose(), &prologue, Seed::draw(&mut rng(1)));
    handshake.read(&hello.noise).unwrap();
    let second = handshake.write();
    let (mut channel, hash) = handshake.finish();
    open(&mut channel, &sent(knocker.receive(&identity(2), &second))).unwrap();
    let frame = seal(&mut channel, &message(&hash));
    knocker.receive(&identity(2), &frame)
}

#[test]
fn who_answers_must_hold_the_key_that_it_names() {
    let alice = identity(1).member();
    let by = |by: u8, domain, member| move |hash: &HandshakeHash| answer(by, domain, member, hash);
    assert_eq!(said(answered(by(1, Domain::KnockAnswer, alice))).0, alice);
    let refused = |message| answered(message).unwrap_err();
    assert_eq!(refused(by(3, Domain::KnockAnswer, alice)), KnockError::BadProof { claimed: alice });
    assert_eq!(refused(by(1, Domain::Knock, alice)), KnockError::BadProof { claimed: alice });
    assert_eq!(refused(by(2, Domain::KnockAnswer, identity(2).member())), KnockError::OwnKey);
    let another_runs = |_: &HandshakeHash| {
        let signature = identity(1).sign(Domain::KnockAnswer, &[0; 32]);
        Message::Answer { member: alice, signature, verdict: Verdict::Welcome(welcome()) }
    };
    assert_eq!(answered(another_runs).unwrap_err(), KnockError::BadProof { claimed: alice });
}

#[test]
fn a_welcome_to_another_room_is_refused() {
    let (mut knocker, mut porter, _) = knock(unspoilt).unwrap();
    let frame = porter.welcome(&identity(1), Welcome { room: RoomId([4; 32]), ..welcome() }).unwrap();
    let refused = knocker.receive(&identity(2), &frame).unwrap_err();
    assert_eq!(refused, KnockError::WrongRoom { expected: ROOM, got: RoomId([4; 32]) });
}

#[test]
fn another_version_is_told_so_after_the_proof() {
    let newer = protocol::VERSION + 1;
    let prologue = prologue(newer, &LABEL, &transport(2), &transport(1));
    let mut handshake = Handshake::initiate(key(1).expose(), &prologue, Seed::draw(&mut rng(4)));
    let hello = KnockHello { version: newer, label: LABEL, noise: handshake.write() }.encode();
    let mut porter = Porter::greet(transport(1), transport(2), &hello).unwrap();
    handshake.read(&porter.unlock(&key(1), &mut rng(1)).unwrap()).unwrap();
    let (mut channel, hash) = handshake.finish();
    let signature = identity(2).sign(Domain::Knock, hash.as_bytes());
    let proof = Message::Knock { member: identity(2).member(), name: "bob".into(), signature };
    let frame = seal(&mut channel, &proof);
    let Heard::OtherVersion { theirs, frame } = porter.receive(&identity(1), &frame).unwrap() else { panic!() };
    assert_eq!(theirs, newer);
    let Message::Answer { verdict, .. } = open(&mut channel, &frame).unwrap() else { panic!() };
    assert_eq!(verdict, Verdict::Refused(Refused::Version { theirs: protocol::VERSION }));
}

#[test]
fn an_overlong_name_is_not_even_sent() {
    let name = "b".repeat(limits::NAME + 1);
    let refused = Knocker::new(ROOM, LABEL, &key(1), &transport(2), &transport(1), &name, &mut rng(2)).err();
    assert_eq!(refused, Some(KnockError::NameTooLong { got: limits::NAME + 1, max: limits::NAME }));
}
