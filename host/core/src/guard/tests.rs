use super::*;
use lifeline_contract::Call;
use lifeline_contract::types::{
    Action, Attempt, Decision, Loss, Moment, Outage, Phase, Place, Request, Saving, State,
};

const NOW: u64 = 50_000;

fn outage() -> Outage {
    Outage {
        lost_at: 0,
        why: Loss::TransportError,
        attempts: 5,
        attempt: Attempt::Due(60_000),
        extended: 0,
    }
}

fn saving(place: Place) -> Phase {
    Phase::Saving(Saving {
        outage: outage(),
        place,
        since: NOW,
    })
}

fn state(phase: Phase) -> State {
    State {
        phase,
        seen: NOW,
        memo: vec![],
    }
}

fn decision(phase: Phase, actions: Vec<Action>) -> Decision {
    let wake_at = (phase != Phase::Connected).then_some(60_000);
    Decision {
        state: state(phase),
        actions,
        wake_at,
    }
}

fn lost() -> Guard {
    Guard::new(10_000, 60_000, 0)
}

fn lost_and_saved() -> Guard {
    let mut guard = lost();
    guard.save_answered(true, 0);
    guard
}

fn up() -> Guard {
    let mut guard = lost();
    guard.connected();
    guard
}

fn check_from(guard: &Guard, before: Phase, call: &Call, d: &Decision) -> Result<(), Violation> {
    guard.check(&state(before), call, &moment(), d)
}

fn moment() -> Moment {
    Moment::at(NOW)
}

fn check(guard: &Guard, d: &Decision) -> Result<(), Violation> {
    check_from(guard, Phase::Reconnecting(outage()), &Call::Tick, d)
}

#[test]
fn rule_1_nothing_is_done_while_connected() {
    for action in [
        Action::Save(Place::InPlace),
        Action::Quit,
        Action::Connect,
        Action::Warn(1),
    ] {
        let answer = check(&up(), &decision(Phase::Connected, vec![action]));
        assert_eq!(answer, Err(Violation::WhileConnected(action.name())));
    }
    assert_eq!(check(&up(), &decision(Phase::Connected, vec![])), Ok(()));
}

#[test]
fn rule_2_quit_needs_an_answered_save() {
    let quit = decision(Phase::Quitting(outage()), vec![Action::Quit]);
    assert_eq!(check(&lost(), &quit), Err(Violation::QuitBeforeSave));
    assert_eq!(check(&lost_and_saved(), &quit), Ok(()));
}

#[test]
fn rule_2_a_quitting_phase_alone_needs_it_too() {
    let quitting = decision(Phase::Quitting(outage()), vec![]);
    let before = Phase::Quitting(outage());
    let answer = check_from(&lost(), before, &Call::Tick, &quitting);
    assert_eq!(answer, Err(Violation::QuitBeforeSave));
}

#[test]
fn rule_2_a_save_of_an_earlier_outage_does_not_count() {
    let mut guard = lost_and_saved();
    guard.connected();
    guard.lost(40_000);
    assert_eq!(guard.quit_from(), None);
}

#[test]
fn rule_3_the_floor_counts_from_the_loss() {
    assert_eq!(lost_and_saved().quit_from(), Some(10_000));
    let mut guard = up();
    guard.lost(7_000);
    guard.lost(9_000);
    guard.save_answered(true, 0);
    assert_eq!(guard.quit_from(), Some(17_000));
}

#[test]
fn rule_2_a_quit_with_unsaved_work_waits() {
    let mut guard = lost();
    guard.save_answered(false, 20_000);
    assert_eq!((guard.quit_from(), guard.is_safe()), (Some(80_000), false));
    guard.save_answered(false, 50_000);
    assert_eq!(
        guard.quit_from(),
        Some(80_000),
        "it counts from the first failure"
    );
    guard.save_answered(true, 60_000);
    assert_eq!((guard.quit_from(), guard.is_safe()), (Some(10_000), true));
    guard.save_answered(false, 70_000);
    assert_eq!(
        guard.quit_from(),
        Some(80_000),
        "saved, but it could not be verified"
    );
    guard.save_answered(true, 75_000);
    guard.save_verified();
    guard.save_answered(false, 76_000);
    assert_eq!(guard.quit_from(), Some(136_000));
}

#[test]
fn rule_3_a_server_that_is_given_up_has_no_floor() {
    let mut guard = up();
    guard.give_up(7_000);
    assert_eq!(guard.quit_from(), None);
    guard.save_answered(true, 7_500);
    assert_eq!(guard.quit_from(), Some(7_000));
}

#[test]
fn rule_4_the_phase_follows_the_line() {
    let answer = check(&lost(), &decision(Phase::Connected, vec![]));
    assert_eq!(
        answer,
        Err(Violation::Phase {
            phase: "connected",
            server: "lost"
        })
    );
    let answer = check(&up(), &decision(Phase::Held(outage()), vec![]));
    assert_eq!(
        answer,
        Err(Violation::Phase {
            phase: "held",
            server: "connected"
        })
    );
}

#[test]
fn rule_4_an_outage_wants_to_be_woken_unless_held() {
    let mut asleep = decision(Phase::Reconnecting(outage()), vec![]);
    asleep.wake_at = None;
    assert_eq!(check(&lost(), &asleep), Err(Violation::NeverWakes));
    let mut held = decision(Phase::Held(outage()), vec![]);
    held.wake_at = None;
    let before = Phase::Held(outage());
    let mut guard = lost();
    guard.requested(&Request::Hold, NOW);
    assert_eq!(check_from(&guard, before, &Call::Tick, &held), Ok(()));
}

#[test]
fn rule_4_only_people_hold() {
    let held = decision(Phase::Held(outage()), vec![]);
    let from = || Phase::Reconnecting(outage());
    let answer = check_from(&lost(), from(), &Call::Tick, &held);
    assert_eq!(answer, Err(Violation::HeldUnasked));
    let mut guard = lost();
    guard.requested(&Request::Hold, NOW);
    let asked = Call::OnRequest(Request::Hold);
    assert_eq!(check_from(&guard, from(), &asked, &held), Ok(()));
    for end in [Request::Release, Request::CloseNow] {
        let mut guard = guard.clone();
        let stays = |guard: &Guard| check_from(guard, Phase::Held(outage()), &Call::Tick, &held);
        assert_eq!(stays(&guard), Ok(()));
        guard.requested(&end, NOW);
        assert_eq!(stays(&guard), Err(Violation::HeldUnasked));
    }
}

#[test]
fn rule_6_a_hold_is_answered_by_held_from_every_phase() {
    let countdown = lifeline_contract::types::Countdown {
        outage: outage(),
        deadline: 60_000,
        warned: 0,
    };
    for before in [
        Phase::Reconnecting(outage()),
        Phase::CountingDown(countdown),
        saving(Place::InPlace),
        Phase::Quitting(outage()),
        Phase::Held(outage()),
    ] {
        let mut guard = lost_and_saved();
        guard.requested(&Request::Hold, NOW);
        let call = Call::OnRequest(Request::Hold);
        let as_before = decision(before, vec![]);
        let answer = check_from(&guard, before, &call, &as_before);
        let ignored = match before {
            Phase::Held(_) => Ok(()),
            _ => Err(Violation::NotHeld(before.name())),
        };
        assert_eq!(answer, ignored);
        let held = decision(Phase::Held(outage()), vec![]);
        assert_eq!(check_from(&guard, before, &call, &held), Ok(()));
    }
}

#[test]
fn rule_6_while_a_person_holds_nothing_is_saved_and_nothing_quits() {
    let mut guard = lost_and_saved();
    guard.requested(&Request::Hold, NOW);
    let save = Action::Save(Place::InPlace);
    let held = || Phase::Held(outage());
    let calls = [Call::Tick, Call::OnRequest(Request::Extend(1))];
    for (call, (phase, actions)) in calls.iter().flat_map(|call| {
        [
            (saving(Place::InPlace), vec![save]),
            (Phase::Quitting(outage()), vec![Action::Quit]),
            (Phase::Reconnecting(outage()), vec![]),
            (held(), vec![save]),
            (held(), vec![Action::Quit]),
        ]
        .map(|it| (call, it))
    }) {
        let d = decision(phase, actions);
        let error = check_from(&guard, held(), call, &d).unwrap_err();
        let expected = match phase {
            Phase::Held(_) => matches!(error, Violation::Misfit { .. }),
            _ => error == Violation::NotHeld(phase.name()),
        };
        assert!(expected, "{d:?} {error}");
    }
}

#[test]
fn rule_6_a_hold_ends_with_close_now_and_with_the_server() {
    let save = decision(saving(Place::InPlace), vec![Action::Save(Place::InPlace)]);
    let mut guard = lost();
    guard.requested(&Request::Hold, NOW);
    guard.requested(&Request::CloseNow, NOW);
    let call = Call::OnRequest(Request::CloseNow);
    let before = Phase::Held(outage());
    assert_eq!(check_from(&guard, before, &call, &save), Ok(()));
    guard.requested(&Request::Hold, NOW);
    guard.connected();
    guard.lost(NOW);
    assert!(!guard.is_held());
}

#[test]
fn a_ninth_save_is_one_too_many_until_a_person_asks() {
    let again = decision(saving(Place::Recovery), vec![Action::Save(Place::Recovery)]);
    let mut guard = lost();
    for _ in 0..8 {
        assert_eq!(guard.check_end(&moment(), &again, 0), Ok(()));
        guard.policy_saves();
    }
    let error = guard.check_end(&moment(), &again, 0);
    assert_eq!(error, Err(Violation::SavesTooOften(8)));
    guard.requested(&Request::CloseNow, NOW);
    assert_eq!(guard.check_end(&moment(), &again, 0), Ok(()));
}

#[test]
fn all_that_it_goes_by_tells_two_records_apart_and_the_clock_does_not() {
    let key = |guard: &Guard, now| {
        let mut hasher = std::hash::DefaultHasher::new();
        guard.hash_relative(now, 100_000, &mut hasher);
        hasher.finish()
    };
    let plain = key(&lost(), NOW);
    assert_eq!(key(&Guard::new(10_000, 60_000, 1_000), NOW + 1_000), plain);
    let long_ago = key(&lost(), 100_000);
    assert_eq!(key(&lost(), 100_001), long_ago);
    assert_ne!(key(&lost(), 99_999), long_ago);
    let others: [fn(&mut Guard); 10] = [
        |it| *it = Guard::new(10_001, 60_000, 0),
        |it| *it = Guard::new(10_000, 60_001, 0),
        |it| *it = Guard::new(10_000, 60_000, 1),
        |it| it.bounds.actions = 17,
        |it| it.bounds.memo = 1,
        |it| it.connected(),
        |it| it.policy_saves(),
        |it| it.slept(1),
        |it| it.save_answered(true, NOW),
        |it| it.save_answered(false, NOW),
    ];
    for (n, other) in others.into_iter().enumerate() {
        let mut guard = lost();
        other(&mut guard);
        assert_ne!(key(&guard, NOW), plain, "{n}");
    }
    let asked = |request| {
        let mut guard = lost();
        guard.requested(&request, NOW);
        key(&guard, NOW)
    };
    let requests = [Request::Release, Request::Hold, Request::Extend(1)];
    let [released, held, extended] = requests.map(asked);
    assert!(released != plain && released != held && released != extended && held != extended);
    let failed = |verified: bool| {
        let mut guard = lost();
        guard.save_answered(false, NOW);
        guard.save_answered(true, NOW);
        if verified {
            guard.save_verified();
        }
        key(&guard, NOW)
    };
    assert_ne!(failed(true), failed(false));
}

#[test]
fn time_slept_does_not_count() {
    let mut guard = lost();
    guard.slept(5_000);
    assert_eq!(guard.must_end(1_000), Some(6_000));
}

#[test]
fn rule_4_one_attempt_at_a_time() {
    let two = decision(Phase::Reconnecting(outage()), vec![Action::Connect; 2]);
    assert!(matches!(
        check(&lost(), &two),
        Err(Violation::TooMany {
            got: 2,
            limit: 1,
            ..
        })
    ));
}

#[test]
fn rule_2_an_answered_save_gets_old_when_work_goes_on() {
    let mut guard = lost_and_saved();
    guard.entered(&saving(Place::InPlace));
    assert!(guard.quit_from().is_some());
    guard.entered(&Phase::Held(outage()));
    assert_eq!(guard.quit_from(), None);
    let mut guard = lost_and_saved();
    guard.save_asked();
    assert_eq!(guard.quit_from(), None, "another save is running");
}

#[test]
fn rule_4_the_state_is_of_this_call() {
    let mut old = decision(Phase::Reconnecting(outage()), vec![]);
    old.state.seen = NOW - 1;
    assert_eq!(
        check(&lost(), &old),
        Err(Violation::Seen {
            seen: NOW - 1,
            now: NOW
        })
    );
}

#[test]
fn rule_4_sizes() {
    let mut d = decision(Phase::Reconnecting(outage()), vec![Action::Warn(1); 17]);
    assert!(matches!(
        check(&lost(), &d),
        Err(Violation::TooMany { got: 17, .. })
    ));
    d.actions.truncate(16);
    d.state.memo = vec![0; 4096];
    assert_eq!(check(&lost(), &d), Ok(()));
    d.state.memo.push(0);
    assert!(matches!(
        check(&lost(), &d),
        Err(Violation::TooMany { got: 4097, .. })
    ));
}

#[test]
fn a_save_comes_with_its_phase_once() {
    let save = |place| Action::Save(place);
    let entering = decision(saving(Place::InPlace), vec![save(Place::InPlace)]);
    assert_eq!(check(&lost(), &entering), Ok(()));
    for (phase, actions) in [
        (saving(Place::InPlace), vec![]),
        (saving(Place::InPlace), vec![save(Place::Recovery)]),
        (
            saving(Place::InPlace),
            vec![save(Place::InPlace), save(Place::InPlace)],
        ),
        (Phase::Reconnecting(outage()), vec![save(Place::InPlace)]),
        (Phase::Reconnecting(outage()), vec![Action::Quit]),
        (
            saving(Place::InPlace),
            vec![save(Place::InPlace), Action::Quit],
        ),
        (Phase::Quitting(outage()), vec![]),
    ] {
        let d = decision(phase, actions);
        assert!(
            matches!(check(&lost_and_saved(), &d), Err(Violation::Misfit { .. })),
            "{d:?}"
        );
    }
}

#[test]
fn a_running_save_is_not_asked_for_again_until_it_is_answered() {
    let again = decision(saving(Place::InPlace), vec![Action::Save(Place::InPlace)]);
    let before = || saving(Place::InPlace);
    let answer = check_from(&lost(), before(), &Call::Tick, &again);
    assert!(matches!(answer, Err(Violation::Misfit { .. })));
    let failed = Call::OnSaved(Err("disk full".into()));
    assert_eq!(check_from(&lost(), before(), &failed, &again), Ok(()));
    let waiting = decision(saving(Place::InPlace), vec![]);
    assert_eq!(check_from(&lost(), before(), &Call::Tick, &waiting), Ok(()));
    let copy = decision(saving(Place::Recovery), vec![Action::Save(Place::Recovery)]);
    assert_eq!(check_from(&lost(), before(), &failed, &copy), Ok(()));
}

#[test]
fn an_outage_must_end_unless_a_person_asks_for_more() {
    let within = 100_000;
    let mut guard = lost();
    assert_eq!(guard.must_end(within), Some(100_000));
    assert_eq!(guard.must_end(0), None);
    guard.requested(&Request::Extend(30_000), 40_000);
    assert_eq!(guard.must_end(within), Some(170_000));
    guard.requested(&Request::Release, 60_000);
    assert_eq!(guard.must_end(within), Some(190_000));
    guard.connected();
    assert_eq!(guard.must_end(within), None);
    guard.lost(1_000_000);
    assert_eq!(guard.must_end(within), Some(1_100_000));
}

#[test]
fn a_countdown_beyond_the_end_of_the_outage_is_none() {
    let counting = |deadline| {
        Phase::CountingDown(lifeline_contract::types::Countdown {
            outage: outage(),
            deadline,
            warned: 0,
        })
    };
    let moment = moment();
    let check =
        |deadline| lost().check_end(&moment, &decision(counting(deadline), vec![]), 200_000);
    assert_eq!(check(200_000), Ok(()));
    let far = Violation::DeadlineTooFar {
        ends_in: 150_001,
        within: 150_000,
    };
    assert_eq!(check(200_001), Err(far));
    let any = lost().check_end(&moment, &decision(counting(u64::MAX), vec![]), 0);
    assert_eq!(any, Ok(()));
}

#[test]
fn nobody_leaves_an_attempt_or_a_countdown_behind_that_never_comes() {
    let check = |guard: &Guard, attempt, extended| {
        let outage = Outage {
            attempt,
            extended,
            ..outage()
        };
        let left = decision(Phase::Reconnecting(outage), vec![]);
        guard.check_end(&moment(), &left, 0)
    };
    let day = 86_400_000;
    let mut guard = lost();
    for attempt in [Attempt::Due, Attempt::UnderWay] {
        assert_eq!(check(&guard, attempt(NOW + day), 0), Ok(()));
        let error = check(&guard, attempt(NOW + day + 1), 0);
        assert_eq!(error, Err(Violation::AttemptTooFar(day + 1)));
    }
    guard.requested(&Request::Extend(5_000), NOW);
    assert_eq!(check(&guard, Attempt::Due(NOW), 5_000), Ok(()));
    let error = check(&guard, Attempt::Due(NOW), 5_001);
    let (by, asked) = (5_001, 5_000);
    assert_eq!(error, Err(Violation::ExtendedUnasked { by, asked }));
}

#[test]
fn nobody_sleeps_for_days_but_who_is_held_or_connected() {
    let moment = moment();
    let sleeping = |phase, wake_at| {
        let mut decision = decision(phase, vec![]);
        decision.wake_at = Some(wake_at);
        decision
    };
    let day = 86_400_000;
    let lost = lost();
    let saving = saving(Place::InPlace);
    assert_eq!(
        lost.check_end(&moment, &sleeping(saving, NOW + day), 0),
        Ok(())
    );
    let error = lost.check_end(&moment, &sleeping(saving, NOW + day + 1), 0);
    assert_eq!(error, Err(Violation::SleepsTooLong(day + 1)));
    let connected = sleeping(Phase::Connected, u64::MAX);
    assert_eq!(up().check_end(&moment, &connected, 0), Ok(()));
}

#[test]
fn other_bounds_are_taken_for_the_contracts() {
    let guard = lost().bounded(Bounds {
        actions: 1,
        memo: 2,
    });
    let mut d = decision(Phase::Reconnecting(outage()), vec![Action::Warn(1); 2]);
    let too_many = |what, got, limit| Err(Violation::TooMany { what, got, limit });
    assert_eq!(check(&guard, &d), too_many("actions", 2, 1));
    d.actions.truncate(1);
    d.state.memo = vec![0; 3];
    assert_eq!(check(&guard, &d), too_many("bytes of memo", 3, 2));
    d.state.memo.truncate(2);
    assert_eq!(check(&guard, &d), Ok(()));
}

#[test]
fn it_knows_since_when_the_server_is_lost() {
    let mut guard = Guard::new(10_000, 60_000, 5_000);
    assert_eq!(guard.lost_at(), Some(5_000));
    guard.connected();
    assert_eq!(guard.lost_at(), None);
    guard.lost(7_000);
    guard.lost(9_000);
    assert_eq!(guard.lost_at(), Some(7_000));
}

#[test]
fn what_does_not_fit_is_named() {
    let save = Action::Save(Place::InPlace);
    let copy = Action::Save(Place::Recovery);
    let (lost, running) = (Phase::Reconnecting(outage()), saving(Place::InPlace));
    let quitting = Phase::Quitting(outage());
    for (before, phase, actions, misfit) in [
        (
            lost,
            running,
            vec![save, Action::Quit],
            "it saves and quits at once",
        ),
        (lost, running, vec![], "no save was asked for"),
        (lost, running, vec![copy], "it asked for another save"),
        (lost, running, vec![save, save], "it asked for another save"),
        (
            running,
            running,
            vec![save],
            "that save was asked for before and is not answered",
        ),
        (lost, lost, vec![save], "it asked for a save"),
        (
            lost,
            quitting,
            vec![save, Action::Quit],
            "it asked for a save",
        ),
        (lost, quitting, vec![], "quit was not asked for"),
        (lost, lost, vec![Action::Quit], "it asked to quit"),
    ] {
        let name = phase.name();
        let answer = check_from(
            &lost_and_saved(),
            before,
            &Call::Tick,
            &decision(phase, actions),
        );
        let expected = Violation::Misfit {
            phase: name,
            why: misfit,
        };
        assert_eq!(answer, Err(expected));
    }
}

#[test]
fn names_are_those_of_the_contract() {
    let actions = [
        Action::Connect,
        Action::Warn(1),
        Action::Save(Place::InPlace),
        Action::Quit,
    ];
    assert_eq!(
        actions.map(|it| it.name()),
        ["connect", "warn", "save", "quit"]
    );
    let counting_down = Phase::CountingDown(lifeline_contract::types::Countdown {
        outage: outage(),
        deadline: 0,
        warned: 0,
    });
    let phases = [
        Phase::Connected,
        Phase::Reconnecting(outage()),
        counting_down,
        saving(Place::InPlace),
        Phase::Quitting(outage()),
        Phase::Held(outage()),
    ];
    assert_eq!(
        phases.map(|it| it.name()),
        [
            "connected",
            "reconnecting",
            "counting-down",
            "saving",
            "quitting",
            "held"
        ]
    );
}
