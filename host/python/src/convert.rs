//! JSON is what crosses the border: Python's own `json` writes and reads it.

use crate::errors::{LifelineError, SettingsError};
use lifeline::link::Args;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyByteArray, PyBytes, PyCFunction, PyDict, PyList, PyString, PyTuple};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

pub fn to_python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    loads(py, value.to_string(), None)
}

fn loads<'py>(
    py: Python<'py>,
    text: String,
    options: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    py.import("json")?.call_method("loads", (text,), options)
}

/// A list, with bytes where attachments stand.
pub fn args_to_python(py: Python<'_>, args: Args) -> PyResult<Bound<'_, PyAny>> {
    let text = Value::Array(args.values).to_string();
    if args.attachments.is_empty() {
        return loads(py, text, None);
    }
    let bytes = args.attachments.iter().map(|it| PyBytes::new(py, it));
    let bytes: Vec<Py<PyBytes>> = bytes.map(Bound::unbind).collect();
    let options = PyDict::new(py);
    options.set_item("object_hook", attach(py, bytes)?)?;
    loads(py, text, Some(&options))
}

fn attach(py: Python<'_>, attachments: Vec<Py<PyBytes>>) -> PyResult<Bound<'_, PyCFunction>> {
    PyCFunction::new_closure(py, None, None, move |args: &Bound<'_, PyTuple>, _| {
        let object = args.get_item(0)?;
        let number = match object.cast::<PyDict>() {
            Ok(dict) if matches!(dict.get_item("_placeholder")?, Some(it) if is_true(&it)) => {
                dict.get_item("num")?
            }
            _ => None,
        };
        let attachment = number
            .and_then(|number| number.extract::<usize>().ok())
            .and_then(|number| attachments.get(number));
        Ok::<_, PyErr>(match attachment {
            Some(bytes) => bytes.clone_ref(args.py()).into_any(),
            None => object.unbind(),
        })
    })
}

fn is_true(object: &Bound<'_, PyAny>) -> bool {
    object.cast::<PyBool>().is_ok_and(|it| it.is_true())
}

/// What goes to the server: None is no argument, a tuple several, anything else one. JSON may have
/// bytes in it.
pub fn args_from_python(data: Option<&Bound<'_, PyAny>>) -> PyResult<Args> {
    let Some(data) = data else {
        return Ok(Args::default());
    };
    let py = data.py();
    let attachments = PyList::empty(py);
    let options = PyDict::new(py);
    options.set_item("default", detach(py, attachments.clone().unbind())?)?;
    let several = data.cast::<PyTuple>().is_ok();
    let values = match dumps(data, &options)? {
        Value::Array(values) if several => values,
        value => vec![value],
    };
    Ok(Args {
        values,
        attachments: attachments.extract()?,
    })
}

/// Bytes are sent beside the JSON; what else it does not take stays refused.
fn detach(py: Python<'_>, attachments: Py<PyList>) -> PyResult<Bound<'_, PyCFunction>> {
    PyCFunction::new_closure(py, None, None, move |args: &Bound<'_, PyTuple>, _| {
        let py = args.py();
        let object = args.get_item(0)?;
        let bytes = if let Ok(bytes) = object.cast::<PyBytes>() {
            bytes.clone()
        } else if object.is_instance_of::<PyByteArray>() {
            PyBytes::new(py, &object.extract::<Vec<u8>>()?)
        } else {
            let kind = object.get_type().name()?;
            let message = format!("Object of type {kind} is not JSON serializable");
            return Err(PyTypeError::new_err(message));
        };
        let attachments = attachments.bind(py);
        let placeholder = PyDict::new(py);
        placeholder.set_item("_placeholder", true)?;
        placeholder.set_item("num", attachments.len())?;
        attachments.append(bytes)?;
        Ok::<_, PyErr>(placeholder.unbind())
    })
}

/// What `json.dumps` takes; anything else raises a LifelineError from json's own error.
pub fn from_python(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    dumps(value, &PyDict::new(value.py()))
}

fn dumps<'py>(value: &Bound<'py, PyAny>, options: &Bound<'py, PyDict>) -> PyResult<Value> {
    let py = value.py();
    // NaN and infinity are no JSON: better refused here than by the other side.
    options.set_item("allow_nan", false)?;
    let text: String = py
        .import("json")?
        .call_method("dumps", (value,), Some(options))
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
