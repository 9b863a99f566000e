//! The table: one row for each format of tokens, by what they open.

mod ai;
mod build;
mod chat;
mod cloud;
mod code;
mod data;
mod office;
mod payment;
mod watch;

use super::rule::Rule;

pub fn all() -> impl Iterator<Item = &'static Rule> {
    [
        code::RULES,
        build::RULES,
        cloud::RULES,
        data::RULES,
        ai::RULES,
        chat::RULES,
        payment::RULES,
        office::RULES,
        watch::RULES,
    ]
    .into_iter()
    .flatten()
}
