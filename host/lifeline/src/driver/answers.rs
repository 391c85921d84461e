//! What the core asks for within a step.

use super::Shared;
use super::deciding::Deciding;
use super::effects::Effects;
use crate::Call;
use crate::contract::{Moment, State};
use lifeline_core::{Answer, Host, Who};
use std::sync::atomic::Ordering;

pub(super) struct Answers<'a> {
    pub deciding: &'a Deciding,
    pub effects: &'a dyn Effects,
    pub shared: &'a Shared,
}

impl Host for Answers<'_> {
    fn decide(&mut self, who: Who, call: &Call, state: &State, moment: &Moment) -> Answer {
        let policy = self.deciding.policy(who);
        let begun = self.shared.clock.now();
        let decision = policy.decide(call, state, moment);
        let took = self.shared.clock.now().saturating_sub(begun);
        Answer { decision, took }
    }

    fn entropy(&mut self) -> Option<u64> {
        self.effects.entropy()
    }

    fn take_back(&mut self, ticket: u64) -> bool {
        self.shared.tickets.take(ticket)
    }

    fn polled(&self) -> u64 {
        self.shared.polled.load(Ordering::Relaxed)
    }
}
