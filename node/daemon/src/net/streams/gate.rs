//! What strangers may cost. Everybody is one until a stream has brought a frame that was worth an
//! answer.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use libp2p::swarm::ConnectionId;
use pairwave_core::input::{LinkId, Protocol};

use crate::net::address::Origin;

/// Streams of one connection that have proved nothing.
const UNPROVED_PER_CONNECTION: usize = 4;
/// Streams of all connections that have proved nothing.
const UNPROVED: usize = 32;
/// Streams that others opened on one connection.
const PER_CONNECTION: usize = 64;
/// Connections that others made from one origin.
const CONNECTIONS: usize = 32;
/// Knocks from one origin per [`PERIOD`].
const KNOCKS: usize = 5;
/// Streams from one origin per [`PERIOD`]; a room's that proved itself does not count.
const STREAMS: usize = 30;
/// Connections from one origin per [`PERIOD`]: each costs us a handshake.
const HANDSHAKES: usize = 120;
const PERIOD: Duration = Duration::from_secs(60);
/// Origins that are remembered.
const ORIGINS: usize = 1024;

/// Why a stream or a connection is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    #[error("{got} streams of this connection have proved nothing, at most {UNPROVED_PER_CONNECTION} may")]
    Unproved { got: usize },
    #[error("{got} streams of strangers wait, at most {UNPROVED} may")]
    Crowd { got: usize },
    #[error("this connection has {got} streams, at most {PER_CONNECTION} are allowed")]
    Streams { got: usize },
    #[error("{got} knocks came from there within a minute, at most {KNOCKS} may")]
    Knocks { got: usize },
    #[error("{got} streams came from there within a minute, at most {STREAMS} may")]
    Rate { got: usize },
    #[error("{got} connections came from there, at most {CONNECTIONS} may")]
    Connections { got: usize },
    #[error("{got} connections were begun from there within a minute, at most {HANDSHAKES} may")]
    Handshakes { got: usize },
}

/// Who has been let in, and what each origin has asked for lately.
#[derive(Debug, Default)]
pub struct Gate {
    guests: HashMap<LinkId, Guest>,
    origins: HashMap<Origin, Visits>,
}

#[derive(Debug)]
struct Guest {
    connection: ConnectionId,
    origin: Origin,
    protocol: Protocol,
    proved: bool,
}

/// When each visit of the last period was, oldest first.
#[derive(Debug, Default)]
struct Visits {
    knocks: VecDeque<Instant>,
    streams: VecDeque<Instant>,
    connections: VecDeque<Instant>,
}

impl Gate {
    /// Lets a stream in, or says why not.
    pub fn admit(
        &mut self,
        link: LinkId,
        connection: ConnectionId,
        origin: Origin,
        protocol: Protocol,
        now: Instant,
    ) -> Result<(), Denied> {
        self.check_crowd(connection)?;
        self.make_room(origin, now);
        self.origins.entry(origin).or_default().admit(protocol, now)?;
        self.guests.insert(link, Guest { connection, origin, protocol, proved: false });
        Ok(())
    }

    /// Its first frame was worth an answer.
    pub fn proved(&mut self, link: LinkId) {
        let Some(guest) = self.guests.get_mut(&link) else { return };
        guest.proved = true;
        // Members with many rooms, or a bad network, open many streams. Knocks are always counted:
        // whoever holds an invite could go on knocking with it.
        if guest.protocol == Protocol::Room
            && let Some(visits) = self.origins.get_mut(&guest.origin)
        {
            visits.streams.pop_back();
        }
    }

    pub fn ended(&mut self, link: LinkId) {
        self.guests.remove(&link);
    }

    /// Lets somebody begin a connection, or says why not.
    pub fn begin_connection(&mut self, origin: Origin, now: Instant) -> Result<(), Denied> {
        self.make_room(origin, now);
        self.origins.entry(origin).or_default().begin_connection(now)
    }

    /// Whether one more connection may come from where there are `got` already.
    pub fn check_connections(&self, got: usize) -> Result<(), Denied> {
        if got < CONNECTIONS { Ok(()) } else { Err(Denied::Connections { got }) }
    }

    fn check_crowd(&self, connection: ConnectionId) -> Result<(), Denied> {
        let on_it = || self.guests.values().filter(|guest| guest.connection == connection);
        let got = on_it().count();
        if got >= PER_CONNECTION {
            return Err(Denied::Streams { got });
        }
        let got = on_it().filter(|guest| !guest.proved).count();
        if got >= UNPROVED_PER_CONNECTION {
            return Err(Denied::Unproved { got });
        }
        let got = self.guests.values().filter(|guest| !guest.proved).count();
        if got >= UNPROVED { Err(Denied::Crowd { got }) } else { Ok(()) }
    }

    /// Forgets who has not come for a period, and if that is not enough, who has come least lately.
    fn make_room(&mut self, origin: Origin, now: Instant) {
        if self.origins.len() < ORIGINS || self.origins.contains_key(&origin) {
            return;
        }
        self.origins.retain(|_, visits| visits.last().is_some_and(|last| now - last < PERIOD));
        if self.origins.len() >= ORIGINS {
            let oldest = self.origins.iter().min_by_key(|(_, visits)| visits.last()).map(|(origin, _)| *origin);
            oldest.map(|oldest| self.origins.remove(&oldest));
        }
    }
}

impl Visits {
    fn admit(&mut self, protocol: Protocol, now: Instant) -> Result<(), Denied> {
        self.forget(now);
        let got = self.streams.len();
        if got >= STREAMS {
            return Err(Denied::Rate { got });
        }
        if protocol == Protocol::Knock {
            let got = self.knocks.len();
            if got >= KNOCKS {
                return Err(Denied::Knocks { got });
            }
            self.knocks.push_back(now);
        }
        self.streams.push_back(now);
        Ok(())
    }

    fn begin_connection(&mut self, now: Instant) -> Result<(), Denied> {
        self.forget(now);
        let got = self.connections.len();
        if got >= HANDSHAKES {
            return Err(Denied::Handshakes { got });
        }
        self.connections.push_back(now);
        Ok(())
    }

    fn forget(&mut self, now: Instant) {
        for visits in [&mut self.knocks, &mut self.streams, &mut self.connections] {
            while visits.front().is_some_and(|first| now - *first >= PERIOD) {
                visits.pop_front();
            }
        }
    }

    fn last(&self) -> Option<Instant> {
        self.streams.back().max(self.knocks.back()).max(self.connections.back()).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bench {
        gate: Gate,
        now: Instant,
        next: u64,
    }

    impl Bench {
        fn new() -> Self {
            Self { gate: Gate::default(), now: Instant::now(), next: 1 }
        }

        fn admit(&mut self, connection: usize, from: &str, protocol: Protocol) -> Result<LinkId, Denied> {
            let link = LinkId(self.next);
            self.next += 2;
            let origin = Origin::of(&format!("/ip4/{from}/tcp/1").parse().unwrap());
            let connection = ConnectionId::new_unchecked(connection);
            self.gate.admit(link, connection, origin, protocol, self.now).map(|()| link)
        }

        /// A stream that came and went.
        fn visit(&mut self, from: &str, protocol: Protocol) -> Result<(), Denied> {
            let link = self.admit(1, from, protocol)?;
            self.gate.ended(link);
            Ok(())
        }
    }

    #[test]
    fn few_streams_of_a_connection_may_be_unproved() {
        let mut bench = Bench::new();
        let links: Vec<LinkId> =
            (0..UNPROVED_PER_CONNECTION).map(|_| bench.admit(1, "10.0.0.1", Protocol::Room).unwrap()).collect();
        let refused = bench.admit(1, "10.0.0.1", Protocol::Room);
        assert_eq!(refused, Err(Denied::Unproved { got: UNPROVED_PER_CONNECTION }));
        bench.gate.proved(links[0]);
        assert!(bench.admit(1, "10.0.0.1", Protocol::Room).is_ok());
        assert!(bench.admit(1, "10.0.0.1", Protocol::Room).is_err());
        bench.gate.ended(links[1]);
        assert!(bench.admit(1, "10.0.0.1", Protocol::Room).is_ok());
    }

    #[test]
    fn few_streams_in_all_may_be_unproved() {
        let mut bench = Bench::new();
        for number in 0..UNPROVED {
            bench.admit(number, &format!("10.0.0.{number}"), Protocol::Room).unwrap();
        }
        assert_eq!(bench.admit(99, "10.0.1.1", Protocol::Room), Err(Denied::Crowd { got: UNPROVED }));
    }

    #[test]
    fn a_member_may_have_many_rooms_but_not_endlessly_many() {
        let mut bench = Bench::new();
        for _ in 0..PER_CONNECTION {
            let link = bench.admit(1, "10.0.0.1", Protocol::Room).unwrap();
            bench.gate.proved(link);
        }
        assert_eq!(bench.admit(1, "10.0.0.1", Protocol::Room), Err(Denied::Streams { got: PER_CONNECTION }));
    }

    #[test]
    fn knocks_and_streams_are_counted_by_the_minute_and_origin() {
        let mut bench = Bench::new();
        for _ in 0..KNOCKS {
            bench.visit("10.0.0.1", Protocol::Knock).unwrap();
        }
        assert_eq!(bench.visit("10.0.0.1", Protocol::Knock), Err(Denied::Knocks { got: KNOCKS }));
        assert_eq!(bench.visit("10.0.0.2", Protocol::Knock), Ok(()));
        for _ in KNOCKS..STREAMS {
            bench.visit("10.0.0.1", Protocol::Room).unwrap();
        }
        assert_eq!(bench.visit("10.0.0.1", Protocol::Room), Err(Denied::Rate { got: STREAMS }));
        bench.now += PERIOD;
        assert_eq!(bench.visit("10.0.0.1", Protocol::Knock), Ok(()));
    }

    #[test]
    fn a_knock_that_proved_itself_still_counts() {
        let mut bench = Bench::new();
        for _ in 0..KNOCKS {
            let link = bench.admit(1, "10.0.0.1", Protocol::Knock).unwrap();
            bench.gate.proved(link);
            bench.gate.ended(link);
        }
        assert_eq!(bench.visit("10.0.0.1", Protocol::Knock), Err(Denied::Knocks { got: KNOCKS }));
    }

    #[test]
    fn handshakes_are_counted_by_the_minute_and_origin() {
        let mut bench = Bench::new();
        let origin = |text: &str| Origin::of(&text.parse().unwrap());
        let (one, other) = (origin("/ip4/10.0.0.1/tcp/1"), origin("/ip4/10.0.0.2/tcp/1"));
        for _ in 0..HANDSHAKES {
            bench.gate.begin_connection(one, bench.now).unwrap();
        }
        assert_eq!(bench.gate.begin_connection(one, bench.now), Err(Denied::Handshakes { got: HANDSHAKES }));
        assert_eq!(bench.gate.begin_connection(other, bench.now), Ok(()));
        assert_eq!(bench.gate.begin_connection(one, bench.now + PERIOD), Ok(()));
    }

    #[test]
    fn origins_are_forgotten() {
        let mut bench = Bench::new();
        for number in 0..2 * ORIGINS {
            bench.visit(&format!("10.0.{}.{}", number / 256, number % 256), Protocol::Room).unwrap();
        }
        assert_eq!(bench.gate.origins.len(), ORIGINS);
        bench.now += PERIOD;
        bench.visit("10.9.9.9", Protocol::Room).unwrap();
        assert_eq!(bench.gate.origins.len(), 1);
    }
}
