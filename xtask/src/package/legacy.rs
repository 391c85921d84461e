//! For Blender 3.4 to 4.1, which knows no extensions: an add-on that carries its native module.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::package::Parts;
use crate::package::staging::{self, Staging};
use crate::process::Step;

pub fn build(parts: &Parts, staging: &Staging) -> Result<PathBuf> {
    let folder = staging.addon("legacy/cr8_router")?;
    // With it, a later Blender would take this for an extension that has lost its wheel.
    let manifest = folder.join("blender_manifest.toml");
    fs::remove_file(&manifest)
        .with_context(|| format!("{} cannot be removed", manifest.display()))?;
    let zipfile = |what: &str| {
        Step::new(what, parts.layout.venv_program("python"))
            .args(["-m", "zipfile"])
            .env("TZ", "UTC")
            .quiet()
    };
    // Where native.py of the add-on looks.
    zipfile("unpacking the wheel into the add-on")
        .arg("--extract")
        .arg(parts.wheel)
        .arg(folder.join("lifeline/vendor"))
        .run()?;
    staging::make_uniform(&folder)?;
    let zip = parts.zip("-legacy");
    zipfile("zipping the add-on for older Blenders")
        .arg("--create")
        .arg(&zip)
        .arg(&folder)
        .run()?;
    Ok(zip)
}
