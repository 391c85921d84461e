//! Events, as Python sees them.

use crate::convert::to_python;
use lifeline::event::Event as Core;
use pyo3::prelude::*;
use serde_json::Value;

/// Something that happened; which attributes are set follows from `kind`.
#[pyclass(frozen, module = "cr8_lifeline")]
pub struct Event(Core);

impl From<Core> for Event {
    fn from(event: Core) -> Self {
        Event(event)
    }
}

#[pymethods]
impl Event {
    #[getter]
    fn kind(&self) -> &'static str {
        match &self.0 {
            Core::Log(..) => "log",
            Core::Connected => "connected",
            Core::Lost { .. } => "lost",
            Core::Recovered { .. } => "recovered",
            Core::Countdown { .. } => "countdown",
            Core::Warn { .. } => "warn",
            Core::Held => "held",
            Core::Save { .. } => "save",
            Core::Quit { .. } => "quit",
            Core::Close => "close",
            Core::Server { .. } => "server",
            Core::Policy { .. } => "policy",
        }
    }

    #[getter]
    fn level(&self) -> Option<&'static str> {
        match &self.0 {
            Core::Log(line) => Some(line.level.name()),
            _ => None,
        }
    }

    #[getter]
    fn message(&self) -> Option<&str> {
        match &self.0 {
            Core::Log(line) => Some(&line.message),
            Core::Policy { message, .. } => message.as_deref(),
            _ => None,
        }
    }

    #[getter]
    fn reason(&self) -> Option<&'static str> {
        match self.0 {
            Core::Lost { reason } => Some(reason),
            Core::Save { reason, .. } => Some(reason.name()),
            _ => None,
        }
    }

    #[getter]
    fn seconds(&self) -> Option<f64> {
        match self.0 {
            Core::Recovered { seconds }
            | Core::Countdown { seconds, .. }
            | Core::Warn { seconds } => Some(seconds),
            _ => None,
        }
    }

    #[getter]
    fn attempts(&self) -> Option<u32> {
        match self.0 {
            Core::Countdown { attempts, .. } => Some(attempts),
            _ => None,
        }
    }

    #[getter]
    fn ticket(&self) -> Option<u64> {
        match self.0 {
            Core::Save { ticket, .. } | Core::Quit { ticket } => Some(ticket),
            _ => None,
        }
    }

    #[getter]
    fn place(&self) -> Option<&'static str> {
        match self.0 {
            Core::Save { place, .. } => Some(place.name()),
            _ => None,
        }
    }

    #[getter]
    fn name(&self) -> Option<&str> {
        match &self.0 {
            Core::Log(line) => Some(line.event),
            Core::Server { name, .. } | Core::Policy { name, .. } => Some(name),
            _ => None,
        }
    }

    #[getter]
    fn fields<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        match &self.0 {
            Core::Log(line) => to_python(py, &Value::Object(line.fields.clone())).map(Some),
            _ => Ok(None),
        }
    }

    #[getter]
    fn args<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        match &self.0 {
            Core::Server { args, .. } => to_python(py, &Value::Array(args.clone())).map(Some),
            _ => Ok(None),
        }
    }

    fn __repr__(&self) -> String {
        // What the server sends may hold a secret.
        match &self.0 {
            Core::Server { name, .. } => format!("<Event server {name}>"),
            other => format!("<Event {other:?}>"),
        }
    }
}
