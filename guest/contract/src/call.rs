//! A call of one of the contract's functions, as a value; and what takes one.

use crate::Policy;
use crate::types::{ConnectError, Decision, Loss, Moment, Request, State};
use alloc::string::String;

/// One of the contract's functions that decide, with its arguments but for state and moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// `start`
    Start,
    /// `on-connect`
    OnConnect,
    /// `on-connect-error`
    OnConnectError(ConnectError),
    /// `on-disconnect`
    OnDisconnect(Loss),
    /// `on-saved`
    OnSaved(Result<(), String>),
    /// `on-request`
    OnRequest(Request),
    /// `tick`
    Tick,
}

impl Call {
    /// The contract's name of the function.
    pub fn name(&self) -> &'static str {
        match self {
            Call::Start => "start",
            Call::OnConnect => "on-connect",
            Call::OnConnectError(_) => "on-connect-error",
            Call::OnDisconnect(_) => "on-disconnect",
            Call::OnSaved(_) => "on-saved",
            Call::OnRequest(_) => "on-request",
            Call::Tick => "tick",
        }
    }

    /// Makes the call of a policy that is compiled into this program. `start` ignores the state.
    pub fn of<P: Policy>(&self, state: &State, moment: &Moment) -> Decision {
        let (state, moment) = (state.clone(), moment.clone());
        match self {
            Call::Start => P::start(moment),
            Call::OnConnect => P::on_connect(state, moment),
            Call::OnConnectError(why) => P::on_connect_error(state, moment, *why),
            Call::OnDisconnect(why) => P::on_disconnect(state, moment, *why),
            Call::OnSaved(outcome) => P::on_saved(state, moment, outcome.clone()),
            Call::OnRequest(request) => P::on_request(state, moment, *request),
            Call::Tick => P::tick(state, moment),
        }
    }
}

/// What decides: a policy, or what stands in for one.
pub trait Decide {
    /// One call. Err: why there is no decision, in a sentence.
    fn decide(&self, call: &Call, state: &State, moment: &Moment) -> Result<Decision, String>;
}

impl<F> Decide for F
where
    F: Fn(&Call, &State, &Moment) -> Result<Decision, String>,
{
    fn decide(&self, call: &Call, state: &State, moment: &Moment) -> Result<Decision, String> {
        self(call, state, moment)
    }
}
