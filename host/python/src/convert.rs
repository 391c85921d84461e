//! JSON is what crosses the border: Python's own `json` writes and reads it.

use crate::errors::{LifelineError, SettingsError};
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyString, PyTuple};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

pub fn to_python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    let text = value.to_string();
    let options = PyDict::new(py);
    if text.contains("\"_placeholder\":true") {
        options.set_item("object_hook", attachments(py)?)?;
    }
    py.import("json")?
        .call_method("loads", (text,), Some(&options))
}

/// The attachments of a server's event become bytes: see `link::transport`.
fn attachments(py: Python<'_>) -> PyResult<Bound<'_, PyCFunction>> {
    PyCFunction::new_closure(py, None, None, |args: &Bound<'_, PyTuple>, _| {
        let object = args.get_item(0)?;
        let base64 = match object.cast::<PyDict>() {
            Ok(dict) if dict.len() == 2 && dict.contains("_placeholder")? => {
                dict.get_item("base64")?
            }
            _ => None,
        };
        let bytes = match base64 {
            Some(text) => object
                .py()
                .import("binascii")?
                .call_method1("a2b_base64", (text,))?,
            None => object,
        };
        Ok::<_, PyErr>(bytes.unbind())
    })
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
    serde_json::from_str(&text)
        .map_err(|error| LifelineError::new_err(format!("data is not JSON: {error}")))
}

/// Preferences: a mapping from names to JSON values, paths among them. What JSON cannot carry
/// becomes an object, which no setting takes: so it is named together with the other faults.
pub fn preferences(mapping: &Bound<'_, PyAny>) -> PyResult<Map<String, Value>> {
    let mut preferences = Map::new();
    for (name, value) in dict(mapping, "settings")? {
        let value = if value.hasattr("__fspath__")? {
            value.call_method0("__fspath__")?
        } else {
            value
        };
        let value = from_python(&value).unwrap_or_else(|_| Value::Object(Map::new()));
        preferences.insert(name.str()?.to_string_lossy().into_owned(), value);
    }
    Ok(preferences)
}

/// The environment: a mapping from texts to texts.
pub fn environment(mapping: &Bound<'_, PyAny>) -> PyResult<BTreeMap<String, String>> {
    let text = |item: Bound<'_, PyAny>| match item.cast::<PyString>() {
        Ok(text) => Ok(text.to_string_lossy().into_owned()),
        Err(_) => Err(SettingsError::new_err(
            "environ: expected a mapping of texts to texts",
        )),
    };
    dict(mapping, "environ")?
        .into_iter()
        .map(|(name, value)| Ok((text(name)?, text(value)?)))
        .collect()
}

fn dict<'py>(mapping: &Bound<'py, PyAny>, what: &str) -> PyResult<Bound<'py, PyDict>> {
    let py = mapping.py();
    py.get_type::<PyDict>()
        .call1((mapping,))
        .and_then(|dict| Ok(dict.cast_into::<PyDict>()?))
        .map_err(|cause| {
            from(
                py,
                SettingsError::new_err(format!("{what}: expected a mapping")),
                cause,
            )
        })
}

/// `raise error from cause`
fn from(py: Python<'_>, error: PyErr, cause: PyErr) -> PyErr {
    error.set_cause(py, Some(cause));
    error
}
