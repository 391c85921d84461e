//! Node.js, and the packages that `browser/package-lock.json` names.

use std::env;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::layout::Layout;
use crate::process::{self, Step};
use crate::setup::venv;

/// The oldest major version that is still looked after: what `browser/package.json` asks for.
/// Where there is none, it is installed into a folder of its own.
const OLDEST: u32 = 22;

/// `npm`, beside a Node.js that will do: the system's, or our own.
pub fn npm_program(layout: &Layout) -> PathBuf {
    systems_own().unwrap_or_else(|| layout.venv_node().join("bin/npm"))
}

/// A step of npm's. It finds its Node.js on the search path, and so does what it runs.
pub fn npm(layout: &Layout, what: impl Into<String>) -> Result<Step> {
    let program = npm_program(layout);
    let before = env::var_os("PATH").unwrap_or_default();
    let folders = program.parent().map(PathBuf::from).into_iter();
    let path = env::join_paths(folders.chain(env::split_paths(&before)))
        .context("the project's path holds a `:`, which a search path cannot have; move it")?;
    Ok(Step::new(what, program).env("PATH", path))
}

fn systems_own() -> Option<PathBuf> {
    let version = process::ask("node", ["--version"])?;
    process::find_program("npm").filter(|_| parse_version(&version) >= Some(OLDEST))
}

/// Installed anew when the lock file changes.
pub fn ensure(layout: &Layout) -> Result<()> {
    if systems_own().is_none() {
        venv::ensure_node(layout)?;
    }
    let lock = layout.browser().join("package-lock.json");
    let wanted = fs::read(&lock).with_context(|| format!("{} cannot be read", lock.display()))?;
    // What was installed last, written when the installation was complete.
    let stamp = layout.browser().join("node_modules/.installed");
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    npm(layout, "installing browser/package-lock.json")?
        .args(["ci", "--no-audit", "--no-fund"])
        .dir(&layout.browser())
        .quiet()
        .hint("check the network, and the registry that npm is set to")
        .run()?;
    fs::write(&stamp, wanted).with_context(|| format!("{} cannot be written", stamp.display()))
}

/// `v22.20.0`: its first number.
fn parse_version(answer: &str) -> Option<u32> {
    answer.strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{OLDEST, parse_version};

    #[test]
    fn a_version_is_read_from_what_node_prints() {
        assert_eq!(parse_version("v22.20.0"), Some(22));
        assert_eq!(parse_version("22.20.0"), None);
        assert!(parse_version("v20.20.2") < Some(OLDEST));
        assert!(parse_version("v24.1.0") > Some(OLDEST));
        assert!(parse_version("") < Some(OLDEST));
    }
}
