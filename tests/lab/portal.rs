//! A network that asks whoever comes to agree to something first: until then it answers HTTP in the
//! name of everybody and lets nothing else through.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use patchbay::Router;

use crate::outcome::Outcome;
use crate::site::{let_nothing_out, on_router};
use crate::stage::Stage;
use crate::watch;

/// Where the router itself answers what was meant for others.
const ANSWERS_AT: u16 = 8080;
const ANSWER: &str = "HTTP/1.1 302 Found\r\nLocation: http://portal.example/welcome\r\nConnection: close\r\n\
                      Content-Length: 24\r\n\r\n<h1>Please agree.</h1>\r\n";

pub struct Portal {
    router: Router,
    /// How often it answered for somebody else.
    answered: Arc<AtomicUsize>,
}

/// Puts a portal before everybody behind this router.
pub async fn close(router: &Router) -> Portal {
    let_nothing_out(router).await;
    let listener = router.run_sync(|| Ok(TcpListener::bind((Ipv4Addr::UNSPECIFIED, ANSWERS_AT))?));
    let listener = listener.expect("a free port");
    let answered = Arc::<AtomicUsize>::default();
    let counts = Arc::clone(&answered);
    std::thread::spawn(move || {
        for guest in listener.incoming().flatten() {
            let counts = Arc::clone(&counts);
            std::thread::spawn(move || counts.fetch_add(usize::from(answer(guest)), Ordering::Relaxed));
        }
    });
    let rules = format!(
        "table ip portal {{ chain prerouting {{ type nat hook prerouting priority -110; policy accept;
            iifname \"br-*\" tcp dport 80 redirect to :{ANSWERS_AT}; }}
        }}"
    );
    on_router(router, &["nft", &rules]).await;
    Portal { router: router.clone(), answered }
}

impl Portal {
    /// Lets everybody through, as after a click on its page.
    pub async fn open(&self) {
        on_router(&self.router, &["nft", "delete table ip portal; delete table ip shut"]).await;
    }

    /// What bob's companion says while it is closed: that it reaches nobody, although somebody answers.
    pub async fn ask(&self, stage: &Stage, outcome: &mut Outcome) {
        let met = watch::both_see(&stage.alice, &stage.bob).await.is_some_and(|(hers, his)| hers.online || his.online);
        let doctor = stage.bob.run(&["doctor"]).await;
        let told = doctor.object();
        let checks = told["checks"].as_array().cloned().unwrap_or_default();
        let of = |name: &'static str| checks.iter().filter(move |check| check["name"] == name);
        let says = |name| of(name).filter_map(|check| check["detail"].as_str());
        let reaches_a_relay = of("relay").next().is_none() || of("relay").any(|check| check["ok"] == true);
        let is_fooled = met || reaches_a_relay || says("reachability").any(|detail| detail.starts_with("Anybody"));
        let answered = self.answered.load(Ordering::Relaxed);
        if !is_fooled && answered > 0 && doctor.code != 0 {
            outcome.doctor = Some(says("relay").collect::<Vec<_>>().join(" · "));
        } else {
            let (code, out) = (doctor.code, doctor.out.trim());
            outcome.say(format!("the portal answered {answered} times; met: {met}, doctor ({code}): {out}"));
        }
    }
}

/// Says whether it did.
fn answer(guest: TcpStream) -> bool {
    let Ok(mut sink) = guest.try_clone() else { return false };
    let goes_on = |line: &std::io::Result<String>| line.as_ref().is_ok_and(|line| !line.is_empty());
    // What is asked for makes no difference.
    BufReader::new(guest).lines().take_while(goes_on).for_each(drop);
    sink.write_all(ANSWER.as_bytes()).is_ok()
}
