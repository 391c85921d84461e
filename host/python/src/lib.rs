//! `cr8_lifeline._native`: Lifeline for Python. A thin layer: every decision is in the crate
//! `lifeline`. The stub `_native.pyi` is the documentation.

mod command;
mod compiling;
mod convert;
mod errors;
mod event;
mod line;
mod main_thread;
mod policy;
mod table;

use pyo3::prelude::*;

#[pymodule]
mod _native {
    use super::*;

    #[pymodule_export]
    use super::command::{_command_line, run_command};
    #[pymodule_export]
    use super::compiling::_compile;
    #[pymodule_export]
    use super::errors::{ClosedError, LifelineError, PolicyError, SettingsError};
    #[pymodule_export]
    use super::event::{
        Close, Connected, Countdown, EarlyCopy, Event, Held, Log, Lost, PolicySwap, Quit,
        Recovered, Save, ServerEvent, Warn,
    };
    #[pymodule_export]
    use super::line::Lifeline;
    #[pymodule_export]
    use super::main_thread::while_main_thread_sleeps;
    #[pymodule_export]
    use super::policy::{Decision, Policy, State};
    #[pymodule_export]
    use super::table::settings_table;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
