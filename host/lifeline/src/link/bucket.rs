//! The bound on what the probes of one line cost its server: a token bucket.
//!
//! A token comes back with time, and with traffic: who gives a server much to do may ask it more,
//! and adds little to that. The bucket is kept as the time at which it will be full again, so it
//! needs no counter and no timer.

use std::time::Duration;

/// Tokens of a full bucket.
pub(super) const BURST: u32 = 20;
/// Events, either way, that bring one back. A probe costs a server as much as ten or fifteen.
const EVENTS: u32 = 2_000;

/// Times are those of one clock that begins with the line.
#[derive(Debug)]
pub(super) struct Bucket {
    /// One token comes back after this long, without traffic.
    every: Duration,
    full_at: Duration,
}

impl Bucket {
    /// A full one.
    pub fn full(every: Duration) -> Self {
        Bucket {
            every,
            full_at: Duration::ZERO,
        }
    }

    /// When there is a token to take, `left` others staying.
    pub fn ready(&self, left: u32) -> Duration {
        let missing = BURST.saturating_sub(1).saturating_sub(left);
        self.full_at
            .saturating_sub(self.every.saturating_mul(missing))
    }

    /// An event came, or was sent.
    pub fn earn(&mut self) {
        self.full_at = self.full_at.saturating_sub(self.every / EVENTS);
    }

    /// Takes one, even one that is not there yet.
    pub fn take(&mut self, now: Duration) {
        self.full_at = self.full_at.max(now).saturating_add(self.every);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Duration = Duration::from_secs(60);

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_full_one_gives_all_its_tokens_at_once_and_then_one_at_a_time() {
        let mut bucket = Bucket::full(EVERY);
        for _ in 0..BURST {
            assert!(bucket.ready(0) <= at(1000));
            bucket.take(at(1000));
        }
        assert_eq!(bucket.ready(0), at(1060));
        bucket.take(at(1060));
        assert_eq!(bucket.ready(0), at(1120));
    }

    #[test]
    fn what_must_stay_stays() {
        let mut bucket = Bucket::full(EVERY);
        assert!(bucket.ready(BURST - 1) <= at(1000));
        bucket.take(at(1000));
        assert_eq!(bucket.ready(BURST - 1), at(1060), "full again");
        assert!(bucket.ready(0) <= at(1000));
    }

    #[test]
    fn traffic_brings_tokens_back() {
        let mut bucket = Bucket::full(EVERY);
        for _ in 0..BURST {
            bucket.take(at(1000));
        }
        for _ in 0..EVENTS {
            assert!(bucket.ready(0) > at(1000));
            bucket.earn();
        }
        assert_eq!(bucket.ready(0), at(1000));
    }

    #[test]
    fn it_holds_no_more_than_it_holds() {
        let mut bucket = Bucket::full(EVERY);
        for _ in 0..=BURST {
            bucket.take(at(1_000_000));
        }
        assert_eq!(bucket.ready(0), at(1_000_120), "one was lent");
    }
}
