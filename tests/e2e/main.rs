//! The real binary in networks of its own: companions on one bridge, driven through their public
//! doors alone (the command line and MCP), with kills, full disks, jumping clocks and strangers.

mod agent;
mod agreement;
mod lab;
mod patience;
mod person;
mod rail;
mod secrets;
mod story;

mod agents;
mod away;
mod blind;
mod brain;
mod clocks;
mod consent;
mod copies;
mod days;
mod disk;
mod git;
mod hostile;
mod invites;
mod kills;
mod meddling;
mod meeting;
mod memory;
mod relays;
mod returning;
mod rooms;
mod sharing;
mod skill;
mod strangers;
mod talking;
mod three;
mod verifying;

/// Inside the test harness it would be too late: a process with threads cannot enter a user namespace.
#[allow(unsafe_code, reason = "runs before main, in the only thread there is")]
#[ctor::ctor(unsafe)]
fn enter_a_user_namespace() {
    unsafe { patchbay::init_userns_for_ctor() }
}
