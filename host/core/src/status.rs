//! A snapshot of where everything stands, for the person and for tests.

use crate::clock::as_seconds;
use crate::contract::{Attempt, Phase};
use crate::guard::phase_name;
use serde::Serialize;
use serde_json::Value;

/// The policy that decides now.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PolicyStatus {
    /// As it describes itself.
    pub name: String,
    /// As it describes itself.
    pub version: String,
    /// As it describes itself.
    pub about: String,
    /// Of its bytes.
    pub sha256: String,
    /// `built-in`, a path, or `bytes`.
    pub origin: String,
    /// Dropped calls since it was swapped in.
    pub failures: u32,
    /// The built-in policy decides in its place.
    pub set_aside: bool,
    /// Why the last dropped call was dropped.
    pub last_failure: Option<String>,
}

/// What the driver writes after each step. Instants in milliseconds of its clock.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// None before `connect`.
    pub phase: Option<Phase>,
    /// After `close`, or when the host thread has ended.
    pub closed: bool,
    /// The guard's word.
    pub connected: bool,
    /// When the line was lost.
    pub lost_at: Option<u64>,
    /// The contract's name.
    pub reason: Option<&'static str>,
    /// How the last attempt failed.
    pub last_error: Option<String>,
    /// Outages so far.
    pub outages: u32,
    /// Outages that ended with the server back.
    pub recoveries: u32,
    /// Who decides.
    pub policy: PolicyStatus,
    /// For people: the server, without secrets.
    pub server: String,
    /// The setting.
    pub attempts: u32,
    /// The setting, in milliseconds.
    pub cleanup_timeout: u64,
}

/// What is told: `Status` of the Python module. Times in seconds.
#[derive(Serialize)]
struct Report<'a> {
    phase: &'static str,
    connected: bool,
    server: &'a str,
    attempt: u32,
    attempts: u32,
    attempting: bool,
    next_attempt: Option<f64>,
    lost_for: Option<f64>,
    reason: Option<&'static str>,
    last_error: Option<&'a str>,
    remaining: Option<f64>,
    cleanup_timeout: f64,
    outages: u32,
    recoveries: u32,
    policy: &'a PolicyStatus,
}

impl Snapshot {
    /// As JSON, with times in seconds from `now`.
    pub fn json(&self, now: u64) -> Value {
        let until = |at: u64| as_seconds(at.saturating_sub(now));
        let outage = self.phase.as_ref().and_then(|phase| match phase {
            Phase::Connected => None,
            Phase::Reconnecting(outage) | Phase::Quitting(outage) | Phase::Held(outage) => {
                Some(outage)
            }
            Phase::CountingDown(countdown) => Some(&countdown.outage),
            Phase::Saving(saving) => Some(&saving.outage),
        });
        let report = Report {
            phase: match &self.phase {
                _ if self.closed => "closed",
                None => "idle",
                Some(phase) => phase_name(phase),
            },
            connected: self.connected,
            server: &self.server,
            attempt: outage.map_or(0, |outage| outage.attempts),
            attempts: self.attempts,
            attempting: outage.is_some_and(|o| matches!(o.attempt, Attempt::UnderWay(_))),
            next_attempt: outage.and_then(|outage| match outage.attempt {
                Attempt::Due(at) => Some(until(at)),
                Attempt::UnderWay(_) => None,
            }),
            lost_for: self.lost_at.map(|at| as_seconds(now.saturating_sub(at))),
            reason: self.reason,
            last_error: self.last_error.as_deref(),
            remaining: match &self.phase {
                Some(Phase::CountingDown(countdown)) => Some(until(countdown.deadline)),
                _ => None,
            },
            cleanup_timeout: as_seconds(self.cleanup_timeout),
            outages: self.outages,
            recoveries: self.recoveries,
            policy: &self.policy,
        };
        // Plain fields and string keys: there is nothing in it that JSON cannot carry.
        serde_json::to_value(report).unwrap_or_default()
    }
}
