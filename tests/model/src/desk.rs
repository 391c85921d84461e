//! Tickets: what lies on the host's desk, and what the main thread has taken from it.
//!
//! The real [`Tickets`] cannot be copied. So a state of the model remembers what is open, and who
//! knows of it; each step lays it out on a real desk, with which the host and the main thread then
//! deal. Tickets that were withdrawn are alike: one of them is kept, to be refused.

use crate::world::task_number;
use lifeline::contract::Place;
use lifeline::tickets::{Task, Tickets};
use std::hash::{Hash, Hasher};

/// Between two steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Desk {
    /// The open ticket's task, and whether the main thread has claimed it.
    pub open: Option<(Task, bool)>,
    /// The main thread has not looked at the open ticket yet.
    pub told: bool,
    /// Before that it finds a ticket that was withdrawn.
    pub withdrawn: Option<Task>,
    /// The main thread saves; true: for the open ticket.
    pub running: Option<bool>,
    /// The main thread has claimed a quit, and the host has not heard of it; true: the open ticket.
    pub quit_claimed: Option<bool>,
}

impl Hash for Desk {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let open = self
            .open
            .map(|(task, claimed)| (task_number(task), claimed));
        (open, self.told, self.withdrawn.map(task_number)).hash(hasher);
        (self.running, self.quit_claimed).hash(hasher);
    }
}

/// Within one step.
pub struct LaidOut {
    /// The real ones.
    pub tickets: Tickets,
    /// Told to the main thread, oldest first.
    pub inbox: Vec<(u64, Task)>,
    /// The save that runs.
    pub running: Option<u64>,
    /// The quit that was claimed.
    pub quit_claimed: Option<u64>,
    last: u64,
}

impl LaidOut {
    /// Lays the desk out.
    pub fn new(desk: &Desk) -> Self {
        let tickets = Tickets::default();
        let old = tickets.issue(Task::Save(Place::InPlace));
        tickets.withdraw_unclaimed();
        let mut last = old;
        if let Some((task, claimed)) = desk.open {
            last = tickets.issue(task);
            if claimed {
                tickets.claim(last);
            }
        }
        let which = |open: bool| if open { last } else { old };
        let mut inbox = Vec::new();
        inbox.extend(desk.withdrawn.map(|task| (old, task)));
        inbox.extend(
            desk.open
                .filter(|_| desk.told)
                .map(|(task, _)| (last, task)),
        );
        LaidOut {
            running: desk.running.map(which),
            quit_claimed: desk.quit_claimed.map(which),
            tickets,
            inbox,
            last,
        }
    }

    /// A new ticket, and the main thread is told.
    pub fn issue(&mut self, task: Task) -> u64 {
        self.last = self.tickets.issue(task);
        self.inbox.push((self.last, task));
        self.last
    }

    /// What of it the next step needs.
    pub fn gather(self) -> Desk {
        let open = self
            .tickets
            .open()
            .map(|task| (task, self.tickets.is_claimed()));
        let is_open = |ticket: u64| open.is_some() && ticket == self.last;
        let (told, withdrawn): (Vec<_>, Vec<_>) =
            self.inbox.iter().partition(|(ticket, _)| is_open(*ticket));
        Desk {
            open,
            told: !told.is_empty(),
            withdrawn: withdrawn.last().map(|(_, task)| *task),
            running: self.running.map(is_open),
            quit_claimed: self.quit_claimed.map(is_open),
        }
    }
}
