//! What is handed over on stdin: long texts, and secrets, which anybody on the machine could read
//! among the arguments of a running command.

use std::io::{self, BufRead, Read, Write};

use pairwave_api::Code;

use crate::output::Stop;

/// More than any message may have; the companion says what is too long, with the limit.
const MAX: u64 = 4 << 20;

/// All of it.
pub fn text() -> Result<String, Stop> {
    let mut text = String::new();
    io::stdin().lock().take(MAX).read_to_string(&mut text).map_err(|error| unreadable(&error))?;
    Ok(text.trim_end().to_owned())
}

/// The argument itself, or for `-` the first line that says something.
pub fn or_line(argument: String) -> Result<String, Stop> {
    if argument == "-" { first_line(io::stdin().lock()) } else { Ok(argument) }
}

/// What a person at the terminal answers to a question.
pub fn asked(question: &str) -> Result<String, Stop> {
    let mut stdout = anstream::stdout().lock();
    stdout.write_all(question.as_bytes())?;
    stdout.flush()?;
    let mut line = String::new();
    io::stdin().lock().take(MAX).read_line(&mut line).map_err(|error| unreadable(&error))?;
    Ok(line)
}

fn first_line(input: impl BufRead) -> Result<String, Stop> {
    for line in input.take(MAX).lines() {
        let line = line.map_err(|error| unreadable(&error))?;
        if !line.trim().is_empty() {
            return Ok(line.trim().to_owned());
        }
    }
    Err(Stop::failed(Code::Usage, "stdin", "Nothing came on stdin.", "Pipe it in, or type it and press Enter."))
}

fn unreadable(error: &io::Error) -> Stop {
    Stop::failed(Code::Usage, "stdin", format!("Stdin could not be read: {error}."), "Send text in UTF-8.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dash_is_the_first_line_that_says_something() {
        assert_eq!(first_line(&b"\n  apple river stone \nmore"[..]).expect("a line"), "apple river stone");
        assert!(matches!(first_line(&b" \n"[..]), Err(Stop::Failed(failure)) if failure.rule == "stdin"));
        assert!(matches!(first_line(&b"\xff\xff"[..]), Err(Stop::Failed(failure)) if failure.rule == "stdin"));
        assert_eq!(or_line("word".into()).expect("itself"), "word");
    }
}
