//! One state of the model: the host's core, Blender's main thread, the server, and what the monitor
//! remembers.
//!
//! Instants are absolute, but two worlds count as one if they are equal relative to their `now`:
//! nothing in the core or in a machine asks what the clock says. Instants of the past that lie
//! beyond the horizon, and numbers of attempts beyond all settings, are one each: nothing that is
//! compared with them lies there. This makes the worlds finite, and loses nothing.

use crate::configuration::Configuration;
use crate::main_thread::{MainThread, Unheard};
use crate::monitor::Monitor;
use crate::policy::Who;
use lifeline_core::{Core, End, Input, Limits};
use std::hash::{Hash, Hasher};

/// When Blender starts (milliseconds): late enough that nothing before it saturates.
pub const START: u64 = 1_000_000;

/// One state of the model.
#[derive(Clone, Debug)]
pub struct World {
    /// Milliseconds.
    pub now: u64,
    /// Blender has started.
    pub started: bool,
    /// The host: the code that ships.
    pub core: Core,
    /// Who decides, if it does not fail.
    pub current: Who,
    /// The attempt under way, or the connection, and when it was begun.
    pub attempt: Option<(u64, u64)>,
    /// Outages that were told of.
    pub outages: u8,
    /// Blender has ended, or its process was ended.
    pub over: bool,
    /// Blender's.
    pub main: MainThread,
    /// A render runs.
    pub rendering: bool,
    /// The settings have been changed.
    pub other_settings: bool,
    /// Faults in this outage.
    pub faults: u8,
    /// Saves that a hostile policy has asked for in this outage.
    pub saves: u8,
    /// Outages so far.
    pub losses: u8,
    /// What is watched, and what was found.
    pub monitor: Monitor,
    /// See [`World::eq`].
    pub limits: Limits,
}

impl World {
    /// Before Blender starts.
    pub fn new(configuration: &Configuration) -> Self {
        let first = configuration.policies.first().copied();
        World {
            now: START,
            started: false,
            core: Core::new(configuration.core(), START),
            current: first.unwrap_or(Who::FiveMinutes),
            attempt: None,
            outages: 0,
            over: false,
            main: MainThread::default(),
            rendering: false,
            other_settings: false,
            faults: 0,
            saves: 0,
            losses: 1,
            monitor: Monitor::new(configuration, START),
            limits: Limits {
                horizon: configuration.horizon(),
                attempts: configuration.most_attempts() + 1,
                short: configuration.has_short_connections(),
            },
        }
    }

    /// The server is connected, as the host sees it.
    pub fn is_connected(&self) -> bool {
        self.core.guard().is_connected()
    }

    /// Something of Blender's end is due.
    pub fn end_is_due(&self) -> bool {
        self.core.end_due().is_some_and(|at| at <= self.now)
    }

    /// What Blender is asked to do last is being written down.
    pub fn is_writing(&self) -> bool {
        matches!(self.core.end(), End::Writing { .. })
    }

    /// The host hears what the main thread has claimed.
    pub(crate) fn hear(&mut self) -> Option<Input> {
        Some(match self.main.unheard.take()? {
            Unheard::Claim(ticket, _) => Input::Claimed(ticket),
            Unheard::SaveFirst(ticket) => Input::SaveFirst(ticket),
        })
    }

    /// Of an instant that may lie ahead.
    pub(crate) fn relative(&self, at: u64) -> i64 {
        self.limits.relative(self.now, at)
    }
}

impl Hash for World {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        if self.over {
            // What is left in the books makes no difference any more, but how it ended does.
            let (broken, seen) = (self.monitor.broken(), self.monitor.seen());
            (true, broken, seen, self.losses).hash(hasher);
            return;
        }
        self.core.hash_relative(self.now, &self.limits, hasher);
        let open = self.core.open_ticket().map(|open| open.ticket);
        self.main.hash_relative(open, hasher);
        let begun = self.attempt.filter(|_| !self.is_connected());
        begun.map(|(_, at)| self.relative(at)).hash(hasher);
        (self.current, self.outages).hash(hasher);
        (self.started, self.rendering, self.other_settings).hash(hasher);
        (self.faults, self.saves, self.losses).hash(hasher);
        self.monitor.hash_relative(self, hasher);
    }
}

impl PartialEq for World {
    /// Equal as far as the future goes: as they are hashed.
    fn eq(&self, other: &Self) -> bool {
        let key = |world: &World| {
            let mut hasher = std::hash::DefaultHasher::new();
            world.hash(&mut hasher);
            hasher.finish()
        };
        key(self) == key(other)
    }
}
