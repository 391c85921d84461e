//! What no policy can break.
//!
//! The guard keeps its own record of the server and of the saves, and holds every decision against
//! it. A decision that breaks a rule is dropped whole, its state too.

mod check;
#[cfg(test)]
mod tests;
mod violation;

pub use violation::Violation;

use lifeline_contract::types::{Phase, Request};
use std::hash::{Hash, Hasher};

/// What a decision may hold at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bounds {
    /// Actions.
    pub actions: usize,
    /// Bytes of memo.
    pub memo: usize,
}

impl Default for Bounds {
    /// What the contract says.
    fn default() -> Self {
        Bounds {
            actions: 16,
            memo: 4096,
        }
    }
}

/// The guard's own record of the present outage.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Guard {
    floor: u64,
    unsaved_wait: u64,
    bounds: Bounds,
    server: Server,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Server {
    Connected,
    Lost {
        at: u64,
        save: Save,
        /// The first of the saves that failed, one after the other.
        unsaved_since: Option<u64>,
        /// The loss, or what a person has asked for last.
        since: u64,
        /// What people have added since the loss.
        extended: u64,
        /// A person has asked to keep Blender open, and has neither released nor closed it.
        held: bool,
        /// Saves that were asked for since a person has asked for anything.
        saves: u32,
    },
}

impl Server {
    fn lost(at: u64) -> Self {
        Server::Lost {
            at,
            save: Save::Unanswered,
            unsaved_since: None,
            since: at,
            extended: 0,
            held: false,
            saves: 0,
        }
    }
}

/// What is known of the last save that this outage asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Save {
    /// None was asked for, or it is not answered, or people have worked on since.
    Unanswered,
    /// The work is on the disk.
    Safe,
    /// It is not.
    Failed,
}

impl Guard {
    /// The server is lost at first. `floor`: milliseconds after a loss in which nothing quits;
    /// `unsaved_wait`: milliseconds after a failed save in which nothing quits either.
    pub fn new(floor: u64, unsaved_wait: u64, now: u64) -> Self {
        Guard {
            floor,
            unsaved_wait,
            bounds: Bounds::default(),
            server: Server::lost(now),
        }
    }

    /// With other bounds than the contract's.
    pub fn bounded(self, bounds: Bounds) -> Self {
        Guard { bounds, ..self }
    }

    /// The server accepted.
    pub fn connected(&mut self) {
        self.server = Server::Connected;
    }

    /// The server was lost. A second loss in the same outage changes nothing.
    pub fn lost(&mut self, now: u64) {
        if self.server == Server::Connected {
            self.server = Server::lost(now);
        }
    }

    /// The host gives the server up, because the machine is taken away: there is no floor any more.
    pub fn give_up(&mut self, now: u64) {
        self.lost(now);
        self.floor = 0;
    }

    /// A person asks for something, and is to be answered next: from here on the outage may last as
    /// long as from a loss.
    pub fn requested(&mut self, request: &Request, now: u64) {
        if let Server::Lost {
            since,
            extended,
            held,
            saves,
            ..
        } = &mut self.server
        {
            *since = now;
            *saves = 0;
            match request {
                Request::Hold => *held = true,
                Request::Release | Request::CloseNow => *held = false,
                Request::Extend(_) => {}
            }
            if let Request::Extend(by) = request {
                *extended = extended.saturating_add(*by);
            }
        }
    }

    /// A person keeps Blender open.
    pub fn is_held(&self) -> bool {
        matches!(self.server, Server::Lost { held: true, .. })
    }

    /// Nobody was awake for so long: that time does not count.
    pub fn slept(&mut self, by: u64) {
        if let Server::Lost { since, .. } = &mut self.server {
            *since = since.saturating_add(by);
        }
    }

    /// Until when an outage must have ended that nobody holds; None: it need not. `within`:
    /// milliseconds from the loss, or from the last request of a person; 0: for ever.
    pub fn must_end(&self, within: u64) -> Option<u64> {
        match self.server {
            Server::Lost {
                since, extended, ..
            } if within > 0 => Some(since.saturating_add(within).saturating_add(extended)),
            _ => None,
        }
    }

    /// A policy asks for a save.
    pub fn policy_saves(&mut self) {
        if let Server::Lost { saves, .. } = &mut self.server {
            *saves = saves.saturating_add(1);
        }
        self.save_asked();
    }

    /// A save is asked for: what was answered before does not count any more.
    pub fn save_asked(&mut self) {
        if let Server::Lost {
            save,
            unsaved_since,
            ..
        } = &mut self.server
        {
            *save = Save::Unanswered;
            *unsaved_since = None;
        }
    }

    /// The policy is in this phase now. Outside saving and quitting people may work on, and an
    /// answered save gets old.
    pub fn entered(&mut self, phase: &Phase) {
        if !matches!(phase, Phase::Saving(_) | Phase::Quitting(_)) {
            self.save_asked();
        }
    }

    /// A save that this outage asked for has ended: is the work on the disk?
    pub fn save_answered(&mut self, safe: bool, now: u64) {
        if let Server::Lost {
            save,
            unsaved_since,
            ..
        } = &mut self.server
        {
            if safe {
                *save = Save::Safe;
            } else {
                *save = Save::Failed;
                unsaved_since.get_or_insert(now);
            }
        }
    }

    /// The saved file could be verified: only this ends a row of failures.
    pub fn save_verified(&mut self) {
        if let Server::Lost { unsaved_since, .. } = &mut self.server {
            *unsaved_since = None;
        }
    }

    /// The last save that this outage asked for is on the disk.
    pub fn is_safe(&self) -> bool {
        matches!(
            self.server,
            Server::Lost {
                save: Save::Safe,
                ..
            }
        )
    }

    /// The last save that this outage asked for has failed.
    pub fn is_failing(&self) -> bool {
        matches!(
            self.server,
            Server::Lost {
                save: Save::Failed,
                ..
            }
        )
    }

    /// Whether the server is connected.
    pub fn is_connected(&self) -> bool {
        self.server == Server::Connected
    }

    /// When the server was lost.
    pub fn lost_at(&self) -> Option<u64> {
        match self.server {
            Server::Connected => None,
            Server::Lost { at, .. } => Some(at),
        }
    }

    /// The earliest instant at which Blender may quit; None while connected, or before a save was
    /// answered.
    pub fn quit_from(&self) -> Option<u64> {
        match self.server {
            Server::Connected => None,
            Server::Lost {
                at,
                save,
                unsaved_since,
                ..
            } => {
                let floor = at.saturating_add(self.floor);
                match save {
                    Save::Unanswered => None,
                    Save::Safe => Some(floor),
                    Save::Failed => {
                        let since = unsaved_since.unwrap_or(at);
                        Some(floor.max(since.saturating_add(self.unsaved_wait)))
                    }
                }
            }
        }
    }

    /// All that the guard goes by, for a search that takes two situations as equal whatever the
    /// clock says: instants relative to `now`, those longer ago than `horizon` as one
    /// (milliseconds).
    pub fn hash_relative(&self, now: u64, horizon: u64, hasher: &mut impl Hasher) {
        let Guard {
            floor,
            unsaved_wait,
            bounds: Bounds { actions, memo },
            server,
        } = self;
        (floor, unsaved_wait, actions, memo).hash(hasher);
        let since = |at: u64| now.saturating_sub(at).min(horizon);
        match server {
            Server::Connected => false.hash(hasher),
            Server::Lost {
                at,
                save,
                unsaved_since,
                since: began,
                extended,
                held,
                saves,
            } => {
                (true, since(*at), save, unsaved_since.map(since)).hash(hasher);
                (since(*began), extended, held, saves).hash(hasher);
            }
        }
    }
}
