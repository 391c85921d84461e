//! What the machine does and never does, call by call and in whole plays.

use super::cases;
use super::inputs::{edgy, event, plausible_settings, situation};
use super::play::{Host, When, decide};
use crate::contract::{
    Action, Attempt, ConnectError, Decision, Instant, Loss, Moment, Phase, Place, Request,
    Settings, State,
};
use crate::reference::Event;
use crate::{LATE_AFTER, tick};
use alloc::vec;
use alloc::vec::Vec;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

fn count(decision: &Decision, wanted: impl Fn(&Action) -> bool) -> usize {
    decision.actions.iter().filter(|it| wanted(it)).count()
}

/// What `wit/policy.wit` asks of a decision; the connection is as the event says, or as it was.
fn makes_sense(
    event: Event,
    before: &State,
    moment: &Moment,
    decision: &Decision,
) -> TestCaseResult {
    let connected = match event {
        Event::Connected => true,
        Event::Start | Event::Lost(_) => false,
        _ => before.phase == Phase::Connected,
    };
    let after = &decision.state;
    prop_assert_eq!(after.phase == Phase::Connected, connected);
    prop_assert_eq!(decision.wake_at.is_some(), !connected);
    prop_assert!(!connected || decision.actions.is_empty());
    prop_assert_eq!(after.seen, moment.now);
    prop_assert!(event == Event::Start || after.memo == before.memo);
    prop_assert!(decision.actions.len() <= 16);
    prop_assert!(count(decision, |it| *it == Action::Connect) <= 1);

    let saves = count(decision, |it| matches!(it, Action::Save(_)));
    let saved = matches!(event, Event::Saved(_));
    match (&before.phase, &after.phase) {
        (Phase::Saving(old), Phase::Saving(new)) if old.place == new.place => {
            prop_assert_eq!(saves, 0);
        }
        (_, Phase::Saving(new)) => {
            prop_assert_eq!(saves, 1);
            prop_assert_eq!(count(decision, |it| *it == Action::Save(new.place)), 1);
            let failed = saved && matches!(before.phase, Phase::Saving(_));
            prop_assert_eq!(new.place == Place::Recovery, failed);
        }
        _ => prop_assert_eq!(saves, 0),
    }
    let quits = count(decision, |it| *it == Action::Quit);
    let newly_quitting =
        matches!(after.phase, Phase::Quitting(_)) && !matches!(before.phase, Phase::Quitting(_));
    prop_assert_eq!(quits == 1, newly_quitting);
    prop_assert!(quits == 0 || saved && matches!(before.phase, Phase::Saving(_)));
    let newly_held =
        matches!(after.phase, Phase::Held(_)) && !matches!(before.phase, Phase::Held(_));
    prop_assert!(!newly_held || event == Event::Asked(Request::Hold));
    Ok(())
}

/// With every instant so much later; None if one is, or would be, at the end of time.
fn later(mut state: State, by: u64) -> Option<State> {
    let shift = |it: &mut Instant| {
        let shifted = it.checked_add(by).filter(|_| *it < Instant::MAX)?;
        *it = shifted;
        Some(())
    };
    shift(&mut state.seen)?;
    match &mut state.phase {
        Phase::CountingDown(it) => shift(&mut it.deadline)?,
        Phase::Saving(it) => shift(&mut it.since)?,
        _ => {}
    }
    if let Some(outage) = state.phase.outage_mut() {
        shift(&mut outage.lost_at)?;
        match &mut outage.attempt {
            Attempt::Due(at) | Attempt::UnderWay(at) => shift(at)?,
        }
    }
    Some(state)
}

/// Lost at 0; each attempt is refused in the same millisecond. The instants of the attempts up to the
/// countdown, and its decision.
fn refused_until_the_countdown(settings: &Settings, bits: &[u64]) -> (Vec<u64>, Decision) {
    let mut host = Host::connected(0, Some(settings.clone()), vec![]);
    let mut bits = bits.iter().copied().cycle();
    let mut event = Event::Lost(Loss::TransportError);
    let mut connects = vec![];
    for _ in 0..100 {
        let moment = host.moment(When::OnTime, bits.next(), true);
        let mut decision = decide(event, &host.state, &moment);
        if decision.actions.contains(&Action::Connect) {
            connects.push(moment.now);
            host.take(&decision);
            let moment = host.moment(When::AtOnce, bits.next(), true);
            decision = decide(
                Event::Failed(ConnectError::Unreachable),
                &host.state,
                &moment,
            );
        }
        host.take(&decision);
        if matches!(decision.state.phase, Phase::CountingDown(_)) {
            return (connects, decision);
        }
        event = Event::Tick;
    }
    panic!("no countdown: {host:?}");
}

proptest! {
    #![proptest_config(cases(5_000))]

    #[test]
    fn every_decision_makes_sense_from_wherever(event in event(), (state, moment) in situation()) {
        // The driver calls neither for a server that is connected.
        prop_assume!(event != Event::Start || state.phase != Phase::Connected);
        makes_sense(event, &state, &moment, &decide(event, &state, &moment))?;
    }

    #[test]
    fn a_server_that_is_back_cancels_whatever_was_running(
        (state, moment) in situation(),
        wait in edgy(),
    ) {
        let back = decide(Event::Connected, &state, &moment);
        prop_assert_eq!(&back.state.phase, &Phase::Connected);
        prop_assert_eq!((back.actions.len(), back.wake_at), (0, None));
        let later = Moment { now: moment.now.saturating_add(wait), due: None, ..moment };
        for event in [Event::Tick, Event::Saved(true), Event::Asked(Request::CloseNow)] {
            let after = decide(event, &back.state, &later);
            prop_assert_eq!(&after.state.phase, &Phase::Connected);
            prop_assert!(after.actions.is_empty());
        }
    }

    #[test]
    fn before_it_wants_to_be_woken_there_is_nothing_to_do(
        event in event(),
        (state, moment) in situation(),
        early in any::<u64>(),
    ) {
        let decision = decide(event, &state, &moment);
        let waits_for_a_render = matches!(
            &decision.state.phase,
            Phase::CountingDown(it) if it.deadline <= moment.now
        );
        if let Some(at) = decision.wake_at && moment.now < at && !waits_for_a_render {
            let now = moment.now + early % (at - moment.now);
            let again = tick(decision.state.clone(), Moment { now, due: Some(at), ..moment });
            prop_assert_eq!(again.state.phase, decision.state.phase);
            prop_assert!(again.actions.is_empty());
            prop_assert_eq!(again.wake_at, Some(at));
        }
    }

    #[test]
    fn when_it_wants_to_be_woken_there_is_something_to_do(
        event in event(),
        (state, moment) in situation(),
    ) {
        let decision = decide(event, &state, &moment);
        if let Some(at) = decision.wake_at {
            let now = at.max(moment.now);
            let woken = tick(decision.state.clone(), Moment { now, due: None, ..moment });
            let same = woken.state.phase == decision.state.phase && woken.actions.is_empty();
            prop_assert!(!same || woken.wake_at > decision.wake_at);
        }
    }

    #[test]
    fn held_it_does_nothing_but_try(event in event(), (state, moment) in situation()) {
        let ends = matches!(
            event,
            Event::Start | Event::Connected | Event::Asked(Request::Release | Request::CloseNow)
        );
        if let Some(outage) = state.phase.outage().copied() && !ends {
            let state = State { phase: Phase::Held(outage), ..state };
            let decision = decide(event, &state, &moment);
            prop_assert!(matches!(decision.state.phase, Phase::Held(_)));
            prop_assert!(decision.actions.iter().all(|it| *it == Action::Connect));
        }
    }

    #[test]
    fn it_goes_by_differences_of_time_alone(
        event in event(),
        (state, moment) in situation(),
        by in 0..1_000_000u64,
    ) {
        let now = decide(event, &state, &moment);
        let shifted = Moment {
            now: moment.now.saturating_add(by),
            due: moment.due.map(|due| due.saturating_add(by)),
            ..moment
        };
        if let (Some(state), Some(expected)) = (later(state, by), later(now.state, by)) {
            let then = decide(event, &state, &shifted);
            prop_assert_eq!(then.state, expected);
            prop_assert_eq!(then.actions, now.actions);
        }
    }
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn so_many_attempts_with_such_delays_then_the_countdown(
        settings in plausible_settings(),
        bits in vec(any::<u64>(), 1..10),
    ) {
        let (connects, last) = refused_until_the_countdown(&settings, &bits);
        prop_assert_eq!(connects.len(), settings.retry_attempts as usize);
        let mut before = 0;
        for (made, &at) in connects.iter().enumerate() {
            let delay = (settings.retry_delay << made).min(settings.retry_delay_max);
            let (least, most) = (delay.saturating_sub(settings.retry_jitter), delay + settings.retry_jitter);
            let waited = at - before;
            prop_assert!((least.max(1)..=most.max(1)).contains(&waited), "{waited} for {made}");
            before = at;
        }
        let Phase::CountingDown(countdown) = last.state.phase else {
            return Err(TestCaseError::fail("no countdown"));
        };
        prop_assert_eq!(countdown.deadline, before + settings.cleanup_timeout);
        prop_assert_eq!(countdown.outage.attempts, settings.retry_attempts);
        prop_assert_eq!(last.actions, [Action::Warn(settings.cleanup_timeout)]);
    }

    #[test]
    fn nobody_asks_and_nobody_sleeps_so_it_is_saved_at_the_deadline_then_closed(
        settings in plausible_settings(),
        refused in vec(any::<bool>(), 1..20),
        late in vec(0..=LATE_AFTER, 1..20),
        bits in vec(any::<u64>(), 1..20),
        (in_place, copy) in any::<(bool, bool)>(),
    ) {
        let mut host = Host::connected(0, Some(settings), vec![]);
        let mut refused = refused.into_iter().cycle();
        let (mut late, mut bits) = (late.into_iter().cycle(), bits.into_iter().cycle());
        let mut call = |host: &mut Host, event, when| {
            let moment = host.moment(when, bits.next(), true);
            let decision = decide(event, &host.state, &moment);
            host.take(&decision);
            decision
        };
        let mut decision = call(&mut host, Event::Lost(Loss::PingTimeout), When::AtOnce);
        let mut end = None;
        let mut calls = 0;
        while !matches!(host.state.phase, Phase::Saving(_)) {
            calls += 1;
            prop_assert!(calls < 20_000, "no end: {:?}", host.state);
            let phase = &host.state.phase;
            let waits = matches!(phase, Phase::Reconnecting(_) | Phase::CountingDown(_));
            prop_assert!(waits, "{phase:?}");
            if let Phase::CountingDown(countdown) = &host.state.phase {
                prop_assert_eq!(*end.get_or_insert(countdown.deadline), countdown.deadline);
                for action in &decision.actions {
                    if let Action::Warn(left) = action {
                        prop_assert_eq!(*left, countdown.deadline - host.now);
                    }
                }
            }
            let begun = decision.actions.contains(&Action::Connect);
            decision = if begun && refused.next() == Some(true) {
                call(&mut host, Event::Failed(ConnectError::Refused), When::AtOnce)
            } else {
                let late = late.next().unwrap_or(0);
                call(&mut host, Event::Tick, When::Late(late))
            };
        }
        let end = end.unwrap_or(0);
        prop_assert!((end..=end + LATE_AFTER).contains(&host.now), "{end}, saved at {}", host.now);
        prop_assert_eq!(&decision.actions, &[Action::Save(Place::InPlace)]);
        decision = call(&mut host, Event::Saved(in_place), When::AtOnce);
        if !in_place {
            prop_assert_eq!(decision.actions.first(), Some(&Action::Save(Place::Recovery)));
            decision = call(&mut host, Event::Saved(copy), When::AtOnce);
        }
        prop_assert_eq!(decision.actions.first(), Some(&Action::Quit));
        prop_assert!(matches!(host.state.phase, Phase::Quitting(_)));
    }
}
