//! What is asked for decisions.

use crate::contract::{Decision, Moment, State};
use crate::sandbox::{Call, CallError, Policy};

/// A policy, or what stands in for one.
pub trait Decide {
    /// One call.
    fn decide(&self, call: &Call, state: &State, moment: &Moment) -> Result<Decision, CallError>;
}

impl Decide for Policy {
    fn decide(&self, call: &Call, state: &State, moment: &Moment) -> Result<Decision, CallError> {
        self.call(call, state, moment)
    }
}

impl<F> Decide for F
where
    F: Fn(&Call, &State, &Moment) -> Result<Decision, CallError>,
{
    fn decide(&self, call: &Call, state: &State, moment: &Moment) -> Result<Decision, CallError> {
        self(call, state, moment)
    }
}
