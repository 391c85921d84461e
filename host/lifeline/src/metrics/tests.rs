use super::*;
use crate::contract::{Attempt, ConnectError, Countdown, Loss, Outage, Phase};
use crate::journal::entry::tests::entry;
use crate::journal::{Kind, Outcome};
use lifeline_core::Saved;
use std::time::{SystemTime, UNIX_EPOCH};

/// The value of a sample, by its name with its labels.
fn value(text: &str, sample: &str) -> f64 {
    let found = text
        .lines()
        .find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    found
        .unwrap_or_else(|| panic!("{sample} in {text}"))
        .parse()
        .unwrap()
}

fn counting_down(deadline: u64) -> Snapshot {
    let outage = Outage {
        lost_at: 0,
        why: Loss::TransportError,
        attempts: 5,
        attempt: Attempt::Due(2_000),
        extended: 0,
    };
    Snapshot {
        phase: Some(Phase::CountingDown(Countdown {
            outage,
            deadline,
            warned: 0,
        })),
        ..Snapshot::default()
    }
}

#[test]
fn what_is_recorded_is_told() {
    let metrics = Metrics::default();
    metrics.attempted(Err(ConnectError::Unreachable));
    metrics.attempted(Err(ConnectError::TimedOut));
    metrics.attempted(Err(ConnectError::Refused));
    metrics.attempted(Err(ConnectError::Refused));
    metrics.attempted(Ok(()));
    for recovery in [false, true] {
        let saved = Saved {
            path: "/a.blend".into(),
            recovery,
            failures: vec![],
            digest: None,
            render: None,
        };
        metrics.saved(&Ok(saved), 0.5);
    }
    metrics.saved(&Err(vec!["no space left on device".into()]), 61.0);
    metrics.verified(true);
    metrics.verified(false);
    metrics.uploaded(true);
    metrics.uploaded(false);
    metrics.policy_failed();
    metrics.policy_swapped(true);
    metrics.policy_swapped(false);
    metrics.journal_failed();
    metrics.restarted();
    metrics.interrupted(2);
    let mut ended = entry("a");
    ended.seconds.outage = Some(7.0);
    metrics.ended(&ended);
    (ended.kind, ended.outcome) = (Kind::Termination, Outcome::Terminated);
    ended.safe = Some(lifeline_core::Safe::No);
    metrics.ended(&ended);
    let text = metrics.openmetrics(&Snapshot::default(), 0);
    for (sample, expected) in [
        ("attempts_total{outcome=\"connected\"}", 1.0),
        ("attempts_total{outcome=\"unreachable\"}", 1.0),
        ("attempts_total{outcome=\"timed-out\"}", 1.0),
        ("attempts_total{outcome=\"refused\"}", 2.0),
        ("saves_total{outcome=\"in-place\"}", 1.0),
        ("saves_total{outcome=\"recovery\"}", 1.0),
        ("saves_total{outcome=\"failed\"}", 1.0),
        ("save_duration_seconds_sum", 62.0),
        ("save_duration_seconds_bucket{le=\"0.5\"}", 2.0),
        ("save_duration_seconds_bucket{le=\"60.0\"}", 2.0),
        ("save_duration_seconds_bucket{le=\"120.0\"}", 3.0),
        ("read_backs_total{outcome=\"ok\"}", 1.0),
        ("read_backs_total{outcome=\"failed\"}", 1.0),
        ("uploads_total{outcome=\"done\"}", 1.0),
        ("uploads_total{outcome=\"failed\"}", 1.0),
        ("policy_failures_total", 1.0),
        ("policy_swaps_total{outcome=\"taken\"}", 1.0),
        ("policy_swaps_total{outcome=\"refused\"}", 1.0),
        ("journal_errors_total", 1.0),
        ("host_restarts_total", 1.0),
        ("cleanups_total{outcome=\"quit\"}", 1.0),
        ("cleanups_total{outcome=\"terminated\"}", 1.0),
        ("cleanups_total{outcome=\"interrupted\"}", 2.0),
        ("cleanups_total{outcome=\"closed\"}", 0.0),
        ("cleanups_unsafe_total", 1.0),
        // A termination is no outage.
        ("outage_duration_seconds_count", 1.0),
        ("outage_duration_seconds_sum", 7.0),
    ] {
        assert_eq!(
            value(&text, &format!("{PREFIX}_{sample}")),
            expected,
            "{sample}"
        );
    }
    assert!(!text.contains("no space"), "{text}");
}

#[test]
fn exactly_one_state_is_on() {
    let metrics = Metrics::default();
    let states = |snapshot: &Snapshot| {
        let text = metrics.openmetrics(snapshot, 0);
        let lines = text
            .lines()
            .filter(|line| line.starts_with("cr8_lifeline_state{"));
        let on: Vec<String> = lines
            .clone()
            .filter_map(|line| Some(line.strip_suffix("\"} 1")?.rsplit_once('"')?.1.to_string()))
            .collect();
        assert_eq!(lines.count(), 8);
        on
    };
    let mut snapshot = Snapshot::default();
    assert_eq!(states(&snapshot), ["idle"]);
    snapshot.phase = Some(Phase::Connected);
    assert_eq!(states(&snapshot), ["connected"]);
    snapshot = counting_down(1_000);
    assert_eq!(states(&snapshot), ["counting-down"]);
    snapshot.terminating = Some("saving");
    assert_eq!(states(&snapshot), ["saving"]);
    snapshot.closed = true;
    assert_eq!(states(&snapshot), ["closed"]);
}

#[test]
fn the_deadline_is_in_unix_time_while_there_is_one() {
    let name = "cr8_lifeline_countdown_deadline_timestamp_seconds";
    let metrics = Metrics::default();
    let mut snapshot = counting_down(400_000);
    let told = |snapshot: &Snapshot| value(&metrics.openmetrics(snapshot, 100_000), name);
    let wall = || {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs_f64()
    };
    let before = wall();
    let deadline = told(&snapshot);
    let after = wall();
    assert!(
        before + 299.99 < deadline && deadline < after + 300.01,
        "{deadline}"
    );
    snapshot.terminating = Some("saving");
    assert_eq!(told(&snapshot), 0.0);
    assert_eq!(told(&Snapshot::default()), 0.0);
}

#[test]
fn the_two_formats_tell_the_same() {
    let metrics = Metrics::default();
    metrics.attempted(Ok(()));
    let mut snapshot = Snapshot {
        username: "ann \"the\\ann\"\n".into(),
        outages: 3,
        recoveries: 2,
        ..Snapshot::default()
    };
    snapshot.policy.name = "patient\n# TYPE cr8_lifeline_state gauge\n".into();
    snapshot.policy.sha256 = "ab".into();
    let samples = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        // Bounds are spelt differently.
        lines
            .filter(|line| !line.contains("_bucket{"))
            .map(str::to_string)
            .collect()
    };
    let (open, old) = (
        metrics.openmetrics(&snapshot, 0),
        metrics.prometheus(&snapshot, 0),
    );
    assert_eq!(samples(&open), samples(&old));
    let label = r#"username="ann \"the\\ann\"\n""#;
    assert_eq!(
        value(&open, &format!("cr8_lifeline_outages_total{{{label}}}")),
        3.0
    );
    assert_eq!(
        value(&open, &format!("cr8_lifeline_recoveries_total{{{label}}}")),
        2.0
    );
    let types = |text: &str, kind| text.lines().filter(|line| line.ends_with(kind)).count();
    assert_eq!((types(&open, " stateset"), types(&open, " info")), (1, 2));
    assert_eq!((types(&old, " stateset"), types(&old, " info")), (0, 0));
    assert!(open.ends_with("\n# EOF\n") && !old.contains("EOF"));
}
