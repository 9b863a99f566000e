//! Many companions on a table: the real core under virtual time, faults and crashes.

mod answering;
mod arrival;
mod by_letter;
mod chaos;
mod checks;
mod costs;
mod disk;
mod failing;
mod fault;
mod faults;
mod invariants;
mod joining;
mod letters;
mod mallory;
mod membership;
mod post;
mod reading;
mod recording;
mod reference;
mod relays;
mod retelling;
mod scenes;
mod world;
