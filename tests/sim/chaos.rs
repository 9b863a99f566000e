//! Eight companions and two who want in, a bad network and bad nights: whatever happens, what was
//! acknowledged is there in the end, once, in the same order, everywhere, and everybody sees what
//! the reference sees, all along.

use std::collections::BTreeMap;
use std::time::Duration;

use pairwave_core::artifacts::Draft;
use pairwave_core::command::{Command, Outcome, Token};
use pairwave_core::event::Origin;
use pairwave_core::id::{EventId, RoomId};
use pairwave_core::invite::Invite;
use pairwave_core::room::Room;
use pairwave_core::talk::{Kind, Message};
use rand_core::Rng;

use crate::blobs::{content, is_whole};
use crate::checks::{agree, have_the_same, is_true, transcript};
use crate::reference::Library;
use crate::scenes::{MINUTE, bring_in, found, question};
use crate::world::{At, HUMAN, World, human};

/// The last two are no members at first.
pub const NAMES: [&str; 10] = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy"];
const MEMBERS: usize = 8;
/// How far clocks are set from the true time, in milliseconds: nothing, minutes, days, years.
const CLOCKS: [i64; 7] = [0, 90_000, -90_000, 86_400_000, -86_400_000, 94_608_000_000, -94_608_000_000];

struct Evening {
    world: World,
    room: RoomId,
    library: Library,
    /// What was said, until it is acknowledged.
    said: BTreeMap<(At, Token), String>,
    acknowledged: BTreeMap<EventId, (At, String)>,
    questions: Vec<EventId>,
    invites: Vec<(EventId, Invite)>,
    /// Whose words were asked for.
    comparing: BTreeMap<(At, Token), At>,
}

#[test]
fn ten_companions_through_bad_nights() {
    for seed in seeds(2) {
        println!("SIM_SEED={seed}");
        evening(seed, 100);
    }
}

/// `SIM_SEED` picks one run, `SIM_RUNS` a number of them.
fn seeds(runs: u64) -> Vec<u64> {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match number("SIM_SEED") {
        Some(seed) => vec![seed],
        None => (1..=number("SIM_RUNS").unwrap_or(runs)).collect(),
    }
}

/// A whole evening, checked all along, and the room that came of it.
pub fn evening(seed: u64, steps: u32) -> (World, RoomId) {
    let mut world = World::new(seed, &NAMES);
    let room = found(&mut world, 0);
    for guest in 1..MEMBERS {
        bring_in(&mut world, room, guest / 2, guest);
    }
    let mut evening = Evening {
        world,
        room,
        library: Library::default(),
        said: BTreeMap::new(),
        acknowledged: BTreeMap::new(),
        questions: Vec::new(),
        invites: Vec::new(),
        comparing: BTreeMap::new(),
    };
    for step in 0..steps {
        evening.happen(step);
        evening.world.run(Duration::from_millis(200));
        evening.collect();
        if step % 10 == 0 {
            evening.check();
        }
    }
    evening.end();
    assert!(evening.acknowledged.len() as u32 > steps / 3, "only {} messages", evening.acknowledged.len());
    (evening.world, room)
}

impl Evening {
    fn dice(&mut self, sides: usize) -> usize {
        usize::try_from(self.world.rng.next_u64() % sides as u64).expect("small")
    }

    fn happen(&mut self, step: u32) {
        let at = self.dice(NAMES.len());
        match self.dice(30) {
            0 => self.world.crash(at),
            24..=29 => self.trouble(at),
            1 | 2 => self.start_all(),
            3 => self.world.partition(&[&[0, 1, 2, 8], &[3, 4, 5], &[6, 7, 9]]),
            4 => self.world.partition(&[&[0, 7, 4], &[1, 3, 5, 8, 9], &[6, 2]]),
            5 => self.world.heal(),
            6 => {
                self.world.network.break_one_in = 30;
                self.world.network.max_delay_ms = 400;
            }
            7..=11 if self.world.is_up(at) => self.change(at, step),
            _ => {
                for number in 0..=self.dice(4) {
                    let text = format!("{step}.{number} of {}", NAMES[at]);
                    self.send(at, Message::new(Kind::Chat, text));
                }
            }
        }
    }

    /// Links of which two sides do not think the same, clocks that people set, and machines that sleep.
    fn trouble(&mut self, at: At) {
        let other = self.dice(NAMES.len());
        match self.dice(8) {
            0 | 1 if at != other => self.world.mute(at, other),
            2 if at != other => self.world.forget_connection(at, other),
            3 => self.world.vanish(at),
            4 => self.world.unmute(),
            5 | 6 => {
                let off = CLOCKS[self.dice(CLOCKS.len())];
                self.world.set_clock(at, off);
            }
            _ => self.world.sleep(at),
        }
    }

    fn send(&mut self, at: At, message: Message) {
        if self.world.is_up(at) {
            let text = message.text.clone();
            let token = self.world.command(at, Command::Send { room: self.room, by: human(), message });
            self.said.insert((at, token), text);
        }
    }

    /// Something other than a message.
    fn change(&mut self, at: At, step: u32) {
        let (room, by) = (self.room, human());
        let other = self.dice(NAMES.len());
        let member = self.world.member(other);
        match self.dice(16) {
            0 | 1 => self.send(at, question(&format!("{step} of {}?", NAMES[at]))),
            2 | 3 => self.answer(at, step),
            4 => self.tell(at, Command::Name { room, by, session: None, name: format!("{}{}", NAMES[at], step % 3) }),
            5 => self.tell(at, Command::Name { room, by, session: Some(HUMAN), name: format!("desk{}", step % 5) }),
            6 => self.read(at),
            7 | 8 => self.tell(at, Command::Invite { room, by, expires_in: 60 * MINUTE, uses: 2 }),
            9 => self.join(),
            10 => {
                let invite = self.invites.last().map(|(id, _)| *id);
                invite.into_iter().for_each(|invite| self.tell(at, Command::CloseInvite { room, by, invite }));
            }
            11 => self.tell(at, Command::Remove { room, by, member, reason: None }),
            12 if at > 3 => self.tell(at, Command::Leave { room, by }),
            13 => {
                let draft = Draft { headline: format!("code of {step}"), ..Draft::default() };
                self.tell(at, Command::Share { room, by, draft, content: content(120_000, step as u8) });
            }
            14 => self.tell(at, Command::AddRelay { room, by, relay: relay(step % 12, step % 2) }),
            15 => self.tell(at, Command::RemoveRelay { room, by, relay: relay(step % 12, 0) }),
            _ if at != other => {
                let token = self.world.command(at, Command::Verify { room, by, member });
                self.comparing.insert((at, token), other);
            }
            _ => (),
        }
    }

    fn tell(&mut self, at: At, command: Command) {
        self.world.command(at, command);
    }

    fn answer(&mut self, at: At, step: u32) {
        if let Some(question) = self.questions.last().copied() {
            let mut answer = Message::new(Kind::Answer, format!("{step} answers {}", NAMES[at]));
            answer.answers = Some(question);
            self.send(at, answer);
        }
    }

    fn read(&mut self, at: At) {
        let room = self.room;
        let through = self.world.node(at).room(&room).map_or(0, |room| room.last_arrival());
        self.tell(at, Command::SessionStarted { room, session: HUMAN, origin: Origin::Human });
        self.tell(at, Command::Shown { room, by: human(), through });
    }

    fn join(&mut self) {
        for (at, name) in NAMES.iter().enumerate().skip(MEMBERS) {
            if let Some((_, invite)) = self.invites.last().filter(|_| self.world.is_up(at)) {
                let command = Command::Join { invite: invite.clone(), name: (*name).into() };
                self.tell(at, command);
            }
        }
    }

    fn start_all(&mut self) {
        for at in 0..NAMES.len() {
            self.world.wake(at);
            if !self.world.is_up(at) {
                self.world.start(at);
            }
        }
    }

    /// Takes note of what was acknowledged, and passes on words and invites as people would.
    fn collect(&mut self) {
        for at in 0..NAMES.len() {
            for (token, result) in std::mem::take(&mut self.world.machines[at].replies) {
                let said = self.said.remove(&(at, token));
                let compared = self.comparing.remove(&(at, token));
                match (result, said, compared) {
                    (Ok(Outcome::Said { event, .. }), Some(text), _) => {
                        if text.ends_with('?') {
                            self.questions.push(event);
                        }
                        self.acknowledged.insert(event, (at, text));
                    }
                    (Ok(Outcome::Invited { id, invite }), ..) => self.invites.push((id, invite)),
                    (Ok(Outcome::Words { say: Some(words), .. }), _, Some(other)) => {
                        let member = self.world.member(at);
                        let words = words.0.join(" ");
                        self.tell(other, Command::Heard { room: self.room, by: human(), member, words });
                    }
                    _ => (),
                }
            }
        }
    }

    fn check(&mut self) {
        for at in 0..NAMES.len() {
            if self.world.is_up(at) && self.world.node(at).room(&self.room).is_some() {
                is_true(&self.world, &mut self.library, at, self.room).unwrap();
            }
        }
    }

    /// Those who are members for alice, who stays.
    fn standing(&self) -> Vec<At> {
        let room = self.world.node(0).room(&self.room).expect("alice stays");
        (0..NAMES.len()).filter(|at| room.is_member(&self.world.member(*at))).collect()
    }

    /// The morning after: everybody is up, hears everybody and says so.
    fn end(&mut self) {
        self.start_all();
        self.world.heal();
        self.world.run(2 * MINUTE);
        for _ in 0..2 {
            for at in self.standing() {
                self.send(at, Message::new(Kind::Chat, format!("good morning from {}", NAMES[at])));
            }
            self.world.run(2 * MINUTE);
            self.collect();
        }
        let room = self.room;
        let standing = self.standing();
        let agreed = self.world.run_until(10 * MINUTE, |world| have_the_same(world, room, &standing));
        assert!(agreed, "no agreement among {standing:?}");
        self.world.run(MINUTE);
        assert!(standing.iter().all(|at| self.world.node(*at).room(&room).is_some_and(Room::is_settled)));
        agree(&self.world, room, &standing).unwrap();
        self.check();
        self.check_artifacts(&standing);
        let transcript = transcript(&self.world, room, 0);
        for (event, (at, text)) in &self.acknowledged {
            let times = transcript.iter().filter(|(id, said)| id == event && said == text).count();
            assert_eq!(times, usize::from(standing.contains(at)).max(times.min(1)), "{text}");
        }
    }
}

impl Evening {
    /// What somebody shared who is still there is with everybody.
    fn check_artifacts(&mut self, standing: &[At]) {
        let room = self.room;
        let members: Vec<_> = standing.iter().map(|at| self.world.member(*at)).collect();
        let artifacts = &self.world.node(0).room(&room).expect("a member").state().artifacts;
        let artifacts = artifacts.iter().filter(|(_, artifact)| members.contains(&artifact.by));
        for artifact in artifacts.map(|(id, _)| *id).collect::<Vec<_>>() {
            for at in standing {
                let whole = |world: &World| is_whole(world, room, *at, artifact);
                assert!(self.world.run_until(10 * MINUTE, whole), "{} lacks {artifact}", NAMES[*at]);
            }
        }
    }
}

/// One of a few relays, with one of two tokens.
fn relay(host: u32, token: u32) -> String {
    format!("/ip4/203.0.113.{host}/tcp/4011/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN#prt-{token}")
}
