//! Two cores that are equal whatever the clock says go on alike: nothing in here asks for the time of
//! day. A search that takes them as one needs to look at far fewer.

use super::short::Ended;
use crate::core::Core;
use crate::core::closing::End;
use crate::tickets::Task;
use lifeline_contract::types::{Attempt, Outage, Phase, State};
use std::hash::{Hash, Hasher};

/// Beyond these, instants and numbers are alike to everything that is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Milliseconds of the past.
    pub horizon: u64,
    /// Attempts.
    pub attempts: u32,
    /// Connections end before they have lasted: only then is what they have ended of any use.
    pub short: bool,
}

impl Limits {
    /// An instant as seen from `now`; of the past, those beyond the horizon as one.
    pub fn relative(&self, now: u64, at: u64) -> i64 {
        let horizon = i64::try_from(self.horizon).unwrap_or(i64::MAX);
        (at.wrapping_sub(now) as i64).max(horizon.saturating_neg())
    }

    /// What a policy has answered. Of its own notes only their length.
    pub fn hash_state(&self, now: u64, state: &State, hasher: &mut impl Hasher) {
        let at = |at: u64| self.relative(now, at);
        state.phase.name().hash(hasher);
        match &state.phase {
            Phase::CountingDown(it) => (at(it.deadline), it.warned).hash(hasher),
            // Since when it saves, and when the state was seen, no machine asks.
            Phase::Saving(it) => it.place.hash(hasher),
            Phase::Connected | Phase::Reconnecting(_) | Phase::Quitting(_) | Phase::Held(_) => {}
        }
        if let Some(outage) = state.phase.outage() {
            let Outage {
                lost_at,
                why,
                attempts,
                attempt,
                extended,
            } = *outage;
            let attempt = match attempt {
                Attempt::Due(due) => (false, at(due)),
                Attempt::UnderWay(until) => (true, at(until)),
            };
            (at(lost_at), why, attempts.min(self.attempts)).hash(hasher);
            (attempt, extended).hash(hasher);
        }
        state.memo.len().hash(hasher);
    }
}

impl Core {
    /// All that it goes by, but for what never changes, for how often a policy was in a hurry lately,
    /// and for when verifying began. Of the policy's own notes only their length.
    pub fn hash_relative(&self, now: u64, limits: &Limits, hasher: &mut impl Hasher) {
        let Core {
            config,
            guard,
            judging,
            state,
            wake_at,
            undecided,
            pace: _,
            scene,
            connections,
            tickets,
            closing,
            target,
            copied_at,
            polled,
            started,
            outputs: _,
        } = self;
        let at = |at: u64| limits.relative(now, at);
        guard.hash_relative(now, limits.horizon, hasher);
        (judging, undecided, started).hash(hasher);
        limits.hash_state(now, state, hasher);
        (wake_at.map(at), copied_at.map(at)).hash(hasher);
        scene
            .map(|it| (it.modified, it.untitled, it.rendering))
            .hash(hasher);
        // Numbers only tell one attempt, ticket or order from another.
        let short = connections.short.min(config.timing.retry_attempts + 1);
        (connections.current.is_some(), short).hash(hasher);
        (connections.is_asked(), connections.announced).hash(hasher);
        // What has lasted is asked for no more.
        let lasted = |at: u64| now.saturating_sub(at) >= self.lasting() && connections.short == 0;
        let asked_for = |ended: &&Ended| limits.short && !lasted(ended.at);
        if let Some(ended) = connections.ended.as_deref().filter(asked_for) {
            at(ended.at).hash(hasher);
            ended.guard.hash_relative(now, limits.horizon, hasher);
            limits.hash_state(now, &ended.state, hasher);
        }
        if let Some(open) = tickets.open() {
            (open.task, open.claimed).hash(hasher);
            // Since when nobody asks, once it is begun, nor of a save that may wait for ever.
            let waits = open.task == Task::Quit || config.stuck > 0;
            let since = (at(open.since), *polled > open.since);
            Some(since).filter(|_| waits && !open.claimed).hash(hasher);
        }
        match closing.end {
            End::No => 0_u8.hash(hasher),
            End::Wanted => 1_u8.hash(hasher),
            End::Asked => 2_u8.hash(hasher),
            End::Writing { since, end } => (3_u8, at(since), end).hash(hasher),
            End::Told => 4_u8.hash(hasher),
        }
        closing.hash_relative(at, hasher);
        target.hash(hasher);
    }
}
