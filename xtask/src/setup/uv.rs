//! uv, which makes the Python environments.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::layout::Layout;
use crate::process::{self, Step};
use crate::setup::apt;

/// The oldest that knows which group is for which Python; pyproject.toml says the same.
const OLDEST: (u32, u32) = (0, 8);

/// The one on the search path if it will do, else ours, installed if need be.
pub fn ensure(layout: &Layout) -> Result<PathBuf> {
    if let Some(found) = process::find_program("uv").filter(|it| will_do(it)) {
        return Ok(found);
    }
    let folder = layout.tools().join("uv");
    let ours = folder.join("bin/uv");
    if will_do(&ours) {
        return Ok(ours);
    }
    Step::new("making a Python environment for uv", python()?)
        .args(["-m", "venv", "--clear"])
        .arg(&folder)
        .quiet()
        .run()?;
    Step::new("installing uv into it", folder.join("bin/python"))
        .args(["-m", "pip", "install", "--disable-pip-version-check"])
        .args(["--quiet", "--require-hashes", "--requirement"])
        .arg(layout.root().join("xtask/src/setup/uv.txt"))
        .quiet()
        .hint("check the network, or install uv yourself and put it on the search path")
        .run()?;
    Ok(ours)
}

/// A step that sees the Pythons of this machine, and no others.
pub fn step(what: impl Into<String>, uv: &Path) -> Result<Step> {
    Ok(Step::new(what, uv)
        .env("PATH", search_path()?)
        // Its own come from elsewhere than packages do, which not every machine reaches.
        .env("UV_PYTHON_DOWNLOADS", "never")
        .without_env("UV_PYTHON")
        .without_env("VIRTUAL_ENV"))
}

/// pyenv puts stand-ins on the search path, which refuse to be another Python than the chosen one.
fn search_path() -> Result<OsString> {
    let root = env::var_os("PYENV_ROOT")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".pyenv")));
    let versions = root.and_then(|root| fs::read_dir(root.join("versions")).ok());
    let mut folders: Vec<PathBuf> = versions
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    folders.sort();
    folders.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    env::join_paths(folders).context("the folder of a Python of pyenv cannot be searched; move it")
}

/// Any Python that can install uv.
fn python() -> Result<OsString> {
    let find = || {
        env::var_os("PYTHON")
            .into_iter()
            .chain(["python3", "/usr/bin/python3"].map(OsString::from))
            .find(|python| process::ask(python, ["-c", "import venv, ensurepip"]).is_some())
    };
    if let Some(found) = find() {
        return Ok(found);
    }
    let packages = ["python3", "python3-venv"];
    if apt::can_install() {
        apt::install(&packages)?;
    }
    find().with_context(|| {
        format!(
            "neither uv {}.{} or newer was found, nor a Python with venv and ensurepip to install \
             it with; install one (Debian: {}), or name it in PYTHON",
            OLDEST.0,
            OLDEST.1,
            packages.join(" ")
        )
    })
}

fn will_do(program: &Path) -> bool {
    process::ask(program, ["--version"]).and_then(|answer| parse_version(&answer)) >= Some(OLDEST)
}

/// `uv 0.13.9 (x86_64-unknown-linux-gnu)`.
fn parse_version(answer: &str) -> Option<(u32, u32)> {
    let mut parts = answer.strip_prefix("uv ")?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{OLDEST, parse_version};

    #[test]
    fn a_version_is_read_from_what_uv_prints() {
        assert_eq!(
            parse_version("uv 0.13.9 (x86_64-unknown-linux-gnu)"),
            Some((0, 13))
        );
        assert_eq!(parse_version("pip 24.0"), None);
        assert!(parse_version("uv 0.7.22") < Some(OLDEST));
        assert!(parse_version("uv 1.0.0") > Some(OLDEST));
        assert!(parse_version("") < Some(OLDEST));
    }
}
