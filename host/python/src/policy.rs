//! A policy by itself, as Python sees it: for tests of policies, without a line or a clock.

use crate::compiling::compiling;
use crate::convert::preferences;
use crate::errors::{PolicyError, SettingsError};
use lifeline::Call;
use lifeline::contract::{self, Action, ConnectError, Loss, Moment, Phase, Request, Scene};
use lifeline::settings::Settings;
use lifeline_sandbox::{Limits, Sandbox};
use lifeline_simulate::wave;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// A policy component, each call in an instance of its own.
#[pyclass(frozen, module = "cr8_lifeline")]
pub struct Policy {
    policy: lifeline_sandbox::Policy,
    /// One call at a time: there is room for a few instances only.
    turn: Mutex<()>,
    settings: Option<contract::Settings>,
}

/// Where a policy stands.
#[pyclass(frozen, eq, module = "cr8_lifeline")]
#[derive(PartialEq)]
pub struct State(contract::State);

/// A policy's answer.
#[pyclass(frozen, module = "cr8_lifeline")]
pub struct Decision {
    #[pyo3(get)]
    state: Py<State>,
    actions: Vec<Action>,
    #[pyo3(get)]
    wake_at: Option<u64>,
}

#[pymethods]
impl Policy {
    #[new]
    #[pyo3(signature = (policy=None, *, settings=None))]
    fn new(
        py: Python<'_>,
        policy: Option<&Bound<'_, PyAny>>,
        settings: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let settings = settings
            .map(|mapping| {
                Settings::resolve(&preferences(mapping)?, &BTreeMap::new())
                    .map(|settings| settings.timing)
                    .map_err(|error| SettingsError::new_err(error.to_string()))
            })
            .transpose()?;
        let bytes = policy.map(read).transpose()?;
        let compiling = compiling(py);
        let policy = py
            .detach(|| {
                let sandbox = Sandbox::new(Limits::default(), None, compiling)?;
                match bytes {
                    Some(bytes) => sandbox.load(&bytes),
                    None => sandbox.load_embedded(&lifeline::FIVE_MINUTES),
                }
            })
            .map_err(|error| PolicyError::new_err(error.to_string()))?;
        Ok(Policy {
            policy,
            turn: Mutex::new(()),
            settings,
        })
    }

    #[getter]
    fn name(&self) -> &str {
        &self.policy.identity().name
    }

    #[getter]
    fn version(&self) -> &str {
        &self.policy.identity().version
    }

    #[getter]
    fn about(&self) -> &str {
        &self.policy.identity().about
    }

    #[getter]
    fn sha256(&self) -> &str {
        &self.policy.identity().sha256
    }

    #[pyo3(signature = (now, **circumstances))]
    fn start(
        &self,
        py: Python<'_>,
        now: u64,
        circumstances: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Decision> {
        let before = contract::State {
            phase: Phase::Connected,
            seen: now,
            memo: Vec::new(),
        };
        self.call(py, &Call::Start, &before, now, circumstances)
    }

    #[pyo3(signature = (state, now, **circumstances))]
    fn on_connect(
        &self,
        py: Python<'_>,
        state: &State,
        now: u64,
        circumstances: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Decision> {
        self.call(py, &Call::OnConnect, &state.0, now, circumstances)
    }

    #[pyo3(signature = (state, now, why, **circumstances))]
    fn on_connect_error(
        &self,
        py: Python<'_>,
        state: &State,
        now: u64,
        why: &str,
        circumstances: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Decision> {
        let why = match why {
            "unreachable" => ConnectError::Unreachable,
            "timed-out" => ConnectError::TimedOut,
            "refused" => ConnectError::Refused,
            other => return Err(unknown("why", other, "unreachable, timed-out, refused")),
        };
        self.call(py, &Call::OnConnectError(why), &state.0, now, circumstances)
    }

    #[pyo3(signature = (state, now, why, **circumstances))]
    fn on_disconnect(
        &self,
        py: Python<'_>,
        state: &State,
        now: u64,
        why: &str,
        circumstances: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Decision> {
        let why = match why {
            "never-connected" => Loss::NeverConnected,
            "transport-error" => Loss::TransportError,
            // What people are told of a silence that the host has found itself.
            "ping-timeout" | "frozen" => Loss::PingTimeout,
            "server-disconnect" => Loss::ServerDisconnect,
            other => {
                let known = "never-connected, transport-error, ping-timeout, server-disconnect";
                return Err(unknown("why", other, known));
            }
        };
        self.call(py, &Call::OnDisconnect(why), &state.0, now, circumstances)
    }

    #[pyo3(signature = (state, now, failure=None, **circumstances))]
    fn on_saved(
        &self,
        py: Python<'_>,
        state: &State,
        now: u64,
        failure: Option<String>,
        circumstances: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Decision> {
        let outcome = failure.map_or(Ok(()), Err);
        self.call(py, &Call::OnSaved(outcome), &state.0, now, circumstances)
    }

    #[pyo3(signature = (state, now, request, duration=0, **circumstances))]
    fn on_request(
        &self,
        py: Python<'_>,
        state: &State,
        now: u64,
        request: &str,
        duration: u64,
        circumstances: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Decision> {
        let request = match request {
            "hold" => Request::Hold,
            "extend" => Request::Extend(duration),
            "release" => Request::Release,
            "close-now" => Request::CloseNow,
            other => {
                return Err(unknown(
                    "request",
                    other,
                    "hold, extend, release, close-now",
                ));
            }
        };
        self.call(py, &Call::OnRequest(request), &state.0, now, circumstances)
    }

    #[pyo3(signature = (state, now, **circumstances))]
    fn tick(
        &self,
        py: Python<'_>,
        state: &State,
        now: u64,
        circumstances: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Decision> {
        self.call(py, &Call::Tick, &state.0, now, circumstances)
    }

    fn __repr__(&self) -> String {
        format!("<Policy {}>", self.policy.identity())
    }
}

impl Policy {
    fn call(
        &self,
        py: Python<'_>,
        call: &Call,
        state: &contract::State,
        now: u64,
        circumstances: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Decision> {
        let mut moment = Moment {
            settings: self.settings.clone(),
            ..Moment::at(now)
        };
        if let Some(circumstances) = circumstances {
            take(circumstances, &mut moment)?;
        }
        let decision = py
            .detach(|| {
                let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
                self.policy.call(call, state, &moment)
            })
            .map_err(|error| PolicyError::new_err(format!("{}: {error}", call.name())))?;
        Ok(Decision {
            state: Py::new(py, State(decision.state))?,
            actions: decision.actions,
            wake_at: decision.wake_at,
        })
    }
}

#[pymethods]
impl State {
    #[getter]
    fn phase(&self) -> &'static str {
        self.0.phase.name()
    }

    #[getter]
    fn seen(&self) -> u64 {
        self.0.seen
    }

    #[getter]
    fn attempts(&self) -> Option<u32> {
        Some(self.0.phase.outage()?.attempts)
    }

    #[getter]
    fn deadline(&self) -> Option<u64> {
        match &self.0.phase {
            Phase::CountingDown(countdown) => Some(countdown.deadline),
            _ => None,
        }
    }

    #[getter]
    fn memo<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.memo)
    }

    fn __repr__(&self) -> String {
        format!("<State {} at {}>", self.phase(), self.0.seen)
    }
}

#[pymethods]
impl Decision {
    #[getter]
    fn actions(&self) -> Vec<String> {
        self.actions.iter().map(wave::action).collect()
    }

    fn __repr__(&self) -> String {
        let wake = self
            .wake_at
            .map_or_else(|| "none".to_owned(), |at| at.to_string());
        let phase = self.state.get().0.phase.name();
        format!(
            "<Decision {phase}, actions [{}], wake at {wake}>",
            self.actions().join(", ")
        )
    }
}

fn read(policy: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    if let Ok(bytes) = policy.cast::<PyBytes>() {
        return Ok(bytes.as_bytes().to_vec());
    }
    let Ok(path) = policy.extract::<PathBuf>() else {
        let kind = policy.get_type().name()?;
        return Err(PolicyError::new_err(format!(
            "policy is a {kind}: expected a path or bytes"
        )));
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "a file that a test or a tool names"
    )]
    let bytes = fs::read(&path);
    bytes.map_err(|error| PolicyError::new_err(format!("{}: {error}", path.display())))
}

/// `due`, `entropy`, `cut_off`, and what is known of the scene.
fn take(circumstances: &Bound<'_, PyDict>, moment: &mut Moment) -> PyResult<()> {
    let mut scene = None;
    let unseen = || Scene {
        modified: false,
        untitled: false,
        rendering: false,
    };
    for (name, value) in circumstances {
        match name.extract::<String>()?.as_str() {
            "due" => moment.due = value.extract()?,
            "entropy" => moment.entropy = value.extract()?,
            "cut_off" => moment.cut_off = value.extract()?,
            "modified" => scene.get_or_insert_with(unseen).modified = value.extract()?,
            "untitled" => scene.get_or_insert_with(unseen).untitled = value.extract()?,
            "rendering" => scene.get_or_insert_with(unseen).rendering = value.extract()?,
            other => {
                let known = "due, entropy, cut_off, modified, untitled, rendering";
                return Err(unknown("argument", other, known));
            }
        }
    }
    moment.scene = scene;
    Ok(())
}

fn unknown(what: &str, given: &str, known: &str) -> PyErr {
    PolicyError::new_err(format!("{what}: there is no {given:?}; there are {known}"))
}
