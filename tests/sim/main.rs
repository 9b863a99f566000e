//! Many companions on a table: the real core under virtual time, faults and crashes.

mod chaos;
mod checks;
mod disk;
mod fault;
mod faults;
mod invariants;
mod joining;
mod mallory;
mod membership;
mod reading;
mod recording;
mod reference;
mod scenes;
mod world;
