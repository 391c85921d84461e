//! Virtual environments, each with a group of `pyproject.toml`, in the versions of `uv.lock`.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::layout::{Bpy, Layout};
use crate::process::{self, Step};
use crate::setup::{Part, apt, uv};

/// What an environment is made of.
struct Environment<'a> {
    layout: &'a Layout,
    uv: PathBuf,
    /// Its folder.
    folder: PathBuf,
    group: &'static str,
    /// The Pythons that it can be made with, as uv takes it; pyproject.toml says the same.
    python: &'static str,
    /// Debian's package of such a Python.
    package: &'static str,
    /// Blender, which takes long to install, and may miss libraries of the system.
    is_blender: bool,
}

/// For building, linting and testing. (The wheel itself runs from Python 3.10 on.)
pub fn ensure(layout: &Layout) -> Result<()> {
    plain(layout, layout.venv(), "dev")?.ensure()
}

/// What Lifeline is measured beside, apart from what it is tested with.
pub fn ensure_bench(layout: &Layout) -> Result<()> {
    plain(layout, layout.venv_bench(), "bench")?.ensure()
}

/// Node.js, for systems whose own is too old, or missing.
pub fn ensure_node(layout: &Layout) -> Result<()> {
    plain(layout, layout.venv_node(), "node")?.ensure()
}

/// Blender as a Python module, apart from the rest: it brings a gigabyte and pins of its own.
pub fn ensure_bpy(layout: &Layout, blender: Bpy) -> Result<()> {
    bpy(layout, blender)?.ensure()
}

/// The same, unless it is for a Python that not everybody can have and nobody has here: then that
/// is said, and what needs it must do without.
pub fn ensure_bpy_where_possible(layout: &Layout, blender: Bpy) -> Result<()> {
    let environment = bpy(layout, blender)?;
    if environment.find_python()?.is_some() {
        return environment.ensure();
    }
    eprintln!(
        "  without Blender {}: Python {}, and no other, was not found; install one (Debian has it \
         from 13 on; elsewhere pyenv), or name it in PYTHON",
        blender.line(),
        environment.python
    );
    Ok(())
}

fn plain<'a>(layout: &'a Layout, folder: PathBuf, group: &'static str) -> Result<Environment<'a>> {
    Ok(Environment {
        layout,
        uv: uv::ensure(layout)?,
        folder,
        group,
        python: ">=3.11",
        package: "python3",
        is_blender: false,
    })
}

fn bpy(layout: &Layout, blender: Bpy) -> Result<Environment<'_>> {
    let (group, python, package) = match blender {
        Bpy::V4_5 => ("bpy-4-5", "3.11", "python3.11"),
        Bpy::V5_0 => ("bpy-5-0", "3.11", "python3.11"),
        Bpy::V5_2 => ("bpy-5-2", "3.13", "python3.13"),
    };
    Ok(Environment {
        python,
        package,
        is_blender: true,
        ..plain(layout, layout.venv_bpy(blender), group)?
    })
}

impl Environment<'_> {
    /// Brought up to date when the lock file changes, made anew when its Python is gone.
    fn ensure(&self) -> Result<()> {
        let lock = self.layout.root().join("uv.lock");
        let wanted =
            fs::read(&lock).with_context(|| format!("{} cannot be read", lock.display()))?;
        // uv would know by itself, but two wheels of bpy call themselves wheels for Python 3.9, and
        // it would put them right each time.
        let stamp = self.folder.join("uv.lock");
        let program = self.folder.join("bin/python");
        let works = process::ask(&program, ["--version"]).is_some();
        if works && fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
            return Ok(());
        }
        let shown = self
            .folder
            .strip_prefix(self.layout.root())
            .unwrap_or(&self.folder)
            .display();
        let wait = if self.is_blender {
            " (a download of 400 MB; a minute or two, once)"
        } else {
            ""
        };
        let sync = self
            .sync(format!(
                "installing the group {} into {shown}{wait}",
                self.group
            ))?
            .arg("--python")
            .arg(self.find_or_install_python()?)
            .hint(format!(
                "check the network; after a change to pyproject.toml run `uv lock`; a hash that \
                 does not match means another file than the pinned one, and no matching wheel \
                 means another kind of machine than it is for; if the folder itself is broken, \
                 remove {shown}"
            ));
        if self.is_blender {
            sync.run()?;
            Step::new("loading bpy from it", program)
                .args(["-c", "import bpy"])
                .quiet()
                .hint(format!(
                    "install the library that the error names; bpy needs {}",
                    apt::names_of(Part::Bpy).join(", ")
                ))
                .run()?;
        } else {
            sync.quiet().run()?;
        }
        fs::write(&stamp, wanted).with_context(|| format!("{} cannot be written", stamp.display()))
    }

    fn sync(&self, what: impl Into<String>) -> Result<Step> {
        Ok(uv::step(what, &self.uv)?
            .args(["sync", "--locked", "--only-group", self.group])
            .env("UV_PROJECT_ENVIRONMENT", &self.folder)
            .dir(self.layout.root()))
    }

    fn find_or_install_python(&self) -> Result<OsString> {
        if let Some(found) = self.find_python()? {
            return Ok(found);
        }
        if apt::can_install() {
            // Debian may have no such Python; what to do then is said below.
            if let Err(error) = apt::install(&[self.package]) {
                eprintln!("  {error:#}");
            }
            if let Some(found) = self.find_python()? {
                return Ok(found);
            }
        }
        bail!(
            "Python {} was not found, and the group {} of pyproject.toml is for it; install one \
             (where Debian has it: {}), or name it in PYTHON",
            self.python,
            self.group,
            self.package
        );
    }

    /// The one named by PYTHON if the group is for it, else what uv will find.
    fn find_python(&self) -> Result<Option<OsString>> {
        if let Some(named) = env::var_os("PYTHON") {
            let tried = self.sync("")?.args(["--dry-run", "--python"]).arg(&named);
            if tried.succeeds() {
                return Ok(Some(named));
            }
        }
        let found = uv::step("", &self.uv)?.args(["python", "find", self.python]);
        Ok(found.succeeds().then(|| self.python.into()))
    }
}
