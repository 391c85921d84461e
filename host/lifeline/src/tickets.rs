//! `save` and `quit` wait for Blender's main thread. A ticket stands for one such request: the
//! driver issues it, the main thread claims it right before acting, and the driver withdraws it
//! when the server is back or a person holds. At most one is open at a time.

use crate::contract::Place;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a ticket asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Save, here or there.
    Save(Place),
    /// Close Blender.
    Quit,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    ticket: u64,
    task: Task,
    claimed: bool,
}

#[derive(Debug, Default)]
struct Desk {
    last: u64,
    open: Option<Open>,
}

/// Where tickets are issued, claimed, answered and withdrawn.
#[derive(Debug, Default)]
pub struct Tickets(Mutex<Desk>);

impl Tickets {
    /// A new ticket; one that was open before is withdrawn.
    pub fn issue(&self, task: Task) -> u64 {
        let mut desk = self.desk();
        desk.last += 1;
        let ticket = desk.last;
        desk.open = Some(Open {
            ticket,
            task,
            claimed: false,
        });
        ticket
    }

    /// Whether to act. True once, and only while the ticket stands.
    pub fn claim(&self, ticket: u64) -> bool {
        match self
            .desk()
            .open
            .as_mut()
            .filter(|open| open.ticket == ticket && !open.claimed)
        {
            Some(open) => {
                open.claimed = true;
                true
            }
            None => false,
        }
    }

    /// The main thread has answered. None: the ticket had been withdrawn, or was never claimed.
    pub fn settle(&self, ticket: u64) -> Option<Task> {
        let mut desk = self.desk();
        let open = desk
            .open
            .filter(|open| open.ticket == ticket && open.claimed)?;
        desk.open = None;
        Some(open.task)
    }

    /// Takes back what is open: its ticket, the task, and whether the main thread had begun it.
    pub fn withdraw(&self) -> Option<(u64, Task, bool)> {
        self.desk()
            .open
            .take()
            .map(|open| (open.ticket, open.task, open.claimed))
    }

    /// Takes back this very ticket; false if it is not open any more, or the main thread has
    /// begun it.
    pub fn take_back(&self, ticket: u64, task: Task) -> bool {
        let mut desk = self.desk();
        let open = desk
            .open
            .take_if(|open| open.ticket == ticket && open.task == task && !open.claimed);
        open.is_some()
    }

    /// Takes back what is open, unless the main thread has begun it.
    pub fn withdraw_unclaimed(&self) -> bool {
        self.desk().open.take_if(|open| !open.claimed).is_some()
    }

    /// What the main thread has begun with this ticket.
    pub fn claimed(&self, ticket: u64) -> Option<Task> {
        self.desk()
            .open
            .filter(|open| open.ticket == ticket && open.claimed)
            .map(|open| open.task)
    }

    /// The main thread has begun what is open.
    pub fn is_claimed(&self) -> bool {
        self.desk().open.is_some_and(|open| open.claimed)
    }

    /// What is open.
    pub fn open(&self) -> Option<Task> {
        self.desk().open.map(|open| open.task)
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        // Nothing here can panic half way: a poisoned desk is still in order.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_claimed_once() {
        let tickets = Tickets::default();
        let ticket = tickets.issue(Task::Quit);
        assert!(tickets.claim(ticket));
        assert!(!tickets.claim(ticket));
    }

    #[test]
    fn a_withdrawn_ticket_cannot_be_claimed_or_answered() {
        let tickets = Tickets::default();
        let ticket = tickets.issue(Task::Save(Place::InPlace));
        assert_eq!(
            tickets.withdraw(),
            Some((ticket, Task::Save(Place::InPlace), false))
        );
        assert!(!tickets.claim(ticket));
        assert_eq!(tickets.settle(ticket), None);
    }

    #[test]
    fn an_answer_needs_a_claim() {
        let tickets = Tickets::default();
        let ticket = tickets.issue(Task::Save(Place::Recovery));
        assert_eq!(tickets.settle(ticket), None);
        assert!(tickets.claim(ticket));
        assert_eq!(tickets.settle(ticket), Some(Task::Save(Place::Recovery)));
        assert_eq!(tickets.settle(ticket), None);
    }

    #[test]
    fn only_what_nobody_has_begun_is_taken_back() {
        let tickets = Tickets::default();
        let quit = tickets.issue(Task::Quit);
        assert!(!tickets.take_back(quit, Task::Save(Place::InPlace)));
        assert!(tickets.take_back(quit, Task::Quit));
        assert!(!tickets.claim(quit));
        let save = tickets.issue(Task::Save(Place::InPlace));
        assert_eq!(tickets.claimed(save), None);
        assert!(tickets.claim(save));
        assert_eq!(tickets.claimed(save), Some(Task::Save(Place::InPlace)));
        assert!(tickets.is_claimed() && !tickets.withdraw_unclaimed());
        assert!(tickets.settle(save).is_some());
        tickets.issue(Task::Quit);
        assert!(tickets.withdraw_unclaimed());
        assert_eq!(tickets.open(), None);
    }

    #[test]
    fn a_new_ticket_replaces_the_old_one() {
        let tickets = Tickets::default();
        let old = tickets.issue(Task::Save(Place::InPlace));
        assert!(tickets.claim(old));
        let new = tickets.issue(Task::Quit);
        assert_eq!(tickets.settle(old), None);
        assert!(tickets.claim(new));
    }
}
