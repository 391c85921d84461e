//! Programs that others make, compiled for this project alone if need be.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::layout::Layout;
use crate::process;

/// One of them, in the one version that will do.
pub struct CargoCommand {
    package: &'static str,
    version: &'static str,
    /// What it is compiled with, besides its defaults.
    features: &'static [&'static str],
}

/// Plants small mistakes. Another version plants others, and calls them by other names.
pub const MUTANTS: CargoCommand = CargoCommand {
    package: "cargo-mutants",
    version: "27.1.0",
    features: &[],
};

/// An S3 server on a folder, which checks signatures and their expiry. Later ones want a later Rust.
pub const STORE: CargoCommand = CargoCommand {
    package: "s3s-fs",
    version: "0.14.1",
    features: &["--features", "binary"],
};

/// Collects licences. Another version may word the same ones differently.
pub const ABOUT: CargoCommand = CargoCommand {
    package: "cargo-about",
    version: "0.9.3",
    features: &["--features", "cli"],
};

impl CargoCommand {
    fn will_do(&self, program: &Path) -> bool {
        let subcommand = self.package.trim_start_matches("cargo-");
        // Some know their version as a program, some as a command of cargo.
        [vec!["--version"], vec![subcommand, "--version"]]
            .into_iter()
            .filter_map(|arguments| process::ask(program, arguments))
            .any(|answer| answer == format!("{} {}", self.package, self.version))
    }

    /// The one on the search path if it has the version, else ours, compiled if need be.
    pub fn ensure(&self, layout: &Layout) -> Result<PathBuf> {
        let (package, version) = (self.package, self.version);
        if let Some(found) = process::find_program(package).filter(|it| self.will_do(it)) {
            return Ok(found);
        }
        let ours = layout.tools().join("bin").join(package);
        if self.will_do(&ours) {
            return Ok(ours);
        }
        let scratch = layout.tools().join(format!("build-{package}"));
        process::cargo(format!(
            "compiling {package} {version} (3 to 6 minutes, once)"
        ))
        .args(["install", package, "--version", version])
        .args(self.features)
        .args(["--locked", "--force", "--root"])
        .arg(layout.tools())
        .env("CARGO_TARGET_DIR", &scratch)
        .dir(layout.root())
        .hint(format!(
            "install {package} {version} yourself and put it on the search path"
        ))
        .run()?;
        fs::remove_dir_all(&scratch)
            .with_context(|| format!("{} cannot be removed", scratch.display()))?;
        Ok(ours)
    }
}
