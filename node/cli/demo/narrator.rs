//! Tells the story: a line a step, with who did it and how long it took.

use std::cell::Cell;
use std::time::{Duration, Instant};

use owo_colors::{OwoColorize, Style};
use serde_json::json;

use crate::output::{Output, Stop};
use crate::prose::page;

pub struct Narrator {
    output: Output,
    begun: Instant,
    act: Cell<&'static str>,
}

impl Narrator {
    pub fn new(output: Output) -> Self {
        Self { output, begun: Instant::now(), act: Cell::new("") }
    }

    /// What is said before the first act and after the last.
    pub fn aside(&self, text: &str) -> Result<(), Stop> {
        match self.output.json() {
            true => {
                self.output.object(&json!({ "event": "aside", "at_ms": millis(self.begun.elapsed()), "text": text }))
            }
            false => self.output.prose(&page::paragraph(text, page::width())),
        }
    }

    pub fn output(&self) -> Output {
        self.output
    }

    /// Where the two look at the room.
    pub fn pages(&self, links: &[String]) -> Result<(), Stop> {
        match self.output.json() {
            true => self.output.object(&json!({ "event": "dashboards", "dashboards": links })),
            false => Ok(()),
        }
    }

    pub fn act(&self, title: &'static str) -> Result<(), Stop> {
        self.act.set(title);
        match self.output.json() {
            true => self.output.object(&json!({ "event": "act", "at_ms": millis(self.begun.elapsed()), "act": title })),
            false => self.output.prose(&format!("\n{}\n", title.bold())),
        }
    }

    /// Somebody did something.
    pub fn step(&self, who: &str, what: &str, took: Option<Duration>) -> Result<(), Stop> {
        if self.output.json() {
            return self.output.object(&json!({
                "event": "step",
                "at_ms": millis(self.begun.elapsed()),
                "act": self.act.get(),
                "who": who,
                "what": anstream::adapter::strip_str(what).to_string(),
                "took_ms": took.map(millis),
            }));
        }
        let took = took.map(|took| format!("  {}", spoken(took).dimmed())).unwrap_or_default();
        let margin = " ".repeat(LABEL + 2);
        let text = page::indented(&format!("{what}{took}"), &margin, page::width());
        let label = format!("  {}", format!("{who:<LABEL$}").style(color(who)));
        self.output.prose(&text.replacen(&margin, &label, 1))
    }

    pub fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }
}

/// Columns for a name.
const LABEL: usize = 7;

fn color(who: &str) -> Style {
    match who {
        "alice" => Style::new().bold().magenta(),
        "bob" => Style::new().bold().cyan(),
        _ => Style::new().bold(),
    }
}

/// `4.2 ms`, `1.31 s`.
pub fn spoken(time: Duration) -> String {
    match time.as_millis() {
        0..1_000 => format!("{:.1} ms", millis(time)),
        _ => format!("{:.2} s", time.as_secs_f64()),
    }
}

/// Milliseconds to the microsecond.
fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        assert_eq!(spoken(Duration::from_micros(4_240)), "4.2 ms");
        assert_eq!(spoken(Duration::from_millis(1_312)), "1.31 s");
    }
}
