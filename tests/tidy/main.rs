//! Keeps the house in order: what the compiler does not check, but a reader relies on.

mod docs;
mod purity;
mod shape;
mod tree;
mod walls;
