//! The two text formats.

use super::present::STATE;
use prometheus_client::encoding::{prometheus_text, text};
use prometheus_client::registry::Registry;

/// OpenMetrics 1.0.
pub(super) fn openmetrics(registry: &Registry) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = text::encode(&mut out, registry);
    // The library has no state sets; the lines of one are those of gauges.
    let (gauge, state_set) = (type_line("gauge"), type_line("stateset"));
    out.replacen(&gauge, &state_set, 1)
}

/// Version 0.0.4 of Prometheus's own format, which knows neither state sets nor info.
pub(super) fn prometheus(registry: &Registry) -> String {
    let mut out = String::new();
    // As above.
    let _ = prometheus_text::encode(&mut out, registry);
    out
}

fn type_line(kind: &str) -> String {
    format!("# TYPE {STATE} {kind}\n")
}
