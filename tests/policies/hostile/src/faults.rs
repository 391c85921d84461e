//! Answers that five-minutes would not give.

use crate::mode::Mode;
use crate::{Call, Function};
use alloc::vec;
use lifeline_contract::types::{
    Action, Countdown, Decision, Instant, Outage, Phase, Place, Saving,
};

/// The attempt after which `panics-at-the-edge` traps.
const EDGE: u32 = 7;

/// The mode's answer; the honest one if this is not the mode's call.
pub fn spoil(mode: Mode, call: &Call, honest: Decision) -> Decision {
    match mode {
        Mode::QuitsWhileConnected | Mode::SaveWhileConnected => while_connected(mode, call, honest),
        Mode::IgnoresReconnect => ignore_reconnect(call, honest),
        _ => match honest.state.phase.outage().copied() {
            Some(outage) if call.is_in_an_outage() => {
                rare(mode, call, in_an_outage(mode, call, outage, honest))
            }
            _ => rare(mode, call, honest),
        },
    }
}

fn while_connected(mode: Mode, call: &Call, mut decision: Decision) -> Decision {
    let asked = matches!(call.function, Function::OnConnect | Function::Tick);
    if asked && decision.state.phase == Phase::Connected {
        decision.actions.push(Action::Save(Place::InPlace));
        if mode == Mode::QuitsWhileConnected {
            decision.actions.push(Action::Quit);
            decision.wake_at = Some(call.now.saturating_add(100));
        }
    }
    decision
}

fn ignore_reconnect(call: &Call, mut decision: Decision) -> Decision {
    if call.function == Function::OnConnect {
        decision.state.phase = call.before.phase;
        decision.wake_at = Some(call.now.saturating_add(1_000));
    }
    decision
}

/// Modes that act in every call of an outage.
fn in_an_outage(mode: Mode, call: &Call, outage: Outage, mut decision: Decision) -> Decision {
    let countdown = |deadline: Instant| {
        Phase::CountingDown(Countdown {
            outage,
            deadline,
            warned: 0,
        })
    };
    match mode {
        Mode::GarbagePhase => replace(&mut decision, Phase::Connected, None),
        Mode::DeadlinePast => replace(&mut decision, countdown(0), Some(0)),
        Mode::DeadlineMax => replace(&mut decision, countdown(Instant::MAX), Some(Instant::MAX)),
        Mode::ThousandActions => decision.actions = vec![Action::Warn(1); 1_000],
        Mode::MillionActions => decision.actions = vec![Action::Warn(1); 1_000_000],
        Mode::Memo1Gb => decision.state.memo = vec![1; 1 << 30],
        Mode::Memo8Mb => decision.state.memo = vec![1; 8 << 20],
        Mode::QuitsAtOnce => {
            let wake_at = decision.wake_at;
            replace(&mut decision, Phase::Quitting(outage), wake_at);
            decision.actions.push(Action::Quit);
        }
        Mode::NeverWakes => decision.wake_at = None,
        Mode::WakesEvery0Ms => decision.wake_at = Some(call.now),
        Mode::StaleSeen => decision.state.seen = call.now.wrapping_sub(1),
        _ => {}
    }
    decision
}

fn replace(decision: &mut Decision, phase: Phase, wake_at: Option<Instant>) {
    decision.state.phase = phase;
    decision.actions.clear();
    decision.wake_at = wake_at;
}

/// Modes that act in one kind of state, or in one change of it.
fn rare(mode: Mode, call: &Call, mut decision: Decision) -> Decision {
    let before = &call.before.phase;
    match (mode, decision.state.phase) {
        // The deadline.
        (Mode::QuitBeforeSave | Mode::DepartsFromAll, Phase::Saving(saving))
            if was_counting_down(before) =>
        {
            let wake_at = decision.wake_at;
            replace(&mut decision, Phase::Quitting(saving.outage), wake_at);
            decision.actions.push(Action::Quit);
        }
        (Mode::NeverQuits, Phase::Saving(saving)) if was_counting_down(before) => {
            let length = call.settings.cleanup_timeout.max(1);
            let countdown = Countdown {
                outage: saving.outage,
                deadline: call.now.saturating_add(length),
                warned: length,
            };
            let deadline = countdown.deadline;
            let wake_at = decision.wake_at.map(|attempt| attempt.min(deadline));
            replace(&mut decision, Phase::CountingDown(countdown), wake_at);
            decision.actions.push(Action::Warn(length));
        }
        (Mode::MovesTheDeadline, Phase::CountingDown(mut countdown))
            if was_counting_down(before) && call.function != Function::OnRequest =>
        {
            let passed = call.now.saturating_sub(call.before.seen);
            countdown.deadline = countdown.deadline.saturating_add(passed);
            decision.state.phase = Phase::CountingDown(countdown);
        }
        // The end of the first attempts.
        (Mode::HoldsUnasked, Phase::CountingDown(countdown)) if !was_counting_down(before) => {
            let wake_at = decision.wake_at;
            replace(&mut decision, Phase::Held(countdown.outage), wake_at);
        }
        (Mode::PanicsAtTheEdge, phase)
            if phase.outage().is_some_and(|outage| outage.attempts == EDGE) =>
        {
            panic!("on purpose");
        }
        // The save.
        (Mode::NoWakeUp, Phase::Saving(_)) => decision.wake_at = None,
        (Mode::SavesTwice, Phase::Saving(saving)) if was_saving(before, saving.place) => {
            decision.actions.push(Action::Save(saving.place));
        }
        (Mode::ForgetsRetryOfFailedSave, Phase::Saving(saving))
            if saving.place == Place::Recovery && was_saving(before, Place::InPlace) =>
        {
            let wake_at = decision.wake_at;
            replace(&mut decision, *before, wake_at);
        }
        // A person.
        (Mode::IgnoresHold, Phase::Held(outage)) => {
            let length = call.settings.cleanup_timeout.max(1);
            let (deadline, warned) = match before {
                Phase::CountingDown(countdown) => (countdown.deadline, countdown.warned),
                _ => (call.now.saturating_add(length), length),
            };
            decision.state.phase = Phase::CountingDown(Countdown {
                outage,
                deadline,
                warned,
            });
            decision.wake_at = decision.wake_at.map(|attempt| attempt.min(deadline));
        }
        (Mode::IgnoresRelease, phase) if is_held(before) && !is_held(&phase) => {
            if let (Function::OnRequest, Some(outage)) = (call.function, phase.outage()) {
                let wake_at = decision.wake_at;
                replace(&mut decision, Phase::Held(*outage), wake_at);
            }
        }
        _ => {}
    }
    decision
}

fn is_held(phase: &Phase) -> bool {
    matches!(phase, Phase::Held(_))
}

fn was_counting_down(before: &Phase) -> bool {
    matches!(before, Phase::CountingDown(_))
}

fn was_saving(before: &Phase, to: Place) -> bool {
    matches!(before, Phase::Saving(Saving { place, .. }) if *place == to)
}
