//! Policy components: each policy crate compiled for WebAssembly, then wrapped as a component.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use wit_component::ComponentEncoder;

use crate::build::{folders, precompiled};
use crate::layout::Layout;
use crate::process;
use crate::setup::{self, GUEST_TARGET, GuestToolchain};

/// What makes a package under `guest/` a policy, rather than what policies are made of.
const COMPONENT: &str = r#"crate-type = ["cdylib"]"#;

/// A policy calls nothing deep; a small stack keeps a fresh instance's memory at few pages.
const STACK_BYTES: u32 = 32_768;

const NO_OVERFLOW_CHECKS: &str = "profile.release.package.lifeline-machine.overflow-checks=false";

/// Build every policy in Rust into `target/policies/NAME.wasm`, and the built-in one's machine code
/// beside it.
pub fn policies(layout: &Layout) -> Result<()> {
    components(layout)?;
    precompiled::built_in_policy(layout)
}

/// Build every policy in Rust into `target/policies/NAME.wasm`. A file whose content stays the same
/// is not touched, because the host library is built anew when it is.
pub fn components(layout: &Layout) -> Result<()> {
    build(layout, "guest", &layout.policies())
}

/// Build the policies that tests make others of, and that are never shipped, into
/// `target/policies-for-tests/NAME.wasm`.
pub fn test_policies(layout: &Layout) -> Result<()> {
    build(layout, "tests/policies", &layout.test_policies())
}

fn build(layout: &Layout, source: &str, folder: &Path) -> Result<()> {
    let toolchain = setup::guest_toolchain()?;
    for name in names(&layout.root().join(source))? {
        compile(layout, &toolchain, &name)?;
        let module = layout
            .guest_target()
            .join(GUEST_TARGET)
            .join("release")
            .join(format!("{}.wasm", name.replace('-', "_")));
        let component = wrap(&module)?;
        let file = folder.join(format!("{name}.wasm"));
        let changed = write_if_changed(&file, &component)?;
        eprintln!(
            "  {}: {} bytes, {}",
            file.strip_prefix(layout.root()).unwrap_or(&file).display(),
            component.len(),
            if changed { "written" } else { "unchanged" }
        );
    }
    Ok(())
}

/// The packages in this folder that are policies, each named like its folder.
fn names(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for (name, path) in folders(folder)? {
        let manifest = path.join("Cargo.toml");
        if fs::read_to_string(&manifest).is_ok_and(|text| text.contains(COMPONENT)) {
            names.push(name);
        }
    }
    Ok(names)
}

fn compile(layout: &Layout, toolchain: &GuestToolchain, name: &str) -> Result<()> {
    let step = process::cargo(format!("building the policy {name}"))
        .args([
            "build",
            "--release",
            "--target",
            GUEST_TARGET,
            "--package",
            name,
        ])
        .arg("--target-dir")
        .arg(layout.guest_target())
        // For tests alone: nobody reads a policy's last words.
        .args(["--config", NO_OVERFLOW_CHECKS])
        .dir(layout.root())
        // Flags meant for the host's processor would not suit.
        .without_env("CARGO_ENCODED_RUSTFLAGS")
        .without_env("CARGO_BUILD_TARGET")
        .env(
            "RUSTFLAGS",
            format!("-Clink-arg=-zstack-size={STACK_BYTES}"),
        )
        // The host's profile is made for speed; a policy is embedded and shipped to browsers.
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "s")
        .env("CARGO_PROFILE_RELEASE_LTO", "fat")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1")
        .env("CARGO_PROFILE_RELEASE_STRIP", "symbols");
    toolchain.apply(step).run()
}

fn wrap(module: &Path) -> Result<Vec<u8>> {
    let bytes = fs::read(module).with_context(|| format!("{} cannot be read", module.display()))?;
    ComponentEncoder::default()
        .validate(true)
        .module(&bytes)
        .and_then(|encoder| encoder.encode())
        .with_context(|| format!("{} cannot be made a component", module.display()))
}

/// Replaced whole or not at all. True: it was written.
fn write_if_changed(file: &Path, content: &[u8]) -> Result<bool> {
    if fs::read(file).is_ok_and(|old| old == content) {
        return Ok(false);
    }
    let cannot = || format!("{} cannot be written", file.display());
    let folder = file.parent().with_context(cannot)?;
    fs::create_dir_all(folder).with_context(cannot)?;
    let draft = file.with_extension("wasm.new");
    fs::write(&draft, content).with_context(cannot)?;
    fs::rename(&draft, file).with_context(cannot)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{names, write_if_changed};
    use crate::layout::Layout;

    #[test]
    fn the_policies_are_found_and_what_they_are_made_of_is_not() -> anyhow::Result<()> {
        let found = names(&Layout::find()?.root().join("guest"))?;
        for name in ["five-minutes", "render-guard", "patient"] {
            assert!(found.iter().any(|it| it == name), "{found:?}");
        }
        assert!(!found.iter().any(|it| it == "machine" || it == "python"));
        Ok(())
    }

    #[test]
    fn an_unchanged_file_is_not_touched() -> anyhow::Result<()> {
        let folder = std::env::temp_dir().join(format!("xtask-guest-{}", std::process::id()));
        let file = folder.join("p.wasm");
        assert!(write_if_changed(&file, b"one")?);
        let before = fs::metadata(&file)?.modified()?;
        assert!(!write_if_changed(&file, b"one")?);
        assert_eq!(fs::metadata(&file)?.modified()?, before);
        assert!(write_if_changed(&file, b"two")?);
        assert_eq!(fs::read(&file)?, b"two");
        fs::remove_dir_all(&folder)?;
        Ok(())
    }
}
