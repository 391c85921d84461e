//! What can be asked of a core: how everything stands.

use super::{MINUTE, Stage};
use crate::{
    Before, Config, Connection, Core, End, Input, Origin, Output, Reason, Task, as_seconds,
};
use lifeline_contract::types::{ConnectError, Place};

#[test]
fn before_the_start_nothing_stands() {
    let core = Core::new((*Stage::new(|_| {}).core.config).clone(), 0);
    assert!(!core.is_started() && !core.is_attempting() && !core.is_terminating());
    assert_eq!((core.attempt(), core.open_ticket()), (None, None));
    assert_eq!((core.tick_due(), core.end_due()), (None, None));
    assert_eq!((core.end(), core.keeping()), (End::No, None));
}

#[test]
fn an_attempt_is_under_way_until_it_is_answered() {
    let mut stage = Stage::new(|_| {});
    assert!(stage.core.is_started() && stage.core.is_attempting());
    assert_eq!(stage.core.attempt(), Some(1));
    stage.connection(Connection::Accepted);
    assert_eq!(
        (stage.core.attempt(), stage.core.attempts()),
        (Some(1), None)
    );
    assert!(!stage.core.is_attempting());
    stage.now += MINUTE;
    stage.lose();
    assert_eq!(
        (stage.core.attempt(), stage.core.attempts()),
        (None, Some(0))
    );
    assert_eq!(stage.core.lost_at(), Some(MINUTE));
    stage.pass(2_000);
    stage.next_attempt();
    assert_eq!(stage.core.attempt(), Some(3));
    stage.connection(Connection::Failed(ConnectError::Refused, "no".into()));
    assert!(!stage.core.is_attempting());
}

#[test]
fn an_outage_is_not_told_of_while_the_first_attempt_is_under_way() {
    let mut stage = Stage::new(|_| {});
    assert_eq!(stage.core.lost_at(), None);
    stage.connection(Connection::Failed(ConnectError::Refused, "no".into()));
    assert_eq!(stage.core.lost_at(), Some(0));
}

#[test]
fn the_end_has_its_stations_and_its_instants() {
    let mut stage = Stage::connected(|_| {});
    let save = stage.lose_for_good();
    assert_eq!(stage.core.open_ticket().map(|it| it.ticket), Some(save));
    assert_eq!((stage.core.end(), stage.core.end_due()), (End::No, None));
    assert!(stage.core.tick_due().is_some_and(|at| at > stage.now));
    stage.save(save, true);
    assert_eq!(
        (stage.core.end(), stage.core.keeping()),
        (End::Wanted, Some(1))
    );
    assert_eq!(stage.core.end_due(), Some(stage.now + 10 * MINUTE));
    stage.verify();
    assert_eq!((stage.core.end(), stage.core.keeping()), (End::Asked, None));
    let open = stage.core.open_ticket().unwrap();
    assert_eq!((open.task, open.claimed), (Task::Quit, false));
    assert_eq!(stage.core.end_due(), Some(stage.now + 5 * MINUTE));
    assert_eq!(
        stage.core.wake_at(),
        stage.core.end_due().min(stage.core.tick_due())
    );
    let (since, end) = (stage.now, None);
    stage.tell(Input::Claimed(open.ticket));
    assert_eq!(stage.core.end(), End::Writing { since, end });
    assert_eq!(stage.core.end_due(), Some(since + 3_000));
    assert_eq!(
        (stage.core.tick_due(), stage.core.undecided().next()),
        (None, None)
    );
    stage.tell(Input::Written);
    assert_eq!((stage.core.end(), stage.core.end_due()), (End::Told, None));
}

#[test]
fn sigterm_leaves_the_file_as_it_is_only_if_set_and_under_a_living_server() {
    for recover in [true, false] {
        let mut stage = Stage::connected(|config| config.recover = recover);
        assert_eq!(stage.core.recovers(), recover);
        assert!(!stage.core.is_terminating());
        stage.lose();
        assert!(!stage.core.recovers());
        stage.tell(Input::Terminate);
        assert!(stage.core.is_terminating());
    }
}

#[test]
fn a_fault_in_the_host_forgets_no_sigterm() {
    for (recover, place) in [(true, Place::Recovery), (false, Place::InPlace)] {
        let mut stage = Stage::new(|_| {});
        stage.core = Core::new(
            Config {
                recover,
                ..(*stage.core.config).clone()
            },
            0,
        );
        stage.tell(Input::Start(Before {
            terminating: true,
            recover,
            ..Before::default()
        }));
        assert!(stage.core.is_terminating());
        let asked = |it: &Output| matches!(it, Output::Save(_, at, _) if *at == place);
        assert!(stage.outputs.iter().any(asked));
    }
}

#[test]
fn a_policy_that_is_swapped_in_is_asked_once_blender_has_started() {
    let mut stage = Stage::new(|_| {});
    stage.core = Core::new((*stage.core.config).clone(), 0);
    stage.world.broken = vec![crate::Who::Current];
    stage.tell(Input::Policy(Origin::Other));
    assert_eq!(stage.core.failures(), (0, false));
    stage.tell(Input::Start(Before::default()));
    stage.tell(Input::Policy(Origin::Server));
    assert_eq!(stage.core.failures(), (1, false));
}

#[test]
fn reasons_of_a_save_have_names() {
    assert_eq!(Reason::Outage.name(), "outage");
    assert_eq!(Reason::Termination.name(), "termination");
}

#[test]
fn milliseconds_are_seconds_to_people() {
    assert!((as_seconds(1_500) - 1.5).abs() < f64::EPSILON);
}
