//! The licences of what the packages contain and others have written.
//!
//! They are committed, since collecting takes a program that takes minutes to compile; a test
//! compares them with `Cargo.lock`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::layout::Layout;
use crate::process;
use crate::setup::{self, GUEST_TARGET};

/// The folder in the packages.
pub const NAME: &str = "licenses";

/// Where they are committed, and where the wheel takes them from.
pub fn folder(layout: &Layout) -> PathBuf {
    layout.root().join("host/python").join(NAME)
}

/// Collect them anew.
pub fn collect(layout: &Layout) -> Result<()> {
    crates(layout, "host/python", "crates.txt", &[])?;
    let policy = ["--target", GUEST_TARGET];
    crates(layout, "guest/five-minutes", "built-in-policy.txt", &policy)?;
    let library = folder(layout).join("rust-standard-library.html");
    copy(&rust_library()?, &library)
}

/// Of all crates that are linked into one.
fn crates(layout: &Layout, package: &str, file: &str, arguments: &[&str]) -> Result<()> {
    let about = setup::cargo_about(layout)?;
    let host = layout.root().join("host/python");
    process::Step::new(format!("collecting the licences of {package}"), about)
        .args(["generate", "--locked", "--offline", "--fail"])
        .args(arguments)
        .arg("--manifest-path")
        .arg(layout.root().join(package).join("Cargo.toml"))
        .arg("--config")
        .arg(host.join("about.toml"))
        .arg("--output-file")
        .arg(folder(layout).join(file))
        .arg(host.join("about.hbs"))
        .dir(layout.root())
        .hint("if crates are missing here, `cargo fetch`; if a licence is new, see about.toml")
        .run()
}

/// Those of Rust's standard library and of what it is made of, as Rust ships them.
fn rust_library() -> Result<PathBuf> {
    process::ask("rustc", ["--print", "sysroot"])
        .map(|root| Path::new(&root).join("share/doc/rust/COPYRIGHT-library.html"))
        .context("`rustc` does not tell where it is; use the one of rustup")
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let text = fs::read(from).with_context(|| format!("{} cannot be read", from.display()))?;
    fs::write(to, text).with_context(|| format!("{} cannot be written", to.display()))
}
