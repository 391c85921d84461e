//! `save` and `quit` wait for Blender's main thread. A ticket stands for one such request: it is
//! issued here, the main thread claims it right before acting, and it is withdrawn when the server
//! is back or a person holds. At most one is open at a time.

use lifeline_contract::types::Place;

/// What a ticket asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Task {
    /// Save, here or there.
    Save(Place),
    /// Close Blender.
    Quit,
}

/// One that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Open {
    /// Its number.
    pub ticket: u64,
    /// What for.
    pub task: Task,
    /// When it was issued, in milliseconds.
    pub since: u64,
    /// The main thread has begun it.
    pub claimed: bool,
}

/// Issues and withdraws them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Tickets {
    last: u64,
    open: Option<Open>,
}

impl Tickets {
    /// So many were issued before this.
    pub fn after(last: u64) -> Self {
        Tickets { last, open: None }
    }

    /// A new ticket, in place of one that was open.
    pub fn issue(&mut self, task: Task, now: u64) -> u64 {
        self.last += 1;
        self.open = Some(Open {
            ticket: self.last,
            task,
            since: now,
            claimed: false,
        });
        self.last
    }

    /// What is open.
    pub fn open(&self) -> Option<Open> {
        self.open
    }

    /// The main thread has claimed it: what it has begun, unless the ticket was withdrawn.
    pub fn claim(&mut self, ticket: u64) -> Option<Task> {
        let open = self.open.as_mut().filter(|open| open.ticket == ticket)?;
        open.claimed = true;
        Some(open.task)
    }

    /// The main thread has answered. None: the ticket was withdrawn, or was never claimed.
    pub fn settle(&mut self, ticket: u64) -> Option<Task> {
        let open = self.open.take_if(|it| it.ticket == ticket && it.claimed)?;
        Some(open.task)
    }

    /// The main thread has handed a quit back in place of beginning it; false: it was withdrawn.
    pub fn hand_back(&mut self, ticket: u64) -> bool {
        self.open
            .take_if(|it| it.ticket == ticket && it.task == Task::Quit)
            .is_some()
    }

    /// Nothing is open any more: what was.
    pub fn close(&mut self) -> Option<Open> {
        self.open.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_answered_was_claimed_and_is_the_one_that_is_open() {
        let mut tickets = Tickets::after(6);
        assert_eq!(tickets.issue(Task::Save(Place::InPlace), 0), 7);
        assert_eq!((tickets.settle(7), tickets.claim(6)), (None, None));
        assert_eq!(tickets.claim(7), Some(Task::Save(Place::InPlace)));
        assert_eq!(tickets.settle(6), None);
        assert_eq!(tickets.settle(7), Some(Task::Save(Place::InPlace)));
        assert_eq!(tickets.open(), None);
    }

    #[test]
    fn a_quit_alone_is_handed_back() {
        let mut tickets = Tickets::default();
        let save = tickets.issue(Task::Save(Place::InPlace), 0);
        assert!(!tickets.hand_back(save));
        let quit = tickets.issue(Task::Quit, 0);
        assert!(!tickets.hand_back(save) && tickets.hand_back(quit));
        assert_eq!(tickets.close(), None);
    }
}
