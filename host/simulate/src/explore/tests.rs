//! A small policy that keeps all rules, and faults planted in it.

use super::*;
use crate::FIVE_MINUTES;
use lifeline_contract::types::{Attempt, ConnectError, Countdown, Outage, Place, Request, Saving};
use lifeline_sandbox::{Compiling, Limits, Sandbox};
use std::cell::Cell;

type Answer = Result<Decision, String>;

const COUNTDOWN: u64 = 20_000;

/// Counts down at once, and tries to connect every 5 s.
fn good(call: &Call, state: &State, moment: &Moment) -> Answer {
    let now = moment.now;
    let mut actions = Vec::new();
    let begin = |why| {
        let outage = Outage {
            lost_at: now,
            why,
            attempts: 0,
            attempt: Attempt::Due(now),
            extended: 0,
        };
        counting(outage, now)
    };
    let mut phase = match (call, state.phase) {
        (Call::Start, _) => begin(Loss::NeverConnected),
        (Call::OnDisconnect(why), Phase::Connected) => begin(*why),
        (Call::OnConnect, _) | (_, Phase::Connected) => Phase::Connected,
        (Call::OnSaved(Err(_)), Phase::Saving(it)) if it.place == Place::InPlace => {
            save(it.outage, Place::Recovery, now, &mut actions)
        }
        (Call::OnSaved(_), Phase::Saving(it)) => {
            actions.push(Action::Quit);
            Phase::Quitting(it.outage)
        }
        (Call::OnRequest(Request::Hold), phase) => Phase::Held(*phase.outage().unwrap()),
        (Call::OnRequest(Request::Release), Phase::Held(outage)) => counting(outage, now),
        (Call::OnRequest(Request::Extend(by)), Phase::CountingDown(mut it)) => {
            it.deadline = it.deadline.saturating_add(*by);
            Phase::CountingDown(it)
        }
        (
            Call::OnRequest(Request::CloseNow),
            Phase::CountingDown(Countdown { outage, .. }) | Phase::Held(outage),
        ) => save(outage, Place::InPlace, now, &mut actions),
        (_, phase) => phase,
    };
    if let Phase::CountingDown(it) = phase
        && it.deadline <= now
    {
        phase = save(it.outage, Place::InPlace, now, &mut actions);
    }
    let mut wake_at = None;
    if let Some(outage) = phase.outage_mut() {
        outage.attempt = match (outage.attempt, call) {
            (Attempt::UnderWay(_), Call::OnConnectError(_)) => Attempt::Due(now + 5_000),
            (Attempt::UnderWay(at), _) if at <= now => Attempt::Due(now + 5_000),
            (Attempt::Due(at), _) if at <= now => {
                outage.attempts += 1;
                actions.push(Action::Connect);
                Attempt::UnderWay(now + 10_000)
            }
            (attempt, _) => attempt,
        };
        let (Attempt::Due(at) | Attempt::UnderWay(at)) = outage.attempt;
        wake_at = Some(at);
    }
    if let Phase::CountingDown(it) = phase {
        wake_at = wake_at.min(Some(it.deadline));
    }
    Ok(Decision {
        state: State {
            phase,
            seen: now,
            memo: state.memo.clone(),
        },
        actions,
        wake_at,
    })
}

fn counting(outage: Outage, now: u64) -> Phase {
    Phase::CountingDown(Countdown {
        outage,
        deadline: now + COUNTDOWN,
        warned: 0,
    })
}

fn save(outage: Outage, place: Place, now: u64, actions: &mut Vec<Action>) -> Phase {
    actions.push(Action::Save(place));
    Phase::Saving(Saving {
        outage,
        place,
        since: now,
    })
}

/// The small policy counts down for as long as it likes.
fn setup() -> Setup {
    let defaults = lifeline_contract::types::Settings::default();
    Setup {
        departs: vec![Property::Countdown],
        ..Setup::all(&defaults, 10_000, 3_600_000).remove(0)
    }
}

fn look(policy: impl Fn(&Call, &State, &Moment) -> Answer) -> Exploration {
    let bounds = Bounds {
        states: 400_000,
        faults: 2,
        depth: Some(200),
        within: Some(600_000),
    };
    explore(&policy, &setup(), &bounds, &mut |_| true)
}

/// The one rule that is broken, with its trace.
fn only(found: &Exploration) -> (Property, &str, Vec<&str>) {
    let names: Vec<_> = found.broken.iter().map(|it| it.property.name()).collect();
    let [broken] = &found.broken[..] else {
        panic!("{names:?}")
    };
    let trace = broken.trace.iter().map(|it| it.what.as_str()).collect();
    (broken.property, &broken.why, trace)
}

#[test]
fn a_policy_that_keeps_the_rules_passes() {
    let found = look(good);
    assert!(found.broken.is_empty(), "{:?}", found.broken);
    assert_eq!(found.complete, Some(2));
    assert_eq!(found.longest, Some(COUNTDOWN));
    assert!(found.states > 1_000 && found.edges > found.states as u64);
}

#[test]
fn a_save_while_connected() {
    let found = look(|call, state, moment| {
        let mut decision = good(call, state, moment)?;
        if matches!(call, Call::OnRequest(Request::CloseNow)) && state.phase == Phase::Connected {
            decision.actions.push(Action::Save(Place::InPlace));
        }
        Ok(decision)
    });
    let (property, why, trace) = only(&found);
    assert_eq!(property, Property::ConnectedIsQuiet);
    assert_eq!(why, "it asked for save while the server is connected");
    assert_eq!(
        trace,
        [
            "Blender starts",
            "the server accepts the connection",
            "a person asks: close-now"
        ]
    );
}

#[test]
fn a_quit_without_a_save() {
    let found = look(|call, state, moment| {
        let mut decision = good(call, state, moment)?;
        if let Phase::Saving(it) = decision.state.phase {
            decision.state.phase = Phase::Quitting(it.outage);
            decision.actions = vec![Action::Quit];
        }
        Ok(decision)
    });
    let (property, why, trace) = only(&found);
    assert_eq!(property, Property::SaveBeforeQuit);
    assert_eq!(why, "it asked to quit before a save was answered");
    assert_eq!(trace.last(), Some(&"a tick"));
}

#[test]
fn a_failed_save_without_a_recovery_copy() {
    let found = look(|call, state, moment| match call {
        Call::OnSaved(_) => good(&Call::OnSaved(Ok(())), state, moment),
        _ => good(call, state, moment),
    });
    let (property, why, trace) = only(&found);
    assert_eq!(property, Property::SaveBeforeQuit);
    assert!(why.contains("no recovery copy"), "{why}");
    assert_eq!(trace.last(), Some(&"the save has failed"));
}

#[test]
fn a_save_that_is_not_asked_for_again() {
    let found = look(|call, state, moment| match call {
        Call::OnSaved(Err(_)) => good(&Call::Tick, state, moment),
        _ => good(call, state, moment),
    });
    let (property, why, _) = only(&found);
    assert_eq!(property, Property::Obeys);
    assert!(why.ends_with("no save was asked for"), "{why}");
}

#[test]
fn no_wake_up() {
    let found = look(|call, state, moment| {
        let mut decision = good(call, state, moment)?;
        if matches!(decision.state.phase, Phase::Quitting(_)) {
            decision.wake_at = None;
        }
        Ok(decision)
    });
    let (property, _, trace) = only(&found);
    assert_eq!(property, Property::Wakes);
    assert_eq!(trace.last(), Some(&"the save has ended well"));
}

#[test]
fn a_deadline_that_moves() {
    let found = look(|call, state, moment| {
        let mut state = state.clone();
        if let Phase::CountingDown(it) = &mut state.phase {
            it.deadline = moment.now + COUNTDOWN;
        }
        good(call, &state, moment)
    });
    let (property, why, _) = only(&found);
    assert_eq!(property, Property::Ends);
    assert!(why.contains("has not asked to quit"), "{why}");
}

#[test]
fn a_second_outage_that_never_ends() {
    let found = look(|call, state, moment| {
        let mut state = state.clone();
        if let (Phase::CountingDown(it), [1]) = (&mut state.phase, &state.memo[..]) {
            it.deadline = moment.now + COUNTDOWN;
        }
        let mut decision = good(call, &state, moment)?;
        if matches!(call, Call::OnConnect) {
            decision.state.memo = vec![1];
        }
        Ok(decision)
    });
    assert_eq!(only(&found).0, Property::Ends);
}

#[test]
fn a_wake_up_at_once_for_ever() {
    let found = look(|call, state, moment| {
        let mut decision = good(call, state, moment)?;
        decision.wake_at = decision.wake_at.and(Some(0));
        Ok(decision)
    });
    let (property, why, _) = only(&found);
    assert_eq!(property, Property::Ends);
    assert!(why.starts_with("it was called 201 times"), "{why}");
}

#[test]
fn who_is_always_in_a_hurry_is_found_before_its_end_is_missed() {
    let hurried = |call: &Call, state: &State, moment: &Moment| {
        let mut decision = good(call, state, moment)?;
        decision.wake_at = decision.wake_at.and(Some(0));
        Ok(decision)
    };
    let found = explore(&hurried, &setup(), &Bounds::default(), &mut |_| true);
    let (property, why, _) = only(&found);
    assert_eq!(property, Property::Ends);
    assert!(why.starts_with("it asks to be woken at once"), "{why}");
}

#[test]
fn a_ninth_save() {
    let found = look(|call, state, moment| match (call, state.phase) {
        (Call::OnSaved(Err(_)), Phase::Saving(it)) => {
            let mut decision = good(&Call::Tick, state, moment)?;
            let place = match it.place {
                Place::InPlace => Place::Recovery,
                Place::Recovery => Place::InPlace,
            };
            decision.state.phase = save(it.outage, place, moment.now, &mut decision.actions);
            Ok(decision)
        }
        _ => good(call, state, moment),
    });
    let (property, why, _) = only(&found);
    assert_eq!(property, Property::Ends);
    assert!(why.starts_with("it has asked for 8 saves"), "{why}");
}

#[test]
fn attempts_that_follow_each_other_at_once() {
    let found = look(|call, state, moment| {
        let mut decision = good(call, state, moment)?;
        let failed = matches!(call, Call::OnConnectError(ConnectError::Refused));
        if failed && decision.actions.is_empty() {
            decision.actions.push(Action::Connect);
        }
        Ok(decision)
    });
    let (property, why, _) = only(&found);
    assert_eq!(property, Property::Ends);
    assert!(why.starts_with("it runs in a circle"), "{why}");
}

#[test]
fn an_answer_that_changes() {
    let calls = Cell::new(0);
    let found = look(|call, state, moment| {
        let mut decision = good(call, state, moment)?;
        calls.set(calls.get() + 1);
        if calls.get() == 1_000 {
            decision.wake_at = Some(1);
        }
        Ok(decision)
    });
    assert_eq!(only(&found).0, Property::Deterministic);
}

#[test]
fn a_trap_at_the_seventh_attempt() {
    let found = look(|call, state, moment| {
        let mut decision = good(call, state, moment)?;
        let Some(outage) = decision.state.phase.outage_mut() else {
            return Ok(decision);
        };
        if outage.attempts >= 7 {
            return Err("it trapped: unreachable".into());
        }
        Ok(decision)
    });
    let (property, why, trace) = only(&found);
    assert_eq!(
        (property, why),
        (Property::Limits, "it trapped: unreachable")
    );
    let attempts = trace.iter().filter(|it| it.contains("fails")).count();
    assert_eq!(attempts, 6, "{trace:?}");
}

#[test]
fn fuel_that_only_a_busy_blender_burns() {
    let found = look(|call, state, moment| match (call, state.phase) {
        (Call::Tick, Phase::Saving(_)) => Err("it used up its fuel (50000000 units)".into()),
        _ => good(call, state, moment),
    });
    assert_eq!(only(&found).0, Property::Limits);
}

#[test]
fn an_overflow_after_an_hour() {
    let found = look(|call, state, moment| {
        if let Phase::CountingDown(it) = state.phase
            && moment.now > it.deadline + 60_000
        {
            return Err("it trapped: overflow".into());
        }
        good(call, state, moment)
    });
    assert_eq!(only(&found).0, Property::Limits);
}

#[test]
fn a_stale_state() {
    let found = look(|call, state, moment| {
        let mut decision = good(call, state, moment)?;
        if matches!(decision.state.phase, Phase::Held(_)) {
            decision.state.seen = state.seen;
        }
        Ok(decision)
    });
    let (property, why, trace) = only(&found);
    assert_eq!(property, Property::Obeys);
    assert!(why.starts_with("its state was seen at"), "{why}");
    assert_eq!(trace.len(), 2, "{trace:?}");
}

#[test]
fn a_hold_that_nobody_asked_for() {
    let found = look(|call, state, moment| match (call, state.phase) {
        (Call::Tick, Phase::CountingDown(it)) if moment.scene.is_some_and(|it| it.rendering) => {
            good(&Call::Tick, state, moment).map(|mut decision| {
                decision.state.phase = Phase::Held(it.outage);
                decision.actions.clear();
                decision
            })
        }
        _ => good(call, state, moment),
    });
    let (property, _, trace) = only(&found);
    assert_eq!(property, Property::Obeys);
    assert_eq!(trace[trace.len() - 2], "a render begins");
}

#[test]
fn a_hold_that_is_not_obeyed() {
    let found = look(|call, state, moment| match (call, state.phase) {
        (Call::OnRequest(Request::Hold), Phase::Saving(_)) => good(&Call::Tick, state, moment),
        _ => good(call, state, moment),
    });
    let (property, why, trace) = only(&found);
    assert_eq!(property, Property::Obeys);
    assert_eq!(why, "a person keeps Blender open, but its phase is saving");
    assert_eq!(trace.last(), Some(&"a person asks: hold"));
}

#[test]
fn a_hold_that_does_not_last() {
    let found = look(|call, state, moment| {
        let mut decision = good(call, state, moment)?;
        if let (Call::OnConnectError(_), Phase::Held(outage)) = (call, state.phase) {
            decision.state.phase = counting(outage, moment.now);
        }
        Ok(decision)
    });
    let (property, why, trace) = only(&found);
    assert_eq!(property, Property::Obeys);
    assert!(why.ends_with("its phase is counting-down"), "{why}");
    assert!(trace.contains(&"a person asks: hold"), "{trace:?}");
}

#[test]
fn a_hold_that_does_not_end() {
    for request in [Request::Release, Request::CloseNow] {
        let found = look(|call, state, moment| match (call, state.phase) {
            (Call::OnRequest(it), Phase::Held(_)) if *it == request => {
                good(&Call::Tick, state, moment)
            }
            _ => good(call, state, moment),
        });
        let (property, why, trace) = only(&found);
        assert_eq!(property, Property::Obeys);
        assert_eq!(why, "it holds although nobody asked for it");
        assert_eq!(trace.len(), 3, "{trace:?}");
    }
}

#[test]
fn a_phase_that_ignores_the_server() {
    let found = look(|call, state, moment| match call {
        Call::OnConnect => good(&Call::Tick, state, moment),
        _ => good(call, state, moment),
    });
    let (property, why, trace) = only(&found);
    assert_eq!(property, Property::Reconnects);
    assert!(why.contains("although the server is connected"), "{why}");
    assert_eq!(trace.len(), 2);
}

#[test]
fn a_wake_up_that_outlives_the_outage() {
    let found = look(|call, state, moment| {
        let mut decision = good(call, state, moment)?;
        if matches!(call, Call::OnConnect) {
            decision.wake_at = Some(moment.now + 1_000);
        }
        Ok(decision)
    });
    assert_eq!(only(&found).0, Property::Reconnects);
}

#[test]
fn a_bound_is_told() {
    let bounds = Bounds {
        states: 1_000,
        ..Bounds::default()
    };
    let found = explore(&good, &setup(), &bounds, &mut |_| true);
    assert_eq!(found.complete, Some(0));
    assert!(found.states == 1_000);
    let mut told = 0;
    let bounds = Bounds::default();
    explore(&good, &setup(), &bounds, &mut |_| {
        told += 1;
        told < 3
    });
    assert_eq!(told, 3, "it stops when it is told to");
}

#[test]
fn the_built_in_policy_passes() {
    let sandbox = Sandbox::new(Limits::default(), None, Compiling::Here).unwrap();
    let policy = sandbox.load(FIVE_MINUTES.component).unwrap();
    let defaults = setup().settings.unwrap();
    for setup in Setup::all(&defaults, 10_000, 3_600_000) {
        let bounds = Bounds {
            faults: 1,
            states: 30_000,
            ..Bounds::default()
        };
        let found = explore(&policy, &setup, &bounds, &mut |_| true);
        assert!(found.broken.is_empty(), "{} {:?}", setup.name, found.broken);
        let longest = match setup.name {
            // All attempts time out, each with the largest jitter, the one of the start too.
            "as set" | "untold" => 396_500,
            "compressed" => 6_500,
            _ => 100,
        };
        assert_eq!(found.longest, Some(longest), "{}", setup.name);
    }
}

#[test]
fn a_countdown_that_has_wrapped_around() {
    let wrapped = |call: &Call, state: &State, moment: &Moment| {
        let mut decision = good(call, state, moment)?;
        if let Phase::CountingDown(it) = &mut decision.state.phase {
            it.deadline = u64::MAX - 100_000;
        }
        Ok(decision)
    };
    let found = explore(&wrapped, &setup(), &Bounds::default(), &mut |_| true);
    let property = found.broken.iter().find(|it| it.property == Property::Ends);
    let why = &property.unwrap().why;
    assert!(why.starts_with("its countdown ends in "), "{why}");
}

#[test]
fn a_countdown_of_another_length_than_is_set() {
    let sandbox = Sandbox::new(Limits::default(), None, Compiling::Here).unwrap();
    let policy = sandbox.load(FIVE_MINUTES.component).unwrap();
    let begun = |by: fn(u64) -> u64| {
        let policy = &policy;
        move |call: &Call, state: &State, moment: &Moment| {
            let mut decision = policy.decide(call, state, moment)?;
            if let Phase::CountingDown(it) = &mut decision.state.phase
                && !matches!(state.phase, Phase::CountingDown(_))
            {
                it.deadline = moment.now + by(it.deadline - moment.now);
            }
            Ok::<_, String>(decision)
        }
    };
    let bounds = Bounds {
        faults: 0,
        ..Bounds::default()
    };
    let undeparted = Setup {
        departs: vec![],
        ..setup()
    };
    for (by, length) in [
        ((|length| length / 1_000) as fn(u64) -> u64, "0.3"),
        (|length| length * 2, "600"),
    ] {
        let found = explore(&begun(by), &undeparted, &bounds, &mut |_| true);
        let why = format!("the countdown begins with {length} s, and it should with 300 s");
        assert_eq!(only(&found).0, Property::Countdown);
        assert_eq!(only(&found).1, why);
    }
    let found = explore(&begun(|length| length * 2), &setup(), &bounds, &mut |_| {
        true
    });
    assert!(found.broken.is_empty(), "on purpose: {:?}", found.broken);
}
