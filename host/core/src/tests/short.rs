//! Connections that do not last.

use super::{MINUTE, Stage};
use crate::{Connection, Input, Outcome, Telling};
use lifeline_contract::Call;
use lifeline_contract::types::{ConnectError, Loss, Phase, Request};

impl Stage {
    /// The server accepts each attempt, and cuts off so many milliseconds later. For so long, or until
    /// a save is asked for.
    fn cut_off(&mut self, after: u64, millis: u64) {
        let end = self.now + millis;
        while self.now < end && self.saves().is_empty() {
            if self.core.is_attempting() {
                self.connection(Connection::Accepted);
                self.now += after;
                self.cut();
            } else if let Some(at) = self.core.wake_at() {
                self.now = at.max(self.now);
                self.tell(Input::Time);
            } else {
                self.turn();
            }
        }
    }

    fn cut(&mut self) {
        self.connection(Connection::Lost(Loss::ServerDisconnect, "kicked".into()));
    }

    fn over(&self) -> usize {
        self.count(|it| matches!(it, Telling::Over(Outcome::Recovered)))
    }

    fn attempts_fail(&mut self) {
        self.next_attempt();
        let failed = Connection::Failed(ConnectError::Unreachable, "refused".into());
        self.connection(failed);
    }
}

#[test]
fn who_is_accepted_and_cut_off_again_and_again_saves_and_closes() {
    for after in [0, 100, 12_000] {
        let mut stage = Stage::connected(|_| {});
        let begun = stage.now;
        stage.cut();
        stage.cut_off(after, 60 * MINUTE);
        let ticket = stage.saves()[0];
        // As from a server that does not answer, but for the time of the connections.
        let longest = if after > 1_000 { 15 } else { 6 };
        let took = stage.now - begun;
        assert!(took < longest * MINUTE, "{took} ms, cut off after {after}");
        assert_eq!(stage.over(), 1, "the first connection alone");
        stage.save(ticket, true);
        stage.verify();
        assert_eq!(stage.quits().len(), 1);
    }
}

#[test]
fn one_countdown_goes_on() {
    let mut stage = Stage::connected(|_| {});
    stage.cut();
    stage.cut_off(100, 60 * MINUTE);
    assert_eq!(stage.count(|it| matches!(it, Telling::Countdown { .. })), 1);
    let goes_on = |it: &Telling| matches!(it, Telling::CountdownGoesOn { .. });
    assert!(stage.count(goes_on) > 20);
}

#[test]
fn a_server_that_restarts_twice_costs_nothing() {
    let mut stage = Stage::connected(|_| {});
    stage.cut();
    for _ in 0..5 {
        stage.attempts_fail();
        stage.next_attempt();
        stage.connection(Connection::Accepted);
        assert_eq!(stage.phase(), "connected");
        stage.now += 1_000;
        if stage.attempt < 10 {
            stage.cut();
            assert_eq!(stage.phase(), "reconnecting");
        }
    }
    let over = stage.over();
    stage.pass(MINUTE);
    assert_eq!((over, stage.over()), (1, 2), "told once it has lasted");
    assert_eq!(stage.core.wake_at(), None);
    assert_eq!(stage.count(|it| matches!(it, Telling::Countdown { .. })), 0);
}

#[test]
fn after_a_connection_that_has_lasted_all_attempts_are_there_again() {
    let mut stage = Stage::connected(|_| {});
    stage.cut();
    stage.cut_off(100, 20_000);
    stage.next_attempt();
    stage.connection(Connection::Accepted);
    stage.pass(31_000);
    stage.cut();
    assert_eq!(stage.core.attempts(), Some(0));
}

#[test]
fn what_a_person_wants_lasts() {
    let mut stage = Stage::connected(|_| {});
    stage.cut();
    stage.attempts_fail();
    stage.tell(Input::Request(Request::Hold, String::new()));
    stage.next_attempt();
    stage.connection(Connection::Accepted);
    stage.now += 5_000;
    stage.cut();
    assert_eq!(stage.phase(), "held");
    assert!(stage.core.guard().is_held());
    assert_eq!(stage.count(|it| *it == Telling::Held), 2, "told again");
}

#[test]
fn a_connection_has_lasted_after_three_of_the_longest_pauses() {
    for (lasts, phase) in [(29_999, "counting-down"), (30_000, "reconnecting")] {
        let mut stage = Stage::connected(|_| {});
        stage.cut();
        stage.pass(MINUTE);
        stage.next_attempt();
        stage.connection(Connection::Accepted);
        assert_eq!(stage.core.wake_at(), None, "no short one was before it");
        let again =
            |of| stage.count(|it| matches!(it, Telling::Connected { again, .. } if *again == of));
        assert_eq!((again(false), again(true)), (1, 0));
        stage.now += lasts;
        stage.cut();
        assert_eq!(stage.phase(), phase);
    }
}

#[test]
fn a_connection_after_a_short_one_is_one_again() {
    let mut stage = Stage::connected(|_| {});
    stage.cut();
    stage.cut_off(100, 3_000);
    stage.outputs.clear();
    stage.next_attempt();
    stage.connection(Connection::Accepted);
    assert_eq!(
        stage.count(|it| matches!(it, Telling::Connected { again: true, .. })),
        1
    );
}

#[test]
fn an_attempt_that_a_person_has_asked_for_and_that_is_cut_off_moves_nothing() {
    let mut stage = Stage::connected(|_| {});
    stage.cut();
    stage.pass(MINUTE);
    let plan = stage.core.state().phase.outage().copied();
    stage.tell(Input::TryNow);
    stage.connection(Connection::Accepted);
    stage.cut();
    assert_eq!(stage.phase(), "counting-down");
    assert_eq!(stage.core.state().phase.outage().copied(), plan);
    assert_eq!(stage.world.asked.last(), Some(&Call::Tick));
}

#[test]
fn a_countdown_that_is_over_does_not_go_on() {
    let mut stage = Stage::connected(|config| {
        (config.timing.retry_attempts, config.quit_floor) = (0, 0);
    });
    stage.lose_for_good();
    stage.next_attempt();
    stage.connection(Connection::Accepted);
    stage.now += 500;
    stage.cut();
    let goes_on = |it: &Telling| matches!(it, Telling::CountdownGoesOn { .. });
    assert_eq!(stage.count(goes_on), 0);
}

#[test]
fn the_time_of_the_connection_does_not_count() {
    let mut stage = Stage::connected(|_| {});
    stage.cut();
    stage.pass(MINUTE);
    let deadline = |stage: &Stage| match &stage.core.state().phase {
        Phase::CountingDown(countdown) => countdown.deadline,
        phase => panic!("{}", phase.name()),
    };
    let before = deadline(&stage);
    stage.next_attempt();
    stage.connection(Connection::Accepted);
    stage.now += 20_000;
    stage.cut();
    assert_eq!(deadline(&stage), before + 20_000);
}

#[test]
fn a_server_that_restarts_when_it_is_saved_has_time_to_come_back() {
    let mut stage = Stage::connected(|_| {});
    stage.lose_for_good();
    stage.next_attempt();
    stage.connection(Connection::Accepted);
    stage.now += 500;
    stage.cut();
    assert_eq!((stage.phase(), stage.saves().len()), ("reconnecting", 1));
}

#[test]
fn a_save_that_was_called_off_too_often_is_asked_for_again() {
    let mut stage = Stage::connected(|config| config.timing.retry_attempts = 0);
    let first = stage.lose_for_good();
    stage.next_attempt();
    stage.connection(Connection::Accepted);
    stage.now += 500;
    stage.cut();
    assert_eq!(stage.saves().len(), 1, "not at once");
    stage.pass(10_000);
    assert_eq!(stage.saves().len(), 2);
    assert!(stage.saves()[1] > first);
    stage.save(first, true);
    assert!(stage.quits().is_empty(), "of the save before");
}

#[test]
fn sigterm_ends_the_record_of_before() {
    let mut stage = Stage::connected(|_| {});
    stage.cut();
    stage.cut_off(100, 10_000);
    stage.next_attempt();
    stage.connection(Connection::Accepted);
    let over = stage.over();
    stage.tell(Input::Terminate);
    assert_eq!(stage.over(), over + 1);
}

#[test]
fn who_can_save_nothing_is_still_connected() {
    let mut stage = Stage::connected(|config| config.timing.retry_attempts = 0);
    stage.cut();
    stage.cut_off(100, 60 * MINUTE);
    stage.save(stage.saves()[0], false);
    stage.save(stage.saves()[1], false);
    stage.next_attempt();
    stage.connection(Connection::Accepted);
    assert_eq!(stage.phase(), "connected");
}

#[test]
fn a_save_that_takes_long_is_not_called_off_again_and_again() {
    let mut stage = Stage::connected(|_| {});
    stage.cut();
    stage.cut_off(100, 60 * MINUTE);
    let ticket = stage.saves()[0];
    stage.tell(Input::Claimed(ticket));
    for _ in 0..20 {
        stage.now = stage.core.wake_at().unwrap();
        stage.tell(Input::Time);
        assert!(
            !stage.core.is_attempting(),
            "it is saved, and tried no more"
        );
    }
    stage.save(ticket, true);
    stage.verify();
    assert_eq!((stage.saves().len(), stage.quits().len()), (1, 1));
}

#[test]
fn policies_are_told_how_many_in_a_row_did_not_last() {
    let mut stage = Stage::connected(|_| {});
    stage.cut();
    for _ in 0..7 {
        stage.next_attempt();
        stage.connection(Connection::Accepted);
        stage.now += 100;
        stage.cut();
    }
    stage.next_attempt();
    stage.connection(Connection::Accepted);
    stage.pass(MINUTE);
    stage.cut();
    let told = stage.world.cut_off.iter();
    let at_the_end = told.filter(|(call, _)| matches!(*call, "on-disconnect" | "on-connect-error"));
    // The first loss, seven connections that were cut off, and one that had lasted.
    let expected: Vec<(&str, Option<u32>)> = vec![
        ("on-disconnect", None),
        ("on-disconnect", Some(1)),
        ("on-disconnect", Some(2)),
        ("on-disconnect", Some(3)),
        ("on-disconnect", Some(4)),
        ("on-disconnect", Some(5)),
        ("on-connect-error", Some(6)),
        ("on-connect-error", Some(7)),
        ("on-disconnect", None),
    ];
    assert_eq!(at_the_end.copied().collect::<Vec<_>>(), expected);
    assert!(stage.world.cut_off.contains(&("tick", Some(7))));
    assert!(stage.world.cut_off.contains(&("on-connect", Some(7))));
}
