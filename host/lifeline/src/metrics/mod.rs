//! What an administrator watches: counters, and how things stand, in two text formats.
//!
//! Recorded by the driver, without waiting for anybody, and kept over a restart of the host thread.
//! What [`Snapshot`] knows already is told from there. Nothing listens on any port.

mod bell;
mod file;
mod labelled;
mod present;
mod record;
mod text;

pub(crate) use record::Metrics;

use crate::status::Snapshot;
use prometheus_client::registry::Registry;
use std::borrow::Cow;

/// Before each name.
const PREFIX: &str = "cr8_lifeline";

impl Metrics {
    /// OpenMetrics 1.0. `now`: of the driver's clock, milliseconds.
    pub fn openmetrics(&self, snapshot: &Snapshot, now: u64) -> String {
        text::openmetrics(&self.registry(snapshot, now))
    }

    /// The older text format of Prometheus, the only one that node_exporter reads from files.
    pub fn prometheus(&self, snapshot: &Snapshot, now: u64) -> String {
        text::prometheus(&self.registry(snapshot, now))
    }

    fn registry(&self, snapshot: &Snapshot, now: u64) -> Registry {
        // Two Blenders of one machine must not tell of the same series.
        let whose = Some(snapshot.username.clone()).filter(|name| !name.is_empty());
        let labels = whose.map(|name| (Cow::Borrowed("username"), Cow::Owned(name)));
        let mut registry = Registry::with_prefix_and_labels(PREFIX, labels.into_iter());
        present::register(&mut registry, snapshot, now);
        self.register(&mut registry);
        registry
    }
}

#[cfg(test)]
mod tests;
