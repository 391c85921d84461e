//! One metric for each value of a label.

use prometheus_client::encoding::{EncodeMetric, MetricEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::{MetricType, TypedMetric};
use std::fmt;

/// All values are there from the start (a series that appears with its first event has no rate
/// then), always in the same order, and no others: a label never holds what somebody has written.
#[derive(Clone, Debug)]
pub(super) struct Labelled<M> {
    label: &'static str,
    metrics: Vec<(&'static str, M)>,
}

impl<M> Labelled<M> {
    pub fn new(
        label: &'static str,
        values: &[&'static str],
        metric: impl Fn(&'static str) -> M,
    ) -> Self {
        let metrics = values.iter().map(|&value| (value, metric(value))).collect();
        Labelled { label, metrics }
    }
}

impl Labelled<Counter> {
    pub fn counters(label: &'static str, values: &[&'static str]) -> Self {
        Self::new(label, values, |_| Counter::default())
    }

    pub fn add(&self, value: &str, number: u64) {
        let found = self.metrics.iter().find(|(known, _)| *known == value);
        debug_assert!(found.is_some(), "{}: {value}", self.label);
        if let Some((_, counter)) = found {
            counter.inc_by(number);
        }
    }
}

impl<M> EncodeMetric for Labelled<M>
where
    M: EncodeMetric + TypedMetric,
{
    fn encode(&self, mut encoder: MetricEncoder) -> fmt::Result {
        for (value, metric) in &self.metrics {
            metric.encode(encoder.encode_family(&[(self.label, *value)])?)?;
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        M::TYPE
    }
}
