//! Many calls in one instance, for simulations: a fresh one for each call takes several times as long.
//!
//! In Blender each call has an instance of its own, so that a policy can keep nothing outside its
//! state. Here one could. So every so many-th call is repeated in a fresh instance, and a policy that
//! decides otherwise there is found out.

use crate::budget::Budget;
use crate::error::CallError;
use crate::policy::Policy;
use lifeline_contract::Call;
use lifeline_contract::types::{Decision, Moment, State};
use wasmtime::Store;
use wasmtime::component::Instance;

/// The first call, and each one so many calls later, is repeated. No multiple of what a client does
/// in turn, so that each kind of call comes to it.
const COMPARE_EVERY: u64 = 499;

/// An instance that is called again and again.
pub struct Warm {
    policy: Policy,
    store: Store<Budget>,
    instance: Instance,
    calls: u64,
}

impl Policy {
    /// An instance for many calls. It takes one of the few places for instances until it is dropped.
    pub fn warm(&self) -> Result<Warm, CallError> {
        let mut store = self.store();
        Ok(Warm {
            instance: self.instantiate(&mut store)?,
            policy: self.clone(),
            store,
            calls: 0,
        })
    }
}

impl Warm {
    /// One call. `state` is ignored by `start`.
    pub fn call(
        &mut self,
        call: &Call,
        state: &State,
        moment: &Moment,
    ) -> Result<Decision, CallError> {
        let compared = self.calls.is_multiple_of(COMPARE_EVERY);
        self.calls += 1;
        let Warm {
            policy,
            store,
            instance,
            ..
        } = self;
        let answer = policy.enter(instance, store, call, state, moment);
        match answer {
            Ok(decision) if compared => match policy.call(call, state, moment)? {
                fresh if fresh == decision => Ok(decision),
                _ => Err(CallError::Remembers),
            },
            Ok(decision) => Ok(decision),
            // An instance that has failed cannot be entered again. It may have failed only because it
            // is not a fresh one: memory that was never given back.
            Err(_) => {
                let decision = policy.call(call, state, moment)?;
                self.renew()?;
                Ok(decision)
            }
        }
    }

    fn renew(&mut self) -> Result<(), CallError> {
        // Both or none: an instance is of one store.
        let mut store = self.policy.store();
        self.instance = self.policy.instantiate(&mut store)?;
        self.store = store;
        Ok(())
    }
}
