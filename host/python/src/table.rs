//! The table of settings, for preferences and documentation.

use crate::convert::to_python;
use lifeline::settings::{Kind, TABLE};
use pyo3::prelude::*;
use serde_json::{Value, json};

/// Every setting with its environment variable, unit, default and limits.
#[pyfunction]
pub fn settings_table(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let rows: Vec<Value> = TABLE
        .iter()
        .map(|setting| {
            let (minimum, maximum) = match setting.kind {
                Kind::Seconds(from, to) => (json!(from), json!(to)),
                Kind::Count(from, to) => (json!(from), json!(to)),
                _ => (Value::Null, Value::Null),
            };
            json!({
                "name": setting.name,
                "variable": setting.variable(),
                "section": setting.section,
                "unit": setting.unit(),
                "kind": setting.kind.name(),
                "default": setting.default(),
                "choices": match setting.kind {
                    Kind::Choice(words) => json!(words),
                    _ => Value::Null,
                },
                "minimum": minimum,
                "maximum": maximum,
                "about": setting.about,
            })
        })
        .collect();
    to_python(py, &Value::Array(rows))
}
