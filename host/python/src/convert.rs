//! JSON is what crosses the border: Python's own `json` writes and reads it.

use crate::errors::{LifelineError, SettingsError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::{Map, Value};

pub fn to_python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    py.import("json")?
        .call_method1("loads", (value.to_string(),))
}

/// What `json.dumps` takes; anything else raises a LifelineError from json's own error.
pub fn from_python(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    let py = value.py();
    let options = PyDict::new(py);
    // NaN and infinity are no JSON: better refused here than by the other side.
    options.set_item("allow_nan", false)?;
    let text: String = py
        .import("json")?
        .call_method("dumps", (value,), Some(&options))
        .and_then(|text| text.extract())
        .map_err(|cause| from(py, LifelineError::new_err("data is not JSON"), cause))?;
    serde_json::from_str(&text).map_err(|error| LifelineError::new_err(error.to_string()))
}

/// Preferences: a mapping from names to JSON values.
pub fn preferences(mapping: &Bound<'_, PyAny>) -> PyResult<Map<String, Value>> {
    let py = mapping.py();
    let dict = py.get_type::<PyDict>().call1((mapping,))?;
    match from_python(&dict) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err(SettingsError::new_err("settings: expected a mapping")),
        // The values may hold a secret: they are not repeated.
        Err(cause) => Err(from(
            py,
            SettingsError::new_err("settings: expected numbers, texts and lists of numbers"),
            cause,
        )),
    }
}

/// `raise error from cause`
fn from(py: Python<'_>, error: PyErr, cause: PyErr) -> PyErr {
    error.set_cause(py, Some(cause));
    error
}
