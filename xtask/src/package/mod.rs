//! The zips that people install (an extension for Blender 4.2 and later, an add-on for older ones),
//! and the wheels for other add-ons.

mod extension;
mod legacy;
mod library;
pub mod licenses;
mod staging;

use std::env::consts::{ARCH, OS};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::build;
use crate::layout::Layout;
use crate::prepare::{Build, prepare};
use crate::process::Step;
use crate::setup::{self, Part};
use staging::Staging;

/// Build all that goes into them, and them; and show what the native module asks of a system.
pub fn run(layout: &Layout) -> Result<()> {
    prepare(layout, &[], &[Build::Wheel])?;
    let packages = build(layout)?;
    if cfg!(target_os = "linux") {
        Step::new("what the wheel needs", layout.venv_program("auditwheel"))
            .arg("show")
            .arg(build::built_wheel(layout)?)
            .with_our_stdout()
            .run()?;
    }
    for package in packages {
        println!("{}", package.display());
    }
    Ok(())
}

/// All of them, from the wheel as it is.
pub fn build(layout: &Layout) -> Result<[PathBuf; 4]> {
    // Blender's own tool comes with bpy.
    setup::ensure(layout, &[Part::Venv, Part::Bpy])?;
    let parts = Parts {
        layout,
        wheel: &build::built_wheel(layout)?,
        platform: platform(OS, ARCH)?,
    };
    let staging = Staging::new(layout)?;
    let extension = extension::build(&parts, &staging)?;
    let legacy = legacy::build(&parts, &staging)?;
    staging.remove()?;
    let [library, native] = library::build(&parts)?;
    Ok([extension, legacy, library, native])
}

/// What both are made of.
struct Parts<'a> {
    layout: &'a Layout,
    wheel: &'a Path,
    platform: &'static str,
}

impl Parts<'_> {
    /// `kind`: what tells it from the other one; may be empty.
    fn zip(&self, kind: &str) -> PathBuf {
        let (version, platform) = (env!("CARGO_PKG_VERSION"), self.platform);
        self.layout
            .packages()
            .join(format!("cr8_router-{version}{kind}-{platform}.zip"))
    }
}

/// What Blender calls this kind of machine.
fn platform(system: &str, machine: &str) -> Result<&'static str> {
    match (system, machine) {
        ("linux", "x86_64") => Ok("linux-x64"),
        ("linux", "aarch64") => Ok("linux-arm64"),
        ("macos", "x86_64") => Ok("macos-x64"),
        ("macos", "aarch64") => Ok("macos-arm64"),
        _ => bail!("Blender has no name for {system} on {machine}; package on Linux or macOS"),
    }
}

#[cfg(test)]
mod tests {
    use super::platform;

    #[test]
    fn a_machine_that_blender_does_not_run_on_is_refused() {
        assert!(platform("linux", "x86_64").is_ok_and(|name| name == "linux-x64"));
        assert!(platform("linux", "riscv64").is_err());
    }
}
