//! Events about charter, floor, requests and the brain, and the hashes that they name.

use pairwave_core::actions::{Action, Approved, Completed, Denied, Expired, Handed, Requested, Risk};
use pairwave_core::brain::{self, Remembered};
use pairwave_core::charter::{AutoApprove, Charter, CharterAccepted, CharterDeclined, CharterProposed};
use pairwave_core::event::Body;
use pairwave_core::floor::{FloorClaimed, FloorReleased, FloorTaken, FloorYielded};
use pairwave_core::hops::Prompted;
use pairwave_core::id::{FindingId, SessionId};
use pairwave_core::members::Genesis;
use pairwave_core::overrides::Overridden;
use pairwave_core::talk::Address;

use super::events::{ALICE, BOB, Log, identity};
use super::*;

fn charter() -> Charter {
    Charter {
        title: "Kiosk".into(),
        purpose: "Open on time. Größe: klein.".into(),
        scope: vec!["the shop".into()],
        out_of_scope: Vec::new(),
        must_nots: vec!["sell ice in winter".into(), "lose the key".into()],
        response_contract: vec!["answer with a price".into()],
        auto_approve: AutoApprove::Low,
        max_hops: 3,
        live_minutes: 20,
    }
}

fn requests() -> [Requested; 3] {
    let (to, risk) = (identity(BOB).member(), Risk::Low);
    let command = Requested {
        to,
        action: Action::RunCommand,
        risk,
        summary: "Count the coins".into(),
        payload: "wc -l coins.txt".into(),
        target_path: None,
        artifact: None,
    };
    let write = Requested {
        action: Action::WriteFile,
        target_path: Some("menu/Eis.txt".into()),
        payload: "vanilla\n".into(),
        ..command.clone()
    };
    let artifact = Some(EventId(counting(9)));
    let patch = Requested { action: Action::ApplyPatch, payload: String::new(), artifact, ..command.clone() };
    [command, write, patch]
}

#[test]
fn consent() {
    let mut log = Log::new();
    let genesis = Genesis { nonce: counting(1), title: "Kiosk".into(), name: "alice".into(), rules: 1 };
    let genesis = log.add(ALICE, Body::Genesis(genesis));
    let hash = charter().hash();
    let proposal = log.add(ALICE, Body::CharterProposed(CharterProposed { charter: charter() }));
    log.add(ALICE, Body::CharterAccepted(CharterAccepted { hash }));
    for reason in [None, Some("too cold".into())] {
        log.add(ALICE, Body::CharterDeclined(CharterDeclined { hash, reason }));
    }
    let claim = log.add(ALICE, Body::FloorClaimed(FloorClaimed { reason: Some("I have change".into()) }));
    let member = identity(BOB).member();
    let somebody = Some(Address { member, session: Some(SessionId(counting(BOB))) });
    for to in [None, Some(Address { member, session: None }), somebody] {
        log.add(ALICE, Body::FloorYielded(FloorYielded { to }));
    }
    log.add(ALICE, Body::FloorTaken(FloorTaken { claim }));
    log.add(ALICE, Body::FloorReleased(FloorReleased { held: claim }));
    let asked = requests().map(|requested| (log.add(ALICE, Body::Requested(requested.clone())), requested));
    let (request, requested) = &asked[0];
    let bare = Approved { request: *request, hash: requested.hash(), risk: Risk::High, always: false, under: None };
    log.add(ALICE, Body::Approved(bare.clone()));
    log.add(ALICE, Body::Approved(Approved { risk: Risk::Medium, always: true, ..bare.clone() }));
    log.add(ALICE, Body::Approved(Approved { risk: Risk::Low, under: Some(proposal), ..bare }));
    let request = *request;
    log.add(ALICE, Body::Denied(Denied { request, reason: Some("no coins".into()) }));
    log.add(ALICE, Body::Handed(Handed { request }));
    log.add(ALICE, Body::Completed(Completed { request, ok: true, detail: Some("12".into()) }));
    log.add(ALICE, Body::Expired(Expired { request }));
    log.add(ALICE, Body::Overridden(Overridden { finding: FindingId(counting(7)), rule: "generic-token".into() }));
    log.add(ALICE, Body::Prompted(Prompted {}));
    let entry = Remembered::new(brain::Kind::Fact, "Ice melts", "at 0 °C");
    let supersedes = Some(log.add(ALICE, Body::Remembered(entry.clone())));
    let (tags, provenance) = (vec!["ice".into(), "氷".into()], vec!["menu/Eis.txt:3".into()]);
    let kind = brain::Kind::Decision;
    log.add(ALICE, Body::Remembered(Remembered { kind, tags, provenance, supersedes, ..entry }));
    let named = |hash: [u8; 32], bytes: Vec<u8>| json!({"cbor": hex(bytes), "hash": hex(hash)});
    let requests = requests().map(|requested| {
        let what = (requested.action, &requested.payload, &requested.target_path, requested.artifact);
        named(requested.hash().0, cbor::encode(&what).unwrap())
    });
    let vectors = json!({
        "room": hex(genesis.0),
        "charter": named(hash.0, cbor::encode(&charter()).unwrap()),
        "requests": requests,
        "events": log.vectors,
    });
    check("consent.json", &vectors);
}
