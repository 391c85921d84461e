//! What a component is given.

use crate::bindings::exports::cr8::lifeline::types as wasm;
use lifeline_contract::types as native;

pub fn moment(it: &native::Moment) -> wasm::Moment {
    wasm::Moment {
        now: it.now,
        due: it.due,
        entropy: it.entropy,
        settings: it.settings.as_ref().map(settings),
        scene: it.scene.map(|it| wasm::Scene {
            modified: it.modified,
            untitled: it.untitled,
            rendering: it.rendering,
        }),
        cut_off: it.cut_off,
    }
}

fn settings(it: &native::Settings) -> wasm::Settings {
    wasm::Settings {
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

pub fn state(it: &native::State) -> wasm::State {
    wasm::State {
        phase: phase(&it.phase),
        seen: it.seen,
        memo: it.memo.clone(),
    }
}

fn phase(it: &native::Phase) -> wasm::Phase {
    match it {
        native::Phase::Connected => wasm::Phase::Connected,
        native::Phase::Reconnecting(it) => wasm::Phase::Reconnecting(outage(it)),
        native::Phase::CountingDown(it) => wasm::Phase::CountingDown(wasm::Countdown {
            outage: outage(&it.outage),
            deadline: it.deadline,
            warned: it.warned,
        }),
        native::Phase::Saving(it) => wasm::Phase::Saving(wasm::Saving {
            outage: outage(&it.outage),
            place: match it.place {
                native::Place::InPlace => wasm::Place::InPlace,
                native::Place::Recovery => wasm::Place::Recovery,
            },
            since: it.since,
        }),
        native::Phase::Quitting(it) => wasm::Phase::Quitting(outage(it)),
        native::Phase::Held(it) => wasm::Phase::Held(outage(it)),
    }
}

fn outage(it: &native::Outage) -> wasm::Outage {
    wasm::Outage {
        lost_at: it.lost_at,
        why: loss(it.why),
        attempts: it.attempts,
        attempt: match it.attempt {
            native::Attempt::Due(at) => wasm::Attempt::Due(at),
            native::Attempt::UnderWay(until) => wasm::Attempt::UnderWay(until),
        },
        extended: it.extended,
    }
}

pub fn loss(it: native::Loss) -> wasm::Loss {
    match it {
        native::Loss::NeverConnected => wasm::Loss::NeverConnected,
        native::Loss::TransportError => wasm::Loss::TransportError,
        native::Loss::PingTimeout => wasm::Loss::PingTimeout,
        native::Loss::ServerDisconnect => wasm::Loss::ServerDisconnect,
    }
}

pub fn connect_error(it: native::ConnectError) -> wasm::ConnectError {
    match it {
        native::ConnectError::Unreachable => wasm::ConnectError::Unreachable,
        native::ConnectError::TimedOut => wasm::ConnectError::TimedOut,
        native::ConnectError::Refused => wasm::ConnectError::Refused,
    }
}

pub fn request(it: native::Request) -> wasm::Request {
    match it {
        native::Request::Hold => wasm::Request::Hold,
        native::Request::Extend(by) => wasm::Request::Extend(by),
        native::Request::Release => wasm::Request::Release,
        native::Request::CloseNow => wasm::Request::CloseNow,
    }
}
