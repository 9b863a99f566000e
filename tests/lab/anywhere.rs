//! A few cells of the laboratory that every run of the tests plays: one for each way in which two people
//! come together.

#![allow(dead_code, reason = "the whole laboratory does more than this selection")]

#[path = "../e2e/agent.rs"]
mod agent;
#[path = "../e2e/agreement.rs"]
mod agreement;
mod cell;
mod crossing;
mod lending;
mod letters;
mod outcome;
#[path = "../e2e/patience.rs"]
mod patience;
#[path = "../e2e/person.rs"]
mod person;
mod plan;
mod portal;
mod proxy;
mod relay;
mod site;
mod slow;
mod stage;
mod theory;
mod trouble;
mod watch;

use crate::crossing::Crossing;
use crate::lending::Language;
use crate::plan::{Plan, Relays, Twist};
use crate::site::Site;

/// Inside the test harness it would be too late: a process with threads cannot enter a user namespace.
#[allow(unsafe_code, reason = "runs before main, in the only thread there is")]
#[ctor::ctor(unsafe)]
fn enter_a_user_namespace() {
    unsafe { patchbay::init_userns_for_ctor() }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_at_home_reaches_a_public_host_without_a_relay() {
    holds(Plan::new(Site::Public, Site::Home, Relays::None)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_lets_the_inviter_dial_where_only_the_joiner_can_be_reached() {
    holds(Plan::new(Site::Home, Site::Public, Relays::None)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_homes_become_direct() {
    holds(Plan::new(Site::Home, Site::Home, Relays::One)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_can_only_be_relayed_goes_on_when_a_relay_dies() {
    holds(Plan::new(Site::Home, Site::Symmetric, Relays::Two)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_only_443_gets_out_a_relay_helps() {
    holds(Plan::new(Site::Home, Site::Corporate, Relays::One)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_and_new_internet_meet_at_a_relay() {
    holds(Plan::new(Site::Ipv6Only, Site::Home, Relays::One)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wifi_that_keeps_its_machines_apart_is_no_obstacle() {
    holds(Plan::new(Site::Home, Site::Home, Relays::One).with(Twist::Isolated)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portal_that_answers_for_everybody_is_taken_for_nobody() {
    holds(Plan::new(Site::Home, Site::Home, Relays::One).with(Twist::CaptivePortal)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_proxy_is_the_only_way_out_a_relay_helps() {
    holds(Plan::new(Site::Home, Site::Home, Relays::One).with(Twist::OnlyAProxy)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_the_router_lends_lets_others_in_without_a_relay() {
    for language in [Language::Pcp, Language::Upnp] {
        holds(Plan::new(Site::Home, Site::Home, Relays::None).with(Twist::Lends(language))).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_goes_on_when_udp_is_blocked_under_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let row = crossing::run(Crossing::QuicThenTcp, 150, folder.path()).await;
    assert!(row["ok"] == true, "{row}");
}

async fn holds(plan: Plan) {
    if let Some(program) = plan.misses() {
        return eprintln!("skipped: {program} is missing, see tests/README.md");
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let outcome = cell::run(plan, folder.path()).await.judge(plan);
    assert!(outcome.ok, "{}", outcome.to_json());
}
