//! What is wrong with a step: what the host has dropped, and what it lets pass although no policy
//! should do so.

use super::Setup;
use super::property::Property;
use super::situation::Situation;
use crate::wave;
use lifeline_contract::Call;
use lifeline_contract::types::{Action, Decision, Moment, Phase, Place, State};
use lifeline_core::{Failure, Output, Telling, as_seconds};

/// A policy that is called this often at one instant runs in a circle.
const AT_ONE_INSTANT: u8 = 50;
/// A countdown is never longer than what is set by more than this (milliseconds).
const ROUNDED: u64 = 1_000;

/// A rule that was broken, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Breach {
    pub property: Property,
    pub why: String,
}

/// A call, for the trace.
pub(super) struct Called {
    pub call: Call,
    pub state: State,
    pub moment: Moment,
    pub answer: Result<Decision, String>,
    /// Asked once more it has answered this.
    pub again: Option<Decision>,
}

/// Of a step: the actions that the policy has asked for. `after`: where it has led to, but for what
/// the save that is asked for leaves behind.
pub(super) fn verdict(
    after: &Situation,
    setup: &Setup,
    called: Option<&Called>,
    outputs: &[Output],
) -> Result<Vec<Action>, Breach> {
    let breach = |property, why: String| Err(Breach { property, why });
    let Some(called) = called else {
        return Ok(Vec::new()); // the host's own business
    };
    if let Some(again) = &called.again {
        let why = format!("asked again it answered {}", wave::decision(again));
        return breach(Property::Deterministic, why);
    }
    let actions = called.answer.as_ref().map_or(&[][..], |it| &it.actions);
    let quits = actions.contains(&Action::Quit);
    let reconnecting = matches!(called.call, Call::OnConnect);
    if let Some(failure) = outputs.iter().find_map(dropped) {
        let guard = after.core().guard();
        return match failure {
            Failure::NoAnswer(why) => breach(Property::Limits, why.clone()),
            Failure::Violation(_)
                if quits && !guard.is_connected() && guard.quit_from().is_none() =>
            {
                let why = "it asked to quit before a save was answered";
                breach(Property::SaveBeforeQuit, why.into())
            }
            Failure::Violation(violation) => {
                let property = Property::of_violation(violation, reconnecting);
                breach(property, violation.to_string())
            }
        };
    }
    let_pass(after, setup, called, outputs)?;
    Ok(actions.to_vec())
}

/// What no guard drops, but no policy should do.
fn let_pass(
    after: &Situation,
    setup: &Setup,
    called: &Called,
    outputs: &[Output],
) -> Result<(), Breach> {
    let breach = |property, why: String| Err(Breach { property, why });
    let answer = called.answer.as_ref().ok();
    let quits = answer.is_some_and(|it| it.actions.contains(&Action::Quit));
    if quits && after.saved == Some((Place::InPlace, false)) {
        let why = "the save in place has failed, and no recovery copy was asked for";
        return breach(Property::SaveBeforeQuit, why.into());
    }
    let wakes = answer.is_some_and(|it| it.wake_at.is_some());
    if matches!(called.call, Call::OnConnect) && wakes {
        let why = "it asks to be woken although nothing is pending";
        return breach(Property::Reconnects, why.into());
    }
    if after.repeated >= AT_ONE_INSTANT {
        let why = format!(
            "it runs in a circle: {} calls at one instant",
            after.repeated
        );
        return breach(Property::Ends, why);
    }
    let hurries = |it: &Output| *it == Output::Tell(Telling::Hurries);
    if outputs.iter().any(hurries) && !setup.hurries() {
        let why = format!(
            "it asks to be woken at once, time and again: {} calls in this outage",
            after.calls
        );
        return breach(Property::Ends, why);
    }
    let why = answer.and_then(|answer| odd_countdown(setup, called, answer));
    match why.filter(|_| !setup.departs.contains(&Property::Countdown)) {
        Some(why) => breach(Property::Countdown, why),
        None => Ok(()),
    }
}

/// A countdown that begins, and is not as long as it should be.
fn odd_countdown(setup: &Setup, called: &Called, answer: &Decision) -> Option<String> {
    let Phase::CountingDown(countdown) = &answer.state.phase else {
        return None;
    };
    if matches!(called.state.phase, Phase::CountingDown(_)) {
        return None; // it goes on
    }
    let set = setup.timing().cleanup_timeout;
    let most = set.saturating_add(countdown.outage.extended);
    let length = countdown.deadline.saturating_sub(called.moment.now);
    let fits = (set..=most.saturating_add(ROUNDED)).contains(&length);
    let [length, set] = [length, most].map(as_seconds);
    (!fits).then(|| format!("the countdown begins with {length} s, and it should with {set} s"))
}

/// Why the host has dropped what it was answered, if it has.
fn dropped(output: &Output) -> Option<&Failure> {
    match output {
        Output::Tell(Telling::Rejected { failure, .. }) => Some(failure),
        _ => None,
    }
}
