//! Who decides: the current policy, under the guard, with the built-in one to fall back on.

use crate::contract::{Decision, Moment, State};
use crate::guard::{Guard, Violation};
use crate::sandbox::{
    Cache, Call, CallError, FIVE_MINUTES, Identity, Limits, LoadError, Policy, Sandbox,
};
use crate::status::PolicyStatus;
use thiserror::Error;

/// A policy that has failed this often is set aside until the next swap.
const FAILURES: u32 = 3;

/// Why a policy's answer was not taken.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum Failure {
    /// It gave none.
    #[error(transparent)]
    Call(#[from] CallError),
    /// It broke a rule.
    #[error(transparent)]
    Violation(#[from] Violation),
}

/// A decision, and what went wrong on the way to it.
pub(super) struct Verdict {
    /// None: not even the built-in policy decided; nothing changes.
    pub decision: Option<Decision>,
    /// Sentences for the log.
    pub complaints: Vec<String>,
}

/// Keeps the policies.
pub(super) struct Judge {
    sandbox: Sandbox,
    built_in: Policy,
    current: Policy,
    origin: String,
    failures: u32,
    last_failure: Option<String>,
}

impl Judge {
    pub fn new(limits: Limits, cache: Option<Cache>) -> Result<Self, LoadError> {
        let sandbox = Sandbox::new(limits, cache)?;
        let built_in = sandbox.load(FIVE_MINUTES)?;
        Ok(Judge {
            sandbox,
            current: built_in.clone(),
            built_in,
            origin: "built-in".into(),
            failures: 0,
            last_failure: None,
        })
    }

    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// Another policy decides from now on, with a clean record.
    pub fn swap(&mut self, policy: Policy, origin: String) {
        self.current = policy;
        self.origin = origin;
        self.failures = 0;
        self.last_failure = None;
    }

    pub fn identity(&self) -> &Identity {
        self.current.identity()
    }

    pub fn decide(
        &mut self,
        guard: &Guard,
        call: &Call,
        state: &State,
        moment: &Moment,
    ) -> Verdict {
        let mut complaints = Vec::new();
        if self.failures < FAILURES {
            match ask(&self.current, guard, call, state, moment) {
                Ok(decision) => {
                    return Verdict {
                        decision: Some(decision),
                        complaints,
                    };
                }
                Err(failure) => complaints.push(self.failed(call, &failure)),
            }
        }
        let decision = match ask(&self.built_in, guard, call, state, moment) {
            Ok(decision) => Some(decision),
            Err(failure) => {
                complaints.push(format!("The built-in policy failed too: {failure}"));
                None
            }
        };
        Verdict {
            decision,
            complaints,
        }
    }

    fn failed(&mut self, call: &Call, failure: &Failure) -> String {
        self.failures += 1;
        let text = format!("{}: {failure}", call.name());
        self.last_failure = Some(text.clone());
        let what_next = if self.failures < FAILURES {
            "the built-in five-minutes policy decides instead, this time"
        } else {
            "it is set aside, and five-minutes decides until another policy is swapped in"
        };
        format!(
            "Policy {} failed in {text}; {what_next}",
            self.current.identity()
        )
    }

    pub fn status(&self) -> PolicyStatus {
        let identity = self.current.identity();
        PolicyStatus {
            name: identity.name.clone(),
            version: identity.version.clone(),
            about: identity.about.clone(),
            sha256: identity.sha256.clone(),
            origin: self.origin.clone(),
            failures: self.failures,
            set_aside: self.failures >= FAILURES,
            last_failure: self.last_failure.clone(),
        }
    }
}

fn ask(
    policy: &Policy,
    guard: &Guard,
    call: &Call,
    state: &State,
    moment: &Moment,
) -> Result<Decision, Failure> {
    let decision = policy.call(call, state, moment)?;
    guard.check(state, call, moment, &decision)?;
    Ok(decision)
}
