//! Looking for what may not be there. That it is not is an answer, with what is like it; only who
//! wants to act on it has failed.

use pairwave_api::Failure;
use serde::Serialize;

use crate::output::{Ended, Output, Stop};
use crate::prose::{page, plain};

/// The answer where nothing was found.
#[derive(Debug, Serialize)]
struct Missing {
    found: bool,
    /// What could have been meant, the likeliest first.
    candidates: Vec<String>,
    message: String,
    next: String,
}

/// How a look-up ends that did not come to an answer of its own.
pub fn ended(stop: Stop, output: Output) -> Ended {
    match stop {
        Stop::Failed(failure) if failure.is_not_found() => output.answer(&Missing::new(failure), told),
        stop => Err(stop),
    }
}

impl Missing {
    fn new(Failure { candidates, message, next, .. }: Failure) -> Self {
        Self { found: false, candidates, message, next }
    }
}

fn told(missing: &Missing) -> String {
    let text = format!("{}. {}", missing.message.trim_end_matches('.'), missing.next);
    page::paragraph(&plain::text(&text), page::width())
}

#[cfg(test)]
mod tests {
    use std::process::ExitCode;

    use pairwave_api::Code;

    use super::*;

    fn ends(code: Code, rule: &str) -> Ended {
        ended(Failure::new(code, rule, "There is no member \"bobb\"", "Look.").into(), Output::new(true))
    }

    #[test]
    fn only_what_was_not_found_is_an_answer() {
        assert_eq!(ends(Code::Usage, "no_such_member").expect("an answer"), ExitCode::SUCCESS);
        for (code, rule) in [(Code::Refused, "no_such_member"), (Code::Usage, "no_such_kind")] {
            assert!(matches!(ends(code, rule), Err(Stop::Failed(failure)) if failure.rule == rule));
        }
    }
}
