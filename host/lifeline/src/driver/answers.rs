//! What the core asks for within a step.

use super::Shared;
use super::deciding::Deciding;
use super::effects::Effects;
use lifeline_core::{Answer, Host, Question};
use std::sync::atomic::Ordering;

pub(super) struct Answers<'a> {
    pub deciding: &'a Deciding,
    pub effects: &'a dyn Effects,
    pub shared: &'a Shared,
    /// How long an attempt needs on a way like the last one's: milliseconds. A policy that knows of it
    /// does not dial anew in the middle of one.
    pub attempt: u64,
}

impl Host for Answers<'_> {
    fn decide(&mut self, it: &Question) -> Answer {
        let policy = self.deciding.policy(it.who);
        let mut moment = it.moment.clone();
        if let Some(settings) = &mut moment.settings {
            settings.connect_timeout = settings.connect_timeout.max(self.attempt);
        }
        let begun = self.shared.clock.now();
        let decision = policy.decide(it.call, it.state, &moment);
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
