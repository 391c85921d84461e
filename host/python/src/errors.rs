//! The exceptions, and which error becomes which.

use pyo3::exceptions::PyException;
use pyo3::{PyErr, create_exception};

create_exception!(
    cr8_lifeline,
    LifelineError,
    PyException,
    "Base of every error raised here."
);
create_exception!(
    cr8_lifeline,
    SettingsError,
    LifelineError,
    "A setting cannot be used."
);
create_exception!(
    cr8_lifeline,
    PolicyError,
    LifelineError,
    "A policy cannot be used."
);
create_exception!(
    cr8_lifeline,
    ClosedError,
    LifelineError,
    "The object was closed before."
);

pub fn raised(error: lifeline::LifelineError) -> PyErr {
    match error {
        lifeline::LifelineError::Closed => ClosedError::new_err(error.to_string()),
        lifeline::LifelineError::NoServer => SettingsError::new_err(error.to_string()),
        _ => LifelineError::new_err(error.to_string()),
    }
}
