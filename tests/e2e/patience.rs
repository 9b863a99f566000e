//! The one place where tests wait for something that no door announces.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Long enough for a machine that is busy with everything else; nothing waits so long that works.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(40);

/// Looks until it sees something, or fails with what it was looking for.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(Instant::now() < end, "waited {PATIENCE:?} in vain until {what}");
        sleep(PAUSE).await;
    }
}

/// A little while that means nothing: where in a running program a fault strikes.
pub async fn idle(micros: u64) {
    sleep(Duration::from_micros(micros)).await;
}
