//! The machine and the reference machine decide alike.

use super::cases;
use super::inputs::{event, host, situation, turns};
use super::play::{Host, Turn, decide};
use crate::contract::{Action, Phase, Place};
use crate::reference;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{TestCaseResult, TestRunner};

/// How often what was seen.
type Tally = BTreeMap<&'static str, u32>;

fn action_name(action: &Action) -> &'static str {
    match action {
        Action::Connect => "connect",
        Action::Warn(_) => "warn",
        Action::Save(Place::InPlace) => "save in place",
        Action::Save(Place::Recovery) => "save a copy",
        Action::Quit => "quit",
    }
}

fn phase_name(phase: &Phase) -> &'static str {
    match phase {
        Phase::Connected => "connected",
        Phase::Reconnecting(_) => "reconnecting",
        Phase::CountingDown(_) => "counting down",
        Phase::Saving(_) => "saving",
        Phase::Quitting(_) => "quitting",
        Phase::Held(_) => "held",
    }
}

/// Both act it out, and must never differ.
fn act_out(mut host: Host, turns: &[Turn], tally: &mut Tally) -> TestCaseResult {
    for (number, turn) in turns.iter().enumerate() {
        let Some((event, moment)) = host.next_call(turn) else {
            continue;
        };
        let (expected, rules) = reference::decide(event, &host.state, &moment);
        let got = decide(event, &host.state, &moment);
        prop_assert_eq!(
            &got,
            &expected,
            "machine and reference differ in turn {}: {:?} at {:?} from {:?}, by {:?}",
            number,
            event,
            moment,
            &host.state,
            rules
        );
        host.take(&got);
        let actions = got.actions.iter().map(action_name);
        let seen = rules.into_iter().chain(actions);
        for name in seen.chain([phase_name(&host.state.phase)]) {
            *tally.entry(name).or_default() += 1;
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(1_500))]

    #[test]
    fn a_whole_play_goes_the_same_way(host in host(), turns in turns()) {
        act_out(host, &turns, &mut Tally::new())?;
    }
}

proptest! {
    #![proptest_config(cases(20_000))]

    #[test]
    fn any_call_from_any_state_is_answered_alike(event in event(), (state, moment) in situation()) {
        let (expected, rules) = reference::decide(event, &state, &moment);
        prop_assert_eq!(decide(event, &state, &moment), expected, "by {:?}", rules);
    }
}

#[test]
fn the_plays_come_to_every_phase_every_action_and_every_rule() {
    let mut runner = TestRunner::deterministic();
    let plays = (host(), turns());
    let mut tally = Tally::new();
    for _ in 0..500 {
        let (host, turns) = plays.new_tree(&mut runner).expect("a play").current();
        act_out(host, &turns, &mut tally).expect("both machines alike");
    }
    let all: Vec<&str> = reference::names()
        .into_iter()
        .chain(["connect", "warn", "save in place", "save a copy", "quit"])
        .chain([
            "connected",
            "reconnecting",
            "counting down",
            "saving",
            "quitting",
            "held",
        ])
        .collect();
    let rare: Vec<_> = all
        .iter()
        .map(|&name| (name, tally.get(name).copied().unwrap_or(0)))
        .filter(|&(_, times)| times < 20)
        .collect();
    assert!(
        rare.is_empty(),
        "{}",
        format!("hardly ever seen: {rare:?} of {tally:#?}")
    );
}
