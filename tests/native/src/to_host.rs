//! From the machine's types to the host's.

use lifeline::contract as host;
use lifeline_machine::contract as guest;

pub fn decision(it: guest::Decision) -> host::Decision {
    host::Decision {
        state: host::State {
            phase: phase(it.state.phase),
            seen: it.state.seen,
            memo: it.state.memo,
        },
        actions: it.actions.into_iter().map(action).collect(),
        wake_at: it.wake_at,
    }
}

fn action(it: guest::Action) -> host::Action {
    match it {
        guest::Action::Connect => host::Action::Connect,
        guest::Action::Warn(left) => host::Action::Warn(left),
        guest::Action::Save(it) => host::Action::Save(place(it)),
        guest::Action::Quit => host::Action::Quit,
    }
}

fn place(it: guest::Place) -> host::Place {
    match it {
        guest::Place::InPlace => host::Place::InPlace,
        guest::Place::Recovery => host::Place::Recovery,
    }
}

fn phase(it: guest::Phase) -> host::Phase {
    match it {
        guest::Phase::Connected => host::Phase::Connected,
        guest::Phase::Reconnecting(it) => host::Phase::Reconnecting(outage(it)),
        guest::Phase::CountingDown(it) => host::Phase::CountingDown(host::Countdown {
            outage: outage(it.outage),
            deadline: it.deadline,
            warned: it.warned,
        }),
        guest::Phase::Saving(it) => host::Phase::Saving(host::Saving {
            outage: outage(it.outage),
            place: place(it.place),
            since: it.since,
        }),
        guest::Phase::Quitting(it) => host::Phase::Quitting(outage(it)),
        guest::Phase::Held(it) => host::Phase::Held(outage(it)),
    }
}

fn outage(it: guest::Outage) -> host::Outage {
    host::Outage {
        lost_at: it.lost_at,
        why: match it.why {
            guest::Loss::NeverConnected => host::Loss::NeverConnected,
            guest::Loss::TransportError => host::Loss::TransportError,
            guest::Loss::PingTimeout => host::Loss::PingTimeout,
            guest::Loss::ServerDisconnect => host::Loss::ServerDisconnect,
        },
        attempts: it.attempts,
        attempt: match it.attempt {
            guest::Attempt::Due(at) => host::Attempt::Due(at),
            guest::Attempt::UnderWay(until) => host::Attempt::UnderWay(until),
        },
        extended: it.extended,
    }
}
