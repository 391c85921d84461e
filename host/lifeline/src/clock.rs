//! Time for policies: milliseconds since the clock was made.
//!
//! It never goes back, and it does not count the time in which the computer sleeps: tokio's
//! `Instant` is CLOCK_MONOTONIC on Linux and CLOCK_UPTIME_RAW on macOS, neither of which runs in
//! suspension. It is tokio's rather than std's so that tests can pause it.

use crate::contract;
use std::time::Duration;
use tokio::time::Instant;

/// A running clock.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock that stands at zero.
    pub fn start() -> Self {
        Clock {
            start: Instant::now(),
        }
    }

    /// Milliseconds since the start.
    pub fn now(&self) -> contract::Instant {
        as_millis(self.start.elapsed())
    }

    /// When the clock will show `at`; a time too far away for the system is a century from now.
    pub fn instant(&self, at: contract::Instant) -> Instant {
        const CENTURY: Duration = Duration::from_secs(100 * 365 * 86_400);
        self.start
            .checked_add(Duration::from_millis(at).min(CENTURY))
            .unwrap_or(self.start)
    }
}

/// A duration in whole milliseconds, saturating.
pub fn as_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn counts_milliseconds() {
        let clock = Clock::start();
        tokio::time::advance(Duration::from_millis(1_500)).await;
        assert_eq!(clock.now(), 1_500);
        assert_eq!(
            clock.instant(2_000) - clock.instant(500),
            Duration::from_millis(1_500)
        );
    }

    #[test]
    fn the_end_of_time_is_a_valid_instant() {
        let clock = Clock::start();
        assert!(clock.instant(u64::MAX) > Instant::now());
    }
}
