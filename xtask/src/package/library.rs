//! The two wheels that other add-ons take in: the Blender half, and the native one beside it.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::package::{Parts, staging};
use crate::setup;

pub fn build(parts: &Parts) -> Result<[PathBuf; 2]> {
    let (layout, folder) = (parts.layout, parts.layout.packages());
    // uv brings what it builds with: nothing is downloaded.
    setup::uv(layout, "building the wheel of the Blender half")?
        .args(["build", "--offline", "--wheel", "--out-dir"])
        .arg(&folder)
        .arg(layout.root().join("addon"))
        .quiet()
        .run()?;
    let name = parts.wheel.file_name().context("the wheel has no name")?;
    let native = folder.join(name);
    staging::copy_file(parts.wheel, &native)?;
    let version = env!("CARGO_PKG_VERSION");
    let library = folder.join(format!("cr8_lifeline_addon-{version}-py3-none-any.whl"));
    Ok([library, native])
}
