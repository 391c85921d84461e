//! Saves and quits: begun, handed back, withdrawn, kept.

use super::{MINUTE, Stage, saved};
use crate::{Connection, Input, Outcome, Output, Telling, Uploaded, Why, Withdrawn, Work};
use lifeline_contract::types::Request;

/// The quit is asked for.
fn quitting(stage: &mut Stage) -> u64 {
    let ticket = stage.lose_for_good();
    stage.save(ticket, true);
    stage.verify();
    *stage.quits().last().unwrap()
}

fn uploaded() -> Uploaded {
    Uploaded {
        bytes: 1,
        attempts: 1,
        seconds: 1.0,
        error: None,
        multipart: None,
    }
}

fn withdrawn(stage: &Stage) -> Vec<(Why, Withdrawn)> {
    let told = |output: &Output| match output {
        Output::Tell(Telling::Withdrawn(why, what)) => Some((*why, *what)),
        _ => None,
    };
    stage.outputs.iter().filter_map(told).collect()
}

#[test]
fn what_is_begun_and_where_it_is_written_is_told() {
    let mut stage = Stage::connected(|_| {});
    let ticket = stage.lose_for_good();
    let written = |stage: &mut Stage, ticket: u64| {
        stage.outputs.clear();
        stage.tell(Input::Saving(ticket, "/a".into()));
        stage.told(Work::Saving("/a".into()))
    };
    assert!(!written(&mut stage, ticket), "it is not claimed");
    stage.tell(Input::Claimed(ticket));
    assert!(stage.told(Work::SaveBegun));
    assert!(written(&mut stage, ticket));
    assert!(!written(&mut stage, ticket + 1));
    stage.next_attempt();
    stage.connection(Connection::Accepted);
    assert!(written(&mut stage, ticket), "it runs on");
    assert!(!written(&mut stage, ticket + 1));
    stage.tell(Input::Saved(ticket, saved()));
    assert!(!written(&mut stage, ticket));
}

#[test]
fn a_save_that_went_well_leaves_nothing_unsaved() {
    let mut stage = Stage::connected(|_| {});
    let ticket = stage.lose_for_good();
    stage.save(ticket, true);
    assert!(!stage.told(Work::NotSaved));
}

#[test]
fn a_save_stands_as_long_as_its_phase() {
    let mut stage = Stage::connected(|_| {});
    stage.lose_for_good();
    // Attempts fail, and the policy decides.
    stage.pass(MINUTE);
    assert_eq!((stage.saves().len(), withdrawn(&stage).len()), (1, 0));
    stage.tell(Input::Request(Request::Hold, String::new()));
    assert_eq!(withdrawn(&stage), [(Why::Policy, Withdrawn::Save)]);
    assert_eq!(stage.core.open_ticket(), None);
    assert_eq!(stage.world.taken_back, [1]);
}

#[test]
fn a_hold_that_nobody_decides_holds_and_nothing_else_does() {
    let mut stage = Stage::connected(|_| {});
    stage.lose_for_good();
    stage.world.broken = vec![crate::Who::Current, crate::Who::BuiltIn];
    stage.tell(Input::Request(Request::Extend(1), String::new()));
    assert_eq!(withdrawn(&stage), []);
    stage.tell(Input::Request(Request::Hold, String::new()));
    assert_eq!(withdrawn(&stage), [(Why::Held, Withdrawn::Save)]);
}

#[test]
fn a_server_that_is_back_withdraws_what_there_is() {
    // Counting down: nothing.
    let mut stage = Stage::connected(|_| {});
    stage.lose();
    stage.pass(MINUTE);
    stage.next_attempt();
    stage.connection(Connection::Accepted);
    assert_eq!(withdrawn(&stage), []);
    // While the file is verified: the quit that waits for it.
    let mut stage = Stage::connected(|_| {});
    let ticket = stage.lose_for_good();
    stage.save(ticket, true);
    stage.next_attempt();
    stage.connection(Connection::Accepted);
    assert_eq!(withdrawn(&stage), [(Why::Back, Withdrawn::Quit)]);
    assert!(stage.has(&Output::StopKeeping));
    // A quit that was asked for.
    let mut stage = Stage::connected(|_| {});
    quitting(&mut stage);
    stage.next_attempt();
    stage.connection(Connection::Accepted);
    assert_eq!(withdrawn(&stage), [(Why::Back, Withdrawn::Quit)]);
}

#[test]
fn what_runs_is_not_taken_back() {
    let mut stage = Stage::connected(|_| {});
    let ticket = stage.lose_for_good();
    stage.tell(Input::Claimed(ticket));
    stage.next_attempt();
    stage.connection(Connection::Accepted);
    assert_eq!(withdrawn(&stage), [(Why::Back, Withdrawn::RunningSave)]);
    assert!(stage.world.taken_back.is_empty());
}

#[test]
fn what_was_not_asked_for_yet_is_not_asked_for_any_more() {
    let mut stage = Stage::connected(|_| {});
    stage.lose();
    stage.pass(4 * MINUTE);
    stage.next_attempt();
    let (attempt, mut save) = (stage.attempt, None);
    // Nobody takes what comes out.
    while save.is_none() {
        stage.turn();
        stage.now = stage.core.wake_at().unwrap();
        stage.core.handle(stage.now, Input::Time, &mut stage.world);
        save = stage.core.open_ticket();
    }
    let attempt = stage.core.attempt().unwrap_or(attempt);
    let accepted = Input::Connection(attempt, Connection::Accepted);
    if !stage.core.is_attempting() {
        stage
            .core
            .handle(stage.now, Input::TryNow, &mut stage.world);
    }
    let attempt = stage.core.attempt().unwrap();
    let accepted = match accepted {
        Input::Connection(_, event) => Input::Connection(attempt, event),
        other => other,
    };
    stage.core.handle(stage.now, accepted, &mut stage.world);
    stage.tell(Input::Time);
    assert_eq!(withdrawn(&stage), [(Why::Back, Withdrawn::Save)]);
    assert!(stage.saves().is_empty() && stage.world.taken_back.is_empty());
}

#[test]
fn a_quit_is_claimed_once_and_handed_back_before() {
    let mut stage = Stage::connected(|_| {});
    let quit = quitting(&mut stage);
    stage.tell(Input::SaveFirst(quit + 1));
    assert_eq!(stage.saves().len(), 1);
    stage.tell(Input::Claimed(quit));
    stage.tell(Input::Claimed(quit));
    assert_eq!(stage.closes(), None, "it is not written down");
    stage.tell(Input::SaveFirst(quit));
    assert_eq!(stage.saves().len(), 1);
}

#[test]
fn who_goes_on_changing_the_file_is_closed_in_the_end_without_an_upload() {
    let mut stage = Stage::connected(|config| (config.target, config.upload) = (true, MINUTE));
    let mut ticket = stage.lose_for_good();
    for times in 1..=5 {
        stage.save(ticket, true);
        stage.verify();
        let order = stage.core.keeping();
        assert_eq!(order.is_some(), times < 5, "the last one is not uploaded");
        if let Some(order) = order {
            stage.tell(Input::Uploaded(order + 1, uploaded()));
            assert!(!stage.told(Work::Uploaded(uploaded())), "of no order");
            stage.tell(Input::Uploaded(order, uploaded()));
            assert!(stage.told(Work::Uploaded(uploaded())));
        }
        assert_eq!(stage.quits().len(), times);
        let quit = *stage.quits().last().unwrap();
        stage
            .outputs
            .retain(|it| *it != Output::Tell(Work::Uploaded(uploaded()).into()));
        stage.tell(Input::SaveFirst(quit));
        ticket = *stage.saves().last().unwrap();
    }
    assert_eq!((stage.saves().len(), stage.quits().len()), (5, 6));
    assert!(stage.told(Work::SavedAgain(4)) && !stage.told(Work::SavedAgain(5)));
}

#[test]
fn what_is_said_of_another_save_says_nothing_of_this_one() {
    let mut stage = Stage::connected(|_| {});
    let ticket = stage.lose_for_good();
    stage.save(ticket, true);
    let order = stage.core.keeping().unwrap();
    stage.tell(Input::Verified(order + 1, Err("bad sector".into())));
    assert!(stage.core.guard().is_safe());
    assert_eq!(stage.core.keeping(), Some(order));
}

#[test]
fn a_file_that_is_never_verified_is_unreadable_but_no_longer_waited_for_after_sigterm() {
    let mut stage = Stage::connected(|_| {});
    let ticket = stage.lose_for_good();
    stage.save(ticket, true);
    let unreadable = |stage: &Stage| {
        stage.told(Work::Unreadable(
            "reading it does not come to an end".into(),
        ))
    };
    stage.pass(10 * MINUTE - 1);
    assert!(!unreadable(&stage));
    stage.pass(1);
    assert!(unreadable(&stage) && stage.quits().is_empty());
    let mut stage = Stage::connected(|_| {});
    stage.tell(Input::Terminate);
    stage.save(stage.saves()[0], true);
    stage.pass(14_999);
    assert!(stage.quits().is_empty());
    stage.pass(1);
    assert_eq!(stage.quits().len(), 1);
    assert!(!unreadable(&stage));
}

#[test]
fn of_the_bound_of_sigterm_something_is_kept_for_closing() {
    for (bound, upload_within) in [(4_000, 2_000), (20_000, 15_000)] {
        let mut stage = Stage::connected(|config| {
            (config.target, config.upload, config.terminate) = (true, MINUTE, bound);
        });
        stage.tell(Input::Terminate);
        stage.save(stage.saves()[0], true);
        stage.verify();
        assert_eq!(stage.core.end_due(), Some(stage.now + upload_within));
    }
}

#[test]
fn after_sigterm_no_policy_is_asked() {
    let mut stage = Stage::connected(|_| {});
    stage.tell(Input::Terminate);
    let state = stage.core.state().clone();
    stage.save(stage.saves()[0], false);
    stage.now += 1_000;
    stage.tell(Input::Time);
    stage.save(stage.saves()[1], true);
    assert_eq!(*stage.core.state(), state);
    let rejected = |it: &Output| matches!(it, Output::Tell(Telling::Rejected { .. }));
    assert!(!stage.outputs.iter().any(rejected));
}

#[test]
fn sigterm_does_not_end_who_was_just_asked_to_quit() {
    let mut stage = Stage::connected(|_| {});
    quitting(&mut stage);
    stage.tell(Input::Terminate);
    assert!(!stage.has(&Output::WriteDown(Outcome::EndedByHost)));
}

#[test]
fn a_main_thread_that_has_polled_at_the_same_time_has_not_seen_the_quit() {
    let mut stage = Stage::connected(|_| {});
    let ticket = stage.lose_for_good();
    stage.save(ticket, true);
    stage.world.polled = stage.now;
    stage.verify();
    assert_eq!(stage.core.end_due(), Some(stage.now + 5 * MINUTE));
    stage.world.polled = stage.now + 1;
    stage.tell(Input::Time);
    assert_eq!(stage.core.end_due(), Some(stage.now + 30_000));
}

#[test]
fn an_outage_whose_save_runs_on_is_over_when_the_next_one_begins() {
    let mut stage = Stage::connected(|_| {});
    let ticket = stage.lose_for_good();
    stage.tell(Input::Claimed(ticket));
    stage.next_attempt();
    stage.connection(Connection::Accepted);
    stage.now += MINUTE;
    let over = Telling::Over(Outcome::Recovered);
    assert!(!stage.told(over.clone()));
    stage.lose();
    assert!(stage.told(over));
}

#[test]
fn who_is_closed_in_an_outage_ends_its_record() {
    let mut stage = Stage::connected(|_| {});
    stage.tell(Input::Close);
    assert!(stage.outputs.is_empty(), "there is none");
    stage.lose();
    stage.tell(Input::Close);
    assert!(stage.told(Telling::Over(Outcome::Closed)));
}
