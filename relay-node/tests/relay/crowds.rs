//! Whoever fills up what a relay has for one address is alone with that.

use std::io::ErrorKind;
use std::net::SocketAddr;

use relay_node::Limits;
use tokio::net::{TcpSocket, TcpStream};

use crate::client::Client;
use crate::world::World;

/// More than a relay has places for handshakes.
const SILENT: usize = 600;

#[tokio::test(flavor = "multi_thread")]
async fn who_opens_sockets_and_says_nothing_shuts_nobody_else_out() {
    for part in ["/tcp/", "/ws/"] {
        let world = World::new().await;
        let relay = world.address(part);
        let mut silent = Vec::new();
        for _ in 0..SILENT {
            silent.push(say_nothing(&relay).await);
        }
        // Sockets are taken in the order in which they came, so that all of those were looked at before.
        Client::new().dial(&relay).await.expect("a connection at the first attempt");
        let open = silent.iter().filter(|stream| is_open(stream)).count();
        assert!(open <= Limits::default().handshakes_per_address as usize, "{open} of them wait, {part}");
    }
}

/// A socket from another address of this machine.
async fn say_nothing(relay: &str) -> TcpStream {
    let parts: Vec<&str> = relay.split('/').collect();
    let to: SocketAddr = format!("{}:{}", parts[2], parts[4]).parse().expect("an address");
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.2:0".parse().expect("an address")).expect("an address of the loopback");
    socket.connect(to).await.expect("it is taken")
}

fn is_open(stream: &TcpStream) -> bool {
    matches!(stream.try_read(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock)
}
