//! A slow and lossy path: what a router forwards passes through a program that delays, drops, reorders
//! and squeezes it, packet by packet. Both directions alike.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{Read, Write};
use std::net::Ipv4Addr;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use patchbay::Router;

use crate::site::on_router;

/// One way.
const DELAY: Duration = Duration::from_millis(80);
/// A packet that is overtaken comes so much later.
const OVERTAKEN: Duration = Duration::from_millis(30);
const LOST_OF_100: u32 = 2;
const OVERTAKEN_OF_100: u32 = 5;
const BITS_PER_SECOND: f64 = 1_000_000.0;
/// What more waits for its turn is dropped.
const WAITS: Duration = Duration::from_millis(600);
const DEVICE: &str = "slow0";

/// Leads everything that a router forwards through such a path.
pub async fn make_slow(router: &Router) {
    let device = router.run_sync(|| Ok(open()?)).expect("a tunnel device: /dev/net/tun");
    let lan = router.interfaces().into_iter().map(|port| port.name().to_owned()).find(|name| name.starts_with("br-"));
    let lan = lan.expect("a bridge");
    let network = router.downstream_cidr().expect("a network");
    let script = format!(
        "ip link set {DEVICE} up
         sysctl -q -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.{DEVICE}.rp_filter=0 net.ipv4.conf.default.rp_filter=0
         ip route add default dev {DEVICE} table 100
         ip rule add iif {lan} lookup 100 priority 100
         ip rule add iif ix to {network} lookup 100 priority 100"
    );
    on_router(router, &["sh", "-ec", &script]).await;
    // A packet comes by twice; it is translated only where it meets the world.
    let rules = format!(
        "table inet slow {{ chain prerouting {{ type filter hook prerouting priority -300; policy accept;
            iifname \"{lan}\" notrack;
            iifname \"{DEVICE}\" ip daddr {network} notrack; }}
        }}"
    );
    on_router(router, &["nft", &rules]).await;
    let (sends, receives) = mpsc::channel();
    let writer = device.try_clone().expect("a second handle");
    std::thread::spawn(move || take(device, &sends, |to| network.contains(to)));
    std::thread::spawn(move || give(writer, &receives));
}

/// Packets that have a time to go on.
type Waiting = (Reverse<Instant>, u64, Vec<u8>);

fn take(mut device: File, sends: &mpsc::Sender<Waiting>, is_home: impl Fn(&Ipv4Addr) -> bool) {
    let mut dice = 0x9E37_79B9_7F4A_7C15_u64;
    // When each direction is free again.
    let mut free = [Instant::now(); 2];
    let mut buffer = vec![0; 65_536];
    for number in 0.. {
        let Ok(length) = device.read(&mut buffer) else { return };
        let packet = buffer[..length].to_vec();
        let homeward = destination(&packet).is_some_and(|to| is_home(&to));
        let now = Instant::now();
        let turn = free[usize::from(homeward)].max(now);
        if roll(&mut dice) < LOST_OF_100 || turn > now + WAITS {
            continue;
        }
        let passed = turn + Duration::from_secs_f64(length as f64 * 8.0 / BITS_PER_SECOND);
        free[usize::from(homeward)] = passed;
        let late = if roll(&mut dice) < OVERTAKEN_OF_100 { OVERTAKEN } else { Duration::ZERO };
        if sends.send((Reverse(passed + DELAY + late), number, packet)).is_err() {
            return;
        }
    }
}

fn give(mut device: File, receives: &mpsc::Receiver<Waiting>) {
    let mut waiting = BinaryHeap::<Waiting>::new();
    loop {
        let pause = waiting
            .peek()
            .map_or(Duration::from_secs(3600), |(Reverse(at), ..)| at.saturating_duration_since(Instant::now()));
        match receives.recv_timeout(pause) {
            Ok(packet) => waiting.push(packet),
            Err(mpsc::RecvTimeoutError::Disconnected) => return,
            Err(mpsc::RecvTimeoutError::Timeout) => {}
        }
        while waiting.peek().is_some_and(|(Reverse(at), ..)| *at <= Instant::now()) {
            let (.., packet) = waiting.pop().expect("it was there");
            // A router on its way down takes nothing any more.
            let _ = device.write(&packet);
        }
    }
}

fn destination(packet: &[u8]) -> Option<Ipv4Addr> {
    let bytes: [u8; 4] = packet.get(16..20)?.try_into().ok()?;
    (packet[0] >> 4 == 4).then(|| bytes.into())
}

/// 0 to 99 (xorshift).
fn roll(dice: &mut u64) -> u32 {
    *dice ^= *dice << 13;
    *dice ^= *dice >> 7;
    *dice ^= *dice << 17;
    (*dice >> 33) as u32 % 100
}

/// A device whose packets a program reads and writes.
#[allow(unsafe_code, reason = "one system call that no library here offers")]
fn open() -> std::io::Result<File> {
    const TUNSETIFF: rustix::ioctl::Opcode = 0x4004_54ca;
    const TUN_WITHOUT_HEADER: i16 = 0x1001;
    let device = File::options().read(true).write(true).open("/dev/net/tun")?;
    let mut request = [0_u8; 40];
    request[..DEVICE.len()].copy_from_slice(DEVICE.as_bytes());
    request[16..18].copy_from_slice(&TUN_WITHOUT_HEADER.to_ne_bytes());
    // The kernel reads a `struct ifreq`: a name of 16 bytes, then flags.
    unsafe { rustix::ioctl::ioctl(&device, rustix::ioctl::Setter::<TUNSETIFF, [u8; 40]>::new(request)) }?;
    Ok(device)
}
