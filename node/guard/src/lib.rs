//! What a text could do, and what it could give away.
//!
//! Pure functions over texts: no IO, no clock, no keys, nothing of the room. The companion asks
//! before it signs what could give a secret away ([`secrets`]), and before a human is shown a
//! button what an action could do ([`danger`]).

pub mod danger;
pub mod patch;
pub mod paths;
pub mod secrets;
