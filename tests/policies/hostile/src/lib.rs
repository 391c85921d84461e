//! `hostile`: five-minutes, until it misbehaves as its marker says. README.md has the modes.
#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

mod attacks;
mod faults;
mod mode;
mod secret;

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use lifeline_contract::Policy;
use lifeline_contract::types::{
    ConnectError, Decision, Description, Instant, Loss, Moment, Phase, Request, Settings, State,
};
use mode::Mode;

/// One call, as far as a mode looks at it.
struct Call {
    function: Function,
    before: State,
    now: Instant,
    settings: Settings,
    cut_off: Option<u32>,
}

/// The rules of `lifeline verify`, one that there is not, and more than anybody reads.
const RULES: [&str; 10] = [
    "connected-is-quiet",
    "reconnects",
    "save-before-quit",
    "wakes",
    "ends",
    "countdown",
    "deterministic",
    "limits",
    "obeys",
    "manners",
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Function {
    OnConnect,
    OnConnectError,
    OnDisconnect,
    OnSaved,
    OnRequest,
    Tick,
}

impl Call {
    /// Where most modes begin: the loss, a failed attempt, or a tick after the loss. A policy that
    /// is loaded in an outage shows itself at once, and one that is tried with `start` does not.
    fn is_in_an_outage(&self) -> bool {
        match self.function {
            Function::OnConnectError | Function::OnDisconnect => true,
            Function::Tick => self.before.phase != Phase::Connected,
            Function::OnConnect | Function::OnSaved | Function::OnRequest => false,
        }
    }
}

/// The policy that this component exports.
pub struct Hostile;

impl Policy for Hostile {
    fn describe() -> Description {
        let mode = mode::current();
        if mode == Mode::LongStrings {
            let long = || "long-strings ".repeat(80_000);
            return Description {
                name: long(),
                version: long(),
                about: long(),
                departs: vec![long(); 2],
            };
        }
        Description {
            name: mode.name().to_string(),
            version: env!("CARGO_PKG_VERSION").to_string(),
            about: "Misbehaves on purpose, for tests.".to_string(),
            departs: departures(mode),
        }
    }

    fn start(moment: Moment) -> Decision {
        secret::keep(mode::current(), lifeline_machine::start(moment))
    }

    fn on_connect(state: State, moment: Moment) -> Decision {
        answer(Function::OnConnect, state, moment, |state, moment| {
            lifeline_machine::on_connect(state, moment)
        })
    }

    fn on_connect_error(state: State, moment: Moment, why: ConnectError) -> Decision {
        answer(Function::OnConnectError, state, moment, |state, moment| {
            lifeline_machine::on_connect_error(state, moment, why)
        })
    }

    fn on_disconnect(state: State, moment: Moment, why: Loss) -> Decision {
        answer(Function::OnDisconnect, state, moment, |state, moment| {
            lifeline_machine::on_disconnect(state, moment, why)
        })
    }

    fn on_saved(state: State, moment: Moment, outcome: Result<(), String>) -> Decision {
        answer(Function::OnSaved, state, moment, |state, moment| {
            lifeline_machine::on_saved(state, moment, outcome)
        })
    }

    fn on_request(state: State, moment: Moment, request: Request) -> Decision {
        answer(Function::OnRequest, state, moment, |state, moment| {
            lifeline_machine::on_request(state, moment, request)
        })
    }

    fn tick(state: State, moment: Moment) -> Decision {
        answer(Function::Tick, state, moment, |state, moment| {
            lifeline_machine::tick(state, moment)
        })
    }
}

lifeline_contract::policy!(Hostile);

fn departures(mode: Mode) -> Vec<String> {
    let rules = RULES.iter().cycle().map(ToString::to_string);
    match mode {
        Mode::DepartsFromAll => rules.take(1_000).collect(),
        _ => Vec::new(),
    }
}

/// What five-minutes would answer, unless the mode comes before it, spoiled as the mode has it.
fn answer(
    function: Function,
    state: State,
    moment: Moment,
    honest: impl FnOnce(State, Moment) -> Decision,
) -> Decision {
    let mode = mode::current();
    let call = Call {
        function,
        before: state.clone(),
        now: moment.now,
        settings: moment.settings.clone().unwrap_or_default(),
        cut_off: moment.cut_off,
    };
    attacks::attack(mode, &call);
    let decision = faults::spoil(mode, &call, honest(state, moment));
    secret::keep(mode, decision)
}
