//! Calls, who decides them, and what is told of the answers.

use super::{MINUTE, Stage};
use crate::{Connection, Input, Origin, Output, Telling, Who};
use lifeline_contract::Call;
use lifeline_contract::types::{ConnectError, Request};

impl Stage {
    pub(super) fn count(&self, what: impl Fn(&Telling) -> bool) -> usize {
        let told = |output: &&Output| matches!(output, Output::Tell(telling) if what(telling));
        self.outputs.iter().filter(told).count()
    }
}

#[test]
fn what_nobody_decides_is_kept_in_its_order_and_ticks_are_not() {
    let mut stage = Stage::connected(|_| {});
    stage.world.broken = vec![Who::Current, Who::BuiltIn];
    stage.lose();
    stage.pass(5_000);
    let lost = Call::OnDisconnect(lifeline_contract::types::Loss::TransportError);
    assert_eq!(stage.core.undecided().collect::<Vec<_>>(), [&lost]);
    stage.tell(Input::Request(Request::Extend(1), String::new()));
    let extend = Call::OnRequest(Request::Extend(1));
    assert_eq!(stage.core.undecided().collect::<Vec<_>>(), [&lost, &extend]);
}

#[test]
fn a_connection_that_nobody_decides_about_is_one() {
    let mut stage = Stage::connected(|_| {});
    stage.lose();
    stage.pass(MINUTE);
    stage.next_attempt();
    stage.world.broken = vec![Who::Current, Who::BuiltIn];
    stage.connection(Connection::Accepted);
    assert_eq!(stage.phase(), "connected");
    assert_eq!(stage.core.undecided().next(), Some(&Call::OnConnect));
}

#[test]
fn what_another_attempt_has_come_to_is_not_heard() {
    let mut stage = Stage::connected(|_| {});
    stage.lose();
    stage.next_attempt();
    stage.outputs.clear();
    for event in [
        Connection::Accepted,
        Connection::Failed(ConnectError::Refused, "no".into()),
    ] {
        stage.tell(Input::Connection(stage.attempt - 1, event));
    }
    assert!(stage.outputs.is_empty() && stage.core.is_attempting());
}

#[test]
fn a_call_that_is_a_second_late_was_slept_through_and_no_sooner() {
    let limit = 10 * MINUTE;
    for (late, counted) in [(1_000, 0), (1_001, 1_001)] {
        let mut stage = Stage::connected(|config| config.outage_limit = limit);
        stage.tell(Input::Policy(Origin::Other));
        stage.lose();
        let lost = stage.now;
        stage.now = stage.core.wake_at().unwrap() + late;
        stage.tell(Input::Time);
        let must_end = stage.core.guard().must_end(limit);
        assert_eq!(must_end, Some(lost + limit + counted), "{late} ms");
    }
}

#[test]
fn a_countdown_warns_later_than_it_begins() {
    let mut stage = Stage::connected(|_| {});
    let warned = |stage: &Stage| stage.count(|it| matches!(it, Telling::Warn(_)));
    stage.lose();
    stage.pass(40_000);
    assert_eq!(stage.count(|it| matches!(it, Telling::Countdown { .. })), 1);
    assert_eq!(warned(&stage), 0);
    stage.pass(5 * MINUTE);
    assert!(warned(&stage) > 0);
}

#[test]
fn a_hold_is_told_of_once() {
    let mut stage = Stage::connected(|_| {});
    stage.lose();
    for _ in 0..2 {
        stage.tell(Input::Request(Request::Hold, "ann".into()));
        stage.pass(MINUTE);
    }
    assert_eq!(stage.count(|it| *it == Telling::Held), 1);
}

#[test]
fn a_policy_that_quits_may_be_waited_for_beyond_its_limit() {
    let mut stage = Stage::connected(|config| {
        (config.outage_limit, config.target) = (10 * MINUTE, true);
        config.upload = 60 * MINUTE;
    });
    stage.tell(Input::Policy(Origin::Other));
    let ticket = stage.lose_for_good();
    stage.save(ticket, true);
    stage.verify();
    stage.pass(30 * MINUTE);
    assert_eq!(
        (stage.phase(), stage.core.failures()),
        ("quitting", (0, false))
    );
}
