//! Everything that can happen next.

use super::Setup;
use super::situation::Situation;
use super::step::{Answer, ENTROPIES, Event, Step, Weather};
use lifeline_contract::types::{ConnectError, Loss, Request};

/// How long a connection holds, or a policy that asks for nothing is left alone (milliseconds).
const QUIET: u64 = 60_000;
/// A busy machine is late by this much (milliseconds).
const SLIGHTLY_LATE: u64 = 500;
/// The process was stopped, or the computer slept, for this long (milliseconds).
const VERY_LATE: u64 = 3_600_000;
/// While Blender is held, saves, or closes, this many steps are looked at.
const PATIENCE: u8 = 4;

/// Something that can happen.
#[derive(Clone, Copy)]
pub(super) struct Next {
    pub step: Step,
    pub weather: Weather,
    /// Not what happens to most outages; their number is bounded.
    pub fault: bool,
    /// A person, a stopped process, a busy Blender: the end of the outage is not the policy's alone.
    pub disturbs: bool,
}

impl Situation {
    /// Everything that can happen next.
    pub fn next(&self, setup: &Setup) -> Vec<Next> {
        let mut found = Vec::new();
        if self.core().guard().is_connected() {
            self.next_connected(setup, &mut found);
        } else {
            self.next_course(setup, &mut found);
            self.next_faults(setup, &mut found);
        }
        found
    }

    fn plain(&self, at: u64, event: Event, weather: Weather) -> Next {
        Next {
            step: Step {
                at,
                event,
                entropy: weather.entropy,
            },
            weather,
            fault: false,
            disturbs: false,
        }
    }

    fn fault(&self, at: u64, event: Event) -> Next {
        Next {
            fault: true,
            ..self.plain(at, event, self.weather)
        }
    }

    fn disturbance(&self, at: u64, event: Event) -> Next {
        Next {
            disturbs: true,
            ..self.fault(at, event)
        }
    }

    fn next_connected(&self, setup: &Setup, found: &mut Vec<Next>) {
        // Long enough to have ended the outage.
        let lasting = setup.timing().retry_delay_max.saturating_mul(3);
        let later = self
            .now
            .saturating_add(QUIET.max(lasting.saturating_add(1)));
        for why in [
            Loss::TransportError,
            Loss::PingTimeout,
            Loss::ServerDisconnect,
        ] {
            let lost = |weather| self.plain(later, Event::Lost(why), weather);
            found.extend(Weather::after(why).map(lost));
        }
        found.push(self.fault(later, Event::Reloaded));
        found.extend(requests(setup).map(|request| self.fault(later, Event::Request(request))));
    }

    /// The server stays away, nobody interferes, and the machine keeps time.
    fn next_course(&self, setup: &Setup, found: &mut Vec<Next>) {
        if self.client.saving().is_some() {
            for ok in [true, false] {
                found.push(self.plain(self.now, Event::Saved { ok }, self.weather));
            }
            if self.waited == 0 {
                return; // a busy Blender is a fault
            }
        }
        if self.rendering {
            found.push(self.plain(self.now, Event::Rendering(false), self.weather));
        }
        if self.waited < PATIENCE
            && let Some((at, event)) = self.course(setup, self.weather.answer)
        {
            found.push(self.plain(at, event, self.weather));
        }
    }

    /// What comes next of itself, if attempts are answered so.
    fn course(&self, setup: &Setup, answer: Answer) -> Option<(u64, Event)> {
        let due = self.core().wake_at();
        let due = due.map(|at| (at.max(self.now), Event::Due));
        let Some(since) = self.connecting else {
            return due;
        };
        let timeout = setup.timing().connect_timeout;
        let failed = match answer {
            Answer::Unreachable => (self.now, Event::Failed(ConnectError::Unreachable)),
            Answer::Refused => (self.now, Event::Failed(ConnectError::Refused)),
            Answer::TimesOut => {
                let at = since.saturating_add(timeout);
                (at.max(self.now), Event::Failed(ConnectError::TimedOut))
            }
            Answer::Late => {
                let at = since.saturating_add(timeout);
                let late = at.saturating_add(SLIGHTLY_LATE).max(self.now);
                (late, Event::Failed(ConnectError::TimedOut))
            }
        };
        match due {
            // The connection first, as in the driver.
            Some((at, _)) if at < failed.0 => due,
            _ => Some(failed),
        }
    }

    fn next_faults(&self, setup: &Setup, found: &mut Vec<Next>) {
        let wake = self.core().tick_due();
        let now = self.now;
        let between = match wake {
            Some(wake) => now.saturating_add(wake.saturating_sub(now) / 2),
            None => now.saturating_add(QUIET),
        };
        if between > now {
            found.push(self.fault(between, Event::Reloaded));
        }
        let course = self.course(setup, self.weather.answer);
        if let Some((at, Event::Due)) = course {
            found.push(self.disturbance(at.saturating_add(SLIGHTLY_LATE), Event::Due));
        }
        if let Some((at, event @ Event::Failed(_))) = course {
            found.push(self.disturbance(at.saturating_add(VERY_LATE), event));
        }
        if let Some(wake) = wake {
            found.push(self.disturbance(wake.max(now).saturating_add(VERY_LATE), Event::Due));
        }
        if self.connecting.is_some() {
            self.next_answers(setup, between, found);
        }
        found.extend(requests(setup).map(|it| self.disturbance(between, Event::Request(it))));
        if !self.rendering {
            found.push(self.disturbance(now, Event::Rendering(true)));
        }
        if self.client.saving().is_some()
            && self.waited == 0
            && let Some((at, event)) = course
        {
            found.push(self.disturbance(at, event));
        }
    }

    /// Of the attempt under way: the server is back, or it fails in another way.
    fn next_answers(&self, setup: &Setup, between: u64, found: &mut Vec<Next>) {
        // To be accepted at once is what most Blenders live to see at their start.
        let first = self.calls == 1 && self.core().state().seen == setup.start;
        found.push(Next {
            fault: !first,
            ..self.plain(self.now, Event::Accepted, self.weather)
        });
        if between > self.now {
            found.push(self.fault(between, Event::Accepted));
        }
        // This attempt, for once, fares differently.
        for answer in Answer::ALL {
            if answer != self.weather.answer
                && let Some((at, event @ Event::Failed(_))) = self.course(setup, answer)
            {
                found.push(self.fault(at, event));
            }
        }
        if let Some((at, event @ Event::Failed(_))) = self.course(setup, self.weather.answer) {
            for entropy in ENTROPIES {
                if entropy != self.weather.entropy {
                    let mut next = self.fault(at, event);
                    next.step.entropy = entropy;
                    found.push(next);
                }
            }
        }
    }
}

/// What people ask for: a countdown longer by half, and one without end, among the rest.
fn requests(setup: &Setup) -> impl Iterator<Item = Request> {
    [
        Request::Hold,
        Request::Release,
        Request::CloseNow,
        Request::Extend(setup.timing().cleanup_timeout / 2 + 1_000),
        Request::Extend(u64::MAX),
    ]
    .into_iter()
}
