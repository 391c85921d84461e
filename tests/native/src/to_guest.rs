//! From the host's types to the machine's. Both are generated from `wit/policy.wit`.

use lifeline::contract as host;
use lifeline_machine::contract as guest;

pub fn moment(it: &host::Moment) -> guest::Moment {
    guest::Moment {
        now: it.now,
        due: it.due,
        entropy: it.entropy,
        settings: it.settings.as_ref().map(settings),
        scene: it.scene.map(|it| guest::Scene {
            modified: it.modified,
            untitled: it.untitled,
            rendering: it.rendering,
        }),
    }
}

fn settings(it: &host::Settings) -> guest::Settings {
    guest::Settings {
        retry_attempts: it.retry_attempts,
        retry_delay: it.retry_delay,
        retry_delay_max: it.retry_delay_max,
        retry_jitter: it.retry_jitter,
        connect_timeout: it.connect_timeout,
        cleanup_timeout: it.cleanup_timeout,
        warn_before: it.warn_before.clone(),
        render_wait: it.render_wait,
    }
}

pub fn state(it: &host::State) -> guest::State {
    guest::State {
        phase: phase(&it.phase),
        seen: it.seen,
        memo: it.memo.clone(),
    }
}

fn phase(it: &host::Phase) -> guest::Phase {
    match it {
        host::Phase::Connected => guest::Phase::Connected,
        host::Phase::Reconnecting(it) => guest::Phase::Reconnecting(outage(it)),
        host::Phase::CountingDown(it) => guest::Phase::CountingDown(guest::Countdown {
            outage: outage(&it.outage),
            deadline: it.deadline,
            warned: it.warned,
        }),
        host::Phase::Saving(it) => guest::Phase::Saving(guest::Saving {
            outage: outage(&it.outage),
            place: match it.place {
                host::Place::InPlace => guest::Place::InPlace,
                host::Place::Recovery => guest::Place::Recovery,
            },
            since: it.since,
        }),
        host::Phase::Quitting(it) => guest::Phase::Quitting(outage(it)),
        host::Phase::Held(it) => guest::Phase::Held(outage(it)),
    }
}

fn outage(it: &host::Outage) -> guest::Outage {
    guest::Outage {
        lost_at: it.lost_at,
        why: loss(it.why),
        attempts: it.attempts,
        attempt: match it.attempt {
            host::Attempt::Due(at) => guest::Attempt::Due(at),
            host::Attempt::UnderWay(until) => guest::Attempt::UnderWay(until),
        },
        extended: it.extended,
    }
}

pub fn loss(it: host::Loss) -> guest::Loss {
    match it {
        host::Loss::NeverConnected => guest::Loss::NeverConnected,
        host::Loss::TransportError => guest::Loss::TransportError,
        host::Loss::PingTimeout => guest::Loss::PingTimeout,
        host::Loss::ServerDisconnect => guest::Loss::ServerDisconnect,
    }
}

pub fn connect_error(it: host::ConnectError) -> guest::ConnectError {
    match it {
        host::ConnectError::Unreachable => guest::ConnectError::Unreachable,
        host::ConnectError::TimedOut => guest::ConnectError::TimedOut,
        host::ConnectError::Refused => guest::ConnectError::Refused,
    }
}

pub fn request(it: &host::Request) -> guest::Request {
    match it {
        host::Request::Hold => guest::Request::Hold,
        host::Request::Extend(by) => guest::Request::Extend(*by),
        host::Request::Release => guest::Request::Release,
        host::Request::CloseNow => guest::Request::CloseNow,
    }
}
