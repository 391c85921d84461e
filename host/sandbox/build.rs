//! Tells the crate which target it is built for: the one that a policy is compiled for.

use std::env;

fn main() -> Result<(), String> {
    println!("cargo::rerun-if-changed=build.rs");
    let target = env::var("TARGET").map_err(|error| error.to_string())?;
    println!("cargo::rustc-env=LIFELINE_TARGET={target}");
    Ok(())
}
