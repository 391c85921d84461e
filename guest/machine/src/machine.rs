//! The transitions.

use crate::backoff;
use crate::contract::{
    Action, Attempt, ConnectError, Decision, Duration, Instant, Loss, Moment, Outage, Phase, Place,
    Request, Saving, Settings, State,
};
use crate::countdown;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;

/// A call that comes this much later than it was asked for (milliseconds) means that nobody was
/// awake: that time does not count. A busy machine is not that late.
pub const LATE_AFTER: Duration = 1_000;

/// Blender has started: connect at once. A server that is never reached is an outage like any other.
pub fn start(moment: Moment) -> Decision {
    let mut step = Step::new(moment);
    let outage = Outage {
        lost_at: step.moment.now,
        why: Loss::NeverConnected,
        attempts: 0,
        attempt: step.connect(),
        extended: 0,
    };
    step.finish(Phase::Reconnecting(outage), Vec::new())
}

/// The server is back (or there at last): whatever was running is cancelled.
pub fn on_connect(state: State, moment: Moment) -> Decision {
    Step::new(moment).finish(Phase::Connected, state.memo)
}

/// The attempt under way has failed.
pub fn on_connect_error(state: State, moment: Moment, _why: ConnectError) -> Decision {
    Step::new(moment).run(state, |step, phase| match phase {
        // After a sleep a new attempt is due already: the failure is news of the old one.
        phase if !under_way(&phase) => phase,
        phase => step.attempt_failed(phase),
    })
}

/// The server was lost. A second loss in the same outage changes nothing.
pub fn on_disconnect(state: State, moment: Moment, why: Loss) -> Decision {
    Step::new(moment).run(state, |step, phase| match phase {
        Phase::Connected => step.after_failure(Outage {
            lost_at: step.moment.now,
            why,
            attempts: 0,
            attempt: Attempt::Due(step.moment.now),
            extended: 0,
        }),
        phase => phase,
    })
}

/// A save has ended. In place failed: a recovery copy. Otherwise: quit.
pub fn on_saved(state: State, moment: Moment, outcome: Result<(), String>) -> Decision {
    Step::new(moment).run(state, |step, phase| match (phase, outcome) {
        (Phase::Saving(saving), Err(_)) if saving.place == Place::InPlace => {
            step.save(saving.outage, Place::Recovery)
        }
        (Phase::Saving(saving), _) => {
            step.actions.push(Action::Quit);
            Phase::Quitting(saving.outage)
        }
        (phase, _) => phase,
    })
}

/// A person holds, extends, releases, or closes now. While connected nothing needs it.
pub fn on_request(state: State, moment: Moment, request: Request) -> Decision {
    Step::new(moment).run(state, |step, phase| match (request, phase) {
        (Request::Hold, phase) => match phase.outage().copied() {
            Some(outage) => Phase::Held(outage),
            None => Phase::Connected,
        },
        (Request::Extend(by), Phase::CountingDown(mut countdown)) => {
            countdown.deadline = countdown.deadline.saturating_add(by);
            countdown.warned = countdown::remaining(&countdown, step.moment.now);
            Phase::CountingDown(countdown)
        }
        (Request::Extend(by), Phase::Reconnecting(mut outage)) => {
            outage.extended = outage.extended.saturating_add(by);
            Phase::Reconnecting(outage)
        }
        (Request::Release, Phase::Held(outage)) => {
            if outage.attempts < step.settings.retry_attempts {
                Phase::Reconnecting(outage)
            } else {
                step.count_down(outage)
            }
        }
        (
            Request::CloseNow,
            phase @ (Phase::Reconnecting(_) | Phase::CountingDown(_) | Phase::Held(_)),
        ) => match phase.outage().copied() {
            Some(outage) => step.save(outage, Place::InPlace),
            None => Phase::Connected,
        },
        (_, phase) => phase,
    })
}

/// The time has come that the last decision asked for. Early or repeated calls do no harm.
pub fn tick(state: State, moment: Moment) -> Decision {
    Step::new(moment).run(state, |_, phase| phase)
}

/// One call: what it was told, and what it has asked for so far.
struct Step {
    moment: Moment,
    settings: Settings,
    actions: Vec<Action>,
    /// A sleep has cut off an attempt: it is begun again, not once more.
    again: bool,
}

impl Step {
    fn new(mut moment: Moment) -> Self {
        let settings = moment.settings.take().unwrap_or_default();
        Step {
            moment,
            settings,
            actions: Vec::new(),
            again: false,
        }
    }

    /// Time slept through first, then the event, then whatever is due by now.
    fn run(mut self, state: State, event: impl FnOnce(&mut Self, Phase) -> Phase) -> Decision {
        let State {
            mut phase, memo, ..
        } = state;
        self.discount_sleep(&mut phase);
        let phase = event(&mut self, phase);
        let phase = self.advance(phase);
        self.finish(phase, memo)
    }

    fn finish(self, phase: Phase, memo: Vec<u8>) -> Decision {
        let wake_at = self.wake_at(&phase);
        let state = State {
            phase,
            seen: self.moment.now,
            memo,
        };
        Decision {
            state,
            actions: self.actions,
            wake_at,
        }
    }

    /// A late call moves the deadline by the excess, and makes an attempt due at once. That attempt
    /// has time to be answered before the deadline: as long as it may take, but no longer than half
    /// of what was slept, or a process that is stopped again and again would never get to its end.
    fn discount_sleep(&mut self, phase: &mut Phase) {
        let now = self.moment.now;
        let excess = self.moment.due.map_or(0, |due| now.saturating_sub(due));
        if excess <= LATE_AFTER {
            return;
        }
        if let Phase::CountingDown(countdown) = phase {
            let one_attempt = now.saturating_add(self.settings.connect_timeout.min(excess / 2));
            countdown.deadline = countdown.deadline.saturating_add(excess).max(one_attempt);
        }
        if let Some(outage) = phase.outage_mut() {
            self.again = matches!(outage.attempt, Attempt::UnderWay(_));
            outage.attempt = Attempt::Due(now);
        }
    }

    /// Does what is due: the deadline before the attempts, so that the deadline holds.
    fn advance(&mut self, phase: Phase) -> Phase {
        let mut phase = phase;
        if let Phase::CountingDown(mut countdown) = phase {
            if countdown::is_over(&countdown, &self.settings, &self.moment) {
                return self.save(countdown.outage, Place::InPlace);
            }
            if let Some(left) = countdown::warning(&mut countdown, &self.settings, self.moment.now)
            {
                self.actions.push(Action::Warn(left));
            }
            phase = Phase::CountingDown(countdown);
        }
        let now = self.moment.now;
        let Some(outage) = phase.outage_mut() else {
            return phase;
        };
        match outage.attempt {
            Attempt::Due(at) if at <= now => {
                if !self.again {
                    outage.attempts = outage.attempts.saturating_add(1);
                }
                outage.attempt = self.connect();
                phase
            }
            Attempt::UnderWay(until) if until <= now => self.attempt_failed(phase),
            _ => phase,
        }
    }

    fn connect(&mut self) -> Attempt {
        self.actions.push(Action::Connect);
        Attempt::UnderWay(
            self.moment
                .now
                .saturating_add(self.settings.connect_timeout),
        )
    }

    fn save(&mut self, outage: Outage, place: Place) -> Phase {
        self.actions.push(Action::Save(place));
        Phase::Saving(Saving {
            outage,
            place,
            since: self.moment.now,
        })
    }

    fn count_down(&mut self, outage: Outage) -> Phase {
        let countdown = countdown::begin(outage, &self.settings, self.moment.now);
        self.actions.push(Action::Warn(countdown.warned));
        Phase::CountingDown(countdown)
    }

    fn attempt_failed(&mut self, phase: Phase) -> Phase {
        match phase {
            Phase::Reconnecting(outage) => self.after_failure(outage),
            mut phase => {
                if let Some(outage) = phase.outage_mut() {
                    outage.attempt = self.next_attempt(outage.attempts);
                }
                phase
            }
        }
    }

    /// Still within the first attempts, or already counting down.
    fn after_failure(&mut self, mut outage: Outage) -> Phase {
        outage.attempt = self.next_attempt(outage.attempts);
        if outage.attempts < self.settings.retry_attempts {
            Phase::Reconnecting(outage)
        } else {
            self.count_down(outage)
        }
    }

    fn next_attempt(&self, made: u32) -> Attempt {
        let delay = match made.cmp(&self.settings.retry_attempts) {
            Ordering::Less => backoff::exponential(&self.settings, made, self.moment.entropy),
            Ordering::Equal => backoff::spread(&self.settings, self.moment.entropy),
            Ordering::Greater => backoff::paced(&self.settings, self.moment.entropy),
        };
        // Never in the call that tells of a failure, or it would be counted with the failed ones.
        Attempt::Due(self.moment.now.saturating_add(delay.max(1)))
    }

    fn wake_at(&self, phase: &Phase) -> Option<Instant> {
        let attempt = match phase.outage()?.attempt {
            Attempt::Due(at) | Attempt::UnderWay(at) => at,
        };
        Some(match phase {
            Phase::CountingDown(countdown) => attempt.min(countdown::wake_at(
                countdown,
                &self.settings,
                self.moment.now,
            )),
            _ => attempt,
        })
    }
}

fn under_way(phase: &Phase) -> bool {
    matches!(
        phase.outage(),
        Some(Outage {
            attempt: Attempt::UnderWay(_),
            ..
        })
    )
}
