//! How fast agents may speak, by this companion's own clock: rules of the door, which a restart
//! begins anew. Humans are not rated.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Duration, Instant};

use pairwave_api::{Code, Failure};
use pairwave_core::id::{RoomId, SessionId};

/// How long what was said is remembered, and how long a human who writes holds its agents up.
const MINUTE: Duration = Duration::from_secs(60);
/// What all agent sessions of this side may say together in a room, in rates of one session.
const TOGETHER: u64 = 3;

/// Each side's own rates; 0 stands for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Messages of one agent session in a minute.
    pub per_minute: u64,
    /// Between two messages of a session that push.
    pub push_interval: Duration,
    /// What a member's agents may push before they sum up.
    pub max_turns: u64,
    /// How often others may wake our agents before our human does something.
    pub wakes: u64,
}

/// What an agent is about to say.
#[derive(Debug, Clone, Copy)]
pub struct Saying {
    pub room: RoomId,
    pub session: SessionId,
    /// Does it push?
    pub pushes: bool,
    /// Of its words, where they are not to be said again at once.
    pub hash: Option<[u8; 32]>,
}

/// What was said of late, and which humans write.
#[derive(Debug, Default)]
pub struct Pace {
    sessions: BTreeMap<(RoomId, SessionId), Recent>,
    writing: BTreeMap<RoomId, Instant>,
    wakes: BTreeMap<RoomId, u64>,
}

/// What a session said of late. Whoever sets no rate may say very much in a minute, so nothing here walks
/// through all of it.
#[derive(Debug, Default)]
struct Recent {
    /// Oldest first.
    said: VecDeque<Said>,
    /// When these words were said last.
    words: HashMap<[u8; 32], Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Said {
    at: Instant,
    hash: Option<[u8; 32]>,
    pushes: bool,
}

impl Pace {
    /// May an agent say this now? What it may counts at once, so that nothing slips through beside it;
    /// what could not be said in the end is to be [given back](Self::give_back).
    pub fn reserve(&mut self, saying: &Saying, rates: &Rates, now: Instant) -> Result<(), Failure> {
        self.forget_old(rates, now);
        let none = Recent::default();
        let recent = self.sessions.get(&(saying.room, saying.session)).unwrap_or(&none);
        if recent.has_said(saying.hash, now) {
            return Err(repeated());
        }
        self.check_rates(saying, recent, rates, now)?;
        if saying.pushes {
            self.check_push(saying, recent, rates, now)?;
        }
        let said = Said { at: now, hash: saying.hash, pushes: saying.pushes };
        self.sessions.entry((saying.room, saying.session)).or_default().add(said);
        Ok(())
    }

    /// It could not be said, so it does not count.
    pub fn give_back(&mut self, saying: &Saying) {
        if let Some(recent) = self.sessions.get_mut(&(saying.room, saying.session)) {
            recent.remove(saying.hash);
        }
    }

    /// A session has its rate, and all of them have one together: a session is named anew with ease.
    fn check_rates(&self, saying: &Saying, recent: &Recent, rates: &Rates, now: Instant) -> Result<(), Failure> {
        if rates.per_minute == 0 {
            return Ok(());
        }
        let of_room = self.sessions.iter().filter(|((room, _), _)| *room == saying.room);
        let together: Vec<Instant> = of_room.flat_map(|(_, recent)| recent.within_minute(now)).collect();
        let alone: Vec<Instant> = recent.within_minute(now).collect();
        for (said, most) in [(alone, rates.per_minute), (together, rates.per_minute.saturating_mul(TOGETHER))] {
            if let Some(first) = said.iter().min().filter(|_| said.len() as u64 >= most) {
                return Err(too_fast(MINUTE.saturating_sub(now.duration_since(*first))));
            }
        }
        Ok(())
    }

    fn check_push(&self, saying: &Saying, recent: &Recent, rates: &Rates, now: Instant) -> Result<(), Failure> {
        if let Some(until) = self.writing.get(&saying.room).filter(|until| now < **until) {
            return Err(human_writes(until.duration_since(now)));
        }
        let pushed = recent.said.iter().rfind(|said| said.pushes);
        match pushed.map(|pushed| pushed.at + rates.push_interval).filter(|next| now < *next) {
            Some(next) => Err(too_fast(next.duration_since(now))),
            None => Ok(()),
        }
    }

    fn forget_old(&mut self, rates: &Rates, now: Instant) {
        let horizon = MINUTE.max(rates.push_interval);
        self.sessions.retain(|_, recent| {
            recent.forget_old(horizon, now);
            !recent.said.is_empty()
        });
    }

    /// A human begins to write, or is done.
    pub fn human_writes(&mut self, room: RoomId, on: bool) {
        if on {
            self.writing.insert(room, Instant::now() + MINUTE);
        } else {
            self.writing.remove(&room);
        }
    }

    /// This companion's human did something in a room.
    pub fn human_acted(&mut self, room: RoomId) {
        self.wakes.remove(&room);
    }

    /// May others wake an agent here? Each time counts.
    pub fn may_wake(&mut self, room: RoomId, rates: &Rates) -> bool {
        let wakes = self.wakes.entry(room).or_default();
        let may = rates.wakes == 0 || *wakes < rates.wakes;
        *wakes += u64::from(may);
        may
    }
}

impl Recent {
    fn within_minute(&self, now: Instant) -> impl Iterator<Item = Instant> {
        self.said.iter().rev().map(|said| said.at).take_while(move |at| now.duration_since(*at) < MINUTE)
    }

    fn has_said(&self, words: Option<[u8; 32]>, now: Instant) -> bool {
        words.and_then(|words| self.words.get(&words)).is_some_and(|at| now.duration_since(*at) < MINUTE)
    }

    fn add(&mut self, said: Said) {
        self.words.extend(said.hash.map(|words| (words, said.at)));
        self.said.push_back(said);
    }

    /// The newest of these words.
    fn remove(&mut self, words: Option<[u8; 32]>) {
        if let Some(newest) = self.said.iter().rposition(|said| said.hash == words) {
            self.said.remove(newest);
        }
        if let Some(words) = words {
            self.words.remove(&words);
        }
    }

    fn forget_old(&mut self, horizon: Duration, now: Instant) {
        while self.said.front().is_some_and(|said| now.duration_since(said.at) >= horizon) {
            let Some(Said { at, hash: Some(words), .. }) = self.said.pop_front() else { continue };
            if self.words.get(&words) == Some(&at) {
                self.words.remove(&words);
            }
        }
    }
}

fn repeated() -> Failure {
    let next = "Go on with something else; it was said, and everybody has it or will get it.";
    Failure::new(Code::Refused, "repeated", "You said this a moment ago, word by word, so it was dropped", next)
}

fn too_fast(wait: Duration) -> Failure {
    let next = format!("Wait {:.1} s, and say more in one message.", wait.as_secs_f64() + 0.05);
    Failure::new(Code::Refused, "too_fast", "You speak faster than an agent may here", next)
}

fn human_writes(wait: Duration) -> Failure {
    let next =
        format!("Wait for what it says with pair_wait; you may go on in {} s at the latest.", wait.as_secs() + 1);
    Failure::new(Code::Refused, "human_writes", "Your human is writing in this room", next)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATES: Rates = Rates { per_minute: 3, push_interval: Duration::from_secs(2), max_turns: 20, wakes: 2 };
    const ROOM: RoomId = RoomId([1; 32]);

    fn saying(number: u8, pushes: bool) -> Saying {
        Saying { room: ROOM, session: SessionId([1; 16]), pushes, hash: Some([number; 32]) }
    }

    fn say(pace: &mut Pace, saying: &Saying, now: Instant) -> Result<(), String> {
        pace.reserve(saying, &RATES, now).map_err(|failure| failure.rule)
    }

    #[test]
    fn an_agent_may_not_speak_faster_than_its_rates() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        assert_eq!(say(&mut pace, &saying(1, true), now), Ok(()));
        assert_eq!(say(&mut pace, &saying(2, true), now), Err("too_fast".into()));
        assert_eq!(say(&mut pace, &saying(2, false), now), Ok(()));
        assert_eq!(say(&mut pace, &saying(3, true), now + RATES.push_interval), Ok(()));
        assert_eq!(say(&mut pace, &saying(4, false), now + RATES.push_interval), Err("too_fast".into()));
        assert_eq!(say(&mut pace, &saying(4, false), now + MINUTE), Ok(()));
    }

    #[test]
    fn what_was_just_said_is_dropped() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        assert_eq!(say(&mut pace, &saying(1, false), now), Ok(()));
        assert_eq!(say(&mut pace, &saying(1, false), now + MINUTE / 2), Err("repeated".into()));
        assert_eq!(say(&mut pace, &saying(1, false), now + MINUTE), Ok(()));
    }

    #[test]
    fn what_could_not_be_said_does_not_count() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        assert_eq!(say(&mut pace, &saying(1, true), now), Ok(()));
        pace.give_back(&saying(1, true));
        assert_eq!(say(&mut pace, &saying(1, true), now), Ok(()));
    }

    #[test]
    fn sessions_share_what_their_side_may_say() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        let of = |session: u8| Saying { session: SessionId([session; 16]), ..saying(session, false) };
        for session in 0..9 {
            assert_eq!(say(&mut pace, &of(session), now), Ok(()));
        }
        assert_eq!(say(&mut pace, &of(9), now), Err("too_fast".into()));
        assert_eq!(say(&mut pace, &Saying { room: RoomId([2; 32]), ..of(9) }, now), Ok(()));
        assert_eq!(say(&mut pace, &of(9), now + MINUTE), Ok(()));
    }

    #[test]
    fn agents_wait_while_their_human_writes() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        pace.human_writes(ROOM, true);
        assert_eq!(say(&mut pace, &saying(1, true), now), Err("human_writes".into()));
        assert_eq!(say(&mut pace, &saying(1, false), now), Ok(()));
        pace.human_writes(ROOM, false);
        assert_eq!(say(&mut pace, &saying(2, true), now), Ok(()));
    }

    #[test]
    fn others_wake_an_agent_so_often_without_a_human() {
        let mut pace = Pace::default();
        let woken = |pace: &mut Pace| pace.may_wake(ROOM, &RATES);
        assert_eq!([woken(&mut pace), woken(&mut pace), woken(&mut pace)], [true, true, false]);
        pace.human_acted(ROOM);
        assert!(woken(&mut pace));
    }
}
