//! Virtual environments, each with the packages that a file in `tests/` pins by hash.

use std::env;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::layout::{Bpy, Layout};
use crate::process::{self, Step};
use crate::setup::{Part, apt};

/// Major and minor.
type Version = (u32, u32);

/// The Pythons that an environment can be made with.
#[derive(Clone, Copy, Debug)]
enum Pythons {
    From(Version),
    Only(Version),
}

impl Pythons {
    fn admit(self, version: Version) -> bool {
        match self {
            Self::From(oldest) => version >= oldest,
            Self::Only(one) => version == one,
        }
    }
}

impl fmt::Display for Pythons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::From((major, minor)) => write!(f, "Python {major}.{minor} or newer"),
            Self::Only((major, minor)) => write!(f, "Python {major}.{minor}, and no other,"),
        }
    }
}

/// What an environment is made of.
struct Environment {
    /// Its folder.
    folder: PathBuf,
    /// The pinned packages: a file in `tests/`.
    requirements: &'static str,
    pythons: Pythons,
    /// Debian's packages of such a Python.
    packages: &'static [&'static str],
    /// How long the installation takes, if it takes long; then pip's progress is shown.
    wait: Option<&'static str>,
    /// Modules that must load before the environment counts as made, and what helps if not.
    loads: Option<(&'static str, String)>,
}

/// For building, linting and testing. (The wheel itself runs from Python 3.10 on.)
pub fn ensure(layout: &Layout) -> Result<()> {
    Environment {
        folder: layout.venv(),
        requirements: "requirements.txt",
        pythons: Pythons::From((3, 11)),
        packages: &["python3", "python3-venv"],
        wait: None,
        loads: None,
    }
    .ensure(layout)
}

/// What Lifeline is measured beside, apart from what it is tested with.
pub fn ensure_bench(layout: &Layout) -> Result<()> {
    Environment {
        folder: layout.venv_bench(),
        requirements: "requirements-bench.txt",
        pythons: Pythons::From((3, 11)),
        packages: &["python3", "python3-venv"],
        wait: None,
        loads: None,
    }
    .ensure(layout)
}

/// Blender as a Python module, apart from the rest: it brings a gigabyte and pins of its own.
pub fn ensure_bpy(layout: &Layout, blender: Bpy) -> Result<()> {
    bpy(layout, blender).ensure(layout)
}

/// The same, unless it is for a Python that not everybody can have and nobody has here: then that
/// is said, and what needs it must do without.
pub fn ensure_bpy_where_possible(layout: &Layout, blender: Bpy) -> Result<()> {
    let environment = bpy(layout, blender);
    if find_python(environment.pythons).is_some() {
        return environment.ensure(layout);
    }
    eprintln!(
        "  without Blender {}: {} was not found; install one with venv and ensurepip (Debian has \
         it from 13 on; elsewhere pyenv), or name it in PYTHON",
        blender.line(),
        environment.pythons
    );
    Ok(())
}

fn bpy(layout: &Layout, blender: Bpy) -> Environment {
    let (requirements, pythons, packages): (_, _, &[_]) = match blender {
        Bpy::V4_5 => (
            "requirements-bpy.txt",
            Pythons::Only((3, 11)),
            &["python3.11", "python3.11-venv"],
        ),
        Bpy::V5_0 => (
            "requirements-bpy-5.0.txt",
            Pythons::Only((3, 11)),
            &["python3.11", "python3.11-venv"],
        ),
        Bpy::V5_2 => ("requirements-bpy-5.2.txt", Pythons::Only((3, 13)), &[]),
    };
    Environment {
        folder: layout.venv_bpy(blender),
        requirements,
        pythons,
        packages,
        wait: Some("a download of 400 MB; a minute or two, once"),
        loads: Some((
            "bpy",
            format!(
                "install the library that the error names; bpy needs {}",
                apt::names_of(Part::Bpy).join(", ")
            ),
        )),
    }
}

impl Environment {
    /// Made anew when the requirements change or its Python is gone.
    fn ensure(&self, layout: &Layout) -> Result<()> {
        let file = layout.root().join("tests").join(self.requirements);
        let wanted =
            fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
        // What was installed last, written when the installation was complete.
        let stamp = self.folder.join("requirements.installed");
        let program = self.folder.join("bin/python");
        let works = process::ask(&program, ["-c", "print('good')"]).is_some();
        if works && fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
            return Ok(());
        }
        let shown = self
            .folder
            .strip_prefix(layout.root())
            .unwrap_or(&self.folder);
        Step::new(
            format!("making a Python environment in {}", shown.display()),
            self.python()?,
        )
        .args(["-m", "venv", "--clear"])
        .arg(&self.folder)
        .quiet()
        .run()?;
        self.install(&program, &file)?;
        if let Some((module, way_out)) = &self.loads {
            Step::new(format!("loading {module} from it"), &program)
                .args(["-c", &format!("import {module}")])
                .quiet()
                .way_out(way_out)
                .run()?;
        }
        fs::write(&stamp, wanted).with_context(|| format!("{} cannot be written", stamp.display()))
    }

    fn install(&self, program: &Path, file: &Path) -> Result<()> {
        let what = format!("installing tests/{} into it", self.requirements);
        let what = match self.wait {
            Some(wait) => format!("{what} ({wait})"),
            None => what,
        };
        let pip = Step::new(what, program)
            .args(["-m", "pip", "install", "--disable-pip-version-check"])
            .args(["--require-hashes", "--requirement"])
            .arg(file)
            .way_out(
                "check the network; a hash that does not match means another file than the \
                 pinned one, and no matching file means another kind of machine than it is for",
            );
        if self.wait.is_some() {
            pip.run()
        } else {
            pip.arg("--quiet").quiet().run()
        }
    }

    fn python(&self) -> Result<PathBuf> {
        if let Some(found) = find_python(self.pythons) {
            return Ok(found);
        }
        if apt::can_install() {
            // Debian may have no such Python; what to do then is said below.
            if let Err(error) = apt::install(self.packages) {
                eprintln!("  {error:#}");
            }
            if let Some(found) = find_python(self.pythons) {
                return Ok(found);
            }
        }
        bail!(
            "{} with venv and ensurepip was not found, and tests/{} is for it; install one \
             (where Debian has it: {}), or name it in PYTHON",
            self.pythons,
            self.requirements,
            self.packages.join(" ")
        );
    }
}

/// The version, if an environment can be made with this Python.
fn version(python: &Path) -> Option<Version> {
    let probe = "import sys, venv, ensurepip; print(*sys.version_info[:2])";
    parse_version(&process::ask(python, ["-c", probe])?)
}

/// `3 11`.
fn parse_version(answer: &str) -> Option<Version> {
    let (major, minor) = answer.split_once(' ')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// The one named by PYTHON, else the first that will do.
fn find_python(pythons: Pythons) -> Option<PathBuf> {
    let named = env::var_os("PYTHON").map(PathBuf::from);
    let usual = [
        "python3",
        "python3.13",
        "python3.12",
        "python3.11",
        "/usr/bin/python3",
        "/usr/bin/python3.11",
    ];
    named
        .into_iter()
        .chain(usual.into_iter().map(PathBuf::from))
        // On the search path these have stand-ins, which refuse to be another than the chosen one.
        .chain(pyenvs())
        .find(|python| version(python).is_some_and(|version| pythons.admit(version)))
}

/// The Pythons that pyenv has made.
fn pyenvs() -> Vec<PathBuf> {
    let root = env::var_os("PYENV_ROOT")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".pyenv")));
    let Some(versions) = root.and_then(|root| fs::read_dir(root.join("versions")).ok()) else {
        return Vec::new();
    };
    let mut found: Vec<PathBuf> = versions
        .filter_map(|entry| Some(entry.ok()?.path().join("bin/python3")))
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::{Pythons, parse_version};

    #[test]
    fn a_version_is_read_from_what_python_prints() {
        assert_eq!(parse_version("3 11"), Some((3, 11)));
        assert_eq!(parse_version("3"), None);
        assert_eq!(parse_version("no such module"), None);
    }

    #[test]
    fn bpy_takes_one_python_and_the_rest_takes_newer_ones_too() {
        let from = Pythons::From((3, 11));
        assert!(from.admit((3, 11)) && from.admit((3, 13)) && from.admit((4, 0)));
        assert!(!from.admit((3, 9)) && !from.admit((2, 12)));
        let only = Pythons::Only((3, 11));
        assert!(only.admit((3, 11)));
        assert!(!only.admit((3, 13)) && !only.admit((3, 10)));
    }
}
