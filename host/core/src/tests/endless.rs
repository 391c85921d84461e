//! Policies that do not come to an end.

use super::{MINUTE, Stage};
use crate::guard::Violation;
use crate::{Connection, Failure, Input, Origin, Output, Telling};
use lifeline_contract::types::{Phase, Request, Settings};

const LIMIT: u64 = 10 * MINUTE;

/// One from elsewhere decides, by these settings, when the server is lost. When that was.
fn lost(origin: Option<Origin>, limit: u64, timing: Settings) -> (Stage, u64) {
    let mut stage = Stage::connected(|config| config.outage_limit = limit);
    origin
        .into_iter()
        .for_each(|it| stage.tell(Input::Policy(it)));
    stage.world.timing = Some(timing);
    stage.lose();
    let lost = stage.now;
    (stage, lost)
}

fn for_ever() -> Settings {
    Settings {
        retry_attempts: u32::MAX,
        ..Settings::default()
    }
}

impl Stage {
    fn ended_as_endless(&self) -> bool {
        self.told(Telling::Rejected {
            call: "tick",
            failure: Violation::NeverEnds(LIMIT).into(),
            failures: 3,
            disabled: true,
        })
    }
}

#[test]
fn a_policy_that_tries_for_ever_is_disabled_at_the_limit() {
    for origin in [Origin::Other, Origin::Server] {
        let (mut stage, lost) = lost(Some(origin), LIMIT, for_ever());
        stage.pass(LIMIT - 1);
        assert!(!stage.ended_as_endless());
        assert_eq!(stage.phase(), "reconnecting");
        stage.pass(1);
        assert!(stage.ended_as_endless());
        assert_eq!(stage.core.failures(), (3, true));
        let Phase::CountingDown(countdown) = &stage.core.state().phase else {
            panic!("{}", stage.phase());
        };
        assert_eq!(countdown.deadline, lost + LIMIT + 5 * MINUTE);
        stage.pass(5 * MINUTE);
        assert_eq!(stage.saves().len(), 1);
    }
}

#[test]
fn the_built_in_policy_a_limit_of_nothing_and_people_may_go_on_for_ever() {
    let (mut built_in, _) = lost(None, LIMIT, for_ever());
    let (mut unlimited, _) = lost(Some(Origin::Other), 0, for_ever());
    let (mut held, _) = lost(Some(Origin::Other), LIMIT, for_ever());
    held.tell(Input::Request(Request::Hold, String::new()));
    for stage in [&mut built_in, &mut unlimited, &mut held] {
        stage.pass(6 * LIMIT);
        assert!(!stage.ended_as_endless());
        assert_eq!(stage.core.failures(), (0, false));
    }
    // Who releases begins anew.
    held.tell(Input::Request(Request::Release, String::new()));
    held.pass(LIMIT - 1);
    assert!(!held.ended_as_endless());
    held.pass(1);
    assert!(held.ended_as_endless());
}

#[test]
fn no_policy_from_elsewhere_counts_down_beyond_the_limit() {
    let long = || Settings {
        retry_attempts: 0,
        cleanup_timeout: 2 * LIMIT,
        ..Settings::default()
    };
    let rejected = |stage: &Stage| {
        let too_far = |it: &Output| {
            let Output::Tell(Telling::Rejected { failure, .. }) = it else {
                return false;
            };
            matches!(
                failure,
                Failure::Violation(Violation::DeadlineTooFar { .. })
            )
        };
        stage.outputs.iter().any(too_far)
    };
    let (foreign, _) = lost(Some(Origin::Other), LIMIT, long());
    assert!(rejected(&foreign));
    let (built_in, _) = lost(None, LIMIT, long());
    assert!(!rejected(&built_in));
}

#[test]
fn a_save_that_is_asked_for_may_be_waited_for_beyond_the_limit() {
    let (mut stage, _) = lost(Some(Origin::Other), LIMIT, Settings::default());
    stage.pass(5 * LIMIT);
    assert_eq!(stage.saves().len(), 1);
    assert!(!stage.ended_as_endless());
}

#[test]
fn a_server_that_is_back_ends_what_had_to_end() {
    let (mut stage, _) = lost(Some(Origin::Other), LIMIT, for_ever());
    stage.pass(LIMIT - MINUTE);
    stage.next_attempt();
    stage.connection(Connection::Accepted);
    stage.pass(LIMIT);
    assert_eq!(stage.core.failures(), (0, false));
}
