//! Copies of work that may not live to be saved.

use super::{MINUTE, Stage};
use crate::{Connection, Input, Output};
use lifeline_contract::types::Request;

impl Stage {
    fn copies(&self) -> Vec<bool> {
        let needed = |output: &Output| match output {
            Output::EarlyCopy { needed } => Some(*needed),
            _ => None,
        };
        self.outputs.iter().filter_map(needed).collect()
    }
}

fn guarded() -> Stage {
    Stage::connected(|config| config.early_copy = true)
}

#[test]
fn the_countdown_begins_with_one_and_has_one_a_minute() {
    let mut stage = guarded();
    stage.lose();
    stage.pass(30_000);
    assert_eq!(stage.copies(), [], "there is a server to be had yet");
    stage.pass(10_000);
    assert_eq!(stage.copies(), [true]);
    stage.pass(2 * MINUTE);
    assert_eq!(stage.copies(), [true; 3]);
}

#[test]
fn it_is_not_needed_when_the_server_is_back() {
    let mut stage = guarded();
    stage.lose();
    stage.pass(2 * MINUTE);
    while !stage.core.is_attempting() {
        stage.now = stage.core.wake_at().unwrap();
        stage.tell(Input::Time);
    }
    stage.connection(Connection::Accepted);
    assert_eq!(stage.copies().last(), Some(&false));
    stage.outputs.clear();
    stage.pass(5 * MINUTE);
    assert_eq!(stage.copies(), []);
}

#[test]
fn it_is_not_needed_when_the_work_is_safe_and_only_then() {
    for safe in [true, false] {
        let mut stage = guarded();
        stage.lose();
        stage.pass(6 * MINUTE);
        let ticket = stage.saves()[0];
        stage.save(ticket, safe);
        if safe {
            stage.verify();
        } else {
            while stage.quits().is_empty() {
                if let Some(ticket) = stage.core.open_ticket().map(|open| open.ticket) {
                    stage.save(ticket, false);
                } else {
                    stage.now = stage.core.wake_at().unwrap();
                    stage.tell(Input::Time);
                }
            }
        }
        stage.tell(Input::Claimed(stage.quits()[0]));
        assert_eq!(stage.copies().contains(&false), safe);
    }
}

#[test]
fn who_holds_has_one_a_minute_for_as_long_as_that_lasts() {
    let mut stage = guarded();
    stage.lose();
    stage.tell(Input::Request(Request::Hold, String::new()));
    stage.pass(10 * MINUTE - 1);
    assert_eq!(stage.copies(), [true; 10]);
}

#[test]
fn who_closes_has_none_any_more() {
    let mut stage = guarded();
    stage.lose();
    stage.pass(MINUTE);
    stage.tell(Input::Terminate);
    stage.save(stage.saves()[0], false);
    stage.pass(900);
    stage.now += 2 * MINUTE;
    stage.tell(Input::Scene(lifeline_contract::types::Scene {
        modified: true,
        untitled: false,
        rendering: false,
    }));
    assert_eq!(stage.copies(), [true]);
}

#[test]
fn nobody_has_to_have_one() {
    let mut stage = Stage::connected(|_| {});
    stage.lose();
    stage.pass(4 * MINUTE);
    assert_eq!(stage.copies(), []);
}
