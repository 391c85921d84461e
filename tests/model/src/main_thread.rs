//! Blender's main thread: what it was asked for, and what it is doing about it.
//!
//! Tickets that were withdrawn are alike: one of them is kept, to be refused.

use lifeline_contract::types::Place;
use lifeline_core::Task;
use std::hash::{Hash, Hasher};

/// Between two steps.
#[derive(Clone, Debug, Default)]
pub struct MainThread {
    /// The ticket that it may claim, which the host takes back or replaces.
    standing: Option<u64>,
    /// Told of, and not looked at yet; oldest first.
    inbox: Vec<(u64, Task)>,
    /// The save that runs.
    pub running: Option<(u64, Place)>,
    /// What it has said, and the host has not heard.
    pub unheard: Option<Unheard>,
}

/// Of a ticket.
#[derive(Clone, Copy, Debug)]
pub enum Unheard {
    /// It is claimed.
    Claim(u64, Task),
    /// Another save first.
    SaveFirst(u64),
}

impl MainThread {
    /// The host issues a ticket.
    pub fn told(&mut self, ticket: u64, task: Task) {
        self.standing = Some(ticket);
        self.inbox.push((ticket, task));
        self.forget();
    }

    /// The host takes it back; false: it was claimed before.
    pub fn take_back(&mut self, ticket: u64) -> bool {
        let stood = self.standing.take_if(|it| *it == ticket).is_some();
        self.forget();
        stood
    }

    /// All withdrawn ones but the last.
    fn forget(&mut self) {
        let stands = |it: u64| self.standing == Some(it);
        let last = self.inbox.iter().rfind(|(it, _)| !stands(*it)).copied();
        let kept = |it: u64| stands(it) || last.is_some_and(|(last, _)| last == it);
        self.inbox = self
            .inbox
            .iter()
            .copied()
            .filter(|(it, _)| kept(*it))
            .collect();
    }

    /// What it looks at next.
    pub fn next(&self) -> Option<(u64, Task)> {
        self.inbox.first().copied()
    }

    /// What it looks at next stands.
    pub fn next_stands(&self) -> bool {
        self.next().is_some_and(|(it, _)| self.standing == Some(it))
    }

    /// Looks at the next one; true: and claims it.
    pub fn claim(&mut self) -> Option<(u64, Task, bool)> {
        let (ticket, task, stands) = self.look()?;
        if stands {
            self.unheard = Some(Unheard::Claim(ticket, task));
            if let Task::Save(place) = task {
                self.running = Some((ticket, place));
            }
        }
        Some((ticket, task, stands))
    }

    /// Looks at the next one, and hands it back if it stands.
    pub fn hand_back(&mut self) {
        if let Some((ticket, _, true)) = self.look() {
            self.unheard = Some(Unheard::SaveFirst(ticket));
        }
    }

    /// Looks at the next one; true: it stood until now.
    fn look(&mut self) -> Option<(u64, Task, bool)> {
        let stands = self.next_stands();
        let (ticket, task) = self.next()?;
        self.inbox.remove(0);
        if stands {
            self.standing = None;
        }
        Some((ticket, task, stands))
    }

    /// It saves, or has claimed a quit: then it looks at nothing else.
    pub fn is_at_work(&self) -> bool {
        self.running.is_some() || self.unheard.is_some()
    }

    /// It is at this, whether the host has heard of it or not.
    pub fn has_begun(&self, ticket: u64) -> bool {
        let claimed = |it: Unheard| matches!(it, Unheard::Claim(claimed, _) if claimed == ticket);
        self.running.is_some_and(|(it, _)| it == ticket) || self.unheard.is_some_and(claimed)
    }

    /// `open`: the ticket that is open at the host.
    pub fn hash_relative(&self, open: Option<u64>, hasher: &mut impl Hasher) {
        let is_open = |ticket: u64| open == Some(ticket);
        let stands = |ticket: u64| self.standing == Some(ticket);
        self.standing.is_some().hash(hasher);
        for (ticket, task) in &self.inbox {
            (stands(*ticket), task).hash(hasher);
        }
        let running = self.running;
        running.map(|(it, place)| (is_open(it), place)).hash(hasher);
        match self.unheard {
            None => 0_u8.hash(hasher),
            Some(Unheard::Claim(it, task)) => (1_u8, is_open(it), task).hash(hasher),
            Some(Unheard::SaveFirst(it)) => (2_u8, is_open(it)).hash(hasher),
        }
    }
}
