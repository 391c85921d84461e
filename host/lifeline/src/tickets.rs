//! `save` and `quit` wait for Blender's main thread. The ticket of one such request stands until
//! either thread takes it: the main thread right before acting, or the host thread, to withdraw it.
//! Whoever comes second gets nothing. At most one stands at a time.

use lifeline_core::Task;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Debug, Default)]
struct Standing {
    issued: u64,
    standing: Option<(u64, Task)>,
}

/// What both threads see of it.
#[derive(Debug, Default)]
pub struct Tickets(Mutex<Standing>);

impl Tickets {
    /// This one stands from now on. Its number is greater than all before.
    pub fn issue(&self, ticket: u64, task: Task) {
        let mut state = self.state();
        state.issued = ticket;
        state.standing = Some((ticket, task));
    }

    /// The greatest number so far.
    pub fn issued(&self) -> u64 {
        self.state().issued
    }

    /// True once, and only while it stands.
    pub fn take(&self, ticket: u64) -> bool {
        self.state()
            .standing
            .take_if(|(standing, _)| *standing == ticket)
            .is_some()
    }

    /// None stands any more.
    pub fn withdraw(&self) {
        self.state().standing = None;
    }

    /// What the main thread may begin.
    pub fn standing(&self) -> Option<Task> {
        self.state().standing.map(|(_, task)| task)
    }

    fn state(&self) -> MutexGuard<'_, Standing> {
        // Nothing here can panic half way: a poisoned state is still in order.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Place;

    #[test]
    fn a_ticket_is_taken_once() {
        let tickets = Tickets::default();
        tickets.issue(1, Task::Quit);
        assert_eq!(tickets.standing(), Some(Task::Quit));
        assert!(tickets.take(1));
        assert!(!tickets.take(1));
        assert_eq!(tickets.standing(), None);
    }

    #[test]
    fn a_withdrawn_ticket_and_one_that_was_replaced_are_not_to_be_had() {
        let tickets = Tickets::default();
        tickets.issue(1, Task::Save(Place::InPlace));
        tickets.withdraw();
        assert!(!tickets.take(1));
        tickets.issue(2, Task::Save(Place::InPlace));
        tickets.issue(3, Task::Quit);
        assert!(!tickets.take(2));
        assert!(tickets.take(3));
        assert_eq!(tickets.issued(), 3);
    }
}
