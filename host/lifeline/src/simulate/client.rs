//! One client without a line, a thread or a clock: whoever drives it says what happens and when.
//!
//! It keeps what the driver keeps for a policy (the state, the guard, the wake-up), and does with a
//! decision what the driver does, as far as a policy can notice.

use crate::contract::{Action, Decision, Moment, Phase, Scene, Settings, State};
use crate::{Call, Decide};
use lifeline_core::Failure;
use lifeline_core::guard::Guard;
use lifeline_core::pace::FLOOR;

/// What a policy knows and has asked for.
#[derive(Clone, Debug)]
pub struct Client {
    /// The host's own record of the line.
    pub guard: Guard,
    state: State,
    wake_at: Option<u64>,
}

impl Client {
    /// Before `start`. `floor` and `unsaved_wait` are the guard's.
    pub fn new(floor: u64, unsaved_wait: u64, now: u64) -> Self {
        Client {
            guard: Guard::new(floor, unsaved_wait, now),
            state: State {
                phase: Phase::Connected,
                seen: now,
                memo: Vec::new(),
            },
            wake_at: None,
        }
    }

    /// What the policy has answered last.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// When it wants to be called if nothing happens before.
    pub fn wake_at(&self) -> Option<u64> {
        self.wake_at
    }

    /// The circumstances of a call.
    pub fn moment(
        &self,
        now: u64,
        entropy: Option<u64>,
        settings: Option<Settings>,
        scene: Option<Scene>,
    ) -> Moment {
        Moment {
            now,
            due: self.wake_at,
            entropy,
            settings,
            scene,
        }
    }

    /// The policy's answer, if it keeps the rules. Nothing follows from it yet.
    pub fn ask<P: Decide + ?Sized>(
        &self,
        policy: &P,
        call: &Call,
        moment: &Moment,
    ) -> Result<Decision, Failure> {
        let decision = policy
            .decide(call, &self.state, moment)
            .map_err(Failure::NoAnswer)?;
        self.guard.check(&self.state, call, moment, &decision)?;
        Ok(decision)
    }

    /// Takes a decision; its actions are the caller's to carry out.
    pub fn follow(&mut self, decision: Decision, now: u64) -> Vec<Action> {
        self.state = decision.state;
        self.wake_at = decision.wake_at.map(|at| at.max(now.saturating_add(FLOOR)));
        self.guard.entered(&self.state.phase);
        let saves = |action: &Action| matches!(action, Action::Save(_));
        if decision.actions.iter().any(saves) {
            self.guard.save_asked();
        }
        decision.actions
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Loss;
    use lifeline_sandbox::{Compiling, Limits, Sandbox};

    #[test]
    fn it_follows_what_the_policy_decides() {
        let sandbox = Sandbox::new(Limits::default(), None, Compiling::Here).unwrap();
        let policy = sandbox.load_embedded(&crate::FIVE_MINUTES).unwrap();
        let mut client = Client::new(10_000, 60_000, 0);
        client.guard.connected();
        client.guard.lost(1_000);
        let moment = client.moment(1_000, None, None, None);
        let call = Call::OnDisconnect(Loss::TransportError);
        let decision = client.ask(&policy, &call, &moment).unwrap();
        assert_eq!(client.follow(decision, 1_000), []);
        assert_eq!(client.wake_at(), Some(3_000));
        let moment = client.moment(3_000, None, None, None);
        assert_eq!(moment.due, Some(3_000));
        let decision = client.ask(&policy, &Call::Tick, &moment).unwrap();
        assert_eq!(client.follow(decision, 3_000), [Action::Connect]);
    }

    #[test]
    fn what_the_guard_drops_is_a_failure() {
        let sandbox = Sandbox::new(Limits::default(), None, Compiling::Here).unwrap();
        let policy = sandbox.load_embedded(&crate::FIVE_MINUTES).unwrap();
        let mut client = Client::new(10_000, 60_000, 0);
        client.guard.connected();
        let moment = client.moment(1_000, None, None, None);
        // It tries to connect, and is connected.
        client.ask(&policy, &Call::Start, &moment).unwrap_err();
    }
}
