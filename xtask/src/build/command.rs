//! The command `lifeline`.

use std::path::PathBuf;

use anyhow::Result;

use crate::layout::Layout;
use crate::process;

/// Build it into `target/release`. The policies must have been built: one is embedded.
pub fn command(layout: &Layout) -> Result<PathBuf> {
    process::cargo("building the command lifeline")
        .args(["build", "--release", "--package", "lifeline-cli"])
        .dir(layout.root())
        .run()?;
    Ok(layout.target().join("release/lifeline"))
}
