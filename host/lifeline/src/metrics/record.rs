//! What is counted, and where the driver says so.

use super::bell::Bell;
use super::labelled::Labelled;
use crate::contract::ConnectError;
use crate::journal::{Entry, Kind, Outcome};
use lifeline_core::SaveOutcome;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Upper bounds in seconds: from a small file on a quick disk to one behind a slow network.
const SAVE_SECONDS: [f64; 12] = [
    0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 60.0, 120.0, 300.0, 600.0,
];
/// Upper bounds in seconds: from a flap to a day that somebody keeps Blender open.
const OUTAGE_SECONDS: [f64; 11] = [
    1.0, 5.0, 15.0, 30.0, 60.0, 300.0, 600.0, 1_800.0, 3_600.0, 14_400.0, 86_400.0,
];

const ATTEMPTS: &[&str] = &["connected", "unreachable", "timed-out", "refused"];
const CLEANUPS: &[&str] = &[
    "recovered",
    "quit",
    "terminated",
    "ended-by-host",
    "closed",
    "interrupted",
];
const SAVES: &[&str] = &["in-place", "recovery", "failed"];
const VERIFICATIONS: &[&str] = &["ok", "failed"];
const UPLOADS: &[&str] = &["done", "failed"];
const SWAPS: &[&str] = &["taken", "refused"];

/// Recording takes no longer than adding a number, and never waits for whoever reads or writes.
#[derive(Debug)]
pub(crate) struct Metrics {
    attempts: Labelled<Counter>,
    cleanups: Labelled<Counter>,
    cleanups_unsafe: Counter,
    outage_duration: Histogram,
    saves: Labelled<Counter>,
    save_duration: Histogram,
    verifications: Labelled<Counter>,
    uploads: Labelled<Counter>,
    policy_failures: Counter,
    policy_swaps: Labelled<Counter>,
    journal_errors: Counter,
    restarts: Counter,
    pub(super) bell: Bell,
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics {
            attempts: Labelled::counters("outcome", ATTEMPTS),
            cleanups: Labelled::counters("outcome", CLEANUPS),
            cleanups_unsafe: Counter::default(),
            outage_duration: Histogram::new(OUTAGE_SECONDS),
            saves: Labelled::counters("outcome", SAVES),
            save_duration: Histogram::new(SAVE_SECONDS),
            verifications: Labelled::counters("outcome", VERIFICATIONS),
            uploads: Labelled::counters("outcome", UPLOADS),
            policy_failures: Counter::default(),
            policy_swaps: Labelled::counters("outcome", SWAPS),
            journal_errors: Counter::default(),
            restarts: Counter::default(),
            bell: Bell::default(),
        }
    }
}

impl Metrics {
    /// What the line is at: see [`crate::status::STATES`].
    pub fn stands(&self, state: &'static str) {
        self.bell.stands(state);
    }

    /// An attempt to connect was answered, or has failed.
    pub fn attempted(&self, outcome: Result<(), ConnectError>) {
        let outcome = match outcome {
            Ok(()) => "connected",
            Err(why) => why.name(),
        };
        self.attempts.add(outcome, 1);
        self.bell.soon();
    }

    /// Blender has answered a save.
    pub fn saved(&self, outcome: &SaveOutcome, seconds: f64) {
        let outcome = match outcome {
            Ok(saved) if saved.recovery => "recovery",
            Ok(_) => "in-place",
            Err(_) => "failed",
        };
        self.saves.add(outcome, 1);
        self.save_duration.observe(seconds);
        self.bell.soon();
    }

    /// A saved file was verified, or cannot be.
    pub fn verified(&self, ok: bool) {
        self.verifications.add(if ok { "ok" } else { "failed" }, 1);
        self.bell.soon();
    }

    /// An upload has ended, or was not waited for.
    pub fn uploaded(&self, ok: bool) {
        self.uploads.add(if ok { "done" } else { "failed" }, 1);
        self.bell.soon();
    }

    /// What the journal says of an outage, or of SIGTERM.
    pub fn ended(&self, entry: &Entry) {
        self.cleanups.add(outcome_name(entry.outcome), 1);
        if entry.is_unsafe() {
            self.cleanups_unsafe.inc();
        }
        if let (Kind::Outage, Some(seconds)) = (entry.kind, entry.seconds.outage) {
            self.outage_duration.observe(seconds);
        }
        self.bell.now();
    }

    /// So many were found that ended with a process, or a host thread, that died.
    pub fn interrupted(&self, number: usize) {
        let number = u64::try_from(number).unwrap_or(u64::MAX);
        self.cleanups
            .add(outcome_name(Outcome::Interrupted), number);
        self.bell.soon();
    }

    /// The answer of a policy was dropped.
    pub fn policy_failed(&self) {
        self.policy_failures.inc();
        self.bell.soon();
    }

    /// Another policy decides, or was refused.
    pub fn policy_swapped(&self, taken: bool) {
        self.policy_swaps
            .add(if taken { "taken" } else { "refused" }, 1);
        self.bell.soon();
    }

    /// The journal was not written.
    pub fn journal_failed(&self) {
        self.journal_errors.inc();
        self.bell.soon();
    }

    /// The host thread has died, and is started again.
    pub fn restarted(&self) {
        self.restarts.inc();
        self.bell.soon();
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "attempts",
            "Attempts to connect that were answered or have failed",
            self.attempts.clone(),
        );
        registry.register(
            "cleanups",
            "Outages and terminations by how they ended, as the journal has it",
            self.cleanups.clone(),
        );
        registry.register(
            "cleanups_unsafe",
            "Outages and terminations that ended with work that was to be saved and is not where it counts as safe",
            self.cleanups_unsafe.clone(),
        );
        registry.register_with_unit(
            "outage_duration",
            "From the loss of the line to the end of the outage",
            Unit::Seconds,
            self.outage_duration.clone(),
        );
        registry.register(
            "saves",
            "Saves of clean-ups by where the work is, in the file or in a recovery copy, or failed",
            self.saves.clone(),
        );
        registry.register_with_unit(
            "save_duration",
            "How long Blender took for a save, whatever came of it",
            Unit::Seconds,
            self.save_duration.clone(),
        );
        registry.register(
            "read_backs",
            "Saved files that were read back before they were believed",
            self.verifications.clone(),
        );
        registry.register("uploads", "Uploads of saved files", self.uploads.clone());
        registry.register(
            "policy_failures",
            "Answers of policies that were dropped, so that the built-in one decided",
            self.policy_failures.clone(),
        );
        registry.register(
            "policy_swaps",
            "Policies that were offered",
            self.policy_swaps.clone(),
        );
        registry.register(
            "journal_errors",
            "Lines of the journal that were not written",
            self.journal_errors.clone(),
        );
        registry.register(
            "host_restarts",
            "Times that the host thread has died, and was started again",
            self.restarts.clone(),
        );
    }
}

/// As the journal writes it.
fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Recovered => "recovered",
        Outcome::Quit => "quit",
        Outcome::Terminated => "terminated",
        Outcome::EndedByHost => "ended-by-host",
        Outcome::Closed => "closed",
        Outcome::Interrupted => "interrupted",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_has_the_journals_name() {
        for outcome in [
            Outcome::Recovered,
            Outcome::Quit,
            Outcome::Terminated,
            Outcome::EndedByHost,
            Outcome::Closed,
            Outcome::Interrupted,
        ] {
            let name = outcome_name(outcome);
            assert_eq!(serde_json::to_value(outcome).unwrap(), name);
            assert!(CLEANUPS.contains(&name), "{name}");
        }
    }
}
