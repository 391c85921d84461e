//! Events, as Python sees them: a class for each kind, with what there is of it.

use crate::convert::{args_to_python, to_python};
use lifeline::event::Event as Core;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use serde_json::Value;

/// Something that happened.
#[pyclass(frozen, subclass, module = "cr8_lifeline")]
pub struct Event {
    #[pyo3(get)]
    kind: &'static str,
    shown: String,
}

#[pymethods]
impl Event {
    fn __repr__(&self) -> &str {
        &self.shown
    }
}

macro_rules! kinds {
    ($($class:ident as $kind:literal { $($field:ident: $type:ty),* })*) => { $(
        #[doc = concat!("The event `", $kind, "`.")]
        #[pyclass(frozen, extends = Event, module = "cr8_lifeline.events")]
        pub struct $class {
            $(#[pyo3(get)] $field: $type,)*
        }

        #[pymethods]
        impl $class {
            #[classattr]
            fn __match_args__(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
                let names: &[&str] = &[$(stringify!($field)),*];
                PyTuple::new(py, names)
            }
        }

        impl $class {
            fn made(self, py: Python<'_>, shown: String) -> PyResult<Py<PyAny>> {
                let base = PyClassInitializer::from(Event { kind: $kind, shown });
                Ok(Py::new(py, base.add_subclass(self))?.into_any())
            }
        }
    )* };
}

kinds! {
    Log as "log" { level: &'static str, name: &'static str, message: String, fields: Py<PyAny> }
    Connected as "connected" {}
    Lost as "lost" { reason: &'static str }
    Recovered as "recovered" { seconds: f64 }
    Countdown as "countdown" { attempts: u32, seconds: f64 }
    Warn as "warn" { seconds: f64 }
    Held as "held" {}
    Save as "save" { ticket: u64, place: &'static str, reason: &'static str }
    EarlyCopy as "early-copy" { needed: bool }
    Quit as "quit" { ticket: u64 }
    Close as "close" {}
    ServerEvent as "server" { name: String, args: Py<PyAny>, ack: Option<(u64, u64)> }
    PolicySwap as "policy" { name: String, message: Option<String> }
}

/// One that cannot be had in Python (arguments too deep for its JSON, say) is told of instead: the
/// others, a save among them, are not lost with it. None: not even that can be had.
pub fn event(py: Python<'_>, event: Core) -> Option<Py<PyAny>> {
    convert(py, event)
        .or_else(|error| {
            let message = format!("An event cannot be given to Python: {error}");
            let line = lifeline::event::LogLine::error("event-failed", message);
            convert(py, Core::Log(line))
        })
        .ok()
}

fn convert(py: Python<'_>, event: Core) -> PyResult<Py<PyAny>> {
    let shown = match &event {
        // What the server sends may hold a secret.
        Core::Server { event, .. } => format!("<Event server {}>", event.name),
        other => format!("<Event {other:?}>"),
    };
    match event {
        Core::Log(line) => Log {
            level: line.level.name(),
            name: line.event,
            message: line.message,
            fields: to_python(py, &Value::Object(line.fields))?.unbind(),
        }
        .made(py, shown),
        Core::Connected => Connected {}.made(py, shown),
        Core::Lost { reason } => Lost { reason }.made(py, shown),
        Core::Recovered { seconds } => Recovered { seconds }.made(py, shown),
        Core::Countdown { attempts, seconds } => Countdown { attempts, seconds }.made(py, shown),
        Core::Warn { seconds } => Warn { seconds }.made(py, shown),
        Core::Held => Held {}.made(py, shown),
        Core::Save {
            ticket,
            place,
            reason,
        } => Save {
            ticket,
            place: place.name(),
            reason: reason.name(),
        }
        .made(py, shown),
        Core::EarlyCopy { needed } => EarlyCopy { needed }.made(py, shown),
        Core::Quit { ticket } => Quit { ticket }.made(py, shown),
        Core::Close => Close {}.made(py, shown),
        Core::Server { connection, event } => ServerEvent {
            name: event.name,
            args: args_to_python(py, event.args)?.unbind(),
            ack: event.ack.map(|ack| (connection, ack)),
        }
        .made(py, shown),
        Core::Policy { name, message } => PolicySwap { name, message }.made(py, shown),
    }
}
