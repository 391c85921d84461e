//! The machine on this computer and the component under wasmtime: equal decisions, always.
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

/// The embedded component, compiled once.
static COMPONENT: LazyLock<Policy> = LazyLock::new(|| {
    let sandbox = Sandbox::new(Limits::default(), None, Compiling::Here).expect("a sandbox");
    sandbox
        .load_embedded(&lifeline::FIVE_MINUTES)
        .expect("the built-in policy")
});

/// Both answers, which are one.
fn both(call: &Call, state: &State, moment: &Moment) -> Decision {
    let native = call.of::<Machine<()>>(state, moment);
    let component = COMPONENT.call(call, state, moment).expect("an answer");
    assert_eq!(native, component, "{call:?} from {state:?} at {moment:?}");
    native
}

fuzz_target!(|input: (Course, Option<Any>)| {
    let (course, any) = input;
    let mut client = Client::new(&course);
    let (call, moment) = client.start();
    let decision = both(&call, &client.state, &moment);
    client.follows(&decision);
    for event in &course.events {
        let (call, moment) = client.happens(event);
        let decision = both(&call, &client.state, &moment);
        client.follows(&decision);
    }
    if let Some(Any {
        call,
        state,
        moment,
    }) = &any
    {
        both(call, state, moment);
    }
});
