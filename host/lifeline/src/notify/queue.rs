//! What waits to be sent.

use super::message::{About, Notification};
use std::collections::VecDeque;

/// A webhook that takes nothing must not fill the memory.
const CAPACITY: usize = 32;

/// Oldest first; when it is full, what is worth least makes room.
#[derive(Default)]
pub(super) struct Queue(VecDeque<Notification>);

impl Queue {
    /// Adds one. What had to go for it: the oldest warning, which is out of date, else the oldest.
    pub fn push(&mut self, notification: Notification) -> Option<Notification> {
        self.0.push_back(notification);
        if self.0.len() <= CAPACITY {
            return None;
        }
        let warning = |one: &Notification| one.event == About::Warn;
        self.0.remove(self.0.iter().position(warning).unwrap_or(0))
    }

    /// Takes the oldest.
    pub fn pop(&mut self) -> Option<Notification> {
        self.0.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::tests::notification;
    use super::*;

    #[test]
    fn a_full_queue_drops_the_oldest_warning_and_keeps_the_order() {
        let mut queue = Queue::default();
        for sequence in 0..CAPACITY as u32 {
            let about = match sequence {
                0 => About::Saved,
                5 | 9 => About::Warn,
                _ => About::Cancelled,
            };
            assert!(queue.push(notification(about, sequence)).is_none());
        }
        let mut push = |sequence| queue.push(notification(About::Failed, sequence));
        let dropped: Vec<_> = (100..103)
            .map(|sequence| push(sequence).unwrap().sequence)
            .collect();
        assert_eq!(dropped, [5, 9, 0], "the warnings, then the oldest");
        let left: Vec<_> = std::iter::from_fn(|| queue.pop())
            .map(|one| one.sequence)
            .collect();
        assert_eq!(left.len(), CAPACITY);
        assert!(left.is_sorted(), "{left:?}");
    }
}
