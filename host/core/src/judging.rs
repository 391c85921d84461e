//! Who decides: the current policy, under the guard, with the built-in one to fall back on.

use crate::Failure;
use crate::guard::{Guard, Violation};
use crate::host::{Host, Question, Who};
use crate::input::Origin;
use crate::output::Telling;
use lifeline_contract::Call;
use lifeline_contract::types::{Decision, Moment, State};

/// A policy that has failed this often is disabled until the next swap.
pub const FAILURES: u32 = 3;

/// What is held against the policy that decides.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Judging {
    origin: Origin,
    failures: u32,
    /// See [`Guard::must_end`].
    outage_limit: u64,
}

/// A decision, and what went wrong on the way to it.
pub(crate) struct Ruling {
    /// None: not even the built-in policy decided; nothing changes.
    pub decision: Option<Decision>,
    pub tellings: Vec<Telling>,
    /// How long it all took, in milliseconds.
    pub took: u64,
}

impl Judging {
    pub fn new(outage_limit: u64) -> Self {
        Judging {
            origin: Origin::BuiltIn,
            failures: 0,
            outage_limit,
        }
    }

    /// Another policy decides from now on, with a clean record.
    pub fn swap(&mut self, origin: Origin) {
        (self.origin, self.failures) = (origin, 0);
    }

    pub fn failures(&self) -> u32 {
        self.failures
    }

    pub fn is_disabled(&self) -> bool {
        self.failures >= FAILURES
    }

    pub fn decide(
        &mut self,
        host: &mut dyn Host,
        guard: &Guard,
        call: &Call,
        state: &State,
        moment: &Moment,
    ) -> Ruling {
        let mut tellings = Vec::new();
        let mut took = 0;
        let mut ask = |who, within: Option<u64>| {
            let answer = host.decide(&Question {
                who,
                call,
                state,
                moment,
            });
            took += answer.took;
            let decision = answer.decision.map_err(Failure::NoAnswer)?;
            guard.check(state, call, moment, &decision)?;
            if let Some(within) = within {
                guard.check_end(moment, &decision, within)?;
            }
            Ok(decision)
        };
        let mut decision = None;
        if !self.is_disabled() {
            let within = Some(self.outage_limit).filter(|_| self.origin != Origin::BuiltIn);
            match ask(Who::Current, within) {
                Ok(answer) => decision = Some(answer),
                Err(failure) => tellings.push(self.failed(call, failure)),
            }
        }
        if decision.is_none() {
            match ask(Who::BuiltIn, None) {
                Ok(answer) => decision = Some(answer),
                Err(failure) => tellings.push(Telling::BuiltInFailed(failure)),
            }
        }
        Ruling {
            decision,
            tellings,
            took,
        }
    }

    /// When the policy must have ended the outage; None for the built-in one, and while a person
    /// holds.
    pub fn must_end(&self, guard: &Guard) -> Option<u64> {
        let foreign = !self.is_disabled() && self.origin != Origin::BuiltIn && !guard.is_held();
        guard.must_end(self.outage_limit).filter(|_| foreign)
    }

    /// The outage has lasted for too long, though nobody holds it: the policy is disabled. None if it
    /// has not, or if it is the built-in one's doing.
    pub fn overdue(&mut self, guard: &Guard, now: u64) -> Option<Telling> {
        if now < self.must_end(guard)? {
            return None;
        }
        self.failures = FAILURES - 1;
        let failure = Violation::NeverEnds(self.outage_limit).into();
        Some(self.failed(&Call::Tick, failure))
    }

    fn failed(&mut self, call: &Call, failure: Failure) -> Telling {
        self.failures += 1;
        Telling::Rejected {
            call: call.name(),
            failure,
            failures: self.failures,
            disabled: self.is_disabled(),
        }
    }
}
