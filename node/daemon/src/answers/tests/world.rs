//! People with real companions, but for the network: a table over which they hand each other frames.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use pairwave_api::{
    AcceptCharter, Ask, CharterText, ClaimFloor, Created, Face, Failure, Hello, Home, Join, JoinState, Joined,
    ProposeCharter, Request, ShowCharter, Verify,
};
use pairwave_core::effect::Effect;
use pairwave_core::input::{Input, LinkId};
use pairwave_core::key::{Identity, StorageKey};
use pairwave_core::node::{Limits, Node};
use pairwave_wire::TransportId;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use crate::answers::{Answers, Parts};
use crate::caller::Caller;
use crate::clock::Clock;
use crate::config::Config;
use crate::control::Service;
use crate::driver::{Driver, Network};
use crate::net::{ConnectionStatus, NetStatus, Path};
use crate::store::{Bindings, Committer, Options, Store};

/// Where everybody's companion is.
#[derive(Clone, Default)]
pub struct Table(Arc<Mutex<Seats>>);

#[derive(Default)]
struct Seats {
    inputs: BTreeMap<TransportId, UnboundedSender<Input>>,
    /// Each end of a stream → the other end.
    ends: BTreeMap<(TransportId, LinkId), (TransportId, LinkId)>,
    last: u64,
}

/// One companion's place at the table.
struct Place {
    me: TransportId,
    table: Table,
    inputs: UnboundedReceiver<Input>,
}

impl Network for Place {
    fn carry_out(&self, effect: Effect) {
        self.table.0.lock().unwrap().carry_out(&self.me, effect);
    }

    async fn next(&mut self) -> Option<Input> {
        self.inputs.recv().await
    }
}

impl Seats {
    fn tell(&self, who: &TransportId, input: Input) {
        if let Some(inputs) = self.inputs.get(who) {
            let _ = inputs.send(input);
        }
    }

    fn carry_out(&mut self, me: &TransportId, effect: Effect) {
        match effect {
            Effect::Dial { peer: Some(peer), .. } if self.inputs.contains_key(&peer) => {
                let address = "/ip4/10.0.0.1/tcp/1".to_owned();
                self.tell(me, Input::Connected { peer: peer.clone(), address: address.clone() });
                self.tell(&peer, Input::Connected { peer: me.clone(), address });
            }
            Effect::Dial { peer: Some(peer), .. } => self.tell(me, Input::Disconnected { peer }),
            Effect::Open { link, peer, protocol } => {
                self.last += 1;
                let theirs = LinkId(2 * self.last + 1);
                self.ends.insert((me.clone(), link), (peer.clone(), theirs));
                self.ends.insert((peer.clone(), theirs), (me.clone(), link));
                self.tell(&peer, Input::Accepted { link: theirs, peer: me.clone(), protocol });
                self.tell(me, Input::Opened { link });
            }
            Effect::Send { link, frame } => {
                if let Some((peer, theirs)) = self.ends.get(&(me.clone(), link)) {
                    self.tell(peer, Input::Frame { link: *theirs, bytes: frame });
                    self.tell(me, Input::Sent { link });
                }
            }
            Effect::Hangup { link } => self.end(me, link),
            _ => {}
        }
    }

    fn end(&mut self, me: &TransportId, link: LinkId) {
        let Some((peer, theirs)) = self.ends.remove(&(me.clone(), link)) else { return };
        self.ends.remove(&(peer.clone(), theirs));
        self.tell(me, Input::Closed { link });
        self.tell(&peer, Input::Closed { link: theirs });
    }
}

impl Table {
    /// Something happens to a companion that the others have no part in.
    pub fn tell(&self, person: &Person, input: Input) {
        self.0.lock().unwrap().tell(&person.transport, input);
    }

    /// Nobody can dial whoever sits here. Give what this returns to `show`.
    pub fn hide(&self, person: &Person) -> UnboundedSender<Input> {
        self.0.lock().unwrap().inputs.remove(&person.transport).expect("it sits here")
    }

    pub fn show(&self, person: &Person, inputs: UnboundedSender<Input>) {
        self.0.lock().unwrap().inputs.insert(person.transport.clone(), inputs);
    }

    /// Whoever sits here is gone from one moment to the next.
    pub fn leave(&self, person: &Person) {
        let mut seats = self.0.lock().unwrap();
        let ends: Vec<_> = seats.ends.keys().filter(|(who, _)| *who == person.transport).cloned().collect();
        for (who, link) in ends {
            seats.end(&who, link);
        }
        seats.inputs.remove(&person.transport);
        for who in seats.inputs.keys() {
            seats.tell(who, Input::Disconnected { peer: person.transport.clone() });
        }
    }
}

/// Somebody with a home, a project folder and a companion.
pub struct Person {
    pub answers: Arc<Answers>,
    pub dir: PathBuf,
    pub name: &'static str,
    transport: TransportId,
    caller: Caller,
    _folder: tempfile::TempDir,
}

impl Person {
    pub async fn new(table: &Table, name: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (store, dir) = (folder.path().join("store"), folder.path().join("project"));
        std::fs::create_dir_all(&store).unwrap();
        std::fs::create_dir_all(&dir).unwrap();
        let number = name.bytes().fold(0, u8::wrapping_add);
        let identity = Identity::from_secret(&[number; 32]);
        let (me, transport) = (identity.member(), TransportId::new([number; 38]).unwrap());
        let options = Options { cache: 1 << 20, markers: folder.path().join("rooms") };
        let store = Store::open(&store, StorageKey::new([1; 32]), options).unwrap();
        let (tell, told) = mpsc::unbounded_channel();
        let committer = Committer::start(&store, me, tell).unwrap();
        let bindings = Bindings::load(&store, committer.clone()).unwrap();
        let (inputs, queue) = mpsc::unbounded_channel();
        inputs.send(Input::Listening { addresses: vec!["/ip4/10.0.0.1/tcp/1".into()] }).unwrap();
        table.0.lock().unwrap().inputs.insert(transport.clone(), inputs);
        let network = Place { me: transport.clone(), table: table.clone(), inputs: queue };
        let clock = Arc::new(Clock::start());
        let node = Node::new(identity, transport.clone(), Limits::default(), [number; 32], store.reader(), clock.now());
        let (driver, run) = Driver { node, store, committer, told, network, clock }.start();
        tokio::spawn(run);
        let seats = table.0.clone();
        let network = Box::new(move || std::future::ready(status(&seats.lock().unwrap())).boxed());
        let home = Home::new(folder.path());
        let answers = Answers::new(Parts {
            home,
            me,
            name: name.into(),
            driver,
            bindings,
            network,
            rates: Config::default().rates(),
        });
        let hello = Hello { agent: false, session: None, ..Hello::new(Face::Cli) };
        let caller = answers.welcome(Hello { dir: Some(dir.clone()), ..hello }, None).await.unwrap();
        Self { answers, dir, name, transport, caller, _folder: folder }
    }

    /// Somebody else of this person who connects.
    pub async fn caller(&self, face: Face, session: &str) -> Caller {
        let hello =
            Hello { session: Some(session.into()), agent: false, dir: Some(self.dir.clone()), ..Hello::new(face) };
        self.answers.welcome(hello, None).await.unwrap()
    }

    /// Asks as the human.
    pub async fn ask<A: Ask>(&self, ask: A) -> Result<A::Answer, Failure> {
        self.ask_as(&self.caller, ask).await
    }

    /// Asks as somebody, and takes the answer.
    pub async fn ask_as<A: Ask>(&self, caller: &Caller, ask: A) -> Result<A::Answer, Failure> {
        let request: Request = ask.into();
        let reply = self.answers.call(caller, request).await?;
        if let Some(written) = reply.written {
            written.await;
        }
        Ok(serde_json::from_value(reply.value).unwrap())
    }

    pub async fn opens(&self) -> Created {
        let create = pairwave_api::Create {
            dir: self.dir.clone(),
            title: Some("lab".into()),
            name: Some(self.name.into()),
            relays: Vec::new(),
        };
        self.ask(create).await.unwrap()
    }

    pub async fn tries(&self, invite: &str, wait_s: u64) -> Result<Joined, Failure> {
        let join = Join { invite: invite.into(), dir: self.dir.clone(), name: Some(self.name.into()), wait_s };
        self.ask(join).await
    }

    /// Asks again and again, whenever something happened, until the answer will do.
    pub async fn until<A: Ask + Clone, T>(&self, ask: A, will_do: impl Fn(A::Answer) -> Option<T>) -> T {
        let mut notices = self.answers.parts.driver.notices();
        loop {
            if let Some(done) = will_do(self.ask(ask.clone()).await.unwrap()) {
                return done;
            }
            let _ = notices.recv().await;
        }
    }
}

/// Alice opens a room and Bob joins it; both see each other.
pub async fn two() -> (Table, Person, Person) {
    let table = Table::default();
    let (alice, bob) = (Person::new(&table, "alice").await, Person::new(&table, "bob").await);
    let opened = alice.opens().await;
    assert_eq!(bob.tries(&opened.invite, 600).await.unwrap().state, JoinState::Admitted);
    for person in [&alice, &bob] {
        person.until(pairwave_api::Rooms {}, |list| (list.rooms[0].online == 1).then_some(())).await;
    }
    (table, alice, bob)
}

/// As [`two`]; they have compared words and agreed on a charter, and Alice has the floor.
pub async fn two_who_agreed() -> (Table, Person, Person) {
    let (table, alice, bob) = two().await;
    let heard = |say: &[String]| Verify { heard: Some(say.join(" ")), ..Verify::default() };
    let (hers, his) = (alice.ask(Verify::default()).await.unwrap(), bob.ask(Verify::default()).await.unwrap());
    assert!(alice.ask(heard(&his.say)).await.unwrap().verified);
    assert!(bob.ask(heard(&hers.say)).await.unwrap().verified);
    let charter = CharterText { title: "a parser".into(), purpose: "to share code".into(), ..CharterText::default() };
    alice.ask(ProposeCharter { room: None, charter }).await.unwrap();
    bob.until(ShowCharter::default(), |charter| (charter.state == "proposed").then_some(())).await;
    bob.ask(AcceptCharter::default()).await.unwrap();
    alice.until(ShowCharter::default(), |charter| (charter.state == "agreed").then_some(())).await;
    assert!(alice.ask(ClaimFloor::default()).await.unwrap().yours);
    (table, alice, bob)
}

fn status(seats: &Seats) -> NetStatus {
    let connections = seats.inputs.keys().map(|peer| ConnectionStatus {
        peer: peer.clone(),
        path: Path::Lan,
        address: "/ip4/10.0.0.1/tcp/1".into(),
        rtt_ms: Some(0.7),
        agent: Some(pairwave_wire::protocol::agent_version()),
    });
    NetStatus {
        listening: vec!["/ip4/10.0.0.1/tcp/1".into()],
        connections: connections.collect(),
        ..NetStatus::default()
    }
}
