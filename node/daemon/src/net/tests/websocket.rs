//! The relay that is shipped, reached as a network that lets out only web traffic allows.

use relay_node::{Options, Relay};

use super::*;

#[tokio::test]
async fn a_reservation_and_a_circuit_over_websocket_alone() {
    let folder = tempfile::tempdir().unwrap();
    let listen = ["/ip4/127.0.0.1/tcp/0/ws".to_owned()];
    let options = Options { listen: listen.into(), ..Options::new(folder.path().join("relay")) };
    let relay = Relay::spawn(options).await.unwrap();
    let address = relay.listening().into_iter().find(|text| text.contains("/ws/")).unwrap();
    let (mut alice, mut bob) = (Node::start(1, config(&[TCP])).await, Node::start(2, config(&[TCP])).await);
    for node in [&mut alice, &mut bob] {
        node.wish(&[&address]);
        node.reserved(1).await;
    }
    let circuit = vec![format!("{address}/p2p-circuit")];
    alice.connect_through(circuit, &mut bob).await;
    relay.stop().await;
}
