//! Chance, so that many who lost the same thing do not all come back for it in one moment.

use std::time::Duration;

/// Some time shorter than `most`.
pub fn below(most: Duration) -> Duration {
    // Without randomness there is no harm in none.
    let share = getrandom::u32().unwrap_or(0);
    most.mul_f64(f64::from(share) / f64::from(u32::MAX) * 0.999)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_below_what_was_asked_for() {
        let most = Duration::from_secs(1);
        assert!((0..1000).all(|_| below(most) < most));
        assert_eq!(below(Duration::ZERO), Duration::ZERO);
    }
}
