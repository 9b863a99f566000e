//! Times as people say them.

use jiff::{Timestamp, Zoned, tz::TimeZone};

use super::count;

/// `just now`, `5 minutes ago`, `3 hours ago`, `2 days ago`, then the date. An unreadable time is
/// shown as it came.
pub fn ago(at: &str, now: Timestamp) -> String {
    let Ok(then) = at.parse::<Timestamp>() else { return super::plain::line(at) };
    let seconds = now.as_second().saturating_sub(then.as_second());
    let Ok(seconds) = u64::try_from(seconds) else { return "just now".into() };
    match seconds {
        0..45 => "just now".into(),
        45..3_600 => count((seconds + 30) / 60, "minute ago", "minutes ago"),
        3_600..86_400 => count(seconds / 3_600, "hour ago", "hours ago"),
        86_400..1_209_600 => count(seconds / 86_400, "day ago", "days ago"),
        _ => format!("on {}", local(then).strftime("%-d %B %Y")),
    }
}

/// `in 5 minutes`, `in 24 hours`, `in 3 days`; `now` for what is past.
pub fn ahead(at: &str, now: Timestamp) -> String {
    let Ok(then) = at.parse::<Timestamp>() else { return super::plain::line(at) };
    let Ok(seconds) = u64::try_from(then.as_second().saturating_sub(now.as_second())) else { return "now".into() };
    let about = |unit: u64| (seconds + unit / 2) / unit;
    match seconds {
        0..5_400 => format!("in {}", count(about(60), "minute", "minutes")),
        5_400..129_600 => format!("in {}", count(about(3_600), "hour", "hours")),
        _ => format!("in {}", count(about(86_400), "day", "days")),
    }
}

/// `10:14`, in the reader's time zone.
pub fn clock(at: &str) -> String {
    at.parse::<Timestamp>().map_or_else(|_| "--:--".into(), |then| local(then).strftime("%H:%M").to_string())
}

/// `Saturday 21 November`, in the reader's time zone.
pub fn day(at: &str) -> String {
    at.parse::<Timestamp>().map_or_else(|_| String::new(), |then| local(then).strftime("%A %-d %B").to_string())
}

fn local(then: Timestamp) -> Zoned {
    then.to_zoned(TimeZone::system())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_past_is_relative() {
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().expect("a time");
        for (at, said) in [
            ("2026-11-21T11:59:58Z", "just now"),
            ("2026-11-21T11:59:00Z", "1 minute ago"),
            ("2026-11-21T11:00:01Z", "60 minutes ago"),
            ("2026-11-21T10:00:00Z", "2 hours ago"),
            ("2026-11-18T10:00:00Z", "3 days ago"),
            ("2026-11-21T12:05:00Z", "just now"),
            ("yesterday\n", "yesterday"),
        ] {
            assert_eq!(ago(at, now), said, "{at}");
        }
    }

    #[test]
    fn the_future_is_relative() {
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().expect("a time");
        for (at, said) in [
            ("2026-11-22T12:00:00Z", "in 24 hours"),
            ("2026-11-22T11:59:59Z", "in 24 hours"),
            ("2026-11-21T12:05:00Z", "in 5 minutes"),
            ("2026-11-28T12:00:00Z", "in 7 days"),
            ("2026-11-21T11:00:00Z", "now"),
        ] {
            assert_eq!(ahead(at, now), said, "{at}");
        }
    }
}
