//! The command `cargo mutants`, which plants small mistakes.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::layout::Layout;
use crate::process;

/// Another version plants other mistakes, and calls them by other names.
const VERSION: &str = "27.1.0";

fn will_do(program: &Path) -> bool {
    process::ask(program, ["mutants", "--version"])
        .is_some_and(|answer| answer == format!("cargo-mutants {VERSION}"))
}

/// The one on the search path if it has the version, else ours, compiled if need be.
pub fn ensure(layout: &Layout) -> Result<PathBuf> {
    if let Some(found) = process::find_program("cargo-mutants").filter(|it| will_do(it)) {
        return Ok(found);
    }
    let ours = layout.tools().join("bin/cargo-mutants");
    if will_do(&ours) {
        return Ok(ours);
    }
    let scratch = layout.tools().join("build-mutants");
    process::cargo(format!(
        "compiling cargo-mutants {VERSION} (3 to 6 minutes, once)"
    ))
    .args(["install", "cargo-mutants", "--version", VERSION])
    .args(["--locked", "--force", "--root"])
    .arg(layout.tools())
    .env("CARGO_TARGET_DIR", &scratch)
    .dir(layout.root())
    .way_out(format!(
        "install cargo-mutants {VERSION} yourself and put it on the search path"
    ))
    .run()?;
    fs::remove_dir_all(&scratch)
        .with_context(|| format!("{} cannot be removed", scratch.display()))?;
    Ok(ours)
}
