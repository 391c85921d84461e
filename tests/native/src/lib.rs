//! The default policy's machine, compiled for this computer instead of the sandbox.
//!
//! It speaks the host's types, so whatever takes a [`Decide`] takes it in the place of a component.

mod to_guest;
mod to_host;

use lifeline::contract::{Decision, Moment, State};
use lifeline::sandbox::{Call, CallError};
use lifeline::simulate::Decide;
use lifeline_machine as machine;

/// The machine of `five-minutes`. It never fails.
#[derive(Clone, Copy, Debug, Default)]
pub struct Machine;

impl Machine {
    /// One call.
    pub fn call(self, call: &Call, state: &State, moment: &Moment) -> Decision {
        let (now, state) = (to_guest::moment(moment), to_guest::state(state));
        to_host::decision(match call {
            Call::Start => machine::start(now),
            Call::OnConnect => machine::on_connect(state, now),
            Call::OnConnectError(why) => {
                machine::on_connect_error(state, now, to_guest::connect_error(*why))
            }
            Call::OnDisconnect(why) => machine::on_disconnect(state, now, to_guest::loss(*why)),
            Call::OnSaved(outcome) => machine::on_saved(state, now, outcome.clone()),
            Call::OnRequest(request) => machine::on_request(state, now, to_guest::request(request)),
            Call::Tick => machine::tick(state, now),
        })
    }
}

impl Decide for Machine {
    fn decide(&self, call: &Call, state: &State, moment: &Moment) -> Result<Decision, CallError> {
        Ok(self.call(call, state, moment))
    }
}
