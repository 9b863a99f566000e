//! The relays of a room.

use pairwave_api::{AddRelay, Code, Failure, RelayList, RelayView, Relays, RemoveRelay};
use pairwave_core::command::{Command, Refusal};
use pairwave_core::id::RoomId;
use pairwave_core::relays::{RelayName, without_token};

use super::{Answers, for_humans};
use crate::caller::Caller;
use crate::net::{Multiaddr, NetStatus};
use crate::refusals::refused;
use crate::view;

impl Answers {
    pub(super) async fn relays(&self, by: &Caller, ask: &Relays) -> Result<RelayList, Failure> {
        let room = self.room(by, &ask.room).await?;
        self.relay_list(room).await
    }

    pub(super) async fn add_relay(&self, by: &Caller, ask: &AddRelay) -> Result<RelayList, Failure> {
        for_humans(by)?;
        let relay = ask.relay.trim().to_owned();
        check(&relay)?;
        let room = self.room(by, &ask.room).await?;
        self.scan_relays(by, Some(room), std::slice::from_ref(&relay)).await?;
        self.command(Command::AddRelay { room, by: by.speaker, relay }).await?;
        self.relay_list(room).await
    }

    pub(super) async fn remove_relay(&self, by: &Caller, ask: &RemoveRelay) -> Result<RelayList, Failure> {
        for_humans(by)?;
        let room = self.room(by, &ask.room).await?;
        self.command(Command::RemoveRelay { room, by: by.speaker, relay: ask.relay.trim().to_owned() }).await?;
        self.relay_list(room).await
    }

    /// Names those relays that a room is opened with. In a room that is there already, it takes a human.
    pub(super) async fn name_relays(
        &self,
        by: &Caller,
        room: RoomId,
        relays: &[String],
        already: bool,
    ) -> Result<(), Failure> {
        for relay in relays {
            if already {
                for_humans(by)?;
            }
            self.scan_relays(by, Some(room), std::slice::from_ref(relay)).await?;
            let command = Command::AddRelay { room, by: by.speaker, relay: relay.trim().to_owned() };
            match self.parts.driver.command(command).await {
                Ok(_) | Err(Refusal::RelayThere) => {}
                Err(refusal) => return Err(refused(refusal)),
            }
        }
        Ok(())
    }

    /// The token of a relay is a secret that the members share on purpose; its address must hold none.
    pub(super) async fn scan_relays(
        &self,
        by: &Caller,
        room: Option<RoomId>,
        relays: &[String],
    ) -> Result<(), Failure> {
        let texts: Vec<_> = relays.iter().map(|relay| ("relay", without_token(relay))).collect();
        self.scan(by, room, &texts).await
    }

    async fn relay_list(&self, room: RoomId) -> Result<RelayList, Failure> {
        let network = (self.parts.network)().await;
        let relays = move |viewer: &view::Viewer<'_, _>| {
            let named = viewer.room().state().relays.iter();
            Ok(RelayList { relays: named.map(|relay| relay_view(relay, &network)).collect() })
        };
        self.look(room, relays).await
    }
}

/// Refuses what names no relay before anything is done.
pub(super) fn check(relay: &str) -> Result<(), Failure> {
    let wrong = |why: String| {
        let next = "Give the whole line that `pairwave relay-node` printed.";
        Failure::new(Code::Usage, "not_a_relay", format!("{why}: {:?}", without_token(relay)), next)
    };
    let name = RelayName::parse(relay.trim()).map_err(|error| wrong(error.to_string()))?;
    match name.address.parse::<Multiaddr>() {
        Ok(_) => Ok(()),
        Err(error) => Err(wrong(format!("This is no multiaddr ({error})"))),
    }
}

/// How we stand with the relay of this address: all addresses of one peer are one relay.
fn relay_view(relay: &str, network: &NetStatus) -> RelayView {
    let peer = |relay: &str| RelayName::parse(relay).ok().map(|name| name.peer.to_owned());
    let address = without_token(relay).to_owned();
    match network.relays.iter().find(|known| peer(&known.address) == peer(relay)) {
        Some(known) => RelayView { address, ..view::relay(known) },
        None => RelayView {
            address,
            reserved: false,
            connected: false,
            rtt_ms: None,
            why: Some("it is about to be tried".to_owned()),
            token_refused: None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RELAY: &str = "/ip4/203.0.113.7/udp/4011/quic-v1/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";

    #[test]
    fn what_is_no_relay_is_wrong_usage_and_no_token_is_repeated() {
        assert!(check(RELAY).is_ok() && check(&format!(" {RELAY}#prt-abc\n")).is_ok());
        for wrong in ["relay.example.org#secret", "/ip4/203.0.113.7/tcp/1#secret", "/ip9/1#secret"] {
            let failure = check(wrong).unwrap_err();
            assert_eq!((failure.code, failure.rule.as_str()), (Code::Usage, "not_a_relay"));
            assert!(!failure.message.contains("secret"), "{failure}");
        }
        let odd = RELAY.replace("/ip4/203.0.113.7", "/ip9/203.0.113.7");
        assert!(check(&odd).unwrap_err().message.contains("no multiaddr"));
    }
}
