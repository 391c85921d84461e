//! How long the way to a server takes, and so how long its answers are waited for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Round trips of a whole attempt, from the first packet to the namespace, with some lost on the way.
const TRIPS: u32 = 12;
/// And answers to requests, where what takes its time is the server, or something in between.
const ANSWERS: u32 = 4;
/// An attempt is given no more than this, unless it was set so.
const ATTEMPT_MAX: Duration = Duration::from_secs(60);
/// A probe is waited for at least so long. Twice: more than a server that is busy for 5 s takes, and
/// with the silence before less than 10 s, even for a main thread that looks once a second.
const ANSWER: Duration = Duration::from_secs(3);
/// And at most so long.
const ANSWER_MAX: Duration = Duration::from_secs(30);
/// What a probe takes may be twice as much at another time.
const SPREAD: u32 = 2;
/// So often the wait for a probe is doubled.
const DOUBLED_MAX: u32 = 3;

/// Of one server, from one line to the next. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub(super) struct Pace(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    round_trip: Duration,
    /// To a request on a connection of its own.
    answer: Duration,
    /// Attempts without an answer in time, one after the other.
    timed_out: u32,
    /// So often a server was taken for frozen that was not.
    mistaken: u32,
}

impl Pace {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        // Nothing in here panics half way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One was seen.
    pub fn round_trip(&self, took: Duration) {
        let mut seen = self.seen();
        seen.round_trip = smoothed(seen.round_trip, took);
    }

    /// An answer was seen.
    pub fn answer(&self, took: Duration) {
        let mut seen = self.seen();
        seen.answer = smoothed(seen.answer, took);
    }

    /// An attempt came to nothing within its time.
    pub fn timed_out(&self) {
        let mut seen = self.seen();
        seen.timed_out = seen.timed_out.saturating_add(1);
    }

    /// An attempt was answered, one way or the other.
    pub fn in_time(&self) {
        self.seen().timed_out = 0;
    }

    /// A probe was answered after its server had been taken for frozen.
    pub fn mistaken(&self) {
        let mut seen = self.seen();
        seen.mistaken = (seen.mistaken + 1).min(DOUBLED_MAX);
    }

    /// An attempt on a way like this needs so long, where `set` is what was asked for.
    pub fn needed(&self, set: Duration) -> Duration {
        let seen = self.seen();
        let needed = set
            .max(seen.round_trip.saturating_mul(TRIPS))
            .max(seen.answer.saturating_mul(ANSWERS));
        needed.min(ATTEMPT_MAX.max(set))
    }

    /// A whole attempt may take so long: half as much more than is needed after each one without an
    /// answer, up to twice as long.
    pub fn attempt(&self, set: Duration) -> Duration {
        let needed = self.needed(set);
        let seen = self.seen();
        let longer = needed.saturating_add(needed / 2 * seen.timed_out.min(2));
        longer.min(ATTEMPT_MAX.max(set))
    }

    /// Each of two probes is waited for so long.
    pub fn wait(&self) -> Duration {
        let seen = self.seen();
        let needed = ANSWER.max(seen.answer.saturating_mul(SPREAD));
        needed.saturating_mul(1 << seen.mistaken).min(ANSWER_MAX)
    }
}

/// Up at once, down by and by.
fn smoothed(before: Duration, now: Duration) -> Duration {
    now.max((before * 3).saturating_add(now) / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SET: Duration = Duration::from_secs(10);

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn what_is_quick_is_given_what_was_set() {
        let pace = Pace::default();
        assert_eq!((pace.attempt(SET), pace.wait()), (SET, ANSWER));
        pace.round_trip(ms(200));
        pace.answer(ms(400));
        assert_eq!((pace.attempt(SET), pace.wait()), (SET, ANSWER));
    }

    #[test]
    fn a_slow_way_is_given_more() {
        let pace = Pace::default();
        pace.round_trip(ms(3200));
        pace.answer(ms(6400));
        assert!(pace.needed(SET) >= ms(3200 * 5));
        assert!(pace.attempt(SET) >= pace.needed(SET));
        assert!(pace.wait() > ms(6400));
        // And as before when it is quick again.
        for _ in 0..20 {
            pace.round_trip(ms(10));
            pace.answer(ms(20));
        }
        assert_eq!((pace.attempt(SET), pace.wait()), (SET, ANSWER));
    }

    #[test]
    fn after_time_outs_attempts_are_longer_and_not_without_end() {
        let pace = Pace::default();
        let mut lengths = Vec::new();
        for _ in 0..4 {
            lengths.push(pace.attempt(SET).as_secs());
            pace.timed_out();
        }
        assert_eq!(lengths, [10, 15, 20, 20]);
        pace.in_time();
        assert_eq!(pace.attempt(SET), SET);
        pace.round_trip(Duration::from_secs(100));
        assert_eq!(pace.attempt(SET), ATTEMPT_MAX);
        assert_eq!(pace.attempt(ms(600_000)), ms(1_200_000).min(ms(600_000)));
    }

    #[test]
    fn whoever_was_mistaken_waits_longer() {
        let pace = Pace::default();
        pace.mistaken();
        assert_eq!(pace.wait(), ANSWER * 2);
        for _ in 0..10 {
            pace.mistaken();
        }
        assert_eq!(pace.wait(), ANSWER * 8);
    }
}
