//! The wasmtime command, for calling policies by hand and in the suite `policy`, which compiles
//! the large ones ahead.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::layout::Layout;
use crate::process;
use crate::setup::venv;

/// What is compiled where there is none: the library's. Any of the same major version will do, since
/// it reads components alike; what it has compiled nobody runs but itself.
const VERSION: &str = "48.0.8";

/// The smallest component: it holds nothing.
const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

/// `wasmtime 48.0.8 (…)` → `48`.
fn major_in(answer: &str) -> Option<&str> {
    major(answer.strip_prefix("wasmtime ")?)
}

fn major(version: &str) -> Option<&str> {
    version.split_once('.').map(|(major, _)| major)
}

/// It has the major version, and can compile ahead of a run: a trimmed one may not.
fn will_do(program: &Path) -> bool {
    process::ask(program, ["--version"]).is_some_and(|answer| major_in(&answer) == major(VERSION))
        && can_compile(program)
}

fn can_compile(program: &Path) -> bool {
    let file = env::temp_dir().join(format!("xtask-empty-{}.wasm", std::process::id()));
    let compiled = file.with_extension("cwasm");
    let compile = [
        OsStr::new("compile"),
        file.as_os_str(),
        OsStr::new("--output"),
        compiled.as_os_str(),
    ];
    let can = fs::write(&file, EMPTY).is_ok() && process::ask(program, compile).is_some();
    for left in [file, compiled] {
        // A few bytes that may stay.
        let _ = fs::remove_file(&left);
    }
    can
}

/// The one that a package of the group `dev` brings, where there is one. Not its entry point: that
/// one starts a Python first, 50 ms for each of some hundred calls.
fn packaged(layout: &Layout) -> Result<Option<PathBuf>> {
    venv::ensure(layout)?;
    let tell = "import wasmtime_cli; print(wasmtime_cli.__path__[0])";
    let folder = process::ask(layout.venv_program("python"), ["-c", tell]);
    Ok(folder.map(|it| PathBuf::from(it).join("wasmtime")))
}

/// The one on the search path if it will do, else the packaged one, else ours, compiled if need be.
pub fn ensure(layout: &Layout) -> Result<PathBuf> {
    if let Some(found) = process::find_program("wasmtime").filter(|it| will_do(it)) {
        return Ok(found);
    }
    if let Some(packaged) = packaged(layout)?.filter(|it| will_do(it)) {
        return Ok(packaged);
    }
    let ours = layout.tools().join("bin/wasmtime");
    if will_do(&ours) {
        return Ok(ours);
    }
    let scratch = layout.tools().join("build");
    let package = "wasmtime-cli";
    process::cargo(format!(
        "compiling the wasmtime command {VERSION} (5 to 10 minutes, once)"
    ))
    .args([
        "install",
        package,
        "--version",
        VERSION,
        "--locked",
        "--force",
    ])
    .args([
        "--no-default-features",
        "--features",
        "run,compile,cranelift,component-model,parallel-compilation,wat",
    ])
    .arg("--root")
    .arg(layout.tools())
    .env("CARGO_TARGET_DIR", &scratch)
    .dir(layout.root())
    .hint(format!(
        "install wasmtime {VERSION}, or another of its major version, with its `compile` yourself \
         and put it on the search path"
    ))
    .run()?;
    // A gigabyte that nobody needs again.
    fs::remove_dir_all(&scratch)
        .with_context(|| format!("{} cannot be removed", scratch.display()))?;
    Ok(ours)
}

#[cfg(test)]
mod tests {
    use super::{VERSION, can_compile, major, major_in};

    #[test]
    fn the_major_version_is_read_with_and_without_a_commit() {
        assert_eq!(
            major_in("wasmtime 48.0.8 (1234abcd 2026-09-01)"),
            Some("48")
        );
        assert_eq!(major_in("wasmtime 480.0.8"), Some("480"));
        assert_eq!(major_in("wasmtime-min 48.0.8"), None);
        assert!(major(VERSION).is_some());
    }

    #[test]
    fn a_program_that_refuses_to_compile_is_seen() {
        assert!(can_compile("true".as_ref()));
        assert!(!can_compile("false".as_ref()));
    }
}
