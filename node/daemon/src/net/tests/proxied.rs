//! A relay that only a company's proxy lets us reach.

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use super::relay::TestRelay;
use super::*;

/// A proxy that wants a login and knows where every name leads; it tells what it was asked.
async fn proxy() -> (u16, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (told, asked) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(client, told.clone()));
        }
    });
    (port, asked)
}

async fn serve(mut client: TcpStream, told: mpsc::UnboundedSender<String>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    let _ = told.send(head.clone());
    if !head.contains("Proxy-Authorization: Basic YWxpY2U6c2VjcmV0\r\n") {
        let _ = client.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await;
        return;
    }
    let port: u16 = head.split(' ').nth(1).unwrap().rsplit(':').next().unwrap().parse().unwrap();
    let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
    let _ = copy_bidirectional(&mut client, &mut server).await;
}

async fn behind(login: &str, relay: &TestRelay) -> (Node, mpsc::UnboundedReceiver<String>) {
    let (port, asked) = proxy().await;
    let proxy = Proxy::parse(&format!("http://{login}@127.0.0.1:{port}"), "").unwrap();
    let alice = Node::start(1, NetConfig { proxy: Some(proxy), ..config(&[TCP]) }).await;
    let tcp = relay.texts().into_iter().find(|text| text.contains("/tcp/")).unwrap();
    alice.net.do_(NetCommand::Relays { relays: vec![tcp.replace("/ip4/127.0.0.1", "/dns4/relay.example")] });
    (alice, asked)
}

#[tokio::test]
async fn a_relay_is_reached_through_the_proxy_which_resolves_its_name() {
    let relay = TestRelay::start(9).await;
    let (mut alice, mut asked) = behind("alice:secret", &relay).await;
    alice.reserved(1).await;
    assert!(asked.recv().await.unwrap().starts_with("CONNECT relay.example:"));
    // What is near is reached without it.
    let mut bob = Node::start(2, config(&[TCP])).await;
    alice.net.do_(NetCommand::Dial { peer: Some(bob.id()), addresses: bob.addresses.clone() });
    bob.until(|event| matches!(event, NetEvent::Connected { .. })).await;
    assert!(asked.try_recv().is_err());
}

#[tokio::test]
async fn a_login_that_the_proxy_does_not_take_is_said_to_be_the_reason() {
    let relay = TestRelay::start(9).await;
    let (alice, mut asked) = behind("alice:guess", &relay).await;
    timeout(LONG, asked.recv()).await.unwrap().unwrap();
    let why = async {
        loop {
            let status = alice.net.status().await.relays.remove(0);
            if let Some(why) = status.why.filter(|why| why.contains("login")) {
                return why;
            }
        }
    };
    assert_eq!(timeout(LONG, why).await.unwrap(), "the proxy wants another login");
}
