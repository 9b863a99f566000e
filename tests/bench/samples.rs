//! Many values of one figure.

use std::time::Duration;

/// At least one value, in order of size.
pub struct Samples(Vec<f64>);

impl Samples {
    pub fn new(mut values: Vec<f64>) -> Self {
        assert!(!values.is_empty(), "nothing was measured");
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    /// Of durations, in milliseconds.
    pub fn of_millis(values: &[Duration]) -> Self {
        Self::new(values.iter().map(|value| value.as_secs_f64() * 1e3).collect())
    }

    pub fn median(&self) -> f64 {
        self.part(0.5)
    }

    /// What one in twenty exceeds.
    pub fn p95(&self) -> f64 {
        self.part(0.95)
    }

    pub fn largest(&self) -> f64 {
        self.part(1.0)
    }

    fn part(&self, part: f64) -> f64 {
        let last = self.0.len() - 1;
        self.0[(last as f64 * part).round() as usize]
    }
}
