//! One state of the model: the host, the main thread, the line, and what the monitor remembers.
//!
//! Instants are absolute, but two worlds count as one if they are equal relative to their `now`:
//! nothing in the host or in a machine asks what the clock says. Instants of the past that lie
//! beyond the horizon, and numbers of attempts beyond all settings, are one each: nothing that is
//! compared with them lies there. This makes the worlds finite, and loses nothing.

use crate::configuration::Configuration;
use crate::desk::Desk;
use crate::monitor::Monitor;
use crate::policy::Who;
use lifeline::contract::{Attempt, Outage, Phase, Place, State};
use lifeline::guard::Guard;
use lifeline::sandbox::Call;
use lifeline::tickets::Task;
use std::collections::VecDeque;
use std::hash::{Hash, Hasher};

/// When Blender starts (milliseconds): late enough that nothing before it saturates.
pub const START: u64 = 1_000_000;

/// What the host has of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    /// No attempt is under way.
    None,
    /// One has begun then.
    Trying(u64),
    /// The server has accepted.
    Up,
}

/// How far Blender's end is, as the driver's `closing::End`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Nobody wants it.
    No,
    /// Something must be over first.
    Wanted,
    /// The main thread has the ticket.
    Asked {
        /// Since then.
        since: u64,
    },
    /// It is carried out; nothing can come back.
    Over,
}

/// What the driver keeps, as far as a policy, a server or a person can notice.
#[derive(Clone, Debug)]
pub struct Host {
    /// The real one.
    pub guard: Guard,
    /// What the policy has answered last.
    pub state: State,
    /// When it wants to be called.
    pub wake_at: Option<u64>,
    /// Calls that nobody could decide.
    pub undecided: VecDeque<Call>,
    /// Who decides.
    pub current: Who,
    /// How often its answers were dropped.
    pub failures: u32,
    /// The line.
    pub connection: Connection,
    /// How far the end is.
    pub end: End,
    /// The file that was saved last is being read back.
    pub keeping: bool,
    /// The next try after a failed save.
    pub retry_at: Option<u64>,
    /// Tries so far.
    pub retries: u32,
    /// Times that the main thread wanted to save first.
    pub saved_first: u32,
    /// The outage has been told of.
    pub announced: bool,
    /// Outages that were told of.
    pub outages: u8,
}

/// One state of the model.
#[derive(Clone, Debug)]
pub struct World {
    /// Milliseconds.
    pub now: u64,
    /// Blender has started.
    pub started: bool,
    /// The host thread.
    pub host: Host,
    /// Tickets, and what the main thread does with them.
    pub desk: Desk,
    /// A render runs.
    pub rendering: bool,
    /// The settings have been changed.
    pub other_settings: bool,
    /// Surprises in this outage.
    pub surprises: u8,
    /// Saves that a hostile policy has asked for in this outage.
    pub saves: u8,
    /// Outages so far.
    pub losses: u8,
    /// What is watched, and what was found.
    pub monitor: Monitor,
    /// See [`World::eq`].
    pub limits: Limits,
}

/// Beyond these, instants and numbers are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Milliseconds of the past.
    pub horizon: u64,
    /// Attempts.
    pub attempts: u32,
}

impl World {
    /// Before Blender starts.
    pub fn new(configuration: &Configuration) -> Self {
        let guard = Guard::new(configuration.floor, configuration.unsaved_wait, START);
        World {
            now: START,
            started: false,
            host: Host {
                guard,
                state: State {
                    phase: Phase::Connected,
                    seen: START,
                    memo: Vec::new(),
                },
                wake_at: None,
                undecided: VecDeque::new(),
                current: configuration
                    .policies
                    .first()
                    .copied()
                    .unwrap_or(Who::FiveMinutes),
                failures: 0,
                connection: Connection::None,
                end: End::No,
                keeping: false,
                retry_at: None,
                retries: 0,
                saved_first: 0,
                announced: false,
                outages: 0,
            },
            desk: Desk::default(),
            rendering: false,
            other_settings: false,
            surprises: 0,
            saves: 0,
            losses: 1,
            monitor: Monitor::new(configuration, START),
            limits: Limits {
                horizon: configuration.horizon(),
                attempts: configuration.most_attempts() + 1,
            },
        }
    }

    /// Nothing happens any more.
    pub fn is_over(&self) -> bool {
        self.host.end == End::Over
    }

    /// When the driver looks at how far the end is, as `closing::alarm` (without an upload, and
    /// with a disk that answers).
    pub fn alarm(&self, quit_timeout: u64) -> Option<u64> {
        let host = &self.host;
        match host.end {
            End::Wanted if self.desk.open.is_some() => None,
            End::Wanted if host.guard.is_safe() && host.keeping => None,
            End::Wanted => match (host.guard.quit_from(), host.retry_at) {
                (Some(quit), Some(retry)) => Some(quit.min(retry)),
                (quit, retry) => quit.or(retry),
            },
            End::Asked { since } => host
                .guard
                .is_safe()
                .then(|| since.saturating_add(quit_timeout)),
            End::No | End::Over => None,
        }
    }

    /// The next instant at which the host does something.
    pub fn due(&self, quit_timeout: u64) -> Option<u64> {
        match (self.host.wake_at, self.alarm(quit_timeout)) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }

    /// Since an instant of the past, beyond the horizon as one.
    fn since(&self, at: u64) -> u64 {
        self.now.saturating_sub(at).min(self.limits.horizon)
    }

    /// Of an instant that may lie ahead.
    pub(crate) fn relative(&self, at: u64) -> i64 {
        let horizon = i64::try_from(self.limits.horizon).unwrap_or(i64::MAX);
        (at.wrapping_sub(self.now) as i64).max(-horizon)
    }

    fn hash_state(&self, hasher: &mut impl Hasher) {
        let state = &self.host.state;
        std::mem::discriminant(&state.phase).hash(hasher);
        match &state.phase {
            Phase::Connected => {}
            Phase::CountingDown(countdown) => {
                (self.relative(countdown.deadline), countdown.warned).hash(hasher);
            }
            // Since when it saves no machine asks.
            Phase::Saving(saving) => (saving.place == Place::InPlace).hash(hasher),
            Phase::Reconnecting(_) | Phase::Quitting(_) | Phase::Held(_) => {}
        }
        if let Some(outage) = outage_of(&state.phase) {
            let attempt = match outage.attempt {
                Attempt::Due(at) => (false, self.relative(at)),
                Attempt::UnderWay(until) => (true, self.relative(until)),
            };
            let attempts = outage.attempts.min(self.limits.attempts);
            (self.since(outage.lost_at), outage.why as u8).hash(hasher);
            (attempts, attempt, outage.extended).hash(hasher);
        }
        // When the state was seen no machine asks either.
        state.memo.len().hash(hasher);
    }

    fn hash_host(&self, hasher: &mut impl Hasher) {
        let host = &self.host;
        host.guard
            .hash_relative(self.now, self.limits.horizon, hasher);
        self.hash_state(hasher);
        host.wake_at.map(|at| self.relative(at)).hash(hasher);
        host.undecided.len().hash(hasher);
        for call in &host.undecided {
            format!("{call:?}").hash(hasher);
        }
        (host.current, host.failures).hash(hasher);
        match host.connection {
            Connection::None => 0_u64.hash(hasher),
            Connection::Trying(at) => (1_u64, self.since(at)).hash(hasher),
            Connection::Up => 2_u64.hash(hasher),
        }
        match host.end {
            End::No => 0_u64.hash(hasher),
            End::Wanted => 1_u64.hash(hasher),
            End::Asked { since } => (2_u64, self.since(since)).hash(hasher),
            End::Over => 3_u64.hash(hasher),
        }
        host.retry_at.map(|at| self.relative(at)).hash(hasher);
        // The pause grows no further after the sixth.
        (host.keeping, host.retries.min(7), host.saved_first).hash(hasher);
        (host.announced, host.outages).hash(hasher);
    }
}

impl Hash for World {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        if self.is_over() {
            // What is left in the books makes no difference any more, but how it ended does.
            let (broken, seen) = (self.monitor.broken(), self.monitor.seen());
            (true, broken, seen, self.losses).hash(hasher);
            return;
        }
        self.hash_host(hasher);
        self.desk.hash(hasher);
        (self.started, self.rendering, self.other_settings).hash(hasher);
        (self.surprises, self.saves, self.losses).hash(hasher);
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

/// The outage of a phase.
pub fn outage_of(phase: &Phase) -> Option<&Outage> {
    match phase {
        Phase::Connected => None,
        Phase::Reconnecting(outage) | Phase::Quitting(outage) | Phase::Held(outage) => Some(outage),
        Phase::CountingDown(countdown) => Some(&countdown.outage),
        Phase::Saving(saving) => Some(&saving.outage),
    }
}

/// A number for a task, to hash it by.
pub(crate) fn task_number(task: Task) -> u8 {
    match task {
        Task::Save(Place::InPlace) => 0,
        Task::Save(Place::Recovery) => 1,
        Task::Quit => 2,
    }
}
