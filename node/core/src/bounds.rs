//! The forms that texts and lists of an event keep to, as the sender's companion and every fold check
//! them.

use pairwave_wire::limits;

use crate::command::Refusal;

/// At most `max` bytes.
pub(crate) fn within(field: &'static str, text: &str, max: usize) -> Result<(), Refusal> {
    let got = text.len();
    if got > max { Err(Refusal::TooLong { field, got, max }) } else { Ok(()) }
}

/// As [`within`], and not empty.
pub(crate) fn filled(field: &'static str, text: &str, max: usize) -> Result<(), Refusal> {
    if text.trim().is_empty() { Err(Refusal::Empty { field }) } else { within(field, text, max) }
}

/// At most `max` entries.
pub(crate) fn few(field: &'static str, list: &[String], max: usize) -> Result<(), Refusal> {
    let got = list.len();
    if got > max { Err(Refusal::TooMany { field, got, max }) } else { Ok(()) }
}

/// A list of an event, its entries included.
pub(crate) fn list_within(field: &'static str, list: &[String]) -> Result<(), Refusal> {
    few(field, list, limits::LIST)?;
    list.iter().try_for_each(|entry| within(field, entry, limits::LIST_ENTRY))
}
