//! A thin wall around `vodozemac`: the pairwise Double Ratchet (Olm) that letters go through.
//!
//! Nothing is kept here. The ratchets of one room come in as one opaque value and go out as the
//! value that replaces it; a message leaves only after that is durable, so that no message key is
//! used twice.

use std::collections::BTreeMap;

use pairwave_core::id::MemberId;
use pairwave_core::letter::Ratcheted;
use pairwave_core::letters::LetterKeys;
use pairwave_wire::cbor;
use serde::{Deserialize, Serialize};
use vodozemac::Curve25519PublicKey;
use vodozemac::olm::{Account, AccountPickle, OlmMessage, PreKeyMessage, Session, SessionConfig, SessionPickle};
use zeroize::Zeroizing;

/// Sessions that are kept with one member: both may begin one, and begin anew.
const SESSIONS: usize = 4;

/// Why a letter does not go through.
#[derive(Debug, thiserror::Error)]
pub enum OlmError {
    #[error("the saved ratchets cannot be read")]
    Saved,
    #[error("the member's letter keys are unusable: {0}")]
    Keys(String),
    #[error("the message does not open")]
    DoesNotOpen,
}

/// The ratchets of one room.
#[derive(Serialize, Deserialize)]
struct Ratchets {
    account: AccountPickle,
    /// With each member, the one that was heard on last first.
    members: BTreeMap<MemberId, Vec<Kept>>,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    /// The member's identity key that the session is with.
    #[serde(with = "serde_bytes")]
    identity: [u8; 32],
    session: SessionPickle,
}

/// New keys: what others are told, and the ratchets.
pub fn create() -> (LetterKeys, Vec<u8>) {
    let mut account = Account::new();
    account.generate_fallback_key();
    let fallback = account.fallback_key().into_values().next().expect("it was just made");
    account.mark_keys_as_published();
    let keys = LetterKeys { identity: account.curve25519_key().to_bytes(), fallback: fallback.to_bytes() };
    let ratchets = Ratchets { account: account.pickle(), members: BTreeMap::new() };
    (keys, ratchets.encode())
}

/// Encrypts for a member, in the session that it was heard on last, or in a new one.
pub fn seal(
    ratchets: &[u8],
    to: MemberId,
    keys: &LetterKeys,
    afresh: bool,
    content: &[u8],
) -> Result<(Vec<u8>, Ratcheted), OlmError> {
    let mut ratchets = Ratchets::decode(ratchets)?;
    let current = ratchets.take(&to, |kept| !afresh && kept.identity == keys.identity);
    let mut session = match current {
        Some(kept) => Session::from_pickle(kept.session),
        None => ratchets.begin(keys)?,
    };
    let message = session.encrypt(content).map_err(|error| OlmError::Keys(error.to_string()))?;
    ratchets.put(to, keys.identity, &session);
    let (kind, bytes) = message.to_parts();
    Ok((ratchets.encode(), Ratcheted { kind: u8::try_from(kind).unwrap_or(u8::MAX), bytes }))
}

/// Decrypts a member's message; a session that it begins is kept.
pub fn open(ratchets: &[u8], from: MemberId, message: &Ratcheted) -> Result<(Vec<u8>, Vec<u8>), OlmError> {
    let mut ratchets = Ratchets::decode(ratchets)?;
    let message = OlmMessage::from_parts(usize::from(message.kind), &message.bytes);
    let message = message.map_err(|_| OlmError::DoesNotOpen)?;
    let content = match ratchets.open_known(from, &message) {
        Some(content) => content,
        None => match &message {
            OlmMessage::PreKey(first) if !ratchets.knows(&from, first) => ratchets.open_first(from, first)?,
            _ => return Err(OlmError::DoesNotOpen),
        },
    };
    Ok((ratchets.encode(), content))
}

impl Ratchets {
    fn decode(bytes: &[u8]) -> Result<Self, OlmError> {
        cbor::decode_checked(bytes).map_err(|_| OlmError::Saved)
    }

    fn encode(&self) -> Vec<u8> {
        cbor::encode(self).expect("a pickle holds bytes, integers and maps")
    }

    fn begin(&self, keys: &LetterKeys) -> Result<Session, OlmError> {
        let account = self.account()?;
        let [identity, fallback] = [keys.identity, keys.fallback].map(Curve25519PublicKey::from_bytes);
        account
            .create_outbound_session(SessionConfig::version_1(), identity, fallback)
            .map_err(|error| OlmError::Keys(error.to_string()))
    }

    fn open_known(&mut self, from: MemberId, message: &OlmMessage) -> Option<Vec<u8>> {
        for at in 0..self.members.get(&from)?.len() {
            let kept = &self.members.get(&from)?[at];
            let mut session = Session::from_pickle(copy(&kept.session).ok()?);
            if let Ok(content) = session.decrypt(message) {
                let identity = kept.identity;
                self.members.get_mut(&from)?.remove(at);
                self.put(from, identity, &session);
                return Some(content);
            }
        }
        None
    }

    /// A message that began a session which is kept, and does not open in it, was opened before. The
    /// fallback key would open it again.
    fn knows(&self, from: &MemberId, first: &PreKeyMessage) -> bool {
        let sessions = self.members.get(from).into_iter().flatten().filter_map(|kept| copy(&kept.session).ok());
        sessions.map(Session::from_pickle).any(|session| session.session_id() == first.session_id())
    }

    fn open_first(&mut self, from: MemberId, first: &PreKeyMessage) -> Result<Vec<u8>, OlmError> {
        let mut account = self.account()?;
        let identity = first.identity_key();
        let created = account
            .create_inbound_session(SessionConfig::version_1(), identity, first)
            .map_err(|_| OlmError::DoesNotOpen)?;
        self.account = account.pickle();
        self.put(from, identity.to_bytes(), &created.session);
        Ok(created.plaintext)
    }

    fn account(&self) -> Result<Account, OlmError> {
        Ok(Account::from_pickle(copy(&self.account)?))
    }

    /// Takes the newest session with a member out, if it will do.
    fn take(&mut self, member: &MemberId, will_do: impl Fn(&Kept) -> bool) -> Option<Kept> {
        let kept = self.members.get_mut(member)?;
        if kept.first().is_some_and(will_do) { Some(kept.remove(0)) } else { None }
    }

    fn put(&mut self, member: MemberId, identity: [u8; 32], session: &Session) {
        let kept = self.members.entry(member).or_default();
        kept.insert(0, Kept { identity, session: session.pickle() });
        kept.truncate(SESSIONS);
    }
}

/// A pickle can be written and read, but not cloned.
fn copy<T: Serialize + serde::de::DeserializeOwned>(pickle: &T) -> Result<T, OlmError> {
    let bytes = Zeroizing::new(cbor::encode(pickle).map_err(|_| OlmError::Saved)?);
    cbor::decode_checked(&bytes).map_err(|_| OlmError::Saved)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: MemberId = MemberId([1; 32]);
    const BOB: MemberId = MemberId([2; 32]);

    /// Two people, each with the other's keys.
    struct Pair {
        alice: (LetterKeys, Vec<u8>),
        bob: (LetterKeys, Vec<u8>),
    }

    impl Pair {
        fn new() -> Self {
            Self { alice: create(), bob: create() }
        }

        fn alice_writes(&mut self, content: &[u8]) -> Ratcheted {
            let (ratchets, message) = seal(&self.alice.1, BOB, &self.bob.0, false, content).unwrap();
            self.alice.1 = ratchets;
            message
        }

        fn bob_writes(&mut self, content: &[u8]) -> Ratcheted {
            let (ratchets, message) = seal(&self.bob.1, ALICE, &self.alice.0, false, content).unwrap();
            self.bob.1 = ratchets;
            message
        }

        fn bob_reads(&mut self, message: &Ratcheted) -> Result<Vec<u8>, OlmError> {
            let (ratchets, content) = open(&self.bob.1, ALICE, message)?;
            self.bob.1 = ratchets;
            Ok(content)
        }

        fn alice_reads(&mut self, message: &Ratcheted) -> Result<Vec<u8>, OlmError> {
            let (ratchets, content) = open(&self.alice.1, BOB, message)?;
            self.alice.1 = ratchets;
            Ok(content)
        }
    }

    #[test]
    fn letters_go_both_ways_and_in_any_order() {
        let mut pair = Pair::new();
        let first: Vec<Ratcheted> = (0..3).map(|number| pair.alice_writes(&[number])).collect();
        for number in [2, 0, 1] {
            assert_eq!(pair.bob_reads(&first[number]).unwrap(), [u8::try_from(number).unwrap()]);
        }
        let answer = pair.bob_writes(b"answer");
        assert_eq!(answer.kind, 1, "in the session that alice began");
        assert_eq!(pair.alice_reads(&answer).unwrap(), b"answer");
        let next = pair.alice_writes(b"next");
        assert_eq!((next.kind, pair.bob_reads(&next).unwrap()), (1, b"next".to_vec()));
    }

    #[test]
    fn both_may_begin_at_once() {
        let mut pair = Pair::new();
        let (hers, his) = (pair.alice_writes(b"hers"), pair.bob_writes(b"his"));
        assert_eq!(pair.alice_reads(&his).unwrap(), b"his");
        assert_eq!(pair.bob_reads(&hers).unwrap(), b"hers");
        let more = pair.alice_writes(b"more");
        assert_eq!(pair.bob_reads(&more).unwrap(), b"more");
    }

    #[test]
    fn a_letter_opens_once_and_changed_never() {
        let mut pair = Pair::new();
        let message = pair.alice_writes(b"once");
        let mut changed = message.clone();
        *changed.bytes.last_mut().unwrap() ^= 1;
        assert!(pair.bob_reads(&changed).is_err());
        assert!(pair.bob_reads(&message).is_ok());
        assert!(pair.bob_reads(&message).is_err());
    }

    #[test]
    fn who_lost_the_ratchets_is_written_to_anew() {
        let mut pair = Pair::new();
        let message = pair.alice_writes(b"before");
        pair.bob_reads(&message).unwrap();
        pair.bob = create();
        let message = pair.alice_writes(b"after");
        assert_eq!(message.kind, 0, "bob's keys are others now");
        assert_eq!(pair.bob_reads(&message).unwrap(), b"after");
    }

    #[test]
    fn a_session_can_be_begun_afresh() {
        let mut pair = Pair::new();
        let (ratchets, first) = seal(&pair.alice.1, BOB, &pair.bob.0, false, b"1").unwrap();
        let (_, second) = seal(&ratchets, BOB, &pair.bob.0, true, b"2").unwrap();
        assert_eq!(pair.bob_reads(&second).unwrap(), b"2");
        assert_eq!(pair.bob_reads(&first).unwrap(), b"1");
    }

    #[test]
    fn keys_of_small_order_are_refused() {
        let (_, ratchets) = create();
        let small = LetterKeys { identity: [0; 32], fallback: [0; 32] };
        assert!(matches!(seal(&ratchets, BOB, &small, false, b"x"), Err(OlmError::Keys(_))));
    }
}
