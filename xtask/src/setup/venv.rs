//! A virtual environment with the packages that tests/requirements.txt pins by hash.

use std::env;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::layout::Layout;
use crate::process::{self, Step};
use crate::setup::apt;

/// The one that tests/requirements.txt is resolved for. (The wheel itself runs from 3.10 on.)
const OLDEST: (u32, u32) = (3, 11);

/// Prints something only if the version will do and an environment can be made.
fn probe() -> String {
    format!("import sys, venv, ensurepip; print('good' if sys.version_info >= {OLDEST:?} else '')")
}

/// The one named by PYTHON, else the first that will do.
fn find_python() -> Option<PathBuf> {
    let named = env::var_os("PYTHON").map(PathBuf::from);
    let usual = [
        "python3",
        "python3.13",
        "python3.12",
        "python3.11",
        "/usr/bin/python3",
    ];
    named
        .into_iter()
        .chain(usual.into_iter().map(PathBuf::from))
        .find(|python| process::ask(python, ["-c", &probe()]).is_some_and(|it| it == "good"))
}

fn python() -> Result<PathBuf> {
    if let Some(found) = find_python() {
        return Ok(found);
    }
    if apt::can_install() {
        apt::install(&["python3", "python3-venv"])?;
        if let Some(found) = find_python() {
            return Ok(found);
        }
    }
    let (major, minor) = OLDEST;
    bail!(
        "no Python {major}.{minor} or newer with venv and ensurepip was found; install one \
         (Debian: python3-venv), or name it in PYTHON"
    );
}

/// Made anew when the requirements change or its Python is gone.
pub fn ensure(layout: &Layout) -> Result<()> {
    let file = layout.root().join("tests/requirements.txt");
    let wanted = fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    let venv = layout.venv();
    // What was installed last, written when the installation was complete.
    let stamp = venv.join("requirements.installed");
    let works = process::ask(layout.venv_program("python"), ["-c", "print('good')"]).is_some();
    if works && fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    Step::new("making a Python environment in target/venv", python()?)
        .args(["-m", "venv", "--clear"])
        .arg(&venv)
        .quiet()
        .run()?;
    Step::new(
        "installing tests/requirements.txt into it",
        layout.venv_program("python"),
    )
    .args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ])
    .args(["--require-hashes", "--requirement"])
    .arg(&file)
    .quiet()
    .way_out("check the network; a hash that does not match means another file than the pinned one")
    .run()?;
    fs::write(&stamp, wanted).with_context(|| format!("{} cannot be written", stamp.display()))
}
