//! The machine on this computer, the component under wasmtime, and the one of version 0.1 of the contract
//! as it was shipped: equal decisions, always.
#![no_main]
#![allow(clippy::expect_used)] // a panic is what a fuzz target finds

use libfuzzer_sys::fuzz_target;
use lifeline::Call;
use lifeline::contract::{Decision, Moment, State};
use lifeline_fuzz::course::{Client, Course};
use lifeline_fuzz::value::Any;
use lifeline_machine::Machine;
use lifeline_sandbox::{Compiling, Limits, Policy, Sandbox};
use std::sync::LazyLock;

/// As it was shipped.
const OLDER: &[u8] = include_bytes!("../../policies/0.1/five-minutes.wasm");

/// The embedded component and the older one, compiled once.
static COMPONENTS: LazyLock<[Policy; 2]> = LazyLock::new(|| {
    let sandbox = Sandbox::new(Limits::default(), None, Compiling::Here).expect("a sandbox");
    let embedded = sandbox.load_embedded(&lifeline::FIVE_MINUTES);
    let older = sandbox.load(OLDER);
    [embedded, older].map(|it| it.expect("a policy"))
});

/// All answers, which are one.
fn all(call: &Call, state: &State, moment: &Moment) -> Decision {
    let native = call.of::<Machine<()>>(state, moment);
    for component in &*COMPONENTS {
        let answer = component.call(call, state, moment).expect("an answer");
        let contract = component.contract();
        assert_eq!(
            native, answer,
            "{contract}: {call:?} from {state:?} at {moment:?}"
        );
    }
    native
}

fuzz_target!(|input: (Course, Option<Any>)| {
    let (course, any) = input;
    let mut client = Client::new(&course);
    let (call, moment) = client.start();
    let decision = all(&call, &client.state, &moment);
    client.follows(&decision);
    for event in &course.events {
        let (call, moment) = client.happens(event);
        let decision = all(&call, &client.state, &moment);
        client.follows(&decision);
    }
    if let Some(Any {
        call,
        state,
        moment,
    }) = &any
    {
        all(call, state, moment);
    }
});
