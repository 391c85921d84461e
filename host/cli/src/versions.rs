//! Policies of version 0.1 of the contract, as they were shipped, beside those of 0.2.

use lifeline::contract::{
    ConnectError, Decision, Loss, Moment, Phase, Request, Scene, Settings, State,
};
use lifeline::{Call, FIVE_MINUTES};
use lifeline_sandbox::{Compiling, Contract, Limits, LoadError, Policy, Sandbox};
use lifeline_simulate::timeline::{Entry, Scenario, Timeline, What, play};
use lifeline_simulate::wave;
use serde_json::Value;
use std::path::{Path, PathBuf};

const SHIPPED: [&str; 3] = ["five-minutes", "patient", "render-guard"];
const SECOND: u64 = 1_000;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn sandbox() -> Sandbox {
    Sandbox::new(Limits::default(), None, Compiling::Here).unwrap()
}

fn of_0_1(name: &str) -> Policy {
    let file = root().join(format!("tests/policies/0.1/{name}.wasm"));
    let policy = sandbox().load(&std::fs::read(file).unwrap()).unwrap();
    assert_eq!(policy.contract(), Contract::V0_1);
    policy
}

fn of_0_2(name: &str) -> Policy {
    let file = root().join(format!("target/policies/{name}.wasm"));
    let policy = sandbox().load(&std::fs::read(file).unwrap()).unwrap();
    assert_eq!(policy.contract(), Contract::V0_2);
    policy
}

/// What `tests/policies/0.1/course.json` has happen, step by step.
fn course() -> Vec<(Call, Moment)> {
    let text = std::fs::read_to_string(root().join("tests/policies/0.1/course.json")).unwrap();
    let course: Value = serde_json::from_str(&text).unwrap();
    let settings = settings(&course["settings"]);
    let steps = course["steps"].as_array().unwrap();
    steps.iter().map(|step| read(step, &settings)).collect()
}

fn settings(set: &Value) -> Settings {
    let number = |name: &str| set[name].as_u64().unwrap();
    let warnings = set["warn-before"].as_array().unwrap();
    Settings {
        retry_attempts: u32::try_from(number("retry-attempts")).unwrap(),
        retry_delay: number("retry-delay"),
        retry_delay_max: number("retry-delay-max"),
        retry_jitter: number("retry-jitter"),
        connect_timeout: number("connect-timeout"),
        cleanup_timeout: number("cleanup-timeout"),
        warn_before: warnings.iter().map(|it| it.as_u64().unwrap()).collect(),
        render_wait: number("render-wait"),
    }
}

fn read(step: &Value, settings: &Settings) -> (Call, Moment) {
    let with = step["with"].as_str();
    let call = match step["call"].as_str().unwrap() {
        "start" => Call::Start,
        "on-connect" => Call::OnConnect,
        "on-connect-error" => {
            let is = |why: &ConnectError| Some(why.name()) == with;
            Call::OnConnectError(ConnectError::ALL.into_iter().find(is).unwrap())
        }
        "on-disconnect" => {
            let is = |why: &Loss| Some(why.name()) == with;
            Call::OnDisconnect(Loss::ALL.into_iter().find(is).unwrap())
        }
        "on-saved" => Call::OnSaved(with.map_or(Ok(()), |why| Err(why.to_owned()))),
        "on-request" => Call::OnRequest(match with.unwrap().split_once(' ') {
            Some(("extend", by)) => Request::Extend(by.parse().unwrap()),
            _ if with == Some("hold") => Request::Hold,
            _ if with == Some("release") => Request::Release,
            _ => Request::CloseNow,
        }),
        "tick" => Call::Tick,
        other => panic!("{other}"),
    };
    let moment = Moment {
        due: step["due"].as_u64(),
        entropy: step["entropy"].as_str().map(|bits| bits.parse().unwrap()),
        settings: step["settings"].as_bool().map(|_| settings.clone()),
        scene: step["rendering"].as_bool().map(|rendering| Scene {
            modified: true,
            untitled: false,
            rendering,
        }),
        ..Moment::at(step["now"].as_u64().unwrap())
    };
    (call, moment)
}

fn connected() -> State {
    State {
        phase: Phase::Connected,
        seen: 0,
        memo: vec![],
    }
}

/// The answers to all of it.
fn decisions(policy: &Policy, cut_off: Option<u32>) -> Vec<Decision> {
    let mut state = connected();
    let decide = |(call, moment): (Call, Moment)| {
        let moment = Moment { cut_off, ..moment };
        let decision = policy.call(&call, &state, &moment).unwrap();
        state = decision.state.clone();
        decision
    };
    course().into_iter().map(decide).collect()
}

#[test]
fn what_was_shipped_decides_as_ever() {
    for name in SHIPPED {
        // Written by the wasmtime command, which knows no host.
        let file = root().join(format!("tests/policies/0.1/{name}.decisions"));
        let written = std::fs::read_to_string(file).unwrap();
        let found = decisions(&of_0_1(name), None);
        assert_eq!(found.len(), written.lines().count());
        for (number, (found, written)) in found.iter().zip(written.lines()).enumerate() {
            assert_eq!(wave::decision(found), written, "{name}, step {number}");
        }
    }
}

#[test]
fn what_0_1_does_not_know_it_is_not_told() {
    for name in SHIPPED {
        let policy = of_0_1(name);
        assert_eq!(decisions(&policy, Some(3)), decisions(&policy, None));
        assert_eq!(policy.identity().departs, Vec::<String>::new());
    }
    let patient = of_0_2("patient");
    assert_ne!(decisions(&patient, Some(3)), decisions(&patient, None));
    assert_eq!(patient.identity().departs, ["countdown"]);
}

#[test]
fn every_state_goes_through_both_and_comes_back_the_same() {
    let (old, new) = (of_0_1("five-minutes"), of_0_2("five-minutes"));
    let mut phases = 0;
    for decision in decisions(&of_0_1("render-guard"), None) {
        let mut state = decision.state;
        state.memo = b"of somebody else".to_vec();
        let moment = Moment {
            due: Some(state.seen),
            ..Moment::at(state.seen)
        };
        let through = |policy: &Policy, state: &State| {
            policy.call(&Call::Tick, state, &moment).unwrap().state
        };
        let (first, second) = (through(&old, &state), through(&new, &state));
        assert_eq!(first, second, "from {state:?}");
        assert_eq!(through(&new, &first), through(&old, &second));
        assert_eq!(first.memo, state.memo);
        phases += u32::from(state.phase != Phase::Connected);
    }
    assert!(phases > 80);
}

/// An outage without end, with the policies that are swapped in.
fn outage(policy: Policy, swaps: Vec<(u64, Policy)>) -> Timeline {
    let set = lifeline::settings::Settings::resolve(&Default::default(), &Default::default());
    let built_in = sandbox().load_embedded(&FIVE_MINUTES).unwrap();
    let mut scenario = Scenario::new(set.unwrap().core(), policy, built_in);
    scenario.swaps = swaps;
    play(&scenario)
}

#[test]
fn a_swap_from_0_1_to_0_2_and_back_moves_nothing() {
    let same = |it: &Entry| !matches!(it.what, What::Policy(_) | What::Attempt { .. });
    let course = |timeline: Timeline| -> Vec<Entry> {
        let entries = timeline.entries.into_iter();
        entries.filter(same).collect()
    };
    let alone = course(outage(of_0_1("five-minutes"), vec![]));
    let swapped = outage(
        of_0_1("five-minutes"),
        vec![
            (50 * SECOND, of_0_2("five-minutes")),
            (100 * SECOND, of_0_1("render-guard")),
            (200 * SECOND, of_0_2("render-guard")),
            (300 * SECOND, of_0_1("five-minutes")),
        ],
    );
    let policies = |it: &Entry| match &it.what {
        What::Policy(name) => Some(name.clone()),
        _ => None,
    };
    let names: Vec<String> = swapped.entries.iter().filter_map(policies).collect();
    assert_eq!(names.len(), 4, "{names:?}");
    assert_eq!(course(swapped), alone);
    assert!(alone.iter().any(|it| it.what == What::Closed), "{alone:?}");
}

#[test]
fn a_function_of_another_version_is_refused_though_the_interface_has_its_name() {
    let file = root().join("tests/policies/0.1/five-minutes.wasm");
    let bytes = std::fs::read(file).unwrap();
    let renamed = with_version(&bytes, "0.1.0", "0.2.0");
    match sandbox().load(&renamed) {
        Err(error @ LoadError::Describe(_)) => {
            let said = error.to_string();
            assert!(said.contains("type"), "{said}");
        }
        other => panic!("{other:?}"),
    }
    let newer = with_version(&bytes, "0.1.0", "0.3.0");
    assert_eq!(
        sandbox().load(&newer).unwrap_err().to_string(),
        "it speaks version 0.3.0 of the contract; this host takes 0.1.0 and 0.2.0"
    );
}

/// The component with another version in the names of its interfaces.
fn with_version(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let (from, to) = (format!("@{from}"), format!("@{to}"));
    let mut bytes = bytes.to_vec();
    let is_there = |window: &[u8]| window == from.as_bytes();
    while let Some(at) = bytes.windows(from.len()).position(is_there) {
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    bytes
}
