//! `Lifeline`, as Python sees it.

use crate::compiling::compiling;
use crate::convert::{args_from_python, environment, preferences, to_python};
use crate::errors::{LifelineError, PolicyError, SettingsError, raised};
use crate::event::event;
use lifeline::contract::Scene;
use lifeline::keep::Digest;
use lifeline::settings::{Renewed, Settings};
use lifeline::{PolicySource, Saved};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// One line to one server, with its own host thread.
#[pyclass(frozen, module = "cr8_lifeline")]
pub struct Lifeline(lifeline::Lifeline);

#[pymethods]
impl Lifeline {
    #[new]
    #[pyo3(signature = (settings=None, policy=None, *, environ=None))]
    fn new(
        py: Python<'_>,
        settings: Option<&Bound<'_, PyAny>>,
        policy: Option<&Bound<'_, PyAny>>,
        environ: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let preferences = settings.map_or_else(|| Ok(Map::new()), preferences)?;
        let environment = environ.map_or_else(|| Ok(process_environment()), environment)?;
        let mut settings = Settings::resolve(&preferences, &environment)
            .map_err(|error| SettingsError::new_err(error.to_string()))?;
        settings.policy.compiling = compiling(py);
        let policy = policy.map(source).transpose()?;
        Ok(Lifeline(lifeline::Lifeline::new(settings, policy)))
    }

    fn connect(&self) -> PyResult<()> {
        self.0.connect().map_err(raised)
    }

    fn poll(&self, py: Python<'_>) -> Vec<Py<PyAny>> {
        let events = self.0.poll().into_iter();
        events.filter_map(|one| event(py, one)).collect()
    }

    fn claim(&self, ticket: u64) -> bool {
        self.0.claim(ticket)
    }

    fn saving(&self, ticket: u64, path: PathBuf) {
        self.0.saving(ticket, path);
    }

    #[pyo3(signature = (ticket, path, *, recovery=false, failures=Vec::new(), digest=None, render=None))]
    fn saved(
        &self,
        ticket: u64,
        path: PathBuf,
        recovery: bool,
        failures: Vec<Bound<'_, PyString>>,
        digest: Option<(u64, String, f64)>,
        render: Option<PathBuf>,
    ) -> PyResult<()> {
        let saved = Saved {
            path,
            recovery,
            failures: texts(&failures),
            digest: digest.map(verified).transpose()?,
            render,
        };
        self.0.answer(ticket, Ok(saved));
        Ok(())
    }

    fn save_failed(&self, ticket: u64, reasons: Vec<Bound<'_, PyString>>) {
        self.0.answer(ticket, Err(texts(&reasons)));
    }

    fn copied_early(&self, path: Option<PathBuf>) {
        self.0.copied_early(path);
    }

    fn save_first(&self, ticket: u64) {
        self.0.save_first(ticket);
    }

    #[pyo3(signature = (*, modified, untitled, rendering, path))]
    fn scene(&self, modified: bool, untitled: bool, rendering: bool, path: &Bound<'_, PyString>) {
        self.0.scene(
            Scene {
                modified,
                untitled,
                rendering,
            },
            path.to_string_lossy().into_owned(),
        );
    }

    #[pyo3(signature = (*, by=""))]
    fn hold(&self, by: &str) {
        self.0.hold(by);
    }

    #[pyo3(signature = (seconds, *, by=""))]
    fn extend(&self, seconds: f64, by: &str) -> PyResult<()> {
        self.0.extend(seconds, by).map_err(raised)
    }

    #[pyo3(signature = (*, by=""))]
    fn release(&self, by: &str) {
        self.0.release(by);
    }

    #[pyo3(signature = (*, by=""))]
    fn close_now(&self, by: &str) {
        self.0.close_now(by);
    }

    fn try_now(&self) {
        self.0.try_now();
    }

    #[pyo3(signature = (event, data=None))]
    fn emit(&self, event: &str, data: Option<&Bound<'_, PyAny>>) -> PyResult<bool> {
        self.0.emit(event, args_from_python(data)?).map_err(raised)
    }

    #[pyo3(signature = (ack, data=None))]
    fn answer(&self, ack: (u64, u64), data: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let (connection, ack) = ack;
        self.0
            .answer_server(connection, ack, args_from_python(data)?);
        Ok(())
    }

    fn wait(&self, py: Python<'_>, timeout: f64) -> PyResult<bool> {
        let timeout = seconds(timeout)?;
        Ok(py.detach(|| self.0.wait(timeout)))
    }

    fn status<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let status = py.detach(|| self.0.status());
        to_python(py, &status)
    }

    fn metrics(&self, py: Python<'_>) -> String {
        py.detach(|| self.0.metrics())
    }

    fn swap_policy(&self, policy: &Bound<'_, PyAny>) -> PyResult<()> {
        self.0.swap_policy(source(policy)?);
        Ok(())
    }

    fn revert_policy(&self) {
        self.0.revert_policy();
    }

    #[pyo3(signature = (*, token=None, save=None, expires_at=None))]
    fn credentials(
        &self,
        token: Option<String>,
        save: Option<String>,
        expires_at: Option<f64>,
    ) -> PyResult<()> {
        let given = json!({"token": token, "save": save, "expires_at": expires_at});
        let renewed = Renewed::parse(&given).map_err(SettingsError::new_err)?;
        self.0.credentials(renewed);
        Ok(())
    }

    fn settings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, &Value::Object(self.0.settings().shown().clone()))
    }

    #[pyo3(signature = (timeout=2.0, *, closing=false))]
    fn close(&self, py: Python<'_>, timeout: f64, closing: bool) -> PyResult<bool> {
        let timeout = seconds(timeout)?;
        Ok(py.detach(|| self.0.close(timeout, closing)))
    }

    fn _inject_fault(&self) {
        self.0.inject_fault();
    }

    #[getter]
    fn closed(&self) -> bool {
        self.0.is_closed()
    }

    fn __repr__(&self) -> String {
        match &self.0.settings().server {
            Some(server) => format!("<Lifeline to {server}>"),
            None => "<Lifeline, no server>".to_string(),
        }
    }
}

fn seconds(timeout: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(timeout)
        .map_err(|_| LifelineError::new_err("timeout: expected seconds, 0 or more"))
}

/// A variable that is not UTF-8 is none of ours.
fn process_environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// A path may not be UTF-8.
fn texts(texts: &[Bound<'_, PyString>]) -> Vec<String> {
    let lossy = |text: &Bound<'_, PyString>| text.to_string_lossy().into_owned();
    texts.iter().map(lossy).collect()
}

/// What the add-on has verified: bytes, SHA-256, and seconds.
fn verified((bytes, sha256, seconds): (u64, String, f64)) -> PyResult<Digest> {
    let is_hex = |it: u8| matches!(it, b'0'..=b'9' | b'a'..=b'f');
    if sha256.len() != 64 || !sha256.bytes().all(is_hex) {
        return Err(PyValueError::new_err(
            "digest: its SHA-256 is not 64 lower-case hexadecimal digits",
        ));
    }
    if !seconds.is_finite() || seconds < 0.0 {
        return Err(PyValueError::new_err(format!(
            "digest: {seconds} is no number of seconds"
        )));
    }
    Ok(Digest {
        bytes,
        sha256,
        seconds,
    })
}

fn source(policy: &Bound<'_, PyAny>) -> PyResult<PolicySource> {
    if let Ok(bytes) = policy.cast::<PyBytes>() {
        return Ok(PolicySource::Bytes(bytes.as_bytes().to_vec()));
    }
    if let Ok(path) = policy.extract::<PathBuf>() {
        return Ok(PolicySource::Path(path));
    }
    let kind = policy.get_type().name()?;
    Err(PolicyError::new_err(format!(
        "policy is a {kind}: expected a path or bytes"
    )))
}
