//! Node.js, and the packages that `browser/package-lock.json` names.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::layout::Layout;
use crate::process::{self, Step};

/// What Vite runs on: major and minor. Debian 12 has an older one.
const OLDEST: (u32, u32) = (20, 19);

/// `npm`, beside a Node.js that will do.
pub fn npm() -> Result<PathBuf> {
    let found = process::ask("node", ["--version"]);
    let will_do = found.as_deref().and_then(parse_version) >= Some(OLDEST);
    match process::find_program("npm").filter(|_| will_do) {
        Some(npm) => Ok(npm),
        None => bail!(
            "Node.js {}.{} or later with npm is needed, and {} was found; install one (its own \
             packages are at nodejs.org) and put it on the search path",
            OLDEST.0,
            OLDEST.1,
            found.as_deref().unwrap_or("none"),
        ),
    }
}

/// Installed anew when the lock file changes.
pub fn ensure(layout: &Layout) -> Result<()> {
    let npm = npm()?;
    let lock = layout.browser().join("package-lock.json");
    let wanted = fs::read(&lock).with_context(|| format!("{} cannot be read", lock.display()))?;
    // What was installed last, written when the installation was complete.
    let stamp = layout.browser().join("node_modules/.installed");
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    Step::new("installing browser/package-lock.json", npm)
        .args(["ci", "--no-audit", "--no-fund"])
        .dir(&layout.browser())
        .quiet()
        .way_out("check the network, and the registry that npm is set to")
        .run()?;
    fs::write(&stamp, wanted).with_context(|| format!("{} cannot be written", stamp.display()))
}

/// `v20.19.4`.
fn parse_version(answer: &str) -> Option<(u32, u32)> {
    let mut parts = answer.strip_prefix('v')?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{OLDEST, parse_version};

    #[test]
    fn a_version_is_read_from_what_node_prints() {
        assert_eq!(parse_version("v20.19.4"), Some((20, 19)));
        assert_eq!(parse_version("20.19.4"), None);
        assert!(parse_version("v18.20.4") < Some(OLDEST));
        assert!(parse_version("v22.1.0") > Some(OLDEST));
        assert!(parse_version("") < Some(OLDEST));
    }
}
