//! Who decides: the current policy, under the guard, with the built-in one to fall back on.

use crate::contract::{Decision, Moment, State};
use crate::event::LogLine;
use crate::reload::SERVER;
use crate::sandbox::{Identity, LoadError, Policy, Sandbox};
use crate::settings::Settings;
use crate::status::{PolicyStatus, Refused};
use crate::{Call, Decide};
use lifeline_core::Failure;
use lifeline_core::guard::{Guard, Violation};

/// A policy that has failed this often is set aside until the next swap.
const FAILURES: u32 = 3;

/// A decision, and what went wrong on the way to it.
pub(super) struct Verdict {
    /// None: not even the built-in policy decided; nothing changes.
    pub decision: Option<Decision>,
    /// The answer of the current policy that was dropped.
    pub overruled: Option<Overruled>,
    /// For the log.
    pub complaints: Vec<LogLine>,
}

/// An answer that was dropped.
pub(super) struct Overruled {
    /// With the function's name.
    pub reason: String,
    /// For the last time.
    pub set_aside: bool,
    /// It was the server's.
    pub pushed: bool,
}

/// Keeps the policies.
pub(super) struct Judge {
    sandbox: Sandbox,
    built_in: Policy,
    current: Policy,
    origin: String,
    failures: u32,
    last_failure: Option<String>,
    refused: Option<Refused>,
    /// See [`Guard::must_end`].
    outage_limit: u64,
}

/// Of a policy that was compiled into the library.
const BUILT_IN: &str = "built-in";

impl Judge {
    pub fn new(settings: &Settings) -> Result<Self, LoadError> {
        let sandbox = Sandbox::new(settings.policy.limits, settings.policy.cache.clone())?;
        let built_in = sandbox.built_in()?;
        Ok(Judge::with(sandbox, built_in, settings))
    }

    /// What is compiled already.
    pub fn with(sandbox: Sandbox, built_in: Policy, settings: &Settings) -> Self {
        Judge {
            sandbox,
            current: built_in.clone(),
            built_in,
            origin: BUILT_IN.into(),
            failures: 0,
            last_failure: None,
            refused: None,
            outage_limit: settings.outage_limit,
        }
    }

    pub fn built_in(&self) -> &Policy {
        &self.built_in
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
        self.refused = None;
    }

    pub fn back_to_built_in(&mut self) {
        self.swap(self.built_in.clone(), BUILT_IN.into());
    }

    /// Another policy was not taken. True: the same as the last time.
    pub fn refuse(&mut self, refused: Refused) -> bool {
        let same = self.refused.as_ref().is_some_and(|it| it.is_like(&refused));
        self.refused = Some(refused);
        same
    }

    /// What was not taken last is not there any more.
    pub fn mended(&mut self) {
        self.refused = None;
    }

    /// Whether this is the one that decides, from there.
    pub fn decides(&self, identity: &Identity, origin: &str) -> bool {
        self.current.identity() == identity && self.origin == origin
    }

    pub fn origin(&self) -> &str {
        &self.origin
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
        let mut overruled = None;
        if self.failures < FAILURES {
            let answer = ask(&self.current, guard, call, state, moment).and_then(|decision| {
                if self.origin != BUILT_IN {
                    guard.check_end(moment, &decision, self.outage_limit)?;
                }
                Ok(decision)
            });
            match answer {
                Ok(decision) => {
                    return Verdict {
                        decision: Some(decision),
                        overruled,
                        complaints,
                    };
                }
                Err(failure) => {
                    let failed = self.failed(call, &failure);
                    complaints.push(self.complaint(&failed));
                    overruled = Some(failed);
                }
            }
        }
        let decision = match ask(&self.built_in, guard, call, state, moment) {
            Ok(decision) => Some(decision),
            Err(failure) => {
                let message = format!("The built-in policy failed too: {failure}");
                let line = LogLine::error("built-in-policy-failed", message);
                complaints.push(line.with("reason", failure.to_string()));
                None
            }
        };
        Verdict {
            decision,
            overruled,
            complaints,
        }
    }

    /// When the policy must have ended the outage; None for the built-in one, and while a person holds.
    pub fn must_end(&self, guard: &Guard) -> Option<u64> {
        let foreign = self.failures < FAILURES && self.origin != BUILT_IN && !guard.is_held();
        guard.must_end(self.outage_limit).filter(|_| foreign)
    }

    /// The outage has lasted for too long, though nobody holds it: the built-in policy ends it. None
    /// if it has not, or if it is the built-in one's doing.
    pub fn overdue(&mut self, guard: &Guard, now: u64) -> Option<(Overruled, LogLine)> {
        if now < self.must_end(guard)? {
            return None;
        }
        self.failures = FAILURES - 1;
        let failure = Violation::NeverEnds(self.outage_limit);
        let failed = self.failed(&Call::Tick, &failure.into());
        let complaint = self.complaint(&failed);
        Some((failed, complaint))
    }

    fn failed(&mut self, call: &Call, failure: &Failure) -> Overruled {
        self.failures += 1;
        let reason = format!("{}: {failure}", call.name());
        self.last_failure = Some(reason.clone());
        Overruled {
            reason,
            set_aside: self.failures >= FAILURES,
            pushed: self.origin == SERVER,
        }
    }

    fn complaint(&self, overruled: &Overruled) -> LogLine {
        let (event, what_next) = if overruled.set_aside {
            let next =
                "it is set aside, and five-minutes decides until another policy is swapped in";
            ("policy-set-aside", next)
        } else {
            let next = "the built-in five-minutes policy decides instead, this time";
            ("policy-overruled", next)
        };
        let (policy, reason) = (self.current.identity(), &overruled.reason);
        let message = format!("Policy {policy} failed in {reason}; {what_next}");
        LogLine::error(event, message)
            .with("policy", policy.name.as_str())
            .with("reason", reason.as_str())
            .with("failures", self.failures)
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
            refused: self.refused.clone(),
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
    let decision = policy
        .decide(call, state, moment)
        .map_err(Failure::NoAnswer)?;
    guard.check(state, call, moment, &decision)?;
    Ok(decision)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Attempt, Countdown, Loss, Outage, Phase};

    #[test]
    fn what_binds_others_does_not_bind_the_built_in_policy() {
        let settings = Settings::resolve(&serde_json::Map::new(), &Default::default()).unwrap();
        let mut judge = Judge::new(&settings).unwrap();
        let mut guard = Guard::new(0, 0, 0);
        // Eight saves that another policy has asked for, and a deadline that it has left.
        for _ in 0..8 {
            guard.policy_saves();
        }
        let outage = Outage {
            lost_at: 0,
            why: Loss::TransportError,
            attempts: 5,
            attempt: Attempt::Due(2_000),
            extended: 0,
        };
        let state = State {
            phase: Phase::CountingDown(Countdown {
                outage,
                deadline: 1_000,
                warned: 0,
            }),
            seen: 0,
            memo: vec![],
        };
        let moment = Moment {
            now: 1_000,
            due: None,
            entropy: None,
            settings: None,
            scene: None,
        };
        let decide = |judge: &mut Judge| judge.decide(&guard, &Call::Tick, &state, &moment);
        let verdict = decide(&mut judge);
        assert!(verdict.overruled.is_none(), "{:?}", verdict.complaints);
        assert!(verdict.decision.is_some());
        judge.swap(judge.built_in.clone(), "bytes".into());
        let verdict = decide(&mut judge);
        let why = verdict.overruled.map(|it| it.reason).unwrap_or_default();
        assert!(why.contains("8 saves in this outage"), "{why}");
        assert!(verdict.decision.is_some(), "the built-in one in its place");
    }
}
