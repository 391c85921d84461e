//! The command `lifeline`, for `python -m cr8_lifeline` and for the add-on's preferences.

use crate::compiling::compiling;
use pyo3::prelude::*;
use std::ffi::OsString;
use std::io::{Write, stderr, stdout};

/// Runs the command with these arguments (without the program's name) on the process's own stdout
/// and stderr. Gives the exit code.
#[pyfunction]
pub fn _command_line(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    let compiling = compiling(py);
    py.detach(|| {
        let args = std::iter::once(OsString::from("lifeline")).chain(arguments);
        let mut out = stdout().lock();
        let code = lifeline_cli::run(args, compiling, &mut out, &mut stderr());
        // What cannot be written was found out before.
        let _ = out.flush();
        code
    })
}

/// Runs it for a program: the exit code, what it prints, and what it complains of.
#[pyfunction]
pub fn run_command(py: Python<'_>, arguments: Vec<OsString>) -> (u8, String, String) {
    let compiling = compiling(py);
    py.detach(|| {
        let args = std::iter::once(OsString::from("lifeline")).chain(arguments);
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = lifeline_cli::run(args, compiling, &mut out, &mut err);
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (code, text(out), text(err))
    })
}
