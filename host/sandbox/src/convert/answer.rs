//! What a component has answered.

use crate::bindings::exports::cr8::lifeline::types as wasm;
use lifeline_contract::types as native;

pub fn decision(it: wasm::Decision) -> native::Decision {
    native::Decision {
        state: native::State {
            phase: phase(it.state.phase),
            seen: it.state.seen,
            memo: it.state.memo,
        },
        actions: it.actions.into_iter().map(action).collect(),
        wake_at: it.wake_at,
    }
}

pub fn description(it: wasm::Description) -> native::Description {
    native::Description {
        name: it.name,
        version: it.version,
        about: it.about,
        departs: it.departs,
    }
}

fn action(it: wasm::Action) -> native::Action {
    match it {
        wasm::Action::Connect => native::Action::Connect,
        wasm::Action::Warn(left) => native::Action::Warn(left),
        wasm::Action::Save(it) => native::Action::Save(place(it)),
        wasm::Action::Quit => native::Action::Quit,
    }
}

fn place(it: wasm::Place) -> native::Place {
    match it {
        wasm::Place::InPlace => native::Place::InPlace,
        wasm::Place::Recovery => native::Place::Recovery,
    }
}

fn phase(it: wasm::Phase) -> native::Phase {
    match it {
        wasm::Phase::Connected => native::Phase::Connected,
        wasm::Phase::Reconnecting(it) => native::Phase::Reconnecting(outage(it)),
        wasm::Phase::CountingDown(it) => native::Phase::CountingDown(native::Countdown {
            outage: outage(it.outage),
            deadline: it.deadline,
            warned: it.warned,
        }),
        wasm::Phase::Saving(it) => native::Phase::Saving(native::Saving {
            outage: outage(it.outage),
            place: place(it.place),
            since: it.since,
        }),
        wasm::Phase::Quitting(it) => native::Phase::Quitting(outage(it)),
        wasm::Phase::Held(it) => native::Phase::Held(outage(it)),
    }
}

fn outage(it: wasm::Outage) -> native::Outage {
    native::Outage {
        lost_at: it.lost_at,
        why: match it.why {
            wasm::Loss::NeverConnected => native::Loss::NeverConnected,
            wasm::Loss::TransportError => native::Loss::TransportError,
            wasm::Loss::PingTimeout => native::Loss::PingTimeout,
            wasm::Loss::ServerDisconnect => native::Loss::ServerDisconnect,
        },
        attempts: it.attempts,
        attempt: match it.attempt {
            wasm::Attempt::Due(at) => native::Attempt::Due(at),
            wasm::Attempt::UnderWay(until) => native::Attempt::UnderWay(until),
        },
        extended: it.extended,
    }
}
