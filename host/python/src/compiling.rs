//! Where policies are compiled: in a Python of its own, which loads this very module.

use lifeline_sandbox::{Child, Compiling};
use pyo3::prelude::*;
use std::ffi::OsString;
use std::path::PathBuf;

/// What it runs; its argument is the folder of the package.
const PROGRAM: &str = "import sys; sys.path.insert(0, sys.argv[1]); from cr8_lifeline import _native; \
     sys.exit(_native._compile())";

/// With the Pythons that this one may have been started as. In Blender `sys.executable` is a guess.
pub fn compiling(py: Python<'_>) -> Compiling {
    match child(py) {
        Ok(child) => Compiling::Child(child),
        Err(_) => Compiling::Nowhere("Python does not say where it is"),
    }
}

fn child(py: Python<'_>) -> PyResult<Child> {
    let sys = py.import("sys")?;
    let path = |name: &str| -> Option<PathBuf> { sys.getattr(name).ok()?.extract().ok() };
    let version = py.version_info();
    let python = format!("python{}.{}", version.major, version.minor);
    let mut programs: Vec<PathBuf> = ["executable", "_base_executable"]
        .into_iter()
        .filter_map(path)
        .collect();
    programs.extend(path("exec_prefix").map(|it| it.join("bin").join(&python)));
    programs.extend(["/usr/bin", "/usr/local/bin"].map(|it| PathBuf::from(it).join(&python)));
    programs.retain(|it| it.is_file());
    programs.dedup();
    let package: PathBuf = py
        .import("cr8_lifeline")?
        .getattr("__file__")?
        .extract::<PathBuf>()?;
    let folder = package.ancestors().nth(2).map(PathBuf::from);
    // No variables, no site: nothing but this.
    let mut arguments: Vec<OsString> = ["-I", "-S", "-B", "-c", PROGRAM].map(OsString::from).into();
    arguments.extend(folder.map(OsString::from));
    Ok(Child {
        programs,
        arguments,
    })
}

/// The child's side. Gives its exit code.
#[pyfunction]
pub fn _compile(py: Python<'_>) -> u8 {
    py.detach(lifeline_sandbox::serve)
}
