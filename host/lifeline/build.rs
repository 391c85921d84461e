//! Embeds the built-in policy, which `cargo xtask build` makes, and its machine code, if that lies
//! beside it.

#![allow(clippy::disallowed_methods, reason = "files of the build")]

use std::path::{Path, PathBuf};
use std::{env, fs};

/// Another place to take the component from, for builds outside this repository's layout.
const OVERRIDE: &str = "LIFELINE_FIVE_MINUTES";

fn main() -> Result<(), String> {
    println!("cargo::rerun-if-env-changed={OVERRIDE}");
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").map_err(|e| e.to_string())?);
    let out = PathBuf::from(env::var("OUT_DIR").map_err(|e| e.to_string())?);
    let component = env::var_os(OVERRIDE).map_or_else(
        || root.join("../../target/policies/five-minutes.wasm"),
        PathBuf::from,
    );
    println!("cargo::rerun-if-changed={}", component.display());
    let bytes = fs::read(&component).map_err(|error| {
        format!(
            "the built-in policy {} cannot be read ({error}): run `cargo xtask build` first, \
             or name a built five-minutes.wasm in {OVERRIDE}",
            component.display()
        )
    })?;
    embed(&out, "five-minutes.wasm", &bytes)?;
    // Whether it was made from this component is asked when it is loaded; without it, or with one
    // that does not fit, the component is compiled then.
    let code = component.with_extension("cwasm");
    println!("cargo::rerun-if-changed={}", code.display());
    embed(
        &out,
        "five-minutes.cwasm",
        &fs::read(&code).unwrap_or_default(),
    )
}

fn embed(out: &Path, name: &str, bytes: &[u8]) -> Result<(), String> {
    fs::write(out.join(name), bytes).map_err(|error| error.to_string())
}
