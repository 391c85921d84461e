//! The wasmtime command, for calling policies by hand and in the suite `policy`, which compiles
//! the large ones ahead.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::layout::Layout;
use crate::process;

/// The same as the library's, so that both read components alike.
const VERSION: &str = "48.0.8";

/// The smallest component: it holds nothing.
const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

/// `wasmtime 48.0.8 (…)` → `48.0.8`.
fn version_in(answer: &str) -> Option<&str> {
    answer.strip_prefix("wasmtime")?.split_whitespace().next()
}

/// It has the version, and can compile ahead of a run: a trimmed one may not.
fn will_do(program: &Path) -> bool {
    process::ask(program, ["--version"]).is_some_and(|answer| version_in(&answer) == Some(VERSION))
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

/// The one on the search path if it will do, else ours, compiled if need be.
pub fn ensure(layout: &Layout) -> Result<PathBuf> {
    if let Some(found) = process::find_program("wasmtime").filter(|it| will_do(it)) {
        return Ok(found);
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
    .way_out(format!(
        "install wasmtime {VERSION} with its `compile` yourself and put it on the search path"
    ))
    .run()?;
    // A gigabyte that nobody needs again.
    fs::remove_dir_all(&scratch)
        .with_context(|| format!("{} cannot be removed", scratch.display()))?;
    Ok(ours)
}

#[cfg(test)]
mod tests {
    use super::{can_compile, version_in};

    #[test]
    fn the_version_is_read_with_and_without_a_commit() {
        assert_eq!(
            version_in("wasmtime 48.0.8 (1234abcd 2026-09-01)"),
            Some("48.0.8")
        );
        assert_eq!(version_in("wasmtime 48.0.80"), Some("48.0.80"));
        assert_eq!(version_in("wasmer 48.0.8"), None);
    }

    #[test]
    fn a_program_that_refuses_to_compile_is_seen() {
        assert!(can_compile("true".as_ref()));
        assert!(!can_compile("false".as_ref()));
    }
}
