//! How things stand, and what the status counts.

use super::labelled::Labelled;
use crate::contract::Phase;
use crate::status::{STATES, Snapshot};
use lifeline_core::as_seconds;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use std::time::{SystemTime, UNIX_EPOCH};

/// The state set's name, and so its label.
pub(super) const STATE: &str = "cr8_lifeline_state";

pub(super) fn register(registry: &mut Registry, snapshot: &Snapshot, now: u64) {
    registry.register(
        "build",
        "What writes these metrics",
        Info::new([("version", env!("CARGO_PKG_VERSION"))]),
    );
    let state = snapshot.state();
    registry.register(
        "state",
        "The state of the line to the server",
        Labelled::new(STATE, STATES, |name| {
            ConstGauge::new(i64::from(name == state))
        }),
    );
    registry.register(
        "refused",
        "1: the server is there, and has refused the last attempt",
        ConstGauge::new(i64::from(snapshot.refusal.is_some())),
    );
    registry.register_with_unit(
        "countdown_deadline_timestamp",
        "When Blender will save and close if the server stays away, in Unix time; 0: there is no countdown",
        Unit::Seconds,
        ConstGauge::new(deadline(snapshot, now)),
    );
    let policy = &snapshot.policy;
    if !policy.sha256.is_empty() {
        registry.register(
            "policy",
            "The policy that was swapped in last",
            Info::new([
                ("name", policy.name.clone()),
                ("version", policy.version.clone()),
                ("sha256", policy.sha256.clone()),
            ]),
        );
    }
    registry.register(
        "policy_set_aside",
        "1: the policy has failed too often, and the built-in one decides in its place",
        ConstGauge::new(i64::from(policy.set_aside)),
    );
    registry.register(
        "outages",
        "Times that the line was lost, or not to be had in the first place",
        ConstCounter::new(u64::from(snapshot.outages)),
    );
    registry.register(
        "recoveries",
        "Outages that ended with the server back",
        ConstCounter::new(u64::from(snapshot.recoveries)),
    );
    let bytes = snapshot.last_save.as_ref().and_then(|save| save.bytes);
    registry.register_with_unit(
        "last_save",
        "Size of the file that a clean-up has saved last, once it was read back; 0: none",
        Unit::Bytes,
        ConstGauge::new(bytes.unwrap_or(0)),
    );
}

/// Unix time; 0 without a countdown.
fn deadline(snapshot: &Snapshot, now: u64) -> f64 {
    match &snapshot.phase {
        Some(Phase::CountingDown(countdown)) if snapshot.state() == "counting-down" => {
            let wall = SystemTime::now().duration_since(UNIX_EPOCH);
            let wall = wall.map_or(0.0, |since| since.as_secs_f64());
            let left = as_seconds(countdown.deadline.saturating_sub(now));
            // Milliseconds are the most that the driver's clock knows.
            ((wall + left) * 1_000.0).round() / 1_000.0
        }
        _ => 0.0,
    }
}
