//! When the file is due.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A change that nobody waits for is written this long after the last write.
const SOON: Duration = Duration::from_secs(15);
/// Without any change: by the file's age one sees whether its process lives.
const HEARTBEAT: Duration = Duration::from_secs(60);

/// Rung by the driver; whoever writes the file waits for it.
#[derive(Debug, Default)]
pub(super) struct Bell {
    rung: Mutex<Rung>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Rung {
    state: &'static str,
    soon: bool,
    now: bool,
    end: bool,
    /// Somebody writes.
    answered: bool,
}

impl Rung {
    /// How long to wait still, if the last write was so long ago.
    fn pause(&self, since: Duration) -> Duration {
        let after = if self.now || self.end {
            Duration::ZERO
        } else if self.soon {
            SOON
        } else {
            HEARTBEAT
        };
        after.saturating_sub(since)
    }
}

impl Bell {
    /// The line is at this state.
    pub fn stands(&self, state: &'static str) {
        let mut rung = self.lock();
        if rung.state != state {
            rung.state = state;
            rung.now = true;
            self.changed.notify_all();
        }
    }

    pub fn soon(&self) {
        let mut rung = self.lock();
        if !rung.soon {
            rung.soon = true;
            self.changed.notify_all();
        }
    }

    pub fn now(&self) {
        self.lock().now = true;
        self.changed.notify_all();
    }

    /// Somebody begins to write, at once.
    pub fn answer(&self) {
        let mut rung = self.lock();
        (rung.now, rung.answered) = (true, true);
    }

    /// Waits until a write is due. False: it is the last one.
    pub fn wait(&self, written: Instant) -> bool {
        let mut rung = self.lock();
        loop {
            let pause = rung.pause(written.elapsed());
            if pause.is_zero() {
                (rung.now, rung.soon) = (false, false);
                return !rung.end;
            }
            let waited = self.changed.wait_timeout(rung, pause);
            rung = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Nobody writes any more.
    pub fn leave(&self) {
        self.lock().answered = false;
        self.changed.notify_all();
    }

    /// Asks for a last write, and waits for it, but not for longer than this.
    pub fn end(&self, timeout: Duration) {
        let mut rung = self.lock();
        rung.end = true;
        self.changed.notify_all();
        let waited = self
            .changed
            .wait_timeout_while(rung, timeout, |rung| rung.answered);
        drop(waited);
    }

    fn lock(&self) -> MutexGuard<'_, Rung> {
        // Flags: a poisoned lock leaves them in order.
        self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_urgent_is_due_at_once_and_the_rest_in_time() {
        let second = Duration::from_secs(1);
        let pause = |soon, now, end| {
            let rung = Rung {
                soon,
                now,
                end,
                ..Rung::default()
            };
            rung.pause(second)
        };
        assert_eq!(pause(true, true, false), Duration::ZERO);
        assert_eq!(pause(false, false, true), Duration::ZERO);
        assert_eq!(pause(true, false, false), SOON - second);
        assert_eq!(pause(false, false, false), HEARTBEAT - second);
        assert_eq!(Rung::default().pause(HEARTBEAT), Duration::ZERO);
    }

    #[test]
    fn only_another_state_is_news() {
        let bell = Bell::default();
        bell.stands("connected");
        assert!(bell.wait(Instant::now()));
        bell.stands("connected");
        bell.soon();
        assert!(!bell.lock().now);
        bell.stands("reconnecting");
        assert!(bell.wait(Instant::now()));
        assert!(!bell.lock().soon, "that write told all of it");
        bell.end(Duration::ZERO);
        assert!(!bell.wait(Instant::now()));
    }

    #[test]
    fn the_end_waits_for_nobody_if_nobody_writes() {
        let bell = Bell::default();
        bell.answer();
        bell.leave();
        bell.end(Duration::MAX);
    }
}
