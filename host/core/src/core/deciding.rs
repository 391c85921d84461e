//! A call has a policy decide, and what it has decided is carried out.

use crate::core::Turn;
use crate::entropy;
use crate::input::Origin;
use crate::output::{Ignored, Telling, Why};
use lifeline_contract::Call;
use lifeline_contract::types::{Action, Countdown, Decision, Moment, Phase, Request};

/// A wake-up that comes later than this means that nobody was awake, as the contract has it
/// (milliseconds).
pub const LATE_AFTER: u64 = 1_000;
/// When nobody could decide, the next try is this much later (milliseconds).
pub const RETRY_DECISION: u64 = 1_000;
/// An outage that has lasted for too long, but waits for the main thread, is looked at again this
/// often (milliseconds).
pub const LOOK_AGAIN: u64 = 5_000;

impl Turn<'_> {
    /// Has a call decided, after those that nobody could decide before.
    pub fn decide(&mut self, call: Call) {
        let mut again = !self.core.undecided.is_empty();
        // Any other call does what a tick does.
        if !again || !matches!(call, Call::Tick) {
            self.core.undecided.push_back(call);
        }
        while let Some(call) = self.core.undecided.pop_front() {
            if let Call::OnRequest(request) = &call
                && !again
            {
                self.core.guard.requested(request, self.now);
            }
            again = false;
            let asked_at = self.now;
            match self.decision(&call) {
                Some(decision) => self.carry_out(decision, asked_at),
                None => {
                    self.core.undecided.push_front(call);
                    self.core.wake_at = Some(self.now.saturating_add(RETRY_DECISION));
                    break;
                }
            }
        }
    }

    /// Time goes on by what the policies take.
    fn decision(&mut self, call: &Call) -> Option<Decision> {
        let late = |due: u64| self.now.checked_sub(due).filter(|late| *late > LATE_AFTER);
        if let Some(late) = self.core.wake_at.and_then(late) {
            self.core.guard.slept(late);
        }
        self.end_what_never_ends();
        let core = &mut *self.core;
        let moment = Moment {
            now: self.now,
            due: core.wake_at,
            entropy: entropy::shared(&core.config.username, &core.state)
                .or_else(|| self.host.entropy()),
            settings: Some(core.config.timing.clone()),
            scene: core.scene,
            cut_off: core.connections.cut_off(),
        };
        let (guard, state) = (&core.guard, &core.state);
        let ruling = core.judging.decide(self.host, guard, call, state, &moment);
        self.now = self.now.saturating_add(ruling.took);
        for telling in ruling.tellings {
            self.tell(telling);
        }
        ruling.decision
    }

    /// `asked_at`: the moment's now.
    fn carry_out(&mut self, decision: Decision, asked_at: u64) {
        let (core, done) = (&mut *self.core, self.now);
        let before = std::mem::replace(&mut core.state, decision.state);
        // A call that takes long is followed by a pause as long.
        let spent = done.saturating_sub(asked_at);
        let floor = done.saturating_add(core.pace.floor(done).max(spent));
        // The end of the outage is looked at in time, whatever the policy wants.
        let end = core.judging.must_end(&core.guard);
        let end = end.map(|end| end.max(done.saturating_add(LOOK_AGAIN)));
        core.wake_at = decision
            .wake_at
            .map(|at| end.map_or(at, |end| at.min(end)).max(floor));
        core.guard.entered(&core.state.phase);
        if self.core.pace.is_news() {
            self.tell(Telling::Hurries);
        }
        self.keep_tickets_to_the_phase();
        if self.core.ends_storm() {
            self.disconnect();
        }
        let countdown_begins = self.tell_phase(&before.phase, asked_at);
        for action in decision.actions {
            match action {
                Action::Connect if self.core.ends_storm() => {}
                Action::Connect => self.connect(),
                // The telling that begins the countdown says the same.
                Action::Warn(_) if countdown_begins => {}
                Action::Warn(left) => self.tell(Telling::Warn(left)),
                Action::Save(place) => {
                    self.core.guard.policy_saves();
                    self.ask_to_save(place);
                }
                Action::Quit => self.want_quit(),
            }
        }
    }

    /// True if a countdown begins.
    fn tell_phase(&mut self, before: &Phase, now: u64) -> bool {
        match (&self.core.state.phase, before) {
            (Phase::CountingDown(_), Phase::CountingDown(_)) | (Phase::Held(_), Phase::Held(_)) => {
                false
            }
            (Phase::CountingDown(countdown), _) => {
                let attempts = countdown.outage.attempts;
                let left = countdown.deadline.saturating_sub(now);
                self.tell(Telling::Countdown { attempts, left });
                true
            }
            (Phase::Held(_), _) => {
                self.tell(Telling::Held);
                false
            }
            _ => false,
        }
    }

    /// A policy that does not come to an end is disabled, and a countdown begins.
    fn end_what_never_ends(&mut self) {
        let core = &mut *self.core;
        let Some(outage) = core.state.phase.outage().copied() else {
            return;
        };
        let closing = matches!(core.state.phase, Phase::Quitting(_));
        // A save that is asked for may be waited for: behind a render, or a disk.
        if closing || core.tickets.open().is_some() {
            return;
        }
        let Some(rejected) = core.judging.overdue(&core.guard, self.now) else {
            return;
        };
        let length = core.config.timing.cleanup_timeout;
        core.state.phase = Phase::CountingDown(Countdown {
            outage,
            deadline: self.now.saturating_add(length),
            warned: length,
        });
        // Whoever was late was the one before.
        core.wake_at = None;
        self.tell(rejected);
        // A new countdown, whatever was counted down to before.
        let (attempts, left) = (outage.attempts, length);
        self.tell(Telling::Countdown { attempts, left });
    }

    pub fn request(&mut self, request: Request, by: String) {
        if self.core.closing.is_out_of_hand() {
            return self.tell(Telling::RequestIgnored(request, Ignored::Closing));
        }
        if self.core.guard.is_connected() {
            self.tell(Telling::RequestIgnored(request, Ignored::Connected));
        }
        self.tell(Telling::Requested(request, by));
        self.decide(Call::OnRequest(request));
        if request == Request::Hold && !self.core.undecided.is_empty() {
            // Nobody has to decide that.
            self.withdraw(Why::Held);
        }
    }

    /// Another policy decides.
    pub fn swapped(&mut self, origin: Origin) {
        self.core.judging.swap(origin);
        self.core.pace.swapped();
        // Its view of the present state is wanted at once.
        if self.core.started && !self.core.closing.is_out_of_hand() {
            self.decide(Call::Tick);
        }
    }
}
