//! The core's state, and a step of it.

mod closing;
mod connections;
mod deciding;
mod early;
mod relative;
mod short;
mod target;

pub use closing::End;
pub use deciding::{LOOK_AGAIN, RETRY_DECISION};
pub use relative::Limits;
#[cfg(test)]
pub(crate) use short::Ended;

use crate::config::Config;
use crate::guard::Guard;
use crate::host::Host;
use crate::input::{Before, Input};
use crate::judging::Judging;
use crate::output::{Output, Telling};
use crate::pace::Pace;
use crate::tickets::{Open, Tickets};
use closing::Closing;
use connections::Connections;
use lifeline_contract::Call;
use lifeline_contract::types::{Phase, Request, Scene, State};
use std::collections::VecDeque;
use std::sync::Arc;
use target::Target;

/// What becomes of a Blender whose server may go away. Plain data: two that are equal go on alike.
///
/// Instants are milliseconds of the host's clock, which never goes back.
#[derive(Clone, Debug, PartialEq)]
pub struct Core {
    pub(crate) config: Arc<Config>,
    pub(crate) guard: Guard,
    pub(crate) judging: Judging,
    pub(crate) state: State,
    /// When the policy asked to be woken.
    pub(crate) wake_at: Option<u64>,
    /// Calls that nobody could decide: they are made again, before any other.
    pub(crate) undecided: VecDeque<Call>,
    pub(crate) pace: Pace,
    pub(crate) scene: Option<Scene>,
    pub(crate) connections: Connections,
    pub(crate) tickets: Tickets,
    pub(crate) closing: Closing,
    pub(crate) target: Target,
    /// When a copy was asked for last, of work that may not live to be saved.
    pub(crate) copied_at: Option<u64>,
    /// When the main thread has polled last, as far as was heard.
    pub(crate) polled: u64,
    pub(crate) started: bool,
    pub(crate) outputs: VecDeque<Output>,
}

impl Core {
    /// Nothing happens before [`Input::Start`].
    pub fn new(config: Config, now: u64) -> Self {
        let guard = Guard::new(config.quit_floor, config.unsaved_wait, now).bounded(config.bounds);
        Core {
            guard,
            judging: Judging::new(config.outage_limit),
            state: State {
                phase: Phase::Connected,
                seen: now,
                memo: Vec::new(),
            },
            wake_at: None,
            undecided: VecDeque::new(),
            pace: Pace::default(),
            scene: None,
            connections: Connections::default(),
            tickets: Tickets::default(),
            closing: Closing::default(),
            target: Target::new(config.target),
            copied_at: None,
            polled: now,
            started: false,
            outputs: VecDeque::new(),
            config: Arc::new(config),
        }
    }

    /// Something has happened. What follows from it is to be had from [`Core::poll`].
    pub fn handle(&mut self, now: u64, input: Input, host: &mut dyn Host) {
        self.polled = host.polled();
        let core = self;
        let mut turn = Turn { core, host, now };
        turn.happens(input);
        turn.copy_early();
    }

    /// What is to be done next.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Input::Time`] is due, if nothing happens before.
    pub fn wake_at(&self) -> Option<u64> {
        let ours = earlier(self.lasts_from(), self.copy_from());
        earlier(earlier(self.alarm(), ours), self.wake_at)
    }

    /// What the main thread is asked for, or has begun.
    pub fn open_ticket(&self) -> Option<Open> {
        self.tickets.open()
    }

    /// When the policy is woken next, if nothing of Blender's end is due by then.
    pub fn tick_due(&self) -> Option<u64> {
        self.wake_at
    }

    /// When something of Blender's end is due next; policies are woken after it.
    pub fn end_due(&self) -> Option<u64> {
        self.alarm()
    }

    /// How far Blender's end is.
    pub fn end(&self) -> End {
        self.closing.end
    }

    /// The last save is being verified, or uploaded: the number of the order.
    pub fn keeping(&self) -> Option<u64> {
        self.closing.order()
    }

    /// [`Input::Start`] has come.
    pub fn is_started(&self) -> bool {
        self.started
    }

    /// SIGTERM was heard.
    pub fn is_terminating(&self) -> bool {
        self.closing.is_terminating()
    }

    /// Calls that nobody could decide yet.
    pub fn undecided(&self) -> impl Iterator<Item = &Call> {
        self.undecided.iter()
    }

    /// What the policy has answered last.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The record of connection and saves.
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// How often the policy that decides has failed, and whether it is disabled.
    pub fn failures(&self) -> (u32, bool) {
        (self.judging.failures(), self.judging.is_disabled())
    }

    /// The attempt to connect that is under way, or has led to the connection.
    pub fn attempt(&self) -> Option<u64> {
        self.connections.current
    }

    /// An attempt to connect is under way.
    pub fn is_attempting(&self) -> bool {
        self.attempt().is_some() && !self.guard.is_connected()
    }

    /// Attempts begun in this outage, as the policy counts them.
    pub fn attempts(&self) -> Option<u32> {
        Some(self.state.phase.outage()?.attempts)
    }

    /// A SIGTERM that comes now leaves the file as it is.
    pub fn recovers(&self) -> bool {
        self.config.recover && self.guard.is_connected()
    }

    /// When the server was lost, if it was told of.
    pub fn lost_at(&self) -> Option<u64> {
        self.guard.lost_at().filter(|_| self.connections.announced)
    }
}

/// One step: the core, who answers it, and the time.
pub(crate) struct Turn<'a> {
    pub core: &'a mut Core,
    pub host: &'a mut dyn Host,
    pub now: u64,
}

impl Turn<'_> {
    fn happens(&mut self, input: Input) {
        match input {
            Input::Start(before) => self.start(before),
            Input::Time => self.time(),
            Input::Connection(attempt, event) => self.connection(attempt, event),
            Input::Scene(scene) => self.core.scene = Some(scene),
            Input::File(path) => self.core.target.opened(path),
            Input::Target => self.core.target.renewed(),
            Input::Claimed(ticket) => self.claimed(ticket),
            Input::Saving(ticket, path) => self.saving(ticket, path),
            Input::Saved(ticket, outcome) => self.saved(ticket, outcome),
            Input::SaveFirst(ticket) => self.save_first(ticket),
            Input::Verified(order, outcome) => self.verified(order, outcome),
            Input::Uploaded(order, uploaded) => self.uploaded(order, uploaded),
            Input::Request(request, by) => self.request(request, by),
            Input::TryNow => self.try_now(),
            Input::Terminate => self.terminate(self.core.recovers()),
            Input::Written => self.written(),
            Input::Policy(origin) => self.swapped(origin),
            Input::Close => self.close(),
        }
    }

    fn start(&mut self, before: Before) {
        let Before {
            held,
            terminating,
            recover,
            tickets,
        } = before;
        self.core.started = true;
        self.core.tickets = Tickets::after(tickets);
        self.tell(Telling::Connecting);
        self.decide(Call::Start);
        if held {
            // Asked for before the fault. Nobody is to ask again.
            self.request(Request::Hold, String::new());
        }
        if terminating {
            self.terminate(recover);
        }
    }

    fn time(&mut self) {
        if self.core.alarm().is_some_and(|at| at <= self.now) {
            self.proceed();
        } else if self.core.lasts_from().is_some_and(|at| at <= self.now) {
            self.lasts();
        } else if self.core.wake_at.is_some_and(|at| at <= self.now) {
            self.decide(Call::Tick);
        }
    }

    pub fn output(&mut self, output: Output) {
        self.core.outputs.push_back(output);
    }

    pub fn tell(&mut self, telling: impl Into<Telling>) {
        self.output(Output::Tell(telling.into()));
    }
}

/// The earlier one of those that there are.
pub(crate) fn earlier(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
