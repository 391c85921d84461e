//! What happens when.
//!
//! [`RULES`] is a list of questions, asked in this order at each call: was there a sleep, what has
//! happened, is it the end, is a warning due, what of the attempts? To each the first rule that
//! applies is the answer; often none does.

use super::arithmetic::{delay_between, first_delay, later_delay};
use super::{Call, END, Event, Stage};
use crate::contract::{Action, Loss, Place, Request};
use alloc::vec::Vec;

pub struct Rule {
    pub name: &'static str,
    pub when: fn(&Call) -> bool,
    pub then: fn(&mut Call),
    /// No question is asked after it.
    pub last: bool,
}

/// A call that comes later than this was slept through.
const LATE: i128 = 1_000;
/// A countdown that waits for a render looks again this often.
const LOOK_AGAIN: i128 = 1_000;

const fn rule(name: &'static str, when: fn(&Call) -> bool, then: fn(&mut Call)) -> Rule {
    Rule {
        name,
        when,
        then,
        last: false,
    }
}

const fn last(name: &'static str, when: fn(&Call) -> bool, then: fn(&mut Call)) -> Rule {
    Rule {
        name,
        when,
        then,
        last: true,
    }
}

pub const RULES: &[&[Rule]] = &[
    // What needs no past.
    &[
        last(
            "start: connect",
            |call| call.event == Event::Start,
            |call| {
                call.record.stage = Stage::Reconnecting;
                call.lose(Loss::NeverConnected);
                call.try_to_connect();
            },
        ),
        last(
            "the server is there: all is well",
            |call| call.event == Event::Connected,
            |call| call.record.stage = Stage::Connected,
        ),
    ],
    // Was there a sleep?
    &[rule(
        "slept: the deadline moves, and leaves time for an attempt",
        |call| call.slept() && call.is(Stage::CountingDown),
        |call| {
            let moved = call.record.deadline + call.late;
            let answered = call.now + (call.late / 2).min(call.settings.connect_timeout.into());
            call.record.deadline = moved.max(answered).min(END);
        },
    )],
    &[
        rule(
            "slept: the attempt is made again",
            |call| call.slept() && call.lost() && call.record.trying,
            |call| {
                call.again = true;
                call.record.trying = false;
                call.record.attempt_at = call.now;
            },
        ),
        rule(
            "slept: an attempt at once",
            |call| call.slept() && call.lost(),
            |call| call.record.attempt_at = call.now,
        ),
    ],
    // What has happened?
    &[
        rule(
            "failed: one of the first attempts",
            |call| call.told_of_failure() && call.is(Stage::Reconnecting) && call.has_more_tries(),
            Call::plan_attempt,
        ),
        rule(
            "failed: the last of the first attempts",
            |call| call.told_of_failure() && call.is(Stage::Reconnecting),
            Call::give_up,
        ),
        rule(
            "failed: a later attempt",
            |call| call.told_of_failure() && call.lost(),
            Call::plan_attempt,
        ),
        rule(
            "lost: attempts first",
            |call| matches!(call.event, Event::Lost(_)) && !call.lost() && has_tries(call, 0),
            |call| {
                call.record.stage = Stage::Reconnecting;
                call.lose_as_told();
                call.plan_attempt();
            },
        ),
        rule(
            "lost: no attempts first",
            |call| matches!(call.event, Event::Lost(_)) && !call.lost(),
            |call| {
                call.lose_as_told();
                call.give_up();
            },
        ),
        rule(
            "not saved in place: a copy",
            |call| {
                call.event == Event::Saved(false)
                    && call.is(Stage::Saving)
                    && call.record.saving_to == Place::InPlace
            },
            |call| call.save(Place::Recovery),
        ),
        rule(
            "saved, or nothing more to try: quit",
            |call| matches!(call.event, Event::Saved(_)) && call.is(Stage::Saving),
            |call| {
                call.record.stage = Stage::Quitting;
                call.actions.push(Action::Quit);
            },
        ),
        rule(
            "asked to hold",
            |call| call.event == Event::Asked(Request::Hold) && call.lost(),
            |call| call.record.stage = Stage::Held,
        ),
        rule(
            "asked for more of the countdown",
            |call| call.asked_for_more().is_some() && call.is(Stage::CountingDown),
            |call| {
                let more = call.asked_for_more().unwrap_or(0);
                call.record.deadline = (call.record.deadline + more).min(END);
                call.record.warned = call.left();
            },
        ),
        rule(
            "asked for more before the countdown",
            |call| call.asked_for_more().is_some() && call.is(Stage::Reconnecting),
            |call| {
                let more = call.asked_for_more().unwrap_or(0);
                call.record.extended = (call.record.extended + more).min(END);
            },
        ),
        rule(
            "released: the first attempts go on",
            |call| {
                call.event == Event::Asked(Request::Release)
                    && call.is(Stage::Held)
                    && call.has_more_tries()
            },
            |call| call.record.stage = Stage::Reconnecting,
        ),
        rule(
            "released: the countdown begins afresh",
            |call| call.event == Event::Asked(Request::Release) && call.is(Stage::Held),
            Call::begin_countdown,
        ),
        rule(
            "asked to close",
            |call| {
                call.event == Event::Asked(Request::CloseNow)
                    && (call.is(Stage::Reconnecting)
                        || call.is(Stage::CountingDown)
                        || call.is(Stage::Held))
            },
            |call| call.save(Place::InPlace),
        ),
    ],
    // Is it the end?
    &[last(
        "the deadline: save",
        |call| {
            let waits = i128::from(call.settings.render_wait);
            let latest = (call.record.deadline + waits).min(END);
            call.is(Stage::CountingDown)
                && call.now >= call.record.deadline
                && (!call.rendering || call.now >= latest)
        },
        |call| call.save(Place::InPlace),
    )],
    // Is a warning due?
    &[rule(
        "warn",
        |call| {
            call.is(Stage::CountingDown)
                && call.warnings_to_come().iter().any(|&it| call.left() <= it)
        },
        |call| {
            call.record.warned = call.left();
            call.actions.push(Action::Warn(super::as_u64(call.left())));
        },
    )],
    // What of the attempts?
    &[
        rule(
            "an attempt begins again",
            |call| call.attempt_is_due() && call.again,
            Call::try_to_connect,
        ),
        rule("an attempt begins", Call::attempt_is_due, |call| {
            call.record.attempts += 1;
            call.try_to_connect();
        }),
        rule(
            "no answer: one of the first attempts",
            |call| call.no_answer() && call.is(Stage::Reconnecting) && call.has_more_tries(),
            Call::plan_attempt,
        ),
        rule(
            "no answer: the last of the first attempts",
            |call| call.no_answer() && call.is(Stage::Reconnecting),
            Call::give_up,
        ),
        rule(
            "no answer: a later attempt",
            Call::no_answer,
            Call::plan_attempt,
        ),
    ],
];

/// The names of all rules.
pub fn names() -> Vec<&'static str> {
    RULES
        .iter()
        .flat_map(|question| question.iter().map(|rule| rule.name))
        .collect()
}

/// The earliest instant at which, as far as can be told, a rule will apply. None: never.
pub fn wake_at(call: &Call) -> Option<i128> {
    if !call.lost() {
        return None;
    }
    let record = &call.record;
    let mut instants = alloc::vec![record.attempt_at];
    if call.is(Stage::CountingDown) {
        if call.now < record.deadline {
            instants.push(record.deadline);
            instants.extend(
                call.warnings_to_come()
                    .iter()
                    .map(|it| record.deadline - it),
            );
        } else {
            // It waits for a render, which may end at any time.
            instants.push(call.now + LOOK_AGAIN);
            instants.push(record.deadline + i128::from(call.settings.render_wait));
        }
    }
    instants.into_iter().min()
}

fn has_tries(call: &Call, made: i128) -> bool {
    made < i128::from(call.settings.retry_attempts)
}

/// What rules ask.
impl Call {
    fn is(&self, stage: Stage) -> bool {
        self.record.stage == stage
    }

    fn lost(&self) -> bool {
        !self.is(Stage::Connected)
    }

    fn slept(&self) -> bool {
        self.late > LATE
    }

    fn has_more_tries(&self) -> bool {
        has_tries(self, self.record.attempts)
    }

    /// The news of a failure are of the attempt under way, or else old.
    fn told_of_failure(&self) -> bool {
        matches!(self.event, Event::Failed(_)) && self.lost() && self.record.trying
    }

    fn asked_for_more(&self) -> Option<i128> {
        match self.event {
            Event::Asked(Request::Extend(by)) => Some(by.into()),
            _ => None,
        }
    }

    fn left(&self) -> i128 {
        (self.record.deadline - self.now).max(0)
    }

    fn warnings_to_come(&self) -> Vec<i128> {
        let warned = self.record.warned;
        let all = self.settings.warn_before.iter();
        all.map(|&it| i128::from(it))
            .filter(|&it| it < warned)
            .collect()
    }

    fn attempt_is_due(&self) -> bool {
        self.lost() && !self.record.trying && self.now >= self.record.attempt_at
    }

    fn no_answer(&self) -> bool {
        self.lost() && self.record.trying && self.now >= self.record.attempt_at
    }
}

/// What rules do.
impl Call {
    fn lose_as_told(&mut self) {
        if let Event::Lost(why) = self.event {
            self.lose(why);
        }
    }

    fn lose(&mut self, why: Loss) {
        self.record.lost_at = self.now;
        self.record.why = why;
        self.record.attempts = 0;
        self.record.extended = 0;
    }

    fn try_to_connect(&mut self) {
        self.actions.push(Action::Connect);
        self.record.trying = true;
        self.record.attempt_at = (self.now + i128::from(self.settings.connect_timeout)).min(END);
    }

    /// The next one comes in a call of its own, a millisecond later if not more.
    fn plan_attempt(&mut self) {
        let delay = if self.has_more_tries() {
            first_delay(&self.settings, self.record.attempts, self.entropy)
        } else if self.record.attempts == i128::from(self.settings.retry_attempts) {
            delay_between(&self.settings, self.entropy)
        } else {
            later_delay(&self.settings, self.entropy)
        };
        self.record.trying = false;
        self.record.attempt_at = (self.now + delay.max(1)).min(END);
    }

    fn give_up(&mut self) {
        self.plan_attempt();
        self.begin_countdown();
    }

    fn begin_countdown(&mut self) {
        let length = i128::from(self.settings.cleanup_timeout) + self.record.extended;
        self.record.stage = Stage::CountingDown;
        self.record.deadline = (self.now + length).min(END);
        self.record.warned = length.min(END);
        self.actions.push(Action::Warn(super::as_u64(length)));
    }

    fn save(&mut self, place: Place) {
        self.record.stage = Stage::Saving;
        self.record.saving_to = place;
        self.record.saving_since = self.now;
        self.actions.push(Action::Save(place));
    }
}
