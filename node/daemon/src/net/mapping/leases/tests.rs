//! Leases, against a router as small as a test needs it.

use tokio::net::UdpSocket;
use tokio::time::timeout;

use super::*;

/// Only keeps a broken test from hanging.
const LONG: Duration = Duration::from_secs(30);
const BY_UDP: &str = "/ip4/127.0.0.1/udp/4321/quic-v1";
const BY_TCP: &str = "/ip4/127.0.0.1/tcp/4321";
const OUTSIDE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 9);

/// How a router behaves.
#[derive(Clone, Copy)]
struct Manners {
    pcp: bool,
    /// A result code; 0 is success.
    result: u8,
    seconds: u32,
    outside: Ipv4Addr,
}

const FRIENDLY: Manners = Manners { pcp: true, result: 0, seconds: 7200, outside: OUTSIDE };

/// For how many seconds each port is asked for, with the number of its protocol.
type Heard = mpsc::UnboundedReceiver<(u8, u32)>;

const UDP: u8 = 17;
const TCP: u8 = 6;

/// Each has an address of its own, for all of them listen on the same port.
async fn router(address: Ipv4Addr, manners: Manners) -> Heard {
    let socket = UdpSocket::bind((address, crab_nat::GATEWAY_PORT)).await.unwrap();
    let (hear, heard) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut request = [0; 1100];
        loop {
            let (length, from) = socket.recv_from(&mut request).await.unwrap();
            let answer = answer(&request[..length], manners, &hear);
            socket.send_to(&answer, from).await.unwrap();
        }
    });
    heard
}

fn answer(request: &[u8], manners: Manners, hear: &mpsc::UnboundedSender<(u8, u32)>) -> Vec<u8> {
    let word = |at: usize| u32::from_be_bytes(request[at..at + 4].try_into().unwrap());
    let note = |protocol, seconds| hear.send((protocol, seconds)).unwrap_or_default();
    match (request[0], request[1]) {
        // RFC 6887, 11.1: the header of an answer, then what was asked for with the external port and address.
        (2, 1) if manners.pcp => {
            note(request[36], word(4));
            let seconds = word(4).min(manners.seconds);
            let mut answer = vec![2, 0x81, 0, manners.result];
            answer.extend(seconds.to_be_bytes());
            answer.extend([0; 16]);
            answer.extend(&request[24..40]);
            answer.extend(&request[40..42]);
            answer.extend(5432_u16.to_be_bytes());
            answer.extend(manners.outside.to_ipv6_mapped().octets());
            answer
        }
        // RFC 6886, 3.5: the version is not supported.
        (2, _) => vec![0, 0x80, 0, 1, 0, 0, 0, 0],
        (0, 0) => [&[0, 0x80, 0, manners.result, 0, 0, 0, 0][..], &manners.outside.octets()].concat(),
        (0, operation) => {
            note(if operation == 1 { UDP } else { TCP }, word(8));
            let seconds = word(8).min(manners.seconds);
            let port = if seconds == 0 { 0 } else { 5432_u16 };
            let mut answer = vec![0, 0x80 | operation, 0, manners.result, 0, 0, 0, 0];
            answer.extend(&request[4..6]);
            answer.extend(port.to_be_bytes());
            answer.extend(seconds.to_be_bytes());
            answer
        }
        other => panic!("{other:?}"),
    }
}

fn leases(addresses: &[&str], router: Ipv4Addr) -> Leases {
    let addresses = addresses.iter().map(|text| text.parse().unwrap()).collect();
    Leases::begin(addresses, std::future::ready(Some(router)))
}

async fn next(leases: &mut Leases) -> News {
    timeout(LONG, leases.news.recv()).await.unwrap().unwrap()
}

fn lent(outside: &str, by: &'static str) -> News {
    News::Lent { outside: outside.parse().unwrap(), by }
}

#[tokio::test]
async fn each_port_is_lent_and_given_back() {
    let at = Ipv4Addr::new(127, 51, 0, 1);
    let mut heard = router(at, FRIENDLY).await;
    let mut leases = leases(&[BY_UDP, BY_TCP, "/ip4/192.168.1.2/tcp/1"], at);
    let mut both = [next(&mut leases).await, next(&mut leases).await];
    both.sort_by_key(|news| format!("{news:?}"));
    assert_eq!(both, [lent("/ip4/203.0.113.9/tcp/5432", "PCP"), lent("/ip4/203.0.113.9/udp/5432/quic-v1", "PCP"),]);
    timeout(LONG, leases.give_back()).await.unwrap();
    let mut all = Vec::new();
    heard.recv_many(&mut all, 9).await;
    all.sort_unstable();
    assert_eq!(all, [(TCP, 0), (TCP, LEASE), (UDP, 0), (UDP, LEASE)]);
}

#[tokio::test]
async fn a_router_of_the_older_protocol_lends_by_that() {
    let at = Ipv4Addr::new(127, 51, 0, 2);
    let mut heard = router(at, Manners { pcp: false, ..FRIENDLY }).await;
    let mut leases = leases(&[BY_UDP], at);
    assert_eq!(next(&mut leases).await, lent("/ip4/203.0.113.9/udp/5432/quic-v1", "NAT-PMP"));
    timeout(LONG, leases.give_back()).await.unwrap();
    assert_eq!((heard.recv().await, heard.recv().await), (Some((UDP, LEASE)), Some((UDP, 0))));
}

#[tokio::test]
async fn a_lease_is_renewed_before_it_ends() {
    let at = Ipv4Addr::new(127, 51, 0, 3);
    let mut heard = router(at, Manners { seconds: 2, ..FRIENDLY }).await;
    let mut leases = leases(&[BY_TCP], at);
    assert_eq!(next(&mut leases).await, lent("/ip4/203.0.113.9/tcp/5432", "PCP"));
    for _ in 0..4 {
        assert!(timeout(LONG, heard.recv()).await.unwrap().unwrap().1 > 0);
    }
    assert!(leases.news.try_recv().is_err(), "nothing has changed");
}

#[tokio::test]
async fn an_address_that_is_not_outside_is_told_nobody() {
    let inner =
        [Ipv4Addr::new(192, 168, 7, 7), Ipv4Addr::new(100, 64, 0, 9), Ipv4Addr::UNSPECIFIED, Ipv4Addr::LOCALHOST];
    for (number, outside) in (4..).zip(inner) {
        for pcp in [true, false] {
            let at = Ipv4Addr::new(127, 51, u8::from(pcp), number);
            let mut heard = router(at, Manners { outside, pcp, ..FRIENDLY }).await;
            let mut leases = leases(&[BY_TCP], at);
            assert_eq!(next(&mut leases).await, News::Inner, "{outside}");
            while timeout(LONG, heard.recv()).await.unwrap() != Some((TCP, 0)) {}
            assert!(leases.news.try_recv().is_err());
        }
    }
}

#[tokio::test]
async fn a_refusal_says_why_and_silence_is_silence() {
    let at = Ipv4Addr::new(127, 51, 0, 20);
    router(at, Manners { result: 2, ..FRIENDLY }).await;
    match next(&mut leases(&[BY_TCP], at)).await {
        News::Refused(why) => assert!(why.starts_with("PCP") && why.contains("Not authorized"), "{why}"),
        other => panic!("{other:?}"),
    }
    let nobody = Ipv4Addr::new(127, 51, 0, 21);
    assert_eq!(next(&mut leases(&[BY_TCP], nobody)).await, News::Silent);
    let mut alone = Leases::begin(BTreeSet::new(), std::future::ready(None));
    assert_eq!(next(&mut alone).await, News::Silent);
}
