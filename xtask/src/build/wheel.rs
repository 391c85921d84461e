//! The wheel `cr8_lifeline`, and a folder with its content for Blender's Python.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::build::old_glibc;
use crate::layout::Layout;
use crate::process::{self, Step};
use crate::setup::{self, Part};

/// Build the wheel that is shipped into `target/wheels` and unpack it into `target/blender-python`,
/// which the virtual environment looks into as well. The policies must have been built: they are
/// embedded.
pub fn wheel(layout: &Layout) -> Result<()> {
    setup::ensure(layout, &[Part::Venv])?;
    let wheels = layout.wheels();
    // So that there is one wheel afterwards, and it is the new one.
    if wheels.exists() {
        fs::remove_dir_all(&wheels)
            .with_context(|| format!("{} cannot be emptied", wheels.display()))?;
    }
    let step = Step::new("building the wheel", layout.venv_program("maturin"))
        .args(["build", "--release", "--locked"])
        .args(["--compression-level", "9"])
        .arg("--manifest-path")
        .arg(layout.root().join("host/python/Cargo.toml"))
        .arg("--interpreter")
        .arg(layout.venv_program("python"))
        .arg("--out")
        .arg(&wheels)
        .env("VIRTUAL_ENV", layout.venv())
        // Zig's, which would go into the home folder.
        .env("ZIG_GLOBAL_CACHE_DIR", layout.target().join("zig-cache"))
        .dir(layout.root());
    let step = if cfg!(target_os = "linux") {
        // Nothing but what every Linux has may be linked; rustc's arguments come last.
        step.args(["--auditwheel", "check", "--compatibility"])
            .arg(old_glibc::wheel_tag())
            .args(["--", "-C"])
            .arg(format!("linker={}", old_glibc::linker(layout)?.display()))
    } else {
        step
    };
    step.run()?;
    unpack(layout, &built_wheel(layout)?)
}

/// The wheel that was built last.
pub fn built_wheel(layout: &Layout) -> Result<PathBuf> {
    let folder = layout.wheels();
    let mut found = Vec::new();
    for entry in
        fs::read_dir(&folder).with_context(|| format!("{} is missing", folder.display()))?
    {
        let path = entry?.path();
        if path.extension().is_some_and(|it| it == "whl") {
            found.push(path);
        }
    }
    match found.as_slice() {
        [one] => Ok(one.clone()),
        _ => bail!(
            "{} holds {} wheels instead of one",
            folder.display(),
            found.len()
        ),
    }
}

fn unpack(layout: &Layout, wheel: &PathBuf) -> Result<()> {
    let folder = layout.blender_python();
    setup::uv(layout, "unpacking it for Blender")?
        .args(["pip", "install", "--no-deps", "--no-index"])
        // Each build would stay in the cache.
        .args(["--no-cache", "--reinstall", "--compile-bytecode"])
        .arg("--python")
        .arg(layout.venv_program("python"))
        .arg("--target")
        .arg(&folder)
        .arg(wheel)
        .quiet()
        .run()?;
    let site = process::ask(
        layout.venv_program("python"),
        [
            "-c",
            "import sysconfig; print(sysconfig.get_path('platlib'))",
        ],
    )
    .context("the virtual environment does not tell where its packages are; remove target/venv")?;
    let link = PathBuf::from(site).join("cr8_lifeline_build.pth");
    fs::write(&link, format!("{}\n", folder.display()))
        .with_context(|| format!("{} cannot be written", link.display()))
}
