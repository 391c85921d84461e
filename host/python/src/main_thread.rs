//! The process's main thread, as another one sees it.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

#[pyfunction]
#[pyo3(signature = (function, *args, **options))]
pub fn while_main_thread_sleeps(
    function: &Bound<'_, PyAny>,
    args: &Bound<'_, PyTuple>,
    options: Option<&Bound<'_, PyDict>>,
) -> PyResult<bool> {
    // From here to the call Python's lock stays ours.
    if !main_thread_sleeps() {
        return Ok(false);
    }
    function.call(args, options)?;
    Ok(true)
}

/// False also where nobody knows, and on processors on which what one thread has written another may
/// see in another order.
fn main_thread_sleeps() -> bool {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return false;
    }
    let path = format!("/proc/self/task/{}/stat", std::process::id());
    #[expect(clippy::disallowed_methods, reason = "a file of the system's own")]
    let stat = std::fs::read_to_string(path);
    // Behind the program's name, which is in brackets and may have any in it.
    stat.is_ok_and(|stat| {
        stat.rsplit_once(')')
            .is_some_and(|(_, rest)| rest.trim_start().starts_with('S'))
    })
}
