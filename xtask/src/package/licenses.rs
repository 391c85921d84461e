//! The licences of what the packages contain and others have written.
//!
//! They are committed, since collecting takes a program that takes minutes to compile; a test
//! compares them with `Cargo.lock`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

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
    // Neither of these is a crate, though one comes in a crate.
    let to = |name: &str| folder(layout).join(name);
    copy(&openssl(layout)?, &to("openssl.txt"))?;
    copy(&rust_library()?, &to("rust-standard-library.html"))
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
        .way_out("if crates are missing here, `cargo fetch`; if a licence is new, see about.toml")
        .run()
}

/// OpenSSL's, in the crate that carries its source.
fn openssl(layout: &Layout) -> Result<PathBuf> {
    let manifest = layout.root().join("Cargo.toml");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let metadata = process::ask(
        cargo,
        [
            "metadata".as_ref(),
            "--locked".as_ref(),
            "--offline".as_ref(),
            "--format-version=1".as_ref(),
            "--manifest-path".as_ref(),
            manifest.as_os_str(),
        ],
    )
    .context("`cargo metadata` fails; run `cargo fetch`")?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    metadata["packages"]
        .as_array()
        .and_then(|packages| packages.iter().find(|it| it["name"] == "openssl-src"))
        .and_then(|package| package["manifest_path"].as_str())
        .and_then(|path| Some(Path::new(path).parent()?.join("openssl/LICENSE.txt")))
        .context("openssl-src is no part of the build any more; leave its licence out")
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
