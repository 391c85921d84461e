//! The default policy's machine, through any course of events, and from any state at all.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lifeline::contract::{Action, Phase};
use lifeline_fuzz::course::{Client, Course};
use lifeline_fuzz::{Arbitrary, Result, Unstructured, intent, value};
use lifeline_machine::Machine;

#[derive(Debug)]
enum Input {
    /// From the start, as a host would lead it.
    Course(Course),
    /// From a state that another policy may have left.
    Anywhere(Box<value::Any>),
}

impl<'a> Arbitrary<'a> for Input {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(if u.ratio(3, 4)? {
            Input::Course(u.arbitrary()?)
        } else {
            Input::Anywhere(u.arbitrary()?)
        })
    }
}

fuzz_target!(|input: Input| match input {
    Input::Course(course) => run(&course),
    Input::Anywhere(any) => {
        let decision = any.call.of::<Machine<()>>(&any.state, &any.moment);
        assert_eq!(decision.state.seen, any.moment.now);
        let saving = matches!(decision.state.phase, Phase::Saving(_));
        for action in &decision.actions {
            assert!(saving || !matches!(action, Action::Save(_)), "{decision:?}");
        }
        let connected = decision.state.phase == Phase::Connected;
        assert_eq!(connected, decision.wake_at.is_none(), "{decision:?}");
    }
});

fn run(course: &Course) {
    let mut client = Client::new(course);
    let (call, moment) = client.start();
    let decision = call.of::<Machine<()>>(&client.state, &moment);
    client.follows(&decision);
    for event in &course.events {
        let before = client.state.clone();
        let (call, moment) = client.happens(event);
        let decision = call.of::<Machine<()>>(&before, &moment);
        intent::check(&before, &call, &moment, &decision, client.connected);
        client.follows(&decision);
    }
}
