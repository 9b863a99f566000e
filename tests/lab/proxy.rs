//! A company whose only way out is its HTTP proxy, which connects to 443 and to nothing else.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};

use patchbay::Router;

use crate::site::let_nothing_out;

const PORT: u16 = 3128;
/// The only port that it connects to, as such proxies do.
const LETS_OUT: &str = "443";
/// Longer heads than anybody sends.
const HEAD: usize = 8 * 1024;

/// Makes a proxy on this router the only way out; gives its URL.
pub async fn build(router: &Router) -> String {
    let_nothing_out(router).await;
    let listener = router.run_sync(|| Ok(TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT))?)).expect("a free port");
    // Threads stay in the network of the one that starts them.
    let serve_all = move || {
        listener.incoming().flatten().for_each(|client| drop(std::thread::spawn(|| serve(client))));
        Ok(())
    };
    router.spawn_thread(serve_all).expect("a thread");
    format!("http://{}:{PORT}", router.downstream_gw().expect("an address"))
}

/// A client that is refused, or goes away, needs no more than its end.
fn serve(mut client: TcpStream) -> io::Result<()> {
    let head = head(&mut client)?;
    let mut words = head.split(' ');
    let place = words.next().filter(|method| *method == "CONNECT").and(words.next()).unwrap_or_default();
    if place.rsplit_once(':').is_none_or(|(_, port)| port != LETS_OUT) {
        return client.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    }
    let Ok(server) = TcpStream::connect(place) else {
        return client.write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
    };
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let (from, to) = (client.try_clone()?, server.try_clone()?);
    std::thread::spawn(|| pass(from, to));
    pass(server, client)
}

fn head(client: &mut TcpStream) -> io::Result<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && head.len() < HEAD {
        client.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

fn pass(mut from: TcpStream, mut to: TcpStream) -> io::Result<()> {
    io::copy(&mut from, &mut to)?;
    to.shutdown(Shutdown::Write)
}
