//! A policy that answers anything: what the guard lets through keeps the rules, and there is always
//! somebody to decide.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lifeline::Call;
use lifeline::contract::{Action, Decision, Moment, Phase};
use lifeline_core::guard::Guard;
use lifeline_fuzz::course::Client;
use lifeline_fuzz::puppet::{Answer, Play, Witness};
use lifeline_machine::Machine;

fuzz_target!(|play: Play| {
    let mut client = Client::new(&play.course);
    let mut guard = Guard::new(
        play.floor.into(),
        play.unsaved_wait.into(),
        play.course.begin,
    );
    let mut witness = Witness::new(&play);
    let mut answers = play.answers.iter();
    let (call, moment) = client.start();
    let mut next = Some((call, moment));
    let mut events = play.course.events.iter();
    while let Some((call, moment)) = next {
        if let Some(late) = moment.due.and_then(|due| moment.now.checked_sub(due))
            && late > 1_000
        {
            guard.slept(late);
        }
        tell(&mut guard, &call, moment.now);
        witness.hears(&call, moment.now);
        let answer = answers.next().unwrap_or(&Answer::Right);
        let decision = decide(&guard, answer, &client, &call, &moment, play.outage_limit);
        witness.sees(&decision, moment.now);
        client.follows(&decision);
        guard.entered(&decision.state.phase);
        if decision
            .actions
            .iter()
            .any(|it| matches!(it, Action::Save(_)))
        {
            guard.policy_saves();
        }
        if matches!(client.state.phase, Phase::Quitting(_))
            && guard.quit_from().is_some_and(|from| client.now >= from)
        {
            witness.closes(client.now);
            return;
        }
        next = events.next().map(|event| client.happens(event));
    }
});

/// As the driver does before it asks for a decision.
fn tell(guard: &mut Guard, call: &Call, now: u64) {
    match call {
        Call::OnConnect => guard.connected(),
        Call::OnDisconnect(_) => guard.lost(now),
        Call::OnSaved(outcome) => guard.save_answered(outcome.is_ok(), now),
        Call::OnRequest(request) => guard.requested(request, now),
        Call::Start | Call::OnConnectError(_) | Call::Tick => {}
    }
}

/// The puppet's decision, or, if the guard drops it, the built-in policy's, which it never drops.
fn decide(
    guard: &Guard,
    answer: &Answer,
    client: &Client,
    call: &Call,
    moment: &Moment,
    outage_limit: u32,
) -> Decision {
    let state = &client.state;
    let given = answer.give(call, state, moment);
    let taken = given.ok().filter(|decision| {
        guard.check(state, call, moment, decision).is_ok()
            && guard
                .check_end(moment, decision, outage_limit.into())
                .is_ok()
    });
    taken.unwrap_or_else(|| {
        let decision = call.of::<Machine<()>>(state, moment);
        if let Err(violation) = guard.check(state, call, moment, &decision) {
            panic!("nobody decides: {violation}: {call:?} from {state:?} gives {decision:?}");
        }
        decision
    })
}
