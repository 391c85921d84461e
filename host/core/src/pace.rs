//! How often a policy is woken at most.

/// Never sooner than this after a decision (milliseconds).
pub const FLOOR: u64 = 10;
/// A policy may be in a hurry so often in a row,
const BURST: u64 = 200;
/// and then once in this time (milliseconds).
const SLOW: u64 = 200;

/// Counts the decisions of the recent past.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Pace {
    spent: u64,
    counted_at: u64,
    told: bool,
}

impl Pace {
    /// The least time until the policy is woken, in milliseconds; a decision has been made now.
    pub fn floor(&mut self, now: u64) -> u64 {
        let earned = now.saturating_sub(self.counted_at) / SLOW;
        self.spent = self.spent.saturating_sub(earned).saturating_add(1);
        self.counted_at = self.counted_at.saturating_add(earned * SLOW);
        if self.spent > BURST { SLOW } else { FLOOR }
    }

    /// True once for each policy that was slowed down.
    pub fn is_news(&mut self) -> bool {
        self.spent > BURST && !std::mem::replace(&mut self.told, true)
    }

    /// Another policy decides.
    pub fn swapped(&mut self) {
        *self = Pace::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_always_in_a_hurry_is_slowed_down() {
        let mut pace = Pace::default();
        let mut now = 1_000_000;
        let mut calls = 0;
        while now < 1_060_000 {
            now += pace.floor(now);
            calls += 1;
            assert!(calls < 10_000, "nobody is slowed down");
        }
        assert!((400..600).contains(&calls), "{calls} in a minute");
        assert!(pace.is_news() && !pace.is_news());
        // After a rest it may hurry again.
        assert_eq!(pace.floor(now + BURST * SLOW), FLOOR);
    }

    #[test]
    fn it_is_news_once_for_each_policy() {
        let mut pace = Pace::default();
        for _ in 0..2 {
            for _ in 0..BURST {
                assert_eq!(pace.floor(1_000_000), FLOOR);
                assert!(!pace.is_news());
            }
            assert_eq!(pace.floor(1_000_000), SLOW);
            assert!(pace.is_news() && !pace.is_news());
            pace.swapped();
        }
    }

    #[test]
    fn who_takes_its_time_never_waits() {
        let mut pace = Pace::default();
        for second in 0..100_000 {
            assert_eq!(pace.floor(second * 1_000), FLOOR);
        }
    }
}
