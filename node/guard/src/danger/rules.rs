//! The table of rules: what is dangerous, why, and examples that are the rules' tests.

use super::Risk;
use super::call::Call;

mod clouds;
pub mod databases;
mod deletion;
pub mod disks;
mod git;
pub mod network;
pub mod places;
mod publishing;
mod rights;
pub mod shells;

/// One row of the table.
#[derive(Debug)]
pub struct Rule {
    pub id: &'static str,
    pub risk: Risk,
    /// One sentence, for the human who decides.
    pub reason: &'static str,
    pub seen: Seen,
    /// Each must be flagged by this rule.
    #[cfg_attr(not(test), expect(dead_code, reason = "they are the rule's tests"))]
    pub dangerous: &'static [&'static str],
    /// None may be flagged by any rule.
    #[cfg_attr(not(test), expect(dead_code, reason = "they are the rule's tests"))]
    pub harmless: &'static [&'static str],
}

/// Where a rule looks, and so what its examples are.
#[derive(Debug, Clone, Copy)]
pub enum Seen {
    /// At a command with its arguments.
    Call(fn(&Call<'_>) -> bool),
    /// At a command line as a whole.
    Command,
    /// At an address.
    Url,
    /// At the path of a file that is written.
    Path,
    /// At a patch.
    Patch,
    /// At what is written to the file of this name.
    Content(#[cfg_attr(not(test), expect(dead_code, reason = "where the examples stand"))] &'static str),
}

/// All rows.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    let tables: [&'static [Rule]; 10] = [
        deletion::RULES,
        git::RULES,
        disks::RULES,
        databases::RULES,
        clouds::RULES,
        publishing::RULES,
        rights::RULES,
        shells::RULES,
        network::RULES,
        places::RULES,
    ];
    tables.into_iter().flatten()
}

/// The rows that a command breaks.
pub fn of_call<'a>(call: &'a Call<'a>) -> impl Iterator<Item = &'static Rule> + 'a {
    all().filter(|rule| matches!(rule.seen, Seen::Call(dangerous) if dangerous(call)))
}

/// The command that stands behind another's options: `git -C x push` is a push. Options in `valued`
/// take the word behind them.
fn inner<'a>(call: &Call<'a>, valued: &[&str]) -> Option<Call<'a>> {
    let mut at = 0;
    while let Some(word) = call.arguments.get(at) {
        match word.text.as_str() {
            text if valued.contains(&text) => at += 2,
            text if text.starts_with(['-', '+']) => at += 1,
            text => {
                let (name, arguments) = (text.to_lowercase(), &call.arguments[at + 1..]);
                return Some(Call { name, arguments, input: call.input });
            }
        }
    }
    None
}
